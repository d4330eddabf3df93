"""Programs with a mistake put in at random, to see what the compiler says of them."""

from __future__ import annotations

import ast
import copy
import random

_NAMES = ["x", "n", "self", "undefined_name", "len", "torch", "None_", "print", "list"]
_ATTRIBUTES = ["shape", "append", "nothing_here", "sum", "items", "value", "T", "data", "size"]
_TYPES = ["int", "float", "str", "Tensor", "list[int]", "list", "dict[str, int]", "int | None",
          "tuple[int, str]", "object", "bool", "3", "'what'", "torch.dtype", "None"]  # fmt: skip
_EXPRESSIONS = ["None", "1", "-1", "0.5", "''", "'text'", "[]", "{}", "()", "(1, 'a')", "[1, 'a']",
                "[None]", "{'a': 1}", "lambda q: q", "x", "n", "self", "torch.float32", "...",
                "torch.zeros(2)", "range(3)", "[q for q in range(3)]", "{1, 2}", "len", "int",
                "(yield)", "b'ab'", "1j", "f'{n}'", "10 ** 30", "x[0]", "[x, x]", "*x", "-x",
                "not x", "x is None", "x if n else None", "super()", "slice(1)", "zip([1], x)",
                "enumerate(x)", "print", "{**{'a': 1}}", "x[::2]", "x[None, ..., 0]",
                "isinstance(x, int)", "ValueError('a')", "torch", "[].append(1)", "'%d' % n"]  # fmt: skip
_STATEMENTS = ["pass", "return", "return None", "return x", "break", "continue", "raise", "del x",
               "raise ValueError", "assert False", "global n", "import os", "x = None", "x += 1",
               "n = 'text'", "x, n = n, x", "x[0] = n", "self.new = x", "x.y = 1", "for q in x: n = q",
               "while n: x = n", "with x: pass", "def g(a): return g", "class C: pass", "a, *b = x",
               "try:\n    n = 1\nexcept Exception:\n    n = 2", "x: int = 3", "n: str", "nonlocal n",
               "print(x, end='')", "async def h(): pass", "match n:\n    case 1: pass", "x = y = n",
               "lambda: 0", "if x: n = 1\nelse: n = 'b'", "x = [x]", "n = (n, n)", "x @= x",
               "for i in range(3): x = [x]", "while True: pass", "x = x.append(n)", "{}.y"]  # fmt: skip


def _expressions(tree: ast.AST) -> list[tuple[ast.AST, str, int | None]]:
    """Places of expressions that are read."""
    found: list[tuple[ast.AST, str, int | None]] = []
    for node in ast.walk(tree):
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.expr) and not isinstance(
                getattr(value, "ctx", None), ast.Store | ast.Del
            ):
                found.append((node, field, None))
            elif isinstance(value, list):
                found += [
                    (node, field, i)
                    for i, each in enumerate(value)
                    if isinstance(each, ast.expr)
                    and not isinstance(getattr(each, "ctx", None), ast.Store | ast.Del)
                ]
    return found


def _put(place: tuple[ast.AST, str, int | None], value: ast.AST) -> None:
    node, field, index = place
    if index is None:
        setattr(node, field, value)
    else:
        getattr(node, field)[index] = value


def _get(place: tuple[ast.AST, str, int | None]) -> ast.expr:
    node, field, index = place
    value = getattr(node, field)
    return value if index is None else value[index]


def _mutate_once(tree: ast.AST, rng: random.Random) -> None:
    bodies = [
        getattr(node, field)
        for node in ast.walk(tree)
        for field in ("body", "orelse")
        if isinstance(getattr(node, field, None), list)
        and getattr(node, field)
        and not isinstance(node, ast.Module | ast.ClassDef)
    ]
    match rng.randrange(10):
        case 0 | 1 | 2:
            new = ast.parse(rng.choice(_EXPRESSIONS.copy()), mode="eval").body
            _put(rng.choice(_expressions(tree)), new)
        case 3:
            places = _expressions(tree)
            a, b = rng.choice(places), rng.choice(places)
            other = copy.deepcopy(_get(b))
            _put(a, other)
        case 4:
            body = rng.choice(bodies)
            body.insert(rng.randint(0, len(body)), ast.parse(rng.choice(_STATEMENTS)).body[0])
        case 5:
            body = rng.choice(bodies)
            del body[rng.randrange(len(body))]
            if not body:
                body.append(ast.Pass())
        case 6:
            names = [n for n in ast.walk(tree) if isinstance(n, ast.Name)]
            rng.choice(names).id = rng.choice([*_NAMES, rng.choice(names).id])
        case 7:
            found = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute)]
            if found:
                rng.choice(found).attr = rng.choice([*_ATTRIBUTES, rng.choice(found).attr])
        case 8:
            found = [n for n in ast.walk(tree) if isinstance(n, ast.arg)]
            if found:
                rng.choice(found).annotation = ast.parse(rng.choice(_TYPES), mode="eval").body
        case 9:
            calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
            if not calls:
                return
            call = rng.choice(calls)
            if call.args and rng.random() < 0.5:
                del call.args[rng.randrange(len(call.args))]
            elif rng.random() < 0.5:
                call.args.append(ast.parse(rng.choice(_EXPRESSIONS), mode="eval").body)
            else:
                value = ast.Constant(rng.choice([1, None, "a"]))
                call.keywords.append(ast.keyword(rng.choice(["dim", "key", "wrong"]), value))


def mutated(source: str, rng: random.Random) -> str | None:
    """The source with one to three changes in its functions; None if it is no Python then."""
    tree = ast.parse(source)
    functions = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.FunctionDef)
        and n.name not in ("target", "__init__")
        and not n.name.startswith("_")
    ]
    try:
        for _ in range(rng.randint(1, 3)):
            _mutate_once(rng.choice(functions), rng)
        text = ast.unparse(ast.fix_missing_locations(tree))
        compile(text, "mutated", "exec")
    except (SyntaxError, ValueError, AttributeError, TypeError, RecursionError):
        return None
    return text
