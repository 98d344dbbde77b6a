"""Contract §6: this month's batch over the demo's enrolled households, from draft to bank file."""

from __future__ import annotations

from datetime import date

import httpx
import pytest

from tests.contract.kit import V1, Json, key, ok, problem
from tests.demo_world import Demo

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]
BATCHES = f"{V1}/payment-batches"


def request_of(**values: object) -> Json:
    month = f"{date.today():%Y-%m}"  # noqa: DTZ011  (what a caller's own clock says)
    period: Json = {"period_from": month, "period_to": month, "pay_month": month}
    return period | {"programmes": ["dibao"], "area_code": "350702"} | values


async def opened(demo: Demo, **values: object) -> Json:
    return await ok(await demo.callers["district.finance"].http.post(BATCHES, json=request_of(**values), headers=key()), 201)


async def act(http: httpx.AsyncClient, batch: Json, name: str, body: Json | None = None) -> httpx.Response:
    return await http.post(f"{BATCHES}/{batch['id']}/{name}", json=body, headers=key())


async def test_from_draft_to_bank_file(demo: Demo) -> None:
    finance, approver = demo.callers["district.finance"].http, demo.callers["district.approver"].http
    batch = await opened(demo)
    assert (batch["state"], batch["pay_month"], batch["programmes"]) == ("draft", batch["period_from"], ["dibao"])
    computed = await ok(await act(finance, batch, "compute"))
    assert computed["state"] == "computed"
    items = await ok(await finance.get(f"{BATCHES}/{batch['id']}/items", params={"limit": 200, "count": "true"}))
    assert items["total"] == computed["items"] > 0
    assert all(item["amount_fen"] > 0 and item["programme"] == "dibao" for item in items["items"])
    assert all("*" in item["account_number"] for item in items["items"])
    problem(await act(approver, batch, "approve"), 409)
    assert (await ok(await act(finance, batch, "submit")))["state"] == "submitted"
    problem(await act(finance, batch, "approve"), 403)
    problem(await finance.get(f"{BATCHES}/{batch['id']}/bank-file"), 409)
    assert (await ok(await act(approver, batch, "approve")))["state"] == "approved"
    released = await ok(await act(approver, batch, "release"))
    assert released["state"] == "released"
    file = await finance.get(f"{BATCHES}/{batch['id']}/bank-file", params={"profile": "generic"})
    header, *lines = file.content.decode("gb18030").splitlines()
    assert file.headers["content-type"].startswith("text/csv")
    assert (header.split(",")[2], header.split(",")[4]) == (str(len(lines)), str(released["total_fen"]))
    assert len(lines) == released["accounts"]
    assert sum(round(float(line.split(",")[3]) * 100) for line in lines) == released["total_fen"]
    second = await opened(demo)
    again = await ok(await act(finance, second, "compute"))
    assert (again["items"], again["total_fen"]) == (0, 0)
    assert again["already_claimed"] > 0
    problem(await act(finance, second, "submit"), 409)
    assert (await ok(await act(finance, second, "cancel")))["state"] == "cancelled"


async def test_through_the_treasury(demo: Demo) -> None:
    finance, approver, treasury = (demo.callers[f"district.{name}"].http for name in ("finance", "approver", "treasury"))
    batch = await opened(demo, area_code="350702", programmes=["dibao"], period_from="2026-08", period_to="2026-08")
    computed = await ok(await act(finance, batch, "compute"))
    if computed["items"] == 0:
        await ok(await act(finance, batch, "cancel"))
        return
    for http, name, state in (
        (finance, "submit", "submitted"),
        (approver, "approve", "approved"),
        (finance, "send-to-treasury", "with_treasury"),
    ):
        assert (await ok(await act(http, batch, name)))["state"] == state
    problem(await act(approver, batch, "release"), 409)
    returned = await ok(await act(treasury, batch, "treasury-return", {"reason": "预算科目有误"}))
    assert (returned["state"], returned["reason"]) == ("treasury_returned", "预算科目有误")
    await ok(await act(finance, batch, "send-to-treasury"))
    assert (await ok(await act(treasury, batch, "treasury-accept")))["state"] == "treasury_accepted"
    assert (await ok(await act(approver, batch, "release")))["state"] == "released"


async def test_reject_needs_a_reason(demo: Demo) -> None:
    problem(await act(demo.callers["district.approver"].http, await opened(demo), "reject", {}), 422)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("period_from", "2026-13"),
        ("period_from", "2099-01"),
        ("programmes", []),
        ("programmes", ["no_such_programme"]),
        ("area_code", "35070"),
        ("pay_month", "November"),
    ],
)
async def test_malformed_batches(demo: Demo, field: str, value: object) -> None:
    answer = await demo.callers["district.finance"].http.post(BATCHES, json=request_of(**{field: value}), headers=key())
    body = problem(answer, 422)
    assert any(error["pointer"].startswith(f"/{field}") for error in body["errors"])


async def test_a_batch_outside_the_own_district_is_404(demo: Demo) -> None:
    answer = await demo.callers["district.finance"].http.post(BATCHES, json=request_of(area_code="340882"), headers=key())
    problem(answer, 404)
