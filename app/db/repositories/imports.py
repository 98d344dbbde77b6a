"""Imports on record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.entitlements import within
from app.db.repositories.reference import AREA, in_force
from app.db.tables.imports import ImportPart, StoredFile, StoredFilePart
from app.db.tables.imports import ImportRun as ImportRunTable
from app.domain.access import AreaScope
from app.domain.errors import NotFound
from app.domain.imports.model import ImportStatus
from app.domain.imports.ports import Counts, ImportFilter, ImportOrder, ImportRun

RUN, PART = columns(ImportRunTable), columns(ImportPart)
FILE, PIECE = columns(StoredFile), columns(StoredFilePart)


class ImportRepository:
    """The imports of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, scope: AreaScope, import_id: UUID, order: ImportOrder, by: UUID, name: str, now: datetime) -> None:
        values = {
            "district": scope.district,
            "id": import_id,
            "area_code": scope.prefix,
            "kind": order.kind,
            "mode": order.mode,
            "dry_run": order.dry_run,
            "profile": order.profile,
            "file_id": order.file_id,
            "status": ImportStatus.QUEUED.value,
            "phase": "reading",
            "requested_by": by,
            "requested_by_name": name,
            "requested_at": now,
        }
        await self._session.execute(sa.insert(ImportRunTable).values(**values))

    async def get(self, scope: AreaScope, import_id: UUID, *, lock: bool = False) -> ImportRun:
        """Raises NotFound import_not_found."""
        if lock:
            held = sa.select(RUN.id).where(*_visible(scope), RUN.id == import_id).with_for_update()
            await self._session.execute(held)
        row = (await self._session.execute(_selected(scope).where(RUN.id == import_id))).mappings().one_or_none()
        if row is None:
            raise NotFound("import_not_found", "没有该次导入，或不在您的辖区内，请核对编号。")
        return _run_of(row)

    async def list_page(self, scope: AreaScope, chosen: ImportFilter, *, before: UUID | None, limit: int) -> list[ImportRun]:
        """Newest first."""
        statement = _selected(scope).where(*_chosen(chosen))
        if before is not None:
            statement = statement.where(RUN.id < before)
        rows = (await self._session.execute(statement.order_by(RUN.id.desc()).limit(limit))).mappings()
        return [_run_of(row) for row in rows]

    async def count(self, scope: AreaScope, chosen: ImportFilter) -> int:
        statement = sa.select(sa.func.count()).select_from(ImportRunTable).where(*_visible(scope), *_chosen(chosen))
        return int((await self._session.execute(statement)).scalar_one())

    async def set(self, scope: AreaScope, import_id: UUID, **values: Any) -> None:
        changed = sa.update(ImportRunTable).where(*_visible(scope), RUN.id == import_id)
        await self._session.execute(changed.values(version=RUN.version + 1, **values))

    async def show_progress(self, scope: AreaScope, import_id: UUID, *, rows_total: int, bytes_read: int, now: datetime) -> None:
        """While reading, in a transaction of its own; an import that has ended meanwhile stays as it is."""
        changed = sa.update(ImportRunTable).where(*_visible(scope), RUN.id == import_id, RUN.phase == "reading")
        still = changed.where(RUN.status.in_(["queued", "running"]))
        progress = {"status": "running", "rows_total": rows_total, "bytes_read": bytes_read, "version": RUN.version + 1}
        await self._session.execute(still.values(started_at=sa.func.coalesce(RUN.started_at, now), **progress))

    async def list_ended(self, scope: AreaScope, *, before: datetime, limit: int = 100) -> Sequence[tuple[UUID, UUID]]:
        """Imports that ended before the moment and whose file is still kept, with the file; the oldest first."""
        kept = sa.exists().where(PIECE.district == RUN.district, PIECE.file_id == RUN.file_id)
        ended = sa.and_(RUN.finished_at < before, RUN.phase == "finished", kept)
        statement = sa.select(RUN.id, RUN.file_id).where(*_visible(scope), ended).order_by(RUN.id).limit(limit)
        return [(row.id, row.file_id) for row in await self._session.execute(statement)]

    async def known_areas(self, scope: AreaScope, on: date) -> frozenset[str]:
        """Every division of the scope in force on the day."""
        within_scope = sa.and_(AREA.district == scope.district, within(AREA.code, scope))
        return frozenset((await self._session.execute(sa.select(AREA.code).where(within_scope, in_force(on)))).scalars())

    async def find_former(self, scope: AreaScope, run: ImportRun, sha256: str, read_under: str) -> ImportRun | None:
        """The last import of the same content by the same area in the same way, if it was read alike and every row went in."""
        same = (RUN.kind == run.order.kind, RUN.mode == run.order.mode, RUN.profile.is_not_distinct_from(run.order.profile))
        whole = (RUN.status == "succeeded", RUN.dry_run.is_(False), RUN.rows_rejected == 0, RUN.id != run.id)
        alike = (FILE.sha256 == sha256, RUN.area_code == run.area_code, RUN.layout["read_under"].astext == read_under)
        statement = _selected(scope).where(*same, *whole, *alike).order_by(RUN.id.desc()).limit(1)
        row = (await self._session.execute(statement)).mappings().one_or_none()
        return None if row is None else _run_of(row)

    async def drop_staged(self, scope: AreaScope, import_id: UUID) -> None:
        """Forgets the rows as sent; their digests stay as long as the file, for when it is sent again."""
        staged = (PART.district == scope.district, PART.import_id == import_id, PART.rows_sealed.is_not(None))
        await self._session.execute(sa.update(ImportPart).where(*staged).values(rows_sealed=None))


