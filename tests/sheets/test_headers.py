"""Where the header stands and which rows are data, in tables that people have decorated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.domain.imports.cells import Text, Yuan
from app.domain.imports.header import HeaderFault, find_layout
from app.domain.imports.layout import bare_key, header_key
from app.domain.imports.model import Column
from tests.sheets.making import HEADER, KIND, ONE, ROWS, TABLE, THREE, TWO, Case, read, simple_book, text, written

FIRST = {"household_no": "H1", "name": "张三", "id_number": ONE, "amount_fen": 10000}
SECOND = {"household_no": "H2", "name": "李四", "id_number": TWO, "amount_fen": 20050}
BOTH = {2: FIRST, 3: SECOND}
TITLE = ["某街道低保名册", "", "", ""]


def titled() -> bytes:
    """A title merged over the table, a note below it, an empty row, then the header."""

    def fill(_: Any, sheet: Any) -> None:
        sheet.merge_range("A1:D2", TITLE[0])
        sheet.write("A3", "填报单位：某街道  填报日期：2026年1月2日")
        for number, row in enumerate(TABLE, start=4):
            sheet.write_row(number, 0, row)

    return written(fill)


FOUND = [
    Case("titles and notes above", titled(), {6: FIRST, 7: SECOND}),
    Case("titles and empty lines above, as text", text([TITLE, [], ["单位：元"], *TABLE]), {5: FIRST, 6: SECOND}),
    Case("in row 30", text([*[["说明"]] * 29, *TABLE]), {31: FIRST, 32: SECOND}),
    Case("in row 31", text([*[["说明"]] * 30, *TABLE]), refused="header_not_found", says="户编号、姓名、身份证号"),
    Case("other names", text([["户号", "姓名", "公民身份号码", "保障金额"], *ROWS]), BOTH, unknown=()),
    Case(
        "blanks, asterisks, units, remarks", text([["* 户 编 号", "姓\n名*", "身份证号\r\n（18位）", "金额（元）"], *ROWS]), BOTH
    ),
    Case("full width and colons", text([["户编号：", "姓名", "身份证号(必填)", "金额"], *ROWS]), BOTH),
    Case("numbered headers", text([["1.户编号", "2.姓名", "3、身份证号", "(4)金额(元)"], *ROWS]), BOTH),
    Case("field names", text([["household_no", "Name", "id_number", "amount_fen"], *ROWS]), BOTH),
    Case("columns in another order", text([[row[place] for place in (3, 2, 0, 1)] for row in TABLE]), BOTH),
    Case(
        "over two rows, names merged downwards",
        text([["户编号", "姓名", "证件", "待遇"], ["", "", "身份证号", "金额"], *ROWS]),
        {3: FIRST, 4: SECOND},
    ),
    Case(
        "over two rows, merged in a workbook",
        simple_book([["户编号", "姓名", "证件", None], [None, None, "身份证号", "金额"], *ROWS]),
        {3: FIRST, 4: SECOND},
    ),
    Case("groups above a complete header", text([["基本情况", "", "", "待遇"], *TABLE]), {3: FIRST, 4: SECOND}),
    Case(
        "an unknown column",
        text([[*HEADER, "备注", "姓名拼音"], *[[*row, "x", "y"] for row in ROWS]]),
        BOTH,
        unknown=("备注", "姓名拼音"),
    ),
    Case(
        "another person's number",
        text([[*HEADER, "身份证号（户主）"], *[[*row, THREE] for row in ROWS]]),
        BOTH,
        unknown=("身份证号（户主）",),
    ),
    Case(
        "another unit",
        text([["户编号", "姓名", "身份证号", "金额(万元)"], *ROWS]),
        {2: {}, 3: {}},
        unknown=("金额(万元)",),
    ),
    Case(
        "a column twice", text([[*HEADER, "姓 名"], *[[*row, "x"] for row in ROWS]]), refused="header_repeated", says="第 2、5 列"
    ),
    Case(
        "a column under two names",
        text([[*HEADER, "户号"], *[[*row, "x"] for row in ROWS]]),
        refused="header_repeated",
        says="户编号",
    ),
    Case(
        "no ID number",
        text([["户编号", "姓名", "金额"], *[[row[0], row[1], row[3]] for row in ROWS]]),
        refused="header_columns_missing",
        says="身份证号",
    ),
    Case("no header at all", text(ROWS), refused="header_not_found", says="模板"),
    Case(
        "another system's headers",
        text([["家庭编码", "XM", "GMSFHM", "金额"], *ROWS]),
        BOTH,
        mapping={"家庭编码": "household_no", "xm": "name", "gmsfhm": "id_number"},
    ),
    Case(
        "another system's header beside one of ours that means something else",
        text([["户编号", "姓名", "成员姓名", "身份证号"], ["H1", "李四", "张三", ONE]]),
        {2: {"name": "张三"}},
        mapping={"成员姓名": "name"},
        unknown=("姓名",),
    ),
]

DATA = [
    Case(
        "a total",
        text([*TABLE, ["合计", "", "", "300.50"]]),
        BOTH,
        skipped={"totals": 1},
        claims=[(4, "合计", {"amount_fen": 30050}, True)],
    ),
    Case(
        "totals in many words",
        text(
            [
                HEADER,
                ROWS[0],
                ["", "小 计：", "", "100.00"],
                ROWS[1],
                ["", "", "总计(人民币)", "￥300.50元"],
                ["合计2户3人", "", "", "约三百"],
            ]
        ),
        {2: FIRST, 4: SECOND},
        claims=[
            (3, "小计", {"amount_fen": 10000}, False),
            (5, "总计", {"amount_fen": 30050}, True),
            (6, "合计", {"amount_fen": None}, True),
        ],
    ),
    Case("a total without an amount", text([*TABLE, ["合计", "2 人", "", ""]]), BOTH, claims=[(4, "合计", {}, True)]),
    Case(
        "a total beside a row number",
        simple_book([["序号", *HEADER], [1, *ROWS[0]], [2, *ROWS[1]], ["合计", None, None, None, 300.5]]),
        BOTH,
        claims=[(4, "合计", {"amount_fen": 30050}, True)],
        skipped={"totals": 1},
    ),
    Case(
        "someone whose household is called 合计",
        text([*TABLE, ["合计", "王五", THREE, "1"]]),
        {**BOTH, 4: {"household_no": "合计"}},
    ),
    Case(
        "signatures and remarks",
        text(
            [
                *TABLE,
                [],
                ["填表人：张三", "", "审核人：李四", "2026年1月2日"],
                ["单位负责人（签字）：", "", "", ""],
                ["备注：以上人员已公示。", "", "", ""],
                ["（盖章）", "", "", ""],
            ]
        ),
        BOTH,
        skipped={"empty": 1, "note": 4},
    ),
    Case(
        "a signature beside a date where a number belongs",
        text([*TABLE, ["制表：某街道", "", "", ""], ["填表日期：", "", "2026年1月2日", ""]]),
        BOTH,
        skipped={"note": 2},
    ),
    Case(
        "a header repeated for printing",
        text([HEADER, ROWS[0], HEADER, ROWS[1], ["户 编号", "姓名 ", "", ""]]),
        {2: FIRST, 4: SECOND},
        skipped={"header": 2},
    ),
    Case(
        "rows numbered in advance",
        simple_book(
            [["序号", *HEADER], [1, *ROWS[0]], [2, *ROWS[1]], *[[number, None, None, None, None] for number in range(3, 20)]]
        ),
        BOTH,
        skipped={"empty": 17},
    ),
    Case(
        "a row with nothing but a name",
        text([*TABLE, ["", "王五", "", ""]]),
        {**BOTH, 4: {"name": "王五"}},
        {4: {("户编号", "required"), ("身份证号", "required")}},
    ),
    Case(
        "a row of oddities",
        text([*TABLE, ["？", "？", "？", "？"]]),
        {**BOTH, 4: {}},
        {4: {("姓名", "name_wrong"), ("身份证号", "id_number_length"), ("金额(元)", "amount_format")}},
    ),
]


@pytest.mark.parametrize("case", [*FOUND, *DATA], ids=lambda case: case.title)
def test_table(case: Case) -> None:
    case.check()


@pytest.mark.parametrize(
    ("written_as", "known_as"),
    [
        ("月收入(元)", "月收入"),
        ("月收入（元）", "月收入"),
        (" 是否重病（是/否）", "是否重病"),
        ("出生日期(YYYY-MM-DD)", "出生日期"),
        ("*区划代码【12位】", "区划代码"),
        ("姓名(如：张三)", "姓名"),
        ("姓名(户主)", "姓名(户主)"),
        ("金额(万元)", "金额(万元)"),
        ("①姓名", "①姓名"),
    ],
)
def test_only_remarks_that_say_nothing_are_left_out(written_as: str, known_as: str) -> None:
    assert bare_key(header_key(written_as)) == known_as


@pytest.mark.parametrize("label", ["合计", "合 计", "总　计", "计", "总数", "Total", "TOTAL:", "合计（2 人）"])
def test_a_totals_row_in_any_words(label: str) -> None:
    found = read(text([*TABLE, [label, "", "", "300.50"]]))
    assert [(claim.amounts, claim.final) for claim in found.claims] == [({"amount_fen": 30050}, True)]
    assert (len(found.rows), found.faults) == (2, {})


def test_without_a_header_the_words_of_the_profile_are_asked_for() -> None:
    with pytest.raises(HeaderFault, match="header_not_found") as refusal:
        find_layout(KIND, [(1, ["甲", "乙"])], {"家庭编码": "household_no", "编码": "household_no"}, supplied=("name",))
    assert "家庭编码、身份证号；" in refusal.value.detail


def test_what_a_profile_fills_in_needs_no_column() -> None:
    rows = [(1, ["姓名", "身份证号"])]
    with pytest.raises(HeaderFault):
        find_layout(KIND, rows)
    assert find_layout(KIND, rows, supplied=["household_no"]).fields == ("name", "id_number")


def test_columns_that_may_be_left_out_are_named() -> None:
    found = read(text()).layout.missing(KIND)
    assert "开户银行" in found
    assert "姓名" not in found


def test_a_totals_row_is_told_by_the_key_even_when_counts_stand_in_required_columns() -> None:
    """A required number of people is a sum like any other."""
    counted = Column("people", "保障人数", Yuan(), required=True)
    kind = replace(KIND, columns=(*KIND.columns, counted, Column("note", "备注", Text())))
    rows = [[*HEADER, "保障人数"], [*ROWS[0], "1"], ["合计", "", "", "100", "1"]]
    assert list(read(text(rows), kind=kind).rows) == [2]
