"""A child that doesn't outlive its parent, even one that was killed with -9."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def signalled_when_parent_dies(number: int) -> Callable[[], None] | None:
    """A ``preexec_fn`` that has the kernel send ``number`` when the thread that starts the child ends. Linux only, else None.

    It runs in the child after setuid, which would clear the request.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_for_signal() -> None:
        prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return ask_for_signal
