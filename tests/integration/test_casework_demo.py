"""The demo's applications go through the use cases themselves, and come out as they were planned."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import URL, text

from app.db.repositories.entitlements import list_due_components
from app.db.session import transaction
from app.demo import DemoPopulation, DemoState, demo_population
from app.demo.casework_load import load_applications
from app.demo.load import load_accounts, load_reference
from app.demo.population_load import load_population
from app.domain.access import AreaScope
from app.domain.calendar import Month
from app.runtime import Runtime
from tests.conftest import build_database, running

pytestmark = pytest.mark.db

DISTRICT = AreaScope("350702", "350702")
AS_OF = date(2026, 11, 20)


@pytest.fixture(scope="module")
def population() -> DemoPopulation:
    """Only the applying households of the demo."""
    whole = demo_population(AS_OF)
    return replace(whole, households=tuple(planned.household for planned in whole.applications))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(cluster: URL, worker_name: str, data_folder: Path, population: DemoPopulation) -> AsyncIterator[Runtime]:
    """A database of its own, with the demo's accounts, applicants and applications."""
    settings = await build_database(cluster, f"cases_{worker_name}", data_folder)
    async with running(settings) as runtime:
        await load_reference(runtime)
        await load_accounts(runtime)
        await load_population(runtime, population)
        assert await load_applications(runtime, population) == len(population.applications)
        yield runtime


async def rows(runtime: Runtime, statement: str) -> list[tuple[Any, ...]]:
    async with transaction(runtime.engine, DISTRICT) as session:
        return [tuple(row) for row in await session.execute(text(statement))]


async def pairs(runtime: Runtime, statement: str) -> dict[str, Any]:
    found: list[tuple[str, Any]] = [(str(row[0]), row[1]) for row in await rows(runtime, statement)]
    return dict(found)


async def test_a_second_load_changes_nothing(demo: Runtime, population: DemoPopulation) -> None:
    assert await load_applications(demo, population) == 0


async def test_every_application_came_as_far_as_planned(demo: Runtime, population: DemoPopulation) -> None:
    found = await pairs(demo, "SELECT h.household_no, a.state FROM application a JOIN household h ON h.id = a.household_id")
    planned = {one.household.number: one.state.value for one in population.applications}
    different = {number: (found[number], state) for number, state in planned.items() if found[number] != state}
    assert different == {}
    assert Counter(found.values()) == Counter(one.state.value for one in population.applications)


async def test_the_rule_pays_what_the_demo_worked_out_for_itself(demo: Runtime, population: DemoPopulation) -> None:
    amounts = await pairs(
        demo,
        "SELECT h.household_no, sum(m.amount_fen)::bigint FROM entitlement e JOIN household h ON h.id = e.household_id"
        " JOIN entitlement_amount m ON m.entitlement_id = e.id GROUP BY 1",
    )
    planned = {one.household.number: one.monthly_fen for one in population.applications if one.state is DemoState.CONFIRMED}
    assert amounts == planned
    assert len(planned) > 300
    async with transaction(demo.engine, DISTRICT) as session:
        due = await list_due_components(DISTRICT, session, Month(2026, 11), ["dibao"])
    assert sum(part.amount_fen for part in due) == sum(planned.values())


async def test_events_chain_and_nothing_lies_in_the_future(demo: Runtime) -> None:
    broken = await rows(
        demo,
        "SELECT e.act FROM application_event e JOIN application_event f ON (f.application_id, f.number)"
        " = (e.application_id, e.number - 1) WHERE e.from_state <> f.to_state OR e.business_date < f.business_date",
    )
    assert broken == []
    late = await rows(demo, f"SELECT act, business_date FROM application_event WHERE business_date > '{AS_OF}'")
    assert late == []


async def test_whoever_gave_the_opinion_did_not_decide(demo: Runtime) -> None:
    same = await rows(
        demo,
        "SELECT a.id FROM application a JOIN decision d ON d.id = a.decision_id WHERE d.decided_by = a.opinion_by",
    )
    assert same == []
