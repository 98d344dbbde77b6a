"""What the database itself refuses about payments, whoever asks: own approvals, edited lines, changed or emptied ledgers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app.db.engine import normalise_url
from app.db.maintenance import create_partitions
from app.db.session import transaction
from app.db.tables.payments import APPROVED_STATES, BATCH_STATES
from app.domain.access import Duty
from app.domain.payments.model import BatchAct, BatchState
from app.domain.payments.workflow import RULES
from app.runtime import Runtime
from tests.integration.payment_roll import DISTRICT, Roll, communities
from tests.integration.test_payments import BASE, act, done, key, open_batch, release_through

pytestmark = pytest.mark.db
Client = Callable[[str], httpx.AsyncClient]
_free = iter(communities()[50:100])


@pytest.fixture
def roll(runtime: Runtime, world: object) -> Roll:
    return Roll(runtime, next(_free))


@asynccontextmanager
async def owner(runtime: Runtime) -> AsyncIterator[AsyncConnection]:
    """The owner of the tables, in a transaction that is rolled back."""
    assert runtime.settings.database_admin_url is not None
    engine = create_async_engine(normalise_url(runtime.settings.database_admin_url.get_secret_value()))
    try:
        async with engine.connect() as connection:
            yield connection
            await connection.rollback()
    finally:
        await engine.dispose()


async def refused(runtime: Runtime, statement: str, **values: Any) -> str:
    """What the application's role is told, within its scope."""
    with pytest.raises(DBAPIError) as error:
        async with transaction(runtime.engine, DISTRICT) as session:
            await session.execute(text(statement), values)
    return str(error.value.orig)


async def refused_to_owner(runtime: Runtime, statement: str, **values: Any) -> str:
    async with owner(runtime) as connection:
        with pytest.raises(DBAPIError) as error:
            await connection.execute(text(statement), values)
    return str(error.value.orig)


async def test_nobody_approves_or_releases_a_batch_of_his_own(sign_in: Client, roll: Roll, runtime: Runtime) -> None:
    """Somebody who holds both duties is refused by the interface (403) and, past it, by the database."""
    await roll.household({"base": 100})
    finance, approver = sign_in("district.finance"), sign_in("district.approver")
    batch = await open_batch(finance, roll.area_code)
    await done(finance, batch, "compute")
    await done(finance, batch, "submit")
    both = await client_with_duties(runtime, finance, Duty.FINANCE, Duty.APPROVER)
    for name in ("approve", "release"):
        if name == "release":
            await done(approver, batch, "approve")
        answer = await act(both, batch, name)
        assert (answer.status_code, answer.json()["code"]) == (403, "own_batch")
        assert name not in (await both.get(f"{BASE}/{batch['id']}")).json()["next_acts"]
    await both.aclose()


async def client_with_duties(runtime: Runtime, finance: httpx.AsyncClient, *duties: Duty) -> httpx.AsyncClient:
    """The same account as ``finance``, holding further duties."""
    claims = runtime.tokens.verify_access_token(finance.headers["authorization"].removeprefix("Bearer "))
    token = runtime.tokens.issue_access_token(subject=claims.subject, level=claims.level, area=claims.area, duties=duties)
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=finance._transport, base_url="http://test", headers=headers)


@pytest.mark.parametrize("whose", ["prepared_by", "submitted_by"])
async def test_the_database_refuses_an_own_approval(sign_in: Client, roll: Roll, runtime: Runtime, whose: str) -> None:
    await roll.household({"base": 100})
    finance = sign_in("district.finance")
    batch = await open_batch(finance, roll.area_code)
    await done(finance, batch, "compute")
    await done(finance, batch, "submit")
    approve = f"UPDATE payment_batch SET state = 'approved', approved_by = {whose} WHERE id = :id"
    assert "approved_by_another" in await refused(runtime, approve, id=batch["id"])
    assert "approved_by_another" in await refused_to_owner(runtime, approve, id=batch["id"])


async def test_the_database_refuses_an_own_release(sign_in: Client, roll: Roll, runtime: Runtime) -> None:
    await roll.household({"base": 100})
    finance = sign_in("district.finance")
    batch = await open_batch(finance, roll.area_code)
    for client, name in ((finance, "compute"), (finance, "submit"), (sign_in("district.approver"), "approve")):
        await done(client, batch, name)
    release = "UPDATE payment_batch SET state = 'released', released_by = prepared_by, file_sha256 = '' WHERE id = :id"
    assert "released_by_another" in await refused(runtime, release, id=batch["id"])


