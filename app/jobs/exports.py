"""Making the file of an export in the background: read a chunk, write it, seal it; in bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

import app.db.export_readers.everything  # noqa: F401  (registers the readers)
from app.db.export_readers import Fields, Reading, reader_of
from app.db.repositories.audit import AuditEntry, write_audit
from app.db.repositories.exports import ExportRepository
from app.domain.access import AreaScope
from app.domain.imports.exporting import ExportRun, RowWriting, file_name, watermark
from app.domain.imports.model import Kind
from app.domain.imports.registry import kind_of
from app.files import FileStore
from app.import_profiles import find_profile
from app.jobs.queue import enqueue
from app.jobs.registry import ChunkView, JobView, register_handler
from app.jobs.trail import record_outcome
from app.runtime import Runtime
from app.security.fields import Field
from app.security.masking import mask
from app.sheets.workbook_writing import XlsxWriting
from app.sheets.writing import CSV_TYPE, XLSX_TYPE, CsvWriting, Heading, TableWriting

KIND = "export"
MAX_BYTES = 4 << 30
#: Sensitive columns → how they are masked; those that aren't here are hidden whole.
MASKED = {
    "id_number": Field.ID_NUMBER,
    "payee_number": Field.ID_NUMBER,
    "phone": Field.PHONE,
    "address": Field.ADDRESS,
    "account_number": Field.BANK_ACCOUNT,
    "certificate_no": Field.DISABILITY_CERTIFICATE,
    "disability_certificate": Field.DISABILITY_CERTIFICATE,
}


def masked(column: str, text: str) -> str:
    """A sensitive text as everybody may see it."""
    if column == "covered_numbers":
        return "、".join(mask(Field.ID_NUMBER, number) for number in text.split("、"))
    return mask(MASKED[column], text) if column in MASKED else "****"


async def start_export(scope: AreaScope, session: AsyncSession, run: ExportRun) -> None:
    """Puts an export on record, with the job that makes its file. It sees the area of the export and nothing else."""
    inside = AreaScope(scope.district, run.order.area_code)
    by, now = run.requested_by, run.requested_at
    job_id = await enqueue(inside, session, kind=KIND, arguments={}, chunks=[{}], requested_by=by, now=now, subject_id=run.id)
    await ExportRepository(session).add(inside, run, job_id)


class Making:
    """One export becoming a file; ``rows`` are counted on the way."""

    def __init__(self, run: ExportRun, kind: Kind) -> None:
        self.rows = 0
        profile = find_profile(run.order.profile) if run.order.profile else None
        self._run, self._kind = run, kind
        self._cells = RowWriting(kind, profile, None if run.order.plain else masked, run.order.format)
        notes, by = watermark(run, kind.title), run.requested_by_name
        heading = Heading(kind.title, notes, self._cells.header(), author=by, purpose=run.order.purpose)
        self._table: TableWriting = CsvWriting(heading) if run.order.format == "csv" else XlsxWriting(heading)

    async def pieces(self, runtime: Runtime, scope: AreaScope, session: AsyncSession) -> AsyncIterator[bytes]:
        """The file, piece by piece."""
        reading = Reading(self._run.order.area_code, self._run.order.as_of, runtime.cipher)
        async for rows in reader_of(self._kind).read(scope, session, reading):
            self.rows += len(rows)
            yield await asyncio.to_thread(self._add, rows)
        yield await asyncio.to_thread(self._table.end)

    def _add(self, rows: Sequence[Fields]) -> bytes:
        return self._table.add(self._cells.cells(row) for row in rows)


class ExportHandler:
    """One chunk, one transaction: after a kill it begins anew and leaves nothing of the first try."""

    async def run_chunk(
        self,
        runtime: Runtime,
        session: AsyncSession,
        job: JobView,
        chunk: ChunkView,  # noqa: ARG002  (the signature of every handler)
        *,
        now: datetime,
    ) -> dict[str, Any] | None:
        exports = ExportRepository(session)
        run = await exports.get(job.scope, job.subject)
        kind = kind_of(run.order.kind)
        making = Making(run, kind)
        kept = await FileStore(runtime.cipher).put(
            job.scope,
            session,
            making.pieces(runtime, job.scope, session),
            purpose="export",
            name=file_name(run),
            media_type=CSV_TYPE if run.order.format == "csv" else XLSX_TYPE,
            by=run.requested_by,
            now=now,
            max_bytes=MAX_BYTES,
        )
        await exports.finish(job.scope, run.id, kept.id, making.rows, now)
        await _record(session, job, run, kind, making.rows)
        return {"rows": making.rows}

    async def finish(
        self,
        runtime: Runtime,
        session: AsyncSession,
        job: JobView,
        *,
        now: datetime,
    ) -> None:
        """The chunk has done it all."""

    async def give_up(
        self,
        runtime: Runtime,  # noqa: ARG002
        session: AsyncSession,
        job: JobView,
        problem: dict[str, Any],
        *,
        now: datetime,
    ) -> None:
        await ExportRepository(session).fail(job.scope, job.subject, problem, now)
        await record_outcome(session, job, "export.failed", "export", reason=str(problem["code"]))


async def _record(session: AsyncSession, job: JobView, run: ExportRun, kind: Kind, rows: int) -> None:
    """Which fields were read in plain, and how many rows."""
    fields = [column.name for column in kind.columns if column.sensitive] if run.order.plain else []
    details = {"kind": kind.code, "rows": rows, "plain": run.order.plain, "job": str(job.id), "by": str(run.requested_by)}
    entry = AuditEntry(
        "export.made", "export", run.id, run.order.area_code, fields=fields, reason=run.order.purpose, details=details
    )
    await write_audit(session, [entry], None, district=job.scope.district)


__all__ = ["Making", "masked", "start_export"]
register_handler(KIND, ExportHandler())
