"""Real worker processes killed at random: every chunk takes effect exactly once, and the job ends (scorecard 4 and 13)."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.repositories import jobs
from app.db.session import transaction
from app.db.tables.jobs import Job
from app.domain.access import AreaScope
from app.ids import new_id
from app.jobs import enqueue
from app.runtime import Runtime
from tests.conftest import build_database, running
from tests.system.worker_process import EFFECTS, KIND
from tests.world import seed_world

pytestmark = pytest.mark.db
ROOT = Path(__file__).resolve().parents[2]
SCOPE = AreaScope("350702", "350702")
LEASE_SECONDS = 1
Start = Callable[..., subprocess.Popen[bytes]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(
    cluster: URL, worker_name: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Runtime, AsyncEngine]]:
    name = f"kill_{worker_name}"
    settings = await build_database(cluster, name, tmp_path_factory.mktemp("kill"), job_lease_seconds=LEASE_SECONDS)
    owner = create_async_engine(cluster.set(database=name))
    async with running(settings) as runtime:
        await seed_world(runtime)
        async with owner.begin() as connection:
            await connection.execute(text(EFFECTS))
            await connection.execute(text("GRANT SELECT, INSERT ON chunk_effect TO minzheng_api"))
        yield runtime, owner
    await owner.dispose()


@pytest.fixture
def start(place: tuple[Runtime, AsyncEngine]) -> Iterator[Start]:
    settings, started = place[0].settings, []
    assert settings.database_url is not None
    environment = os.environ | {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "DATA_DIR": str(settings.data_dir),
        "DEMO": "true",
        "JOB_LEASE_SECONDS": str(LEASE_SECONDS),
        "LOG_LEVEL": "WARNING",
    }

    def open_worker(**more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.system.worker_process"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment | more)
        started.append(process)
        return process

    yield open_worker
    for process in started:
        process.kill()
        process.wait()


async def put(runtime: Runtime, chunks: list[dict[str, Any]]) -> UUID:
    async with transaction(runtime.engine, SCOPE) as session:
        common: dict[str, Any] = {"kind": KIND, "arguments": {}, "requested_by": new_id(), "now": datetime.now(UTC)}
        return await enqueue(SCOPE, session, chunks=chunks, **common)


async def job_of(runtime: Runtime, job_id: UUID) -> Job:
    async with transaction(runtime.engine, SCOPE) as session:
        job = await jobs.find_job(SCOPE, session, job_id)
        assert job is not None
        return job


async def until(condition: Callable[[Job], bool], runtime: Runtime, job_id: UUID, seconds: float) -> Job:
    deadline = time.monotonic() + seconds
    while not condition(job := await job_of(runtime, job_id)):
        assert time.monotonic() < deadline, f"{job.status}, {job.chunks_done} of {job.chunks_total} done"
        await asyncio.sleep(0.05)
    return job


async def effects(runtime: Runtime, job_id: UUID) -> Counter[int]:
    async with transaction(runtime.engine) as session:
        found = await session.execute(text("SELECT number FROM chunk_effect WHERE job_id = :j"), {"j": job_id})
        return Counter(found.scalars())


@pytest.mark.parametrize("kills", [1, pytest.param(50, marks=pytest.mark.long)])
async def test_killed_workers_lose_and_repeat_nothing(
    place: tuple[Runtime, AsyncEngine], start: Start, kills: int, record_property: Callable[[str, object], None]
) -> None:
    runtime, _ = place
    seed = random.randrange(1 << 32)
    record_property("seed", seed)
    chance = random.Random(seed)
    total = 30 + 4 * kills
    job_id = await put(runtime, [{"seconds": 0.03}] * total)
    for _ in range(kills):
        worker, before = start(), (await job_of(runtime, job_id)).chunks_done
        await until(lambda job, seen=before: job.chunks_done > seen or job.status == "succeeded", runtime, job_id, 60)  # type: ignore[misc]
        await asyncio.sleep(chance.random() * 0.1)
        worker.kill()
        worker.wait()
    start(), start()
    job = await until(lambda job: job.status not in jobs.OPEN, runtime, job_id, 120)
    assert (job.status, job.chunks_done) == ("succeeded", total)
    assert await effects(runtime, job_id) == Counter(dict.fromkeys(range(-1, total), 1))


async def test_a_stopped_worker_ends_soon_and_hands_the_job_on(place: tuple[Runtime, AsyncEngine], start: Start) -> None:
    """SIGTERM in the middle of a long job: the chunk in hand is finished, the job goes to the next worker at once."""
    runtime, _ = place
    job_id = await put(runtime, [{"seconds": 0.1}] * 60)
    worker = start()
    await until(lambda job: job.chunks_done >= 2, runtime, job_id, 60)
    worker.send_signal(signal.SIGTERM)
    stopping = time.monotonic()
    assert await asyncio.to_thread(worker.wait, 20) == 0
    assert time.monotonic() - stopping < 10
    left = await job_of(runtime, job_id)
    assert left.status == "running"
    async with transaction(runtime.engine) as session:
        waiting = (await session.execute(text("SELECT status::text FROM pgqueuer"))).scalars().all()
    assert waiting == ["queued"], "no worker has to wait for a heartbeat to run out"
    start()
    job = await until(lambda job: job.status not in jobs.OPEN, runtime, job_id, 60)
    assert job.status == "succeeded"
    assert await effects(runtime, job_id) == Counter(dict.fromkeys(range(-1, 60), 1))


async def test_a_worker_outlives_its_connections_and_shows_its_metrics(place: tuple[Runtime, AsyncEngine], start: Start) -> None:
    runtime, owner = place
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    worker = start(WORKER_METRICS_PORT=str(port))
    job_id = await put(runtime, [{"seconds": 0.05}] * 40)
    await until(lambda job: job.chunks_done >= 2, runtime, job_id, 60)
    async with owner.connect() as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        await connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    await runtime.engine.dispose()
    job = await until(lambda job: job.status not in jobs.OPEN, runtime, job_id, 60)
    assert job.status == "succeeded"
    assert await effects(runtime, job_id) == Counter(dict.fromkeys(range(-1, 40), 1))
    assert worker.poll() is None
    page = await asyncio.to_thread(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode())
    assert f'minzheng_job_chunks_total{{kind="{KIND}",outcome="done"}}' in page
    assert "minzheng_audit_unsealed" in page
