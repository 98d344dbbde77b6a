"""Who answers for a request: random acts in any order, and exactly one person always does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.domain.calendar import Calendar
from app.domain.errors import DomainError
from app.domain.service_items import DayUnit, Item, ItemEntry, ListLevel, Material, Supply, TimeLimit, clocks, requests
from app.domain.service_items.model import Party
from app.domain.service_items.requests import (
    Applicant,
    Ground,
    HandOverReason,
    Missing,
    MissingReason,
    Request,
    RequestEscalation,
    RequestState,
    escalation_of,
    overdue,
)

CALENDAR = Calendar({}, frozenset({2026, 2027}))
MONDAY = date(2026, 3, 2)
PEOPLE = tuple(Party(UUID(int=n), f"clerk {n}") for n in range(1, 5))
AWAY = HandOverReason.ABSENCE
FORM = Missing("form", MissingReason.ABSENT)


def request(legal_days: int | None = 10) -> Request:
    article = None if legal_days is None else "示例 第一条"
    limit = TimeLimit(DayUnit.WORKING, 5, legal_days, article, "行政许可法 第三十二条")
    entry = ItemEntry("review", "示例", (), (), "", (), (Material("form", "申请表", required=True),), limit, "")
    item = Item(UUID(int=8), UUID(int=9), ListLevel.SUBDISTRICT, entry, by_application=False)
    return Request(
        id=UUID(int=7),
        area_code="350702001",
        item=item,
        applicant=Applicant(None, "示例", None),
        state=RequestState.IN_HAND,
        taken_by=PEOPLE[0],
        taken_on=MONDAY,
        responsible=PEOPLE[0],
        offer=None,
        materials={},
        missing=(),
        notified_on=None,
        objectionable=frozenset(),
        legal=None if legal_days is None else clocks.started(DayUnit.WORKING, legal_days, MONDAY, CALENDAR),
        promised=clocks.started(DayUnit.WORKING, 5, MONDAY, CALENDAR),
        application=None,
        closed_on=None,
        ground=None,
        note=None,
        version=1,
    )


people, later = st.sampled_from(PEOPLE), st.integers(0, 9)


class Responsibility(RuleBasedStateMachine):
    """Any act by anybody: it succeeds or is refused, and the chain of the responsible has no gap and no fork."""

    def __init__(self) -> None:
        super().__init__()
        self.request = request()
        self.today = MONDAY
        self.notices = 0

    def attempt(self, act: Callable[[], Request]) -> bool:
        try:
            self.request = act()
        except DomainError:
            return False
        return True

    @rule(by=people, to=people)
    def offer(self, by: Party, to: Party) -> None:
        before = self.request
        done = self.attempt(lambda: requests.offered(before, by, to, AWAY, self.today))
        assert done == (before.is_open and before.responsible == by != to and before.offer is None)
        assert self.request.responsible == before.responsible

    @rule(by=people)
    def accept(self, by: Party) -> None:
        before = self.request
        done = self.attempt(lambda: requests.accepted(before, by))
        assert done == (before.is_open and before.offer is not None and before.offer.to == by)
        assert self.request.responsible == (by if done else before.responsible)

    @rule(by=people)
    def decline(self, by: Party) -> None:
        before = self.request
        self.attempt(lambda: requests.declined(before, by))
        assert self.request.responsible == before.responsible

    @rule(by=people)
    def recall(self, by: Party) -> None:
        before = self.request
        done = self.attempt(lambda: requests.recalled(before, by))
        assert done == (before.is_open and before.responsible == by and before.offer is not None)

    @rule(by=people, orphaned=st.booleans(), is_head=st.booleans())
    def take_over(self, by: Party, orphaned: bool, is_head: bool) -> None:
        before = self.request
        done = self.attempt(lambda: requests.taken_over(before, by, orphaned=orphaned, is_head=is_head))
        assert done == (before.is_open and before.responsible != by and (orphaned or is_head))

    @rule(by=people, days=later)
    def notify(self, by: Party, days: int) -> None:
        self.today += timedelta(days=days)
        before = self.request
        if self.attempt(lambda: requests.notified(before, by, [FORM], self.today, CALENDAR)):
            self.notices += 1

    @rule(by=people, days=later)
    def supplement(self, by: Party, days: int) -> None:
        self.today += timedelta(days=days)
        before = self.request
        self.attempt(lambda: requests.supplemented(before, by, {"form": Supply.ORIGINAL}, self.today, CALENDAR))

    @rule(by=people, how=st.sampled_from(("done", "refused", "withdrawn")), chance=st.integers(0, 5))
    def end(self, by: Party, how: str, chance: int) -> None:
        before = self.request
        if chance:
            return
        acts: dict[str, Callable[[], Request]] = {
            "done": lambda: requests.done(before, by, "办结", self.today),
            "refused": lambda: requests.not_accepted(before, by, Ground.DUPLICATE, "重复", self.today, CALENDAR),
            "withdrawn": lambda: requests.withdrawn(before, by, "不办", self.today, CALENDAR),
        }
        if self.attempt(acts[how]):
            assert before.responsible == by

    @invariant()
    def exactly_one_answers_for_it(self) -> None:
        assert self.request.responsible in PEOPLE
        assert self.request.offer is None or self.request.offer.to != self.request.responsible
        assert self.request.is_open or self.request.offer is None

    @invariant()
    def everything_missing_is_named_once(self) -> None:
        assert self.notices <= 1

    @invariant()
    def the_clock_stands_still_only_while_it_waits(self) -> None:
        assert self.request.promised is not None
        late_before = self.request.promised.due is not None
        assert late_before or self.request.state is RequestState.AWAITING

    @invariant()
    def what_ended_has_its_day(self) -> None:
        assert self.request.is_open == (self.request.closed_on is None)


TestResponsibility = Responsibility.TestCase
TestResponsibility.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)


class ResponsibilityAtLength(Responsibility):
    """The same, at full length."""


TestResponsibilityAtLength = pytest.mark.long(ResponsibilityAtLength.TestCase)
TestResponsibilityAtLength.settings = settings(max_examples=2_000, stateful_step_count=80, deadline=None)


@pytest.mark.parametrize(
    ("legal_days", "today", "before"),
    [
        (10, date(2026, 3, 9), None),  # the last promised day
        (10, date(2026, 3, 10), RequestEscalation.STATION_HEAD),
        (10, date(2026, 3, 16), RequestEscalation.STATION_HEAD),  # the last legal day
        (10, date(2026, 3, 17), RequestEscalation.DISTRICT),
        (None, date(2026, 3, 19), RequestEscalation.STATION_HEAD),  # ten days past the promise
        (None, date(2026, 3, 20), RequestEscalation.DISTRICT),
    ],
)
def test_before_whom_an_overdue_one_is_brought(legal_days: int | None, today: date, before: RequestEscalation | None) -> None:
    made = request(legal_days)
    assert escalation_of(made, today) is before
    assert overdue(made, today) == (before is not None)
    ended = replace(made, state=RequestState.DONE, closed_on=MONDAY)
    assert (escalation_of(ended, today), overdue(ended, today)) == (None, False)
