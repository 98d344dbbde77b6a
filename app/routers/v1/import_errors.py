"""The rejected rows of an import: masked on the page, as sent in a file that can be corrected and sent again."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import zip_longest
from uuid import UUID

from fastapi import Response
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.audit import AuditEntry
from app.db.repositories.import_parts import ImportPartRepository, PartSeals, RejectedRow
from app.db.session import transaction
from app.dependencies import AuditDep, PageDep, RuntimeDep, SessionDep, bad_cursor, encode_cursor
from app.domain.access import Actor, AreaScope
from app.domain.errors import Conflict, NotFound
from app.domain.imports import service
from app.domain.imports.formulas import kept_text
from app.domain.imports.header import Layout
from app.domain.imports.model import Cell, RowFault
from app.domain.imports.ports import ImportRun
from app.domain.imports.registry import kind_of
from app.observability import redact
from app.routers.models import Page
from app.routers.route import api_router
from app.routers.v1.import_access import Importer, Reader, require_sight_of_rows, visible_run
from app.routers.v1.import_models import FaultOut, RejectedRowOut
from app.runtime import Runtime
from app.security.masking import mask_address, mask_bank_account, mask_id_number, mask_phone
from app.workbook import MEDIA_TYPE as XLSX
from app.workbook import Sheet, workbook

router = api_router("批量导入")

CSV = "text/csv; charset=utf-8"
ROW_TITLE, REASON_TITLE = "行号", "错误原因"
MAX_XLSX_ROWS = 50_000  # held in memory: no plain copy of people's data on a disk
NO_STORE = {"Cache-Control": "private, no-store"}
LONG_NUMBER_DIGITS, ID_NUMBER_DIGITS, PHONE_DIGITS = 12, (15, 18), 11


@router.get("/imports/{import_id}/errors", summary="未导入的行")
async def list_errors(
    import_id: UUID, session: SessionDep, runtime: RuntimeDep, actor: Reader, page: PageDep
) -> Page[RejectedRowOut]:
    """逐行列出全部错误，按行号排列；敏感内容已遮盖。需要原样更正后重新导入的，请下载 errors.csv 或 errors.xlsx。"""
    run = await visible_run(session, actor, import_id)
    require_sight_of_rows(run, actor)
    await _require_kept(run, session, actor)
    rows = await _page(runtime, session, actor.scope, run, _position(page.after), page.limit + 1)
    mask = _masking(run)
    items = [_shown(row, mask) for row in rows[: page.limit]]
    cursor = encode_cursor(items[-1].row) if len(rows) > page.limit else None
    return Page(items=items, next_cursor=cursor, total=run.counts.rejected if page.count else None)


def _position(after: Sequence[str] | None) -> int:
    if after is None:
        return 0
    try:
        return int(after[-1])
    except ValueError as error:
        raise bad_cursor() from error


async def _page(
    runtime: Runtime, session: AsyncSession, scope: AreaScope, run: ImportRun, after: int, limit: int
) -> list[RejectedRow]:
    parts, seals = ImportPartRepository(session), PartSeals(runtime.cipher, run.id)
    begin = [number for number, first in await parts.list_first_rows(scope, run.id) if first <= after + 1]
    found: list[RejectedRow] = []
    for number in await parts.list_with_rejected(scope, run.id, from_number=begin[-1] if begin else 0):
        part = await parts.get(scope, run.id, number)
        rows = await asyncio.to_thread(seals.open_rejected, part)
        found += [row for row in rows if row.number > after][: limit - len(found)]
        if len(found) >= limit:
            break
    return found


# --- masked ------------------------------------------------------------------------------------------------------------

Mask = Callable[[Sequence[Cell]], dict[str, str | None]]


def _masking(run: ImportRun) -> Mask:
    """Cells by header: sensitive columns masked, and whatever looks like a number of somebody's in the others."""
    layout = _layout_of(run)
    hidden = {position for position, column in layout.columns(kind_of(run.order.kind)) if column.sensitive} if layout else set()
    headers = layout.headers if layout else ()

    def mask(cells: Sequence[Cell]) -> dict[str, str | None]:
        shown: dict[str, str | None] = {}
        for position, (header, cell) in enumerate(zip_longest(headers, cells)):
            text = None if cell is None or cell == "" else str(cell)
            name = header or f"第 {position + 1} 列"
            shown[name] = text and (mask_cell(text) if position in hidden else redact(text))
        return shown

    return mask


def _layout_of(run: ImportRun) -> Layout | None:
    return Layout.from_json(run.layout["columns"]) if run.layout else None


def mask_cell(text: str) -> str:
    """A sensitive cell as sent, whatever it turns out to hold: it was rejected, so it need not be what it should."""
    compact = re.sub(r"[\s\-－]", "", text)
    if not compact.isascii():
        return mask_address(text)
    if len(compact) in ID_NUMBER_DIGITS:
        return mask_id_number(compact)
    if len(compact) == PHONE_DIGITS:
        return mask_phone(compact)
    return mask_bank_account(compact) if len(compact) >= LONG_NUMBER_DIGITS else "*" * len(compact)


def _shown(row: RejectedRow, mask: Mask) -> RejectedRowOut:
    faults = [FaultOut(column=fault.column, code=fault.code, message=fault.message) for fault in row.faults]
    return RejectedRowOut(row=row.number, cells=mask(row.cells), faults=faults)


