"""Putting the outcome of a job on record, in the transaction that marks it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.audit import AuditEntry, write_audit
from app.jobs.registry import JobView


async def record_outcome(
    session: AsyncSession, job: JobView, action: str, subject_kind: str, *, reason: str | None = None
) -> None:
    """The system itself is the actor; ``reason`` is the code of what went wrong."""
    details = {"job": str(job.id)}
    entry = AuditEntry(action, subject_kind, job.subject_id, job.scope.prefix, reason=reason, details=details)
    await write_audit(session, [entry], None, district=job.scope.district)
