"""Payments under pressure: many at once, in the background, killed in between."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text

from app.db.base import columns
from app.db.session import transaction
from app.db.tables.audit import AuditRecord
from app.db.tables.payments import BenefitClaim, LedgerTransfer, PaymentItem
from app.jobs.payment_compute import ComputeHandler
from app.jobs.registry import ChunkView, JobView
from app.jobs.runner import run_job
from app.runtime import Runtime
from tests.integration.payment_roll import DISTRICT, NOW, Roll, communities
from tests.integration.test_payments import BASE, act, done, key, open_batch

pytestmark = pytest.mark.db
Client = Callable[[str], httpx.AsyncClient]
CLAIM, ITEM, TRANSFER, AUDIT = columns(BenefitClaim), columns(PaymentItem), columns(LedgerTransfer), columns(AuditRecord)
_free = iter(communities()[100:200])


@pytest.fixture
def roll(runtime: Runtime, world: object) -> Roll:
    return Roll(runtime, next(_free))


async def approved(sign_in: Client, roll: Roll) -> dict[str, Any]:
    finance, approver = sign_in("district.finance"), sign_in("district.approver")
    batch = await open_batch(finance, roll.area_code)
    for client, name in ((finance, "compute"), (finance, "submit"), (approver, "approve")):
        batch = await done(client, batch, name)
    return batch


async def test_of_sixteen_releases_at_once_one_takes_effect(sign_in: Client, roll: Roll, runtime: Runtime) -> None:
    for _ in range(5):
        await roll.household({"base": 100, "uplift_elderly": 10})
    batch = await approved(sign_in, roll)
    approver = sign_in("district.approver")
    answers = await asyncio.gather(*(act(approver, batch, "release") for _ in range(16)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 15}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"batch_wrong_state"}
    async with transaction(runtime.engine, DISTRICT) as session:
        posted = select(TRANSFER.amount_fen).where(TRANSFER.batch_id == UUID(batch["id"]))
        amounts = list((await session.execute(posted)).scalars())
    assert (len(amounts), sum(amounts)) == (10, 550)


async def test_sixteen_times_the_same_key_is_one_release(sign_in: Client, roll: Roll) -> None:
    await roll.household({"base": 100})
    batch = await approved(sign_in, roll)
    approver, one = sign_in("district.approver"), key()
    path = f"{BASE}/{batch['id']}/release"
    answers = await asyncio.gather(*(approver.post(path, headers=one) for _ in range(16)))
    kinds = Counter((answer.status_code, answer.headers.get("idempotency-replayed")) for answer in answers)
    assert kinds[200, None] == 1
    assert {status for status, _ in kinds} <= {200, 409}
    assert {answer.json().get("code") for answer in answers if answer.status_code == 409} <= {"idempotency_in_progress"}


async def test_release_and_cancel_at_once_leave_one_outcome(sign_in: Client, roll: Roll, runtime: Runtime) -> None:
    finance, approver = sign_in("district.finance"), sign_in("district.approver")
    await roll.household({"base": 100})
    batch = await approved(sign_in, roll)
    first, second = await asyncio.gather(act(approver, batch, "release"), act(finance, batch, "cancel"))
    assert sorted([first.status_code, second.status_code]) == [200, 409]
    async with transaction(runtime.engine, DISTRICT) as session:
        claim = select(CLAIM.released_at, CLAIM.voided_at).where(CLAIM.batch_id == UUID(batch["id"]))
        released_at, voided_at = (await session.execute(claim)).one()
    assert (released_at is None, voided_at is None) == (first.status_code != 200, second.status_code != 200)


async def test_batches_computed_at_once_take_each_benefit_once(sign_in: Client, roll: Roll, runtime: Runtime) -> None:
    for _ in range(40):
        await roll.household({"base": 100})
    finance = sign_in("district.finance")
    batches = [await open_batch(finance, roll.area_code, period_from="2026-07") for _ in range(6)]
    answers = await asyncio.gather(*(act(finance, batch, "compute") for batch in batches))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert sum(answer.json()["total_fen"] for answer in answers) == 40 * 3 * 100
    async with transaction(runtime.engine, DISTRICT) as session:
        live = select(CLAIM.subject_id, CLAIM.benefit_month).where(CLAIM.area_code == roll.area_code, CLAIM.voided_at.is_(None))
        taken = Counter((row[0], row[1]) for row in await session.execute(live))
    assert (len(taken), set(taken.values())) == (120, {1})


async def test_a_number_is_given_once(sign_in: Client, roll: Roll) -> None:
    finance = sign_in("district.finance")
    made = await asyncio.gather(*(open_batch(finance, roll.area_code, pay_month="2027-04") for _ in range(8)))
    assert len({batch["number"] for batch in made}) == 8


async def start_in_background(finance: httpx.AsyncClient, roll: Roll) -> dict[str, Any]:
    batch = await open_batch(finance, roll.area_code[:9])
    answer = await act(finance, batch, "compute", headers={"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"{BASE}/{batch['id']}"
    computing = dict(answer.json())
    assert (computing["state"], computing["next_acts"]) == ("computing", ["cancel"])
    return computing


async def in_a_station_of_its_own(runtime: Runtime, households: int) -> Roll:
    """Two communities of a station that no other test touches; the households stand in both."""
    station = next(_stations)
    first, second = [code for code in communities() if code.startswith(station)][:2]
    rolls = Roll(runtime, first), Roll(runtime, second)
    for number in range(households):
        await rolls[number % 2].household({"base": 100})
    return rolls[0]


_stations = iter(sorted({code[:9] for code in communities()[200:]}, reverse=True))


async def test_a_job_computes_the_same_by_community(sign_in: Client, world: object, runtime: Runtime) -> None:
    roll = await in_a_station_of_its_own(runtime, 6)
    finance = sign_in("district.finance")
    computing = await start_in_background(finance, roll)
    job = UUID(computing["job_id"])
    await asyncio.gather(*(run_job(runtime, DISTRICT, job) for _ in range(2)))
    computed = (await finance.get(f"{BASE}/{computing['id']}")).json()
    assert (computed["state"], computed["total_fen"], computed["households"]) == ("computed", 600, 6)
    await run_job(runtime, DISTRICT, job)
    assert (await finance.get(f"{BASE}/{computing['id']}")).json() == computed


async def test_a_batch_larger_than_the_limit_becomes_a_job(
    sign_in: Client, roll: Roll, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await roll.household({"base": 100})
    finance = sign_in("district.finance")
    monkeypatch.setitem(runtime.settings.__dict__, "payment_inline_benefits", 3)
    batch = await open_batch(finance, roll.area_code, period_from="2026-08")
    assert (await act(finance, batch, "compute")).status_code == 202
    small = await open_batch(finance, roll.area_code)
    assert (await act(finance, small, "compute")).status_code == 200


async def test_a_chunk_done_twice_changes_nothing(sign_in: Client, world: object, runtime: Runtime) -> None:
    roll = await in_a_station_of_its_own(runtime, 4)
    computing = await start_in_background(sign_in("district.finance"), roll)
    for _ in range(2):
        await run_chunk(runtime, computing, roll.area_code)
    async with transaction(runtime.engine, DISTRICT) as session:
        lines = (await session.execute(select(ITEM.id).where(ITEM.batch_id == UUID(computing["id"])))).all()
    assert len(lines) == 2


async def run_chunk(runtime: Runtime, computing: dict[str, Any], area: str) -> dict[str, Any] | None:
    job = view_of(computing)
    async with transaction(runtime.engine, DISTRICT) as session:
        chunk = ChunkView(job.id, 0, {"area_code": area}, 1)
        return await ComputeHandler().run_chunk(runtime, session, job, chunk, now=NOW)


def view_of(computing: dict[str, Any]) -> JobView:
    return JobView(UUID(computing["job_id"]), DISTRICT, "payment_compute", UUID(computing["id"]), {}, UUID(int=9))


async def test_a_batch_cancelled_while_computing_takes_nothing_more(sign_in: Client, world: object, runtime: Runtime) -> None:
    roll = await in_a_station_of_its_own(runtime, 2)
    finance = sign_in("district.finance")
    computing = await start_in_background(finance, roll)
    assert await run_chunk(runtime, computing, roll.area_code) == {"claims": 1}
    await done(finance, computing, "cancel", json={"reason": "范围选错"})
    assert await run_chunk(runtime, computing, roll.area_code) == {"claims": 0}
    await run_job(runtime, DISTRICT, UUID(computing["job_id"]))
    assert (await finance.get(f"{BASE}/{computing['id']}")).json()["state"] == "cancelled"
    again = await open_batch(finance, roll.area_code[:9])
    assert (await done(finance, again, "compute"))["total_fen"] == 200


async def test_a_job_given_up_frees_what_it_took(sign_in: Client, world: object, runtime: Runtime) -> None:
    roll = await in_a_station_of_its_own(runtime, 2)
    finance = sign_in("district.finance")
    computing = await start_in_background(finance, roll)
    await run_chunk(runtime, computing, roll.area_code)
    async with transaction(runtime.engine, DISTRICT) as session:
        await ComputeHandler().give_up(runtime, session, view_of(computing), {"code": "internal_error"}, now=NOW)
    given_up = (await finance.get(f"{BASE}/{computing['id']}")).json()
    assert (given_up["state"], given_up["reason"]) == ("cancelled", "后台计算失败，请新建批次重新计算。")
    again = await open_batch(finance, roll.area_code[:9])
    assert (await done(finance, again, "compute"))["total_fen"] == 200


async def test_every_act_and_every_file_is_on_record(sign_in: Client, roll: Roll, runtime: Runtime) -> None:
    await roll.household({"base": 100})
    batch = await approved(sign_in, roll)
    await done(sign_in("district.approver"), batch, "release")
    await sign_in("district.finance").get(f"{BASE}/{batch['id']}/bank-file")
    await act(sign_in("district.finance"), batch, "approve")
    async with transaction(runtime.engine, DISTRICT) as session:
        mine = select(AUDIT.action, AUDIT.outcome, AUDIT.fields).where(AUDIT.subject_id == batch["id"]).order_by(AUDIT.id)
        records = [(row[0], row[1], list(row[2])) for row in await session.execute(mine)]
    acts = [f"payment_batch.{name}" for name in ("open", "compute", "submit", "approve", "release", "bank_file")]
    assert [record[0] for record in records[:6]] == acts
    assert records[5] == ("payment_batch.bank_file", "done", ["account_number"])
    assert records[6][1] == "refused"


async def test_no_account_number_is_stored_in_plain(sign_in: Client, roll: Roll, runtime: Runtime) -> None:
    entitled = await roll.household({"base": 100})
    batch = await approved(sign_in, roll)
    async with transaction(runtime.engine, DISTRICT) as session:
        found = await session.execute(text("SELECT i::text FROM payment_item i WHERE batch_id = :id"), {"id": batch["id"]})
        stored = found.scalar_one()
    assert entitled.account is not None
    assert entitled.account not in stored
    assert entitled.account.encode().hex() not in stored
