"""Draws straight-line programs, op by op; PyTorch runs them meanwhile, so that all ops fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from hypothesis import strategies as st
from tests.plan.recipe import INPUTS, Recipe, Ref, Step, apply

FLOATS = [torch.float32, torch.float32, torch.float32, torch.float64, torch.float16, torch.bfloat16]
DTYPES = [*FLOATS, torch.int64, torch.int32, torch.bool]
LARGEST = 1e4  # of the values, so that errors stay in proportion
MOST_ELEMENTS = 20_000

UNARY = [
    "relu",
    "sigmoid",
    "tanh",
    "neg",
    "abs",
    "square",
    "silu",
    "gelu",
    "hardswish",
    "hardsigmoid",
    "relu6",
    "softplus",
    "mish",
    "elu",
    "leaky_relu",
    "exp",
    "rsqrt",
    "sin",
    "cos",
    "erf",
]
IN_PLACE = [
    "relu_",
    "sigmoid_",
    "tanh_",
    "neg_",
    "abs_",
    "hardswish_",
    "silu_",
    "relu6_",
    "square_",
    "leaky_relu_",
]
BINARY = ["add", "sub", "mul", "maximum", "minimum", "add", "sub", "mul"]
BOUNDED = {"exp", "rsqrt"}


class Maker:
    """Appends random steps and keeps PyTorch's values of everything so far."""

    def __init__(self, draw: Callable[[Any], Any], seed: int) -> None:
        self.draw = draw
        self.random = torch.Generator().manual_seed(seed)
        self.recipe = Recipe()
        self.values: list[Any] = []

    # --- what to draw -------------------------------------------------------------------------

    def integer(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def pick(self, values: Any) -> Any:
        return values[self.integer(0, len(values) - 1)]

    def chance(self, one_in: int) -> bool:
        return self.integer(1, one_in) == one_in

    def tensor(self, dtype: torch.dtype, *sizes: int) -> torch.Tensor:
        numbers = torch.randn(sizes, generator=self.random)
        if dtype == torch.bool:
            return numbers > 0.2
        return (numbers * 3 if not dtype.is_floating_point else numbers).to(dtype)

    def choose(self, fits: Callable[[torch.Tensor], bool] = lambda t: True) -> Ref | None:
        """One of the tensors that fit, late ones more often."""
        known = [i for i, v in enumerate(self.values) if isinstance(v, torch.Tensor) and fits(v)]
        if not known:
            return None
        late = known[-3:]
        return Ref(self.pick(known if self.chance(3) else late))

    def at(self, ref: Ref) -> torch.Tensor:
        return self.values[ref.index]

    def float_like(self, rank: int | None = None, most: int = 5) -> Ref | None:
        return self.choose(
            lambda t: (
                t.is_floating_point() and t.dim() <= most and (rank is None or t.dim() == rank)
            )
        )

    # --- steps --------------------------------------------------------------------------------

    def add(self, op: str, *args: Any) -> Ref | None:
        """The first result of a step, if PyTorch can run it and its numbers stay small."""
        step = Step(op, args)
        in_place = op.partition(".")[0].endswith("_")
        before = self.at(args[0]).clone() if in_place else None
        try:
            results = apply(step, self.values, False)
        except (RuntimeError, IndexError, TypeError, ValueError):
            return None
        for r in results:
            if not isinstance(r, torch.Tensor):
                continue
            if r.numel() > MOST_ELEMENTS or r.dtype not in DTYPES:
                return None
            if r.numel() and not r.double().abs().max() < LARGEST:
                if before is not None:
                    r.copy_(before)
                return None
        if not results:
            return None
        step.results = len(results)
        step.unpacks = op.partition(".")[0] in ("split", "chunk", "unbind", "split_with_sizes")
        return self.note(step, results)

    def note(self, step: Step, results: list[Any]) -> Ref:
        self.recipe.steps.append(step)
        self.values.extend(results)
        return Ref(len(self.values) - len(results))

    def weight(self, tensor: torch.Tensor) -> Ref:
        return self.note(Step("", weight=tensor), [tensor])

    def matrix(self, like: torch.Tensor, *sizes: int, scale: float = 1.0) -> Ref:
        """A weight, or now and then the same made from a weight by an op."""
        tensor = (self.tensor(torch.float32, *sizes) * scale).to(like.dtype)
        ref = self.weight(tensor)
        if self.chance(6):
            return self.add("mul", ref, 0.5) or ref
        return ref

    def vector(self, like: torch.Tensor, size: int) -> Ref | None:
        return None if self.chance(3) else self.matrix(like, size, scale=0.5)

    def step(self) -> None:
        kind = self.pick(KINDS)
        getattr(self, kind)()

    def unary(self) -> None:
        ref = self.choose()
        if ref is None:
            return
        op = self.pick(UNARY)
        if op in BOUNDED:
            ref = self.add("sigmoid", ref)
        if ref is not None:
            self.add(op, ref)

    def axis(self) -> tuple[Ref, int] | None:
        """A tensor that has dimensions, and one of them."""
        ref = self.choose(lambda t: t.dim() > 0)
        return ref and (ref, self.integer(0, self.at(ref).dim() - 1))

    def other(self, ref: Ref) -> Ref | float | int:
        t = self.at(ref)
        kinds = ["same", "same", "any", "number", "number", "weight"]
        match self.pick(kinds):
            case "same":
                return self.choose(lambda o: o.shape == t.shape) or 2
            case "any":
                return self.choose() or 2
            case "number":
                return self.pick([2, 0.5, -1, 1.25, 0])
            case _:
                sizes = [n if self.chance(2) else 1 for n in t.shape]
                drop = self.integer(0, len(sizes))
                return self.weight(self.tensor(self.pick(DTYPES), *sizes[drop:]))

    def binary(self) -> None:
        ref = self.choose()
        if ref is None:
            return
        other = self.other(ref)
        op = self.pick(BINARY)
        if op in ("add", "sub") and isinstance(other, Ref) and self.chance(5):
            self.add(f"{op}.Tensor", ref, other, self.pick([2, -1, 3]))
            return
        if isinstance(other, Ref) and self.chance(3):
            ref, other = other, ref
        if not isinstance(other, Ref) and op in ("maximum", "minimum"):
            op = {"maximum": "clamp_min", "minimum": "clamp_max"}[op]
        self.add(op, ref, other)

    def three(self) -> None:
        ref = self.float_like()
        if ref is None:
            return
        t = self.at(ref)
        others = [self.choose(lambda o: o.dtype == t.dtype) or ref for _ in range(2)]
        match self.pick(["addcmul", "lerp", "lerp_number", "square_root"]):
            case "addcmul":
                self.add("addcmul", ref, *others)
            case "lerp":
                self.add("lerp.Tensor", ref, *others)
            case "lerp_number":
                self.add("lerp.Scalar", ref, others[0], 0.25)
            case _:
                positive = self.add("add", self.add("abs", ref), 0.5)
                if positive:
                    self.add(self.pick(["sqrt", "log", "reciprocal", "rsqrt"]), positive)

    def logic(self) -> None:
        """Masks of masks, and bits of integers."""
        ref = self.choose(lambda t: not t.is_floating_point())
        if ref is None:
            ref = self.add("gt", self.choose() or 0, 0.1)
        if ref is None:
            return
        t = self.at(ref)
        other = self.choose(lambda o: o.dtype == t.dtype) or ref
        match self.pick(["not", "bits", "logical", "equal"]):
            case "not":
                self.add(self.pick(["logical_not", "bitwise_not"]), ref)
            case "bits":
                ops = ["bitwise_and", "bitwise_or", "bitwise_xor"]
                self.add(self.pick(ops), ref, other)
            case "logical":
                self.add(self.pick(["logical_and", "logical_or"]), ref, self.choose() or other)
            case _:
                self.add(self.pick(["eq", "ne"]), ref, other if self.chance(2) else 1)

    def places(self, size: int) -> Ref | None:
        """Integers from 0 to below ``size``, computed or given."""
        match self.pick(["arange", "computed", "computed", "given"]):
            case "arange":
                counted = self.add("arange", self.pick([0, 1, 3, 5]))
                step = counted and self.add("mul", counted, self.pick([1, 2, 3]))
                return step and self.add("remainder", step, size)
            case "computed":
                ints = self.choose(lambda o: o.dtype in (torch.int64, torch.int32) and o.dim() > 0)
                if ints is None:
                    mask = self.add("gt", self.choose() or 0, 0.1)
                    ints = mask and self.add("to.dtype", mask, torch.int64, False, False)
                plus = ints and self.add("add", ints, self.integer(0, 3))
                if plus and self.chance(3):
                    plus = self.add("floor_divide", plus, 2)
                return plus and self.add("remainder", plus, size)
            case _:
                count = self.pick([0, 1, 3])
                return self.weight(torch.randint(0, size, (count,), generator=self.random))

    def advanced_index(self) -> None:
        found = self.axis()
        if found is None or self.at(found[0]).shape[found[1]] == 0:
            return
        ref, d = found
        t = self.at(ref)
        if self.chance(4):
            sizes = t.shape[: d + 1]
            mask = self.choose(lambda o: o.dtype == torch.bool and o.shape == sizes)
            if mask:
                self.add("index.Tensor", ref, [mask])
                return
        place = self.places(t.shape[d])
        if place is None:
            return
        indices: list[Ref | None] = [None] * d + [place]
        if d + 1 < t.dim() and t.shape[d + 1] and self.chance(3):
            count = self.at(place).shape[-1:] if self.at(place).dim() else ()
            more = torch.randint(-t.shape[d + 1], t.shape[d + 1], count, generator=self.random)
            indices.append(self.weight(more))
        match self.pick(["index", "index", "put", "add"]):
            case "index":
                self.add("index.Tensor", ref, indices)
            case "put":
                self.add("index_put", ref, indices, self.weight(torch.ones((), dtype=t.dtype)))
            case _:
                flat = self.add("flatten", place, 0, -1)
                source = flat and self.add("index_select", ref, d, flat)
                if source:
                    self.add("index_add", ref, d, flat, source)

    def factory(self) -> None:
        """New memory, often written right away."""
        ref = self.choose()
        if ref is None:
            return
        t = self.at(ref)
        sizes = [n if self.chance(2) else self.pick([1, 3]) for n in t.shape]
        match self.pick(["like", "new", "zeros", "arange"]):
            case "like":
                op = self.pick(["zeros_like", "ones_like", "full_like"])
                made = self.add(op, ref, *([2] if op == "full_like" else []))
            case "new":
                made = self.add("new_full", ref, sizes, self.pick([0, 1, 2]))
            case "zeros":
                made = self.add(self.pick(["zeros", "ones"]), sizes)
            case _:
                length = self.add("size.int", ref, 0) if t.dim() else None
                made = self.add("arange", length if length is not None else 4)
        if made and self.chance(2):
            part = self.view_of(made) or made
            self.add(self.pick(["add_", "mul_", "copy_"]), part, self.pick_source(part))

    def pick_source(self, ref: Ref) -> Ref:
        """Something that fits into a tensor of that dtype."""
        t = self.at(ref)
        found = self.choose(lambda o: torch.can_cast(o.dtype, t.dtype))
        if found and self.apart(ref, found):
            return found
        return self.weight(torch.ones((), dtype=t.dtype))

    def divide(self) -> None:
        ref, other = self.float_like(), self.float_like()
        if ref and other:
            low = self.add("add", self.add("abs", other) or 1, 0.5)
            if low:
                self.add("div", ref, low)

    def compare(self) -> None:
        ref = self.choose()
        if ref is None:
            return
        op = self.pick(["gt", "lt", "ge", "le"])
        if self.add(op, ref, self.pick([0.31459, -0.27183, 1.1447])) and self.chance(2):
            self.add("where", Ref(len(self.values) - 1), ref, self.choose())

    def masked(self) -> None:
        ref, mask = self.choose(), self.choose(lambda t: t.dtype == torch.bool)
        if ref and mask:
            if self.chance(2):
                self.add("masked_fill", ref, mask, self.pick([0, -2, 0.5]))
            else:
                self.add("where", mask, ref, self.choose() if self.chance(2) else 1.5)

    def clamp(self) -> None:
        ref = self.choose()
        if ref is None:
            return
        if self.chance(2):
            self.add("clamp", ref, self.pick([None, -1, -0.5]), self.pick([0.75, 1, 2]))
        else:
            self.add("hardtanh", ref, self.pick([-1, -0.5]), self.pick([0.75, 1.5]))

    def cast(self) -> None:
        ref = self.choose()
        if ref is None:
            return
        t, dtype = self.at(ref), self.pick(DTYPES)
        if t.is_floating_point() and not dtype.is_floating_point:
            return  # a rounding away from another number
        self.add("to.dtype", ref, dtype, False, self.chance(2))

    def view(self) -> None:
        ref = self.choose()
        if ref is None:
            return
        self.view_of(ref)

    def view_of(self, ref: Ref) -> Ref | None:
        t = self.at(ref)
        d = self.integer(0, max(t.dim() - 1, 0))
        size = t.shape[d] if t.dim() else 1
        match self.pick(VIEWS):
            case "permute":
                order = list(range(t.dim()))
                for i in range(len(order)):
                    j = self.integer(i, len(order) - 1)
                    order[i], order[j] = order[j], order[i]
                return self.add("permute", ref, order)
            case "transpose":
                return self.add("transpose", ref, d, self.integer(-t.dim(), max(t.dim() - 1, 0)))
            case "reshape":
                return self.add(self.pick(["reshape", "view"]), ref, self.regrouped(ref))
            case "flatten":
                return self.add("flatten", ref, self.integer(0, max(t.dim() - 1, 0)), -1)
            case "select":
                return self.add("select.int", ref, d, self.integer(-1, max(size - 1, 0)))
            case "slice":
                low, high = self.integer(0, size), self.pick([2**63 - 1, -1, size])
                return self.add("slice.Tensor", ref, d, low // 2, high, self.pick([1, 1, 2, 3]))
            case "narrow":
                start = self.integer(0, max(size - 1, 0))
                return self.add("narrow", ref, d, start, self.integer(0, size - start))
            case "expand":
                sizes = [self.pick([-1, 3]) if n == 1 else -1 for n in t.shape]
                if self.chance(3):
                    sizes = [2, *sizes]
                return self.add("expand", ref, sizes)
            case "unsqueeze":
                return self.add("unsqueeze", ref, self.integer(-1, t.dim()))
            case "squeeze":
                return (
                    self.add("squeeze.dim", ref, d) if self.chance(2) else self.add("squeeze", ref)
                )
            case "split":
                if self.chance(2):
                    return self.add("split.Tensor", ref, max(size - size // 2, 1), d)
                return self.add("chunk", ref, 2, d)
            case "unbind":
                return self.add("unbind.int", ref, d)
            case _:
                return self.add(self.pick(["contiguous", "clone", "detach"]), ref)

    def regrouped(self, ref: Ref) -> list[Any]:
        """Sizes that split one dimension or join two, the first perhaps asked from the tensor."""
        t = self.at(ref)
        sizes: list[Any] = list(t.shape)
        if not sizes:
            return [1]
        d = self.integer(0, len(sizes) - 1)
        if self.chance(3):
            return [-1]
        if self.chance(2) and d + 1 < len(sizes):
            sizes[d : d + 2] = [sizes[d] * sizes[d + 1]]
        elif sizes[d] and sizes[d] % 2 == 0:
            sizes[d : d + 1] = [2, sizes[d] // 2]
        known = [i for i, n in enumerate(sizes) if i != 0]
        if t.numel() and known and self.chance(2):
            sizes[self.pick(known)] = -1
        if sizes[0] == t.shape[0] and self.chance(2):
            size = self.add("size.int", ref, 0)
            if size is not None:
                sizes[0] = size
        return sizes

    def rearrange(self) -> None:
        found = self.axis()
        if found is None:
            return
        ref, d = found
        t = self.at(ref)
        match self.pick(["flip", "roll", "repeat", "triangle", "shuffle", "halves"]):
            case "flip":
                self.add("flip", ref, [d])
            case "roll":
                self.add("roll", ref, [self.pick([1, -1, 2])], [d])
            case "repeat":
                self.add("repeat", ref, [self.pick([1, 2]) for _ in t.shape])
            case "triangle":
                self.add(self.pick(["tril", "triu"]), ref, self.pick([0, 1, -1]))
            case "shuffle":
                self.add("pixel_shuffle", ref, 2)
            case _:
                parts = self.add("chunk", ref, 2, d)
                if parts and len(self.values) - parts.index == 2:
                    second = Ref(parts.index + 1)
                    self.add("cat", [self.add("neg", second) or second, parts], d)

    def in_place(self) -> None:
        weights = {
            s.weight.untyped_storage().data_ptr() for s in self.recipe.steps if s.weight is not None
        }
        ref = self.choose(lambda t: t.untyped_storage().data_ptr() not in weights)
        if ref is None:
            return
        if self.chance(2):
            ref = self.view_of(ref) or ref
        t = self.at(ref)
        kinds = ["unary", "unary", "binary", "binary", "fill", "copy", "clamp", "mask", "put"]
        match self.pick(kinds):
            case "unary":
                self.add(self.pick(IN_PLACE), ref)
            case "fill":
                self.add(self.pick(["fill_", "zero_"]), *([ref, 2] if self.chance(2) else [ref]))
            case "copy":
                other = self.choose(lambda o: t.is_floating_point() or not o.is_floating_point())
                if other and self.apart(ref, other):
                    self.add("copy_", ref, other)
            case "clamp":
                self.add("clamp_", ref, -0.5, 1)
            case "mask":
                mask = self.choose(lambda o: o.dtype == torch.bool)
                if mask:
                    self.add("masked_fill_", ref, mask, 1)
            case "put":
                place = self.places(t.shape[0]) if t.dim() and t.shape[0] else None
                if place:
                    one = self.weight(torch.ones((), dtype=t.dtype))
                    self.add("index_put_", ref, [place], one)
            case _:
                self.add(self.pick(["add_", "mul_", "sub_"]), ref, self.pick_other(ref))

    def pick_other(self, ref: Ref) -> Ref | float | int:
        """An operand of what is written in place."""
        other = self.other(ref)
        return other if not isinstance(other, Ref) or self.apart(ref, other) else 2

    def apart(self, one: Ref, other: Ref) -> bool:
        """Whether no place in memory belongs to both, or they are the same."""
        a, b = self.at(one), self.at(other)
        if a.untyped_storage().data_ptr() != b.untyped_storage().data_ptr():
            return True
        if (a.data_ptr(), a.shape, a.stride()) == (b.data_ptr(), b.shape, b.stride()):
            return True
        count = a.untyped_storage().nbytes() // a.element_size()
        places = torch.zeros(count, dtype=torch.bool)
        places.as_strided(a.shape, a.stride(), a.storage_offset()).fill_(True)
        return not places.as_strided(b.shape, b.stride(), b.storage_offset()).any()

    def join(self) -> None:
        found = self.axis()
        if found is None:
            return
        ref, d = found
        t = self.at(ref)
        parts = [ref]
        stacked = self.chance(4)
        for _ in range(self.integer(0, 3)):
            part = self.choose(
                lambda o: (
                    o.dim() == t.dim()
                    and all(
                        a == b or (i == d and not stacked)
                        for i, (a, b) in enumerate(zip(o.shape, t.shape, strict=True))
                    )
                )
            )
            parts.append(part or ref)
        self.add("stack" if stacked else "cat", parts, self.pick([d, d - t.dim()]))

    def matmul(self) -> None:
        ref = self.float_like()
        if ref is None or self.at(ref).dim() == 0:
            return
        t = self.at(ref)
        inner, outer = t.shape[-1], self.pick([1, 2, 5, 8, 17])
        match self.pick(["linear", "linear", "matmul", "addmm", "own", "batches"]):
            case "linear":
                scale = max(inner, 1) ** -0.5
                self.add(
                    "linear", ref, self.matrix(t, outer, inner, scale=scale), self.vector(t, outer)
                )
            case "matmul":
                other = self.matrix(t, inner, outer, scale=0.5)
                self.add("matmul", ref, other)
            case "addmm":
                flat = self.add("reshape", ref, [-1, inner])
                if flat:
                    bias = self.vector(t, outer) or self.matrix(t, 1, outer)
                    numbers = self.pick([(), (), (0.5, 2), (0, 1), (1, -1)])
                    self.add("addmm", bias, flat, self.matrix(t, inner, outer, scale=0.5), *numbers)
            case "batches":
                left = self.add("reshape", ref, [1, -1, inner]) if t.dim() < 3 else ref
                right = left and self.add("transpose", left, 1, 2)
                if right:
                    bias = self.matrix(t, 1, 1, 1)
                    if self.chance(2):
                        self.add("bmm", left, right)
                    else:
                        self.add("baddbmm", bias, left, right)
            case _:
                other = self.add("transpose", self.choose(lambda o: o.dim() > 1) or ref, -1, -2)
                if other:
                    self.add("matmul", ref, other)

    def conv(self) -> None:
        ref = self.choose(lambda t: t.is_floating_point() and 3 <= t.dim() <= 5 and t.shape[1] > 0)
        if ref is None:
            return
        t = self.at(ref)
        rank, channels = t.dim() - 2, t.shape[1]
        groups = self.pick([g for g in (1, 1, 1, 2, 4, channels) if g and channels % g == 0] or [1])
        out = groups * self.pick([1, 1, 2, 3, 4])
        if self.chance(6):
            out = groups * 16
        kernel = self.pick([1, 1, 3, 3, 2])
        stride, dilation = self.pick([1, 1, 1, 2]), self.pick([1, 1, 1, 2])
        padding = self.pick([0, kernel // 2, kernel // 2, 1])
        if self.chance(5):
            weight = self.matrix(t, channels, out // groups, *[kernel] * rank, scale=0.4)
            name = f"conv_transpose{rank}d" + (".input" if rank > 1 else "")
            self.add(
                name, ref, weight, self.vector(t, out), [stride] * rank, [padding] * rank,
                [self.pick([0, 0, stride - 1])] * rank, groups, [dilation] * rank,
            )  # fmt: skip
            return
        weight = self.matrix(t, out, channels // groups, *[kernel] * rank, scale=0.4)
        self.add(
            f"conv{rank}d", ref, weight, self.vector(t, out), [stride] * rank, [padding] * rank,
            [dilation] * rank, groups,
        )  # fmt: skip

    def normalize(self) -> None:
        ref = self.float_like()
        if ref is None or self.at(ref).dim() < 2:
            return
        t = self.at(ref)
        match self.pick(["batch", "batch", "layer", "group", "softmax"]):
            case "batch":
                c = t.shape[1]
                var = self.weight((self.tensor(torch.float32, c).abs() + 0.5).to(t.dtype))
                args = [self.vector(t, c), self.vector(t, c), self.matrix(t, c), var]
                self.add("batch_norm", ref, *args, False, 0.1, 1e-5, False)
            case "layer":
                n = t.shape[-1]
                self.add("layer_norm", ref, [n], self.vector(t, n), self.vector(t, n), 1e-2)
            case "group":
                c = t.shape[1]
                self.add("group_norm", ref, self.pick([1, 2]), self.vector(t, c), None, 1e-2)
            case _:
                self.add(self.pick(["softmax.int", "log_softmax.int"]), ref, self.pick([1, -1]))

    def pool(self) -> None:
        ref = self.choose(lambda t: t.is_floating_point() and 3 <= t.dim() <= 5)
        if ref is None:
            return
        rank = self.at(ref).dim() - 2
        match self.pick(["max", "avg", "adaptive"]):
            case "max":
                kernel = self.pick([2, 3])
                self.add(f"max_pool{rank}d", ref, [kernel] * rank, [self.pick([1, 2])] * rank,
                         [self.pick([0, 1])] * rank, [self.pick([1, 1, 2])] * rank,
                         self.chance(4))  # fmt: skip
            case "avg":
                self.add(f"avg_pool{rank}d", ref, [self.pick([2, 3])] * rank,
                         [self.pick([1, 2])] * rank, [self.pick([0, 1])] * rank, self.chance(4),
                         self.chance(2))  # fmt: skip
            case _:
                self.add(f"adaptive_avg_pool{rank}d", ref, [self.pick([1, 1, 2, 3])] * rank)

    def reduce(self) -> None:
        ref = self.choose(lambda t: t.dim() > 0)
        if ref is None:
            return
        dims = self.pick([[-1], [0], [1], [2, 3], [-2, -1], [1, 2]])
        keep = self.chance(2)
        match self.pick(["dims", "dims", "all", "norm", "one", "scan"]):
            case "dims":
                op = self.pick(["mean.dim", "sum.dim_IntList", "amax", "amin", "var.dim"])
                self.add(op, ref, dims, *([False] if op == "var.dim" else []), keep)
            case "all":
                self.add(self.pick(["mean", "sum", "max", "any", "all"]), ref)
            case "norm":
                if self.chance(2):
                    self.add("linalg_vector_norm", ref, self.pick([2, 1]), dims, keep)
                else:
                    self.add("logsumexp", ref, dims, keep)
            case "one":
                exact = not self.at(ref).is_floating_point()
                op = self.pick(["argmax", "argmin"] if exact else ["any.dim", "all.dim"])
                self.add(op, ref, dims[0], keep)
            case _:
                self.add("cumsum", ref, dims[0])

    def attention(self) -> None:
        ref = self.float_like()
        if ref is None or self.at(ref).dim() < 2:
            return
        t = self.at(ref)
        key = self.choose(lambda o: o.shape == t.shape and o.dtype == t.dtype) or ref
        value = self.choose(lambda o: o.shape == t.shape and o.dtype == t.dtype) or ref
        mask = None
        if self.chance(3):
            sizes = (t.shape[-2], self.at(key).shape[-2])
            mask = self.choose(lambda o: o.dtype in (t.dtype, torch.bool) and o.shape == sizes)
            if mask is None:
                mask = self.weight(self.tensor(t.dtype, *sizes))
            elif self.at(mask).dtype == torch.bool:
                mask = self.weight(torch.ones(sizes, dtype=torch.bool).tril())
        causal = mask is None and self.chance(3)
        self.add("scaled_dot_product_attention", ref, key, value, mask, 0.0, causal)

    def index(self) -> None:
        found = self.axis()
        if found is None or self.at(found[0]).shape[found[1]] == 0:
            return
        ref, d = found
        t = self.at(ref)
        indices = torch.randint(0, t.shape[d], (self.pick([0, 1, 3]),), generator=self.random)
        match self.pick(["index_select", "gather", "embedding"]):
            case "index_select":
                self.add("index_select", ref, d, self.weight(indices))
            case "gather":
                like = torch.randint(0, t.shape[d], t.shape, generator=self.random)
                self.add("gather", ref, d, self.weight(like))
            case _:
                table = self.matrix(torch.empty(0), 7, 4)
                ints = self.choose(lambda o: o.dtype in (torch.int64, torch.int32))
                if ints:
                    inside = self.add("clamp", ints, 0, 6)
                    if inside:
                        self.add("embedding", table, inside)

    def resample(self) -> None:
        ref = self.float_like(4)
        if ref is None:
            return
        if self.chance(2):
            self.add("upsample_nearest2d.vec", ref, None, [2.0, 2.0])
        else:
            self.add("upsample_bilinear2d.vec", ref, None, self.chance(2), [2.0, 1.5])

    def pad(self) -> None:
        ref = self.choose(lambda t: t.dim() > 0)
        if ref is not None:
            self.add("constant_pad_nd", ref, [self.pick([0, 1]), self.pick([0, 2])], 0.5)

    def finish(self) -> Recipe:
        known = [i for i, v in enumerate(self.values) if isinstance(v, torch.Tensor)]
        outputs = [known[-1]] + [self.pick(known) for _ in range(self.integer(0, 3))]
        self.recipe.outputs = [Ref(i) for i in outputs]
        return self.recipe


VIEWS = [
    "permute",
    "transpose",
    "reshape",
    "reshape",
    "flatten",
    "select",
    "slice",
    "narrow",
    "expand",
    "unsqueeze",
    "squeeze",
    "split",
    "unbind",
    "copy",
]
KINDS = [
    "unary",
    "unary",
    "binary",
    "binary",
    "binary",
    "view",
    "view",
    "view",
    "in_place",
    "in_place",
    "conv",
    "conv",
    "conv",
    "matmul",
    "matmul",
    "normalize",
    "pool",
    "reduce",
    "join",
    "attention",
    "index",
    "resample",
    "clamp",
    "cast",
    "compare",
    "masked",
    "divide",
    "pad",
    "three",
    "logic",
    "advanced_index",
    "advanced_index",
    "factory",
    "factory",
    "rearrange",
]


def make(draw: Callable[[Any], Any], most: int = 12) -> tuple[Recipe, list[torch.Tensor], Any]:
    """A program, inputs for it, and others of other sizes that may not fit it."""
    maker = Maker(draw, draw(st.integers(0, 2**20)))
    batch, other = maker.pick([2, 1, 3, 0]), maker.pick([1, 2, 5])
    first: list[torch.Tensor] = []
    second: list[torch.Tensor] = []
    for _ in range(maker.integer(1, 3)):
        dtype = maker.pick(DTYPES) if maker.chance(3) else torch.float32
        sizes, others = maker.pick(shapes(maker, batch, other))
        first.append(maker.tensor(dtype, *sizes))
        second.append(maker.tensor(dtype, *others))
        if maker.chance(6) and first[-1].dim() >= 2:
            first[-1] = first[-1].mT.contiguous().mT
            second[-1] = second[-1].mT.contiguous().mT
    maker.recipe.inputs = len(first)
    assert len(first) <= len(INPUTS)
    maker.values.extend(t.clone() for t in first)
    for _ in range(maker.integer(1, most)):
        maker.step()
    return maker.finish(), first, second


programs = st.composite(make)


def shapes(maker: Maker, batch: int, other: int) -> list[tuple[list[int], list[int]]]:
    """Sizes of an input, and those for the other call."""
    channels, height, width = (
        maker.pick([3, 1, 4, 8, 5, 17]),
        maker.pick([4, 1, 5]),
        maker.pick([5, 8, 1]),
    )
    return [
        ([batch, channels, height, width], [other, channels, height + 2, width]),
        ([batch, channels, height, width], [other, channels, height + 2, width]),
        ([batch, height, channels], [other, height, channels]),
        ([batch, channels, width], [other, channels, width]),
        ([batch, width], [other, width]),
        ([channels, 1, 1], [channels, 1, 1]),
        ([width], [width]),
        ([], []),
        ([batch, channels, 2, height, width], [other, channels, 3, height, width]),
    ]
