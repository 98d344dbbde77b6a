"""The embedded Postgres as its users see it: start, stop, addresses."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from app.embedded.binaries import executable_bindir, find_bindir, major_version
from app.embedded.errors import AlreadyRunning, EmbeddedPostgresError
from app.embedded.home import POINTER, Home, find_home, open_home
from app.embedded.lock import FolderLock
from app.embedded.passwords import PasswordFile
from app.embedded.process import execute, wait_until_ready

OWNER = "minzheng_owner"
PORT = 5432  # only the name of the socket file
FAST_SHUTDOWN_SECONDS = 30.0
IMMEDIATE_SHUTDOWN_SECONDS = 10.0
SHARED_MEMORY_IN_USE = "pre-existing shared memory block"


class EmbeddedPostgres:
    """One cluster in ``data_dir``. The package's docstring shows its use."""

    def __init__(
        self,
        data_dir: Path,
        *,
        bindir: Path | None = None,
        settings: Mapping[str, str] | None = None,
        sync_initdb: bool = True,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self._named_bindir = bindir
        self._settings = dict(settings or {})
        self._sync_initdb = sync_initdb
        self._lock = FolderLock(self.data_dir)
        self._passwords = PasswordFile(self.data_dir)
        self._home: Home | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._starter: int | None = None

    @classmethod
    def find_running(cls, data_dir: Path) -> EmbeddedPostgres | None:
        """The cluster that a process runs in ``data_dir`` now, to take addresses from; None when there is none."""
        found = cls(data_dir)
        if not found._lock.is_held():
            return None
        found._home = find_home(found.data_dir)
        return found if found._home and found._home.socket_pointer.exists() else None

    @property
    def bindir(self) -> Path:
        """The folder of ``pg_dump``, ``psql`` …"""
        return find_bindir(self._named_bindir)

    @property
    def pid(self) -> int | None:
        """The postmaster's process, when we started it."""
        return self._process.pid if self._process else None

    @property
    def log_path(self) -> Path:
        return self._opened_home().log

    # -- addresses ------------------------------------------------------------------------------------------------------

    def admin_dsn(self, dbname: str = "postgres", *, driver: str | None = None) -> str:
        """The owner's address of ``dbname``. ``driver="asyncpg"`` gives SQLAlchemy's form."""
        return self.dsn(OWNER, dbname, driver=driver)

    def dsn(self, role: str, dbname: str, *, driver: str | None = None) -> str:
        """The address of ``dbname`` for ``role`` with its kept password; the role itself is made by the migrations."""
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        socket_dir = self._opened_home().socket_dir()
        return f"{scheme}://{role}:{self.password(role)}@/{dbname}?host={socket_dir}&port={PORT}"

    def password(self, role: str) -> str:
        """The password of ``role``, made on first demand."""
        return self._passwords.password(role)

    # -- life -----------------------------------------------------------------------------------------------------------

    def start(self, url: str | None = None, *, timeout_seconds: float = 60.0) -> None:
        """Start it and return when it answers. Raises AlreadyRunning or EmbeddedPostgresError."""
        if self._process is not None:
            raise AlreadyRunning(self.data_dir, os.getpid(), url)
        self._make_data_dir()
        self._lock.acquire(url, patience_seconds=FAST_SHUTDOWN_SECONDS)
        self._starter = os.getpid()
        try:
            self._home = open_home(self.data_dir)
            self._start_server(self._home, timeout_seconds)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Fast shutdown, immediate after 30 s. Does nothing in a forked child or when it isn't running."""
        if self._starter != os.getpid():
            return
        if self._process is not None:
            _end(self._process)
            self._process = None
        if self._home is not None:
            self._home.remove_socket_dir()
        self._lock.release()
        self._starter = None

    def remove(self) -> None:
        """Stop, and forget the cluster with its passwords. Raises AlreadyRunning when another process runs it."""
        self.stop()
        if not self.data_dir.is_dir():
            return
        self._lock.acquire(None, patience_seconds=FAST_SHUTDOWN_SECONDS)
        home = find_home(self.data_dir)
        if home is not None:
            home.remove_socket_dir()
            shutil.rmtree(home.path, ignore_errors=True)
        (self.data_dir / POINTER).unlink(missing_ok=True)
        self._passwords.remove()
        self._lock.release()

    def is_running(self) -> bool:
        """Whether the server that we started still lives."""
        return self._process is not None and self._process.poll() is None

    def restart_if_dead(self, *, timeout_seconds: float = 60.0) -> bool:
        """Start the server again when it was killed under us; the lock stays ours. True when it had to."""
        if self._process is None or self.is_running():
            return False
        self._start_server(self._opened_home(), timeout_seconds)
        return True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    # -- inside ---------------------------------------------------------------------------------------------------------

    def _opened_home(self) -> Home:
        if self._home is None:
            raise EmbeddedPostgresError("嵌入式数据库尚未启动。")
        return self._home

    def _make_data_dir(self) -> None:
        """As root traversable for the server's user; what it holds is protected file by file."""
        if not self.data_dir.is_dir():
            self.data_dir.mkdir(parents=True)
            self.data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)

    def _start_server(self, home: Home, timeout_seconds: float) -> None:
        bindir = executable_bindir(self.bindir, home.account)
        self._make_cluster(home, bindir)
        socket_dir = home.make_socket_dir()
        deadline = time.monotonic() + timeout_seconds
        while True:
            logged = home.log.stat().st_size if home.log.exists() else 0
            self._process = execute(self._command(bindir, home, socket_dir), home, self._lock_fd())
            if wait_until_ready(self._process, self.admin_dsn(), deadline - time.monotonic()):
                return
            told = _log_since(home.log, logged)
            # The backends of a killed postmaster need a moment to notice; until then their shared memory forbids a start.
            if SHARED_MEMORY_IN_USE not in told or time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"数据库启动失败，日志 {home.log} 的末尾：\n{told[-2000:]}")
            time.sleep(0.1)

    def _lock_fd(self) -> int:
        if self._lock.fd is None:
            raise EmbeddedPostgresError("数据目录的锁不在手中。")
        return self._lock.fd

    def _command(self, bindir: Path, home: Home, socket_dir: Path) -> list[str]:
        """Settings stand on the command line, so that a data folder of before takes today's."""
        settings = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": str(socket_dir),
            "unix_socket_permissions": "0700",
            "password_encryption": "scram-sha-256",
            "timezone": "UTC",
            "log_timezone": "UTC",
        } | self._settings
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(bindir / "postgres"), "-D", str(home.cluster), *options]

    def _make_cluster(self, home: Home, bindir: Path) -> None:
        """Made beside and renamed, so that one that was interrupted is never taken for a cluster."""
        major = major_version(bindir, home.account)
        if home.cluster.exists():
            self._check_cluster(home, major)
            return
        fresh = home.path / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        password_file = home.path / "initdb.password"
        password_file.touch(mode=0o600)
        home.account.own(password_file)
        password_file.write_text(self.password(OWNER))
        try:
            self._initdb(home, bindir, fresh, password_file)
        finally:
            password_file.unlink()
        fresh.rename(home.cluster)

    def _initdb(self, home: Home, bindir: Path, fresh: Path, password_file: Path) -> None:
        """UTF8, locale C (order never relies on the database), page checksums, scram for everybody."""
        fixed = ["--encoding=UTF8", "--locale=C", "--data-checksums", "--auth=scram-sha-256", "--no-instructions"]
        sync = [] if self._sync_initdb else ["--no-sync"]
        done = home.account.run(bindir / "initdb", "-D", fresh, f"--username={OWNER}", f"--pwfile={password_file}", *fixed, *sync)
        if done.returncode != 0:
            raise EmbeddedPostgresError(f"建立数据库失败：\n{done.stdout[-1000:]}{done.stderr[-1000:]}")

    def _check_cluster(self, home: Home, major: int) -> None:
        made_by = (home.cluster / "PG_VERSION").read_text().strip()
        if made_by != str(major):
            raise EmbeddedPostgresError(
                f"数据目录由 Postgres {made_by} 建立，而现有程序是 {major}："
                "请先用原版本备份（minzheng db backup），再用新版本恢复。"
            )
        if not self._passwords.exists():
            raise EmbeddedPostgresError(
                f"{self.data_dir} 中缺少 postgres.passwords：请从备份恢复该文件，或用 make reset 清空重来。"
            )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Our own child only, never a number from a file: fast, then immediate, then SIGKILL."""
    for number, patience in ((signal.SIGINT, FAST_SHUTDOWN_SECONDS), (signal.SIGQUIT, IMMEDIATE_SHUTDOWN_SECONDS)):
        process.send_signal(number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        return
    process.kill()
    process.wait()


def _log_since(log: Path, offset: int) -> str:
    with log.open("rb") as file:
        file.seek(offset)
        return file.read().decode(errors="replace")
