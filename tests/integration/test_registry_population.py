"""The synthetic population in the registry: quickly, once, sealed, behind the walls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import URL, text

from app.db.session import transaction
from app.demo import demo_population, second_population
from app.demo.population_load import load_population
from app.domain.access import AreaScope
from app.runtime import Runtime
from tests.conftest import build_database, running
from tests.integration.registry_world import SignIn
from tests.world import World, seed_world

pytestmark = pytest.mark.db


async def test_a_second_load_changes_nothing_even_at_once(runtime: Runtime, world: World, sign_in: SignIn) -> None:
    population = second_population()
    loaded = await asyncio.gather(*(load_population(runtime, population) for _ in range(3)))
    assert sorted(loaded) == [0, 0, population.people_count]
    household = population.households[0]
    listed = await sign_in("qs.district.reviewer").get("/api/v1/households", params={"household_no": household.number})
    shown = listed.json()["items"][0]
    assert shown["synthetic"]
    assert (shown["members"][0]["name"], shown["members"][0]["relation"]) == (household.head.name, "head")
    number = household.head.id_number
    found = await sign_in("qs.district.reviewer").post("/api/v1/persons/search", json={"id_number": number})
    assert [item["name"] for item in found.json()["items"]] == [household.head.name]
    assert (await sign_in("district.reviewer").post("/api/v1/persons/search", json={"id_number": number})).json()["total"] == 0


@pytest_asyncio.fixture(loop_scope="session")
async def empty(cluster: URL, worker_name: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    """A database without people: other tests register synthetic ones in the shared one."""
    settings = await build_database(cluster, f"people_{worker_name}", tmp_path)
    async with running(settings) as opened:
        await seed_world(opened)
        yield opened


@pytest.mark.long
async def test_twenty_thousand_people_at_once(empty: Runtime) -> None:
    runtime, population = empty, demo_population()
    assert await load_population(runtime, population) == population.people_count > 19_000
    async with transaction(runtime.engine, AreaScope("350702", "350702")) as session:
        statement = text(
            "SELECT count(*), count(*) FILTER (WHERE m.relation = 'head'), count(DISTINCT m.household_id)"
            " FROM household_member m JOIN household h ON (h.district, h.id) = (m.district, m.household_id) AND h.synthetic"
        )
        assert tuple((await session.execute(statement)).one()) == (population.people_count, 7000, 7000)
    async with transaction(runtime.engine) as session:
        assert (await session.execute(text("SELECT count(*) FROM person"))).scalar_one() == 0
