"""Existing rolls: who draws what since when, as decided before this system. They come in signed by a reviewer and due for review.

What is on a roll was confirmed before; nobody assesses it anew on the way in: that is what the date of the next review is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from app.domain.access import Duty
from app.domain.eligibility import NATIONAL_CATALOGUE
from app.domain.imports.cells import BankAccount, Choice, Date, IdNumber, IdNumbers, Month, Name, Text, Whole, Yuan
from app.domain.imports.kinds import people_words as words
from app.domain.imports.model import Column, Kind, RowFault
from app.domain.imports.registry import register_kind

#: Paid by the month, or a standing that holds by the month; what is paid once has no roll.
PROGRAMMES: Final[words.Words] = {
    "dibao": ("最低生活保障", "低保", "城市低保", "农村低保", "城镇低保", "城乡低保", "居民最低生活保障"),
    "dibao_single": ("单人户纳入低保", "单人保", "单人户低保", "参照单人户纳入低保"),
    "tekun": ("特困人员救助供养", "特困", "特困人员", "特困供养", "五保", "五保供养"),
    "dibao_edge": ("低保边缘家庭", "低保边缘", "低边", "低保边缘户"),
    "rigid_expense": ("刚性支出困难家庭", "刚性支出", "支出型困难家庭"),
    "disability_living": ("困难残疾人生活补贴", "残疾人生活补贴", "生活补贴"),
    "disability_care": ("重度残疾人护理补贴", "残疾人护理补贴", "护理补贴"),
    "old_age": ("高龄津贴", "高龄补贴", "高龄老人津贴"),
    "orphan": ("孤儿基本生活保障", "孤儿", "孤儿基本生活费"),
    "unsupported_child": ("事实无人抚养儿童基本生活补贴", "事实无人抚养儿童", "事孤"),
}
MOST_FEN_A_PERSON: Final = 5_000_000  # a month; more is a yearly amount or a digit too many
FIRST_MONTH: Final = date(1956, 1, 1)  # when 五保 began
PER_PERSON: Final = frozenset(spec.code for spec in NATIONAL_CATALOGUE.specs if spec.per_person)

COLUMNS: Final = (
    Column("household_no", "户编号", Text(40), required=True, aliases=("家庭编号", "户号"), example="H0001"),
    Column("id_number", "身份证号", IdNumber(), aliases=("身份证号码", "证件号码"), note="按人发放的项目必填", sensitive=True),
    Column(
        "programme",
        "项目",
        Choice(PROGRAMMES),
        required=True,
        aliases=("保障项目", "救助项目", "补贴项目"),
        example="最低生活保障",
    ),
    Column("residence", "城乡", Choice(words.RESIDENCES), aliases=("城乡类别", "户口性质"), note="不填按户登记的性质"),
    Column(
        "monthly_fen",
        "月保障金额(元)",
        Yuan(),
        required=True,
        aliases=("月保障金额", "月保障金额（元）", "保障金额", "月补助金额"),
        note="每月发放的全部金额，含分类施保金额；每人每月至多 50,000 元",
        example="620.00",
    ),
    Column(
        "uplift_fen",
        "分类施保金额(元)",
        Yuan(),
        aliases=("分类施保金额", "分类施保金额（元）"),
        note="月保障金额中的分类施保部分",
    ),
    Column("covered_count", "保障人数", Whole(1, 30), required=True, aliases=("保障人口", "享受人数"), example="2"),
    Column(
        "covered_numbers",
        "保障人员身份证号",
        IdNumbers(),
        aliases=("保障对象身份证号", "享受人员身份证号"),
        note="多人以、分隔；不填则为该户全体成员",
        sensitive=True,
    ),
    Column(
        "since_month",
        "起始月份",
        Month(),
        required=True,
        aliases=("起始年月", "开始月份", "享受起始月", "批准月份"),
        example="2024-03",
    ),
    Column("roll_class", "类别", Text(20), aliases=("保障类别", "低保类别"), example="A类"),
    Column("certificate_no", "救助证号", Text(60), aliases=("低保证号", "证书编号")),
    Column("document_no", "文号", Text(100), aliases=("审批文号", "批准文号")),
    Column("next_review_on", "下次复核日", Date(), aliases=("下次复核日期", "复核日期", "下次核查日期"), note="不填即待复核"),
    Column("payee_number", "领款人身份证号", IdNumber(), note="须是已登记的人员；用于核对户名，不另行保存", sensitive=True),
    Column("account_holder", "户名", Name(of_one_person=False), aliases=("账户名", "账户名称", "开户名")),
    Column("account_number", "银行账号", BankAccount(), aliases=("账号", "银行卡号", "卡号", "一卡通账号"), sensitive=True),
)


def check_row(row: Mapping[str, Any], today: date) -> Iterable[RowFault]:
    """What doesn't fit together in one row."""
    if row["since_month"] > today:
        yield RowFault("起始月份", "month_in_future", "起始月份晚于本月，请核对；尚未开始的待遇请按申请办理。")
    yield from _implausible(row)
    if (row["uplift_fen"] or 0) > row["monthly_fen"]:
        text = "分类施保金额不能多于月保障金额；月保障金额应为含分类施保在内的全部金额，请核对。"
        yield RowFault("分类施保金额(元)", "uplift_exceeds_amount", text)
    yield from _covered_faults(row)
    if (row["account_number"] is None) != (row["account_holder"] is None) and not (row["account_number"] and row["payee_number"]):
        missing = "银行账号" if row["account_number"] is None else "户名"
        yield RowFault(missing, "account_incomplete", "银行账号和户名须一并填写，请补充。")


