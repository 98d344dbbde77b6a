"""Files of people and households with the columns of the contract, down to what is said of each row."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Sequence
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pytest

from app.codes import REGISTRY
from app.domain.access import AreaScope
from app.domain.identity import checksum_character
from app.domain.imports.header import Sifter, find_layout, fits
from app.domain.imports.kinds.people import PEOPLE
from app.domain.imports.model import Block
from app.domain.imports.reading import Plan, parse_block
from app.sheets import open_sheet
from app.sheets.model import HEAD_ROWS
from tests.sheets.making import ONE, TWO, simple_book, text, written

HERE = "350702001001"
TODAY = date(2026, 3, 2)
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
CARD = "6228480402564890018"
TITLES = """
户编号 姓名 证件类型 身份证号 与户主关系 户口性质 区划代码 户籍区划代码 住址 手机号 民族 婚姻状况 残疾类别 残疾等级 残疾人证号
是否重病 就业状况 学业状况 月收入(元) 开户银行 银行账号 户名 账户类型
"""
REQUIRED = {"户编号": "H1", "姓名": "张三", "身份证号": ONE, "与户主关系": "户主", "户口性质": "农村", "区划代码": HERE}
HEADER = list(REQUIRED)


def number(day: str, order: int = 1) -> str:
    digits = f"350702{day}{order:03d}"
    return digits + checksum_character(digits)


def table(*rows: dict[str, Any]) -> list[list[Any]]:
    """A header of all columns that the rows name, and the rows filled up with what is required."""
    full = [REQUIRED | row for row in rows]
    header = list(dict.fromkeys(chain(*full)))
    return [header, *[[row.get(title) for title in header] for row in full]]


def read_people(content: bytes, name: str = "名册.csv") -> tuple[Block, dict[int, set[tuple[str | None, str]]]]:
    sheet = open_sheet(io.BytesIO(content), name, fits=fits(PEOPLE))
    rows = sheet.rows()
    first = list(islice(rows, HEAD_ROWS))
    layout = find_layout(PEOPLE, first, date_1904=sheet.facts.date_1904)
    plan = Plan(PEOPLE, layout, AreaScope("350702", "350702"), frozenset({HERE}), TODAY)
    block, verdicts = parse_block(plan, list(Sifter(PEOPLE, layout, sheet.merged).sift(chain(first, rows))))
    found = {row: {(fault.column, fault.code) for fault in faults} for row, faults in verdicts.items()}
    return block, found


def read_row(**cells: Any) -> tuple[dict[str, Any], set[tuple[str | None, str]]]:
    block, verdicts = read_people(simple_book(table(cells)))
    ((_, values),) = block.rows()
    return values, verdicts.get(2, set())


def test_the_titles_of_the_contract_are_known() -> None:
    titles = TITLES.split()
    layout = find_layout(PEOPLE, [(1, titles)])
    assert layout.unknown == ()
    assert layout.missing(PEOPLE) == ()
    required = {column.title for column in PEOPLE.columns if column.required}
    assert required == set(HEADER)


def test_a_sheet_as_an_office_keeps_it() -> None:
    """A title, a note, other names for the columns, households merged over their rows, a total, a signature."""

    def fill(_: Any, sheet: Any) -> None:
        sheet.merge_range("A1:H1", "某村低保家庭成员花名册")
        sheet.write("A2", "填报单位（盖章）：某村")
        header = ["序号", "户 号*", "成员姓名", "公民身份号码\n（18位）", "与户主的关系", "城乡", "行政区划代码", "月收入（元）"]
        sheet.write_row(2, 0, header)
        sheet.write_row(3, 0, [1, "", "张三", ONE.lower(), "本人", "农业", 350702001001, 1234.5])
        sheet.write_row(4, 0, [2, "", "阿依古丽·买买提", f" {TWO[:6]} {TWO[6:]} ", "妻", "农业", 350702001001])
        sheet.merge_range("B4:B5", "H1")
        sheet.write_row(5, 0, ["合计", "", "2 人", "", "", "", "", 1234.5])
        sheet.write("A7", "填表人：张三　　审核人：李四　　填表日期：2026年1月2日")

    block, verdicts = read_people(written(fill), "名册.xlsx")
    assert verdicts == {}
    assert block.numbers == [4, 5]
    assert block.columns["household_no"] == ["H1", "H1"]
    assert block.columns["id_number"] == [ONE, TWO]
    assert block.columns["relation"] == ["head", "spouse"]
    assert block.columns["residence"] == ["rural", "rural"]
    assert block.columns["area_code"] == [HERE, HERE]
    assert block.columns["monthly_income_fen"] == [123450, None]


GOOD = [
    ({"手机号": 13800000000}, "phone", "13800000000"),
    ({"婚姻状况": "已婚"}, "marital_status", "married"),
    ({"是否重病": "√"}, "serious_illness", True),
    ({"月收入(元)": "１，２３４．５０"}, "monthly_income_fen", 123450),
    ({"月收入(元)": 0}, "monthly_income_fen", 0),
    ({"户籍区划代码": 350702}, "hukou_area_code", "350702"),
    ({"住址": "人民路\n1 号"}, "address", "人民路 1 号"),
    ({"身份证号": number("19900101")}, "id_number", number("19900101")),
    ({"开户银行": "某行", "银行账号": CARD, "户名": "张三"}, "account_number", CARD),
]
BAD = [
    ({"身份证号": 350702199001011234}, ("身份证号", "digits_lost")),
    ({"身份证号": "350702900101123"}, ("身份证号", "id_number_old")),
    ({"身份证号": "3.50702E+17"}, ("身份证号", "digits_lost")),
    ({"身份证号": None}, ("身份证号", "required")),
    ({"户编号": "  "}, ("户编号", "required")),
    ({"姓名": "张*"}, ("姓名", "name_wrong")),
    ({"与户主关系": "邻居"}, ("与户主关系", "choice_unknown")),
    ({"户口性质": "郊区"}, ("户口性质", "choice_unknown")),
    ({"区划代码": "350702001000"}, ("区划代码", "area_code_malformed")),
    ({"区划代码": "350702001999"}, ("区划代码", "area_unknown")),
    ({"区划代码": "350722001001"}, ("区划代码", "area_outside_scope")),
    ({"是否重病": "不详"}, ("是否重病", "yes_no_unknown")),
    ({"月收入(元)": "3千"}, ("月收入(元)", "amount_format")),
    ({"月收入(元)": -1}, ("月收入(元)", "amount_range")),
    ({"手机号": "138****0000"}, ("手机号", "phone_format")),
    ({"住址": "人民路***号"}, ("住址", "address_masked")),
    ({"残疾人证号": f"{TWO}11", "残疾类别": "视力", "残疾等级": "一级"}, ("残疾人证号", "disability_certificate_holder")),
    ({"残疾类别": "视力"}, ("残疾等级", "disability_incomplete")),
    ({"银行账号": 6228480402564890018, "开户银行": "某行", "户名": "张三"}, ("银行账号", "digits_lost")),
    ({"银行账号": CARD[:-1] + "9", "开户银行": "某行", "户名": "张三"}, ("银行账号", "bank_account_checksum")),
]


@pytest.mark.parametrize(("cells", "name", "value"), GOOD)
def test_read(cells: dict[str, Any], name: str, value: Any) -> None:
    values, faults = read_row(**cells)
    assert faults == set()
    assert values[name] == value


@pytest.mark.parametrize(("cells", "fault"), BAD)
def test_said_of_a_row(cells: dict[str, Any], fault: tuple[str, str]) -> None:
    _, faults = read_row(**cells)
    assert fault in faults
    assert {code for _, code in faults} <= REGISTRY["import_row_fault"].keys()


def test_every_fault_of_a_row_is_told_at_once() -> None:
    _, faults = read_row(姓名="*", 身份证号="1", 区划代码="1", 是否重病="?", **{"月收入(元)": "x"})
    assert {column for column, _ in faults} == {"姓名", "身份证号", "区划代码", "是否重病", "月收入(元)"}


def test_the_same_people_in_every_form() -> None:
    rows = table({}, {"姓名": "李四", "身份证号": TWO, "与户主关系": "配偶", "月收入(元)": "1234.50", "是否重病": "否"})
    texts: Sequence[bytes] = [
        text(rows),
        text(rows, "gb18030"),
        text(rows, "utf-8-sig", delimiter="\t"),
        text(rows, "utf-16", delimiter=";"),
    ]
    found = [read_people(content) for content in (*texts, simple_book(rows))]
    assert all(one == found[0] for one in found)
    assert found[0][1] == {}


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not on this machine")
@pytest.mark.parametrize("saved_as", ["xlsx", "csv:Text - txt - csv (StarCalc):44,34,76"], ids=["xlsx", "csv"])
def test_as_libreoffice_saves_it(tmp_path: Path, saved_as: str) -> None:
    """A real office program: it works out formulas, shows dates its own way and spells a workbook as nobody else does."""
    rows = table({"月收入(元)": "=1200+34.5", "手机号": 13800000000, "户编号": "0012"}, {"身份证号": TWO, "户编号": "0013"})
    (tmp_path / "名册.ods.xlsx").write_bytes(simple_book([["低保名册"], *rows, ["合计", "=COUNTA(B3:B4)"]]))
    arguments = [str(OFFICE), "--headless", "--convert-to", saved_as, "--outdir", str(tmp_path / "saved")]
    subprocess.run([*arguments, str(tmp_path / "名册.ods.xlsx")], check=True, timeout=120, capture_output=True)
    (saved,) = (tmp_path / "saved").iterdir()
    block, faults = read_people(saved.read_bytes(), saved.name)
    assert faults == {}
    columns = ("household_no", "id_number", "monthly_income_fen", "phone")
    assert [block.columns[name] for name in columns] == [["0012", "0013"], [ONE, TWO], [123450, None], ["13800000000", None]]
