"""Days and months, as text, as dates and as the serial numbers that spreadsheets keep dates in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from app.domain.imports.cells.column import ColumnReader, half_width
from app.domain.imports.model import CellFault

_TIME: Final = r"[T\s]+(?:上午|下午|凌晨|晚上)?\s*[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?\s*(?:[AP]M|\+08:?00)?"
_DAY: Final = re.compile(
    r"([0-9]{4})(?:\s*(?:[-/.、]|年)\s*|\s+)([0-9]{1,2})(?:\s*(?:[-/.、]|月)\s*|\s+)([0-9]{1,2})\s*[日号]?(?:" + _TIME + ")?"
)
_MONTH: Final = re.compile(r"([0-9]{4})\s*(?:[-/.]|年)\s*([0-9]{1,2})\s*月?份?")
_COMPACT_DAY: Final = re.compile(r"([12][0-9]{3})([0-9]{2})([0-9]{2})")
_COMPACT_MONTH: Final = re.compile(r"([12][0-9]{3})([0-9]{2})")
_SHORT_YEAR: Final = re.compile(r"(?:[0-9]{2}|'[0-9]{2})(?:[-/.]|年)[0-9]{1,2}(?:(?:[-/.]|月)[0-9]{1,2}日?|月)?")
_ISO_DAY: Final = re.compile(r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])").fullmatch
_ISO_MONTH: Final = re.compile(r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])").fullmatch
_SERIAL: Final = re.compile(r"([0-9]{5})(?:\.[0-9]+)?")
_WEEKDAY: Final = re.compile(r"\s*\(?(?:星期|礼拜|周)[一二三四五六日天]\)?")
#: What input methods and documents put for the marks between numbers, and for a naught.
_MARKS: Final = str.maketrans("。·—–‐‑−\\○零", ".." + "-" * 6 + "〇〇")
_DIGITS: Final = "〇一二三四五六七八九"
_PART: Final = rf"([{_DIGITS}十]{{1,3}}|[0-9]{{1,2}})"
_IN_CHINESE: Final = re.compile(rf"([{_DIGITS}]{{4}}|[0-9]{{4}})年{_PART}月(?:份|{_PART}[日号]?)?")
_EPOCH_1900: Final = date(1899, 12, 30)  # day 1 is 1 January 1900, and 1900 has a 29 February that never was
_EPOCH_1904: Final = date(1904, 1, 1)
_SERIALS: Final = range(2_301, 73_415)  # from April 1906 to the end of 2100; what is smaller may as well be a year
_NUMBERS_END: Final = 10**8  # 20260102 is the largest kind of number that can be meant
_YEARS: Final = range(1850, 2301)

_FORMAT: Final = "请按“2026-01-02”的格式填写日期。"
_MONTH_FORMAT: Final = "请按“2026-01”的格式填写月份。"
_TENTH: Final = re.compile(r"[0-9]{4}\.1")  # what a spreadsheet makes of 2026.10
_JANUARY_OR_OCTOBER: Final = "分不清是 1 月还是 10 月（表格软件会去掉末尾的 0）；请按“2026-01”的格式填写月份。"


class Date(ColumnReader):
    """A day: 2026-01-02, 2026/1/2, 2026.1.2, 2026年1月2日, 二〇二六年一月二日, 20260102, a date cell, or a serial number; with a
    weekday or a time after it, which are left out.
    """

    def __init__(self, *, from_1904: bool = False) -> None:
        self._epoch = _EPOCH_1904 if from_1904 else _EPOCH_1900

    def in_1904_books(self) -> Date:
        """The same for a workbook that counts days from 1904."""
        return type(self)(from_1904=True)

    @property
    def _wrong(self) -> CellFault:
        return CellFault("date_format", _FORMAT)

    def quick(self, texts: Iterable[str]) -> dict[Any, Any]:
        """Days of the last and this century as ISO 8601 has them."""
        return {text: date.fromisoformat(text) for text in texts if _ISO_DAY(text)}

    def read(self, cell: Any) -> date | None:
        if isinstance(cell, date):
            return _bounded(cell.date() if isinstance(cell, datetime) else cell)
        return self._from_text(half_width(cell)) if isinstance(cell, str) else self._from_number(cell)

    def write(self, value: Any) -> str:
        """ISO 8601."""
        text: str = value.isoformat()
        return text

    def _from_text(self, text: str) -> date:
        text = _tidied(text)
        found = _DAY.fullmatch(text) or _COMPACT_DAY.fullmatch(text)
        if found:
            return calendar_day(int(found[1]), int(found[2]), int(found[3]))
        if serial := _SERIAL.fullmatch(text):
            return self._from_number(int(serial[1]))
        if _SHORT_YEAR.fullmatch(text):
            raise CellFault("date_short_year", "年份请写四位，例如 2026-01-02。")
        raise self._wrong

    def _from_number(self, cell: Any) -> date:
        if isinstance(cell, bool) or not isinstance(cell, int | Decimal) or not 0 < cell < _NUMBERS_END:
            raise self._wrong
        days = int(cell)
        compact = _COMPACT_DAY.fullmatch(str(days))
        if compact and days == cell:
            return calendar_day(int(compact[1]), int(compact[2]), int(compact[3]))
        if days not in _SERIALS:
            raise self._wrong
        return self._epoch + timedelta(days=days)


class Month(Date):
    """A month, as its first day: 2026-05, 2026年5月, 202605, a whole day of it, a date cell or a serial number."""

    @property
    def _wrong(self) -> CellFault:
        return CellFault("month_format", _MONTH_FORMAT)

    def quick(self, texts: Iterable[str]) -> dict[Any, Any]:
        """Months as ISO 8601 has them."""
        return {text: date(int(text[:4]), int(text[5:]), 1) for text in texts if _ISO_MONTH(text)}

    def read(self, cell: Any) -> date | None:
        if isinstance(cell, int) and not isinstance(cell, bool) and (compact := _COMPACT_MONTH.fullmatch(str(cell))):
            return calendar_month(int(compact[1]), int(compact[2]))
        if isinstance(cell, Decimal) and cell < _SERIALS.start:
            return self._from_text(format(cell, "f"))
        day = super().read(cell)
        return day.replace(day=1) if day else None

    def write(self, value: Any) -> str:
        """Year and month."""
        return f"{value:%Y-%m}"

    def _from_text(self, text: str) -> date:
        text = _tidied(text)
        if _TENTH.fullmatch(text):
            raise CellFault("month_format", _JANUARY_OR_OCTOBER)
        found = _MONTH.fullmatch(text) or _COMPACT_MONTH.fullmatch(text)
        if found:
            return calendar_month(int(found[1]), int(found[2]))
        return super()._from_text(text)


def _tidied(text: str) -> str:
    """Half-width marks, the usual digits, no day of the week: 二〇二六年一月五日星期一 is how spreadsheets may show a date."""
    text = _WEEKDAY.sub("", text.translate(_MARKS).removeprefix("'").replace("元月", "一月"))
    found = _IN_CHINESE.fullmatch("".join(text.split()))
    if found is None:
        return text
    return "-".join(str(_small_number(part)) for part in found.groups() if part)


def _small_number(text: str) -> int:
    """十二, 二十, 三十一, others digit by digit; what is none of these becomes 0, which no calendar has."""
    if "十" not in text:
        return int("".join(str(_DIGITS.index(digit)) if digit in _DIGITS else digit for digit in text))
    tens, _, ones = text.partition("十")
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return 0
    return (_DIGITS.index(tens) if tens else 1) * 10 + (_DIGITS.index(ones) if ones else 0)


def calendar_day(year: int, month: int, day: int) -> date:
    """Raises CellFault for days that no calendar has, and for years that can't be meant."""
    try:
        return _bounded(date(year, month, day))
    except ValueError as wrong:
        if isinstance(wrong, CellFault):
            raise
        raise CellFault("date_invalid", "没有这一天，请核对年、月、日。") from None


def calendar_month(year: int, month: int) -> date:
    """Raises CellFault for months beyond twelve, and for years that can't be meant."""
    if not 1 <= month <= 12:  # noqa: PLR2004 - months of a year
        raise CellFault("date_invalid", "没有这个月份，请核对。")
    return calendar_day(year, month, 1)


def _bounded(day: date) -> date:
    if day.year not in _YEARS:
        raise CellFault("date_range", "年份过早或过晚，请核对。")
    return day
