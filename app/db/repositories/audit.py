"""Writing and reading the audit trail. A record and its unsealed marker stand in the business transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.audit import AuditRecord, AuditUnsealed
from app.domain.access import Actor
from app.ids import new_id
from app.observability import remote_address, trace_id


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What happened to whom. ``fields`` are names, never values; ``subject_id`` and ``details`` hold ids and codes only."""

    action: str
    subject_kind: str
    subject_id: UUID | str | None = None
    area_code: str | None = None
    fields: Sequence[str] = ()
    reason: str | None = None
    outcome: str = "done"
    details: dict[str, Any] | None = field(default=None)


class AuditTrail:
    """The trail of one actor in one transaction."""

    def __init__(self, session: AsyncSession, actor: Actor) -> None:
        self._session = session
        self._actor = actor

    async def record(self, entry: AuditEntry) -> None:
        await write_audit(self._session, [entry], self._actor)


async def write_audit(
    session: AsyncSession,
    entries: Sequence[AuditEntry],
    actor: Actor | None,
    *,
    actor_name: str = "system",
    district: str | None = None,
) -> None:
    """Adds the records with their unsealed markers; ``actor`` is None for the system itself and for unknown callers."""
    if not entries:
        return
    now = datetime.now(UTC)
    rows = [_row(entry, actor, actor_name, district, now) for entry in entries]
    await session.execute(insert(AuditRecord), rows)
    await session.execute(insert(AuditUnsealed), [{"audit_id": row["id"], "queued_at": now} for row in rows])


def _row(entry: AuditEntry, actor: Actor | None, name: str, district: str | None, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "at": now,
        "district": actor.district if actor else district,
        "area_code": entry.area_code or (actor.area if actor else district),
        "actor_id": actor.id if actor else None,
        "actor_name": actor.name if actor else name,
        "action": entry.action,
        "subject_kind": entry.subject_kind,
        "subject_id": str(entry.subject_id) if entry.subject_id is not None else None,
        "fields": list(entry.fields),
        "reason": entry.reason,
        "outcome": entry.outcome,
        "details": entry.details,
        "trace_id": trace_id(),
        "remote_address": remote_address(),
    }