# --- as sent -----------------------------------------------------------------------------------------------------------


@router.get(
    "/imports/{import_id}/errors.csv",
    summary="下载未导入的行（CSV）",
    response_class=StreamingResponse,
    responses={200: {"description": "UTF-8（带 BOM）", "content": {"text/csv": {}}}},
)
async def download_csv(
    import_id: UUID, session: SessionDep, runtime: RuntimeDep, trail: AuditDep, actor: Importer
) -> StreamingResponse:
    """原样给出未导入的行，并加上行号和错误原因两列；更正后可直接重新导入，这两列会被忽略。"""
    run = await _downloadable(import_id, session, actor, trail)
    stream = _csv(runtime, actor.scope, run)
    return StreamingResponse(stream, media_type=CSV, headers=NO_STORE | _attachment(run, "csv"))


@router.get(
    "/imports/{import_id}/errors.xlsx",
    summary="下载未导入的行（XLSX）",
    response_class=Response,
    responses={200: {"description": "身份证号、账号均为文本", "content": {XLSX: {}}}},
)
async def download_xlsx(import_id: UUID, session: SessionDep, runtime: RuntimeDep, trail: AuditDep, actor: Importer) -> Response:
    """同 errors.csv；行数过多时请下载 CSV。"""
    run = await _downloadable(import_id, session, actor, trail)
    if run.counts.rejected > MAX_XLSX_ROWS:
        raise Conflict("errors_too_many_for_xlsx", f"未导入的行超过 {MAX_XLSX_ROWS} 行，请改为下载 errors.csv。")
    kept = _kept(_headers(run))
    rows = [_cells(row, kept) async for some in _rejected(runtime, actor.scope, run) for row in some]
    heading = _heading(run)
    sheet = Sheet("未导入的行", heading, rows, text_columns=range(1, len(heading)))
    content = await asyncio.to_thread(workbook, [sheet])
    return Response(content, media_type=XLSX, headers=NO_STORE | _attachment(run, "xlsx"))


async def _downloadable(import_id: UUID, session: AsyncSession, actor: Importer, trail: AuditDep) -> ImportRun:
    """Plain data: only for those who may send it, and put on record."""
    run = await visible_run(session, actor, import_id)
    service.require_importer(kind_of(run.order.kind), actor)
    await _require_kept(run, session, actor)
    entry = AuditEntry("import.errors_download", "import", run.id, run.area_code, details={"rows": run.counts.rejected})
    await trail.record(entry)
    return run


async def _require_kept(run: ImportRun, session: AsyncSession, actor: Actor) -> None:
    if run.counts.rejected and not await ImportPartRepository(session).list_with_rejected(actor.scope, run.id):
        raise NotFound("file_missing", "该次导入已过保存期，未导入的行不再保留；如需核对，请用原文件重新试运行。")


async def _rejected(runtime: Runtime, scope: AreaScope, run: ImportRun) -> AsyncIterator[list[RejectedRow]]:
    """Part by part, each in a short transaction of its own: a slow download holds no connection."""
    seals = PartSeals(runtime.cipher, run.id)
    async with transaction(runtime.engine, scope) as session:
        numbers = await ImportPartRepository(session).list_with_rejected(scope, run.id)
    for number in numbers:
        async with transaction(runtime.engine, scope) as session:
            part = await ImportPartRepository(session).get(scope, run.id, number)
        yield await asyncio.to_thread(seals.open_rejected, part)


async def _csv(runtime: Runtime, scope: AreaScope, run: ImportRun) -> AsyncIterator[bytes]:
    kept = _kept(_headers(run))
    yield b"\xef\xbb\xbf" + _csv_lines([_heading(run)])
    async for rows in _rejected(runtime, scope, run):
        yield await asyncio.to_thread(_csv_lines, [_cells(row, kept) for row in rows])


def _csv_lines(rows: Sequence[Sequence[str | int]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[kept_text(str(cell)) for cell in row] for row in rows])
    return text.getvalue().encode()


def _heading(run: ImportRun) -> list[str]:
    headers = _headers(run)
    return [ROW_TITLE, REASON_TITLE, *(headers[place] for place in _kept(headers))]


def _headers(run: ImportRun) -> Sequence[str]:
    layout = _layout_of(run)
    return layout.headers if layout else ()


def _kept(headers: Sequence[str]) -> list[int]:
    """Of a file sent for the second time, the two columns are left out: they come anew."""
    return [place for place, header in enumerate(headers) if header not in (ROW_TITLE, REASON_TITLE)]


def _cells(row: RejectedRow, kept: Sequence[int]) -> list[str | int]:
    cells = ["" if cell is None else str(cell).removesuffix("T00:00:00") for cell in row.cells]  # of dates in a workbook
    return [row.number, _reasons(row.faults), *(cells[place] for place in kept if place < len(cells))]


def _reasons(faults: Sequence[RowFault]) -> str:
    """As one sentence."""
    return "；".join(_reason(fault).rstrip("。") for fault in faults) + "。"


def _reason(fault: RowFault) -> str:
    return f"{fault.column}：{fault.message}" if fault.column else fault.message


def _attachment(run: ImportRun, extension: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="import-{run.order.kind}-errors.{extension}"'}