async def test_signatures_can_neither_be_forged_nor_borrowed(sign_in: Client, roll: Roll, runtime: Runtime) -> None:
    await roll.household({"base": 100})
    finance = sign_in("district.finance")
    batch = await open_batch(finance, roll.area_code)
    stranger = uuid4()
    forged = "UPDATE payment_batch SET prepared_by = :by WHERE id = :id"
    assert "permission denied" in await refused(runtime, forged, by=stranger, id=batch["id"])
    assert "may not write" in await refused_to_owner(runtime, forged, by=stranger, id=batch["id"])
    await done(finance, batch, "compute")
    jump = "UPDATE payment_batch SET state = 'approved', submitted_by = :by, approved_by = :id WHERE id = :id"
    assert "may not write" in await refused(runtime, jump, by=stranger, id=batch["id"])
    raised = "UPDATE payment_batch SET state = 'submitted', submitted_by = :by, total_fen = total_fen + 1 WHERE id = :id"
    assert "may not write" in await refused(runtime, raised, by=stranger, id=batch["id"])


async def test_the_database_knows_the_same_steps_as_the_rules(runtime: Runtime, roll: Roll) -> None:
    """Every pair of states is tried in the database; it lets through exactly what some act does."""
    allowed = {(before, rule.after) for rule in RULES.values() for before in rule.before}
    allowed |= {(BatchState.COMPUTING, BatchState.COMPUTED)}
    assert set(BATCH_STATES) == {state.value for state in BatchState}
    assert {rule.after for act_, rule in RULES.items() if act_ is BatchAct.RELEASE} <= set(map(BatchState, APPROVED_STATES))
    async with owner(runtime) as connection:
        let_through = {pair for pair in permutations(BatchState, 2) if await step_passes(connection, *pair)}
    assert let_through == allowed


async def step_passes(connection: AsyncConnection, before: BatchState, after: BatchState) -> bool:
    """Whether the trigger takes the step, of a batch put into ``before`` with the trigger off."""
    savepoint = await connection.begin_nested()
    try:
        await connection.execute(text("ALTER TABLE payment_batch DISABLE TRIGGER guard"))
        batch_id = await insert_batch(connection, before)
        await connection.execute(text("ALTER TABLE payment_batch ENABLE TRIGGER guard"))
        file = ", file_sha256 = '', released_by = approved_by" if after is BatchState.RELEASED else ""
        file += ", approved_by = :third" if after is BatchState.APPROVED else ""
        statement = text(f"UPDATE payment_batch SET state = :state {file} WHERE id = :id")
        values = {"state": after.value, "id": batch_id} | ({"third": UUID(int=3)} if ":third" in file else {})
        await connection.execute(statement, values)
    except (ProgrammingError, IntegrityError):
        return False
    finally:
        await savepoint.rollback()
    return True


async def insert_batch(connection: AsyncConnection, state: BatchState) -> UUID:
    batch_id = uuid4()
    signed = {"submitted_by": UUID(int=2)} if state is not BatchState.DRAFT else {}
    if state.value in APPROVED_STATES:
        signed["approved_by"] = UUID(int=3)
    if state is BatchState.RELEASED:
        signed["released_by"] = UUID(int=3)
    values = {
        "district": "350702",
        "id": batch_id,
        "area_code": "350702",
        "number": str(batch_id),
        "state": state.value,
        "prepared_by": UUID(int=1),
        "file_sha256": "" if state is BatchState.RELEASED else None,
        **signed,
    }
    names = ", ".join(values)
    await connection.execute(
        text(
            f"INSERT INTO payment_batch ({names}, period_from, period_to, pay_month, programmes, households, items, accounts,"
            " total_fen, held_households, held_fen, already_claimed, programme_totals, prepared_by_name, prepared_at, version)"
            f" VALUES ({', '.join(':' + name for name in values)}, '2026-09-01', '2026-09-01', '2026-09-01', '{{dibao}}',"
            " 0, 0, 0, 0, 0, 0, 0, '{}', 'x', now(), 1)"
        ),
        values,
    )
    return batch_id


@pytest.fixture
async def released(sign_in: Client, roll: Roll) -> dict[str, Any]:
    await roll.household({"base": 100})
    return await release_through(sign_in("district.finance"), sign_in("district.approver"), roll.area_code)


LEDGER = ("ledger_transfer", "ledger_account")
KEPT = ("payment_batch", "benefit_claim", "payment_item")


@pytest.mark.parametrize("table", [*LEDGER, *KEPT])
async def test_nothing_of_money_is_deleted_or_emptied(released: dict[str, Any], runtime: Runtime, table: str) -> None:
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        assert "permission denied" in await refused(runtime, statement)
        message = await refused_to_owner(runtime, statement)
        assert any(word in message for word in ("append-only", "never deleted"))


