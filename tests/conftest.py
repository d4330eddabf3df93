"""Settings of all tests."""

from __future__ import annotations

import os

# Read when torch is first imported. Tests run side by side, one per core.
os.environ.setdefault("OMP_NUM_THREADS", "1")
