"""The prim ops that make a program's structure, as an executable table of what is legal.

A rule gets the node and the program and gives the fault as a sentence, or None. The checks of
operands' scopes, of attributes' presence and of blocks' own contents are the verifier's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ingot.ir.graph import Literal, Node, Program
from ingot.ir.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    NONE,
    STR,
    ClassType,
    DictType,
    ListType,
    NamedTupleType,
    OptionalType,
    TupleType,
    Type,
    UnionType,
    is_subtype,
)

Rule = Callable[[Node, Program], "str | None"]


@dataclass(frozen=True)
class Prim:
    """Attributes that the op must have, its numbers of inputs, outputs and blocks (None: any),
    and a rule for the rest."""

    attributes: tuple[str, ...] = ()
    inputs: int | None = None
    outputs: int | None = 1
    blocks: int = 0
    rule: Rule = lambda node, program: None


def literal_fits(literal: Literal, type: Type) -> bool:
    """Whether a constant of this type may hold the literal."""
    match type:
        case OptionalType(element):
            return literal is None or literal_fits(literal, element)
        case UnionType(elements):
            return any(literal_fits(literal, e) for e in elements)
        case ListType(element):
            return isinstance(literal, tuple) and all(literal_fits(e, element) for e in literal)
        case TupleType(elements):
            return (
                isinstance(literal, tuple)
                and len(literal) == len(elements)
                and all(map(literal_fits, literal, elements))
            )
        case DictType(key, value):
            pair = TupleType((key, value))
            return isinstance(literal, tuple) and all(literal_fits(e, pair) for e in literal)
    classes: dict[Type, Any] = {BOOL: bool, FLOAT: float, COMPLEX: complex, STR: str}
    if type == NONE:
        return literal is None
    if type == INT:
        return isinstance(literal, int) and not isinstance(literal, bool)
    return type in classes and isinstance(literal, classes[type])


def _constant(node: Node, program: Program) -> str | None:
    value = node.attributes["value"]
    if literal_fits(value, node.output.type):
        return None
    return f"the constant {value!r} is no {node.output.type}"


def _state(node: Node, program: Program) -> str | None:
    name = node.attributes["name"]
    entry = program.state.get(name) if isinstance(name, str) else None
    if entry is None:
        return f"there is no state entry {name!r}"
    if node.op == "prim::GetState":
        if not is_subtype(entry.type, node.output.type):
            return f"state entry {name!r} is {entry.type}, not {node.output.type}"
        return None
    if not entry.mutable:
        return f"state entry {name!r} is written but not mutable"
    if not is_subtype(node.inputs[0].type, entry.type):
        return f"state entry {name!r} is {entry.type}, not {node.inputs[0].type}"
    return None


def _if(node: Node, program: Program) -> str | None:
    if node.inputs[0].type != BOOL:
        return f"the condition is {node.inputs[0].type}, not bool"
    for number, block in enumerate(node.blocks):
        if block.inputs:
            return f"block{number} has inputs"
        if len(block.outputs) != len(node.outputs):
            return f"block{number} gives {len(block.outputs)} values, not {len(node.outputs)}"
        for value, output in zip(block.outputs, node.outputs, strict=True):
            if not is_subtype(value.type, output.type):
                return f"block{number} gives {value.type} where the result is {output.type}"
    return None


def _loop(node: Node, program: Program) -> str | None:
    if len(node.inputs) < 2 or node.inputs[0].type != INT or node.inputs[1].type != BOOL:
        return "it needs a number of turns (int) and a first condition (bool)"
    body = node.blocks[0]
    if not body.inputs or body.inputs[0].type != INT:
        return "its block does not begin with the number of the turn (int)"
    if not body.outputs or body.outputs[0].type != BOOL:
        return "its block does not give the next condition (bool) first"
    carried = (node.inputs[2:], body.inputs[1:], body.outputs[1:], node.outputs)
    if len({len(values) for values in carried}) != 1:
        return "the numbers of values that enter, leave and are carried differ"
    for start, inner, following, end in zip(*carried, strict=True):
        for value in (start, following):
            if not is_subtype(value.type, inner.type):
                return f"a value carried as {inner.type} becomes {value.type}"
        if not is_subtype(inner.type, end.type):
            return f"a value carried as {inner.type} leaves as {end.type}"
    return None


def _list_construct(node: Node, program: Program) -> str | None:
    type = node.output.type
    if not isinstance(type, ListType):
        return f"its result is {type}, not a List"
    for value in node.inputs:
        if not is_subtype(value.type, type.element):
            return f"an element is {value.type}, not {type.element}"
    return None


def _list_unpack(node: Node, program: Program) -> str | None:
    type = node.inputs[0].type
    if not isinstance(type, ListType):
        return f"it unpacks a {type}, not a List"
    for value in node.outputs:
        if not is_subtype(type.element, value.type):
            return f"an element is {type.element}, not {value.type}"
    return None


def _elements(type: Type) -> tuple[Type, ...] | None:
    return type.elements if isinstance(type, TupleType | NamedTupleType) else None


def _tuple_construct(node: Node, program: Program) -> str | None:
    elements = _elements(node.output.type)
    if elements is None or len(elements) != len(node.inputs):
        return f"{len(node.inputs)} values make no {node.output.type}"
    for value, type in zip(node.inputs, elements, strict=True):
        if not is_subtype(value.type, type):
            return f"an element is {value.type}, not {type}"
    return None


def _tuple_unpack(node: Node, program: Program) -> str | None:
    elements = _elements(node.inputs[0].type)
    if elements is None or len(elements) != len(node.outputs):
        return f"{node.inputs[0].type} does not unpack into {len(node.outputs)} values"
    for value, type in zip(node.outputs, elements, strict=True):
        if not is_subtype(type, value.type):
            return f"an element is {type}, not {value.type}"
    return None


def _tuple_index(node: Node, program: Program) -> str | None:
    elements, index = _elements(node.inputs[0].type), node.attributes["index"]
    if elements is None or not isinstance(index, int) or not 0 <= index < len(elements):
        return f"{node.inputs[0].type} has no element {index!r}"
    if not is_subtype(elements[index], node.output.type):
        return f"element {index} is {elements[index]}, not {node.output.type}"
    return None


def _dict_construct(node: Node, program: Program) -> str | None:
    type = node.output.type
    if not isinstance(type, DictType) or len(node.inputs) % 2:
        return f"{len(node.inputs)} values make no {type}"
    for i, value in enumerate(node.inputs):
        expected = type.value if i % 2 else type.key
        if not is_subtype(value.type, expected):
            return f"a {'value' if i % 2 else 'key'} is {value.type}, not {expected}"
    return None


def _call(node: Node, program: Program) -> str | None:
    name = node.attributes["method"]
    method = program.methods.get(name) if isinstance(name, str) else None
    if method is None:
        return f"there is no method {name!r}"
    if len(node.inputs) != len(method.body.inputs):
        return f"{name} takes {len(method.body.inputs)} values, not {len(node.inputs)}"
    for value, formal in zip(node.inputs, method.body.inputs, strict=True):
        if not is_subtype(value.type, formal.type):
            return f"{name} takes {formal.type}, not {value.type}"
    for value in method.body.outputs:
        if not is_subtype(value.type, node.output.type):
            return f"{name} gives {value.type}, not {node.output.type}"
    return None


def _related(a: Type, b: Type) -> bool:
    """Whether some value may be of both types: no two different kinds of plain values."""
    match a, b:
        case OptionalType(element), _:
            return _related(element, b) or _related(NONE, b)
        case _, OptionalType():
            return _related(b, a)
        case UnionType(elements), _:
            return any(_related(e, b) for e in elements)
        case _, UnionType():
            return _related(b, a)
    return type(a) is type(b) and (is_subtype(a, b) or is_subtype(b, a) or bool(_elements(a)))


def _cast(node: Node, program: Program) -> str | None:
    before, after = node.inputs[0].type, node.output.type
    return None if _related(before, after) else f"no {before} is a {after}"


def _create_object(node: Node, program: Program) -> str | None:
    type = node.output.type
    return None if isinstance(type, ClassType) else f"its result is {type}, not an Object"


def _attribute(node: Node, program: Program) -> str | None:
    type, name = node.inputs[0].type, node.attributes["name"]
    described = program.classes.get(type.name) if isinstance(type, ClassType) else None
    if described is None:
        return f"{type} is no Object"
    field = described.fields.get(name) if isinstance(name, str) else None
    if field is None:
        return f"{type} has no attribute {name!r}"
    if node.op == "prim::GetAttr":
        if not is_subtype(field, node.output.type):
            return f"the attribute {name!r} is {field}, not {node.output.type}"
    elif not is_subtype(node.inputs[1].type, field):
        return f"the attribute {name!r} is {field}, not {node.inputs[1].type}"
    return None


def _guard(node: Node, program: Program) -> str | None:
    if node.inputs[0].type != BOOL:
        return f"the condition is {node.inputs[0].type}, not bool"
    return None if isinstance(node.attributes["message"], str) else "its message is no text"


def _raise(node: Node, program: Program) -> str | None:
    if node.inputs[0].type != STR:
        return f"the message is {node.inputs[0].type}, not str"
    return None if isinstance(node.attributes["kind"], str) else "its kind is no text"


def _try(node: Node, program: Program) -> str | None:
    body, handler = node.blocks
    if body.inputs:
        return "block0 has inputs"
    if len(handler.inputs) != 4 or any(v.type != STR for v in handler.inputs):
        return "block1 does not take four strings: kind, text, sentence, location"
    for number, block in enumerate(node.blocks):
        if len(block.outputs) != len(node.outputs):
            return f"block{number} gives {len(block.outputs)} values, not {len(node.outputs)}"
        for value, output in zip(block.outputs, node.outputs, strict=True):
            if not is_subtype(value.type, output.type):
                return f"block{number} gives {value.type} where the result is {output.type}"
    return None


def _reraise(node: Node, program: Program) -> str | None:
    if any(v.type != STR for v in node.inputs):
        return "its inputs are not all strings: kind, text, sentence, location"
    return None


def _is_instance(node: Node, program: Program) -> str | None:
    if node.outputs[0].type != BOOL:
        return f"its first result is {node.outputs[0].type}, not bool"
    before, after = node.inputs[0].type, node.outputs[1].type
    return None if _related(before, after) else f"no {before} is a {after}"


PRIMS: dict[str, Prim] = {
    "prim::Constant": Prim(("value",), inputs=0, rule=_constant),
    "prim::GetState": Prim(("name",), inputs=0, rule=_state),
    "prim::SetState": Prim(("name",), inputs=1, outputs=0, rule=_state),
    "prim::If": Prim(inputs=1, outputs=None, blocks=2, rule=_if),
    "prim::Loop": Prim(outputs=None, blocks=1, rule=_loop),
    "prim::ListConstruct": Prim(rule=_list_construct),
    "prim::ListUnpack": Prim(inputs=1, outputs=None, rule=_list_unpack),
    "prim::TupleConstruct": Prim(rule=_tuple_construct),
    "prim::TupleUnpack": Prim(inputs=1, outputs=None, rule=_tuple_unpack),
    "prim::TupleIndex": Prim(("index",), inputs=1, rule=_tuple_index),
    "prim::DictConstruct": Prim(rule=_dict_construct),
    "prim::Call": Prim(("method",), rule=_call),
    "prim::Cast": Prim(inputs=1, rule=_cast),
    "prim::IsInstance": Prim(inputs=1, outputs=2, rule=_is_instance),
    "prim::Uninitialized": Prim(inputs=0),
    "prim::Guard": Prim(("message",), inputs=1, outputs=0, rule=_guard),
    "prim::RaiseException": Prim(("kind",), inputs=1, outputs=0, rule=_raise),
    "prim::Try": Prim(inputs=0, outputs=None, blocks=2, rule=_try),
    "prim::Reraise": Prim(inputs=4, outputs=0, rule=_reraise),
    "prim::CreateObject": Prim(inputs=0, rule=_create_object),
    "prim::GetAttr": Prim(("name",), inputs=1, rule=_attribute),
    "prim::SetAttr": Prim(("name",), inputs=2, outputs=0, rule=_attribute),
}
"""Every op that the executor itself carries out; all others are the catalogue's."""
