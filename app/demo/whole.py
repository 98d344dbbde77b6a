"""The whole demo in one go: reference data, accounts, the people of both districts and their applications."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa

from app.db.base import columns
from app.db.session import transaction
from app.db.tables.casework import Application
from app.demo.accounts import DISTRICT
from app.demo.casework_load import load_applications
from app.demo.load import load_accounts, load_reference
from app.demo.population import demo_population, second_population
from app.demo.population_load import load_population
from app.domain.access import AreaScope
from app.runtime import Runtime

APPLICATION = columns(Application)


async def load_demo(runtime: Runtime) -> None:
    """Nothing at all when it is there: a second start is fast, and what somebody has changed in his demo stays changed."""
    if await _has_applications(runtime):
        return
    await load_reference(runtime)
    await load_accounts(runtime)
    for build in (second_population, demo_population):
        population = await asyncio.to_thread(build)
        await load_population(runtime, population)
        await load_applications(runtime, population)


async def _has_applications(runtime: Runtime) -> bool:
    """The last thing that is loaded, in the district that is loaded last."""
    statement = sa.select(sa.exists().where(APPLICATION.district == DISTRICT, APPLICATION.synthetic))
    async with transaction(runtime.engine, AreaScope(DISTRICT, DISTRICT)) as session:
        return bool(await session.scalar(statement))
