"""Leads: their clock, who answers for them, and how they end."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from app.domain.calendar import Calendar, DayKind
from app.domain.errors import DomainError
from app.domain.leads import Lead, LeadEntry, LeadKind, LeadOutcome, LeadState, model
from app.domain.leads.model import Party

WORKER, CLERK, COLLEAGUE = Party(UUID(int=1), "worker"), Party(UUID(int=2), "clerk"), Party(UUID(int=3), "colleague")
FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
CALENDAR = Calendar({date(2026, 11, 24): DayKind.HOLIDAY}, frozenset({2026}))


def lead(kind: LeadKind = LeadKind.HARDSHIP, **changes: object) -> Lead:
    entry = LeadEntry("350702001001", kind, "某户", "房屋漏雨")
    due = model.due_of(kind, FRIDAY, CALENDAR)
    made = Lead(UUID(int=9), entry, LeadState.REPORTED, WORKER, FRIDAY, due, None, None, None, None, 1)
    return replace(made, **changes)  # type: ignore[arg-type]


def refusal(act: object, *arguments: object) -> str:
    with pytest.raises(DomainError) as refused:
        act(*arguments)  # type: ignore[operator]
    return refused.value.code


@pytest.mark.parametrize(
    ("kind", "due"),
    [
        (LeadKind.EMERGENCY, date(2026, 11, 23)),  # over the weekend
        (LeadKind.HARDSHIP, date(2026, 11, 26)),  # and over the holiday
        (LeadKind.DEATH, date(2026, 11, 26)),
        (LeadKind.MOVE, date(2026, 11, 30)),
        (LeadKind.OTHER, date(2026, 11, 30)),
    ],
)
def test_each_kind_has_its_clock(kind: LeadKind, due: date) -> None:
    assert lead(kind).due.date == due


@pytest.mark.parametrize(("today", "late"), [(date(2026, 11, 26), False), (date(2026, 11, 27), True)])
def test_late_is_after_the_last_day(today: date, late: bool) -> None:
    assert model.overdue(lead(), today) is late
    settled = model.settled(model.taken(lead(), CLERK), CLERK, LeadOutcome.VISITED, "已走访", today)
    assert model.overdue(settled, date(2027, 1, 1)) is late
    assert not model.overdue(model.withdrawn(lead(), WORKER, "重复", today), date(2027, 1, 1))


def test_who_takes_it_answers_for_it_until_he_hands_it_over() -> None:
    assert refusal(model.settled, lead(), CLERK, LeadOutcome.VISITED, "", MONDAY) == "lead_state"
    taken = model.taken(lead(), CLERK)
    assert refusal(model.taken, taken, COLLEAGUE) == "lead_state"
    assert refusal(model.settled, taken, COLLEAGUE, LeadOutcome.VISITED, "", MONDAY) == "lead_not_yours"
    assert refusal(model.handed_over, taken, COLLEAGUE, CLERK) == "lead_not_yours"
    assert refusal(model.handed_over, taken, CLERK, CLERK) == "lead_same_handler"
    passed = model.handed_over(taken, CLERK, COLLEAGUE)
    assert (passed.handler, passed.due) == (COLLEAGUE, taken.due)
    settled = model.settled(passed, COLLEAGUE, LeadOutcome.APPLICATION, "已启动", MONDAY)
    assert (settled.state, settled.settled_on, settled.is_open) == (LeadState.SETTLED, MONDAY, False)
    assert refusal(model.handed_over, settled, COLLEAGUE, CLERK) == "lead_state"


def test_only_the_reporter_takes_it_back_and_only_before_anybody_took_it() -> None:
    assert refusal(model.withdrawn, lead(), CLERK, "误报", MONDAY) == "lead_not_yours"
    assert model.withdrawn(lead(), WORKER, "误报", MONDAY).state is LeadState.WITHDRAWN
    assert refusal(model.withdrawn, model.taken(lead(), CLERK), WORKER, "误报", MONDAY) == "lead_state"
