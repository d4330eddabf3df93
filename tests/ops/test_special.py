"""Special functions: in double against mpmath, whose digits PyTorch's rational forms lack in
places (3e-7 in bessel_j0 above 5), and PyTorch's answers at the edges."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import pytest
import torch
from tests.ops.oracle import FLOATS, check, run

EDGES = [0.0, -0.0, -1.0, 1.0, torch.inf, -torch.inf, torch.nan, 700.0, 1e4]

BESSEL: dict[str, Callable[[float], float]] = {
    "airy_ai": mpmath.airyai,
    "bessel_j0": lambda x: mpmath.besselj(0, x),
    "bessel_j1": lambda x: mpmath.besselj(1, x),
    "bessel_y0": lambda x: mpmath.bessely(0, x),
    "bessel_y1": lambda x: mpmath.bessely(1, x),
    "modified_bessel_i0": lambda x: mpmath.besseli(0, x),
    "modified_bessel_i1": lambda x: mpmath.besseli(1, x),
    "modified_bessel_k0": lambda x: mpmath.besselk(0, x),
    "modified_bessel_k1": lambda x: mpmath.besselk(1, x),
    "scaled_modified_bessel_k0": lambda x: mpmath.exp(x) * mpmath.besselk(0, x),
    "scaled_modified_bessel_k1": lambda x: mpmath.exp(x) * mpmath.besselk(1, x),
    "spherical_bessel_j0": lambda x: mpmath.sin(x) / x,
}


@pytest.mark.parametrize("name", BESSEL)
def test_bessel_functions(name: str) -> None:
    x = torch.linspace(0.01, 24, 97, dtype=torch.float64)
    if not name.endswith(("y0", "y1", "k0", "k1")):
        x = torch.cat([x, -x])
    want = torch.tensor([float(BESSEL[name](v)) for v in x.tolist()], dtype=torch.float64)
    (got,) = run(f"aten::special_{name}", x)
    torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-13)
    check(f"aten::special_{name}", torch.tensor(EDGES))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("sizes", [(), (0,), (3, 17)])
def test_mantissas_and_exponents(sizes: tuple[int, ...], dtype: torch.dtype) -> None:
    check("aten::frexp.Tensor", (torch.randn(sizes) * 1e3).to(dtype))
    check("aten::frexp.Tensor", torch.tensor([*EDGES, 1e-45, 6e-8]).to(dtype))


@pytest.mark.parametrize("upper", [False, True], ids=["igamma", "igammac"])
def test_incomplete_gamma_functions(upper: bool) -> None:
    name = "aten::igammac" if upper else "aten::igamma"
    a, ratio = torch.meshgrid(
        torch.tensor([1e-4, 0.1, 0.9, 1.0, 2.5, 19.0, 21.0, 150.0, 2000.0]).double(),
        torch.tensor([1e-6, 0.1, 0.7, 0.99, 1.0, 1.05, 1.3, 3.0]).double(),
        indexing="ij",
    )
    x = a * ratio
    want = torch.tensor(
        [
            float(mpmath.gammainc(p, *([v] if upper else [0, v]), regularized=True))
            for p, v in zip(a.flatten().tolist(), x.flatten().tolist(), strict=True)
        ],
        dtype=torch.float64,
    )
    (got,) = run(name, a.contiguous(), x)
    torch.testing.assert_close(got.flatten(), want, rtol=1e-10, atol=1e-14)
    edge = torch.tensor([0.0, 1.0, -1.0, torch.inf, torch.nan, 0.3])
    check(name, *torch.meshgrid(edge, edge, indexing="ij"))
    for second in ("special_gammainc", "special_gammaincc"):
        check(f"aten::{second}", a.float(), x.float())


POLYNOMIALS = [
    *(f"{shift}chebyshev_polynomial_{kind}" for shift in ("", "shifted_") for kind in "tuvw"),
    "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l",
    "legendre_polynomial_p",
]  # fmt: skip


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials(name: str) -> None:
    x = torch.tensor(
        [-2.0, -1.0, -0.7, 0.0, 0.3, 0.5, 1.0, 1.5]
    ).double()  # NaN is undefined in PyTorch
    n = torch.tensor([-2.0, 0, 0.5, 1, 2, 3.7, 6, 9, 17, 40, 130, 600]).double()
    check(f"aten::special_{name}", *torch.meshgrid(x, n, indexing="ij"))
    check(f"aten::special_{name}.n_scalar", x.float(), 5)
    check(f"aten::special_{name}.x_scalar", 0.25, torch.arange(-2, 8))
