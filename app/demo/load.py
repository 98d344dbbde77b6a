"""Loading the demo: reference data, accounts, and the synthetic population. Idempotent: a second start changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.dialects.postgresql import insert

from app.calendar_seed import library_years, seeded_days
from app.db.repositories.policy import load_policy_document
from app.db.repositories.reference import load_areas, load_calendar_year
from app.db.session import transaction
from app.db.tables.accounts import Account, Client
from app.demo.accounts import ACCOUNTS, CLIENTS, DISTRICT, SECOND_ACCOUNTS, DemoAccount, DemoClient, station_heads
from app.demo.residents import sub_districts
from app.domain.areas import parse_areas
from app.runtime import Runtime
from app.security.passwords import DEMO_CLIENT_SECRET, DEMO_PASSWORD

DATA = Path(__file__).resolve().parents[1] / "data"
FIRST_CALENDAR_YEAR = 2014


async def load_reference(runtime: Runtime) -> None:
    """Divisions of both districts, the calendars that the library knows, the demo policy (active at once)."""
    now = datetime.now(UTC)
    async with transaction(runtime.engine) as session:
        for name in ("areas-350702.csv", "areas-340882.csv"):
            await load_areas(session, parse_areas((DATA / name).read_text("utf-8")), now=now)
        for year in library_years():
            if year >= FIRST_CALENDAR_YEAR:
                await load_calendar_year(session, year, seeded_days(year), source="chinesecalendar", now=now)
        document = (DATA / "demo-policy.yaml").read_text("utf-8")
        await load_policy_document(session, document, demo=True, loaded_by="demo", now=now)


async def load_accounts(runtime: Runtime) -> list[DemoAccount]:
    """The published demo accounts of both districts, and the bureau clients."""
    now = datetime.now(UTC)
    password = await runtime.passwords.hash(DEMO_PASSWORD)
    secret = await runtime.passwords.hash(DEMO_CLIENT_SECRET)
    accounts = [*ACCOUNTS, *SECOND_ACCOUNTS, *station_heads(area.code for area in sub_districts(DISTRICT))]
    async with transaction(runtime.engine) as session:
        rows = [_account_row(account, password, now) for account in accounts]
        await session.execute(insert(Account).on_conflict_do_nothing(), rows)
        await session.execute(insert(Client).on_conflict_do_nothing(), [_client_row(client, secret, now) for client in CLIENTS])
    return accounts


def _account_row(account: DemoAccount, password_hash: str, now: datetime) -> dict[str, object]:
    return {
        "id": account.id,
        "username": account.username,
        "display_name": account.display_name,
        "password_hash": password_hash,
        "password_set_at": now,
        "must_change_password": False,
        "level": account.level.value,
        "area_code": account.area,
        "district": account.area[:6],
        "duties": [duty.value for duty in account.duties],
        "version": 1,
        "demo": True,
        "created_at": now,
        "created_by": "demo",
        "tokens_valid_from": now,
    }


def _client_row(client: DemoClient, secret_hash: str, now: datetime) -> dict[str, object]:
    return {
        "id": client.id,
        "client_id": client.client_id,
        "name": client.name,
        "secret_hash": secret_hash,
        "area_code": DISTRICT,
        "district": DISTRICT,
        "version": 1,
        "demo": True,
        "created_at": now,
        "created_by": "demo",
        "tokens_valid_from": now,
    }
