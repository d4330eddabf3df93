"""Modules: state, submodules, attributes that change, exported methods, library layers."""

import copy
import subprocess
import sys

import pytest
import torch
from agreement import agree
from torch import Tensor, nn

import ingot


def same_as_eager(module: nn.Module, *inputs: tuple) -> ingot.Module:
    """Compiles the module and compares it with eager on each tuple of inputs."""
    compiled = ingot.script(module)
    with torch.no_grad():
        for each in inputs:
            expected = module(*copy.deepcopy(each))
            actual = compiled(*copy.deepcopy(each))
            assert agree(expected, actual), f"{expected!r} became {actual!r}\n{compiled.graph}"
    return compiled


class SimpleNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(10, 5)
        self.fc2 = nn.Linear(5, 2)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


def test_simple_net(tmp_path):
    module = SimpleNet()
    compiled = same_as_eager(module, *[(torch.randn(n, 10),) for n in (1, 2, 17)])
    compiled.save(tmp_path / "net.ingot")
    loaded = ingot.load(tmp_path / "net.ingot")
    x = torch.randn(3, 10)
    with torch.no_grad():
        assert torch.allclose(loaded(x), module(x), atol=1e-6)
    assert set(loaded.state_dict()) == set(module.state_dict())


class Containers(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
        self.named = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Tanh()})
        self.tail = nn.Sequential(nn.Linear(4, 4), nn.Identity())
        self.weights = nn.ParameterList([nn.Parameter(torch.randn(4)) for _ in range(2)])
        self.scales = [1.0, 2.0, 3.0]
        self.absent = None

    def forward(self, x: Tensor) -> Tensor:
        for i, layer in enumerate(self.layers):
            x = layer(x) * self.scales[i]
        for i in range(len(self.layers) - 1):
            x = x + self.layers[i](x)
        for name, layer in self.named.items():
            if name != "b":
                x = layer(x)
        for layer, scale in zip(self.layers[1:], self.scales, strict=False):
            x = layer(x) / scale
        for w in self.weights:
            x = x + w
        x = self.layers[-1](self.tail[0](x)) + self.tail(x)
        if self.absent is not None:
            x = self.absent(x)
        if self.training and len(self.layers) == 3:
            x = x * 2
        return self.named["b"](x)


def test_containers():
    same_as_eager(Containers(), (torch.randn(2, 4),))
    same_as_eager(Containers().eval(), (torch.randn(2, 4),))


class Base(nn.Module):
    factor = 3

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)

    @property
    def scale(self) -> float:
        return 0.5 * self.factor

    @staticmethod
    def shift(x: Tensor, by: float = 1.0) -> Tensor:
        return x + by

    def step(self, x: Tensor) -> Tensor:
        return self.linear(x) * self.scale

    def forward(self, x: Tensor) -> Tensor:
        return self.shift(self.step(x), by=2.0)


class Derived(Base):
    factor = 5

    def step(self, x: Tensor) -> Tensor:
        return super().step(x) - getattr(self, "missing", 1)


def test_inheritance_properties_and_methods():
    same_as_eager(Base(), (torch.randn(3, 2),))
    same_as_eager(Derived(), (torch.randn(3, 2),))


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("total", torch.zeros(3))
        self.register_buffer("last", torch.zeros(3))
        self.calls = 0
        self.seen = None

    def forward(self, x: Tensor) -> Tensor:
        self.total += x
        self.last = x * 2
        self.calls += 1
        self.total[0] = 7
        if self.seen is None:
            self.seen = x
        return self.total + self.last * self.calls

    @ingot.export
    def reset(self, to: float = 0.0) -> int:
        self.total.fill_(to)
        calls = self.calls
        self.calls = 0
        return calls

    @ingot.export
    def first(self) -> Tensor:
        seen = self.seen
        assert seen is not None
        return seen


def test_state_that_changes(tmp_path):
    module = Counter()
    compiled = ingot.script(copy.deepcopy(module))
    for _ in range(3):
        x = torch.randn(3)
        assert agree(module(x), compiled(x))
    assert compiled.reset(2.0) == module.reset(2.0) == 3
    assert agree(module(x), compiled(x))
    assert agree(module.first(), torch.from_numpy(compiled.first()))
    assert agree(module.total, compiled.state_dict("torch")["total"])
    compiled.save(tmp_path / "counter.ingot")
    assert agree(ingot.load(tmp_path / "counter.ingot")(x), module(x))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 3)
        self.b = nn.Linear(3, 3)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(self.a(x))


