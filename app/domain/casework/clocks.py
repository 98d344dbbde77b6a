"""The time limits of 低保 casework (民发〔2021〕57号 第十五条至第二十二条). They warn; they never block an act.

The numbers are the ministry's; a locality may set its own in ``dibao.time_limits``, dated and with a source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from app.domain.calendar import Calendar, Deadline


class ClockKind(StrEnum):
    START_SURVEY = "start_survey"
    TOTAL = "total"
    CONFIRM = "confirm"
    REFUSAL_NOTICE = "refusal_notice"


CLOCK_NAMES: Mapping[ClockKind, str] = {
    ClockKind.START_SURVEY: "启动家庭经济状况调查",
    ClockKind.TOTAL: "受理至确认总时限",
    ClockKind.CONFIRM: "县级确认",
    ClockKind.REFUSAL_NOTICE: "不予确认书面告知",
}
ARTICLES: Mapping[ClockKind, str] = {
    ClockKind.START_SURVEY: "民发〔2021〕57号 第十五条",
    ClockKind.TOTAL: "民发〔2021〕57号 第二十二条",
    ClockKind.CONFIRM: "民发〔2021〕57号 第二十条",
    ClockKind.REFUSAL_NOTICE: "民发〔2021〕57号 第二十一条",
}
_DELEGATED_TOTAL = "民发〔2022〕83号 四(一)"


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Working days, but for the public notice, whose days are calendar days."""

    start_survey: int = 3
    confirm: int = 10
    refusal_notice: int = 3
    total: int = 30
    total_delegated: int = 20
    notice_calendar: int = 7

    @classmethod
    def of(cls, parameter: Mapping[str, Any] | None) -> TimeLimits:
        """The locality's numbers; what it doesn't name stays the ministry's."""
        known = {name: int(value) for name, value in (parameter or {}).items() if name in cls.__slots__}
        return cls(**known)

    def days(self, kind: ClockKind, *, delegated: bool) -> int:
        by_kind = {
            ClockKind.START_SURVEY: self.start_survey,
            ClockKind.TOTAL: self.total_delegated if delegated else self.total,
            ClockKind.CONFIRM: self.confirm,
            ClockKind.REFUSAL_NOTICE: self.refusal_notice,
        }
        return by_kind[kind]


@dataclass(frozen=True, slots=True)
class Clock:
    """A time limit that runs from the day after ``starts_on`` for ``days`` working days."""

    kind: ClockKind
    starts_on: date
    days: int
    due: Deadline
    article: str


def start(kind: ClockKind, on: date, limits: TimeLimits, calendar: Calendar, *, delegated: bool = False) -> Clock:
    """The clock that an act on ``on`` starts; provisional when it runs into a year whose calendar isn't loaded."""
    days = limits.days(kind, delegated=delegated)
    article = _DELEGATED_TOTAL if delegated and kind is ClockKind.TOTAL else ARTICLES[kind]
    return Clock(kind, on, days, calendar.add_working_days(on, days), article)


def recomputed(starts_on: date, days: int, calendar: Calendar) -> Deadline:
    """The due day of a running clock under a calendar that knows more."""
    return calendar.add_working_days(starts_on, days)


def overdue(due_on: date, met_on: date | None, today: date) -> bool:
    """Late: still open after its last day, or met after it."""
    return (met_on or today) > due_on
