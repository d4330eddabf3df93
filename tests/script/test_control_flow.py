"""if, for, while, break, continue, return, raise: in every nesting."""

from agreement import check


def early_return(n: int) -> int:
    if n > 3:
        if n > 5:
            return 1
        y = 2
    elif n < 0:
        raise ValueError("negative")
    else:
        y = 3
    assert y != 2 or n != 4, "four"
    return y


def nested_loops(n: int) -> int:
    for i in range(n):
        for j in range(i):
            if i * j == 12:
                return i * 100 + j
            if j > 4:
                break
        else:
            if i > 8:
                return -i
    return -1


def skip_and_stop(n: int, skip: int, stop: int) -> int:
    total = 0
    for i in range(n):
        if i == skip:
            continue
        if i > stop:
            break
        total += i
    while total > 5:
        total = total - 2
    return total


def assigned_before_break(n: int) -> int:
    while True:
        n = n - 3
        if n < 0:
            k = n
            break
        if n == 7:
            k = 100
            break
    return k


def loop_variable_after_loop() -> int:
    for i in range(4):
        last = i * 2
    return i + last


def none_then_int(n: int):
    x = None
    for i in range(n):
        x = i if x is None else x + i
    return x


def while_else(n: int) -> int:
    while n > 0:
        n -= 2
        if n == 3:
            break
    else:
        return 10
    return n


def for_over_list(values: list[int]) -> tuple[int, int]:
    total = 0
    best = values[0]
    for v in values:
        total += v
        if v > best:
            best = v
    return total, best


def zip_and_enumerate(a: list[int], b: list[float]) -> float:
    total = 0.0
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        total += i * x + y
    for k, x in enumerate(reversed(a), 5):
        total -= k * x
    return total


def ranges(a: int, b: int, c: int) -> list[int]:
    out = []
    for i in range(a, b, c):
        out.append(i)
    for i in range(b, a):
        out.append(-i)
    for i in range(10, 0, -3):
        out.append(i)
    return out


def swapped_in_loop(n: int) -> tuple[int, int]:
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a, b


def return_in_while(n: int) -> str:
    while n < 100:
        n = n * 3 + 1
        if n % 7 == 0:
            return "seven"
        if n % 5 == 0:
            continue
        n += 1
    return "end"


def continue_keeps_values(n: int) -> list[int]:
    out = []
    x = 0
    for i in range(n):
        x = i * 2
        if i % 3 == 0:
            x = -1
            continue
        out.append(x)
    out.append(x)
    return out


def ternaries(a: int, b: int) -> int:
    return (a if a > b else b) if a != 3 else (0 if b else 1)


def short_circuit(values: list[int], i: int) -> bool:
    return (i < len(values) and values[i] > 2) or i == 100


def chained(a: int, b: int, c: int) -> bool:
    return a < b < c and not (a == 1 or b == 3)


def walrus(n: int) -> int:
    if (m := n * 2) > 5 and (k := m - 1) > 6:
        return m + k
    return m


def raises(n: int) -> int:
    if n == 0:
        raise RuntimeError("zero")
    if n == 1:
        raise KeyError
    return n


def nothing(n: int) -> None:
    if n > 1:
        return
    n = 3


def test_early_return():
    check(early_return, *[(n,) for n in (-1, 0, 4, 5, 6)])


def test_nested_loops():
    check(nested_loops, *[(n,) for n in (0, 1, 3, 5, 10, 12)])


def test_skip_and_stop():
    check(skip_and_stop, (10, 3, 6), (0, 1, 2), (5, 9, 9), (8, 0, 0))


def test_values_assigned_before_break():
    check(assigned_before_break, (10,), (9,), (0,))
    check(loop_variable_after_loop, ())


def test_types_that_widen():
    check(none_then_int, (0,), (1,), (4,))


def test_loop_else():
    check(while_else, (0,), (4,), (5,), (9,))


