"""The clock of a request: it runs, stands still and runs on, by working or calendar days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar import Calendar, DayKind
from app.domain.service_items import DayUnit
from app.domain.service_items.clocks import recomputed, resumed, started, stopped

MONDAY, FRIDAY = date(2026, 3, 2), date(2026, 3, 6)
CALENDAR = Calendar({date(2026, 3, 5): DayKind.HOLIDAY}, frozenset({2026}))
WORKING, PLAIN = DayUnit.WORKING, DayUnit.CALENDAR


@pytest.mark.parametrize(
    ("unit", "days", "due"),
    [
        (WORKING, 0, MONDAY),  # on the spot
        (WORKING, 2, date(2026, 3, 4)),
        (WORKING, 3, FRIDAY),  # over the holiday
        (WORKING, 4, date(2026, 3, 9)),  # over the weekend
        (PLAIN, 2, date(2026, 3, 4)),
        (PLAIN, 3, FRIDAY),  # the last day is a day off (民法典 第203条)
        (PLAIN, 5, date(2026, 3, 9)),
    ],
)
def test_the_last_day(unit: DayUnit, days: int, due: date) -> None:
    assert started(unit, days, MONDAY, CALENDAR).due_on == due


def test_the_day_of_the_list_counts_and_that_of_the_supplement_does_not() -> None:
    standing = stopped(started(WORKING, 5, MONDAY, CALENDAR), date(2026, 3, 4), CALENDAR)
    assert (standing.days_left, standing.due_on, standing.late(date(2026, 12, 1))) == (3, None, False)
    assert resumed(standing, date(2026, 3, 16), CALENDAR).due_on == date(2026, 3, 19)


def test_what_was_late_before_stays_late() -> None:
    late = stopped(started(WORKING, 1, MONDAY, CALENDAR), FRIDAY, CALENDAR)
    assert late.due_on == date(2026, 3, 3)
    assert resumed(late, date(2026, 4, 1), CALENDAR) == late


def test_stopped_on_its_last_day_it_ends_on_the_day_of_the_supplement() -> None:
    standing = stopped(started(WORKING, 3, MONDAY, CALENDAR), FRIDAY, CALENDAR)
    assert standing.days_left == 0
    assert resumed(standing, date(2026, 3, 16), CALENDAR).due_on == date(2026, 3, 16)


def test_a_year_that_is_loaded_later_makes_it_certain() -> None:
    provisional = started(WORKING, 5, date(2026, 12, 28), CALENDAR)
    loaded = Calendar({date(2027, 1, 1): DayKind.HOLIDAY, date(2027, 1, 4): DayKind.HOLIDAY}, frozenset({2026, 2027}))
    assert provisional.due is not None
    assert provisional.due.provisional
    after = recomputed(provisional, loaded)
    assert after.due is not None
    assert (after.due.provisional, after.due.date - provisional.due.date) == (False, timedelta(days=1))


@given(
    unit=st.sampled_from(DayUnit),
    days=st.integers(0, 40),
    waits=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30)), max_size=4),
)
def test_a_pause_never_shortens_and_gives_back_no_more_than_it_took(
    unit: DayUnit, days: int, waits: list[tuple[int, int]]
) -> None:
    """However often it stands still, the days that ran and the days left make up the limit, and nothing late is mended."""
    today = MONDAY
    clock = first = started(unit, days, today, CALENDAR)
    paused = timedelta()
    for runs, stands in waits:
        today += timedelta(days=runs)
        before = clock
        clock = stopped(clock, today, CALENDAR)
        if before.late(today):
            assert resumed(clock, today + timedelta(days=stands), CALENDAR) == before
            return
        assert 0 <= clock.days_left <= before.days_left
        today += timedelta(days=stands)
        paused += timedelta(days=stands)
        clock = resumed(clock, today, CALENDAR)
    assert clock.due_on is not None
    assert first.due_on is not None
    assert first.due_on <= clock.due_on <= first.due_on + paused + timedelta(days=14)
