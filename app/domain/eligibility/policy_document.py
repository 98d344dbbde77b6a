"""From a policy document (the parsed YAML) to parameter rows.

Documents write ``effective_to`` as the last day in force; inside the system periods are half-open. A value also ends where the
next value of the same key and area begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby

from app.domain.eligibility.parameter_values import expectation_of
from app.domain.eligibility.parameters import ParameterRow
from app.domain.errors import FieldError, Malformed

TWO_VALUES = "同一参数在同一天有两个取值，请保留一个。"
LOCATED = "（位置："


def rows_of(document: object) -> tuple[ParameterRow, ...]:
    """All rows of a parsed document, each period half-open and cut at its successor.

    Raises:
        Malformed: the document hasn't the expected shape, a date is no date, or two values of a key begin on the same day (422,
            with JSON pointers into the document).

    """
    if not isinstance(document, Sequence) or isinstance(document, str):
        raise _malformed("", "not_a_list", "政策文件应为区划列表，每项含 area 和 parameters。")
    rows = [row for index, area in enumerate(document) for row in _area_rows(area, f"/{index}")]
    return tuple(_cut_at_successors(rows))


def _area_rows(area: object, pointer: str) -> Iterator[ParameterRow]:
    if not isinstance(area, Mapping) or not isinstance(area.get("area"), str) or not isinstance(area.get("parameters"), Mapping):
        raise _malformed(pointer, "not_an_area", "每个区划须有文本 area 和映射 parameters。")
    for key, versions in area["parameters"].items():
        yield from _versions(area["area"], str(key), versions, f"{pointer}/parameters/{key}")


def _versions(area_code: str, key: str, versions: object, pointer: str) -> Iterator[ParameterRow]:
    if not isinstance(versions, Sequence) or isinstance(versions, str):
        raise _malformed(pointer, "not_a_list", "每个参数须列出各版本的取值。")
    starts: set[date] = set()
    for index, version in enumerate(versions):
        row = _row(area_code, key, version, f"{pointer}/{index}")
        if row.valid_from in starts:
            raise _malformed(f"{pointer}/{index}/effective_from", "duplicate_parameter", TWO_VALUES)
        starts.add(row.valid_from)
        yield row


def _row(area_code: str, key: str, version: object, pointer: str) -> ParameterRow:
    if not isinstance(version, Mapping) or version.get("value") is None:
        raise _malformed(pointer, "value_missing", "参数版本须有 effective_from 和 value。")
    start = _day(version.get("effective_from"), f"{pointer}/effective_from")
    last = version.get("effective_to")
    until = None if last is None else _day(last, f"{pointer}/effective_to") + timedelta(days=1)
    if until is not None and until <= start:
        raise _malformed(f"{pointer}/effective_to", "period_empty", "effective_to 不能早于 effective_from。")
    _refuse_inexact(version["value"], f"{pointer}/value")
    expected = expectation_of(key, version["value"])
    if expected is not None:
        raise _malformed(f"{pointer}/value", "value_of_another_kind", f"参数“{key}”应为{expected}。")
    return ParameterRow(area_code, key, start, until, version["value"], version.get("source"))


def _refuse_inexact(value: object, pointer: str) -> None:
    """Only text, whole numbers and flags keep their value: a binary fraction has already lost it."""
    if isinstance(value, Mapping):
        parts: Iterable[tuple[object, object]] = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    elif value is None or isinstance(value, (str, int)):
        return
    else:
        raise _malformed(pointer, "inexact_value", "小数须写成加引号的文本（如“1.5”），金额写成整数分。")
    for name, part in parts:
        _refuse_inexact(part, f"{pointer}/{name}")


def _day(value: object, pointer: str) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise _malformed(pointer, "not_a_date", "日期应写作 YYYY-MM-DD。") from None


def _cut_at_successors(rows: Iterable[ParameterRow]) -> Iterator[ParameterRow]:
    ordered = sorted(rows, key=lambda row: (row.area_code, row.key, row.valid_from))
    for (area_code, key), group in groupby(ordered, key=lambda row: (row.area_code, row.key)):
        versions = list(group)
        for row, following in zip(versions, [*versions[1:], None], strict=True):
            if following is not None and following.valid_from == row.valid_from:
                raise _malformed(f"/{area_code}/{key}", "duplicate_parameter", TWO_VALUES)
            yield row if following is None else replace(row, valid_until=_earlier(row.valid_until, following.valid_from))


def _earlier(end: date | None, successor: date) -> date:
    return successor if end is None else min(end, successor)


def relocated(finding: FieldError, pointer: str) -> FieldError:
    """The finding at another place: where the caller's own document has it."""
    message, _, _ = finding.message.partition(LOCATED)
    return replace(finding, pointer=pointer, message=f"{message}{LOCATED}{pointer or '/'}）")


def _malformed(pointer: str, code: str, message: str) -> Malformed:
    finding = FieldError(pointer, code, f"{message}{LOCATED}{pointer or '/'}）")
    return Malformed("malformed_policy", "政策文件有误，请按提示修改后重新装载。", errors=[finding])
