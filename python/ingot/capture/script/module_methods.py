"""Methods of ``nn.Module`` and its containers whose results are known while compiling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from torch import nn

from ingot.capture.script.diagnostics import CompileError
from ingot.capture.script.items import type_of
from ingot.capture.script.modules import child, parameter, set_attribute
from ingot.capture.script.values import (
    NOTHING,
    TRUE,
    Constant,
    DictItem,
    Item,
    ListItem,
    ModuleItem,
    TupleItem,
)
from ingot.capture.script.wrapping import wrap_module

if TYPE_CHECKING:
    from ingot.capture.script.frame import Frame

_DEEP = TRUE
_NO_PREFIX = Constant("")


def module_method(item: ModuleItem, name: str) -> Callable[..., Item] | None:
    """The meaning of ``module.name(...)``, unless the class has a method of its own."""
    found = getattr(type(item.module), name, None)
    for cls in (nn.ModuleDict, nn.ParameterDict, nn.Module):
        if isinstance(item.module, cls) and found is getattr(cls, name, None):
            return _METHODS[cls].get(name)
    return None


def entries(frame: Frame, item: ModuleItem) -> dict[str, Item]:
    """What a ModuleDict or ParameterDict holds, by key."""
    module = item.module
    if isinstance(module, nn.ModuleDict):
        return {name: child(frame, item, name) for name in module._modules}
    if isinstance(module, nn.ParameterDict):
        return {name: _entry(frame, item, name) for name in module.keys()}  # noqa: SIM118
    raise CompileError(f"{item.describe()} has no keys")


def _entry(frame: Frame, item: ModuleItem, name: str) -> Item:
    from ingot.capture.script.modules import module_attribute

    return module_attribute(frame, item, name)


def _keys(frame: Frame, item: ModuleItem) -> Item:
    return ListItem(tuple(map(Constant, entries(frame, item))))


def _values(frame: Frame, item: ModuleItem) -> Item:
    return ListItem(tuple(entries(frame, item).values()))


def _items(frame: Frame, item: ModuleItem) -> Item:
    return _pairs(entries(frame, item).items())


def _get(frame: Frame, item: ModuleItem, key: Item, default: Item = NOTHING) -> Item:
    if not isinstance(key, Constant):
        raise CompileError("get needs a key that is known while compiling")
    return entries(frame, item).get(key.value, default)


def _pairs(pairs: Any) -> Item:
    return ListItem(tuple(TupleItem((Constant(name), each)) for name, each in pairs))


def _known(item: Item, what: str) -> Any:
    if isinstance(item, Constant):
        return item.value
    raise CompileError(f"{what} must be known while compiling")


def _submodules(frame: Frame, item: ModuleItem) -> Iterator[tuple[str, Item]]:
    for name, module in item.module.named_modules():
        yield name, wrap_module(frame, module, f"{item.path}.{name}" if item.path else name)


def _named_modules(frame: Frame, item: ModuleItem) -> Item:
    return _pairs(_submodules(frame, item))


def _modules(frame: Frame, item: ModuleItem) -> Item:
    return ListItem(tuple(module for _, module in _submodules(frame, item)))


def _named_children(frame: Frame, item: ModuleItem) -> Item:
    return _pairs((n, child(frame, item, n)) for n, _ in item.module.named_children())


def _children(frame: Frame, item: ModuleItem) -> Item:
    return ListItem(tuple(child(frame, item, n) for n, _ in item.module.named_children()))


def _tensors(kind: str) -> Callable[..., Iterator[tuple[str, Item]]]:
    """The parameters or buffers of a module and of those inside it, each once."""

    def find(frame: Frame, item: ModuleItem, prefix: Item, recurse: Item) -> Any:
        begin, deep = _known(prefix, "prefix"), _known(recurse, "recurse")
        found = getattr(item.module, f"named_{kind}")(recurse=deep)
        for path, _ in found:
            place, _, name = path.rpartition(".")
            owner = wrap_module(frame, item.module.get_submodule(place), place)
            yield f"{begin}.{path}" if begin else path, parameter(frame, owner, name)

    return find


def _named(kind: str) -> Callable[..., Item]:
    find = _tensors(kind)

    def apply(
        frame: Frame, item: ModuleItem, prefix: Item = _NO_PREFIX, recurse: Item = _DEEP
    ) -> Item:
        return _pairs(find(frame, item, prefix, recurse))

    return apply


def _plain(kind: str) -> Callable[..., Item]:
    find = _tensors(kind)

    def apply(frame: Frame, item: ModuleItem, recurse: Item = _DEEP) -> Item:
        return ListItem(tuple(each for _, each in find(frame, item, _NO_PREFIX, recurse)))

    return apply


def _state_dict(frame: Frame, item: ModuleItem) -> Item:
    names = list(item.module.state_dict(keep_vars=True))
    found: dict[Any, Item] = {}
    for path in names:
        place, _, name = path.rpartition(".")
        owner = wrap_module(frame, item.module.get_submodule(place), place)
        found[path] = parameter(frame, owner, name)
    return DictItem(found)


def _get_submodule(frame: Frame, item: ModuleItem, target: Item) -> Item:
    path = _known(target, "the path of a submodule")
    try:
        module = item.module.get_submodule(path)
    except AttributeError as error:
        raise CompileError(str(error)) from None
    return wrap_module(frame, module, path)


def _call(frame: Frame, item: ModuleItem, *args: Item, **kwargs: Item) -> Item:
    from ingot.capture.script.hooks import call_module

    return call_module(frame, item, list(args), kwargs)


def _unchanged(frame: Frame, item: ModuleItem, *args: Item, **kwargs: Item) -> Item:
    """Devices and gradients mean nothing in a program; a dtype would."""
    if any(str(type_of(each)) == "torch.dtype" for each in [*args, *kwargs.values()]):
        raise CompileError("a module cannot change its dtype while the program runs")
    return item


def _mode(training: bool) -> Callable[..., Item]:
    def apply(frame: Frame, item: ModuleItem, mode: Item = TRUE) -> Item:
        wanted = _known(mode, "the mode") and training
        if any(module.training is not wanted for module in item.module.modules()):
            raise CompileError(
                "a module cannot change its mode while the program runs",
                "call train() or eval() before it is compiled",
            )
        return item

    return apply


def _register_buffer(
    frame: Frame, item: ModuleItem, name: Item, tensor: Item, persistent: Item = TRUE
) -> Item:
    set_attribute(frame, item, _known(name, "the name of a buffer"), tensor)
    return NOTHING


def _getattr(frame: Frame, item: ModuleItem, name: Item) -> Item:
    from ingot.capture.script.builtins import BUILTINS

    return BUILTINS[getattr](frame, item, name)


_MODULE: dict[str, Callable[..., Item]] = {
    "__call__": _call,
    "_call_impl": _call,
    "children": _children,
    "named_children": _named_children,
    "modules": _modules,
    "named_modules": _named_modules,
    "parameters": _plain("parameters"),
    "named_parameters": _named("parameters"),
    "buffers": _plain("buffers"),
    "named_buffers": _named("buffers"),
    "state_dict": _state_dict,
    "get_submodule": _get_submodule,
    "register_buffer": _register_buffer,
    "__getattr__": _getattr,
    "requires_grad_": _unchanged,
    "zero_grad": lambda frame, item, *args, **kwargs: NOTHING,
    "to": _unchanged,
    "cpu": _unchanged,
    "cuda": _unchanged,
    "train": _mode(True),
    "eval": _mode(False),
}

_KEYED: dict[str, Callable[..., Item]] = {
    "keys": _keys,
    "values": _values,
    "items": _items,
    "get": _get,
}

_METHODS: dict[type, dict[str, Callable[..., Item]]] = {
    nn.Module: _MODULE,
    nn.ModuleDict: _KEYED,
    nn.ParameterDict: _KEYED,
}
