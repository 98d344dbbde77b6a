"""The seal chain over the audit trail: linking new records, verifying all of them.

A link's digest is an HMAC over the previous digest, the position, the record's id and the record's own digest, under a key that
is not in the database: whoever can rewrite every table still can't make a chain that verifies.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Row, delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.tables.audit import AuditLink, AuditRecord, AuditUnsealed

SEAL_LOCK = 7003  # 7001 and 7002 are migrations' and maintenance's
WALK_BATCH = 2000
BEFORE_ALL = -(2**63)
GENESIS = b"\x00" * 32
Mac = Callable[[str, bytes], bytes]
COLUMNS = tuple(AuditRecord.__table__.columns.keys())  # type: ignore[attr-defined]

LINK = columns(AuditLink)
RECORD = columns(AuditRecord)
UNSEALED = columns(AuditUnsealed)


def record_digest(mac: Mac, record: Any) -> bytes:
    """Over every column, in one canonical text form."""
    values = [_canonical(getattr(record, name)) for name in COLUMNS]
    return mac("audit-record", orjson.dumps(values, option=orjson.OPT_SORT_KEYS))


def _canonical(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value if isinstance(value, str | int | list | dict | None) else str(value)


def link_digest(mac: Mac, previous: bytes, position: int, audit_id: bytes, record: bytes) -> bytes:
    return mac("audit-link", previous + position.to_bytes(8, "big") + audit_id + record)


async def seal_batch(session: AsyncSession, mac: Mac, *, limit: int, now: datetime) -> int:
    """Links up to ``limit`` waiting records; 0 when there are none or another sealer is at work."""
    held = (await session.execute(text("SELECT pg_try_advisory_xact_lock(:n)"), {"n": SEAL_LOCK})).scalar_one()
    if not held:
        return 0
    waiting = select(AuditRecord).join(AuditUnsealed, UNSEALED.audit_id == RECORD.id)
    records = (await session.execute(waiting.order_by(RECORD.id).limit(limit))).scalars().all()
    if not records:
        return 0
    position, previous = await chain_head(session)
    links = []
    for record in records:
        position += 1
        digest = record_digest(mac, record)
        previous = link_digest(mac, previous, position, record.id.bytes, digest)
        links.append({"position": position, "audit_id": record.id, "record_digest": digest, "digest": previous, "sealed_at": now})
    await session.execute(insert(AuditLink), links)
    await session.execute(delete(AuditUnsealed).where(UNSEALED.audit_id.in_([record.id for record in records])))
    return len(links)


async def chain_head(session: AsyncSession) -> tuple[int, bytes]:
    """Position and digest of the newest link; (0, zeros) for an empty chain."""
    newest = select(LINK.position, LINK.digest).order_by(LINK.position.desc()).limit(1)
    row = (await session.execute(newest)).one_or_none()
    return (row.position, row.digest) if row else (0, GENESIS)


async def count_unsealed(session: AsyncSession) -> int:
    return int((await session.execute(text("SELECT count(*) FROM audit_unsealed"))).scalar_one())


async def linked_records(session: AsyncSession, *, batch: int = WALK_BATCH) -> AsyncIterator[Row[Any]]:
    """Every link with the columns of its record (``id`` is None if that was removed), in the order of the chain.

    In batches by position: memory stays flat, and no statement runs long.
    """
    after = BEFORE_ALL
    walk = (
        select(LINK.position, LINK.audit_id, LINK.record_digest, LINK.digest, *(RECORD[name] for name in COLUMNS))
        .outerjoin_from(AuditLink, AuditRecord, RECORD.id == LINK.audit_id)
        .order_by(LINK.position)
        .limit(batch)
    )
    while rows := (await session.execute(walk.where(LINK.position > after))).all():
        for row in rows:
            yield row
        after = rows[-1].position


async def strays(session: AsyncSession, *, queued_before: datetime) -> list[tuple[str, str]]:
    """Records that never entered the chain: (kind of finding, record id)."""
    unlinked = text(
        """
        SELECT 'never_queued' AS finding, r.id::text FROM audit_record r
        WHERE NOT EXISTS (SELECT 1 FROM audit_link l WHERE l.audit_id = r.id)
          AND NOT EXISTS (SELECT 1 FROM audit_unsealed u WHERE u.audit_id = r.id)
        UNION ALL
        SELECT 'queued_too_long', audit_id::text FROM audit_unsealed WHERE queued_at < :before
        ORDER BY 2 LIMIT 100
        """
    )
    return [(row[0], row[1]) for row in await session.execute(unlinked, {"before": queued_before})]
