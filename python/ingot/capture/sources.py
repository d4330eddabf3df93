"""Python stacks of the capture as ``Source`` chains of the user's own lines."""

from __future__ import annotations

import functools
import linecache
import os
import re
import sys
import traceback
from collections.abc import Iterable

import torch

from ingot.ir.graph import Source

_TORCH = os.path.dirname(os.path.abspath(torch.__file__)) + os.sep
_TORCH_MODULES = os.path.join(_TORCH, "nn", "modules") + os.sep
_CALLING = os.path.join(_TORCH_MODULES, "module.py")
_CAPTURE = os.path.dirname(os.path.abspath(__file__)) + os.sep
ROOT_FILE = os.path.join(_CAPTURE, "root.py")
"""The file whose ``forward`` calls the user's model; frames above it are not the user's."""

_FRAME = re.compile(r'File "(?P<file>[^"]*)", line (?P<line>\d+)(?:, in (?P<function>.*))?')


def user_frames(frames: Iterable[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """The frames, outermost first, that are the model's own code."""
    inside: list[traceback.FrameSummary] | None = None
    for frame in frames:
        if frame.filename == ROOT_FILE:
            inside = []
        elif inside is not None:
            inside.append(frame)
    return own_frames(inside or [])


def own_frames(inside: Iterable[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """Those frames of a model's run that are no part of PyTorch; of its layers if none is."""
    inside = list(inside)
    kept = [
        f for f in inside if not f.filename.startswith((_TORCH, _CAPTURE, "<", "torch" + os.sep))
    ]
    return kept or [
        f for f in inside if f.filename.startswith(_TORCH_MODULES) and f.filename != _CALLING
    ]


def asked_by_torch(frames: Iterable[traceback.FrameSummary]) -> bool:
    """Whether PyTorch itself asked about a size, not a line of the user or a layer.

    A question of Python code goes through ``SymBool.__bool__`` in ``torch/__init__.py``; one
    of a C++ kernel does not.
    """
    frames = list(frames)
    python = any(frame.filename.endswith(_PYTHON_QUESTION) for frame in frames[-_NEAR:])
    return not python or raised_by_torch(frames)


def raised_by_torch(frames: Iterable[traceback.FrameSummary]) -> bool:
    """Whether the innermost line that is no bookkeeping of sizes is PyTorch's own; its
    layers count as the user's."""
    for frame in reversed(list(frames)):
        name = frame.filename
        passing = frame.name == "__torch_function__" or name.endswith(_SYMBOLIC_FILES)
        if not passing and not name.startswith(_CAPTURE):
            layers = os.path.join(_TORCH, "nn") + os.sep
            return name.startswith(_TORCH) and not name.startswith(layers)
    return True


_NEAR = 12
"""How many of the innermost frames the bookkeeping of one question takes, at most."""


_PYTHON_QUESTION = os.path.join("torch", "__init__.py")

_SYMBOLIC_FILES = tuple(
    os.path.join(*parts)
    for parts in (
        ("torch", "fx", "experimental", "symbolic_shapes.py"),
        ("torch", "fx", "experimental", "sym_node.py"),
        ("torch", "fx", "experimental", "recording.py"),
        ("torch", "_export", "non_strict_utils.py"),
        ("torch", "__init__.py"),
    )
)


def make_source(frames: Iterable[traceback.FrameSummary]) -> Source | None:
    """The chain of frames, given outermost first, as the innermost Source."""
    source: Source | None = None
    for frame in frames:
        line = frame.lineno or 0
        text = (frame.line or linecache.getline(frame.filename, line)).strip()
        source = Source(import_path(frame.filename), line, 0, frame.name, text, source)
    return source


def parse_stack(text: str | None) -> Source | None:
    """The Source of a formatted stack, as ``node.meta["stack_trace"]`` holds it."""
    if not text:
        return None
    frames = [
        traceback.FrameSummary(
            match["file"], int(match["line"]), match["function"] or "", lookup_line=False
        )
        for match in _FRAME.finditer(text)
    ]
    return make_source(own_frames(frames))


@functools.cache
def import_path(filename: str) -> str:
    """``filename`` relative to the longest import path that it is under, else its name."""
    path = os.path.abspath(filename)
    best = ""
    for entry in sys.path:
        root = os.path.join(os.path.abspath(entry or os.curdir), "")
        if path.startswith(root) and len(root) > len(best):
            best = root
    return (path[len(best) :] if best else os.path.basename(path)).replace(os.sep, "/")
