"""People and households: one row per person, households by their number. The columns are those of the published contract.

An empty cell never takes away what is on record: it says nothing. What ends a fact is a word (否, 不在读) or an edit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from app.domain.access import Duty
from app.domain.identity import (
    CARD_LENGTHS,
    DISABILITY_CATEGORIES,
    AccountKind,
    IdentityFault,
    parse_bank_account,
    parse_disability_certificate,
    passes_luhn,
)
from app.domain.imports.cells import AreaCode, BankAccount, Certificate, Choice, IdNumber, Name, Phone, Text, YesNo, Yuan
from app.domain.imports.consistency_setwise import HouseholdsOfFile
from app.domain.imports.kinds import people_words as words
from app.domain.imports.model import Block, Column, Kind, RowFault
from app.domain.imports.registry import register_kind

_CATEGORY_NUMBERS: Final = {name: number for number, name in DISABILITY_CATEGORIES.items()}
_ACCOUNT: Final = ("bank_name", "account_number", "account_holder")
#: As the registry gives numbers out: the community and a running number.
_GENERATED_NO: Final = re.compile(r"([0-9]{12})-[0-9]{6}")
_CHECKED: Final = ("disability_category", "disability_grade", "disability_certificate")
_PREFIXES: Final = {"hmt_residence_permit": ("81", "82", "83"), "foreign_permanent_residence": ("9",)}

COLUMNS: Final = (
    Column(
        "household_no", "户编号", Text(40), required=True, aliases=("家庭编号", "户号", "户籍编号", "户编码"), example="H0001"
    ),
    Column("name", "姓名", Name(), required=True, aliases=("成员姓名", "家庭成员姓名", "人员姓名"), example="张三"),
    Column(
        "id_kind",
        "证件类型",
        Choice(words.ID_KINDS),
        aliases=("证件种类", "证件类别"),
        note="不填为居民身份证",
        example="居民身份证",
    ),
    Column(
        "id_number",
        "身份证号",
        IdNumber(),
        required=True,
        aliases=("身份证号码", "公民身份号码", "证件号码", "证件号", "身份证", "居民身份证号码"),
        example="11010519491231002X",
        sensitive=True,
    ),
    Column(
        "relation",
        "与户主关系",
        Choice(words.RELATIONS),
        required=True,
        aliases=("关系", "家庭关系", "与户主的关系", "与申请人关系"),
        note="每户至多一名配偶；继子女年长于户主等特殊情形填其他",
        example="户主",
    ),
    Column(
        "residence", "户口性质", Choice(words.RESIDENCES), required=True, aliases=("户籍性质", "户口类型", "城乡"), example="农村"
    ),
    Column(
        "area_code",
        "区划代码",
        AreaCode(),
        required=True,
        aliases=("居住地区划代码", "居住地区划", "行政区划代码", "村（社区）代码", "区划编码"),
        note="现居住的村（社区），12 位",
        example="350702001001",
    ),
    Column("hukou_area_code", "户籍区划代码", AreaCode((6, 9, 12)), aliases=("户籍地区划代码", "户籍地区划"), example="350702"),
    Column(
        "address", "住址", Text(200), aliases=("家庭住址", "居住地址", "现住址", "地址", "家庭地址", "详细地址"), sensitive=True
    ),
    Column(
        "phone",
        "手机号",
        Phone(),
        aliases=("手机号码", "联系电话", "电话", "手机", "联系方式"),
        example="13800000000",
        sensitive=True,
    ),
    Column("ethnicity", "民族", Text(100), example="汉族"),
    Column("marital_status", "婚姻状况", Choice(words.MARITAL), aliases=("婚姻",), example="已婚"),
    Column(
        "disability_category",
        "残疾类别",
        Choice(words.DISABILITY_KINDS),
        aliases=("残疾类型", "残疾种类"),
        note="与残疾等级一并填写",
    ),
    Column("disability_grade", "残疾等级", words.Grade(), aliases=("残疾级别",), note="一级最重"),
    Column(
        "disability_certificate", "残疾人证号", Certificate(), aliases=("残疾证号", "残疾证号码", "残疾人证号码"), sensitive=True
    ),
    Column("serious_illness", "是否重病", YesNo(), aliases=("重病", "是否大病", "是否患重病", "是否重大疾病"), example="否"),
    Column("employment", "就业状况", Choice(words.EMPLOYMENTS), aliases=("就业情况", "从业状况"), example="务农"),
    Column("study", "学业状况", Choice(words.STUDIES), aliases=("就学状况", "在校情况", "就读状况", "学业情况")),
    Column(
        "monthly_income_fen",
        "月收入(元)",
        Yuan(),
        aliases=("月收入", "月收入（元）", "月均收入(元)", "月均收入", "个人月收入"),
        example="1200.00",
        sensitive=True,
    ),
    Column("bank_name", "开户银行", Text(100), aliases=("开户行", "银行名称", "银行")),
    Column(
        "account_number",
        "银行账号",
        BankAccount(),
        aliases=("账号", "银行卡号", "卡号", "银行帐号", "帐号", "一卡通账号"),
        note="同一户只有一个账户，填在任一成员行",
        sensitive=True,
    ),
    Column("account_holder", "户名", Name(of_one_person=False), aliases=("账户名", "账户名称", "开户名", "开户人")),
    Column("account_kind", "账户类型", Choice(words.ACCOUNT_KINDS), aliases=("账号类型", "卡折类型"), note="不填为银行卡"),
)


def check_row(row: Mapping[str, Any], today: date) -> Iterable[RowFault]:
    """What doesn't fit together in one row."""
    number = row["id_number"]
    if number is not None and number[6:14] > f"{today:%Y%m%d}":
        yield RowFault("身份证号", "id_number_date", "身份证号中的出生日期晚于今天，请核对第 7 至 14 位。")
    if row["id_kind"] is not None and number is not None:
        yield from _id_kind_faults(row["id_kind"], number)
    yield from _disability_faults(row)
    if row["account_number"] is not None or row["bank_name"] is not None or row["account_holder"] is not None:
        yield from account_faults(row)
    if row["address"] is not None and "*" in row["address"]:
        yield RowFault("住址", "address_masked", "住址含有星号，是脱敏后的内容；请填写完整住址，或留空。")
    yield from household_no_faults(row)


