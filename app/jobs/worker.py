"""The worker process: takes jobs from pgqueuer, seals the audit trail, clears what has expired."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from uuid import UUID

import asyncpg
import orjson
from pgqueuer import PgQueuer
from pgqueuer.models import Job as QueueJob
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

import app.routers.v1  # noqa: F401  (importing the areas registers their job handlers)
from app.db.engine import application_url
from app.db.session import transaction
from app.domain.access import AreaScope
from app.jobs.queue import ENTRYPOINT
from app.jobs.runner import run_job
from app.runtime import Runtime, open_runtime
from app.sealing import seal_forever
from app.settings import Settings

log = logging.getLogger("minzheng.worker")
CLEAR_EVERY_SECONDS = 600
EXPIRED = (
    "DELETE FROM stored_answer WHERE keep_until < now()",
    "DELETE FROM revoked_token WHERE expires_at < now() - interval '1 hour'",
    "DELETE FROM refresh_token WHERE expires_at < now() - interval '1 day'",
    "DELETE FROM sign_in_failures WHERE last_failed_at < now() - interval '7 days' AND coalesce(locked_until, now()) <= now()",
)


async def run_worker(settings: Settings, stop: asyncio.Event) -> None:
    """Runs until ``stop``; whatever was under way is finished by the next worker."""
    async with open_runtime(settings) as runtime, asyncio.TaskGroup() as tasks:
        tasks.create_task(seal_forever(runtime, stop))
        tasks.create_task(_clear_forever(runtime, stop))
        tasks.create_task(_take_jobs_forever(runtime, stop))


async def _take_jobs_forever(runtime: Runtime, stop: asyncio.Event) -> None:
    """Connects again after a lost connection, with a bounded pause."""
    while not stop.is_set():
        try:
            await _take_jobs(runtime, stop)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ExceptionGroup) as error:
            log.warning("queue connection lost, connecting again", extra={"error": type(error).__name__})
            await _wait(stop, 2.0)


async def _take_jobs(runtime: Runtime, stop: asyncio.Event) -> None:
    url = application_url(runtime.settings).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url, server_settings={"application_name": "minzheng-queue"}, timeout=5)
    try:
        queue = PgQueuer.from_asyncpg_connection(connection)

        @queue.entrypoint(ENTRYPOINT, concurrency_limit=2)
        async def _take(taken: QueueJob) -> None:
            ticket = orjson.loads(taken.payload or b"{}")
            await run_job(runtime, AreaScope(ticket["district"], ticket["area"]), UUID(ticket["job"]))

        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        watch = asyncio.create_task(_shut_down(queue, stop, lost))
        try:
            await queue.run(
                dequeue_timeout=timedelta(seconds=2),
                heartbeat_timeout=timedelta(seconds=runtime.settings.job_lease_seconds),
            )
        finally:
            watch.cancel()
    finally:
        await connection.close(timeout=2)


async def _shut_down(queue: PgQueuer, stop: asyncio.Event, lost: asyncio.Event) -> None:
    waits = [asyncio.create_task(stop.wait()), asyncio.create_task(lost.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    queue.shutdown.set()


async def _clear_forever(runtime: Runtime, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            async with transaction(runtime.engine) as session:
                for statement in EXPIRED:
                    await session.execute(text(statement))
        except (SQLAlchemyError, OSError) as error:
            log.warning("clearing failed", extra={"error": type(error).__name__})
        await _wait(stop, CLEAR_EVERY_SECONDS)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
