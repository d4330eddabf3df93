"""Tensors: operators, indexing, attributes, methods, in-place operations."""

import pytest
import torch
import torch.nn.functional as F
from agreement import check
from torch import Tensor

import ingot


def operators(x: Tensor, y: Tensor) -> list[Tensor]:
    return [1 - x, x / 2, 3 / x, 2**x, x // 2, 7 % (x + 1), x @ y, -x, x**2, x < y, x < 2, x == y]


def reflected_integers(x: Tensor) -> list[Tensor]:
    return [10 - x, 7 // x, 7 % x, x & 3, 5 | x, ~x, x << 1, True * x, x - True]


def indexing(x: Tensor, mask: Tensor, i: int) -> list[Tensor]:
    return [
        x[:, 0],
        x[..., None],
        x[mask],
        x[i, 2:],
        x[-1, ::2],
        x[None, ..., i],
        x[[0, 1]],
        x[torch.tensor([1, 0]), 1:],
        x[..., torch.tensor([1, 0])],
        x[0:2][:, 1:i],
        x[...],
        x[i][i],
    ]


def assignment(x: Tensor, mask: Tensor) -> Tensor:
    y = x.clone()
    y[mask] = 0
    y[0] += 1
    y[:, 1] = x[:, 0]
    y[1, 2] = 5
    y[torch.tensor([0, 2])] = x[1]
    y[mask] += 2
    z = y[1]
    z *= 3
    y += 1
    return y


def attributes(x: Tensor):
    a, b = x.shape
    return x.view(a * b), x.size(0), x.shape, x.dtype == torch.float32, len(x), x.ndim, x.T


def shapes(x: Tensor) -> Tensor:
    y = x.reshape(x.shape[:-1] + (1, x.shape[-1]))
    y = y.reshape((*x.shape[:-1], 1, x.shape[-1])).view([*x.shape, 1][:-1] + [1])
    y = y.reshape(*x.shape[:1], 1, -1)
    y = y.expand(*x.shape[:1], 2, x.shape[1]).permute(1, 0, 2)
    return y.contiguous().view(-1, y.size(-1)).flatten()


def iterate(x: Tensor) -> Tensor:
    total = torch.zeros(x.size(1))
    for row in x:
        total = total + row * row
    a, b, _ = x
    return total + a - b


def data_dependent(x: Tensor) -> Tensor:
    if x.sum() > 0:
        return x * 2
    y = x
    while y.abs().max() > 1:
        y = y / 2
    return y


def optional_argument(x: Tensor, y: Tensor | None = None, scale: float = 2.0) -> Tensor:
    if y is None:
        y = torch.ones_like(x)
    return x * y * scale


def lists_of_tensors(xs: list[Tensor]) -> Tensor:
    ys = [x * i for i, x in enumerate(xs)]
    return torch.cat(ys) + sum(x.sum() for x in xs)


def functional(x: Tensor) -> list[Tensor]:
    return [
        F.relu(x),
        F.softmax(x, dim=-1),
        F.layer_norm(x, [x.size(-1)]),
        F.dropout(x, 0.5, training=False),
        F.pad(x, [1, 2]),
        F.gelu(x),
        F.leaky_relu(x, 0.2),
        torch.nn.functional.silu(x),
        F.normalize(x, dim=1),
        F.mse_loss(x, x * 2),
        F.cosine_similarity(x, x + 1),
    ]


def pooling(x: Tensor) -> list[Tensor]:
    return [
        F.max_pool2d(x, 2),
        F.avg_pool2d(x, 3, stride=2, padding=1),
        F.adaptive_avg_pool2d(x, (2, None)),
    ]


def casts(x: Tensor) -> list[Tensor]:
    return [x.float(), x.long(), x.to(torch.float64), x.bool(), x.to(x.double()), x.type_as(x)]


def items(x: Tensor) -> tuple[float, int, bool]:
    return float(x[0]), int(x[1]), bool(x[2] > 0)


def several_results(x: Tensor):
    values, indices = x.max(dim=1)
    top = torch.topk(x, 2)
    return values, indices, top.values, x.max(1).indices, x.split(1), torch.chunk(x, 2, dim=1)


def makes(n: int, x: Tensor) -> list[Tensor]:
    return [
        torch.arange(n),
        torch.zeros(n, 2),
        torch.ones([n]),
        torch.full((2, n), 1.5),
        torch.tensor([1, n]),
        torch.tensor(2.5),
        torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
        x.new_zeros(n, 2),
        torch.linspace(0, 1, n),
    ]


def aliased(x: Tensor) -> Tensor:
    y = x.clone()
    rows = [y[0], y[1]]
    for row in rows:
        row.add_(1)
    return y


def views_in_place(x: Tensor):
    """They change how the tensor sees its memory; other views of it stay as they are."""
    strided, axes, dims = x.clone(), x.clone(), x.clone()
    rows = strided[0], axes[0], dims[0]
    strided.as_strided_((3, 3), (1, 3))
    axes.swapaxes_(0, 1)
    dims.swapdims_(-1, -2)[0, 1] = 50.0
    return strided, axes, dims, rows


def set_in_place(x: Tensor):
    y = x.clone()
    y.set_(x)
    return y


def split_at(x: Tensor, places: Tensor):
    return (
        torch.tensor_split(x, places),
        x.tensor_split(places, dim=1),
        torch.tensor_split(x, tensor_indices_or_sections=places, dim=-1),
        x.tensor_split(2),
        x.tensor_split((1, 2), -1),
        torch.tensor_split(x, indices=[1], dim=1),
    )


def test_operators():
    check(
        operators,
        (torch.rand(3, 3) + 1, torch.rand(3, 3)),
        (torch.rand(1, 1) + 1, torch.ones(1, 1)),
    )
    check(
        reflected_integers, (torch.tensor([1, 2, 3, 17]),), (torch.tensor([1], dtype=torch.int32),)
    )


def test_indexing():
    mask = torch.tensor([[True, False, True, False]] * 3)
    check(indexing, (torch.randn(3, 4), mask, 1), (torch.randn(4, 3).T, mask, 2))
    check(assignment, (torch.randn(3, 4), mask))


def test_attributes_and_shapes():
    check(attributes, (torch.randn(2, 3),), (torch.randn(0, 3),))
    check(shapes, (torch.randn(2, 3),), (torch.randn(1, 17),))


def test_control_flow():
    check(iterate, (torch.randn(3, 4),), (torch.randn(2, 4),))
    check(data_dependent, (torch.ones(3),), (torch.full((3,), -9.0),))


def test_arguments():
    check(optional_argument, (torch.randn(3),), (torch.randn(3), torch.randn(3), 0.5))
    check(lists_of_tensors, ([torch.ones(2), torch.ones(3)],))


def test_views_in_place():
    check(views_in_place, (torch.arange(9.0).view(3, 3),))
    with pytest.raises(ingot.Error, match="no op aten::set_"):
        ingot.script(set_in_place)


def test_splits_at_places_that_are_tensors():
    x = torch.arange(12).view(3, 4)
    given = (torch.tensor(places, dtype=torch.int64) for places in ([1, 3], [], 2, 5))
    check(split_at, *((x, places) for places in given))


def test_functional():
    check(functional, (torch.randn(2, 5),))
    check(pooling, (torch.randn(1, 2, 7, 6),))


def test_conversions():
    check(casts, (torch.tensor([0.0, 1.5, -2.0]),), (torch.tensor([3, 0]),))
    check(items, (torch.tensor([1.5, 2.7, -1.0]),))


def test_several_results():
    check(several_results, (torch.randn(3, 4),))


def test_factories():
    check(makes, (3, torch.ones(1, dtype=torch.float64)), (0, torch.ones(1)))


def test_aliasing():
    check(aliased, (torch.zeros(2, 3),))


def contractions(a: Tensor, b: Tensor, c: Tensor) -> list[Tensor]:
    return [
        torch.einsum("bij,bjk->bik", a, b),
        torch.einsum("bij, bjk, k -> ib", a, b, c),
        torch.einsum("bij->jb", a),
        torch.einsum("bij,bij->b", [a, a]),
        torch.einsum("bij,k->kj", a, c),
        torch.einsum("k,k", c, c),
        torch.einsum("bij,bik->bjk", a[:, :1], a[:1]),
    ]


def test_einsum():
    check(contractions, (torch.randn(2, 3, 4), torch.randn(2, 4, 5), torch.randn(5)))


def with_ellipses(a: Tensor, b: Tensor, c: Tensor) -> list[Tensor]:
    return [
        torch.einsum("...ij,...jk->...ik", a, b),
        torch.einsum("...ij,...jk", a, b),
        torch.einsum("ji,...ik->...jk", c, b),
        torch.einsum("...i,...i->...", a, a[:1]),
        torch.einsum("...i->i", a),
        torch.einsum("ki, ...ij, j -> i...k", c, a, c[0]),
    ]


def test_einsum_with_ellipses():
    c = torch.randn(3, 4)
    check(
        with_ellipses,
        (torch.randn(2, 5, 4, 4), torch.randn(5, 4, 6), c),
        (torch.randn(4, 4), torch.randn(3, 0, 4, 1), c),
    )


def diagonals(a: Tensor) -> list[Tensor]:
    return [
        torch.einsum("...ii->...i", a),
        torch.einsum("...ii->...", a),
        torch.einsum("bii", a[0]),
        torch.einsum("iij,j->ji", a[0, :2, :2], a[0, 0, 0]),
    ]


def test_einsum_of_diagonals():
    check(diagonals, (torch.randn(2, 3, 3, 3),))


@pytest.mark.parametrize(
    ("equation", "sentence"),
    [
        ("ij->ii", "must have letters of the operands, each once"),
        ("ij->ik", "must have letters of the operands, each once"),
        ("i..j->ij", "at most one"),
        ("i1->i", "write a letter per dimension"),
    ],
)
def test_einsum_equations_that_are_none(equation: str, sentence: str):
    def wrong(a: Tensor) -> Tensor:
        return torch.einsum(equation, a)

    with pytest.raises(ingot.Error, match=sentence):
        ingot.script(wrong)


def grown(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    made = torch.empty(0)
    torch.mul(x, 2, out=made)
    torch.cat([x, x], out=made)
    other = torch.zeros(1)
    same = other
    other.resize_(2).fill_(3)
    other.resize_([5, 2]).fill_(4)
    return made, other, same


def test_memory_grows():
    check(grown, (torch.ones(2, 2),), (torch.ones(0),))


def stores(x: Tensor, out: Tensor) -> Tensor:
    return torch.mul(x, 2, out=out)


def test_memory_of_the_caller_has_its_size():
    check(stores, (torch.ones(2), torch.zeros(2)))
    with pytest.raises(ingot.Error, match="out= is an input"):
        ingot.script(stores)(torch.ones(2), torch.zeros(1))


def nested_data(x: float, n: int, t: Tensor, row: list[int]) -> list[Tensor]:
    return [
        torch.tensor([[1.5], [n]]),
        torch.tensor(((0.1, x), (0.2, 0.3)), dtype=torch.float64),
        torch.tensor([(0.1, x), (2, n)], dtype=torch.float64),
        torch.tensor([[True, 2], [n, 3]]),
        torch.tensor([[1j, n], [x, True]]),
        torch.tensor([[[1], [2]], [[3], [n]]], dtype=torch.int32),
        torch.tensor([[], []]),
        torch.tensor([[t[0], t[1]], [t[1], t[0]]]),
        torch.tensor([row, [n, n]], dtype=torch.float64),
    ]


def test_nested_data():
    check(nested_data, (0.7, 2, torch.ones(2), [5, 6]))

    def ragged(n: int) -> Tensor:
        return torch.tensor([[1, n], [n]])

    with pytest.raises(ingot.Error, match=r"different lengths\ntest_tensors.py:\d+:\d+ in ragged"):
        ingot.script(ragged)


def conditions(x: Tensor, mask: Tensor) -> list[Tensor]:
    return [
        x.where(x > 0, x * 2),
        mask.where(x > 0, ~mask),
        x.where(condition=mask, other=x + 5),
        x.where(mask, 0.0),
        torch.where(mask, x, x * 3),
        x.abs().polygamma(1),
    ]


def test_methods_whose_tensor_is_not_first():
    check(conditions, (torch.tensor([1.0, -2.5]), torch.tensor([True, False])))


def dimension_in_a_tensor(x: Tensor, dim: Tensor) -> Tensor:
    return x.unsqueeze(dim)


def test_a_tensor_given_for_an_int_is_one_of_ints():
    program = ingot.script(dimension_in_a_tensor)
    assert program(torch.ones(2), torch.tensor(1)).shape == (2, 1)
    with pytest.raises(ingot.Error, match="int"):
        program(torch.ones(2), torch.tensor(1.5))


def number_by_tensor(x: Tensor, n: int, q: float, b: bool, m: Tensor):
    return 10 // x, n // (x + 1), 7.5 // x, q // x, b // x, m.item() // x


def test_numbers_divided_by_tensors_keep_the_dtype():
    numbers = torch.arange(1, 7).reshape(2, 3)
    dtypes = (torch.int64, torch.int32, torch.uint8, torch.float16, torch.float32, torch.float64)
    tensors = [numbers.to(dtype) for dtype in dtypes]
    cases = [(x, -7, 0.7, True, m) for x in tensors for m in (torch.tensor(9), torch.tensor(2.5))]
    check(number_by_tensor, *cases)


def test_bools_index_like_masks():
    def indexed(x: Tensor):
        return x[True], x[False], x[None, True], x[0 == 0], x[..., True]

    check(indexed, (torch.arange(6.0).reshape(2, 3),))


def test_out_of_ops_with_several_results():
    def written(x: Tensor):
        values, places = torch.empty(0), torch.empty(0, dtype=torch.long)
        result = torch.max(x, 1, out=(values, places))
        ordered, order = torch.empty(2, 3), torch.empty(2, 3, dtype=torch.long)
        torch.sort(x, out=(ordered, order))
        return values, places, result.values, result[1], ordered, order

    check(written, (torch.randn(2, 3),))

    def too_few(x: Tensor):
        return torch.max(x, 1, out=(x,))

    with pytest.raises(ingot.Error, match="as many tensors as there are results"):
        ingot.script(too_few)


def test_dtypes_found_by_the_program():
    def found(x: Tensor, i: Tensor):
        kinds = torch.result_type(x, i) == torch.float32, torch.result_type(i, 2.5) == i.dtype
        casts = torch.can_cast(x.dtype, i.dtype), torch.can_cast(torch.bool, i.dtype)
        info = torch.finfo(x.dtype)
        return kinds, casts, info.max, info.min, info.eps, info.bits, torch.iinfo(i.dtype).max

    check(found, (torch.ones(2), torch.tensor(2)), (torch.ones(2).half(), torch.ones(1).int()))


def test_views_as_another_dtype():
    def seen_as(x: Tensor, dtype: torch.dtype):
        y = x.clone()
        bits = y.view(torch.int32)
        bits &= 0x7FFFFFFF
        return y, x.view(torch.uint8), x.view(dtype=dtype), x.view(-1)

    check(seen_as, (torch.randn(2, 4), torch.float64), (torch.randn(1, 2), torch.int16))


def test_equal_results_are_two_tensors():
    def which(x: Tensor):
        y, z = x + 1, x + 1
        w = y
        return y is z, y is w, y is not z, (x * 2).sum() + (x * 2).sum()

    check(which, (torch.ones(2),))


def test_ranges_to_a_tensor():
    def summed(x: Tensor):
        return sum(range(x)), [i for i in range(1, x, x - 1)]

    check(summed, (torch.tensor(4),))
