"""Simulations: what a draft would do to everybody who draws something now; and the gate that stands on them."""

from __future__ import annotations

import asyncio
import io
import zipfile
from uuid import UUID

import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.runtime import Runtime
from tests.integration.casework_world import drafted
from tests.integration.policy_world import (
    DISTRICT,
    SETS,
    STANDARD,
    activated,
    copied,
    key,
    ok,
    problem,
    raised,
    signed,
    simulated,
)
from tests.integration.registry_world import SignIn

pytestmark = pytest.mark.db
URL = "/api/v1/simulations"
SUPPORT_PAYMENT = {"standard_multiple": "1.5", "rate": "0.5"}


async def difference_of(sign_in: SignIn, simulation_id: str, entitlement_id: str) -> dict[str, int | str]:
    page = await ok(await sign_in("district.policy").get(f"{URL}/{simulation_id}/differences?limit=200"))
    (found,) = [one for one in page["items"] if one["entitlement_id"] == entitlement_id]
    return dict(found)


async def entitled(sign_in: SignIn) -> dict[str, int | str]:
    """Three people, 900 yuan of wages: 252 yuan each are missing to the standard of 552, in all 756."""
    case = await drafted(sign_in)
    await case.confirmed()
    page = await ok(await case.reviewer.get(f"/api/v1/entitlements?household_id={case.family.household_id}"))
    (found,) = page["items"]
    return dict(found)


async def test_who_gains_and_by_how_much(sign_in: SignIn, runtime: Runtime) -> None:
    found = await entitled(sign_in)
    draft = await raised(sign_in("district.policy"), 60000)
    done = await simulated(runtime, sign_in("district.policy"), draft["id"])
    assert (done["status"], done["communities_done"]) == ("succeeded", done["communities_total"])
    difference = await difference_of(sign_in, done["id"], str(found["id"]))
    assert (difference["before_fen"], difference["after_fen"], difference["change_fen"]) == (75600, 90000, 14400)
    total = done["result"]["total"]
    assert total["gaining"] >= 1
    assert total["losing"] == 0
    assert total["monthly_change_fen"] == total["after_fen"] - total["before_fen"] == total["gained_fen"] >= 14400
    assert total["yearly_change_fen"] == 12 * total["monthly_change_fen"]
    for grouping in ("by_programme", "by_area"):
        assert sum(one["monthly_change_fen"] for one in done["result"][grouping]) == total["monthly_change_fen"]
    for chart in done["result"]["charts"]:
        assert all(len(series["values"]) == len(chart["labels"]) for series in chart["series"])


async def test_who_loses_and_who_falls_out(sign_in: SignIn, runtime: Runtime) -> None:
    found = await entitled(sign_in)
    officer = sign_in("district.policy")
    less = await simulated(runtime, officer, (await raised(officer, 50000))["id"])
    assert (await difference_of(sign_in, less["id"], str(found["id"])))["change_fen"] == -15600
    out = await simulated(runtime, officer, (await raised(officer, 30000))["id"])
    difference = await difference_of(sign_in, out["id"], str(found["id"]))
    assert (difference["after_fen"], difference["after_outcome"]) == (0, "ineligible")
    assert out["result"]["total"]["leaving"] >= 1


async def test_everybody_who_is_registered_is_computed_too(sign_in: SignIn, runtime: Runtime) -> None:
    """A household that draws nothing, by the facts of the application that it withdrew: 300 yuan a head."""
    case = await drafted(sign_in)
    await case.accepted()
    await case.done(case.clerk, "withdraw", "2026-03-05")
    officer = sign_in("district.policy")
    done = await simulated(runtime, officer, (await raised(officer, 30000))["id"])
    registered = done["result"]["registered"]
    assert registered["households"] >= 1
    found = await registered_differences(sign_in, done["id"], case.family.household_id)
    edge = found["dibao_edge"]
    assert (found["dibao"]["before_fen"], found["dibao"]["after_fen"], found["dibao"]["after_outcome"]) == (
        75600,
        None,
        "ineligible",
    )
    assert (edge["before_fen"], edge["before_outcome"], edge["after_fen"], edge["after_outcome"]) == (
        None,
        "ineligible",
        0,
        "eligible",
    )
    (dibao,) = [one for one in registered["by_programme"] if one["programme"] == "dibao"]
    assert dibao["leaving"] >= 1
    assert dibao["entering"] == 0
    assert sum(one["lost_fen"] for one in registered["by_area"]) == registered["total"]["lost_fen"] >= 75600
    (chart,) = registered["charts"]
    assert all(len(series["values"]) == len(chart["labels"]) for series in chart["series"])


