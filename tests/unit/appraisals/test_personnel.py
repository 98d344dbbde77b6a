"""A person's year from meetings and checks on record (一月一例会、一季一检查, S002 L32)."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.appraisals import personnel
from app.domain.appraisals.personnel import (
    Person,
    PersonKind,
    PersonRecord,
    RecordKind,
    RecordOutcome,
    Tally,
    period_of,
    periods_of,
)
from app.domain.appraisals.scheme import FULL_POINTS, PersonnelRule
from tests.unit.appraisals.years import SIGNED

MEETING, CHECK = RecordKind.MONTHLY_MEETING, RecordKind.QUARTERLY_CHECK
RULE = PersonnelRule(50, 50, 9000, 6000, "S002 L32")
LAST = date(2026, 12, 31)


def person(since: date = date(2020, 1, 1), until: date | None = None) -> Person:
    return Person(UUID(int=1), PersonKind.ASSISTANT, UUID(int=2), "陈示", "350702001", since, until)


def record(kind: RecordKind, month: int, outcome: RecordOutcome) -> PersonRecord:
    day = date(2026, month, 5)
    return PersonRecord(
        id=UUID(int=month),
        station_id=UUID(int=2),
        area_code="350702001",
        person_id=UUID(int=1),
        person_kind=PersonKind.ASSISTANT,
        person_name="陈示",
        kind=kind,
        period=period_of(kind, day),
        held_on=day,
        outcome=outcome,
        note=None,
        signature=SIGNED,
    )


def test_twelve_months_and_four_quarters() -> None:
    months, quarters = periods_of(MEETING, 2026), periods_of(CHECK, 2026)
    assert (len(months), months[1]) == (12, (date(2026, 2, 1), date(2026, 2, 28)))
    assert quarters == [
        (date(2026, 1, 1), date(2026, 3, 31)),
        (date(2026, 4, 1), date(2026, 6, 30)),
        (date(2026, 7, 1), date(2026, 9, 30)),
        (date(2026, 10, 1), LAST),
    ]


@given(st.dates(date(2026, 1, 1), LAST), st.sampled_from(RecordKind))
def test_every_day_lies_in_one_period(day: date, kind: RecordKind) -> None:
    assert [first for first, last in periods_of(kind, 2026) if first <= day <= last] == [period_of(kind, day)]


@pytest.mark.parametrize(
    ("who", "as_of", "due"),
    [
        (person(), LAST, 12),
        (person(), date(2026, 3, 31), 3),
        (person(), date(2026, 3, 30), 2),  # March isn't over
        (person(since=date(2026, 2, 1)), LAST, 11),
        (person(since=date(2026, 2, 2)), LAST, 10),  # February not from its first day
        (person(until=date(2026, 12, 31)), LAST, 11),  # half-open: not there on the last day
        (person(until=date(2027, 1, 1)), LAST, 12),
        (person(since=date(2027, 1, 1)), LAST, 0),
    ],
)
def test_a_month_is_due_when_it_is_over_and_was_served_whole(who: Person, as_of: date, due: int) -> None:
    assert personnel.tally(who, MEETING, [], 2026, as_of) == Tally(due, 0, 0, 0, due)


def test_a_month_with_a_record_is_due_even_if_it_isnt_over() -> None:
    found = personnel.tally(person(), MEETING, [record(MEETING, 3, RecordOutcome.PRESENT)], 2026, date(2026, 3, 10))
    assert found == Tally(due=3, good=1, bad=0, excused=0, unrecorded=2)


@pytest.mark.parametrize(
    ("meetings", "checks", "points"),
    [
        ((12, 0), (4, 0), 10000),
        ((0, 12), (0, 4), 0),
        ((11, 1), (4, 0), 9583),  # (11/12 + 1) / 2 = 0.95833…
        ((2, 1), (0, 0), 6667),  # no checks: meetings alone
        ((0, 0), (1, 3), 2500),
        ((0, 0), (0, 0), None),
    ],
)
def test_meetings_and_checks_by_their_weights(meetings: tuple[int, int], checks: tuple[int, int], points: int | None) -> None:
    of_meetings, of_checks = (Tally(12, good, bad, 0, 0) for good, bad in (meetings, checks))
    assert personnel.points_of(of_meetings, of_checks, RULE) == points


@pytest.mark.parametrize(
    ("good", "bad", "grade"),
    [(9, 1, "excellent"), (8999, 1001, "qualified"), (6, 4, "qualified"), (5999, 4001, "unqualified")],
)
def test_grades_of_people(good: int, bad: int, grade: str) -> None:
    points = personnel.points_of(Tally(1, good, bad, 0, 0), Tally(0, 0, 0, 0, 0), RULE)
    assert personnel.grade_of(points, RULE) == grade


def test_leave_and_gaps_cost_nothing() -> None:
    records = [record(MEETING, 1, RecordOutcome.PRESENT), record(MEETING, 2, RecordOutcome.EXCUSED)]
    found = personnel.year_of(person(), records, RULE, 2026, LAST)
    assert (found.points, found.grade, found.meetings.excused, found.meetings.unrecorded) == (10000, "excellent", 1, 10)


def test_nothing_on_record_is_no_score() -> None:
    found = personnel.year_of(person(), [], RULE, 2026, LAST)
    assert (found.points, found.grade) == (None, None)
    assert personnel.station_points([found]) is None


def test_a_stations_people_together() -> None:
    years = [
        personnel.year_of(person(), [record(MEETING, 1, said)], RULE, 2026, LAST)
        for said in (RecordOutcome.PRESENT, RecordOutcome.ABSENT)
    ]
    assert personnel.station_points([*years, personnel.year_of(person(), [], RULE, 2026, LAST)]) == 5000


tallies = st.builds(Tally, st.just(12), st.integers(0, 12), st.integers(0, 12), st.just(0), st.just(0))


@given(tallies, tallies, st.integers(0, 100), st.integers(0, 100))
def test_one_meeting_more_never_costs_anything(meetings: Tally, checks: Tally, one: int, other: int) -> None:
    rule = PersonnelRule(one, other, 9000, 6000, "x")
    more = Tally(12, meetings.good + 1, max(meetings.bad - 1, 0), 0, 0)
    before, after = (personnel.points_of(each, checks, rule) for each in (meetings, more))
    assert before is None or 0 <= before <= FULL_POINTS
    if before is not None and after is not None and meetings.good + meetings.bad:
        assert after >= before


@given(st.dates(date(2026, 1, 1), LAST), st.integers(0, 400))
def test_due_never_shrinks_as_the_year_goes_on(as_of: date, later: int) -> None:
    before = personnel.tally(person(), CHECK, [], 2026, as_of)
    after = personnel.tally(person(), CHECK, [], 2026, as_of + timedelta(days=later))
    assert before.due <= after.due <= 4
