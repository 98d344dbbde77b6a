"""On-time rates: each request judged once by each limit, no data told from nothing in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.service_items.rates import OnTime, Period, Served, Tally, judged, on_time_of, summed

DUE = date(2026, 3, 13)
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1), date(2026, 11, 22))
ONE = Served("350702001", "review", DUE, DUE, None, taken_back=False, count=1)


@pytest.mark.parametrize(
    ("ended_on", "taken_back", "verdict"),
    [
        (date(2026, 3, 12), False, (date(2026, 3, 12), True)),
        (DUE, False, (DUE, True)),  # the last day is in time
        (date(2026, 3, 14), False, (date(2026, 3, 14), False)),
        (date(2026, 5, 1), False, (date(2026, 3, 14), False)),  # late on the day after the last one, not when it ended
        (None, False, (date(2026, 3, 14), False)),
        (DUE, True, None),  # taken back in time
        (date(2026, 5, 1), True, (date(2026, 3, 14), False)),
    ],
)
def test_judged_once(ended_on: date | None, taken_back: bool, verdict: tuple[date, bool] | None) -> None:
    assert judged(DUE, ended_on, taken_back=taken_back) == verdict


def test_without_a_limit_or_while_it_stands_still_nothing_is_judged() -> None:
    assert judged(None, date(2026, 3, 12), taken_back=False) is None


def test_nothing_is_judged_before_its_day() -> None:
    assert on_time_of(ONE, replace(MARCH, today=DUE)) == OnTime()
    assert on_time_of(ONE, replace(MARCH, today=date(2026, 3, 14))).legal == Tally(1, 0)


def test_both_limits_are_judged_on_their_own() -> None:
    between = replace(ONE, promised_due=date(2026, 3, 6), ended_on=date(2026, 3, 10), count=7)
    assert on_time_of(between, MARCH) == OnTime(Tally(7, 7), Tally(7, 0))


@pytest.mark.parametrize(
    ("tally", "percent"),
    [(Tally(), None), (Tally(5, 0), "0.00"), (Tally(3, 2), "66.66"), (Tally(3, 3), "100.00"), (Tally(3986, 3885), "97.46")],
)
def test_the_rate_is_truncated_and_absent_without_data(tally: Tally, percent: str | None) -> None:
    assert tally.percent == percent


def test_what_has_nothing_judged_is_left_out() -> None:
    served = [ONE, replace(ONE, item_code="other", ended_on=DUE, taken_back=True)]
    assert summed(served, MARCH) == {("350702001", "review"): OnTime(Tally(1, 0), Tally(1, 0))}


days = st.dates(date(2026, 1, 1), date(2026, 6, 30))


@given(due=days, ended=st.none() | days, cut=days, taken_back=st.booleans())
def test_periods_side_by_side_count_what_they_count_together(due: date, ended: date | None, cut: date, taken_back: bool) -> None:
    served = replace(ONE, legal_due=due, promised_due=None, ended_on=ended, taken_back=taken_back and ended is not None)
    first, last, today = date(2026, 1, 1), date(2026, 7, 2), date(2026, 11, 22)
    parts = on_time_of(served, Period(first, cut, today)) + on_time_of(served, Period(cut, last, today))
    assert parts == on_time_of(served, Period(first, last, today))
    assert parts.legal.judged == (0 if served.taken_back and ended is not None and ended <= due else 1)
