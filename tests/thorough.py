"""Tests that do less in the quick run and all of it in the long one; they bear the mark ``thorough``."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("MINZHENG_THOROUGH") == "1"


def examples(full: int) -> int:
    """How many examples to draw: a third in the quick run."""
    return full if THOROUGH else max(1, full // 3)
