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
from app.jobs import ChunkView, JobHandler, JobView, enqueue, register_handler, runner
from app.jobs.queue import read_ticket
from app.jobs.runner import run_job
from app.jobs.sweep import sweep
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


class SideBySide(Counting):
    """Notes how many of its chunks were under way at once."""

    def __init__(self) -> None:
        super().__init__()
        self._now = self.most = 0

    async def run_chunk(
        self, runtime: Runtime, session: AsyncSession, job: JobView, chunk: ChunkView, *, now: datetime
    ) -> dict[str, Any] | None:
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0.05)
        self._now -= 1
        return await super().run_chunk(runtime, session, job, chunk, now=now)


async def _enqueue(runtime: Runtime, handler: JobHandler, chunks: int, *, lanes: int = 1) -> UUID:
    kind = f"test-{new_id()}"
    register_handler(kind, handler, lanes=lanes)
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


@pytest.mark.parametrize("lanes", [1, 3])
async def test_as_many_chunks_are_done_at_once_as_the_kind_has_lanes(runtime: Runtime, world: World, lanes: int) -> None:
    handler = SideBySide()
    job_id = await _enqueue(runtime, handler, 7, lanes=lanes)
    assert await run_job(runtime, SCOPE, job_id)
    assert (handler.most, handler.calls, handler.finished, await _effects(runtime, job_id)) == (lanes, 7, 1, 7)


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


class Ending:
    """Chunks are easy; what comes after them isn't."""

    def __init__(self, *, finish_fails: int = 0, refusal: Exception | None = None, give_up_fails: bool = False) -> None:
        self.finishes = 0
        self.given_up = 0
        self._finish_fails, self._refusal, self._give_up_fails = finish_fails, refusal, give_up_fails

    async def run_chunk(
        self, runtime: Runtime, session: AsyncSession, job: JobView, chunk: ChunkView, *, now: datetime
    ) -> dict[str, Any] | None:
        return None

    async def finish(self, runtime: Runtime, session: AsyncSession, job: JobView, *, now: datetime) -> None:
        self.finishes += 1
        if self._refusal is not None:
            raise self._refusal
        if self.finishes <= self._finish_fails:
            raise RuntimeError("not yet")

    async def give_up(
        self, runtime: Runtime, session: AsyncSession, job: JobView, problem: dict[str, Any], *, now: datetime
    ) -> None:
        self.given_up += 1
        if self._give_up_fails:
            raise RuntimeError("nor this")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(runner, "MAX_PAUSE_SECONDS", 0.01)


async def test_an_end_that_fails_in_passing_is_tried_again(runtime: Runtime, world: World, quick: None) -> None:
    handler = Ending(finish_fails=2)
    job_id = await _enqueue(runtime, handler, 2)
    assert await run_job(runtime, SCOPE, job_id)
    assert ((await _job(runtime, job_id)).status, handler.finishes, handler.given_up) == ("succeeded", 3, 0)


@pytest.mark.parametrize("give_up_fails", [False, True])
async def test_an_end_that_never_works_fails_the_job(runtime: Runtime, world: World, quick: None, give_up_fails: bool) -> None:
    handler = Ending(finish_fails=99, give_up_fails=give_up_fails)
    job_id = await _enqueue(runtime, handler, 2)
    assert await run_job(runtime, SCOPE, job_id)
    job = await _job(runtime, job_id)
    assert job.problem is not None
    assert (job.status, job.problem["code"], handler.finishes) == ("failed", "internal_error", runner.MAX_FAULTS)


async def test_an_end_that_is_refused_fails_the_job_at_once(runtime: Runtime, world: World, quick: None) -> None:
    handler = Ending(refusal=Conflict("wrong_state", "不行"))
    job_id = await _enqueue(runtime, handler, 1)
    await run_job(runtime, SCOPE, job_id)
    assert ((await _job(runtime, job_id)).problem, handler.finishes) == ({"code": "wrong_state", "detail": "不行"}, 1)


