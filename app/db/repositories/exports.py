"""Exports on record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.scoping import within
from app.db.tables.exports import ExportRun as ExportRunTable
from app.db.tables.imports import StoredFile, StoredFilePart
from app.domain.access import AreaScope
from app.domain.errors import NotFound
from app.domain.imports.exporting import ExportOrder, ExportRun

RUN = columns(ExportRunTable)
FILE = columns(StoredFile)
PIECE = columns(StoredFilePart)
_KEPT = sa.exists().where(PIECE.district == RUN.district, PIECE.file_id == RUN.file_id)


class ExportRepository:
    """The exports of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, scope: AreaScope, run: ExportRun, job_id: UUID) -> None:
        order = run.order
        values = {
            "district": scope.district,
            "id": run.id,
            "area_code": order.area_code,
            "kind": order.kind,
            "format": order.format,
            "profile": order.profile,
            "as_of": order.as_of,
            "purpose": order.purpose,
            "plain": order.plain,
            "status": run.status,
            "job_id": job_id,
            "requested_by": run.requested_by,
            "requested_by_name": run.requested_by_name,
            "requested_at": run.requested_at,
        }
        await self._session.execute(sa.insert(ExportRunTable).values(**values))

    async def get(self, scope: AreaScope, export_id: UUID) -> ExportRun:
        """Raises NotFound export_not_found."""
        row = (await self._session.execute(_selected(scope).where(RUN.id == export_id))).mappings().one_or_none()
        if row is None:
            raise NotFound("export_not_found", "没有该次导出，或不在您的辖区内，请核对编号。")
        return _run_of(row)

    async def list_page(self, scope: AreaScope, *, before: UUID | None, limit: int) -> list[ExportRun]:
        """Newest first."""
        statement = _selected(scope)
        if before is not None:
            statement = statement.where(RUN.id < before)
        rows = (await self._session.execute(statement.order_by(RUN.id.desc()).limit(limit))).mappings()
        return [_run_of(row) for row in rows]

    async def count(self, scope: AreaScope) -> int:
        statement = sa.select(sa.func.count()).select_from(ExportRunTable).where(within(scope, RUN))
        return int((await self._session.execute(statement)).scalar_one())

    async def list_kept(self, scope: AreaScope, *, before: datetime, limit: int = 100) -> list[tuple[UUID, UUID]]:
        """Exports that ended before the moment and whose file is still kept, with the file; the oldest first."""
        statement = sa.select(RUN.id, RUN.file_id).where(within(scope, RUN), RUN.finished_at < before, _KEPT)
        found = await self._session.execute(statement.order_by(RUN.id).limit(limit))
        return [(row.id, row.file_id) for row in found]

    async def is_kept(self, scope: AreaScope, export_id: UUID) -> bool:
        """Whether the content of its file is still there."""
        statement = sa.select(sa.exists().where(within(scope, RUN), RUN.id == export_id, _KEPT))
        return bool((await self._session.execute(statement)).scalar_one())

    async def finish(self, scope: AreaScope, export_id: UUID, file_id: UUID, rows: int, now: datetime) -> None:
        await self._set(scope, export_id, status="succeeded", file_id=file_id, rows=rows, finished_at=now)

    async def fail(self, scope: AreaScope, export_id: UUID, problem: Mapping[str, Any], now: datetime) -> None:
        await self._set(scope, export_id, status="failed", problem=dict(problem), finished_at=now)

    async def _set(self, scope: AreaScope, export_id: UUID, **values: Any) -> None:
        statement = sa.update(ExportRunTable).where(within(scope, RUN), RUN.id == export_id).values(**values)
        await self._session.execute(statement.execution_options(synchronize_session=False))


def _selected(scope: AreaScope) -> sa.Select[Any]:
    stored = sa.and_(FILE.district == RUN.district, FILE.id == RUN.file_id)
    statement = sa.select(*RUN, FILE.size_bytes, FILE.sha256).join_from(ExportRunTable, StoredFile, stored, isouter=True)
    return statement.where(within(scope, RUN))


def _run_of(row: Mapping[str, Any]) -> ExportRun:
    order = ExportOrder(
        kind=row["kind"],
        format=row["format"],
        area_code=row["area_code"],
        as_of=row["as_of"],
        purpose=row["purpose"],
        plain=row["plain"],
        profile=row["profile"],
    )
    return ExportRun(
        id=row["id"],
        order=order,
        status=row["status"],
        rows=row["rows"],
        file_id=row["file_id"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        problem=row["problem"],
        requested_by=row["requested_by"],
        requested_by_name=row["requested_by_name"],
        requested_at=row["requested_at"],
        finished_at=row["finished_at"],
    )
