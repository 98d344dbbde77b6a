"""Contract §5: the registry and an application, act by act, as the front end would drive them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from tests.contract.kit import COMMUNITY, V1, Json, facts_of, id_number, key, new_household, new_person, ok, person_body, problem
from tests.demo_world import Demo

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]
RELATIONS = ("head", "spouse", "child")


def today() -> date:
    return date.today()  # noqa: DTZ011  (what a caller's own clock says)


async def act(http: httpx.AsyncClient, application: str, name: str, body: Any = None, **headers: str) -> httpx.Response:
    return await http.post(f"{V1}/applications/{application}/{name}", json=body or {}, headers=key() | headers)


async def drafted(demo: Demo, wage_fen: int = 60000) -> tuple[str, Json]:
    """An application of a household of one's own, with its facts given at creation."""
    worker = demo.callers["c001001.worker"].http
    household, people = await new_household(worker, *RELATIONS)
    body = {"household_id": household["id"], "programme": "dibao", "facts": facts_of(people, RELATIONS, wage_fen)}
    created = await worker.post(f"{V1}/applications", json=body, headers=key())
    answer = await ok(created, 201)
    assert answer["state"] == "draft"
    assert "submit" in answer["next_acts"]
    assert created.headers["location"] == f"{V1}/applications/{answer['id']}"
    return answer["id"], household


async def test_persons(demo: Demo) -> None:
    http = demo.callers["c001001.worker"].http
    body = person_body()
    created = await http.post(f"{V1}/persons", json=body)  # the key is accepted, not required
    person = await ok(created, 201)
    assert created.headers["location"] == f"{V1}/persons/{person['id']}"
    assert person["birth_date"] == f"{body['id_number'][6:10]}-{body['id_number'][10:12]}-{body['id_number'][12:14]}"
    assert person["gender"] in ("male", "female")
    found = await ok(await http.post(f"{V1}/persons/search", json={"id_number": body["id_number"]}))
    assert [item["id"] for item in found["items"]] == [person["id"]]
    problem(await http.post(f"{V1}/persons", json=body), 409)
    problem(await demo.callers["s002.clerk"].http.post(f"{V1}/persons", json=body | {"area_code": "350702002001"}), 409)
    outside = await ok(await demo.callers["s002.clerk"].http.post(f"{V1}/persons/search", json={"id_number": body["id_number"]}))
    assert outside["items"] == []
    listed = await ok(
        await demo.callers["s001.clerk"].http.get(f"{V1}/persons", params={"area_code": COMMUNITY, "count": "true"})
    )
    assert {item["area_code"] for item in listed["items"]} == {COMMUNITY}
    assert listed["total"] > 0
    elsewhere = await ok(await http.get(f"{V1}/persons", params={"area_code": "350702002001", "count": "true"}))
    assert (elsewhere["items"], elsewhere["total"]) == ([], 0)


@pytest.mark.parametrize(
    "wrong", ["35070219780316983", "350702197802309837", "350702197803169832", "35070219780316983Y", "350702780316983"]
)
async def test_a_wrong_id_number_names_its_cause(demo: Demo, wrong: str) -> None:
    body = problem(await demo.callers["c001001.worker"].http.post(f"{V1}/persons", json=person_body(id_number=wrong)), 422)
    assert [error["pointer"] for error in body["errors"]] == ["/id_number"]
    assert wrong not in str(body)


@pytest.mark.parametrize("field", ["name", "id_number", "area_code", "residence"])
async def test_what_a_person_needs(demo: Demo, field: str) -> None:
    body = {name: value for name, value in person_body().items() if name != field}
    refused = problem(await demo.callers["c001001.worker"].http.post(f"{V1}/persons", json=body), 422)
    assert [(error["pointer"], error["code"]) for error in refused["errors"]] == [(f"/{field}", "required")]


async def test_a_household_and_its_members(demo: Demo) -> None:
    http = demo.callers["c001001.worker"].http
    household, people = await new_household(http, "head", "spouse")
    assert household["area_code"] == COMMUNITY
    assert {member["person_id"] for member in household["members"]} == {person["id"] for person in people}
    child = await new_person(http, id_number=id_number("20050510"))
    url = f"{V1}/households/{household['id']}/members"
    joined = await ok(await http.post(url, json={"person_id": child["id"], "relation": "child"}, headers=key()), 201)
    assert len(joined["members"]) == 3
    listed = await ok(await http.get(url))
    assert {item["relation"] for item in listed["items"]} == {"head", "spouse", "child"}
    assert listed["next_cursor"] is None
    problem(await demo.callers["s002.clerk"].http.get(url), 404)
    other, _ = await new_household(http, "head")
    taken = await http.post(f"{V1}/households/{other['id']}/members", json={"person_id": child["id"], "relation": "child"})
    problem(taken, 409)


