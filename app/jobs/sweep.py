"""Finding jobs that no queue row stands for any more, and handing them over again.

The queue is a messenger only: a row can be lost (a worker that could not say that it failed, a restored backup, a worker of an
older release that didn't know the kind), the job on record cannot.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.jobs import list_open_jobs
from app.db.repositories.reference import list_districts
from app.db.session import enter_scope, transaction
from app.domain.access import AreaScope
from app.jobs.queue import ENTRYPOINT, hand_over, read_ticket
from app.observability import JOBS_OPEN
from app.runtime import Runtime

log = logging.getLogger("minzheng.jobs")
SWEEP_LOCK = 7004
QUIET = timedelta(seconds=60)  # a younger job's row may be on its way


async def sweep(runtime: Runtime, *, quiet: timedelta = QUIET) -> int:
    """Hands over what was forgotten, in all districts; answers how many. Of several workers one does it."""
    async with transaction(runtime.engine) as session:
        if not (await session.execute(text("SELECT pg_try_advisory_xact_lock(:n)"), {"n": SWEEP_LOCK})).scalar_one():
            return 0
        found = opened = 0
        for scope in await list_districts(session):
            lost, waiting = await _sweep_district(session, scope, datetime.now(UTC) - quiet)
            found, opened = found + lost, opened + waiting
    JOBS_OPEN.set(opened)
    return found


async def _sweep_district(session: AsyncSession, scope: AreaScope, before: datetime) -> tuple[int, int]:
    await enter_scope(session, scope)
    jobs = await list_open_jobs(scope, session, made_before=before)
    if not jobs:
        return 0, 0
    queued = text("SELECT payload FROM pgqueuer WHERE entrypoint = :name")
    rows = (await session.execute(queued, {"name": ENTRYPOINT})).scalars()
    carried = {read_ticket(payload)[0] for payload in rows}
    lost = [(job_id, area) for job_id, area in jobs if job_id not in carried]
    for job_id, area in lost:
        log.warning("a job was in no queue, handed over again", extra={"job": str(job_id)})
        await hand_over(session, job_id, AreaScope(scope.district, area))
    return len(lost), len(jobs)
