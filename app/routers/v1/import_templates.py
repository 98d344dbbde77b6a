"""Empty files to fill in, with what goes into each column."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Sequence
from typing import Annotated

from fastapi import Path, Response

from app.domain.errors import NotFound
from app.domain.imports.cells import Choice, Number, Whole, Yuan
from app.domain.imports.exporting import INSTRUCTIONS
from app.domain.imports.model import Column, Kind
from app.domain.imports.registry import find_kind
from app.routers.route import api_router
from app.routers.v1.import_access import Reader
from app.workbook import MEDIA_TYPE as XLSX
from app.workbook import Sheet, workbook

router = api_router("批量导入")
KindCode = Annotated[str, Path(max_length=50, description="导入类别，见 GET /api/v1/import-kinds")]
NOTES = ("列名", "是否必填", "填写说明", "示例", "也认得的列名")


@router.get(
    "/imports/templates/{kind}.csv",
    summary="下载模板（CSV）",
    response_class=Response,
    responses={200: {"description": "只有表头，带 * 的为必填", "content": {"text/csv": {}}}},
)
async def template_csv(kind: KindCode, _actor: Reader) -> Response:
    """UTF-8（带 BOM），可直接用 Excel 或 WPS 打开填写。填写说明和示例见 XLSX 模板。"""
    found = _kind(kind)
    text = io.StringIO(newline="")
    csv.writer(text).writerow(_heading(found))
    content = b"\xef\xbb\xbf" + text.getvalue().encode()
    return Response(content, media_type="text/csv; charset=utf-8", headers=_attachment(found, "csv"))


@router.get(
    "/imports/templates/{kind}.xlsx",
    summary="下载模板（XLSX）",
    response_class=Response,
    responses={200: {"description": "第一张表填写数据，第二张表是填写说明和示例", "content": {XLSX: {}}}},
)
async def template_xlsx(kind: KindCode, _actor: Reader) -> Response:
    """只读取第一张表；第二张表的示例不会被导入。"""
    found = _kind(kind)
    texts = [place for place, column in enumerate(found.columns) if not isinstance(column.cell, Number | Whole | Yuan)]
    data = Sheet(found.title, _heading(found), [], text_columns=texts)
    sheets = [data, Sheet(INSTRUCTIONS, NOTES, [_note(column) for column in found.columns])]
    content = await asyncio.to_thread(workbook, sheets)
    return Response(content, media_type=XLSX, headers=_attachment(found, "xlsx"))


def _kind(code: str) -> Kind:
    found = find_kind(code)
    if found is None:
        raise NotFound("import_kind_unknown", "没有该类导入，请查看 GET /api/v1/import-kinds。")
    return found


def _heading(kind: Kind) -> list[str]:
    return [f"{column.title}*" if column.required else column.title for column in kind.columns]


def _note(column: Column) -> Sequence[str]:
    words = f"可填：{'、'.join(column.cell.titles)}" if isinstance(column.cell, Choice) else ""
    note = "。".join(filter(None, (column.note.rstrip("。"), words)))
    return (column.title, "必填" if column.required else "", note, column.example, "、".join(column.aliases))


def _attachment(kind: Kind, extension: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{kind.code}-template.{extension}"'}
