"""The subcommands of `minzheng`, one file each with ``register(subparsers)``; files that start with ``_`` are theirs to share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # argparse has no public name for what add_subparsers() answers.
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001