def _implausible(row: Mapping[str, Any]) -> Iterable[RowFault]:
    """Money and months that can't be: what is on a roll is paid without another assessment."""
    if row["monthly_fen"] > MOST_FEN_A_PERSON * row["covered_count"]:
        text = f"超过每人每月 {MOST_FEN_A_PERSON // 100:,} 元，请核对是否多写了位数，或误填了全年金额、保障人数。"
        yield RowFault("月保障金额(元)", "amount_range", text)
    if row["since_month"] < FIRST_MONTH:
        yield RowFault("起始月份", "date_range", "起始月份早于 1956 年 1 月，请核对年份。")
    elif row["id_number"] is not None and f"{row['since_month']:%Y%m}" < row["id_number"][6:12]:
        yield RowFault("起始月份", "before_birth", "起始月份早于身份证号中的出生月份，请核对起始月份，或是否填了他人的身份证号。")


def _covered_faults(row: Mapping[str, Any]) -> Iterable[RowFault]:
    numbers, count = row["covered_numbers"], row["covered_count"]
    if row["programme"] in PER_PERSON:
        if row["id_number"] is None:
            yield RowFault("身份证号", "person_required", "该项目按人发放，请填写享受人的身份证号。")
        elif count != 1 or numbers not in (None, (row["id_number"],)):
            yield RowFault("保障人数", "covered_differ", "该项目按人发放，一人一行，保障人数应为 1，请拆分。")
    elif numbers is not None and len(numbers) != count:
        text = f"保障人数为 {count}，所列保障人员身份证号为 {len(numbers)} 个，请核对。"
        yield RowFault("保障人数", "covered_differ", text)


ENTITLEMENTS: Final = Kind(
    code="entitlements",
    title="在保名册",
    columns=COLUMNS,
    key=("programme", "household_no", "id_number"),
    importers=frozenset({Duty.REVIEWER}),
    exporters=frozenset({Duty.STATION_CLERK, Duty.REVIEWER, Duty.FINANCE, Duty.INSPECTOR}),
    area_field=None,
    check_row=check_row,
    totals=("monthly_fen",),
    description=(
        "系统启用前已批准的待遇，由审核确认岗位导入即为签批；人员和家庭须先导入。"
        "起始月份以后未在本系统发放的月份不会补发；导入后按下次复核日进入复核。"
    ),
)
register_kind(ENTITLEMENTS)
