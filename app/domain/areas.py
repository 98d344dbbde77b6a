"""Administrative divisions: codes, levels, who covers whom, and the file they are loaded from.

Codes are those of GB/T 2260 (province 2, prefecture 4, district 6 digits) continued by the statistical codes (sub-district 9,
community 12). Each begins with the code of the area above it; the nation stands above the provinces as ``00``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from io import StringIO

from app.domain.calendar import iso_date
from app.domain.errors import FieldError, Malformed

NATION = "00"

#: Sub-district and community parts of zeros mean the area above in statistical tables and are no areas; districts of zeros are
#: real (cities without districts, such as 441900).
_CODE = re.compile(r"[1-9][0-9](?:(?!00)[0-9]{2}(?:[0-9]{2}(?:(?!000)[0-9]{3}(?:(?!000)[0-9]{3})?)?)?)?")


class AreaLevel(StrEnum):
    """The levels of administrative divisions, from the top."""

    NATION = "nation"
    PROVINCE = "province"
    PREFECTURE = "prefecture"
    DISTRICT = "district"
    SUBDISTRICT = "subdistrict"
    COMMUNITY = "community"


_LEVEL_OF_DIGITS = {
    2: AreaLevel.PROVINCE,
    4: AreaLevel.PREFECTURE,
    6: AreaLevel.DISTRICT,
    9: AreaLevel.SUBDISTRICT,
    12: AreaLevel.COMMUNITY,
}
_DIGITS_ABOVE = {12: 9, 9: 6, 6: 4, 4: 2}


def is_area_code(code: str) -> bool:
    """Whether ``code`` is well formed: the nation, or 2, 4, 6, 9 or 12 digits. It says nothing about the area's existence."""
    return code == NATION or _CODE.fullmatch(code) is not None


def level_of(code: str) -> AreaLevel:
    """The level of a code. ``Malformed`` (``area_code_malformed``) when it isn't one."""
    if not is_area_code(code):
        raise Malformed("area_code_malformed", f"区划代码“{code}”不对，应为 2、4、6、9 或 12 位数字（全国为 00），请核对。")
    return AreaLevel.NATION if code == NATION else _LEVEL_OF_DIGITS[len(code)]


def parent_of(code: str) -> str | None:
    """The code of the area directly above; ``None`` above the nation. ``Malformed`` when ``code`` isn't one."""
    if level_of(code) == AreaLevel.NATION:
        return None
    return code[: _DIGITS_ABOVE[len(code)]] if len(code) in _DIGITS_ABOVE else NATION


def chain(code: str) -> tuple[str, ...]:
    """``code`` and every area above it, the nearest first, up to the nation: the order in which parameters are looked up."""
    above = parent_of(code)
    return (code,) if above is None else (code, *chain(above))


def covers(outer: str, inner: str) -> bool:
    """Whether ``inner`` is ``outer`` itself or lies in it."""
    return outer in chain(inner)


def district_of(code: str) -> str:
    """The district a sub-district or community lies in, or the district itself. ``Malformed`` for anything above."""
    if level_of(code) not in (AreaLevel.DISTRICT, AreaLevel.SUBDISTRICT, AreaLevel.COMMUNITY):
        raise Malformed(
            "area_above_district", f"区划代码“{code}”在县级以上，请填写县（市、区）、乡镇（街道）或村（社区）的代码。"
        )
    return code[:6]


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area as loaded. ``valid_from`` ``None``: since ever; ``valid_until`` is the first day it is no more (half-open)."""

    code: str
    name: str
    level: AreaLevel
    parent_code: str | None
    kind: str
    valid_from: date | None = None
    valid_until: date | None = None
    predecessor: str | None = None
    successor: str | None = None


COLUMNS = ("code", "name", "level", "parent_code", "kind")
#: ``effective_to`` is the last day in force, as documents write it.
OPTIONAL_COLUMNS = ("effective_from", "effective_to", "predecessor", "successor")


def parse_areas(text: str, known_codes: Collection[str] = ()) -> list[AreaRow]:
    """The areas in a CSV text, in the file's order.

    A parent has to stand in the file or in ``known_codes`` (areas loaded before); a district and what is above may come without.
    ``Malformed`` (``areas_file_invalid``) names every row that is wrong.
    """
    header, records = _read(text)
    _require_columns(header)
    errors = [_width_error(line, header, cells) for line, cells in records if len(cells) != len(header)]
    if not records:
        errors.append(FieldError("/1", "file_empty", "文件里没有区划行，请检查是否选错了文件"))
    _refuse(errors)
    return _rows([(line, dict(zip(header, cells, strict=True))) for line, cells in records], known_codes)


def named_parents(text: str) -> frozenset[str]:
    """The parent codes that an areas file names, to look up which of them are known before `parse_areas`."""
    header, records = _read(text)
    if "parent_code" not in header:
        return frozenset()
    place = header.index("parent_code")
    return frozenset(cells[place] for _, cells in records if len(cells) > place and is_area_code(cells[place]))


def _read(text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header and the lines with anything in them, each with its line number."""
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        header = [cell.strip() for cell in next(reader, [])]
        numbered = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error:
        _refuse([FieldError(f"/{reader.line_num}", "csv_malformed", f"第 {reader.line_num} 行不是正确的 CSV，请检查引号")])
    return header, [(line, cells) for line, cells in numbered if any(cells)]


