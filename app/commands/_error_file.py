"""Where ``minzheng import`` leaves the rejected rows: beside its input, never over what somebody may be correcting."""

from __future__ import annotations

import errno
from itertools import count
from pathlib import Path

_REASONS = {
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.EROFS: "所在磁盘只读",
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "磁盘配额已用完",
    errno.EISDIR: "已有同名文件夹",
    errno.ENAMETOOLONG: "文件名过长",
    errno.ENOENT: "所在文件夹不存在",
    errno.EIO: "磁盘读写出错",
}


def reason(error: OSError) -> str:
    """Why the system refused, in Chinese."""
    return _REASONS.get(error.errno or 0, f"系统错误 {error.errno}")


def error_file_of(source: Path) -> Path:
    """Of ``a.csv`` it is ``a.errors.csv``; others keep their ending, so that ``a.xlsx`` has one of its own."""
    return source.with_name(f"{source.stem if source.suffix == '.csv' else source.name}.errors.csv")


def keep_aside(target: Path) -> Path | None:
    """An earlier error file may be half corrected: it gets a numbered name that Excel still opens. Returns that name."""
    if not target.is_file():
        return None
    for number in count(1):
        kept = target.with_name(f"{target.stem}.bak{number}.csv")
        if not kept.exists():
            return target.rename(kept)
    raise AssertionError