async def registered_differences(
    sign_in: SignIn, simulation_id: str, household_id: str
) -> dict[str, dict[str, int | str | None]]:
    """By programme, read page by page."""
    found: dict[str, dict[str, int | str | None]] = {}
    url: str | None = f"{URL}/{simulation_id}/registered-differences?limit=50&count=true"
    seen = 0
    while url is not None:
        page = await ok(await sign_in("district.policy").get(url))
        seen += len(page["items"])
        found |= {one["programme"]: one for one in page["items"] if one["household_id"] == household_id}
        cursor = page["next_cursor"]
        url = cursor and f"{URL}/{simulation_id}/registered-differences?limit=50&count=true&cursor={cursor}"
    assert seen == page["total"]
    return found


async def test_the_registered_of_other_places_and_of_no_time(sign_in: SignIn, runtime: Runtime) -> None:
    officer = sign_in("district.policy")
    started = await ok(
        await officer.post(URL, json={"set_id": (await raised(officer, 60000))["id"], "on": "2029-01-01"}, headers=key()), 202
    )
    url = f"{URL}/{started['id']}/registered-differences"
    assert (await ok(await officer.get(url)))["items"] == []
    problem(await sign_in("qs.district.policy").get(url), 404, "simulation_not_found")
    problem(await sign_in("s001.clerk").get(url), 403, "duty_required")
    draft = await raised(officer, 60000)
    done = await simulated(runtime, officer, draft["id"])
    for cursor in ("WyJ4Il0", "WyItMSJd", "WyI5OTk5OTk5OTk5OTk5OTk5OTk5OSJd", "!"):
        answer = await officer.get(f"{URL}/{done['id']}/registered-differences?cursor={cursor}")
        problem(answer, 422, "malformed_request")


async def test_what_no_twin_can_compute_is_said_and_stops_nothing(sign_in: SignIn, runtime: Runtime) -> None:
    await entitled(sign_in)
    officer = sign_in("district.policy")
    draft = await raised(officer, 60000)
    done = await simulated(runtime, officer, draft["id"], programmes=["tekun"])
    assert set(done["result"]["registered"]) == {"not_computed"}
    formula = {"versions": [{"effective_from": "2029-01-01", "value": SUPPORT_PAYMENT}]}
    put = await officer.put(
        f"{SETS}/{draft['id']}/parameters/dibao.support_payment", json=formula, headers={"If-Match": f'"{draft["version"]}"'}
    )
    await ok(put)
    done = await simulated(runtime, officer, draft["id"])
    assert "dibao.support_payment" in done["result"]["registered"]["not_computed"]
    assert done["result"]["total"]["assessed"] >= 1


async def test_before_the_effective_date_nothing_differs(sign_in: SignIn, runtime: Runtime) -> None:
    await entitled(sign_in)
    draft = await raised(sign_in("district.policy"), 60000)
    done = await simulated(runtime, sign_in("district.policy"), draft["id"], day="2028-12-31")
    total = done["result"]["total"]
    assert (total["gaining"], total["losing"], total["monthly_change_fen"]) == (0, 0, 0)
    assert total["assessed"] >= 1


async def test_a_simulation_of_one_area_and_programme(sign_in: SignIn, runtime: Runtime) -> None:
    await entitled(sign_in)
    officer = sign_in("district.policy")
    draft = await raised(officer, 60000)
    done = await simulated(runtime, officer, draft["id"], area_code="350702001001", programmes=["dibao"])
    assert {one["area_code"] for one in done["result"]["by_area"]} == {"350702001001"}
    problem(await signed(sign_in, draft["id"], done["id"]), 409, "simulation_incomplete")
    body = {"set_id": draft["id"], "on": "2029-01-01"}
    problem(await officer.post(URL, json=body | {"area_code": "340882"}, headers=key()), 404, "area_not_found")
    problem(await officer.post(URL, json=body | {"programmes": ["x"]}, headers=key()), 422, "malformed_request")
    stranger = sign_in("qs.district.policy")
    problem(await stranger.post(URL, json=body, headers=key()), 404, "set_not_found")
    problem(await stranger.get(f"{URL}/{done['id']}"), 404, "simulation_not_found")
    problem(await stranger.get(f"{URL}/{done['id']}/differences"), 404, "simulation_not_found")
    problem(await sign_in("s001.clerk").get(f"{URL}/{done['id']}"), 403, "duty_required")


async def test_a_draft_changed_under_way_stops_the_simulation(sign_in: SignIn, runtime: Runtime) -> None:
    await entitled(sign_in)
    officer = sign_in("district.policy")
    draft = await raised(officer, 60000)
    started = await ok(await officer.post(URL, json={"set_id": draft["id"], "on": "2029-01-01"}, headers=key()), 202)
    put = {"versions": [{"effective_from": "2014-03-01", "value": 1}]}
    url = f"{SETS}/{draft['id']}/parameters/{STANDARD}"
    await ok(await officer.put(url, json=put, headers={"If-Match": f'"{draft["version"]}"'}))
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text("SELECT job_id FROM simulation WHERE id = :id")
        job_id = (await session.execute(statement, {"id": UUID(started["id"])})).scalar_one()
    from app.jobs.runner import run_job

    await run_job(runtime, DISTRICT, job_id)
    failed = await ok(await officer.get(f"{URL}/{started['id']}"))
    assert (failed["status"], failed["problem"]["code"], failed["result"]) == ("failed", "set_changed_meanwhile", None)
    problem(await signed(sign_in, draft["id"], started["id"]), 409, "simulation_not_finished")


