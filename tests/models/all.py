"""``make test-models-all``: every family and full-size models, one after another.

``MODELS='swin|/bert'`` or ``python -m tests.models.all --only 'swin|/bert'`` runs those that match.
"""

from __future__ import annotations

import argparse
import gc
import re
import sys
import time

from tests.models import test_timm, test_torchvision, test_transformers
from tests.models.family import Family, check
from tests.models.full_size import full_size


def run(family: Family) -> str | None:
    """Prints the seconds of each step; gives why it failed."""
    try:
        for name, seconds in check(family):
            print(f" {name} {seconds:.1f}", end="", flush=True)
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        return f"{type(error).__name__}: " + "\n    ".join(lines[:12])
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="a regular expression of names")
    chosen = re.compile(parser.parse_args().only)
    every = [
        *(("torchvision", family) for family in test_torchvision.FAMILIES),
        *(("timm", family) for family in test_timm.FAMILIES),
        *(("transformers", family) for family in test_transformers.FAMILIES),
        *full_size(),
    ]
    found = [(of, family) for of, family in every if chosen.search(f"{of}/{family.name}")]
    failed = []
    started = time.monotonic()
    for number, (of, family) in enumerate(found, 1):
        print(f"{number}/{len(found)} {of}/{family.name}:", end="", flush=True)
        reason = run(family)
        print(f" FAILED\n    {reason}" if reason else "", flush=True)
        if reason:
            failed.append(f"{of}/{family.name}")
        gc.collect()
    print(f"{len(found) - len(failed)} of {len(found)} right, {time.monotonic() - started:.0f} s")
    if failed:
        print("failed: " + ", ".join(failed))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