def suspects(block: Block, today: date) -> Iterable[int]:
    """Rows of which ``check_row`` could find something: those that state more than who somebody is and where he lives."""
    columns, latest = block.columns, f"{today:%Y%m%d}"
    found = set[int]()
    for name in _CHECKED:
        found.update(_filled(columns[name]))
    accounts = [columns[name] for name in (*_ACCOUNT, "account_kind")]
    named = {place for cells in accounts for place in _filled(cells)}
    found.update(place for place in named if not _is_plain_card(*(cells[place] for cells in accounts)))
    found.update(place for place, kind in enumerate(columns["id_kind"]) if kind is not None and kind != "resident_id")
    numbers = columns["id_number"]
    found.update(place for place, one in enumerate(numbers) if one is None or not "1" <= one[0] <= "7" or one[6:14] > latest)
    found.update(place for place, address in enumerate(columns["address"]) if address is not None and "*" in address)
    found.update(place for place, one in enumerate(columns["household_no"]) if one is not None and "-" in one)
    return sorted(found)


def _filled(cells: Sequence[Any]) -> Iterable[int]:
    if cells.count(None) == len(cells):
        return ()
    return [place for place, cell in enumerate(cells) if cell is not None]


def _is_plain_card(bank: str | None, number: str | None, holder: str | None, kind: str | None) -> bool:
    """A whole account whose number is a right card's: most of them are."""
    if number is None or bank is None or holder is None or kind not in (None, "card"):
        return False
    return len(number) in CARD_LENGTHS and passes_luhn(number)


def household_no_faults(row: Mapping[str, Any]) -> Iterable[RowFault]:
    """A number of the form that the registry gives out names its community."""
    household_no = row["household_no"]
    if household_no is None or len(household_no) < 12 or not household_no[:12].isdigit():  # noqa: PLR2004 - a community's code
        return
    generated = _GENERATED_NO.fullmatch(household_no)
    if generated and generated[1] != row["area_code"]:
        yield RowFault(
            "户编号", "household_no_reserved", "此编号格式由系统按村（社区）生成，与本行区划代码不符，请核对或改用其他编号。"
        )


def _id_kind_faults(kind: str, number: str) -> Iterable[RowFault]:
    expected = next((code for code, begins in _PREFIXES.items() if number.startswith(begins)), "resident_id")
    if kind != expected:
        title = words.ID_KINDS[expected][0]
        yield RowFault("证件类型", "id_kind_differs", f"该号码是{title}的号码，与所填证件类型不符，请核对。")


def _disability_faults(row: Mapping[str, Any]) -> Iterable[RowFault]:
    category, grade, certificate = row["disability_category"], row["disability_grade"], row["disability_certificate"]
    if category is None and grade is None and certificate is None:
        return
    if category is None or grade is None:
        missing = "残疾类别" if category is None else "残疾等级"
        yield RowFault(missing, "disability_incomplete", "残疾类别和残疾等级须一并填写，请对照残疾人证补充。")
    elif certificate is not None:
        try:
            parse_disability_certificate(
                certificate, id_number=row["id_number"], category=_CATEGORY_NUMBERS[category], grade=grade
            )
        except IdentityFault as fault:
            yield RowFault("残疾人证号", fault.code, fault.message)


def account_faults(row: Mapping[str, Any]) -> Iterable[RowFault]:
    """An account needs its bank, number and holder; a card's number its check digit."""
    missing = [column.title for column in COLUMNS if column.name in _ACCOUNT and row[column.name] is None]
    if missing:
        yield RowFault(missing[0], "account_incomplete", f"开户银行、银行账号、户名须一并填写，请补充{'、'.join(missing)}。")
    if row["account_number"] is not None:
        try:
            parse_bank_account(row["account_number"], AccountKind(row["account_kind"] or AccountKind.CARD))
        except IdentityFault as fault:
            yield RowFault("银行账号", fault.code, fault.message)


PEOPLE: Final = Kind(
    code="people",
    title="人员和家庭",
    columns=COLUMNS,
    key=("id_number",),
    importers=frozenset({Duty.COMMUNITY_WORKER, Duty.STATION_CLERK, Duty.REVIEWER, Duty.FINANCE}),
    exporters=frozenset({Duty.COMMUNITY_WORKER, Duty.STATION_CLERK, Duty.REVIEWER, Duty.FINANCE, Duty.INSPECTOR}),
    check_row=check_row,
    suspects=suspects,
    file_check=HouseholdsOfFile,
    together="household_no",
    description=(
        "一人一行，同一户的成员户编号相同；每户须有且只有一名户主，户主一行也要在文件中；"
        "至多一名配偶，子女、孙子女须晚于户主出生，父母、祖父母须早于户主出生。"
        "已登记的人员按身份证号更新，空白单元格不改变已有内容；有一行不能导入的户整户暂不导入。"
    ),
)
register_kind(PEOPLE)
