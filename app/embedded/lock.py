"""One start per data folder: a flock that the server inherits, so that it is held as long as any of its processes lives."""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from app.embedded.errors import AlreadyRunning

PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Holder:
    """Who wrote the lock file last; to be believed only while the lock is held."""

    pid: int | None
    url: str | None

    def is_alive(self) -> bool:
        if self.pid is None:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


class FolderLock:
    """An exclusive flock on ``folder/lock``. ``fd`` is handed to the server; the file says who holds it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "lock"
        self.fd: int | None = None

    def acquire(self, url: str | None, patience_seconds: float) -> None:
        """Take the lock or raise AlreadyRunning.

        A live holder is refused at once. When the holder is dead, its server is on its way out (PDEATHSIG) and still holds
        the inherited lock: wait for it.
        """
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + patience_seconds
        while not _try_lock(fd):
            holder = self.holder()
            if holder.is_alive() or time.monotonic() > deadline:
                os.close(fd)
                raise AlreadyRunning(self._folder, holder.pid, holder.url)
            time.sleep(PAUSE_SECONDS)
        self.fd = fd
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)

    def release(self) -> None:
        """Let go; only to be called once the server has ended."""
        if self.fd is not None:
            os.ftruncate(self.fd, 0)
            fcntl.flock(self.fd, fcntl.LOCK_UN)  # also for copies of the descriptor that a forked child may have
            os.close(self.fd)
            self.fd = None

    def is_held(self) -> bool:
        """Whether somebody (ourselves included) holds it now."""
        if self.fd is not None:
            return True
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return not _try_lock(fd)
        finally:
            os.close(fd)

    def holder(self) -> Holder:
        try:
            told = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return Holder(None, None)
        return Holder(told.get("pid"), told.get("url"))


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
