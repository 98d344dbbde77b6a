"""The key file as a file: private to its owner, replaced as a whole, changed by one process at a time."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class KeyFileRefused(Exception):
    """The key file is missing, readable by others, damaged, or not meant for this mode. The message is for the operator."""


def stamp_of(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_ino, status.st_mtime_ns, status.st_size)


def read_private(path: Path) -> tuple[str, tuple[int, ...]]:
    """The text and its stamp, both of the same opened file, so that a swap in between can't pass the check."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            status = os.fstat(file.fileno())
            _refuse_exposed(path, status)
            return file.read().decode(), stamp_of(status)
    except FileNotFoundError:
        raise KeyFileRefused(f"找不到密钥文件 {path}；请先运行 minzheng keys init，或从备份恢复。") from None
    except (OSError, UnicodeDecodeError) as failure:
        raise KeyFileRefused(f"密钥文件 {path} 无法读取（{type(failure).__name__}）；请检查权限或从备份恢复。") from None


def _open_without_waiting(path: str, flags: int) -> int:
    """A named pipe in the place of the file is refused, not waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _refuse_exposed(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileRefused(f"{path} 不是普通文件，不能作为密钥文件。")
    if sys.platform == "win32":
        return
    if status.st_mode & 0o077:
        raise KeyFileRefused(f"密钥文件 {path} 可被其他用户访问；请运行 chmod 600 {path}，并考虑轮换密钥。")
    if status.st_uid not in (os.geteuid(), 0) and os.geteuid() != 0:
        raise KeyFileRefused(f"密钥文件 {path} 属于其他用户；请核对来源后用 chown 改为运行账户。")


def write_private(path: Path, document: dict[str, Any]) -> None:
    """Written beside and renamed over: a reader sees the old file or the new one, and a crash leaves one of them."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One writer at a time across processes; the lock is the kernel's, so a killed writer leaves none behind."""
    if sys.platform == "win32":
        yield
        return
    import fcntl  # noqa: PLC0415  (doesn't exist on Windows)

    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
