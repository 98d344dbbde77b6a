"""Jobs: recorded with the business, done exactly once per chunk, resumed, bounded."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories import jobs
from app.db.session import transaction
from app.db.tables.jobs import Job, JobChunk
from app.domain.access import AreaScope
from app.domain.errors import Conflict
from app.ids import new_id
from app.jobs import ChunkView, JobView, enqueue, register_handler
from app.jobs.runner import run_job
from app.runtime import Runtime
from tests.world import World

pytestmark = pytest.mark.db
SCOPE = AreaScope("350702", "350702")


class Counting:
    """Counts what took effect: one audit-free row in sign_in_failures per chunk, in the chunk's own transaction."""

    def __init__(self, *, fail_first: int = 0, refuse: bool = False, seconds: float = 0.0) -> None:
        self.calls = 0
        self.finished = 0
        self.given_up: list[dict[str, Any]] = []
        self._fail_first, self._refuse, self._seconds = fail_first, refuse, seconds

    async def run_chunk(
        self, runtime: Runtime, session: AsyncSession, job: JobView, chunk: ChunkView, *, now: datetime
    ) -> dict[str, Any] | None:
        self.calls += 1
        effect = text("INSERT INTO sign_in_failures (name, failures, last_failed_at) VALUES (:n, 1, now())")
        await session.execute(effect, {"n": f"{job.id}/{chunk.number}"})
        await asyncio.sleep(self._seconds)
        if self._refuse:
            raise Conflict("wrong_state", "不行")
        if self.calls <= self._fail_first:
            raise RuntimeError("passing fault")
        return {"number": chunk.number}

    async def finish(self, runtime: Runtime, session: AsyncSession, job: JobView, *, now: datetime) -> None:
        self.finished += 1

    async def give_up(
        self, runtime: Runtime, session: AsyncSession, job: JobView, problem: dict[str, Any], *, now: datetime
    ) -> None:
        self.given_up.append(problem)


async def _enqueue(runtime: Runtime, handler: Counting, chunks: int) -> UUID:
    kind = f"test-{new_id()}"
    register_handler(kind, handler)
    async with transaction(runtime.engine, SCOPE) as session:
        return await enqueue(
            SCOPE,
            session,
            kind=kind,
            arguments={},
            chunks=[{"part": n} for n in range(chunks)],
            requested_by=new_id(),
            now=datetime.now(UTC),
        )


async def _job(runtime: Runtime, job_id: UUID) -> Job:
    async with transaction(runtime.engine, SCOPE) as session:
        job = await jobs.find_job(SCOPE, session, job_id)
        assert job is not None
        return job


async def _effects(runtime: Runtime, job_id: UUID) -> int:
    async with transaction(runtime.engine) as session:
        count = text("SELECT count(*) FROM sign_in_failures WHERE name LIKE :p")
        return int((await session.execute(count, {"p": f"{job_id}/%"})).scalar_one())


async def test_a_job_is_done_once_by_two_workers(runtime: Runtime, world: World) -> None:
    handler = Counting(seconds=0.01)
    job_id = await _enqueue(runtime, handler, 8)
    await asyncio.gather(run_job(runtime, SCOPE, job_id), run_job(runtime, SCOPE, job_id))
    job = await _job(runtime, job_id)
    assert (job.status, job.chunks_done, job.chunks_total) == ("succeeded", 8, 8)
    assert (handler.finished, await _effects(runtime, job_id)) == (1, 8)


async def test_a_passing_fault_is_tried_again_without_a_trace(runtime: Runtime, world: World) -> None:
    handler = Counting(fail_first=2)
    job_id = await _enqueue(runtime, handler, 3)
    await run_job(runtime, SCOPE, job_id)
    assert (await _job(runtime, job_id)).status == "succeeded"
    assert await _effects(runtime, job_id) == 3


async def test_a_refusal_ends_the_job_with_its_code(runtime: Runtime, world: World) -> None:
    handler = Counting(refuse=True)
    job_id = await _enqueue(runtime, handler, 3)
    await run_job(runtime, SCOPE, job_id)
    job = await _job(runtime, job_id)
    assert (job.status, job.problem) == ("failed", {"code": "wrong_state", "detail": "不行"})
    assert handler.given_up == [job.problem]
    assert await _effects(runtime, job_id) == 0


async def test_a_dead_workers_chunk_is_taken_over_and_its_late_return_is_fenced(runtime: Runtime, world: World) -> None:
    job_id = await _enqueue(runtime, Counting(), 1)
    past = datetime.now(UTC) - timedelta(hours=1)
    async with transaction(runtime.engine, SCOPE) as session:
        dead = await jobs.lease_chunk(SCOPE, session, job_id, now=past, lease=timedelta(seconds=30))
        assert dead is not None
        dead_fence, chunk_id = dead.fence, dead.id
    await run_job(runtime, SCOPE, job_id)
    async with transaction(runtime.engine, SCOPE) as session:
        assert not await jobs.hold_chunk(SCOPE, session, chunk_id, dead_fence)
    assert (await _job(runtime, job_id)).status == "succeeded"


async def test_nothing_is_enqueued_by_a_transaction_that_rolls_back(runtime: Runtime, world: World) -> None:
    async def tickets() -> int:
        async with transaction(runtime.engine) as session:
            return int((await session.execute(text("SELECT count(*) FROM pgqueuer"))).scalar_one())

    before = await tickets()
    with pytest.raises(RuntimeError, match="after all"):
        async with transaction(runtime.engine, SCOPE) as session:
            job = await enqueue(SCOPE, session, kind="x", arguments={}, chunks=[{}], requested_by=new_id(), now=datetime.now(UTC))
            raise RuntimeError("after all")
    assert await tickets() == before
    async with transaction(runtime.engine, SCOPE) as session:
        assert await jobs.find_job(SCOPE, session, job) is None


async def test_another_district_sees_no_job(runtime: Runtime, world: World) -> None:
    job_id = await _enqueue(runtime, Counting(), 1)
    other = AreaScope("340882", "340882")
    async with transaction(runtime.engine, other) as session:
        assert await jobs.find_job(AreaScope("350702", "350702"), session, job_id) is None
        touched = await session.execute(update(JobChunk).where(JobChunk.job_id == job_id).values(attempts=9))  # type: ignore[arg-type]
        assert touched.rowcount == 0  # type: ignore[attr-defined]
