"""Workbooks as Excel, WPS and other programs make them, and such as are made to do harm."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904  # type: ignore[import-untyped]

from app.sheets import SheetFault, SheetLimits, open_sheet
from tests.sheets.making import (
    HEADER,
    ONE,
    ROWS,
    TABLE,
    THREE,
    TWO,
    Case,
    book,
    locked,
    package,
    repacked,
    simple_book,
    text,
    written,
)

FIRST = {"household_no": "H1", "name": "张三", "id_number": ONE, "amount_fen": 10000}
SECOND = {"household_no": "H2", "name": "李四", "id_number": TWO, "amount_fen": 20050}
BOTH = {2: FIRST, 3: SECOND}
SHEET = "xl/worksheets/sheet1.xml"
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "Workbook".encode("utf-16-le")


def sheets(*tables: tuple[str, str, list[list[str]]]) -> bytes:
    """Sheets by name, state and rows."""

    def fill(workbook: Any) -> None:
        workbook.remove(workbook.active)
        for name, state, rows in tables:
            sheet = workbook.create_sheet(name)
            sheet.sheet_state = state
            for row in rows:
                sheet.append(row)

    return book(fill)


def with_cells(**cells: object) -> bytes:
    """The table by openpyxl with some cells changed or added, by their names."""

    def fill(workbook: Any) -> None:
        for row in TABLE:
            workbook.active.append(row)
        for place, value in cells.items():
            workbook.active[place] = value

    return book(fill)


def by_xlsxwriter(more: Callable[[Any, Any], None], **options: object) -> bytes:
    def fill(workbook: Any, sheet: Any) -> None:
        for number, row in enumerate(TABLE):
            sheet.write_row(number, 0, row)
        more(workbook, sheet)

    return written(fill, **options)


def mac_dates() -> bytes:
    def fill(workbook: Any) -> None:
        workbook.epoch = CALENDAR_MAC_1904
        for row in [[*HEADER, "起始日期"], [*ROWS[0], date(2026, 1, 2)], [*ROWS[1], 46024 - 1462]]:
            workbook.active.append(row)

    return book(fill)


def empty_formatted_rows(workbook: Any, sheet: Any) -> None:
    border = workbook.add_format({"border": 1})
    for row in range(3, 20_000):
        sheet.set_row(row, 20, border)
        sheet.write_blank(row, 0, None, border)


def merged_households(_: Any, sheet: Any) -> None:
    sheet.write_row(3, 0, ["", "王五", THREE, ""])
    sheet.merge_range("A3:A4", "H2")
    sheet.write(2, 3, "200.50")


def merged_amounts(_: Any, sheet: Any) -> None:
    sheet.write_row(3, 0, ["H3", "王五", THREE, ""])
    sheet.merge_range("D3:D4", "200.50")


def decorated(workbook: Any, sheet: Any) -> None:
    sheet.write_comment("A2", "批注")
    bold = workbook.add_format({"bold": True})
    sheet.write_rich_string("B2", bold, "张", "三")
    sheet.freeze_panes(1, 0)
    sheet.autofilter("A1:D3")
    sheet.conditional_format("D2:D3", {"type": "cell", "criteria": ">", "value": 1, "format": bold})
    sheet.data_validation("B2:B3", {"validate": "any"})
    sheet.write_url("A2", "https://example.org/", string="H1")


def chinese_dates(workbook: Any, sheet: Any) -> None:
    """Formats of the Chinese versions, by number (known to no library) and written out."""
    sheet.write_row(0, 4, ["起始日期", "起始月份"])
    by_number, month_by_number = workbook.add_format({"num_format": 31}), workbook.add_format({"num_format": 57})
    written_out = workbook.add_format({"num_format": 'yyyy"年"m"月"d"日";@'})
    month_written_out = workbook.add_format({"num_format": '[$-804]yyyy"年"m"月";@'})
    for row, (day, month) in enumerate([(by_number, month_by_number), (written_out, month_written_out)], start=1):
        sheet.write_datetime(row, 4, datetime(2026, 1, 2), day)  # noqa: DTZ001 - a cell knows no zone
        sheet.write_datetime(row, 5, datetime(2026, 5, 1), month)  # noqa: DTZ001


def renamed_part() -> bytes:
    """The list of parts spells a name otherwise than the archive."""
    return repacked(
        simple_book(),
        {"xl/_rels/workbook.xml.rels": lambda part: part.replace(b"worksheets/sheet1.xml", b"Worksheets/Sheet1.xml")},
    )


def formulas(_: Any, sheet: Any) -> None:
    sheet.write_formula("A2", '="H"&1', None, "H1")
    sheet.write_formula("D2", "=50+50", None, 100)
    sheet.write_formula("D3", "=0.1+0.2+200.2", None, 200.50000000000003)


def nothing_calculated(part: bytes) -> bytes:
    """As Excel saves a formula whose result is an empty text."""
    assert b'<c r="D2"><f>' in part
    return part.replace(b'<c r="D2"><f>', b'<c r="D2" t="str"><f>').replace(b"<v /></c>", b"<v></v></c>")


def far_away(row: int, cell: bytes) -> bytes:
    """The table with one more cell; writers take their time over the rows in between."""
    end = b'<row r="%d">%b</row></sheetData>' % (row, cell)
    return repacked(simple_book(), {SHEET: lambda part: part.replace(b"</sheetData>", end)})


def spread_out() -> bytes:
    def fill(_: Any, sheet: Any) -> None:
        for number, row in enumerate(TABLE):
            sheet.write_row(4 + number, 2, row)

    return written(fill)


def respelt(change: Callable[[bytes], bytes]) -> bytes:
    """The sheet's XML spelled as other programs may."""
    return repacked(simple_book(), {SHEET: change})


