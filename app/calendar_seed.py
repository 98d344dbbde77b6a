"""The announced calendar of a year, from the `chinesecalendar` library or from a CSV file.

The library follows the State Council's yearly notice and knows the years up to the last one announced at its release. Later
years come as a file: ``date,kind,name``, one year per file, with the days that differ from the plain week (all days do too).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO

from chinese_calendar import constants

from app.domain.calendar import DayKind, is_fixed_holiday, is_weekend, iso_date
from app.domain.errors import Conflict, FieldError, Malformed

COLUMNS = ("date", "kind", "name")

#: At most this many days more than the statutory number: the State Council has granted extra ones (2015, 2020).
EXTRA_DAYS = 5

DECEMBER = 12

#: First year → statutory holidays a year, the latest rule first.
STATUTORY_DAYS_SINCE = ((2025, 13), (2008, 11), (0, 10))

_CHINESE_NAMES = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利七十周年纪念日",
}


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One announced day; ``name`` is the holiday it belongs to, or is worked in exchange for."""

    date: date
    kind: DayKind
    name: str


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """Everything announced for one year, in order of date."""

    year: int
    days: tuple[CalendarDay, ...]


def library_years() -> range:
    """The years the installed library has announced calendars for."""
    return range(min(constants.holidays).year, max(constants.holidays).year + 1)


def seeded_days(year: int) -> list[tuple[date, DayKind, str]]:
    """The days off and make-up working days of ``year`` as (date, kind, name), in order.

    Raises ``Conflict`` (``calendar_year_unknown``) for a year the library has no announced calendar of.
    """
    if year not in library_years():
        raise Conflict(
            "calendar_year_unknown",
            f"内置日历没有 {year} 年（只有 {library_years()[0]}—{library_years()[-1]} 年），"
            "请按国务院办公厅当年通知整理 CSV 后用 minzheng calendar load 导入。",
        )
    announced = [(DayKind.HOLIDAY, constants.holidays), (DayKind.WORKDAY, constants.workdays)]
    return sorted((day, kind, _CHINESE_NAMES[name]) for kind, days in announced for day, name in days.items() if day.year == year)


def seeded_year(year: int) -> CalendarYear:
    """`seeded_days` as the value that is loaded."""
    return CalendarYear(year, tuple(CalendarDay(*row) for row in seeded_days(year)))


def parse_calendar_year(text: str) -> CalendarYear:
    """The year in a CSV text. ``Malformed`` (``calendar_file_invalid``) names every row that is wrong, or what the year lacks."""
    parsed = [_parse_row(line, cells) for line, cells in _data_lines(text)]
    days = [row for row in parsed if isinstance(row, CalendarDay)]
    errors = [row for row in parsed if isinstance(row, FieldError)]
    errors.extend(_year_errors(days) if not errors else [])
    if errors:
        raise _invalid(errors)
    return CalendarYear(days[0].date.year, tuple(sorted(days, key=lambda day: day.date)))


def _data_lines(text: str) -> list[tuple[int, list[str]]]:
    """The lines under the header with anything in them, each with its line number."""
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise _invalid([FieldError(f"/{reader.line_num}", "csv_malformed", f"第 {reader.line_num} 行不是正确的 CSV")]) from error
    if not lines or tuple(lines[0][1]) != COLUMNS:
        raise _invalid([FieldError("/1", "columns_wrong", f"第 1 行应为表头 {','.join(COLUMNS)}")])
    return [(line, cells) for line, cells in lines[1:] if any(cells)]


def _parse_row(line: int, cells: Sequence[str]) -> CalendarDay | FieldError:
    if len(cells) != len(COLUMNS):
        return FieldError(f"/{line}", "columns_wrong", f"第 {line} 行应有 {len(COLUMNS)} 列，实有 {len(cells)} 列")
    day = iso_date(cells[0])
    if day is None:
        return FieldError(f"/{line}/date", "date_malformed", f"第 {line} 行日期“{cells[0]}”不对，请写成 YYYY-MM-DD")
    if cells[1] not in set(DayKind):
        return FieldError(f"/{line}/kind", "kind_unknown", f"第 {line} 行类型“{cells[1]}”不对，请写 workday 或 holiday")
    return CalendarDay(day, DayKind(cells[1]), cells[2])


def _year_errors(days: Sequence[CalendarDay]) -> list[FieldError]:
    """What is wrong with the year as a whole: an incomplete year would silently shift every deadline in it."""
    if not days:
        return [FieldError("", "file_empty", "文件里没有日期行，请检查是否选错了文件")]
    year = days[0].date.year
    errors = [
        FieldError("", "year_mixed", f"{day.date} 不在 {year} 年内，请一个文件只放一年") for day in days if day.date.year != year
    ]
    errors.extend(_repeated_days(days))
    return errors or [*_missing_fixed_holidays(year, days), *_net_days_off_error(year, days)]


def _repeated_days(days: Iterable[CalendarDay]) -> list[FieldError]:
    seen: set[date] = set()
    errors: list[FieldError] = []
    for day in days:
        if day.date in seen:
            errors.append(FieldError("", "date_repeated", f"{day.date} 出现了两次，请只保留一行"))
        seen.add(day.date)
    return errors


def _missing_fixed_holidays(year: int, days: Sequence[CalendarDay]) -> list[FieldError]:
    off = {day.date for day in days if day.kind == DayKind.HOLIDAY}
    fixed = [date(year, month, day) for month, day in ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))]
    return [
        FieldError("", "holiday_missing", f"{day} 是法定节假日，文件里没有标为 holiday，请补上")
        for day in fixed
        if is_fixed_holiday(day) and day not in off
    ]


def _net_days_off_error(year: int, days: Sequence[CalendarDay]) -> list[FieldError]:
    """Days off on weekdays less weekends worked make up the statutory days of a year; a forgotten row shows here.

    December is left out: its exchanged days belong to the next year's New Year holiday.
    """
    counted = [day for day in days if day.date.month != DECEMBER]
    off = sum(day.kind == DayKind.HOLIDAY and not is_weekend(day.date) for day in counted)
    worked = sum(day.kind == DayKind.WORKDAY and is_weekend(day.date) for day in counted)
    statutory = statutory_days(year)
    if statutory <= off - worked <= statutory + EXTRA_DAYS:
        return []
    found = f"工作日放假 {off} 天，周末上班 {worked} 天，相抵 {off - worked} 天"
    return [FieldError("", "year_unbalanced", f"{year} 年{found}，法定应为 {statutory} 天，请对照国务院办公厅通知查漏")]


def statutory_days(year: int) -> int:
    """Statutory holidays of a year (全国年节及纪念日放假办法 第二条): 13 since 2025, 11 from 2008, 10 before."""
    return next(days for since, days in STATUTORY_DAYS_SINCE if year >= since)


def _invalid(errors: Sequence[FieldError]) -> Malformed:
    return Malformed(
        "calendar_file_invalid", f"日历文件有 {len(errors)} 处错误，未导入任何内容；请改正后重新导入。", errors=errors
    )