@pytest.mark.parametrize(
    ("table", "change"), [("ledger_transfer", "amount_fen = amount_fen + 1"), ("ledger_account", "code = code || 'x'")]
)
async def test_the_ledger_is_never_edited(released: dict[str, Any], runtime: Runtime, table: str, change: str) -> None:
    assert "permission denied" in await refused(runtime, f"UPDATE {table} SET {change}")
    assert "append-only" in await refused_to_owner(runtime, f"UPDATE {table} SET {change}")


@pytest.mark.parametrize("table", ["ledger_transfer", "benefit_claim", "payment_item"])
async def test_partitions_are_behind_the_same_walls(released: dict[str, Any], runtime: Runtime, table: str) -> None:
    """A child's TRUNCATE bypasses its parent's trigger, so each has its own; the application uses the parent only."""
    partition = f"{table}_202609"
    for statement in (f"SELECT * FROM {partition}", f"DELETE FROM {partition}", f"TRUNCATE {partition}"):
        assert "permission denied" in await refused(runtime, statement)
    assert "append-only" in await refused_to_owner(runtime, f"TRUNCATE {partition}")
    assert await refused_to_owner(runtime, f"DELETE FROM {partition}")


async def test_lines_and_claims_of_a_released_batch_are_frozen(released: dict[str, Any], runtime: Runtime) -> None:
    held = "UPDATE payment_item SET held_reason = 'account_missing' WHERE batch_id = :id"
    assert "frozen" in await refused(runtime, held, id=released["id"])
    raised = "UPDATE payment_item SET amount_fen = 1 WHERE batch_id = :id"
    assert "permission denied" in await refused(runtime, raised, id=released["id"])
    assert "frozen" in await refused_to_owner(runtime, raised, id=released["id"])
    freed = "UPDATE benefit_claim SET voided_at = now(), released_at = NULL WHERE batch_id = :id"
    assert "ends once" in await refused(runtime, freed, id=released["id"])
    again = "UPDATE payment_batch SET state = 'cancelled' WHERE id = :id"
    assert "may not write" in await refused(runtime, again, id=released["id"])


async def test_no_line_can_be_smuggled_in(released: dict[str, Any], runtime: Runtime) -> None:
    columns = (
        "area_code, pay_month, batch_id, benefit_month, programme, component, cause, entitlement_id, household_id, amount_fen"
    )
    more = "account_sealed, account_holder"
    line = (
        f"INSERT INTO payment_item (district, id, claim_id, {columns}, {more})"
        f" SELECT district, :new, claim_id, {columns.replace('component', repr('extra'))}, {more}"
        " FROM payment_item WHERE batch_id = :id LIMIT 1"
    )
    assert "frozen" in await refused(runtime, line, id=released["id"], new=uuid4())
    transfer = (
        "INSERT INTO ledger_transfer (district, id, area_code, pay_month, kind, batch_id, item_id, debit_account_id,"
        " credit_account_id, amount_fen, posted_at, posted_by) SELECT district, :new, area_code, pay_month, kind, batch_id,"
        " :item, debit_account_id, credit_account_id, amount_fen, posted_at, posted_by FROM ledger_transfer WHERE batch_id = :id"
    )
    assert "pays a line" in await refused(runtime, transfer, id=released["id"], new=uuid4(), item=uuid4())
    twice = transfer.replace(":item", "item_id")
    assert "duplicate key" in await refused(runtime, twice, id=released["id"], new=uuid4())


async def test_another_district_sees_no_money(released: dict[str, Any], runtime: Runtime, sign_in: Client) -> None:
    listed = (await sign_in("qs.district.finance").get(f"{BASE}?count=true", headers=key())).json()
    assert (listed["items"], listed["total"]) == ([], 0)
    async with transaction(runtime.engine) as session:
        for table in (*LEDGER, *KEPT):
            assert (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0


async def test_new_months_come_with_the_same_walls(runtime: Runtime, world: object) -> None:
    assert runtime.settings.database_admin_url is not None
    admin = normalise_url(runtime.settings.database_admin_url.get_secret_value())
    await create_partitions(admin, date(2027, 9, 30))
    assert await create_partitions(admin, date(2027, 9, 30)) == []
    for table in ("ledger_transfer", "benefit_claim", "payment_item"):
        for month in ("202709", "202710", "202711", "202712"):
            partition = f"{table}_{month}"
            assert "permission denied" in await refused(runtime, f"SELECT * FROM {partition}")
            assert "append-only" in await refused_to_owner(runtime, f"TRUNCATE {partition}")
