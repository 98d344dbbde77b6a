"""A real worker with one more kind of job: ``python -m tests.system.worker_process``, settings from the environment."""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs import ChunkView, JobView, register_handler
from app.jobs.worker import run_worker
from app.observability import configure_logging
from app.runtime import Runtime
from app.settings import Settings

KIND = "test_marks"
EFFECTS = "CREATE TABLE chunk_effect (job_id uuid, number int, backend int DEFAULT pg_backend_pid())"
EFFECT = text("INSERT INTO chunk_effect (job_id, number) VALUES (:job, :number)")


class Marking:
    """Each chunk leaves one row, and each end one row with the number -1; nothing but the transactions keeps them single."""

    async def run_chunk(
        self, runtime: Runtime, session: AsyncSession, job: JobView, chunk: ChunkView, *, now: datetime
    ) -> dict[str, Any] | None:
        await session.execute(EFFECT, {"job": job.id, "number": chunk.number})
        await asyncio.sleep(float(chunk.arguments.get("seconds", 0)))
        return None

    async def finish(self, runtime: Runtime, session: AsyncSession, job: JobView, *, now: datetime) -> None:
        await session.execute(EFFECT, {"job": job.id, "number": -1})

    async def give_up(
        self, runtime: Runtime, session: AsyncSession, job: JobView, problem: dict[str, Any], *, now: datetime
    ) -> None:
        await session.execute(EFFECT, {"job": job.id, "number": -2})


async def main() -> None:
    register_handler(KIND, Marking())
    settings, stop = Settings(), asyncio.Event()
    configure_logging(settings.log_level)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run_worker(settings, stop)


if __name__ == "__main__":
    asyncio.run(main())
