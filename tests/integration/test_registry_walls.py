"""What the database itself holds against us: walls that fail closed, nothing readable at rest, two index keys at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from app.db.registry_desk import RegistryDesk, open_desk
from app.db.repositories.people import PeopleRepository, PersonFilter
from app.db.repositories.registry import HouseholdFilter, HouseholdRepository
from app.db.session import transaction
from app.demo.accounts import ACCOUNTS
from app.domain.access import Actor, AreaScope
from app.domain.errors import NotFound
from app.domain.registry.entry import PersonDetails, Registration, check_registration
from app.domain.registry.refusals import DuplicateRegistration
from app.ids import new_id
from app.runtime import Runtime
from app.security.fields import BlindIndex, Field, SealBroken
from app.security.keys import KeyRing
from tests.integration.registry_world import MEISHAN, MEISHAN_OTHER, SignIn, card, fresh_number, opened, registered
from tests.world import World

pytestmark = pytest.mark.db

TODAY = date(2026, 8, 1)
TABLES = ("person", "person_fact", "household", "household_member")


def clerk() -> Actor:
    account = next(account for account in ACCOUNTS if account.username == "s001.clerk")
    return Actor(account.id, account.username, account.level, account.area, account.area[:6], frozenset(account.duties))


def desk(session: Any, runtime: Runtime, index: BlindIndex) -> RegistryDesk:
    return open_desk(session, runtime.cipher, index, clerk(), today=TODAY, now=datetime.now(UTC))


def registration(number: str) -> Registration:
    return check_registration(number, MEISHAN, PersonDetails("陈密钥", "urban"), valid_from=TODAY, today=TODAY)


async def register(runtime: Runtime, index: BlindIndex, number: str) -> UUID:
    async with transaction(runtime.engine, clerk().scope) as session:
        person = await desk(session, runtime, index).registry.register(registration(number), clock=datetime.now(UTC))
    return person.person_uid


@pytest.mark.parametrize("table", TABLES)
async def test_without_a_scope_no_row_is_seen_even_after_a_scoped_commit(runtime: Runtime, sign_in: SignIn, table: str) -> None:
    await opened(sign_in("s001.clerk"), "head")
    await registered(sign_in("s001.clerk"), employment="employed")
    async with runtime.engine.connect() as connection:
        await connection.execute(
            text("SELECT set_config('app.district', '350702', true), set_config('app.scope', '350702', true)")
        )
        assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() > 0
        await connection.commit()
        assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0


@pytest.mark.parametrize("table", TABLES)
async def test_rows_are_not_taken_over_the_wall(runtime: Runtime, sign_in: SignIn, table: str) -> None:
    await opened(sign_in("s001.clerk"), "head")
    await registered(sign_in("s001.clerk"), employment="employed")
    with pytest.raises(DBAPIError, match="row-level security"):
        async with transaction(runtime.engine, AreaScope("350702", MEISHAN)) as session:
            await session.execute(text(f"UPDATE {table} SET area_code = '{MEISHAN_OTHER}'"))


async def test_nothing_sensitive_is_readable_in_any_table(runtime: Runtime, sign_in: SignIn, cluster: URL) -> None:
    client, number, account = sign_in("s001.clerk"), fresh_number(date(1981, 2, 3)), card()
    phone, address = "13812340987", "示例路 4711 号暗室"
    disability = {"category": "vision", "grade": 1, "certificate_no": number + "11"}
    body = {"id_number": number, "phone": phone, "address": address, "disability": disability}
    key = {"Idempotency-Key": fresh_number()}
    entry = {"name": "陈保密", "area_code": MEISHAN, "residence": "urban", **body}
    person = (await client.post("/api/v1/persons", json=entry, headers=key)).json()
    household = {
        "area_code": MEISHAN,
        "residence": "urban",
        "address": address,
        "account": {"bank_name": "示例农商银行", "account_number": account, "account_holder": "陈保密"},
        "members": [{"person_id": person["id"], "relation": "head"}],
    }
    assert (await client.post("/api/v1/households", json=household)).status_code == 201
    await client.post("/api/v1/persons", json=entry)
    await client.post("/api/v1/persons/search", json={"id_number": number})
    path = f"/api/v1/persons/{person['id']}"
    await client.get(path, params={"reveal": "id_number,phone,address", "purpose": "核实"})
    found = await _tables_holding(runtime, cluster, [number, phone, account, "4711 号", "暗室"])
    assert found == []
    assert await _tables_holding(runtime, cluster, ["陈保密"]) != []  # the search would have seen it


async def _tables_holding(runtime: Runtime, cluster: URL, needles: list[str]) -> list[str]:
    """Every table, as the owner, row by row as text; bytea as the bytes it holds."""
    engine = create_async_engine(cluster.set(database=runtime.engine.url.database))
    holding = []
    async with engine.connect() as connection:
        await connection.execute(text("SET bytea_output = 'escape'"))
        names = await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        for table in names.scalars().all():
            for needle in needles:
                statement = text(f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE :needle')
                if (await connection.execute(statement, {"needle": f"%{needle}%"})).scalar_one():
                    holding.append(f"{table}: {needle}")
    await engine.dispose()
    return holding


@pytest.fixture
def ring(runtime: Runtime, tmp_path: Path) -> KeyRing:
    """A copy of the run's key file, to be rotated here."""
    copy = tmp_path / "keys.json"
    copy.write_bytes(runtime.settings.keys_path.read_bytes())
    copy.chmod(0o600)
    return KeyRing.load(copy, demo=True)


