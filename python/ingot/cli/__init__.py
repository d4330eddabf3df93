"""The command line ``ingot``."""

from __future__ import annotations

import sys

DIFFERENT = 1
TROUBLE = 2
"""Exit codes, as diff's: 0 all is well, 1 results differ, 2 wrong usage or any error."""


def main() -> None:
    """Runs the command line; an ingot.Error is one report on stderr and exit code 2."""
    from ingot.cli.app import app
    from ingot.errors import Error

    try:
        app(prog_name="ingot")
    except Error as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(TROUBLE)
    except BrokenPipeError:  # the reader of a pipe has left
        sys.stderr.close()
        sys.exit(TROUBLE)
