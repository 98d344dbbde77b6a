"""Payment batches through the interface: from draft to bank file, with held households, arrears, and claims paid once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.db.repositories.payment_ledger import LedgerRepository
from app.db.session import transaction
from app.domain.payments.bankfile import read_bank_file
from app.runtime import Runtime
from tests.integration.payment_roll import DISTRICT, Roll, card_number, communities

pytestmark = pytest.mark.db
Client = Callable[[str], httpx.AsyncClient]
BASE = "/api/v1/payment-batches"
_free = iter(communities())


@pytest.fixture
def roll(runtime: Runtime, world: object) -> Roll:
    return Roll(runtime, next(_free))


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


async def open_batch(finance: httpx.AsyncClient, area: str, **changes: Any) -> dict[str, Any]:
    body = {"period_from": "2026-09", "period_to": "2026-09", "pay_month": "2026-09", "programmes": ["dibao"], "area_code": area}
    answer = await finance.post(BASE, json=body | changes, headers=key())
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{BASE}/{answer.json()['id']}"
    return dict(answer.json())


async def act(client: httpx.AsyncClient, batch: dict[str, Any], name: str, **kwargs: Any) -> httpx.Response:
    return await client.post(f"{BASE}/{batch['id']}/{name}", headers=key() | kwargs.pop("headers", {}), **kwargs)


async def done(client: httpx.AsyncClient, batch: dict[str, Any], name: str, **kwargs: Any) -> dict[str, Any]:
    answer = await act(client, batch, name, **kwargs)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def items_of(client: httpx.AsyncClient, batch: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"{BASE}/{batch['id']}/items?limit=200{query}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_batch_from_draft_to_bank_file(sign_in: Client, roll: Roll, runtime: Runtime) -> None:
    first = await roll.household({"base": 50400, "uplift_severe_disability": 11040})
    second = await roll.household({"base": 1}, holder="林例强")
    finance, approver = sign_in("district.finance"), sign_in("district.approver")

    batch = await open_batch(finance, roll.area_code)
    assert (batch["state"], batch["next_acts"], batch["pay_by_on"]) == ("draft", ["compute", "cancel"], "2026-09-10")
    computed = await done(finance, batch, "compute")
    assert (computed["state"], computed["total_fen"], computed["items"], computed["accounts"]) == ("computed", 61441, 3, 2)
    assert computed["programme_totals"] == {"dibao": 61441}
    items = await items_of(finance, batch)
    assert sum(item["amount_fen"] for item in items) == 61441
    assert {item["component"] for item in items} == {"base", "uplift_severe_disability"}
    assert all(item["account_number"].startswith("***") for item in items)

    assert (await done(finance, batch, "submit"))["next_acts"] == ["cancel"]
    assert (await done(approver, batch, "approve"))["next_acts"] == ["reject", "send-to-treasury", "release"]
    assert (await finance.get(f"{BASE}/{batch['id']}/bank-file")).json()["code"] == "batch_not_released"
    released = await done(approver, batch, "release")
    assert (released["state"], released["next_acts"]) == ("released", [])

    answer = await finance.get(f"{BASE}/{batch['id']}/bank-file?profile=generic&programme=dibao")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=GB18030"
    assert f'filename="{batch["number"]}.csv"' in answer.headers["content-disposition"]
    assert hashlib.sha256(answer.content).hexdigest() == released["file_sha256"]
    assert (await finance.get(f"{BASE}/{batch['id']}/bank-file")).content == answer.content
    file = read_bank_file(answer.content)
    assert (file.total_fen, len(file.lines)) == (61441, 2)
    assert {(line.account, line.holder): line.amount_fen for line in file.lines} == {
        (first.account, "陈示芳"): 61440,
        (second.account, "林例强"): 1,
    }


async def test_the_ledger_holds_what_was_released_and_stays_balanced(sign_in: Client, roll: Roll, runtime: Runtime) -> None:
    await roll.household({"base": 12345})
    finance, approver = sign_in("district.finance"), sign_in("district.approver")
    async with transaction(runtime.engine, DISTRICT) as session:
        before = Counter(await LedgerRepository(session).balances(DISTRICT))
    await release_through(finance, approver, roll.area_code)
    async with transaction(runtime.engine, DISTRICT) as session:
        after = Counter(await LedgerRepository(session).balances(DISTRICT))
    after.subtract(before)
    assert {code: fen for code, fen in after.items() if fen} == {"appropriation.dibao": 12345, "clearing.bank": -12345}


async def release_through(finance: httpx.AsyncClient, approver: httpx.AsyncClient, area: str, **changes: Any) -> dict[str, Any]:
    batch = await open_batch(finance, area, **changes)
    await done(finance, batch, "compute")
    await done(finance, batch, "submit")
    await done(approver, batch, "approve")
    return await done(approver, batch, "release")


async def test_ff_01_households_with_bad_accounts_wait_and_never_stop_the_batch(sign_in: Client, roll: Roll) -> None:
    """FF-01: 100 households, 3 with bad accounts: 97 are paid, 3 are held, the total is the sum of the lines."""
    for _ in range(97):
        await roll.household({"base": 10000, "uplift_elderly": 552})
    await roll.household({"base": 10000}, account=None)
    await roll.household({"base": 10000}, account="7000000000000000012")
    fixed = await roll.household({"base": 10000}, holder=" ")
    finance, approver = sign_in("district.finance"), sign_in("district.approver")
    released = await release_through(finance, approver, roll.area_code)
    assert (released["households"], released["accounts"], released["total_fen"]) == (97, 97, 97 * 10552)
    assert (released["held_households"], released["held_fen"]) == (3, 30000)
    held = await items_of(finance, released, "&held=true")
    assert sorted(item["held_reason"] for item in held) == ["account_invalid", "account_missing", "holder_missing"]
    file = read_bank_file((await finance.get(f"{BASE}/{released['id']}/bank-file")).content)
    assert (len(file.lines), file.total_fen) == (97, released["total_fen"])

    await roll.set_account(fixed.household_id, card_number(990_001))
    later = await release_through(finance, approver, roll.area_code)
    assert (later["total_fen"], later["held_households"], later["already_claimed"]) == (10000, 2, 97)


async def test_one_account_under_two_holders_is_held(sign_in: Client, roll: Roll) -> None:
    shared = card_number(990_002)
    await roll.household({"base": 100}, account=shared)
    await roll.household({"base": 200}, account=shared, holder="林例强")
    await roll.household({"base": 400})
    finance = sign_in("district.finance")
    batch = await open_batch(finance, roll.area_code)
    computed = await done(finance, batch, "compute")
    assert (computed["total_fen"], computed["held_fen"], computed["accounts"]) == (400, 300, 1)
    assert {i["held_reason"] for i in await items_of(finance, batch, "&held=true")} == {"account_holders_differ"}


async def test_households_that_share_an_account_and_its_holder_get_one_line(sign_in: Client, roll: Roll) -> None:
    shared = card_number(990_003)
    await roll.household({"base": 100}, account=shared)
    await roll.household({"base": 200}, account=shared)
    released = await release_through(sign_in("district.finance"), sign_in("district.approver"), roll.area_code)
    file = read_bank_file((await sign_in("district.finance").get(f"{BASE}/{released['id']}/bank-file")).content)
    assert [line.amount_fen for line in file.lines] == [300]
    assert (released["accounts"], released["households"]) == (1, 2)


async def test_ff_02_a_month_is_never_paid_twice(sign_in: Client, roll: Roll) -> None:
    await roll.household({"base": 75600})
    finance, approver = sign_in("district.finance"), sign_in("district.approver")
    first = await open_batch(finance, roll.area_code)
    await done(finance, first, "compute")
    again = await act(finance, first, "compute")
    assert (again.status_code, again.json()["code"]) == (409, "batch_wrong_state")

    second = await open_batch(finance, roll.area_code)
    computed = await done(finance, second, "compute")
    assert (computed["total_fen"], computed["items"], computed["already_claimed"]) == (0, 0, 1)
    refused = await act(finance, second, "submit")
    assert (refused.status_code, refused.json()["code"]) == (409, "batch_empty")

    await done(finance, first, "submit")
    await done(approver, first, "approve")
    await done(approver, first, "release")
    third = await open_batch(finance, roll.area_code)
    assert (await done(finance, third, "compute"))["already_claimed"] == 1


@pytest.mark.parametrize("how", ["cancel", "reject"])
async def test_a_batch_given_up_frees_its_months(sign_in: Client, roll: Roll, how: str) -> None:
    await roll.household({"base": 75600})
    finance, approver = sign_in("district.finance"), sign_in("district.approver")
    first = await open_batch(finance, roll.area_code)
    await done(finance, first, "compute")
    await done(finance, first, "submit")
    if how == "reject":
        closed = await done(approver, first, "reject", json={"reason": "金额需要复核"})
        assert closed["reason"] == "金额需要复核"
    else:
        closed = await done(finance, first, "cancel")
    assert closed["closed"]["name"] == ("district.approver" if how == "reject" else "district.finance")
    assert len(await items_of(finance, first)) == 1
    released = await release_through(finance, approver, roll.area_code)
    assert (released["total_fen"], released["already_claimed"]) == (75600, 0)


async def test_ff_05_base_uplift_and_arrears_stand_apart(sign_in: Client, roll: Roll) -> None:
    """FF-05: each component of each month is a line of its own; earlier months that are still open are arrears."""
    await roll.household({"base": 50400, "uplift_elderly": 5520}, since=date(2026, 8, 1))
    finance, approver = sign_in("district.finance"), sign_in("district.approver")
    released = await release_through(finance, approver, roll.area_code, period_from="2026-07")
    items = await items_of(finance, released)
    assert Counter((i["benefit_month"], i["component"], i["cause"]) for i in items) == Counter(
        [
            ("2026-08", "base", "arrears"),
            ("2026-08", "uplift_elderly", "arrears"),
            ("2026-09", "base", "regular"),
            ("2026-09", "uplift_elderly", "regular"),
        ]
    )
    file = read_bank_file((await finance.get(f"{BASE}/{released['id']}/bank-file")).content)
    assert [(line.amount_fen, line.memo) for line in file.lines] == [(2 * 55920, "最低生活保障、最低生活保障补发")]


async def test_only_active_entitlements_are_paid(sign_in: Client, roll: Roll) -> None:
    await roll.household({"base": 1}, state="suspended")
    await roll.household({"base": 2}, since=date(2026, 10, 1))
    await roll.household({"base": 4})
    finance = sign_in("district.finance")
    batch = await open_batch(finance, roll.area_code)
    assert (await done(finance, batch, "compute"))["total_fen"] == 4


async def test_several_programmes_can_go_in_files_of_their_own(sign_in: Client, roll: Roll, runtime: Runtime) -> None:
    both = await roll.household({"base": 100})
    async with transaction(runtime.engine, DISTRICT) as session:
        await roll.entitlement(session, both.household_id, {"standard": 7}, programme="old_age")
    finance, approver = sign_in("district.finance"), sign_in("district.approver")
    released = await release_through(finance, approver, roll.area_code, programmes=["old_age", "dibao"])
    assert released["programme_totals"] == {"dibao": 100, "old_age": 7}
    path = f"{BASE}/{released['id']}/bank-file"
    whole, old_age = [(await finance.get(path + query)).content for query in ("", "?programme=old_age&profile=generic_gbk")]
    assert read_bank_file(whole).total_fen == 107
    part = read_bank_file(old_age, profile="generic_gbk")
    assert (part.total_fen, part.batch_no) == (7, f"{released['number']}-old_age")
    refused = await finance.get(f"{path}?programme=tekun")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "programme_not_in_batch")


async def test_the_treasury_accepts_or_returns_and_is_waited_for(sign_in: Client, roll: Roll) -> None:
    await roll.household({"base": 100})
    finance, approver, treasury = (sign_in(f"district.{name}") for name in ("finance", "approver", "treasury"))
    batch = await open_batch(finance, roll.area_code)
    for client, name in ((finance, "compute"), (finance, "submit"), (approver, "approve"), (finance, "send-to-treasury")):
        await done(client, batch, name)
    assert (await act(approver, batch, "release")).status_code == 409
    assert len(await items_of(treasury, batch)) == 1
    assert (await act(treasury, batch, "treasury-return")).status_code == 422
    returned = await done(treasury, batch, "treasury-return", json={"reason": "缺少汇总表"})
    assert (returned["state"], returned["reason"]) == ("treasury_returned", "缺少汇总表")
    assert (await act(approver, batch, "release")).status_code == 409
    await done(approver, batch, "send-to-treasury")
    accepted = await done(treasury, batch, "treasury-accept")
    assert (accepted["state"], accepted["reason"]) == ("treasury_accepted", None)
    assert (await done(approver, batch, "release"))["state"] == "released"


async def test_money_needs_a_key_and_the_same_key_replays(sign_in: Client, roll: Roll) -> None:
    await roll.household({"base": 100})
    finance = sign_in("district.finance")
    batch = await open_batch(finance, roll.area_code)
    path = f"{BASE}/{batch['id']}/compute"
    refused = await finance.post(path)
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_required")
    one = key()
    first, second = await finance.post(path, headers=one), await finance.post(path, headers=one)
    assert first.status_code == second.status_code == 200
    assert second.headers["idempotency-replayed"] == "true"
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]


async def test_a_stale_version_is_refused(sign_in: Client, roll: Roll) -> None:
    await roll.household({"base": 100})
    finance = sign_in("district.finance")
    batch = await open_batch(finance, roll.area_code)
    etag = (await finance.get(f"{BASE}/{batch['id']}")).headers["etag"]
    await done(finance, batch, "compute", headers={"If-Match": etag})
    stale = await act(finance, batch, "submit", headers={"If-Match": etag})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"period_from": "2026-10", "pay_month": "2026-10"}, ["period_reversed"]),
        ({"period_to": "2026-10"}, ["period_after_pay_month"]),
        ({"period_from": "2024-09"}, ["period_too_long"]),
        ({"programmes": []}, ["too_few"]),
        ({"programmes": ["dibao_edge"]}, ["unknown_value"]),
        ({"pay_month": "2026-13"}, ["wrong_format"]),
        ({"surprise": 1}, ["unknown_field"]),
    ],
)
async def test_impossible_periods_are_malformed(sign_in: Client, changes: dict[str, Any], codes: list[str]) -> None:
    body = {"period_from": "2026-09", "period_to": "2026-09", "pay_month": "2026-09", "programmes": ["dibao"]}
    answer = await sign_in("district.finance").post(BASE, json=body | changes, headers=key())
    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["errors"]] == codes


async def test_a_month_without_books_is_refused(sign_in: Client) -> None:
    body = {"period_from": "2025-12", "period_to": "2026-09", "pay_month": "2026-09", "programmes": ["dibao"]}
    answer = await sign_in("district.finance").post(BASE, json=body, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (409, "month_not_open")
    assert "2025-12" in answer.json()["detail"]


async def test_areas_outside_and_batches_of_others_do_not_exist(sign_in: Client, roll: Roll) -> None:
    batch = await open_batch(sign_in("district.finance"), roll.area_code)
    stranger = sign_in("qs.district.finance")
    assert (await stranger.get(f"{BASE}/{batch['id']}")).status_code == 404
    assert (await act(stranger, batch, "compute")).status_code == 404
    assert (await stranger.get(f"{BASE}/{batch['id']}/items")).status_code == 404
    body = {"period_from": "2026-09", "period_to": "2026-09", "pay_month": "2026-09", "programmes": ["dibao"]}
    for area in (roll.area_code, "340882999"):
        assert (await stranger.post(BASE, json=body | {"area_code": area}, headers=key())).status_code == 404


async def test_lists_are_paged_newest_first(sign_in: Client, roll: Roll) -> None:
    finance = sign_in("district.finance")
    made = [(await open_batch(finance, roll.area_code, pay_month="2027-05"))["id"] for _ in range(3)]
    first = (await finance.get(f"{BASE}?pay_month=2027-05&state=draft&limit=2&count=true")).json()
    assert [item["id"] for item in first["items"]] == made[:0:-1]
    assert first["total"] == 3
    rest = (await finance.get(f"{BASE}?pay_month=2027-05&limit=2&cursor={first['next_cursor']}")).json()
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == ([made[0]], None)


async def test_items_are_paged(sign_in: Client, roll: Roll) -> None:
    for _ in range(3):
        await roll.household({"base": 100})
    finance = sign_in("district.finance")
    batch = await open_batch(finance, roll.area_code)
    await done(finance, batch, "compute")
    path = f"{BASE}/{batch['id']}/items?limit=2&count=true&programme=dibao&held=false"
    first = (await finance.get(path)).json()
    rest = (await finance.get(f"{path}&cursor={first['next_cursor']}")).json()
    assert (first["total"], len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (3, 2, 1, None)
    assert not {i["id"] for i in first["items"]} & {i["id"] for i in rest["items"]}