async def test_the_gate(sign_in: SignIn, runtime: Runtime) -> None:
    """Nothing becomes active without a replay of its very content, signed off by somebody else, from its date on."""
    officer = sign_in("district.policy")
    draft = await raised(officer, 60100, "2029-03-01")
    problem(await activated(sign_in, draft["id"], "2029-03-02"), 409, "sign_off_missing")
    early = await simulated(runtime, officer, draft["id"], day="2029-02-28")
    problem(await signed(sign_in, draft["id"], early["id"]), 409, "simulation_incomplete")
    done = await simulated(runtime, officer, draft["id"], day="2029-03-01")
    problem(await signed(sign_in, draft["id"], done["id"], "district.policy"), 403, "own_policy_set")
    problem(await signed(sign_in, draft["id"], done["id"], "district.approver"), 403, "duty_required")
    other = await raised(officer, 60200, "2029-03-01")
    problem(await signed(sign_in, other["id"], done["id"]), 409, "simulation_of_other_content")
    ready = await ok(await signed(sign_in, draft["id"], done["id"]))
    assert ready["sign_off"]["by"] == "district.reviewer"

    problem(await activated(sign_in, draft["id"], "2029-02-28"), 409, "not_effective_yet")
    put = {"versions": [{"effective_from": "2029-03-01", "value": 12}]}
    url = f"{SETS}/{draft['id']}/parameters/person.example"
    edited = await ok(await officer.put(url, json=put, headers={"If-Match": f'"{ready["version"]}"'}))
    assert edited["sign_off"] is None
    problem(await activated(sign_in, draft["id"], "2029-03-02"), 409, "sign_off_missing")


async def test_what_was_in_force_before_is_not_rewritten(sign_in: SignIn, runtime: Runtime) -> None:
    officer = sign_in("district.policy")
    draft = await copied(officer, "2029-03-01")
    put = {"versions": [{"effective_from": "2014-03-01", "value": 99900}]}
    url = f"{SETS}/{draft['id']}/parameters/{STANDARD}"
    await ok(await officer.put(url, json=put, headers={"If-Match": '"1"'}))
    done = await simulated(runtime, officer, draft["id"], day="2029-03-01")
    refused = problem(await signed(sign_in, draft["id"], done["id"]), 409, "changes_before_effective_date")
    assert refused["keys"] == [STANDARD]


async def test_of_two_activations_at_once_one_wins(sign_in: SignIn, runtime: Runtime) -> None:
    """Two drafts, each replayed and signed off; each activated twice at once."""
    officer = sign_in("district.policy")
    drafts = [await raised(officer, value, "2031-01-01") for value in (70000, 71000)]
    for draft in drafts:
        done = await simulated(runtime, officer, draft["id"], day="2031-01-01")
        await ok(await signed(sign_in, draft["id"], done["id"]))
    answers = await asyncio.gather(*(activated(sign_in, one["id"], "2031-01-02") for one in (*drafts, *drafts)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409], [one.text for one in answers]
    codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert codes <= {"set_not_draft", "simulation_outdated"}
    (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
    active = (await ok(await officer.get(f"{SETS}?status=active&limit=200")))["items"]
    assert [one["id"] for one in active if one["area_code"] == "350702"] == [winner["id"]]
    in_force = await ok(await officer.get("/api/v1/policy-parameters", params={"key": STANDARD, "on": "2031-06-01"}))
    assert in_force["items"][0]["value"] == {drafts[0]["id"]: 70000, drafts[1]["id"]: 71000}[winner["id"]]
    problem(await activated(sign_in, winner["id"], "2031-01-02"), 409, "set_not_draft")


async def test_the_result_as_a_spreadsheet(sign_in: SignIn, runtime: Runtime) -> None:
    found = await entitled(sign_in)
    officer = sign_in("district.policy")
    draft = await raised(officer, 60000)
    body = {"set_id": draft["id"], "on": "2029-01-01"}
    waiting = await ok(await officer.post(URL, json=body, headers=key()), 202)
    problem(await officer.get(f"{URL}/{waiting['id']}/differences.xlsx"), 409, "simulation_not_finished")
    done = await simulated(runtime, officer, draft["id"])
    answer = await officer.get(f"{URL}/{done['id']}/differences.xlsx")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        names = book.read("xl/workbook.xml").decode()
        texts = book.read("xl/sharedStrings.xml").decode()
    assert [name in names for name in ("汇总", "按村（社区）", "变化明细")] == [True] * 3
    assert str(found["household_id"]) in texts
    assert [text in texts for text in ("最低生活保障", "756.00", "900.00", "144.00")] == [True] * 4