async def test_a_chunk_that_ends_after_the_job_was_given_up_leaves_no_trace(runtime: Runtime, world: World, quick: None) -> None:
    """Two workers: one chunk is refused while the other is still being worked on."""

    class OneRefused(Counting):
        async def run_chunk(
            self, runtime: Runtime, session: AsyncSession, job: JobView, chunk: ChunkView, *, now: datetime
        ) -> dict[str, Any] | None:
            if chunk.number == 1:
                raise Conflict("wrong_state", "不行")
            result = await super().run_chunk(runtime, session, job, chunk, now=now)
            await asyncio.sleep(0.5)
            return result

    handler = OneRefused()
    job_id = await _enqueue(runtime, handler, 2)
    await asyncio.gather(run_job(runtime, SCOPE, job_id), run_job(runtime, SCOPE, job_id))
    job = await _job(runtime, job_id)
    assert (job.status, job.chunks_done, handler.finished) == ("failed", 0, 0)
    assert await _effects(runtime, job_id) == 0


async def test_a_passing_fault_outlasts_a_failover(runtime: Runtime, world: World, quick: None) -> None:
    class Unreachable(Counting):
        async def run_chunk(
            self, runtime: Runtime, session: AsyncSession, job: JobView, chunk: ChunkView, *, now: datetime
        ) -> dict[str, Any] | None:
            if chunk.attempts <= 3 * runner.MAX_FAULTS:
                raise ConnectionRefusedError
            return await super().run_chunk(runtime, session, job, chunk, now=now)

    job_id = await _enqueue(runtime, Unreachable(), 1)
    assert await run_job(runtime, SCOPE, job_id)
    assert ((await _job(runtime, job_id)).status, await _effects(runtime, job_id)) == ("succeeded", 1)


async def test_a_chunk_that_kills_every_worker_is_not_tried_for_ever(runtime: Runtime, world: World, quick: None) -> None:
    handler = Counting()
    job_id = await _enqueue(runtime, handler, 1)
    async with transaction(runtime.engine, SCOPE) as session:
        await session.execute(text("UPDATE job_chunk SET attempts = :n WHERE job_id = :j"), {"n": runner.MAX_LEASES, "j": job_id})
    await run_job(runtime, SCOPE, job_id)
    assert ((await _job(runtime, job_id)).status, handler.calls) == ("failed", 0)


async def test_it_stops_between_chunks_and_says_that_more_is_left(runtime: Runtime, world: World) -> None:
    handler, stop = Counting(seconds=0.05), asyncio.Event()
    job_id = await _enqueue(runtime, handler, 20)
    asyncio.get_running_loop().call_later(0.2, stop.set)
    assert not await run_job(runtime, SCOPE, job_id, stop)
    job = await _job(runtime, job_id)
    assert job.status == "running"
    assert 0 < job.chunks_done < 20
    assert await _effects(runtime, job_id) == job.chunks_done
    assert await run_job(runtime, SCOPE, job_id)
    assert await _effects(runtime, job_id) == 20


async def test_a_kind_nobody_knows_is_left_to_a_newer_worker(runtime: Runtime, world: World) -> None:
    job_id = await _enqueue(runtime, Counting(), 1)
    async with transaction(runtime.engine, SCOPE) as session:
        await session.execute(text("UPDATE job SET kind = 'of next year' WHERE id = :j"), {"j": job_id})
    assert await run_job(runtime, SCOPE, job_id)
    assert (await _job(runtime, job_id)).status == "queued"


async def _tickets(runtime: Runtime, job_id: UUID) -> int:
    async with transaction(runtime.engine) as session:
        payloads = (await session.execute(text("SELECT payload FROM pgqueuer"))).scalars()
        return sum(read_ticket(payload)[0] == job_id for payload in payloads)


async def test_a_job_without_a_queue_row_is_handed_over_again_once(runtime: Runtime, world: World) -> None:
    kept, lost = [await _enqueue(runtime, Counting(), 1) for _ in range(2)]
    async with transaction(runtime.engine) as session:
        await session.execute(
            text("DELETE FROM pgqueuer WHERE convert_from(payload, 'UTF8') LIKE '%' || CAST(:j AS text) || '%'"), {"j": str(lost)}
        )
    await sweep(runtime)
    assert await _tickets(runtime, lost) == 0, "too young: its row may be on its way"
    await sweep(runtime, quiet=timedelta(0))
    await sweep(runtime, quiet=timedelta(0))
    assert (await _tickets(runtime, lost), await _tickets(runtime, kept)) == (1, 1)
    await run_job(runtime, SCOPE, lost)
    assert (await _job(runtime, lost)).status == "succeeded"
