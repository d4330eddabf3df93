"""Detections as JSON text, and a reader for flat JSON objects."""

import torch
from torch import Tensor


def quoted(text: str) -> str:
    out = '"'
    for c in text:
        if c == '"' or c == "\\":
            out += "\\" + c
        elif c == "\n":
            out += "\\n"
        else:
            out += c
    return out + '"'


def number(value: float) -> str:
    return str(round(value * 1000) / 1000) if value != int(value) else str(int(value))


def array(values: list[float]) -> str:
    return "[" + ", ".join([number(v) for v in values]) + "]"


def report(
    boxes: Tensor, scores: Tensor, labels: list[str], extra: dict[str, str]
) -> tuple[str, int]:
    entries: list[str] = []
    corners: list[list[float]] = boxes.tolist()
    chances: list[float] = scores.tolist()
    for box, score, label in zip(corners, chances, labels):
        fields = {"label": quoted(label), "score": number(score), "box": array(box)}
        entries.append("{" + ", ".join(f'"{key}": {value}' for key, value in fields.items()) + "}")
    text = "{\n"
    for i, key in enumerate(sorted(extra.keys())):
        text += f"  {quoted(key)}: {quoted(extra[key])},\n"
    text += '  "count": {},\n  "items": ['.format(len(entries))
    if entries:
        text += "\n    " + ",\n    ".join(entries) + "\n  "
    text += "]\n}"
    return text, text.count("\n") + 1


def read_flat(text: str) -> dict[str, str]:
    """{"key": "text", "key": 3}: values as text."""
    body = text.strip()
    if not (body.startswith("{") and body.endswith("}")):
        raise ValueError("no object: " + body[:10])
    found: dict[str, str] = {}
    for part in body[1:-1].split(","):
        if not part.strip():
            continue
        if ":" not in part:
            raise ValueError("no value: " + part)
        key, value = part.split(":", 1)
        found[key.strip().strip('"')] = value.strip().strip('"')
    return found


def both(
    boxes: Tensor, scores: Tensor, labels: list[str], extra: dict[str, str], text: str
) -> tuple[str, int, dict[str, str]]:
    made, lines = report(boxes, scores, labels, extra)
    return made, lines, read_flat(text)


def target():
    return both


_BOXES = torch.tensor([[0.0, 1.5, 2.0, 3.25], [10.0, 20.0, 30.125, 40.0]])

CALLS = [
    (
        "forward",
        (_BOXES, torch.tensor([0.5, 0.987]), ["cat", 'a "dog"'], {"z": "1", "file": "a\\b"}, "{}"),
    ),
    ("forward", (torch.zeros(0, 4), torch.zeros(0), [], {}, ' {"a": 1, "b": "x:y" } ')),
    ("forward", (_BOXES[:1], torch.ones(1), ["line\nbreak"], {}, '{"k":"v"}')),
    ("forward", (_BOXES[:1], torch.ones(1), ["x"], {}, "[1]")),
    ("forward", (_BOXES[:1], torch.ones(1), ["x"], {}, "{nothing}")),
]
