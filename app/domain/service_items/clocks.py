"""The clock of a request: it runs, stands still while the applicant brings what is missing, and runs on. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from app.domain.calendar import ONE_DAY, Calendar, Deadline
from app.domain.service_items.model import DayUnit


@dataclass(frozen=True, slots=True)
class Clock:
    """``days_left`` days counted from the day after ``runs_from``; ``due`` None while it stands still.

    A clock that ran out before it was stopped keeps its ``due``: a supplement doesn't make late things timely.
    """

    unit: DayUnit
    runs_from: date
    days_left: int
    due: Deadline | None

    @property
    def due_on(self) -> date | None:
        return self.due.date if self.due else None

    def late(self, today: date) -> bool:
        return self.due is not None and today > self.due.date


Change = Callable[[Clock], Clock]


def started(unit: DayUnit, days: int, on: date, calendar: Calendar) -> Clock:
    """The day of the start isn't counted (民法典 第二百零一条)."""
    return Clock(unit, on, days, _due(unit, days, on, calendar))


def stopped(clock: Clock, on: date, calendar: Calendar) -> Clock:
    """Stands still after ``on``, which is still counted."""
    if clock.due is None or clock.late(on):
        return clock
    return replace(clock, days_left=max(0, clock.days_left - _used(clock, on, calendar)), due=None)


def resumed(clock: Clock, on: date, calendar: Calendar) -> Clock:
    """Runs on; ``on`` isn't counted."""
    if clock.due is not None:
        return clock
    return replace(clock, runs_from=on, due=_due(clock.unit, clock.days_left, on, calendar))


def recomputed(clock: Clock, calendar: Calendar) -> Clock:
    """A running clock under a calendar that knows more."""
    if clock.due is None:
        return clock
    return replace(clock, due=_due(clock.unit, clock.days_left, clock.runs_from, calendar))


def _due(unit: DayUnit, days: int, on: date, calendar: Calendar) -> Deadline:
    if unit is DayUnit.WORKING:
        return calendar.add_working_days(on, days)
    return calendar.add_calendar_days(on, days)


def _used(clock: Clock, on: date, calendar: Calendar) -> int:
    days = (on - clock.runs_from).days
    if clock.unit is DayUnit.CALENDAR:
        return days
    return sum(calendar.is_working_day(clock.runs_from + ONE_DAY * n) for n in range(1, days + 1))
