"""The whole demo in one go: reference data, accounts, agreements, stations, people, applications, a payment roll."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import sqlalchemy as sa

from app.db.base import columns
from app.db.repositories.reference import load_resident_counts
from app.db.session import transaction
from app.db.tables.payments import PaymentBatch
from app.demo.acceptance_load import load_acceptance
from app.demo.accounts import DISTRICT
from app.demo.agreements import load_agreements
from app.demo.appraisals_load import load_appraisals
from app.demo.casework_load import load_applications
from app.demo.load import load_accounts, load_reference
from app.demo.officials_load import load_officials
from app.demo.payments_load import load_payments
from app.demo.population import demo_population, second_population
from app.demo.population_load import load_population
from app.demo.residents import resident_counts
from app.demo.service_items_load import load_service_items
from app.demo.stations_load import load_stations
from app.demo.trainings_load import load_trainings
from app.domain.access import AreaScope
from app.domain.calendar import business_date
from app.runtime import Runtime

BATCH = columns(PaymentBatch)
SCOPE = AreaScope(DISTRICT, DISTRICT)


async def load_demo(runtime: Runtime) -> None:
    """Idempotent; a second start is fast. Applications are shown as of today, the people don't depend on the day."""
    await load_reference(runtime)
    await load_accounts(runtime)
    await load_agreements(runtime)
    await load_stations(runtime, datetime.now(UTC))
    await load_service_items(runtime, datetime.now(UTC))
    if await _is_complete(runtime):  # building 7,000 households only to find them there takes longer than to ask
        return
    now = datetime.now(UTC)
    await _load_resident_counts(runtime, now)
    await load_acceptance(runtime, now)
    await load_trainings(runtime, now)
    await load_appraisals(runtime, now)
    # The large district first: what the database learns of the tables while they fill must not be that it is empty.
    for build in (lambda: demo_population(business_date(now)), second_population):
        population = await asyncio.to_thread(build)
        await load_population(runtime, population)
        await load_officials(runtime, population, now)
        await load_applications(runtime, population)
    await load_payments(runtime, now)


async def _load_resident_counts(runtime: Runtime, now: datetime) -> None:
    async with transaction(runtime.engine, SCOPE) as session:
        counts = resident_counts().items()
        day = business_date(now).replace(month=1, day=1)
        await load_resident_counts(session, SCOPE, counts, as_of=day, source="演示数据", now=now)


async def _is_complete(runtime: Runtime) -> bool:
    """The payment roll is the last thing that is loaded."""
    async with transaction(runtime.engine, SCOPE) as session:
        return bool(await session.scalar(sa.select(sa.exists().where(BATCH.district == DISTRICT))))
