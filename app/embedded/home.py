"""Where the cluster lives: beside the rest of the data, or in a system folder when the server's user can't get there."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.embedded import binaries
from app.embedded.account import Account, choose_account
from app.embedded.errors import EmbeddedPostgresError

POINTER = "postgres.home"
SOCKET_FILE_BYTES = len("/.s.PGSQL.5432.lock")
SUN_PATH_BYTES = 103  # sockaddr_un holds 108 on Linux, 104 on macOS, with the closing zero
PLAIN_PATH = re.compile(r"[A-Za-z0-9_./-]+")  # unix_socket_directories is a list with quoting rules of its own


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one cluster, owned by ``account``: ``data`` (PGDATA), ``run`` (socket), ``server.log``."""

    path: Path
    account: Account

    @property
    def cluster(self) -> Path:
        return self.path / "data"

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    @property
    def socket_pointer(self) -> Path:
        return self.path / "socket"

    def socket_dir(self) -> Path:
        """The folder of the running server's socket."""
        return Path(self.socket_pointer.read_text())

    def make_socket_dir(self) -> Path:
        """A fresh 0700 folder for the socket, short enough for sockaddr_un; the one before is removed."""
        self.remove_socket_dir()
        folder = self.path / "run"
        if len(os.fsencode(folder)) + SOCKET_FILE_BYTES > SUN_PATH_BYTES or not PLAIN_PATH.fullmatch(str(folder)):
            folder = Path(tempfile.mkdtemp(prefix="minzheng-", dir="/tmp"))
        folder.mkdir(mode=0o700, exist_ok=True)
        self.account.own(folder)
        self.socket_pointer.write_text(str(folder))
        return folder

    def remove_socket_dir(self) -> None:
        if self.socket_pointer.exists():
            shutil.rmtree(self.socket_dir(), ignore_errors=True)
            self.socket_pointer.unlink()


def find_home(data_dir: Path) -> Home | None:
    """The home that an earlier start chose, if any. It stays where it is, whatever permissions are today."""
    pointer = data_dir / POINTER
    if not pointer.exists():
        return None
    path = Path(pointer.read_text())
    path = path if path.is_absolute() else data_dir / path  # relative: the whole data folder may be moved
    return Home(path, choose_account(data_dir, path))


def open_home(data_dir: Path) -> Home:
    """The home of before, or a new one. Only to be called while holding the lock of ``data_dir``."""
    home = find_home(data_dir)
    if home is None:
        return _new_home(data_dir)
    if not home.path.is_dir() or not home.account.can_write_into(home.path):
        raise EmbeddedPostgresError(
            f"数据库目录 {home.path} 不存在或无法进入：请以原来的用户运行，或恢复该目录的权限；演示数据可用 make reset 清空重来。"
        )
    return home


def _new_home(data_dir: Path) -> Home:
    account = choose_account(data_dir, None)
    for path in (data_dir / "postgres", binaries.SYSTEM_FOLDER / _name_of(data_dir)):
        _set_aside(path)
        path.mkdir(mode=0o700, parents=True)
        account.own(path)
        if account.can_write_into(path):
            pointer = path.relative_to(data_dir) if path.is_relative_to(data_dir) else path
            (data_dir / POINTER).write_text(str(pointer))
            return Home(path, account)
        path.rmdir()
        binaries.open_system_folder()
    raise EmbeddedPostgresError(
        f"运行数据库的系统用户无法写入 {data_dir} 和 {binaries.SYSTEM_FOLDER}，请换数据目录（DATA_DIR）。"
    )


def _set_aside(path: Path) -> None:
    """A cluster that no pointer knows belongs to a data folder deleted since: its keys are gone, keep one generation of it."""
    if path.exists():
        before = path.with_name(f"{path.name}.before")
        shutil.rmtree(before, ignore_errors=True)
        path.rename(before)


def _name_of(data_dir: Path) -> str:
    return hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
