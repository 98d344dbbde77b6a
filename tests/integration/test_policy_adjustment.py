"""提标 in one go: proposed by one, approved by another, new amounts from a month on, arrears for months that have begun."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from app.db.session import transaction
from app.runtime import Runtime
from tests.integration.casework_world import drafted, on
from tests.integration.policy_world import DISTRICT, activated, key, ok, problem, raised, signed, simulated
from tests.integration.registry_world import SignIn

pytestmark = pytest.mark.db
URL = "/api/v1/adjustment-batches"
AMOUNTS = text(
    "SELECT component, from_month, until_month, amount_fen, superseded_at IS NOT NULL FROM entitlement_amount"
    " WHERE entitlement_id = CAST(:id AS uuid) ORDER BY superseded_at IS NULL, from_month, component"
)


async def entitled(sign_in: SignIn) -> str:
    case = await drafted(sign_in)
    await case.confirmed()
    page = await ok(await case.reviewer.get(f"/api/v1/entitlements?household_id={case.family.household_id}"))
    return str(page["items"][0]["id"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def years(runtime: Runtime) -> list[int]:
    """A year for each activation of this module: sets of the shared district are activated one after the other."""
    return list(range(2035, 2060))


async def law(sign_in: SignIn, runtime: Runtime, years: list[int]) -> tuple[int, dict[str, Any], int]:
    """A year, the set that is active from its January on, and the new urban standard, higher than every former one."""
    year = years.pop(0)
    value = 80000 + 1000 * (year - 2035)
    officer = sign_in("district.policy")
    draft = await raised(officer, value, f"{year}-01-01")
    done = await simulated(runtime, officer, draft["id"], day=f"{year}-01-01")
    await ok(await signed(sign_in, draft["id"], done["id"]))
    return year, await ok(await activated(sign_in, draft["id"], f"{year}-01-02")), value


async def proposed(sign_in: SignIn, set_id: str, month: str, day: str) -> httpx.Response:
    body = {"set_id": set_id, "effective_month": month}
    return await sign_in("district.policy").post(URL, json=body, headers=key() | on(day))


async def act(client: httpx.AsyncClient, batch_id: str, name: str, day: str | None = None) -> httpx.Response:
    return await client.post(f"{URL}/{batch_id}/{name}", headers=key() | on(day))


async def item_of(client: httpx.AsyncClient, batch_id: str, entitlement_id: str) -> dict[str, Any]:
    page = await ok(await client.get(f"{URL}/{batch_id}/items?limit=200&count=true"))
    assert page["total"] == len(page["items"])
    (found,) = [one for one in page["items"] if one["entitlement_id"] == entitlement_id]
    return dict(found)


async def amounts(runtime: Runtime, entitlement_id: str) -> list[tuple[Any, ...]]:
    async with transaction(runtime.engine, DISTRICT) as session:
        rows = await session.execute(AMOUNTS, {"id": entitlement_id})
        return [(c, str(since)[:7], until and str(until)[:7], fen, old) for c, since, until, fen, old in rows]


async def test_a_rise_with_arrears(sign_in: SignIn, runtime: Runtime, years: list[int]) -> None:
    entitlement = await entitled(sign_in)
    year, policy_set, standard = await law(sign_in, runtime, years)
    day = f"{year}-03-10"
    batch = await ok(await proposed(sign_in, policy_set["id"], f"{year}-01", day), 201)
    item = await item_of(sign_in("district.finance"), batch["id"], entitlement)
    new = 3 * standard - 90000
    assert (item["old_fen"], item["new_fen"]) == (75600, new)
    difference = new - 75600
    assert item["arrears"] == [{"month": f"{year}-0{month}", "amount_fen": difference} for month in (1, 2)]
    assert item["arrears_fen"] == 2 * difference
    assert batch["monthly_change_fen"] >= difference
    assert await amounts(runtime, entitlement) == [("base", "2026-04", None, 75600, False)], "nothing before the approval"

    approved = await ok(await act(sign_in("district.reviewer"), batch["id"], "approve", day))
    assert (approved["state"], approved["approved_by"]) == ("approved", "district.reviewer")
    assert await amounts(runtime, entitlement) == [
        ("base", "2026-04", None, 75600, True),
        ("base", "2026-04", f"{year}-01", 75600, False),
        ("base", f"{year}-01", None, new, False),
    ]
    shown = await ok(await sign_in("district.reviewer").get(f"/api/v1/entitlements/{entitlement}", headers=on(day)))
    assert shown["monthly_fen"] == new
    problem(await act(sign_in("district.reviewer"), batch["id"], "approve", day), 409, "adjustment_batch_settled")
    problem(await act(sign_in("district.policy"), batch["id"], "cancel", day), 409, "adjustment_batch_settled")
    async with transaction(runtime.engine, DISTRICT) as session:
        record = text("SELECT count(*) FROM audit_record WHERE action = 'entitlement.adjust' AND subject_id = :id")
        assert (await session.execute(record, {"id": entitlement})).scalar_one() == 1


async def test_a_rise_from_next_month_owes_nothing(sign_in: SignIn, runtime: Runtime, years: list[int]) -> None:
    entitlement = await entitled(sign_in)
    year, policy_set, _ = await law(sign_in, runtime, years)
    batch = await ok(await proposed(sign_in, policy_set["id"], f"{year}-04", f"{year}-03-10"), 201)
    assert batch["arrears_fen"] == 0
    assert (await item_of(sign_in("district.policy"), batch["id"], entitlement))["from_month"] == f"{year}-04"
    problem(await proposed(sign_in, policy_set["id"], f"{year}-04", f"{year}-03-10"), 409, "adjustment_batch_open")
    await ok(await act(sign_in("district.policy"), batch["id"], "cancel"))
    again = await ok(await proposed(sign_in, policy_set["id"], f"{year}-04", f"{year}-03-10"), 201)
    assert again["items"] == batch["items"]


async def test_of_two_approvals_at_once_one_writes(sign_in: SignIn, runtime: Runtime, years: list[int]) -> None:
    entitlement = await entitled(sign_in)
    year, policy_set, standard = await law(sign_in, runtime, years)
    batch = await ok(await proposed(sign_in, policy_set["id"], f"{year}-01", f"{year}-01-05"), 201)
    reviewer = sign_in("district.reviewer")
    answers = await asyncio.gather(*(act(reviewer, batch["id"], "approve") for _ in range(3)))
    assert sorted(one.status_code for one in answers) == [200, 409, 409]
    current = [row for row in await amounts(runtime, entitlement) if not row[4]]
    assert [fen for _, since, _, fen, _ in current if since == f"{year}-01"] == [3 * standard - 90000]


async def test_what_changed_since_is_not_overwritten(sign_in: SignIn, runtime: Runtime, years: list[int]) -> None:
    entitlement = await entitled(sign_in)
    year, policy_set, _ = await law(sign_in, runtime, years)
    batch = await ok(await proposed(sign_in, policy_set["id"], f"{year}-01", f"{year}-01-05"), 201)
    async with transaction(runtime.engine, DISTRICT) as session:
        ended = text("UPDATE entitlement SET state = 'ended', until_month = '2030-01-01' WHERE id = CAST(:id AS uuid)")
        await session.execute(ended, {"id": entitlement})
    refused = problem(await act(sign_in("district.reviewer"), batch["id"], "approve"), 409, "amounts_changed_since")
    assert "1 户" in str(refused["detail"])
    assert all(row[1] != f"{year}-01" for row in await amounts(runtime, entitlement))
    await ok(await act(sign_in("district.policy"), batch["id"], "cancel"))


async def test_who_may_what(sign_in: SignIn, runtime: Runtime, years: list[int]) -> None:
    await entitled(sign_in)
    year, policy_set, _ = await law(sign_in, runtime, years)
    officer, body = sign_in("district.policy"), {"set_id": policy_set["id"], "effective_month": f"{year}-01"}
    problem(await officer.post(URL, json=body), 400, "idempotency_key_required")
    problem(await sign_in("district.reviewer").post(URL, json=body, headers=key()), 403, "duty_required")
    problem(await sign_in("qs.district.policy").post(URL, json=body, headers=key()), 404, "set_not_found")
    early = body | {"effective_month": f"{year - 1}-12"}
    problem(await officer.post(URL, json=early, headers=key()), 422, "malformed_request")
    draft = await raised(officer, 99000, f"{year}-06-01")
    problem(await officer.post(URL, json=body | {"set_id": draft["id"]}, headers=key()), 409, "set_not_active")
    headers = key() | on(f"{year}-01-05")
    first, again = [await officer.post(URL, json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, again.json()) == (201, first.json())
    batch = first.json()
    problem(await act(officer, batch["id"], "approve"), 403, "duty_required")
    problem(await act(sign_in("qs.district.reviewer"), batch["id"], "approve"), 404, "adjustment_batch_not_found")
    problem(await sign_in("qs.district.policy").get(f"{URL}/{batch['id']}/items"), 404, "adjustment_batch_not_found")
    problem(await sign_in("s001.head").get(f"{URL}/{batch['id']}"), 403, "duty_required")
    stale = await sign_in("district.reviewer").post(f"{URL}/{batch['id']}/approve", headers=key() | {"If-Match": '"9"'})
    problem(stale, 412, "stale_version")
