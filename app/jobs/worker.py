"""The worker process: takes jobs from pgqueuer, finds forgotten ones, seals the audit trail, clears what has expired."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job as QueueJob
from prometheus_client import start_http_server
from sqlalchemy import text

import app.jobs.everything  # noqa: F401  (registers the handlers)
from app.db.engine import application_url
from app.db.session import transaction
from app.jobs.export_retention import forget_old_exports
from app.jobs.import_retention import forget_old_befores, forget_old_files
from app.jobs.queue import ENTRYPOINT, read_ticket
from app.jobs.runner import run_job
from app.jobs.sweep import sweep
from app.runtime import Runtime, open_runtime
from app.sealing import seal_forever
from app.settings import Settings

log = logging.getLogger("minzheng.worker")
CLEAR_EVERY_SECONDS = 600
SWEEP_EVERY_SECONDS = 30
RECONNECT_SECONDS = 2.0
COLLECT_AFTER = (100_000, 20, 20)
JOBS_AT_ONCE = 2  # of one worker; more workers do more
EXPIRED = (
    "DELETE FROM stored_answer WHERE keep_until < now()",
    "DELETE FROM revoked_token WHERE expires_at < now() - interval '1 hour'",
    "DELETE FROM refresh_token WHERE expires_at < now() - interval '1 day'",
    "DELETE FROM sign_in_failures WHERE last_failed_at < now() - interval '7 days' AND coalesce(locked_until, now()) <= now()",
    "DELETE FROM elsewhere_attempt WHERE at < now() - interval '1 day'",
    "DELETE FROM found_elsewhere WHERE at < now() - interval '1 day'",
    "DELETE FROM pgqueuer_log WHERE aggregated AND created < now() - interval '30 days'",
)


def collect_seldom() -> None:
    """For a process that goes through great heaps of rows: the collector would walk over all of them again and again, a quarter
    of the time that an import computes. What is loaded by now is left alone, and cycles wait longer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


async def run_worker(settings: Settings, stop: asyncio.Event) -> None:
    """Runs until ``stop``; whatever was under way is finished by the next worker."""
    collect_seldom()
    with _metrics(settings):
        async with open_runtime(settings) as runtime, asyncio.TaskGroup() as tasks:
            tasks.create_task(seal_forever(runtime, stop))
            tasks.create_task(_again_and_again(stop, CLEAR_EVERY_SECONDS, lambda: _clear(runtime)))
            tasks.create_task(_again_and_again(stop, SWEEP_EVERY_SECONDS, lambda: sweep(runtime)))
            tasks.create_task(_again_and_again(stop, RECONNECT_SECONDS, lambda: _take_jobs(runtime, stop)))


@contextmanager
def _metrics(settings: Settings) -> Iterator[None]:
    """A worker is a process of its own: its metrics are at ``WORKER_METRICS_PORT``, if one is set."""
    if settings.worker_metrics_port is None:
        yield
        return
    server, thread = start_http_server(settings.worker_metrics_port, addr=settings.host)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def _again_and_again(stop: asyncio.Event, every_seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """One part's failure, whatever it is, stops neither the part nor the others."""
    while not stop.is_set():
        try:
            await work()
        except Exception as error:
            log.warning("a background task failed, trying again", exc_info=error, extra={"error": type(error).__name__})
        await _wait(stop, every_seconds)


async def _clear(runtime: Runtime) -> None:
    for statement in EXPIRED:
        async with transaction(runtime.engine) as session:
            await session.execute(text(statement))
    await forget_old_files(runtime)
    await forget_old_befores(runtime)
    await forget_old_exports(runtime)


async def _take_jobs(runtime: Runtime, stop: asyncio.Event) -> None:
    """Returns when the connection is lost, or on ``stop``, after the chunks in hand."""
    async with _queue_connection(runtime) as connection:
        queue, pause = PgQueuer.from_asyncpg_connection(connection), asyncio.Event()
        connection.add_termination_listener(lambda _: pause.set())

        @queue.entrypoint(ENTRYPOINT)
        async def _take(taken: QueueJob) -> None:
            await _do(runtime, taken, pause)

        watch = asyncio.create_task(_shut_down(queue, stop, pause))
        try:
            await queue.run(
                batch_size=1,
                max_concurrent_tasks=JOBS_AT_ONCE,
                dequeue_timeout=timedelta(seconds=2),
                heartbeat_timeout=timedelta(seconds=runtime.settings.job_lease_seconds),
            )
        finally:
            watch.cancel()


@asynccontextmanager
async def _queue_connection(runtime: Runtime) -> AsyncIterator[asyncpg.Connection]:
    url = application_url(runtime.settings).set(drivername="postgresql").render_as_string(hide_password=False)
    named = {"application_name": "minzheng-queue"}
    connection = await asyncpg.connect(url, server_settings=named, timeout=5, command_timeout=15)
    try:
        yield connection
    finally:
        try:
            await connection.close(timeout=2)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection.terminate()


async def _do(runtime: Runtime, taken: QueueJob, pause: asyncio.Event) -> None:
    """Raises ``RetryRequested`` for a job that isn't finished, so that its row stays in the queue.

    Without the cause: pgqueuer keeps what is raised, and an error's text may quote somebody's data.
    """
    job_id, scope = read_ticket(taken.payload)
    try:
        finished = await run_job(runtime, scope, job_id, pause)
    except Exception as error:
        log.warning("job interrupted", exc_info=error, extra={"job": str(job_id)})
        raise RetryRequested(timedelta(seconds=RECONNECT_SECONDS), "interrupted") from None
    if not finished:
        raise RetryRequested(timedelta(0), "the worker is stopping")


async def _shut_down(queue: PgQueuer, stop: asyncio.Event, pause: asyncio.Event) -> None:
    waits = [asyncio.create_task(stop.wait()), asyncio.create_task(pause.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    pause.set()
    queue.shutdown.set()


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