def prefixed(part: bytes) -> bytes:
    return part.replace(b"<", b"<x:").replace(b"<x:/", b"</x:").replace(b"<x:?", b"<?").replace(b"xmlns=", b"xmlns:x=")


def without_references(part: bytes) -> bytes:
    for column in b"ABCD":
        for row in b"123":
            part = part.replace(b' r="%c%c"' % (column, row), b"")
    return part


def with_entity(declared: bytes) -> Callable[[bytes], bytes]:
    def change(part: bytes) -> bytes:
        return b"<?xml version='1.0'?><!DOCTYPE worksheet [" + declared + b"]>" + part.replace(b"<t>H1<", b"<t>&e;<")

    return change


def overlapping_merges(part: bytes) -> bytes:
    many = b'<mergeCell ref="A1:A200000"/>' * 20
    end = b'<row r="200000"><c r="A200000"><v>1</v></c></row></sheetData><mergeCells>' + many + b"</mergeCells>"
    return part.replace(b"</sheetData>", end)


def same_name_twice() -> bytes:
    content = io.BytesIO(simple_book())
    with zipfile.ZipFile(content, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(SHEET, b"<worksheet/>")
    return content.getvalue()


GOOD = [
    Case("by openpyxl", simple_book(), BOTH, facts={"format": "xlsx", "sheet": "Sheet", "hidden_sheets": (), "date_1904": False}),
    Case("by xlsxwriter", by_xlsxwriter(lambda *_: None), BOTH, facts={"sheet": "名册"}),
    Case("by xlsxwriter, without a table of strings", by_xlsxwriter(lambda *_: None, constant_memory=True), BOTH),
    Case("named .csv", simple_book(), BOTH, name="名册.csv"),
    Case("comments, filters, links and rich text", by_xlsxwriter(decorated), BOTH),
    Case(
        "a hidden sheet in front",
        sheets(("旧", "hidden", TABLE), ("新", "visible", TABLE)),
        BOTH,
        facts={"sheet": "新", "hidden_sheets": ("旧",)},
    ),
    Case(
        "a very hidden sheet in front",
        sheets(("旧", "veryHidden", TABLE), ("新", "visible", TABLE)),
        BOTH,
        facts={"hidden_sheets": ("旧",)},
    ),
    Case(
        "an empty sheet in front",
        sheets(("Sheet1", "visible", []), ("Sheet2", "visible", TABLE)),
        BOTH,
        facts={"sheet": "Sheet2", "other_sheets": ()},
    ),
    Case(
        "notes in front",
        sheets(("说明", "visible", [["请先阅读"]]), ("名册", "visible", TABLE)),
        BOTH,
        facts={"sheet": "名册", "other_sheets": ("说明",)},
    ),
    Case("a part spelled with capitals", renamed_part(), BOTH),
    Case(
        "dates in Chinese formats",
        by_xlsxwriter(chinese_dates),
        {row: {"since": date(2026, 1, 2), "month": date(2026, 5, 1)} for row in (2, 3)},
    ),
    Case("values of formulas", by_xlsxwriter(formulas), {2: FIRST, 3: SECOND}),
    Case("an empty formatted cell in the far corner", far_away(1048576, b'<c r="XFD1048576" s="1"/>'), BOTH),
    Case("thousands of empty formatted rows", by_xlsxwriter(empty_formatted_rows), BOTH),
    Case("a table that begins at C5", spread_out(), {6: FIRST, 7: SECOND}),
    Case(
        "a household's number merged over its rows",
        by_xlsxwriter(merged_households),
        {**BOTH, 4: {"household_no": "H2", "name": "王五"}},
    ),
    Case(
        "dates counted from 1904",
        mac_dates(),
        {2: {"since": date(2026, 1, 2)}, 3: {"since": date(2026, 1, 2)}},
        facts={"date_1904": True},
    ),
    Case("cells with prefixed names", respelt(prefixed), BOTH),
    Case("cells without references", respelt(without_references), BOTH),
    Case("line breaks in cells", with_cells(E1="住\n址", E2="人民路\n1 号"), {2: FIRST | {"address": "人民路 1 号"}, 3: SECOND}),
]

CELLS = [
    Case(
        "an ID number as a number",
        with_cells(C2=11010519491231002000),
        {2: {"id_number": None}, 3: SECOND},
        {2: {("身份证号", "digits_lost")}},
    ),
    Case(
        "an ID number of fifteen digits as a number",
        with_cells(C2=110105491231002),
        {2: {}, 3: SECOND},
        {2: {("身份证号", "id_number_old")}},
    ),
    Case(
        "an account as a number",
        with_cells(E1="银行账号", E2=6228480000000000000, E3="6228480000000000000"),
        {2: {"account": None}, 3: {"account": "6228480000000000000"}},
        {2: {("银行账号", "digits_lost")}},
    ),
    Case(
        "area and phone as numbers",
        with_cells(E1="区划代码", E2=350702001001, F1="手机号", F2=13800000000),
        {2: {"area_code": "350702001001", "phone": "13800000000"}, 3: SECOND},
    ),
    Case("a household's number as a number", with_cells(A2=1001), {2: {"household_no": "1001"}, 3: SECOND}),
    Case(
        "a household's number become a date",
        with_cells(A2=date(2026, 1, 2)),
        {2: {}, 3: SECOND},
        {2: {("户编号", "cell_became_date")}},
    ),
    Case(
        "dates, times and serial numbers",
        with_cells(E1="起始日期", E2=datetime(2026, 1, 2, 8, 30), E3=46024),  # noqa: DTZ001 - a cell knows no zone
        {2: {"since": date(2026, 1, 2)}, 3: {"since": date(2026, 1, 2)}},
    ),
    Case(
        "months as dates",
        with_cells(E1="起始月份", E2=date(2026, 5, 1), E3=202605),
        {2: {"month": date(2026, 5, 1)}, 3: {"month": date(2026, 5, 1)}},
    ),
    Case("truth values", with_cells(E1="是否重病", E2=True, E3=False), {2: {"poor": True}, 3: {"poor": False}}),
    Case("amounts as numbers", with_cells(D2=123.45, D3=0.1 + 0.2), {2: {"amount_fen": 12345}, 3: {"amount_fen": 30}}),
    Case(
        "a third of an amount",
        with_cells(D2=100 / 3),
        {2: {"amount_fen": None}, 3: SECOND},
        {2: {("金额(元)", "amount_decimals")}},
    ),
    Case(
        "an amount merged over two people",
        by_xlsxwriter(merged_amounts),
        {**BOTH, 4: {"amount_fen": None}},
        {4: {("金额(元)", "cell_merged")}},
    ),
    Case(
        "a formula without its result",
        with_cells(D2="=SUM(1,2)"),
        {2: {"amount_fen": None}, 3: SECOND},
        {2: {("金额(元)", "cell_not_calculated")}},
    ),
    Case(
        "a formula whose result is no text at all",
        repacked(with_cells(D2="='',"), {SHEET: nothing_calculated}),
        {2: FIRST | {"amount_fen": None}, 3: SECOND},
    ),
    Case(
        "a formula with an error",
        by_xlsxwriter(lambda _, sheet: sheet.write_formula("B2", "=1/0", None, "#DIV/0!")),
        {2: {"name": None}, 3: SECOND},
        {2: {("姓名", "cell_broken")}},
    ),
    Case(
        "an error in cells with prefixed names",
        repacked(by_xlsxwriter(lambda _, sheet: sheet.write_formula("B2", "=1/0", None, "#DIV/0!")), {SHEET: prefixed}),
        {2: {}, 3: SECOND},
        {2: {("姓名", "cell_broken")}},
    ),
]

REFUSED = [
    Case("a password", locked(simple_book(), "secret"), refused="file_encrypted", says="密码"),
    Case("the format of 2003", COMPOUND, refused="file_old_format", says="另存为", name="名册.xls"),
    Case("the format of Excel 4", b"\x09\x04\x06\x00\x00\x00\x10\x00", refused="file_old_format"),
    Case(
        "two sheets with the header",
        sheets(("一月", "visible", TABLE), ("二月", "visible", TABLE)),
        refused="several_sheets",
        says="“一月”、“二月”",
    ),
    Case(
        "several sheets, none with the header",
        sheets(("甲", "visible", [["甲"]]), ("乙", "visible", [["乙"]])),
        refused="header_not_found",
    ),
    Case(
        "content on hidden sheets only",
        sheets(("新", "visible", []), ("旧", "hidden", TABLE)),
        refused="file_empty",
        says="取消隐藏",
    ),
    Case("no content", simple_book([]), refused="file_empty"),
    Case("an archive", package({"a.txt": b"a"}), refused="file_unsupported", says="压缩包", name="名册.zip"),
    Case("an empty archive", package({}), refused="file_unsupported"),
    Case("a Word document", package({"word/document.xml": b"<a/>"}), refused="file_unsupported", says="Word"),
    Case("an OpenDocument table", package({"content.xml": b"<a/>"}), refused="file_unsupported", says="OpenDocument"),
    Case("a binary workbook", package({"xl/workbook.bin": b"x"}), refused="file_unsupported", says="xlsb"),
    Case("a workbook cut off", simple_book()[:3000], refused="file_damaged", says="没有传完"),
    Case(
        "a workbook with a broken part",
        repacked(simple_book(), {"xl/workbook.xml": lambda part: part[:80]}),
        refused="file_damaged",
    ),
    Case("a workbook without its list of parts", package({"xl/workbook.xml": b"<workbook/>"}), refused="file_damaged"),
    Case("a sheet that isn't XML", respelt(lambda part: part[: len(part) // 2]), refused="file_damaged"),
    Case(
        "more rows than are read",
        simple_book([HEADER, *[ROWS[0]] * 40]),
        refused="sheet_too_long",
        says="41 行",
        limits=SheetLimits(xlsx_rows=40),
    ),
    Case(
        "a cell in the last row", far_away(1048576, b'<c r="A1048576"><v>1</v></c>'), refused="sheet_too_long", says="1048576 行"
    ),
    Case("a cell in the last column", far_away(4, b'<c r="XFD4"><v>1</v></c>'), refused="sheet_too_wide", says="16384 列"),
    Case(
        "a cell in the far corner, spelled unusually",
        repacked(far_away(1048576, b'<c r="XFD1048576"><v>1</v></c>'), {SHEET: prefixed}),
        refused="sheet_too_long",
    ),
    Case("more than may be unzipped", simple_book(), refused="file_unzips_too_large", limits=SheetLimits(unzipped_bytes=1000)),
    Case(
        "more content than fits into memory",
        simple_book(),
        refused="file_unzips_too_large",
        limits=SheetLimits(xlsx_content_bytes=500),
    ),
    Case(
        "more content than fits into memory, spelled unusually",
        respelt(prefixed),
        refused="file_unzips_too_large",
        limits=SheetLimits(xlsx_content_bytes=500),
    ),
    Case("merges on top of each other", respelt(overlapping_merges), refused="file_damaged"),
    Case(
        "a part of nothing but blanks",
        repacked(simple_book(), {}, {"xl/media/a.bin": b" " * (40 << 20)}),
        refused="file_unzips_too_large",
    ),
    Case("a larger file than is read", simple_book(), refused="file_too_large", limits=SheetLimits(package_bytes=1000)),
    Case("two parts of the same name", same_name_twice, refused="file_damaged"),
    Case(
        "a workbook that names outside files",
        repacked(simple_book(), {"xl/workbook.xml": with_entity(b'<!ENTITY e SYSTEM "file:///nowhere">')}),
        refused="file_damaged",
    ),
    Case(
        "formulas without results all over",
        with_cells(**{f"E{row}": "=1" for row in range(1, 10_050)}),
        refused="formulas_broken",
    ),
]


@pytest.mark.parametrize("case", [*GOOD, *CELLS, *REFUSED], ids=lambda case: case.title)
def test_workbook(case: Case) -> None:
    case.check()


def test_files_of_this_machine_never_become_content(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("never shown", "utf-8")
    assert "never shown" not in str(rows_with_entity(f'<!ENTITY e SYSTEM "{secret.as_uri()}">'))


def test_entities_of_entities_are_not_multiplied() -> None:
    levels = ['<!ENTITY a0 "aaaaaaaaaa">', *(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9)), '<!ENTITY e "&a8;">']
    assert "aaaaaaaaaa" not in str(rows_with_entity("".join(levels)))


def rows_with_entity(declared: str) -> list[Any]:
    """The rows of a workbook with an entity in a cell, or none when it is refused."""
    content = repacked(simple_book(), {SHEET: with_entity(declared.encode())})
    with contextlib.suppress(SheetFault):
        return list(open_sheet(io.BytesIO(content), "名册.xlsx").rows())
    return []


def test_the_same_table_in_every_form_reads_the_same() -> None:
    forms = [text(), text(encoding="gb18030", delimiter="\t"), simple_book(), by_xlsxwriter(lambda *_: None)]
    found = [[cells for _, cells in open_sheet(io.BytesIO(content), "x").rows()] for content in forms]
    assert all(rows == found[0] for rows in found)
