"""Text tables as they really come: encodings, separators, quotes, and what is wrong with them."""

from __future__ import annotations

import codecs
from datetime import date

import pytest

from tests.sheets.making import HEADER, ONE, ROWS, TABLE, THREE, TWO, Case, text

FIRST = {"household_no": "H1", "name": "张三", "id_number": ONE, "amount_fen": 10000}
SECOND = {"household_no": "H2", "name": "李四", "id_number": TWO, "amount_fen": 20050}
BOTH = {2: FIRST, 3: SECOND}
WIDE = str.maketrans("0123456789X.,", "０１２３４５６７８９Ｘ．，")
LONG = "闽" * 400


def with_row(*cells: str, header: tuple[str, ...] = ()) -> bytes:
    """The table's header with a few more columns, and one row."""
    return text([[*HEADER, *header], ["H1", "张三", ONE, "100.00", *cells]])


def one_number(number: str) -> bytes:
    return text([HEADER, ["H1", "张三", number, "100.00"], ROWS[1]])


def broken_at(content: bytes, place: int) -> bytes:
    return content[:place] + b"\xff" + content[place + 1 :]


ENCODINGS = [
    Case("utf-8", text(), BOTH, facts={"format": "csv", "encoding": "UTF-8", "delimiter": ","}),
    Case("utf-8 with mark", text(encoding="utf-8-sig"), BOTH, facts={"encoding": "UTF-8（带 BOM）"}),
    Case("gb18030", text(encoding="gb18030"), BOTH, facts={"encoding": "GB18030"}),
    Case(
        "gb18030 with a character of four bytes",
        text([HEADER, ["H1", "𠮷田", ONE, "100.00"]], "gb18030"),
        {2: FIRST | {"name": "𠮷田"}},
        facts={"encoding": "GB18030"},
    ),
    Case("utf-16 little endian", codecs.BOM_UTF16_LE + text(encoding="utf-16-le"), BOTH, facts={"encoding": "UTF-16"}),
    Case("utf-16 big endian, tabs", codecs.BOM_UTF16_BE + text(encoding="utf-16-be", delimiter="\t"), BOTH),
    Case("utf-16 without mark", text(encoding="utf-16-le"), refused="file_has_nul"),
    Case("utf-16 cut in the middle of a character", text(encoding="utf-16")[:-1], refused="encoding_broken", says="没有传完"),
    Case(
        "utf-8 with one broken byte",
        broken_at(text(), len(text()) - 20),
        refused="encoding_broken",
        says=f"第 3 行（第 {len(text()) - 19} 字节）",
    ),
    Case(
        "utf-8 with mark and one broken byte",
        broken_at(text(encoding="utf-8-sig"), 3),
        refused="encoding_broken",
        says="第 1 行（第 4 字节）",
    ),
    Case(
        "utf-8 cut in the middle of a character",
        text([HEADER, [*ROWS[0], "住"]])[:-3],
        refused="encoding_broken",
        says="没有传完",
    ),
    Case("neither utf-8 nor gb18030", b"a,b\r\n\xff\xff\r\n", refused="encoding_unknown", says="第 2 行（第 6 字节）"),
    Case("broken only in the second mebibyte", broken_at(text([HEADER, *ROWS * 20_000]), 1_200_003), refused="encoding_broken"),
    Case(
        "broken after lines of old Macs",
        broken_at(text(line_end="\r"), len(text()) - 20),
        refused="encoding_broken",
        says="第 3 行",
    ),
    Case("a byte of nothing", text().replace(b"H2", b"H\x00"), refused="file_has_nul", says="第 3 行"),
    Case(
        "utf-16 with a character of nothing",
        codecs.BOM_UTF16_LE + text(encoding="utf-16-le") + b"\0\0",
        refused="file_has_nul",
        says="第 4 行",
    ),
    Case("nothing", b"", refused="file_empty"),
    Case("nothing but a mark", codecs.BOM_UTF8, refused="file_empty"),
    Case("nothing but blanks", b" \r\n\r\n  \r\n", refused="file_empty"),
    Case("nothing but empty cells", b",,,\r\n,,,\r\n", refused="file_empty"),
    Case("nothing but a header", text([HEADER]), {}, skipped={}),
]

