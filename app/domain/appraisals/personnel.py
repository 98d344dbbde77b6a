"""Assistants and informants: a meeting every month, a check every quarter (一月一例会、一季一检查, S002 L32). Pure.

A person's year is computed from what was put on record about him. A period without a record is shown as such and costs nobody
anything: whether the station held its meetings at all is another indicator.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from app.domain.access import Signature
from app.domain.appraisals.scheme import FULL_POINTS, PersonnelRule
from app.domain.appraisals.scoring import half_up

MONTHS = range(1, 13)
QUARTER_STARTS = (1, 4, 7, 10)
QUARTER_MONTHS = 3
DECEMBER = 12


class PersonKind(StrEnum):
    ASSISTANT = "assistant"  # 民政助理员: holds a post at the station
    INFORMANT = "informant"  # 信息监督员、协管员 of a community


class RecordKind(StrEnum):
    MONTHLY_MEETING = "monthly_meeting"
    QUARTERLY_CHECK = "quarterly_check"


class RecordOutcome(StrEnum):
    """A meeting is attended, missed with leave or missed; a check is passed or not."""

    PRESENT = "present"
    EXCUSED = "excused"
    ABSENT = "absent"
    PASSED = "passed"
    FAILED = "failed"


OUTCOMES = {
    RecordKind.MONTHLY_MEETING: (RecordOutcome.PRESENT, RecordOutcome.EXCUSED, RecordOutcome.ABSENT),
    RecordKind.QUARTERLY_CHECK: (RecordOutcome.PASSED, RecordOutcome.FAILED),
}
GOOD = (RecordOutcome.PRESENT, RecordOutcome.PASSED)
BAD = (RecordOutcome.ABSENT, RecordOutcome.FAILED)


class PersonGrade(StrEnum):
    EXCELLENT = "excellent"
    QUALIFIED = "qualified"
    UNQUALIFIED = "unqualified"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to be assessed, with the period of his post (half-open). ``account_id``: his own account, if he has one."""

    id: UUID
    kind: PersonKind
    station_id: UUID
    name: str
    area_code: str
    since: date
    until: date | None
    account_id: UUID | None = None

    def holds_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """What was put on record about a person in a period; ``period`` is its first day. The latest word on a period counts."""

    id: UUID
    station_id: UUID
    area_code: str
    person_id: UUID
    person_kind: PersonKind
    person_name: str
    kind: RecordKind
    period: date
    held_on: date
    outcome: RecordOutcome
    note: str | None
    signature: Signature


@dataclass(frozen=True, slots=True)
class Tally:
    """How the periods of one kind went. ``unrecorded``: over, his to attend, and nothing on file."""

    due: int
    good: int
    bad: int
    excused: int
    unrecorded: int


@dataclass(frozen=True, slots=True)
class PersonYear:
    """``points`` None: nothing on record that could be counted."""

    person: Person
    year: int
    meetings: Tally
    checks: Tally
    points: int | None
    grade: PersonGrade | None


def period_of(kind: RecordKind, held_on: date) -> date:
    """The first day of the month or quarter that a day lies in."""
    if kind is RecordKind.MONTHLY_MEETING:
        return held_on.replace(day=1)
    return held_on.replace(month=(held_on.month - 1) // QUARTER_MONTHS * QUARTER_MONTHS + 1, day=1)


def periods_of(kind: RecordKind, year: int) -> list[tuple[date, date]]:
    """First and last day of each."""
    starts, months = (MONTHS, 1) if kind is RecordKind.MONTHLY_MEETING else (QUARTER_STARTS, QUARTER_MONTHS)
    return [(date(year, month, 1), _last_day(year, month + months - 1)) for month in starts]


def _last_day(year: int, month: int) -> date:
    return date(year, month, 31) if month == DECEMBER else date(year, month + 1, 1) - timedelta(days=1)


def tally(person: Person, kind: RecordKind, records: Sequence[PersonRecord], year: int, as_of: date) -> Tally:
    """A period is due once it is over and the person held the post from its first to its last day, or when it has a record."""
    said = {one.period: one.outcome for one in records if one.kind is kind and one.person_id == person.id}
    spans = periods_of(kind, year)
    served = {first for first, last in spans if last <= as_of and person.holds_on(first) and person.holds_on(last)}
    recorded = {first: said[first] for first, _ in spans if first in said}
    outcomes = list(recorded.values())
    return Tally(
        due=len(served | set(recorded)),
        good=sum(one in GOOD for one in outcomes),
        bad=sum(one in BAD for one in outcomes),
        excused=outcomes.count(RecordOutcome.EXCUSED),
        unrecorded=len(served - set(recorded)),
    )


def points_of(meetings: Tally, checks: Tally, rule: PersonnelRule) -> int | None:
    """Meetings and checks by their weights; a kind without anything to count leaves the other one alone."""
    kinds = [(rule.meeting_weight, meetings), (rule.check_weight, checks)]
    counted = [(weight, one.good, one.good + one.bad) for weight, one in kinds if weight and one.good + one.bad]
    if not counted:
        return None
    weight, common = sum(each for each, _, _ in counted), 1
    for _, _, total in counted:
        common *= total
    reached = sum(each * good * (common // total) for each, good, total in counted)
    return half_up(FULL_POINTS * reached, weight * common)


def year_of(person: Person, records: Sequence[PersonRecord], rule: PersonnelRule, year: int, as_of: date) -> PersonYear:
    meetings = tally(person, RecordKind.MONTHLY_MEETING, records, year, as_of)
    checks = tally(person, RecordKind.QUARTERLY_CHECK, records, year, as_of)
    points = points_of(meetings, checks, rule)
    return PersonYear(person, year, meetings, checks, points, grade_of(points, rule))


def years_of(
    people: Iterable[Person], records: Iterable[PersonRecord], rule: PersonnelRule, year: int, as_of: date
) -> list[PersonYear]:
    """Everybody's year, in the order given; each record is looked at once."""
    own: dict[UUID, list[PersonRecord]] = {}
    for one in records:
        own.setdefault(one.person_id, []).append(one)
    return [year_of(person, own.get(person.id, ()), rule, year, as_of) for person in people]


def grade_of(points: int | None, rule: PersonnelRule) -> PersonGrade | None:
    if points is None:
        return None
    if points >= rule.excellent_from:
        return PersonGrade.EXCELLENT
    return PersonGrade.QUALIFIED if points >= rule.qualified_from else PersonGrade.UNQUALIFIED


def station_points(years: Iterable[PersonYear]) -> int | None:
    """The mean of a station's people; those without anything on record are left out, None when that is everybody."""
    points = [one.points for one in years if one.points is not None]
    return half_up(sum(points), len(points)) if points else None
