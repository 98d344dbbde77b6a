"""Data folders for clusters of these tests' own, and a second process that holds one."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.embedded import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[2]
Sql = Callable[[str, str], Any]


@dataclass(frozen=True)
class Holding:
    """A second process and what it told."""

    process: subprocess.Popen[str]
    told: dict[str, Any]

    @property
    def pid(self) -> int:
        return int(self.told["pid"])


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Traversable by everybody, so that it works for the server's user when the tests run as root."""
    parent = Path(tempfile.mkdtemp(prefix="mz-", dir="/tmp"))
    parent.chmod(0o755)
    yield parent / "data"
    EmbeddedPostgres(parent / "data").remove()
    shutil.rmtree(parent)


@pytest.fixture
def postgres(data_dir: Path) -> Iterator[EmbeddedPostgres]:
    """Started; stopped afterwards whatever the test did to it."""
    server = EmbeddedPostgres(data_dir, sync_initdb=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def hold() -> Iterator[Callable[..., Holding]]:
    """``hold(data_dir, url)`` runs ``holder.py``; ended at the end of the test."""
    held: list[Holding] = []

    def start(*arguments: object, python: str = sys.executable, user: int | None = None) -> Holding:
        process = subprocess.Popen(
            [python, "-m", "tests.embedded.holder", *map(str, arguments)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "PYTHONDONTWRITEBYTECODE": "1"},
            user=user,
            extra_groups=None if user is None else [],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        holding = Holding(process, json.loads(process.stdout.readline()))
        held.append(holding)
        return holding

    yield start
    for holding in held:
        holding.process.communicate(timeout=60)


@pytest.fixture
def sql() -> Sql:
    """``sql(dsn, statement)``: the single value that the statement answers."""

    async def fetch(dsn: str, statement: str) -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return lambda dsn, statement: asyncio.run(fetch(dsn, statement))


def lives(pid: int) -> bool:
    """Whether a process of this number runs (a zombie has ended)."""
    with suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False


def wait_for(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()
