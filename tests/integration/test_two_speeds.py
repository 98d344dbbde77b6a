"""Two speeds, one truth, on the whole demo: what runs over everybody find is what the pure functions find, to the fen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID

import pytest
import pytest_asyncio

from app.db.population_search import search_population
from app.db.repositories import known_households
from app.db.repositories.policy_runs import RunningCaseRepository
from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.calendar import Month
from app.domain.eligibility import Answered, Asked, Component, Outcome, ParameterBook, ParameterRow, answer_each
from app.domain.eligibility.answering_setwise import answer_all
from app.domain.policy.adjusting import Plan, adjust_all
from app.domain.policy.discovery import Finding, FindingKind, KnownHousehold, search
from app.domain.policy.simulation import RunningCase, asked_on, compare_all
from tests.demo_world import Demo

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]

DISTRICT = AreaScope("350702", "350702")
ON = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
TOGETHER = 1


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def book(demo: Demo) -> ParameterBook:
    async with transaction(demo.runtime.engine, DISTRICT) as session:
        return await demo.runtime.parameter_books.current(session)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def households(demo: Demo) -> list[KnownHousehold]:
    async with transaction(demo.runtime.engine, DISTRICT) as session:
        return await known_households.list_households(DISTRICT, session, DISTRICT.prefix, ON)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cases(demo: Demo) -> list[RunningCase]:
    async with transaction(demo.runtime.engine, DISTRICT) as session:
        return await RunningCaseRepository(session).list_cases(DISTRICT, DISTRICT.prefix, ())


def changed(book: ParameterBook, area: str, **values: object) -> ParameterBook:
    """The book with other values from 2026 on, in the district or a part of it."""
    others = {key.replace("__", "."): value for key, value in values.items()}
    kept = [row for row in book.rows if row.area_code != area or row.key not in others]
    return ParameterBook((*kept, *(ParameterRow(area, key, date(2026, 1, 1), None, value) for key, value in others.items())))


def variants(book: ParameterBook) -> list[ParameterBook]:
    """As it is; nearly nobody poor enough; one station otherwise than the others; one programme without parameters; a
    formula that no twin carries."""
    poorer = {"dibao__standard__urban": 20_001, "dibao__standard__rural": 15_003, "old_age__month": {"95": 100}}
    tiers = [
        {"code": "A", "income_below_rate": "0.777", "per_person": 40_001},
        {"code": "B", "income_below_rate": "1", "per_person": 7},
    ]
    return [
        book,
        changed(book, "350702", **poorer),
        changed(book, "350702003", dibao__benefit_mode="tiers", dibao__tiers=tiers),
        ParameterBook(tuple(row for row in book.rows if not row.key.startswith("old_age."))),
        changed(book, "350702", dibao__support_payment={"standard_multiple": "1.5", "rate": "0.5"}),
    ]


def strikes(found: list[Finding]) -> set[tuple[FindingKind, str]]:
    return {(one.kind, one.programme) for one in found}


def of_the_rules(found: Iterable[Finding]) -> set[tuple[FindingKind, str]]:
    return {(one.kind, one.programme) for one in found}


async def searched(demo: Demo, book: ParameterBook) -> list[Finding]:
    """As a run does it: set-wise over the stored facts first, then one by one those that strike."""
    async with transaction(demo.runtime.engine, DISTRICT) as session:
        first = await search_population(DISTRICT, session, DISTRICT.prefix, book, ON, now=NOW)
        chosen = {*first.striking, *await known_households.list_noticed(DISTRICT, session, DISTRICT.prefix, ON)}
        found = await known_households.list_households(DISTRICT, session, DISTRICT.prefix, ON, only=chosen)
        await session.rollback()
    return search(found, book, ON)


@pytest.mark.parametrize("step", [10, pytest.param(1, marks=pytest.mark.long)])
async def test_discovery_finds_the_same(demo: Demo, households: list[KnownHousehold], book: ParameterBook, step: int) -> None:
    """The demo as it is (every ``step``-th household), a part of it under other values; the search goes over all of it."""
    assert len(households) > 6_000
    seen: set[tuple[FindingKind, str]] = set()
    for place, parameters in enumerate(variants(book)):
        looked_at = households[:: step if place == 0 else 5 * step]
        some = {household.household_id for household in looked_at}
        found = await searched(demo, parameters)
        assert [one for one in found if one.household_id in some] == search(looked_at, parameters, ON)
        seen |= of_the_rules(found)
    assert {(FindingKind.MAY_BE_ENTITLED, "old_age"), (FindingKind.MAY_BE_ENTITLED, "disability_care")} <= seen
    assert (FindingKind.NO_LONGER_ENTITLED, "dibao") in seen


async def test_few_households_are_looked_at_one_by_one(demo: Demo, households: list[KnownHousehold], book: ParameterBook) -> None:
    async with transaction(demo.runtime.engine, DISTRICT) as session:
        first = await search_population(DISTRICT, session, DISTRICT.prefix, book, ON, now=NOW)
        await session.rollback()
    assert first.households == len(households)
    assert len(first.striking) < len(households) / 4


def test_a_programme_without_parameters_hides_no_other(households: list[KnownHousehold], book: ParameterBook) -> None:
    some = households[::5]
    without = ParameterBook(tuple(row for row in book.rows if not row.key.startswith("old_age.")))
    assert [one for one in search(some, book, ON) if one.programme != "old_age"] == search(some, without, ON)
    by_rules = {FindingKind.MAY_BE_ENTITLED, FindingKind.NO_LONGER_ENTITLED}
    assert not {one.kind for one in search(some, ParameterBook(()), ON)} & by_rules


def by_name(part: Component) -> tuple[str, str]:
    return part.kind, part.member or ""


def sorted_parts(found: list[Answered | None]) -> list[tuple[Outcome, int, list[Component]] | None]:
    """Components in one order: a twin names them by kind, the pure function by member."""
    return [None if one is None else (one.outcome, one.monthly_fen, sorted(one.components, key=by_name)) for one in found]


def test_running_entitlements_come_to_the_same_amounts(cases: list[RunningCase], book: ParameterBook) -> None:
    asked = [asked_on(case, case.question, ON) for case in cases if case.question is not None]
    assert len(asked) > 300
    for parameters in variants(book):
        together = answer_all(asked, parameters, worth_compiling=TOGETHER)
        assert sorted_parts(together) == sorted_parts(answer_each(asked, parameters))
        assert any(one is not None and one.monthly_fen for one in together)


def test_a_simulation_and_a_batch_come_to_the_same(cases: list[RunningCase], book: ParameterBook) -> None:
    ids = count(1)
    plan = Plan(Month.parse("2026-06"), ON, ON, lambda: UUID(int=next(ids)))
    for parameters in variants(book):
        assert compare_all(cases, book, parameters, ON, answer_all) == compare_all(cases, book, parameters, ON, answer_each)
        raised = [adjust_all(plan, cases, {}, parameters, answering) for answering in (answer_all, answer_each)]
        (items, excluded), (one_by_one, left_out) = raised
        assert (len(items), excluded) == (len(one_by_one), left_out)
        for item, other in zip(items, one_by_one, strict=True):
            assert (item.entitlement_id, item.new_fen, item.arrears) == (other.entitlement_id, other.new_fen, other.arrears)
            assert {*item.components} == {*other.components}


@pytest.mark.parametrize("programme", ["dibao_edge", "dibao_single", "disability_living", "disability_care", "old_age", "tekun"])
def test_every_registered_household_comes_to_the_same(
    households: list[KnownHousehold], book: ParameterBook, programme: str
) -> None:
    """Each household, or each member of it, whatever it draws; 特困 has no twin and is asked one by one both times."""
    asked = []
    for known in households[::5]:
        question = replace(known.question, programmes=(programme,))
        members = [None] if programme == "dibao_edge" else [member.ref for member in question.household.members]
        asked += [Asked(question, member) for member in members]
    together = answer_all(asked, book, worth_compiling=TOGETHER)
    assert sorted_parts(together) == sorted_parts(answer_each(asked, book))