async def _versions(runtime: Runtime, person_uid: UUID) -> list[int]:
    async with transaction(runtime.engine) as session:
        statement = text("SELECT index_version FROM identity_key WHERE person_uid = :uid ORDER BY 1")
        return list((await session.execute(statement, {"uid": person_uid})).scalars())


async def test_a_number_is_found_under_either_of_two_live_index_keys(runtime: Runtime, world: World, ring: KeyRing) -> None:
    old, both = runtime.blind_index, BlindIndex(ring)
    before, after = fresh_number(), fresh_number()
    person = await register(runtime, old, before)
    ring.rotate("index")
    first, second = old.versions[0], both.versions[0]
    assert both.versions == (second, first)
    with pytest.raises(DuplicateRegistration):
        await register(runtime, both, before)
    newcomer = await register(runtime, both, after)
    assert await _versions(runtime, newcomer) == [first, second]
    with pytest.raises(DuplicateRegistration):
        await register(runtime, old, after)
    async with transaction(runtime.engine, clerk().scope) as session:
        for index in (old, both):
            assert await desk(session, runtime, index).identities.find_uid(before) == person
            assert await desk(session, runtime, index).identities.find_uid(after) == newcomer


async def test_during_a_rotation_old_and_new_processes_register_a_number_once(
    runtime: Runtime, world: World, ring: KeyRing
) -> None:
    ring.rotate("index")
    old, both = runtime.blind_index, BlindIndex(ring)
    for _ in range(5):
        number = fresh_number()
        results = await asyncio.gather(
            *(register(runtime, index, number) for index in (old, both, old, both)), return_exceptions=True
        )
        assert sum(isinstance(result, DuplicateRegistration) for result in results) == 3


async def test_an_identity_known_before_is_taken_up_again(runtime: Runtime, world: World) -> None:
    number, person_uid = fresh_number(), new_id()
    digests = runtime.blind_index.digest(Field.ID_NUMBER, number)
    async with transaction(runtime.engine) as session:
        for version, digest in digests.items():
            statement = text("INSERT INTO identity_key (index_version, bidx, person_uid) VALUES (:v, :d, :u)")
            await session.execute(statement, {"v": version, "d": digest, "u": person_uid})
    assert await register(runtime, runtime.blind_index, number) == person_uid


async def test_a_sealed_value_opens_for_its_own_person_only(runtime: Runtime, world: World) -> None:
    uid = await register(runtime, runtime.blind_index, fresh_number())
    other = await register(runtime, runtime.blind_index, fresh_number())
    async with transaction(runtime.engine, clerk().scope) as session:
        swap = text(
            "UPDATE person SET id_number_sealed = (SELECT id_number_sealed FROM person WHERE person_uid = :other)"
            " WHERE person_uid = :uid RETURNING id"
        )
        person_id = (await session.execute(swap, {"uid": uid, "other": other})).scalar_one()
        with pytest.raises(SealBroken):
            await desk(session, runtime, runtime.blind_index).people.id_number(clerk().scope, person_id)
        await session.rollback()


async def test_the_first_wall_stands_without_the_second(runtime: Runtime, sign_in: SignIn, cluster: URL) -> None:
    """As the owner row-level security doesn't bind: the repositories' own conditions must."""
    client = sign_in("s001.clerk")
    household = await opened(client, "head", area_code=MEISHAN_OTHER)
    household_id, person_id = UUID(household["id"]), UUID(household["people"][0])
    inside, outside = AreaScope("350702", MEISHAN_OTHER), AreaScope("350702", MEISHAN)
    engine = create_async_engine(cluster.set(database=runtime.engine.url.database))
    async with AsyncSession(engine) as session:
        people, households = PeopleRepository(session, runtime.cipher), HouseholdRepository(session, runtime.cipher)
        person = await people.get(inside, person_id, TODAY)
        assert (await households.snapshot(inside, household_id, TODAY)).head is not None
        for call in (
            people.get(outside, person_id, TODAY),
            people.reveal(outside, person_id, ("id_number",)),
            households.get(outside, household_id, TODAY),
            households.snapshot(outside, household_id, TODAY),
        ):
            with pytest.raises(NotFound):
                await call
        assert await people.find_id(outside, person.person_uid) is None
        assert await people.list_locked(outside, [person_id]) == []
        assert await people.count_people(outside, PersonFilter(person_uid=person.person_uid)) == 0
        assert await households.stays_in(outside, household_id) == []
        assert await households.stays_of_people(outside, [person_id]) == []
        assert await households.count_households(outside, HouseholdFilter(household_no=household["household_no"])) == 0
        await people.relocate(outside, [person_id], MEISHAN, datetime.now(UTC))
        assert (await people.get(inside, person_id, TODAY)).area_code == MEISHAN_OTHER
        await session.rollback()
    await engine.dispose()
