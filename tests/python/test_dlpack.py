"""Objects of other libraries through __dlpack__."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.python.programs import identity

from ingot.errors import Error


class Modern:
    """A producer of DLPack 1."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor
        self.versions: list[object] = []

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.tensor.__dlpack_device__()

    def __dlpack__(self, *, max_version: object = None) -> object:
        self.versions.append(max_version)
        return self.tensor.__dlpack__(max_version=max_version)


class Old(Modern):
    """A producer that knows no max_version."""

    def __dlpack__(self) -> object:  # type: ignore[override]
        return self.tensor.__dlpack__()


class Elsewhere(Modern):
    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, 0)


class Refusing(Modern):
    def __dlpack__(self, **options: object) -> object:
        raise BufferError("not today\nnor tomorrow")


class Lying(Modern):
    def __dlpack__(self, **options: object) -> object:
        return 3


@pytest.mark.parametrize("producer", [Modern, Old])
@pytest.mark.parametrize(
    "tensor",
    [torch.arange(6.0).reshape(2, 3).t(), torch.zeros(0, 3), torch.tensor(3), torch.ones(2).bool()],
    ids=["strided", "empty", "0-d", "bool"],
)
def test_producers_share_their_memory(producer, tensor):
    y = identity()(producer(tensor))
    assert isinstance(y, np.ndarray)
    np.testing.assert_array_equal(y, tensor.numpy())
    assert y.size == 0 or np.shares_memory(y, tensor.numpy())


def test_the_newest_version_is_asked_for():
    source = Modern(torch.ones(2))
    identity()(source)
    assert source.versions == [(1, 0)]


def test_the_producer_s_memory_is_kept():
    y = identity()(Modern(torch.arange(1000.0)))
    np.testing.assert_array_equal(y, np.arange(1000.0))


@pytest.mark.parametrize(
    ("producer", "sentence"),
    [(Elsewhere, "another device"), (Refusing, "not today$"), (Lying, "gives no tensor")],
)
def test_refusals_are_sentences(producer, sentence):
    with pytest.raises(Error, match=sentence) as caught:
        identity()(producer(torch.ones(2)))
    assert "'x'" in caught.value.message