def test_tied_weights_share_their_data():
    compiled = same_as_eager(Tied(), (torch.randn(2, 3),))
    state = compiled.program.state
    assert state["a.weight"].value is state["b.weight"].value


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(4, 4)
        self.down = nn.Linear(4, 4)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, int]:
        steps = 0
        while x.norm() > 1 and steps < 50:
            x = x / 2
            steps += 1
        if x.sum() > 0:
            x = self.up(x)
        elif mask is None:
            return self.down(x), -1
        if mask is not None:
            x = x.masked_fill(mask, 0.0)
        return x, steps


def test_data_dependent_control_flow():
    mask = torch.tensor([True, False, False, True])
    inputs = [(s * torch.rand(2, 4), m) for s in (9.0, 0.1, -1.0, -30.0) for m in (None, mask)]
    same_as_eager(Branches(), *inputs)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.BatchNorm2d(3), (2, 3, 4, 4)),
        (nn.LayerNorm(4), (2, 4)),
        (nn.GroupNorm(2, 4), (2, 4, 3)),
        (nn.Conv2d(3, 4, 3, padding=1, groups=1), (1, 3, 5, 5)),
        (nn.Conv1d(2, 4, 3, padding="same"), (1, 2, 7)),
        (nn.ConvTranspose2d(2, 3, 2, stride=2), (1, 2, 3, 3)),
        (nn.MaxPool2d(2), (1, 2, 5, 5)),
        (nn.AdaptiveAvgPool2d((1, None)), (1, 2, 5, 5)),
        (nn.AvgPool2d(2, ceil_mode=True), (1, 2, 5, 5)),
        (nn.Flatten(), (2, 3, 4)),
        (nn.Softmax(dim=-1), (2, 3)),
        (nn.GELU(approximate="tanh"), (3,)),
        (nn.PReLU(), (3,)),
        (nn.Hardswish(), (3,)),
        (nn.MultiheadAttention(8, 2), None),
        (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (2, 3, 8)),
        (nn.Embedding(5, 3), None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_library_layers(layer, shape):
    layer = layer.eval()
    if isinstance(layer, nn.MultiheadAttention):
        x = torch.randn(3, 2, 8)
        inputs = (x, x, x)
    elif shape is None:
        inputs = (torch.tensor([[0, 4], [1, 1]]),)
    else:
        inputs = (torch.randn(shape),)
    same_as_eager(layer, inputs)


def test_batch_norm_updates_its_statistics_in_training():
    module = nn.BatchNorm1d(3)
    compiled = ingot.script(copy.deepcopy(module))
    for _ in range(2):
        x = torch.randn(5, 3)
        assert agree(module(x).detach(), compiled(x))
    for name, tensor in module.state_dict().items():
        assert agree(tensor, compiled.state_dict("torch")[name])


def test_runs_in_a_process_without_torch_or_source(tmp_path):
    ingot.script(Branches()).save(tmp_path / "branches.ingot")
    code = (
        "import sys, numpy, ingot\n"
        f"m = ingot.load({str(tmp_path / 'branches.ingot')!r})\n"
        "y, steps = m(numpy.ones((2, 4), numpy.float32))\n"
        "assert y.shape == (2, 4) and steps == 2, (y, steps)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_dropout_in_training():
    model = nn.Sequential(nn.Dropout(0.5), nn.Dropout(0.2, inplace=True))
    module, x = ingot.script(model), torch.ones(5, 7)
    torch.manual_seed(1)
    ingot.manual_seed(1)
    torch.testing.assert_close(module(x), model(x))
    assert "dropout" not in str(ingot.script(model.eval()).graph)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)),
        lambda: nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular"),
        lambda: nn.Bilinear(3, 3, 2),
        lambda: nn.LSTMCell(3, 4),
        lambda: nn.CosineSimilarity(),
    ],
)
def test_layers_written_in_python(make):
    layer = make().eval()
    x = torch.randn(2, 3)
    if isinstance(layer, nn.Conv2d):
        inputs = (torch.randn(1, 2, 5, 5),)
    else:
        inputs = (x, x + 1) if isinstance(layer, nn.Bilinear | nn.CosineSimilarity) else (x,)
    same_as_eager(layer, inputs)


@pytest.mark.parametrize(("kind", "gates"), [(nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)])
def test_recurrent_networks(kind, gates):
    layer = kind(3, 5, 2, bidirectional=True)
    assert layer.weight_ih_l0.shape[0] == 5 * gates
    same_as_eager(layer, *[(torch.randn(length, 2, 3),) for length in (1, 4, 7)])


class Encodes(nn.Module):
    def forward(self, x: Tensor, n: int):
        return self.encode(x) + self.encode(x, n)

    @ingot.export
    def encode(self, x: Tensor, n: int = 2):
        return x * n


def test_an_exported_method_that_another_one_calls():
    module, x = Encodes(), torch.ones(2)
    compiled = ingot.script(module)
    assert torch.equal(compiled(x, 3), module(x, 3))
    assert torch.equal(compiled.encode(x, 5), module.encode(x, 5))
