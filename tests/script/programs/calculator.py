"""A calculator: tokens, precedence climbing by recursion, variables, errors with the place."""

import math


def tokens_of(text: str) -> list[str]:
    found: list[str] = []
    i = 0
    while i < len(text):
        c = text[i]
        if c.isspace():
            i += 1
        elif c.isdigit() or c == ".":
            start = i
            while i < len(text) and (text[i].isdigit() or text[i] in ".e"):
                i += 1
            found.append(text[start:i])
        elif c.isalpha() or c == "_":
            start = i
            while i < len(text) and (text[i].isalnum() or text[i] == "_"):
                i += 1
            found.append(text[start:i])
        elif text[i : i + 2] == "**":
            found.append("**")
            i += 2
        elif c in "+-*/%()":
            found.append(c)
            i += 1
        else:
            raise ValueError(f"unexpected '{c}' at {i}")
    found.append("")
    return found


BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "**": 4}


def apply(op: str, a: float, b: float) -> float:
    if op == "+":
        return a + b
    elif op == "-":
        return a - b
    elif op == "*":
        return a * b
    elif op == "/":
        return a / b
    elif op == "%":
        return a % b
    return math.pow(a, b)


def primary(tokens: list[str], at: int, names: dict[str, float]) -> tuple[float, int]:
    token = tokens[at]
    if token == "(":
        value, at = climb(tokens, at + 1, names, 1)
        if tokens[at] != ")":
            raise ValueError("a bracket is not closed")
        return value, at + 1
    if token == "-":
        value, at = climb(tokens, at + 1, names, 3)
        return -value, at
    if token == "sqrt":
        value, at = primary(tokens, at + 1, names)
        return math.sqrt(value), at
    if token in names:
        return names[token], at + 1
    if token == "" or token in BINDING or token == ")":
        raise ValueError("something is missing before '" + token + "'")
    return float(token), at + 1


def climb(tokens: list[str], at: int, names: dict[str, float], least: int) -> tuple[float, int]:
    value, at = primary(tokens, at, names)
    while BINDING.get(tokens[at], 0) >= least:
        op = tokens[at]
        binding = BINDING[op]
        right, at = climb(tokens, at + 1, names, binding if op == "**" else binding + 1)
        value = apply(op, value, right)
    return value, at


def calculate(lines: list[str]) -> dict[str, float]:
    names: dict[str, float] = {"pi": math.pi}
    for line in lines:
        name, found, formula = line.partition("=")
        if not found:
            name, formula = "_", line
        tokens = tokens_of(formula)
        value, at = climb(tokens, 0, names, 1)
        if tokens[at] != "":
            raise ValueError(f"'{tokens[at]}' is one too many")
        names[name.strip()] = value
    return names


def target():
    return calculate


CALLS = [
    ("forward", (["1 + 2 * 3", "x = (1+2)*3 - -4", "y = x / 2 ** 3 ** 0.5", "-2 ** 2"],)),
    ("forward", (["r = 2.5", "area = pi * r ** 2", "sqrt(area / pi) - r", "7 % 4 % 2"],)),
    ("forward", ([],)),
    ("forward", (["1 +"],)),
    ("forward", (["2 $ 3"],)),
    ("forward", (["(1"],)),
    ("forward", (["1 / 0"],)),
    ("forward", (["1 2"],)),
    ("forward", (["unknown + 1"],)),
]