SHAPES = [
    Case(
        "a header that begins like a picture",
        text([["BM", "姓名", "身份证号"], *[row[:3] for row in ROWS]]),
        {2: {"household_no": "H1"}, 3: {}},
        mapping={"bm": "household_no"},
    ),
    Case("semicolons", text(delimiter=";"), BOTH, facts={"delimiter": ";"}),
    Case("tabs", text(delimiter="\t"), BOTH, facts={"delimiter": "\t"}, name="名册.txt"),
    Case("bars", text(delimiter="|"), BOTH, facts={"delimiter": "|"}),
    Case("semicolons announced", b"sep=;\r\n" + text(delimiter=";"), {3: FIRST, 4: SECOND}),
    Case(
        "commas in amounts between semicolons",
        text([HEADER, ["H1", "张三", ONE, "1,234.50"]], delimiter=";"),
        {2: FIRST | {"amount_fen": 123450}},
    ),
    Case("line ends of old Macs", text(line_end="\r"), BOTH),
    Case("line ends of Unix, none after the last line", text(line_end="\n").rstrip(), BOTH),
    Case(
        "a line break inside quotes",
        with_row("人民路 1 号\n二楼", header=("住址",)),
        {2: FIRST | {"address": "人民路 1 号 二楼"}},
    ),
    Case(
        "a comma and quotes inside quotes", with_row('人民路"新村",1 号', header=("住址",)), {2: {"address": '人民路"新村",1 号'}}
    ),
    Case("a quote that is a mark of inches", text().replace(b"H2", b'H2"'), {2: FIRST, 3: SECOND | {"household_no": 'H2"'}}),
    Case(
        "a quote never closed, rows after it",
        text([HEADER, *ROWS, ["H3", "王五", THREE, "1"]]).replace(b"H2,", b'"H2,'),
        {2: FIRST, 3: {}, 4: {"id_number": THREE}},
        {3: {(None, "quotes_unbalanced")}},
    ),
    Case(
        "a quote never closed, quotes in rows after it",
        f'{",".join(HEADER)}\nH1,"张三,{ONE},100.00\n{",".join(ROWS[1])}\nH3,"王五",{THREE},1\n'.encode(),
        {2: {}, 3: SECOND, 4: {"id_number": THREE}},
        {2: {(None, "quotes_unbalanced")}},
    ),
    Case(
        "two stray quotes below each other, closing each other",
        "\n".join(
            [",".join([*HEADER, "住址"]), f'H1,"张三,{ONE},1,甲', f'H2,李四",{TWO},2,乙', f"H3,王五,{THREE},3,丙"]
        ).encode(),
        {2: {}, 3: {"id_number": THREE}},
        {2: {(None, "quotes_unbalanced"), ("姓名", "name_wrong")}},
    ),
    Case(
        "a quote never closed in the last row",
        text().replace(b"H2,", b'"H2,'),
        {2: FIRST, 3: {}},
        {3: {(None, "quotes_unbalanced")}},
    ),
    Case(
        "text after a closing quote",
        text().replace("李四".encode(), '"李四"户主'.encode()),
        {2: FIRST, 3: {}},
        {3: {(None, "quotes_unbalanced")}},
    ),
    Case("rows without their last cells", text([HEADER, ROWS[0][:3], ROWS[1]]), {2: FIRST | {"amount_fen": None}, 3: SECOND}),
    Case(
        "a row with a cell too many",
        text([HEADER, ["H1", "张三", ONE, "1", "234.00"], ROWS[1]]),
        {2: {}, 3: SECOND},
        {2: {(None, "too_many_cells")}},
    ),
    Case("commas to the end of every row", text([[*HEADER, "", ""], *[[*row, "", ""] for row in ROWS]]), BOTH),
    Case("something under no header", text([[*HEADER, ""], [*ROWS[0], "x"], [*ROWS[1], ""]]), BOTH, stray={4}),
    Case(
        "empty lines between rows",
        text([HEADER, [], ROWS[0], ["", "", "", ""], ["　", " "], ROWS[1]]),
        {3: FIRST, 6: SECOND},
        skipped={"empty": 3},
    ),
    Case(
        "a cell of 400 characters",
        with_row(LONG, header=("住址",)),
        {2: FIRST | {"address": None}},
        {2: {("住址", "text_too_long")}},
    ),
    Case(
        "a cell of 40,000 characters where a number belongs",
        text([HEADER, ["H1", "张三", "1" * 40_000, "1"], ROWS[1]]),
        {2: {}, 3: SECOND},
        {2: {("身份证号", "text_too_long")}},
    ),
    Case(
        "a cell of 200,000 characters",
        text([HEADER, ["H1", LONG * 500, ONE, "1"], ROWS[1]]),
        {2: {}, 3: SECOND},
        {2: {("姓名", "text_too_long")}},
    ),
    Case(
        "a cell of 200,000 characters after a stray quote",
        text([HEADER, ["H1", "张三", ONE, "1"], ROWS[1]]).replace("张三".encode(), f'"张三"{LONG * 500}'.encode()),
        {2: {}, 3: SECOND},
        {2: {(None, "quotes_unbalanced"), ("姓名", "text_too_long")}},
    ),
    Case("five million characters without a line break", b"a" * 5_000_000, refused="line_too_long"),
    Case(
        "a web page named .xls",
        "<html><table><tr><td>户编号</td></tr></table></html>".encode(),
        refused="file_is_web_page",
        says=".xls 文件",
        name="名册.xls",
    ),
    Case("a web page after blanks", b"\xef\xbb\xbf \r\n<!-- x -->\n<TABLE>", refused="file_is_web_page"),
    Case(
        "an XML spreadsheet of 2003",
        b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>',
        refused="file_is_web_page",
    ),
    Case("a PDF", b"%PDF-1.7\n", refused="file_unsupported", says="PDF", name="名册.pdf"),
    Case("a picture", b"\x89PNG\r\n\x1a\n\0\0", refused="file_unsupported", says="图片"),
    Case("an archive", b"Rar!\x1a\x07\0", refused="file_unsupported", says="RAR"),
]

