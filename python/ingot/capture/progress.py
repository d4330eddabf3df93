"""A line on the terminal while something takes more than a moment."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Any

_DELAY = 2.0
"""Seconds before anything is shown."""


class Progress:
    """Shows what is going on, on stderr, if that is a terminal and it takes long."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._status: Any = None
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def step(self, text: str) -> None:
        """Says what is done from now on."""
        with self._lock:
            self._text = text
            if self._status is not None:
                self._status.update(text)

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            self._timer = threading.Timer(_DELAY, self._show)
            self._timer.daemon = True
            self._timer.start()
        return self

    def _show(self) -> None:
        from rich.console import Console

        with self._lock:
            if self._timer is not None:
                self._status = Console(stderr=True).status(self._text)
                self._status.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            timer, self._timer = self._timer, None
            if timer is not None:
                timer.cancel()
            if self._status is not None:
                self._status.stop()
