"""Runs saved programs where there is no torch and no source: python fresh.py FOLDER.

Reads FOLDER/calls.pickle, {program: [(method, args, kwargs), ...]} over NumPy arrays, and writes
FOLDER/results.pickle: for each call its result, or the text of the ``ingot.Error``.
"""

import copy
import pickle
import sys
from pathlib import Path

sys.modules["torch"] = None  # an import of it would fail

import ingot


def main(folder: Path) -> None:
    results = {}
    for name, calls in pickle.loads((folder / "calls.pickle").read_bytes()).items():
        module = ingot.load(folder / f"{name}.ingot")
        results[name] = []
        for method, args, kwargs in calls:
            try:
                result = module.method(method)(*args, **kwargs)
            except ingot.Error as error:
                result = ("failed", str(error))
            results[name].append(copy.deepcopy(result))
    (folder / "results.pickle").write_bytes(pickle.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