CONTENTS = [
    Case(
        "everything full width",
        text([HEADER, ["Ｈ１", "张三", ONE.translate(WIDE), "１，２３４．５０"]]),
        {2: FIRST | {"household_no": "Ｈ１", "amount_fen": 123450}},
    ),
    Case("blanks inside a number", one_number("110105 19491231 002X"), BOTH),
    Case("a small x", one_number(ONE.lower()), BOTH),
    Case("a number kept as text by a formula", one_number(f'="{ONE}"'), BOTH),
    Case("a number kept as text by a tab", one_number(f"\t{ONE}"), BOTH),
    Case("a number kept as text by an apostrophe", one_number(f"'{ONE}"), BOTH),
    Case(
        "fifteen digits", one_number("110105491231002"), {2: {"id_number": None}, 3: SECOND}, {2: {("身份证号", "id_number_old")}}
    ),
    Case(
        "a number in powers of ten",
        one_number("1.10105E+17"),
        {2: {"id_number": None}, 3: SECOND},
        {2: {("身份证号", "digits_lost")}},
    ),
    Case(
        "a number with its end rounded away",
        one_number("110105194912310000"),
        {2: {}, 3: SECOND},
        {2: {("身份证号", "digits_lost")}},
    ),
    Case("a masked number", one_number("110105********002X"), {2: {}, 3: SECOND}, {2: {("身份证号", "id_number_characters")}}),
    Case("an empty number", one_number(""), {2: {}, 3: SECOND}, {2: {("身份证号", "required")}}),
    Case(
        "yes and no",
        text([[*HEADER, "是否重病"], *[[*ROWS[0], word] for word in ("√", "Ｙ", "有", "1", "是", "否", "N", "0", "　")]]),
        {n: {"poor": value} for n, value in enumerate([True] * 5 + [False] * 3 + [None], start=2)},
    ),
    Case(
        "dates",
        text(
            [
                [*HEADER, "起始月份"],
                *[[*ROWS[0], word] for word in ("2026-05", "2026年5月", "202605", "2026/5/1", "46143", "May-26")],
            ]
        ),
        {n: {"month": date(2026, 5, 1) if n < 7 else None} for n in range(2, 8)},
        {7: {("起始月份", "month_format")}},
    ),
    Case(
        "text that would be a formula, as an export writes it",
        with_row("'=1+1", header=("住址",)),
        {2: FIRST | {"address": "=1+1"}},
    ),
    Case("the errors of formulas", with_row("#REF!", header=("住址",)), {2: FIRST}, {2: {("住址", "cell_broken")}}),
    Case("a column too narrow", one_number("##########"), {2: {}, 3: SECOND}, {2: {("身份证号", "cell_broken")}}),
    Case(
        "several numbers in a cell",
        with_row(f"{ONE}、{TWO}", header=("保障人员身份证号",)),
        {2: FIRST | {"members": (ONE, TWO)}},
    ),
    Case(
        "an account in powers of ten",
        with_row("6.22848E+18", header=("银行账号",)),
        {2: FIRST},
        {2: {("银行账号", "digits_lost")}},
    ),
    Case(
        "a character nobody could read",
        text([HEADER, ["H1", "张\ufffd", ONE, "100.00"]]),
        {2: {}},
        {2: {("姓名", "text_characters")}},
    ),
]


@pytest.mark.parametrize("case", [*ENCODINGS, *SHAPES, *CONTENTS], ids=lambda case: case.title)
def test_text_file(case: Case) -> None:
    case.check()


def test_the_table_itself() -> None:
    Case("as it is", text(TABLE), BOTH).check()
