"""Days, months and legal periods of time.

The period rules are the Civil Code's, followed in administrative procedure: the starting day isn't counted (第201条), a period in
months ends on the corresponding day or at month's end (第202条), and a period that would end on a day off ends on the next
working day (第203条). Working days leave out statutory holidays and the weekends not worked in exchange (行政许可法 第82条).

The calendar is data: what the State Council announces for a year is loaded as rows. A deadline that runs into a year not loaded
yet is still computed, on weekends and the fixed statutory dates, and says so (``provisional``): it never blocks an act.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

from app.domain.errors import Malformed

#: China keeps one time all year; a fixed offset needs no time-zone database on the machine.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")

#: Dates outside are refused: nobody in the registry was born before, and no period may run past the end of the type's range.
FIRST_DAY = date(1850, 1, 1)
LAST_DAY = date(2300, 12, 31)

ONE_DAY = timedelta(days=1)
SATURDAY = 5
#: Since then 2 May is a statutory holiday as well (全国年节及纪念日放假办法, 2024-11 revision).
SECOND_OF_MAY_SINCE = 2025
NOTICE_DAYS = 7

_DATE_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH_TEXT = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


class DayKind(StrEnum):
    """What the announced calendar says of a day: off, or worked."""

    WORKDAY = "workday"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day of a period. ``provisional``: some day of it lies in a year whose calendar isn't loaded yet."""

    date: date
    provisional: bool


@dataclass(frozen=True, slots=True)
class NoticePeriod:
    """A public notice (公示): shown from ``first_day`` to ``last_day``, both included; the next act from ``next_act_from``."""

    first_day: date
    last_day: date
    next_act_from: date


@dataclass(frozen=True, slots=True)
class Calendar:
    """The announced days off and make-up working days of the loaded years.

    ``days`` holds the days that differ from the plain week (more does no harm); ``loaded_years`` the years they are complete for.
    """

    days: Mapping[date, DayKind] = field(default_factory=dict)
    loaded_years: frozenset[int] = frozenset()

    def is_loaded(self, day: date) -> bool:
        return day.year in self.loaded_years

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on ``day``; a guess from the week and the fixed dates in a year that isn't loaded."""
        if not self.is_loaded(day):
            return not is_weekend(day) and not is_fixed_holiday(day)
        kind = self.days.get(day)
        return not is_weekend(day) if kind is None else kind == DayKind.WORKDAY

    def add_working_days(self, start: date, days: int) -> Deadline:
        """The ``days``-th working day after ``start``, which isn't counted itself (民法典 第201条); 0 is the day itself."""
        day, left, provisional = _supported(start), _not_negative(days), False
        while left:
            day = _supported(day + ONE_DAY)
            provisional = provisional or not self.is_loaded(day)
            left -= self.is_working_day(day)
        return Deadline(day, provisional)

    def add_calendar_days(self, start: date, days: int) -> Deadline:
        """The ``days``-th day after ``start``, rolled over when it is a day off (民法典 第201、203条)."""
        return self.roll_over(days_later(start, days))

    def add_months(self, start: date, months: int) -> Deadline:
        """The corresponding day ``months`` later, rolled over when it is a day off (民法典 第202、203条)."""
        return self.roll_over(corresponding_day(start, months))

    def roll_over(self, last_day: date) -> Deadline:
        """``last_day``, or the first working day after it when it is a day off (民法典 第203条)."""
        day, provisional = _supported(last_day), not self.is_loaded(last_day)
        while not self.is_working_day(day):
            day = _supported(day + ONE_DAY)
            provisional = provisional or not self.is_loaded(day)
        return Deadline(day, provisional)


def is_weekend(day: date) -> bool:
    return day.weekday() >= SATURDAY


def is_fixed_holiday(day: date) -> bool:
    """Whether ``day`` is a statutory holiday on every year's same date.

    New Year, Labour Day and National Day (全国年节及纪念日放假办法 第二条). Those of the lunar calendar (春节,
    端午, 中秋) and 清明 can't be told before the year is announced.
    """
    if (day.month, day.day) == (5, 2):
        return day.year >= SECOND_OF_MAY_SINCE
    return (day.month, day.day) in {(1, 1), (5, 1), (10, 1), (10, 2), (10, 3)}


def days_later(start: date, days: int) -> date:
    """The ``days``-th day after ``start``, which isn't counted (民法典 第201条); days off count like any other."""
    _supported(start)
    if days > (LAST_DAY - start).days:
        raise _out_of_range()
    return _supported(start + timedelta(days=days))


def corresponding_day(start: date, months: int) -> date:
    """The same day of the month ``months`` later (earlier when negative), or that month's last day (民法典 第202条)."""
    _supported(start)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not FIRST_DAY.year <= year <= LAST_DAY.year:
        raise _out_of_range()
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def notice_period(posted_on: date, days: int = NOTICE_DAYS) -> NoticePeriod:
    """The public notice posted on ``posted_on`` (民发〔2021〕57号 第19条: seven days).

    It runs from the day after the posting (民法典 第201条), every day counts, and the next act may follow the day after its end.
    It is how long the notice has to hang, not a term for doing something, so its end isn't rolled over on a day off.
    """
    last_day = days_later(posted_on, days)
    return NoticePeriod(days_later(posted_on, 1), last_day, days_later(last_day, 1))


def business_date(instant: datetime) -> date:
    """The local date of an instant in Asia/Shanghai. ``ValueError`` for an instant without an offset."""
    if instant.tzinfo is None:
        raise ValueError("时刻缺少时区，请按 ISO 8601 带上偏移量，例如 2026-08-15T09:00:00+08:00")
    return instant.astimezone(SHANGHAI).date()


def iso_date(text: str) -> date | None:
    """The date of ``YYYY-MM-DD`` within the supported range; ``None`` for anything else, other ISO forms included."""
    if _DATE_TEXT.fullmatch(text) is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month; written ``YYYY-MM``."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if self.month not in range(1, 13) or not (FIRST_DAY.year <= self.year <= LAST_DAY.year):
            raise ValueError("月份超出范围，请写成 YYYY-MM，例如 2026-08")

    @classmethod
    def parse(cls, text: str) -> Month:
        """``Month`` of ``YYYY-MM``; ``ValueError`` for anything else."""
        match = _MONTH_TEXT.fullmatch(text)
        if match is None:
            raise ValueError("月份格式不对，请写成 YYYY-MM，例如 2026-08")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        return cls(day.year, day.month)

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        return date(self.year, self.month, monthrange(self.year, self.month)[1])

    def shift(self, months: int) -> Month:
        """The month ``months`` later, or earlier when negative."""
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(year, month + 1)

    def next(self) -> Month:
        return self.shift(1)

    def previous(self) -> Month:
        return self.shift(-1)

    def months_until(self, other: Month) -> int:
        """How many months later ``other`` is; negative when it is earlier."""
        return (other.year - self.year) * 12 + other.month - self.month

    def __contains__(self, day: date) -> bool:
        return (day.year, day.month) == (self.year, self.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def month_range(first: Month, until: Month) -> Iterator[Month]:
    """The months from ``first`` up to, not including, ``until``; none when ``until`` isn't later."""
    for offset in range(first.months_until(until)):
        yield first.shift(offset)


def _supported(day: date) -> date:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise _out_of_range()
    return day


def _not_negative(count: int) -> int:
    if count < 0:
        raise ValueError("a period can't have a negative number of days")
    return count


def _out_of_range() -> Malformed:
    return Malformed("date_out_of_range", f"日期超出可计算的范围（{FIRST_DAY} 至 {LAST_DAY}），请核对后重新填写。")
