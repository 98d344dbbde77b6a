"""The server process itself: executed directly, tied to the life of its parent, watched until it answers."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import asyncpg

from app.embedded.account import clean_environment
from app.embedded.errors import EmbeddedPostgresError
from app.embedded.home import Home
from app.embedded.orphans import signalled_when_parent_dies

READY_PAUSE_SECONDS = 0.02
LOG_BYTES_KEPT = 10 << 20


def execute(command: Sequence[str], home: Home, lock_fd: int) -> subprocess.Popen[bytes]:
    """Execute ``postgres`` itself (pg_ctl would believe a stale pid file), in a session of its own: Ctrl-C is our parent's."""
    if threading.current_thread() is not threading.main_thread():
        raise EmbeddedPostgresError("嵌入式数据库只能从主线程启动：它随启动它的线程一起结束。")
    with _open_log(home) as log:
        return subprocess.Popen(  # noqa: S603  (postgres itself, no shell)
            command,
            user=home.account.uid,
            group=home.account.gid,
            extra_groups=None if home.account.uid is None else [],
            cwd="/",
            env=clean_environment() | _ignored_pid(home.cluster),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock_fd,),
            start_new_session=True,
            preexec_fn=signalled_when_parent_dies(signal.SIGINT),  # noqa: PLW1509  (two system calls, no lock of another thread)
        )


def _open_log(home: Home) -> IO[bytes]:
    """Appended to; started anew when large, keeping one generation."""
    if home.log.exists() and home.log.stat().st_size > LOG_BYTES_KEPT:
        home.log.replace(home.log.with_suffix(".log.before"))
    log = home.log.open("ab")
    home.account.own(home.log)
    return log


def _ignored_pid(cluster: Path) -> dict[str, str]:
    """A pid file from before names a process that isn't our server: we hold the lock that every server of ours inherits.

    Postgres would refuse to start as long as any process of that number lives. PG_GRANDPARENT_PID makes it look past exactly
    that one and keeps its other guard, the shared memory of a server that is still there. One that runs in this very folder
    (its lock file was deleted by hand) is not looked past.
    """
    pid = stale_pid(cluster)
    if pid is None or _runs_in(pid, cluster):
        return {}
    return {"PG_GRANDPARENT_PID": str(pid)}


def stale_pid(cluster: Path) -> int | None:
    """The number in ``postmaster.pid``, if there is one."""
    try:
        return abs(int((cluster / "postmaster.pid").read_text().split("\n", 1)[0]))
    except (OSError, ValueError):
        return None


def _runs_in(pid: int, cluster: Path) -> bool:
    """A postmaster's working directory is its data directory (told by /proc, so on Linux only)."""
    try:
        return Path(f"/proc/{pid}/cwd").samefile(cluster)
    except OSError:
        return False


def wait_until_ready(process: subprocess.Popen[bytes], dsn: str, timeout_seconds: float) -> bool:
    """Until a signed-in connection answers: True; False when the process has ended before. Raises on timeout."""
    with ThreadPoolExecutor(1) as pool:  # a loop of its own: the caller may be inside one
        return pool.submit(asyncio.run, _answers(process, dsn, timeout_seconds)).result()


async def _answers(process: subprocess.Popen[bytes], dsn: str, timeout_seconds: float) -> bool:
    try:
        async with asyncio.timeout(timeout_seconds):
            while process.poll() is None:
                if await _connects(dsn):
                    return True
                await asyncio.sleep(READY_PAUSE_SECONDS)
    except TimeoutError:
        raise EmbeddedPostgresError(f"数据库在 {timeout_seconds:g} 秒内没有就绪，请查看日志后重试。") from None
    return False


async def _connects(dsn: str) -> bool:
    """Only "not there yet" counts as no; a wrong password is an error at once."""
    try:
        connection = await asyncpg.connect(dsn, timeout=5)
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
        return False
    except asyncpg.InvalidPasswordError:
        raise EmbeddedPostgresError(
            "数据目录中的数据库密码与数据库不符：请恢复 postgres.passwords 文件，或用 make reset 清空重来。"
        ) from None
    await connection.close()
    return True
