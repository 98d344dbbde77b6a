"""Time limits of casework: DB-29, DB-30, delegation, local numbers, years whose calendar isn't loaded."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calendar_seed import seeded_days
from app.domain.calendar import Calendar, DayKind, Deadline, notice_period
from app.domain.casework.clocks import ARTICLES, CLOCK_NAMES, ClockKind, TimeLimits, overdue, recomputed, start

LIMITS = TimeLimits()
YEAR_2026 = Calendar({day: kind for day, kind, _ in seeded_days(2026)}, frozenset({2026}))
ACCEPTED = date(2026, 3, 2)


def due(kind: ClockKind, on: date = ACCEPTED, *, delegated: bool = False, calendar: Calendar = YEAR_2026) -> Deadline:
    return start(kind, on, LIMITS, calendar, delegated=delegated).due


def test_db_29_start_of_the_survey() -> None:
    assert due(ClockKind.START_SURVEY) == Deadline(date(2026, 3, 5), provisional=False)


def test_db_29_thirty_working_days_step_over_qingming() -> None:
    assert due(ClockKind.TOTAL) == Deadline(date(2026, 4, 14), provisional=False)


def test_db_29_without_the_holiday_it_would_be_a_day_earlier() -> None:
    plain_weeks = Calendar({}, frozenset({2026}))
    assert due(ClockKind.TOTAL, calendar=plain_weeks).date == date(2026, 4, 13)


def test_db_29_delegated_confirmation_has_twenty_working_days() -> None:
    clock = start(ClockKind.TOTAL, ACCEPTED, LIMITS, YEAR_2026, delegated=True)
    assert (clock.due.date, clock.days, clock.article) == (date(2026, 3, 30), 20, "民发〔2022〕83号 四(一)")
    assert due(ClockKind.START_SURVEY, delegated=True) == due(ClockKind.START_SURVEY)


def test_db_30_the_notice_of_16_march_may_be_closed_on_the_24th() -> None:
    period = notice_period(date(2026, 3, 16), LIMITS.notice_calendar)
    assert (period.first_day, period.last_day, period.next_act_from) == (
        date(2026, 3, 17),
        date(2026, 3, 23),
        date(2026, 3, 24),
    )


@pytest.mark.parametrize(
    ("kind", "days"), [(ClockKind.CONFIRM, 10), (ClockKind.REFUSAL_NOTICE, 3), (ClockKind.START_SURVEY, 3), (ClockKind.TOTAL, 30)]
)
def test_the_numbers_are_the_ministry_s(kind: ClockKind, days: int) -> None:
    clock = start(kind, ACCEPTED, LIMITS, YEAR_2026)
    assert (clock.kind, clock.days, clock.article, clock.starts_on) == (kind, days, ARTICLES[kind], ACCEPTED)
    assert set(ARTICLES) == set(CLOCK_NAMES) == set(ClockKind)


def test_a_locality_may_set_its_own_and_what_it_leaves_out_stays() -> None:
    local = TimeLimits.of({"total": 25, "total_special": 45, "notice_calendar": 10})
    assert (local.total, local.notice_calendar, local.confirm) == (25, 10, 10)
    assert TimeLimits.of(None) == TimeLimits()


def test_into_a_year_not_loaded_it_is_provisional_and_moves_when_the_year_comes() -> None:
    accepted = date(2026, 11, 23)
    before = due(ClockKind.TOTAL, accepted)
    assert before == Deadline(date(2027, 1, 5), provisional=True)  # of 2027 only New Year's Day is known
    announced = dict.fromkeys([date(2027, 1, 1), date(2027, 1, 4)], DayKind.HOLIDAY)
    calendar = Calendar({**YEAR_2026.days, **announced}, frozenset({2026, 2027}))
    assert recomputed(accepted, 30, calendar) == Deadline(date(2027, 1, 6), provisional=False)


def test_overdue_begins_the_day_after_and_a_late_act_stays_late() -> None:
    due_on = date(2026, 3, 5)
    assert not overdue(due_on, None, date(2026, 3, 5))
    assert overdue(due_on, None, date(2026, 3, 6))
    assert not overdue(due_on, date(2026, 3, 5), date(2026, 9, 1))
    assert overdue(due_on, date(2026, 3, 6), date(2026, 9, 1))


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)), st.integers(0, 60))
def test_a_recomputation_under_the_same_calendar_changes_nothing(on: date, days: int) -> None:
    first = recomputed(on, days, YEAR_2026)
    assert recomputed(on, days, YEAR_2026) == first
    assert first.date >= on
    counted = range(on.toordinal() + 1, first.date.toordinal() + 1)
    assert first.provisional == any(date.fromordinal(day).year != 2026 for day in counted)
