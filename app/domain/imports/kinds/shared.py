"""Columns and duties that several kinds share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from app.domain.access import Duty
from app.domain.imports.cells import AreaCode, Date, IdNumber, Name, Text
from app.domain.imports.model import Column, RowFault

#: Clerks for their own area, reviewer and finance for the district (the area of the account decides which).
CLERKS: Final = frozenset({Duty.STATION_CLERK, Duty.REVIEWER, Duty.FINANCE})


def area_code(
    *digits: int, required: bool = True, note: str = "", example: str = "350702001001", aliases: tuple[str, ...] = ()
) -> Column:
    """区划代码 of one of these lengths."""
    names = ("行政区划代码", "区划编码", "地区代码", *aliases)
    return Column("area_code", "区划代码", AreaCode(digits), required=required, aliases=names, note=note, example=example)


def name(title: str = "姓名", *aliases: str) -> Column:
    return Column("name", title, Name(), required=True, aliases=aliases, example="张三")


def id_number() -> Column:
    note = "18 位，请把该列设为文本。"
    names = ("身份证", "身份证号码", "公民身份号码", "证件号码", "证件号")
    return Column(
        "id_number", "身份证号", IdNumber(), required=True, aliases=names, note=note, example="11010519491231002X", sensitive=True
    )


def day(code: str, title: str, *aliases: str, required: bool = True, note: str = "") -> Column:
    return Column(code, title, Date(), required=required, aliases=aliases, note=note, example="2026-01-05")


def text(
    code: str, title: str, *aliases: str, required: bool = False, length: int = 200, note: str = "", example: str = ""
) -> Column:
    return Column(code, title, Text(length), required=required, aliases=aliases, note=note, example=example)


def not_in_future(row: Mapping[str, Any], today: date, **titles: str) -> Iterable[RowFault]:
    """Days that have to have come: field name = its header."""
    for field, title in titles.items():
        if row[field] is not None and row[field] > today:
            yield RowFault(title, "date_in_future", "日期晚于今天，请核对。")


def in_order(row: Mapping[str, Any], first: str, last: str, title: str) -> Iterable[RowFault]:
    """A period that may be empty, but never ends before it begins."""
    if row[last] is not None and row[last] < row[first]:
        yield RowFault(title, "period_reversed", "结束日期早于开始日期，请核对。")