async def test_the_slice_as_far_as_today_allows(demo: Demo) -> None:
    application, household = await drafted(demo)
    worker, clerk = demo.callers["c001001.worker"].http, demo.callers["s001.clerk"].http
    head, reviewer = demo.callers["s001.head"].http, demo.callers["district.reviewer"].http
    submitted = await ok(await act(worker, application, "submit"))
    assert (submitted["id"], submitted["state"], submitted["next_acts"]) == (application, "submitted", ["withdraw"])
    problem(await act(worker, application, "accept"), 403)
    accepted = await ok(await act(clerk, application, "accept"))
    assert accepted["state"] == "accepted"
    assert {"kind", "due_on", "days", "article", "provisional"} <= set(accepted["deadline"])
    problem(await act(clerk, application, "accept"), 409)
    opinion = await ok(await act(head, application, "give-opinion"))
    assert opinion["state"] == "opinion_given"
    problem(await act(head, application, "confirm"), 403)
    problem(await act(reviewer, application, "confirm"), 409)
    notice = await ok(await act(clerk, application, "open-notice"))
    assert notice["notice"]["last_day"] == str(today() + timedelta(days=7))
    problem(await act(clerk, application, "close-notice"), 409)
    later = {"X-Demo-Date": str(today() + timedelta(days=8))}
    assert (await ok(await act(clerk, application, "close-notice", **later)))["state"] == "notice_closed"
    confirmed = await ok(await act(reviewer, application, "confirm", **later))
    assert confirmed["state"] == "confirmed"
    entitlement = await ok(await reviewer.get(f"{V1}/entitlements/{confirmed['entitlement_id']}"))
    # 552 × 3 − 600, and a tenth of 552 for nobody: all are grown up
    assert (entitlement["programme"], entitlement["monthly_fen"], entitlement["state"]) == ("dibao", 105600, "active")
    assert entitlement["household_id"] == household["id"]
    again = await worker.post(f"{V1}/applications", json={"household_id": household["id"]}, headers=key() | later)
    problem(again, 409)


async def test_reading_an_application(demo: Demo) -> None:
    application, _ = await drafted(demo)
    worker, head = demo.callers["c001001.worker"].http, demo.callers["s001.head"].http
    problem(await head.get(f"{V1}/applications/{application}/decision"), 404)
    await ok(await act(worker, application, "submit"))
    await ok(await act(demo.callers["s001.clerk"].http, application, "accept"))
    await ok(await act(head, application, "give-opinion"))
    timeline = await ok(await worker.get(f"{V1}/applications/{application}/timeline"))
    assert [entry["act"] for entry in timeline["items"]][-3:] == ["submit", "accept", "give-opinion"]
    deadlines = await ok(await worker.get(f"{V1}/applications/{application}/deadlines"))
    assert {"start_survey", "total"} <= {entry["kind"] for entry in deadlines["items"]}
    decision = await head.get(f"{V1}/applications/{application}/decision")
    body = await ok(decision)
    assert body["result"]["monthly_fen"] == 105600
    assert body["reasons"]
    assert body["policy_version"].startswith("350702/")
    assert decision.headers["etag"]


async def test_facts_are_put_before_the_opinion_only(demo: Demo) -> None:
    application, household = await drafted(demo)
    worker, clerk = demo.callers["c001001.worker"].http, demo.callers["s001.clerk"].http
    url = f"{V1}/applications/{application}"
    read = await worker.get(url)
    facts = read.json()["facts"]
    assert {member["ref"] for member in facts["members"]} == {member["person_id"] for member in household["members"]}
    facts["assets"] = [{"kind": "cash", "value_fen": 100}]
    problem(await worker.put(f"{url}/facts", json=facts), 428)
    put = await worker.put(f"{url}/facts", json=facts, headers={"If-Match": read.headers["etag"]})
    await ok(put)
    problem(await worker.put(f"{url}/facts", json=facts, headers={"If-Match": read.headers["etag"]}), 412)
    for http, name in ((worker, "submit"), (clerk, "accept"), (demo.callers["s001.head"].http, "give-opinion")):
        await ok(await act(http, application, name))
    tag = (await worker.get(url)).headers["etag"]
    problem(await worker.put(f"{url}/facts", json=facts, headers={"If-Match": tag}), 409)


async def test_return_tells_everything_at_once(demo: Demo) -> None:
    application, _ = await drafted(demo)
    clerk = demo.callers["s001.clerk"].http
    await ok(await act(clerk, application, "submit"))
    items = ["户主身份证复印件", "工资流水"]
    returned = await ok(await act(clerk, application, "return-for-supplement", {"missing_items": items}))
    assert returned["missing_items"] == items
    assert "submit" in returned["next_acts"]
    problem(await act(clerk, application, "return-for-supplement", {"missing_items": []}), 422)


async def test_refusal_of_a_negative_opinion(demo: Demo) -> None:
    application, _ = await drafted(demo, wage_fen=900000)
    clerk, head = demo.callers["s001.clerk"].http, demo.callers["s001.head"].http
    for http, name in ((clerk, "submit"), (clerk, "accept"), (head, "give-opinion")):
        await ok(await act(http, application, name))
    problem(await act(demo.callers["district.reviewer"].http, application, "confirm"), 409)
    assert (await ok(await act(demo.callers["district.reviewer"].http, application, "refuse")))["state"] == "refused"


async def test_lists_and_tasks(demo: Demo) -> None:
    clerk = demo.callers["s001.clerk"].http
    for state in ("accepted", "notice_open", "confirmed"):
        page = await ok(await clerk.get(f"{V1}/applications", params={"state": state, "limit": 3}))
        assert {item["state"] for item in page["items"]} <= {state}
    problem(await clerk.get(f"{V1}/applications", params={"state": "no_such_state"}), 422)
    assert (await ok(await clerk.get(f"{V1}/tasks")))["items"]
    assert (await ok(await clerk.get(f"{V1}/public-notices")))["items"]
    entitlements = await ok(await clerk.get(f"{V1}/entitlements", params={"state": "active", "programme": "dibao"}))
    assert all(item["area_code"].startswith("350702001") for item in entitlements["items"])
