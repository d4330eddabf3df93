"""Writes .ingot files: safetensors files with a program inside (docs/format.md)."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import IO

from ingot.file.encode import program_bytes
from ingot.file.layout import (
    ALIGNMENT,
    EXTRA,
    FORMAT,
    MAX_HEADER,
    METADATA,
    PRODUCER,
    PROGRAM,
    RESERVED,
    stored_form,
    tensor_names,
)
from ingot.ir.diagnostics import fail
from ingot.ir.graph import Program, TensorData

__all__ = ["program_bytes", "save", "to_bytes"]

_CHUNK = 1 << 24


@dataclass
class _Entry:
    name: str
    dtype: str
    shape: tuple[int, ...]
    data: memoryview


def save(
    program: Program,
    path: str | os.PathLike[str],
    extra_files: Mapping[str, bytes | str] | None = None,
) -> None:
    """Writes the program, its tensors and the user's extra files to one file.

    The file appears whole or not at all: it is written beside its final place, flushed to
    the disk, and then renamed. Raises Error (io) if the system refuses; an older file of
    that name is then as it was. A link is followed; a device or a pipe is written to.
    """
    entries = _entries(program, extra_files or {})
    place = os.path.realpath(path)
    folder = os.path.dirname(place)
    temporary = None
    try:
        if os.path.exists(place) and not os.path.isfile(place) and not os.path.isdir(place):
            content = io.BytesIO()
            _write(content, entries)
            with open(place, "wb") as device:
                device.write(content.getbuffer())
            return
        mode = _mode_of(place)
        handle, temporary = tempfile.mkstemp(
            prefix=f".{os.path.basename(place)}.", suffix=".tmp", dir=folder
        )
        with os.fdopen(handle, "wb") as file:
            _write(file, entries)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, place)
        temporary = None
        _sync_folder(folder)
    except OSError as error:
        _refused(error, place, folder)
    finally:
        if temporary is not None:
            os.unlink(temporary)


def to_bytes(program: Program, extra_files: Mapping[str, bytes | str] | None = None) -> bytes:
    """The bytes of the file that ``save`` writes."""
    file = io.BytesIO()
    _write(file, _entries(program, extra_files or {}))
    return file.getvalue()


def _entries(program: Program, extra_files: Mapping[str, bytes | str]) -> list[_Entry]:
    """What the file holds, in the order of its bytes.

    The program comes first, so that reading it touches few pages; tensors by how large a
    power of two divides their size, so that each begins at a multiple of its element size
    and the large ones at a multiple of 64; the user's files last.
    """
    for name in program.state:
        if name.startswith(RESERVED) or name == METADATA:
            fail(f"the state entry {name!r} has a name that the file format needs itself")
    code = program_bytes(program)
    code += bytes(-len(code) % ALIGNMENT)
    tensors = []
    for state_name, tensor_name in tensor_names(program).items():
        value = program.state[state_name].value
        if state_name == tensor_name and isinstance(value, TensorData):
            dtype, shape = stored_form(value.dtype, value.shape)
            tensors.append(_Entry(tensor_name, dtype, shape, memoryview(value.data).cast("B")))
    tensors.sort(key=lambda entry: -_alignment(entry.data.nbytes))
    extras = []
    for name, content in sorted(extra_files.items()):
        data = content.encode() if isinstance(content, str) else content
        extras.append(_Entry(EXTRA + name, "U8", (len(data),), memoryview(data).cast("B")))
    return [_Entry(PROGRAM, "U8", (len(code),), memoryview(code)), *tensors, *extras]


def _alignment(size: int) -> int:
    return ALIGNMENT if size % ALIGNMENT == 0 else size & -size


def _write(file: IO[bytes], entries: Iterable[_Entry]) -> None:
    """The header with a digest of zeros, the data, then the digest in its place."""
    entries = list(entries)
    blank = "sha256:" + "0" * 64
    header = _header(entries, blank)
    file.write(len(header).to_bytes(8, "little"))
    file.write(header)
    digest = hashlib.sha256()
    for entry in entries:
        for start in range(0, entry.data.nbytes, _CHUNK):
            chunk = entry.data[start : start + _CHUNK]
            digest.update(chunk)
            file.write(chunk)
    file.seek(8 + header.index(blank.encode()))
    file.write(f"sha256:{digest.hexdigest()}".encode())


def _header(entries: Iterable[_Entry], digest: str) -> bytes:
    table: dict[str, object] = {
        METADATA: {
            "format": "pt",
            "ingot.format": str(FORMAT),
            "ingot.producer": PRODUCER,
            "ingot.digest": digest,
        }
    }
    offset = 0
    for entry in entries:
        end = offset + entry.data.nbytes
        table[entry.name] = {
            "dtype": entry.dtype,
            "shape": list(entry.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    header = json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-(8 + len(header)) % ALIGNMENT)
    if len(header) > MAX_HEADER:
        fail(f"the names of {len(table)} tensors and files need more than {MAX_HEADER} bytes")
    return header


def _mode_of(place: str) -> int:
    """The permissions of the file that is replaced, or those a new file gets."""
    try:
        return os.stat(place).st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _sync_folder(folder: str) -> None:
    """Makes the rename itself durable where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


_HINTS = {
    errno.ENOSPC: "free some space on the disk of {folder}, then save again",
    errno.EDQUOT: "your disk quota is used up: free some space",
    errno.ENOENT: "make the folder {folder} first",
    errno.ENOTDIR: "{folder} is no folder: choose another place",
    errno.EACCES: "you may not write to {folder}: choose another place",
    errno.EROFS: "{folder} is read-only: choose another place",
    errno.EISDIR: "{place} is a folder: add a file name",
    errno.EFBIG: "the file system or a limit allows no file this large",
}


def _refused(error: OSError, place: str, folder: str) -> None:
    hint = _HINTS.get(error.errno or 0, "").format(place=place, folder=folder)
    kept = "; the file that was there is unchanged" if os.path.isfile(place) else ""
    fail(f"cannot save {place!r}: {error.strerror or error}{kept}", hint=hint, code="io")