def _visible(scope: AreaScope) -> list[sa.ColumnElement[bool]]:
    return [RUN.district == scope.district, within(RUN.area_code, scope)]


def _chosen(chosen: ImportFilter) -> list[sa.ColumnElement[bool]]:
    conditions = []
    if chosen.kind is not None:
        conditions.append(RUN.kind == chosen.kind)
    if chosen.status is not None:
        conditions.append(RUN.status == chosen.status.value)
    return conditions


def _selected(scope: AreaScope) -> sa.Select[Any]:
    """Imports with their file's facts and what their parts add up to now."""
    totals = (
        sa.select(
            sa.func.count().label("parts"),
            sa.func.count().filter(sa.or_(PART.done, PART.rows == PART.rejected)).label("parts_done"),
            *(
                sa.func.coalesce(sa.func.sum(PART[name]), 0).label(name)
                for name in ("rejected", "created", "updated", "unchanged")
            ),
        )
        .where(PART.district == RUN.district, PART.import_id == RUN.id)
        .lateral("totals")
    )
    return (
        sa.select(*RUN, FILE.name.label("file_name"), FILE.size_bytes.label("file_bytes"), *totals.c)
        .join_from(ImportRunTable, StoredFile, sa.and_(FILE.district == RUN.district, FILE.id == RUN.file_id))
        .join(totals, sa.true())
        .where(*_visible(scope))
    )


def _run_of(row: sa.RowMapping) -> ImportRun:
    return ImportRun(
        id=row["id"],
        area_code=row["area_code"],
        order=ImportOrder(row["kind"], row["mode"], row["dry_run"], row["profile"], row["file_id"]),
        file_name=row["file_name"],
        file_bytes=row["file_bytes"],
        status=ImportStatus(row["status"]),
        phase=row["phase"],
        rows_total=row["rows_total"],
        counts=Counts(*(int(row[name]) for name in ("rejected", "created", "updated", "unchanged"))),
        bytes_read=row["bytes_read"],
        parts=row["parts"],
        parts_done=row["parts_done"],
        layout=row["layout"],
        notices=row["notices"] or (),
        problem=row["problem"],
        requested_by=row["requested_by"],
        requested_by_name=row["requested_by_name"],
        requested_at=row["requested_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        undone_at=row["undone_at"],
        version=row["version"],
    )