def _rows(records: Sequence[tuple[int, dict[str, str]]], known_codes: Collection[str]) -> list[AreaRow]:
    present = {record["code"] for _, record in records} | {NATION, *known_codes}
    seen: set[str] = set()
    errors: list[FieldError] = []
    for line, record in records:
        errors.extend(_code_errors(line, record, seen) or _record_errors(line, record, present))
        seen.add(record["code"])
    _refuse(errors)
    return [_row(record) for _, record in records]


def _require_columns(header: Sequence[str]) -> None:
    errors = [FieldError("/1", "column_missing", f"缺少列 {name}") for name in COLUMNS if name not in header]
    known = (*COLUMNS, *OPTIONAL_COLUMNS)
    errors.extend(FieldError("/1", "column_unknown", f"不认识的列“{name}”") for name in header if name not in known)
    errors.extend(
        FieldError("/1", "column_repeated", f"列 {name} 重复") for name in sorted(set(header)) if header.count(name) > 1
    )
    _refuse(errors)


def _width_error(line: int, header: Sequence[str], cells: Sequence[str]) -> FieldError:
    return FieldError(f"/{line}", "columns_wrong", f"第 {line} 行应有 {len(header)} 列，实有 {len(cells)} 列")


def _code_errors(line: int, record: dict[str, str], seen: Collection[str]) -> list[FieldError]:
    code = record["code"]
    if not is_area_code(code):
        return [_error(line, "code", "area_code_malformed", f"区划代码“{code}”不对，应为 2、4、6、9 或 12 位数字（全国为 00）")]
    if code in seen:
        return [_error(line, "code", "area_repeated", f"区划代码 {code} 出现了两次，请只保留一行")]
    return []


def _record_errors(line: int, record: dict[str, str], present: Collection[str]) -> list[FieldError]:
    code, errors = record["code"], []
    if not record["name"]:
        errors.append(_error(line, "name", "name_missing", "名称不能为空"))
    if record["level"] != level_of(code):
        errors.append(
            _error(line, "level", "level_wrong", f"代码 {code} 的级别应为 {level_of(code)}，文件里是“{record['level']}”")
        )
    errors.extend(_parent_errors(line, record, present))
    errors.extend(_date_errors(line, record))
    for column in ("predecessor", "successor"):
        errors.extend(_relation_errors(line, column, record))
    return errors


def _parent_errors(line: int, record: dict[str, str], present: Collection[str]) -> list[FieldError]:
    code, parent = record["code"], record["parent_code"]
    expected = parent_of(code)
    if not parent and level_of(code) not in (AreaLevel.SUBDISTRICT, AreaLevel.COMMUNITY):
        return []
    if parent != expected:
        return [_error(line, "parent_code", "parent_wrong", f"代码 {code} 的上级应为 {expected or '空'}，文件里是“{parent}”")]
    if parent not in present:
        return [_error(line, "parent_code", "parent_unknown", f"上级 {parent} 不在文件里，也没有导入过，请先导入上级")]
    return []


def _date_errors(line: int, record: dict[str, str]) -> list[FieldError]:
    errors = [
        _error(line, column, "date_malformed", f"日期“{record[column]}”不对，请写成 YYYY-MM-DD")
        for column in ("effective_from", "effective_to")
        if record.get(column) and iso_date(record[column]) is None
    ]
    first, last = iso_date(record.get("effective_from", "")), iso_date(record.get("effective_to", ""))
    if first and last and last < first:
        errors.append(_error(line, "effective_to", "period_reversed", "失效日期早于生效日期"))
    return errors


def _relation_errors(line: int, column: str, record: dict[str, str]) -> list[FieldError]:
    other = record.get(column, "")
    if not other or (is_area_code(other) and len(other) == len(record["code"]) and other != record["code"]):
        return []
    return [_error(line, column, "relation_wrong", f"“{other}”应为另一个同级区划的代码")]


def _row(record: dict[str, str]) -> AreaRow:
    last_day = iso_date(record.get("effective_to", ""))
    return AreaRow(
        code=record["code"],
        name=record["name"],
        level=AreaLevel(record["level"]),
        parent_code=record["parent_code"] or None,
        kind=record["kind"],
        valid_from=iso_date(record.get("effective_from", "")),
        valid_until=last_day and last_day + timedelta(days=1),
        predecessor=record.get("predecessor") or None,
        successor=record.get("successor") or None,
    )


def _error(line: int, column: str, code: str, message: str) -> FieldError:
    return FieldError(f"/{line}/{column}", code, f"第 {line} 行：{message}")


def _refuse(errors: Sequence[FieldError]) -> None:
    if errors:
        raise Malformed(
            "areas_file_invalid", f"区划文件有 {len(errors)} 处错误，未导入任何内容；请改正后重新导入。", errors=errors
        )
