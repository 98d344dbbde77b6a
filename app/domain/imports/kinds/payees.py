"""Payees: to which account the money of a household goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from app.domain.access import Duty
from app.domain.imports.cells import BankAccount, Choice, IdNumber, Name, Text
from app.domain.imports.kinds import people_words as words
from app.domain.imports.kinds.people import account_faults
from app.domain.imports.model import Column, Kind, RowFault
from app.domain.imports.registry import register_kind

COLUMNS: Final = (
    Column("household_no", "户编号", Text(40), required=True, aliases=("家庭编号", "户号"), example="H0001"),
    Column(
        "payee_number",
        "领款人身份证号",
        IdNumber(),
        aliases=("领款人证件号码", "开户人身份证号"),
        note="须是已登记的人员；用于核对户名，不另行保存",
        sensitive=True,
    ),
    Column(
        "account_holder", "户名", Name(of_one_person=False), required=True, aliases=("账户名", "账户名称", "开户名", "开户人")
    ),
    Column("bank_name", "开户银行", Text(100), required=True, aliases=("开户行", "银行名称", "银行")),
    Column(
        "account_number",
        "银行账号",
        BankAccount(),
        required=True,
        aliases=("账号", "银行卡号", "卡号", "银行帐号", "帐号", "一卡通账号"),
        note="请把该列设为文本",
        sensitive=True,
    ),
    Column("account_kind", "账户类型", Choice(words.ACCOUNT_KINDS), aliases=("账号类型", "卡折类型"), note="不填为银行卡"),
)


def check_row(row: Mapping[str, Any], today: date) -> Iterable[RowFault]:  # noqa: ARG001  (the signature of every check)
    """The account by itself."""
    return account_faults(row)


PAYEES: Final = Kind(
    code="payees",
    title="领款账户",
    columns=COLUMNS,
    key=("household_no",),
    importers=frozenset({Duty.STATION_CLERK, Duty.REVIEWER, Duty.FINANCE}),
    exporters=frozenset({Duty.REVIEWER, Duty.FINANCE}),
    area_field=None,
    check_row=check_row,
    description="一户一行：该户资金发放到的账户。户须已登记；从下一次编制发放批次起使用新账户。",
)
register_kind(PAYEES)
