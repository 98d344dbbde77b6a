"""A real `minzheng serve --demo` in a folder of its own, its processes, and how to kill them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import httpx

from app.embedded import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 150.0
KINDS = {"postgres": "postgres -D", "api": "uvicorn", "worker": "app.cli worker"}


class Served:
    """One running demo. Only processes below it are ever signalled."""

    def __init__(self, settings: Mapping[str, str] | None = None, *, data: Path | None = None) -> None:
        """``data``: the folder of a demo that has ended (``demo_data``), to go on from a copy of; else it loads everything."""
        self._folder = open_folder()
        self.data_dir = self._folder / "data"
        if data is not None:
            copy_data(data, self.data_dir)
        self.log = self._folder / "serve.log"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "app.cli", "serve", "--demo", "--port", str(self.port), "--data-dir", str(self.data_dir)]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, env=inherited | {"PYTHONPATH": str(ROOT)} | dict(settings or {})
            )

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def end(self) -> None:
        """Its data stays."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(60) == 0, self.log.read_text()

    def stop(self) -> None:
        """Ends it and forgets its data."""
        self.end()
        self.forget()

    def forget(self) -> None:
        EmbeddedPostgres(self.data_dir).remove()
        shutil.rmtree(self._folder)

    def child(self, kind: str) -> int | None:
        """The pid of "postgres", "api" or "worker"; None while it is being started again."""
        for pid, arguments in _children(self.process.pid).items():
            if KINDS[kind] in arguments:
                return pid
        return None

    def kill(self, kind: str) -> int:
        """SIGKILL to one process; for "postgres" the postmaster and all its backends. Answers the pid that died."""
        self.wait_for_successor(kind, 0)
        pid = self.child(kind)
        assert pid is not None
        for victim in [pid, *_children(pid)]:
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return pid

    def wait_for_successor(self, kind: str, killed: int, seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while self.child(kind) in (killed, None):
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    async def owner(self) -> asyncpg.Connection:
        """A connection that sees every row."""
        self.wait_until_ready()
        running = EmbeddedPostgres.find_running(self.data_dir)
        assert running is not None
        return await asyncpg.connect(running.admin_dsn("minzheng"))

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``minzheng …`` beside the running service."""
        return subprocess.run(
            [sys.executable, "-m", "app.cli", *arguments],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def open_folder() -> Path:
    """A temporary folder that the database's user can pass through, so that the cluster lies in it also when the tests run as
    root.
    """
    folder = Path(tempfile.mkdtemp(prefix="mz-served-", dir="/tmp"))
    folder.chmod(0o755)
    return folder


def copy_data(of: Path, to: Path) -> None:
    """A data folder with the cluster in it (``open_folder``) and its owners, which Postgres asks for."""
    assert (of / "postgres").is_dir()
    subprocess.run(["cp", "-a", str(of), str(to)], check=True)


def _children(parent: int) -> dict[int, str]:
    """Pid → command line of the direct children."""
    listed = subprocess.run(["ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = (line.split(None, 2) for line in listed.splitlines())
    return {int(row[0]): row[2] for row in rows if len(row) == 3 and int(row[1]) == parent}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
