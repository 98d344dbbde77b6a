"""The applications of the demo: how many stand in each state, where, and on which day each act was done."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final

from app.calendar_seed import library_years, seeded_days
from app.demo.model import DemoApplication, DemoHousehold, DemoMember, DemoState
from app.demo.needy import Case, Needy
from app.domain.calendar import Calendar, notice_period

STATE_COUNTS: Final = {
    DemoState.DRAFT: 40,
    DemoState.SUBMITTED: 45,
    DemoState.RETURNED: 30,
    DemoState.ACCEPTED: 60,
    DemoState.OPINION_GIVEN: 35,
    DemoState.NOTICE_OPEN: 40,
    DemoState.CONFIRMED: 350,
    DemoState.REFUSED: 60,
}

#: State → how many days ago it was handed in, at least and at most.
_HANDED_IN_DAYS_AGO: Final = {
    DemoState.DRAFT: (1, 10),
    DemoState.SUBMITTED: (1, 4),
    DemoState.RETURNED: (8, 15),
    DemoState.ACCEPTED: (6, 12),
    DemoState.OPINION_GIVEN: (18, 24),
    DemoState.NOTICE_OPEN: (20, 30),
    DemoState.CONFIRMED: (75, 700),
    DemoState.REFUSED: (60, 400),
}

#: The communities of the demo accounts, with how many applications of each state they get at least.
FAVOURED: Final = {"350702001001": 2, "350702002001": 1}

MISSING_ITEMS: Final = ("家庭收入证明", "家庭经济状况核对授权书", "残疾人证复印件", "疾病诊断证明")


@dataclass(frozen=True, slots=True)
class Slot:
    """One application to be made: its state, what its household shows, and where it lives (``None``: anywhere)."""

    state: DemoState
    case: Case
    area_code: str | None


def slots() -> Iterator[Slot]:
    """Every application of the demo, those of the demo accounts' communities first within each state."""
    for state, count in STATE_COUNTS.items():
        favoured: list[str | None] = [code for code, times in FAVOURED.items() for _ in range(times)]
        areas = favoured + [None] * (count - len(favoured))
        for place, area_code in enumerate(areas):
            yield Slot(state, _case(state, place), area_code)


def _case(state: DemoState, place: int) -> Case:
    """The first of a settled state shows the boundary; a seventh of those still open will turn out not entitled."""
    if state == DemoState.REFUSED:
        return Case.AT_THE_STANDARD if place == 0 else Case.SAVINGS_ABOVE if place % 3 == 0 else Case.INCOME_ABOVE
    if state == DemoState.CONFIRMED:
        return Case.ONE_FEN_BELOW if place == 0 else Case.ELIGIBLE
    decided_upon = state in (DemoState.OPINION_GIVEN, DemoState.NOTICE_OPEN)
    return Case.INCOME_ABOVE if place % 7 == 6 and not decided_upon else Case.ELIGIBLE


def application(needy: Needy, state: DemoState, rng: random.Random, as_of: date) -> DemoApplication:
    """The application of a household that stood in ``state`` on ``as_of``; no act lies behind that day."""
    handed_in = as_of - timedelta(days=rng.randint(*_HANDED_IN_DAYS_AGO[state]))
    days = {name: min(day, as_of) for name, day in _days_of_acts(state, handed_in).items()}
    return DemoApplication(
        household=needy.household,
        state=state,
        facts=facts(needy.household),
        eligible=needy.eligible,
        monthly_fen=needy.monthly_fen,
        missing_items=tuple(rng.sample(MISSING_ITEMS, 2)) if state == DemoState.RETURNED else (),
        **days,
    )


def _days_of_acts(state: DemoState, handed_in: date) -> dict[str, date]:
    """Field → day, for the acts that lead to ``state``; within the terms of 民发〔2021〕57号."""
    calendar = _calendar()
    days = {"drafted_on": handed_in}
    if state == DemoState.DRAFT:
        return days
    days["submitted_on"] = handed_in
    if state == DemoState.SUBMITTED:
        return days
    examined_on = calendar.add_working_days(handed_in, 2).date
    if state == DemoState.RETURNED:
        return days | {"returned_on": examined_on}
    days["accepted_on"] = examined_on
    if state == DemoState.ACCEPTED:
        return days
    days["opinion_on"] = calendar.add_working_days(examined_on, 8).date
    return days | _days_after_opinion(calendar, state, days["opinion_on"])


def _days_after_opinion(calendar: Calendar, state: DemoState, opinion_on: date) -> dict[str, date]:
    if state == DemoState.OPINION_GIVEN:
        return {}
    if state == DemoState.REFUSED:
        return {"decided_on": calendar.add_working_days(opinion_on, 4).date}
    posted_on = calendar.add_working_days(opinion_on, 1).date
    if state == DemoState.NOTICE_OPEN:
        return {"posted_on": posted_on}
    closed_on = calendar.roll_over(notice_period(posted_on).next_act_from).date
    return {"posted_on": posted_on, "notice_closed_on": closed_on, "decided_on": calendar.add_working_days(closed_on, 4).date}


@cache
def _calendar() -> Calendar:
    years = [year for year in library_years() if year >= 2024]
    return Calendar({day: kind for year in years for day, kind, _ in seeded_days(year)}, frozenset(years))


def facts(household: DemoHousehold) -> dict[str, object]:
    """The household as the ``household`` of a one-shot assessment."""
    return {
        "members": [_member_facts(f"m{place}", member) for place, member in enumerate(household.members, start=1)],
        "assets": [
            {"kind": asset.kind, "value_fen": asset.value_fen, "exempt_fen": asset.exempt_fen} for asset in household.assets
        ],
        "expenses": [],
        "deductible_monthly_fen": 0,
        "authorised_verification": True,
    }


def _member_facts(ref: str, member: DemoMember) -> dict[str, object]:
    person, disability = member.person, member.person.disability
    return {
        "ref": ref,
        "relation": member.relation,
        "birth_date": person.birth_date.isoformat(),
        "gender": person.gender,
        "absence": None,
        "study": person.study,
        "employment": person.employment,
        "employable": person.employable,
        "job_offers_refused": 0,
        "disability": disability
        and {"category": disability.category, "grade": disability.grade, "needs_care": disability.needs_care},
        "serious_illness": person.serious_illness,
        "self_care_failed_items": 0,
        "incomes": [{"kind": income.kind, "monthly_fen": income.monthly_fen} for income in person.incomes],
    }
