"""Ages, months and corresponding days, as the Civil Code counts them (民法典 第二百零一、二百零二条)."""

from __future__ import annotations

from calendar import isleap, monthrange
from datetime import date


def add_months(day: date, months: int) -> date:
    """The corresponding day ``months`` later (or earlier); where there is none, that month's last day (民法典 第二百零二条)."""
    years, month_index = divmod(day.year * 12 + day.month - 1 + months, 12)
    month = month_index + 1
    return date(years, month, min(day.day, monthrange(years, month)[1]))


def month_of(day: date) -> str:
    """``YYYY-MM`` of a date."""
    return f"{day.year:04d}-{day.month:02d}"


def month_after(day: date, months: int = 1) -> str:
    """``YYYY-MM`` of the month that lies ``months`` after the month of ``day``."""
    year, month_index = divmod(day.year * 12 + day.month - 1 + months, 12)
    return f"{year:04d}-{month_index + 1:02d}"


def birthday_in(birth: date, year: int, leap_day_on: str = "02-28") -> date:
    """The birthday in ``year``; somebody born on 29 February has it on ``leap_day_on`` in a common year (a local parameter)."""
    if (birth.month, birth.day) != (2, 29) or isleap(year):
        return birth.replace(year=year)
    return date(year, 3, 1) if leap_day_on == "03-01" else date(year, 2, 28)


def age_on(birth: date, on: date, leap_day_on: str = "02-28") -> int:
    """Completed years of age (周岁) on a day; the birthday itself completes the year."""
    return on.year - birth.year - (on < birthday_in(birth, on.year, leap_day_on))
