"""Workbooks as exports write them: read by another library, by our own reader, and in bounded memory."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Sequence

import openpyxl  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import Conflict
from app.sheets import open_sheet, workbook_writing
from app.sheets.workbook_writing import XlsxWriting
from app.sheets.writing import Heading

COLUMNS = ("户编号", "姓名", "住址")
HEADING = Heading("人员/[测]", ("标题 & <注>", "导出人：甲；用途：核对&备案"), COLUMNS, author="甲 & 乙", purpose='核对 "<一>"')
TEXTS = st.text(alphabet="甲𠮷a1=+-@'\"<>&;_x0041_ \n\t\r\x01\u2028", max_size=12)


def made(*rows: Sequence[str], heading: Heading = HEADING) -> bytes:
    writing = XlsxWriting(heading)
    return b"".join([writing.add([row]) for row in rows]) + writing.end()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=1, max_size=5))
def test_our_reader_reads_what_was_written(rows: list[list[str]]) -> None:
    found = [cells for _, cells in open_sheet(io.BytesIO(made(*rows)), "x.xlsx").rows()]
    assert found[2] == [*COLUMNS]
    kept = [row for row in rows if any(row)]
    assert [["" if cell is None else cell for cell in row] for row in found[3:] if any(row)] == kept


def test_other_programs_read_it_too() -> None:
    book = openpyxl.load_workbook(io.BytesIO(made(["007", "=1+1", ""], ["", "a&<b>", " 两 边 "])))
    sheet = book.active
    assert [row[:3] for row in sheet.iter_rows(min_row=3, values_only=True)] == [
        COLUMNS,
        ("007", "=1+1", None),
        (None, "a&<b>", " 两 边 "),
    ]
    assert {(cell.data_type, cell.number_format, cell.quotePrefix) for row in sheet for cell in row if cell.value} == {
        ("s", "@", True)
    }
    assert (sheet.title, sheet.freeze_panes, sheet["A3"].font.bold) == ("人员测", "A4", True)
    assert sheet.column_dimensions["A"].number_format == "@"
    properties = book.properties
    assert (properties.title, properties.creator, properties.subject) == ("人员/[测]", "甲 & 乙", '核对 "<一>"')
    assert (sheet.oddHeader.left.text, sheet.oddFooter.left.text) == ("标题 && <注>", "导出人：甲；用途：核对&&备案")


def test_many_columns_keep_their_places() -> None:
    columns = [f"列{place}" for place in range(60)]
    sheet = openpyxl.load_workbook(io.BytesIO(made(columns, heading=Heading("宽", ("一", "二"), columns)))).active
    assert [cell.value for cell in sheet[4]] == columns


def test_it_is_handed_over_as_it_grows() -> None:
    writing, size = XlsxWriting(HEADING), 0
    tracemalloc.start()
    for block in range(20):
        size += len(writing.add([f"{block}-{row}", str(hash((block, row))), "路" * 20] for row in range(500)))
    size += len(writing.end())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2 << 20
    assert size > 100_000


def test_a_sheet_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_writing, "XLSX_ROWS", 5)
    made(["1", "", ""], ["2", "", ""])
    with pytest.raises(Conflict, match="export_too_many_rows"):
        made(["1", "", ""], ["2", "", ""], ["3", "", ""])