def test_iteration():
    check(for_over_list, ([3, 1, 7, 2],), ([],))
    check(zip_and_enumerate, ([1, 2, 3], [0.5, 1.5]), ([], []), ([4], [1.0, 2.0]))
    check(ranges, (0, 7, 2), (7, 0, -2), (3, 3, 1), (0, 5, 0))


def test_carried_values():
    check(swapped_in_loop, (0,), (1,), (30,))
    check(return_in_while, *[(n,) for n in range(12)])
    check(continue_keeps_values, (0,), (1,), (7,))


def test_conditions():
    check(ternaries, (1, 2), (3, 0), (3, 5), (9, 2))
    check(short_circuit, ([1, 2, 3], 2), ([1], 5), ([], 100), ([3], 0))
    check(chained, (0, 1, 2), (1, 2, 3), (3, 2, 1), (0, 3, 4))
    check(walrus, (1,), (3,), (4,), (10,))


def test_raise():
    check(raises, (0,), (1,), (2,))
    check(nothing, (1,), (2,))


def narrowed_on_one_way_out(o: int | None, q: bool, n: int):
    for _ in range(n):
        if q:
            o = None
    if q:
        o = 3
    else:
        if o is None:
            return o, n
        n += o
    return o, n


def test_narrowed_on_one_way_out():
    cases = [(o, q, n) for o in (None, 5) for q in (True, False) for n in (0, 2)]
    check(narrowed_on_one_way_out, *cases)


def work_list(xs: list[int]):
    for x in xs:
        if x < 20:
            xs.extend([x * 2, x * 3])
    return xs


def removed_on_the_way(xs: list[int]):
    for i, x in enumerate(xs, 3):
        if x % 2 == 0:
            xs.remove(x)
        elif i > 5:
            del xs[-1]
        else:
            xs += []
    else:
        xs.append(7)
    return xs


def test_lists_that_change_while_a_loop_goes_over_them():
    check(work_list, ([1],), ([],), ([30, 9],))
    check(removed_on_the_way, ([1, 2, 2, 4, 4],), ([1, 2, 3, 4],), ([],), ([1, 3, 5, 7, 9, 11],))


def entries_on_the_way(d: dict[str, int], limit: int):
    total = 0
    for key, value in d.items():
        d[key] = value + 1
        if value > limit:
            d[key + "+"] = 0
        if value == 9:
            break
        total += value
    else:
        total += 100
    return total, d


def dropped_on_the_way(d: dict[int, str], drop: int):
    try:
        for i, key in enumerate(d):
            if key == drop:
                d.pop(key)
                continue
            if i > 1:
                return i, d
    except RuntimeError as error:
        return -1, {len(d): str(error)}
    return len(d), d


def found_on_the_way(n: int):
    found = {1}
    for each in found:
        found.add(min(each, n))
    return len(found)


def test_dicts_and_sets_that_change_size_while_a_loop_goes_over_them():
    numbers = {"a": 1, "b": 5}
    check(entries_on_the_way, (numbers, 9), (numbers, 0), (numbers, 4), ({"c": 9}, 3), ({}, 0))
    words = {1: "x", 2: "y", 3: "z"}
    check(dropped_on_the_way, (words, 0), (words, 1), (words, 3), ({1: "x"}, 1))
    check(found_on_the_way, (0,), (1,), (2,))


class Link:
    def __init__(self, value: int) -> None:
        self.value = value
        self.next: Link | None = None


def along_a_chain(n: int):
    head = Link(1)
    head.next = Link(n)
    here: Link | None = head
    digits = 0
    while here is not None:
        digits = digits * 10 + here.value
        here = here.next
    left: int | None = n
    while left is not None and left >= 0:
        digits += left
        left = left - 1 if left > 0 else None
    return digits, left


def test_while_conditions_narrow_what_a_turn_makes_wider():
    check(along_a_chain, (4,), (0,), (-1,))


def test_what_a_while_says_after_it():
    def waits(a: int | None):
        turns = 0
        while a is None:
            turns += 1
            if turns > 2:
                a = turns
        return a + 1, turns

    check(waits, (None,), (5,))
