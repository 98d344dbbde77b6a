"""What casework refuses: wrong duty, wrong state, wrong area, stale version, facts that don't fit, things that moved."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest

from app.ids import new_id
from tests.integration.casework_world import (
    ACCEPTED,
    CLOSABLE,
    DECIDED,
    OPINION,
    POSTED,
    Case,
    drafted,
    family,
    on,
)
from tests.integration.registry_world import HUANGDUN, MEISHAN_OTHER, SignIn, fresh_number, registered

pytestmark = pytest.mark.db

ACTS = (
    "submit",
    "accept",
    "return-for-supplement",
    "give-opinion",
    "open-notice",
    "close-notice",
    "confirm",
    "refuse",
    "withdraw",
)
ALLOWED = {
    "submit": {"c001001.worker", "s001.clerk"},
    "accept": {"s001.clerk"},
    "return-for-supplement": {"s001.clerk"},
    "give-opinion": {"s001.head"},
    "open-notice": {"c001001.worker", "s001.clerk"},
    "close-notice": {"c001001.worker", "s001.clerk"},
    "confirm": {"district.reviewer"},
    "refuse": {"district.reviewer"},
    "withdraw": {"c001001.worker", "s001.clerk"},
}
IN_AREA = ("c001001.worker", "s001.clerk", "s001.head", "district.reviewer", "district.finance", "district.admin")
BODIES: dict[str, dict[str, Any]] = {"return-for-supplement": {"missing_items": ["收入证明"]}}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("act", ACTS)
async def test_a_wrong_duty_in_the_area_is_403(sign_in: SignIn, act: str) -> None:
    case = await drafted(sign_in)
    for name in set(IN_AREA) - ALLOWED[act]:
        answer = await case.act(sign_in(name), act, body=BODIES.get(act))
        assert code(answer) == (403, "duty_required"), name


@pytest.mark.parametrize("act", ACTS)
async def test_the_neighbour_and_the_other_district_find_nothing(sign_in: SignIn, act: str) -> None:
    case = await drafted(sign_in)
    strangers = {"s001": "s002", "c001001": "c002001", "district": "qs.district"}
    for name in ALLOWED[act]:
        place, duty = name.split(".")
        stranger = sign_in(f"{strangers[place]}.{duty}")
        outside = await case.act(stranger, act, body=BODIES.get(act))
        missing = await stranger.post(f"/api/v1/applications/{new_id()}/{act}", json=BODIES.get(act))
        assert code(outside) == code(missing) == (404, "application_not_found")
        assert without_trace(outside) == without_trace(missing)


def without_trace(answer: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name != "trace_id"}


async def test_reading_from_outside_is_404_everywhere(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    entitlement_id = (await case.confirmed())["entitlement_id"]
    urls = [f"/api/v1/applications/{{}}{part}" for part in ("", "/timeline", "/deadlines", "/decision")]
    for url in (*((pattern, case.id) for pattern in urls), ("/api/v1/entitlements/{}", entitlement_id)):
        pattern, known = url
        for name in ("s002.clerk", "c002001.worker", "qs.district.reviewer"):
            outside = await sign_in(name).get(pattern.format(known))
            missing = await sign_in(name).get(pattern.format(new_id()))
            assert outside.status_code == missing.status_code == 404
            assert without_trace(outside) == without_trace(missing)
        assert (await case.worker.get(pattern.format(known))).status_code == 200


async def test_lists_end_at_the_area(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    entitlement_id = (await case.confirmed())["entitlement_id"]
    household = {"household_id": case.family.household_id, "count": "true"}
    for path, known in (("applications", case.id), ("entitlements", entitlement_id)):
        inside = (await case.clerk.get(f"/api/v1/{path}", params=household)).json()
        assert ([item["id"] for item in inside["items"]], inside["total"]) == ([known], 1)
        for name in ("s002.clerk", "qs.district.reviewer"):
            outside = (await sign_in(name).get(f"/api/v1/{path}", params=household)).json()
            assert (outside["items"], outside["total"]) == ([], 0)
        elsewhere = (await case.clerk.get(f"/api/v1/{path}", params=household | {"area_code": HUANGDUN})).json()
        assert (elsewhere["items"], elsewhere["total"]) == ([], 0)


async def test_lists_filter_and_go_on_page_by_page(sign_in: SignIn) -> None:
    first, second = await drafted(sign_in), await (await drafted(sign_in)).submitted()
    listed: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": "2", "state": "draft", "programme": "dibao"} | ({"cursor": cursor} if cursor else {})
        page = (await first.clerk.get("/api/v1/applications", params=params)).json()
        assert len(page["items"]) <= 2
        assert {item["state"] for item in page["items"]} <= {"draft"}
        listed += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert first.id in listed
    assert second.id not in listed
    assert listed == sorted(set(listed))
    assert (await first.clerk.get("/api/v1/applications", params={"state": "nowhere"})).status_code == 422


async def test_admins_do_no_casework(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    for url in (case.url, "/api/v1/applications", "/api/v1/entitlements", "/api/v1/public-notices"):
        assert code(await sign_in("district.admin").get(url)) == (403, "duty_required")
    assert (await sign_in("district.admin").get("/api/v1/tasks")).json()["items"] == []


# --- states -----------------------------------------------------------------------------------------------------------------


async def test_a_wrong_state_names_what_is_possible(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    answer = await case.act(case.reviewer, "confirm", DECIDED)
    assert code(answer) == (409, "wrong_state")
    assert (answer.json()["state"], answer.json()["allowed_acts"]) == ("draft", ["submit", "withdraw"])
    await case.done(case.worker, "withdraw", ACCEPTED)
    for client, act in ((case.worker, "submit"), (case.worker, "withdraw"), (case.clerk, "accept"), (case.reviewer, "refuse")):
        assert code(await case.act(client, act, ACCEPTED)) == (409, "wrong_state")


async def test_a_stale_version_is_412_and_a_current_one_goes_through(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    etag = (await case.worker.get(case.url)).headers["etag"]
    submitted = await case.act(case.worker, "submit", ACCEPTED, headers={"If-Match": etag})
    assert submitted.status_code == 200
    stale = await case.act(case.clerk, "accept", ACCEPTED, headers={"If-Match": etag})
    assert code(stale) == (412, "stale_version")
    accepted = await case.act(case.clerk, "accept", ACCEPTED, headers={"If-Match": submitted.headers["etag"]})
    assert accepted.status_code == 200
    assert code(await case.put_facts(case.family.facts(), etag=etag)) == (412, "stale_version")
    missing = await case.clerk.put(f"{case.url}/facts", json=case.family.facts())
    assert code(missing) == (428, "if_match_required")


async def test_facts_are_put_before_the_opinion_only(sign_in: SignIn) -> None:
    case = await (await drafted(sign_in)).opinion_given()
    answer = await case.put_facts(case.family.facts(0))
    assert code(answer) == (409, "wrong_state")


async def test_the_notice_runs_its_seven_days(sign_in: SignIn) -> None:
    case = await (await drafted(sign_in)).notice_open()
    early = await case.act(case.clerk, "close-notice", "2026-03-23")
    assert code(early) == (409, "notice_period_running")
    assert early.json()["closable_from"] == CLOSABLE
    await case.done(case.clerk, "close-notice", CLOSABLE)
    backdated = await case.act(case.reviewer, "confirm", POSTED)
    assert code(backdated) == (409, "notice_period_running")


# --- applying ---------------------------------------------------------------------------------------------------------------


async def apply(client: httpx.AsyncClient, household_id: str, **values: Any) -> httpx.Response:
    return await client.post("/api/v1/applications", json={"household_id": household_id, **values})


async def test_one_open_application_per_household_and_programme(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    assert code(await apply(case.worker, case.family.household_id)) == (409, "application_already_open")


async def test_a_household_in_force_doesn_t_apply_again(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    await case.confirmed()
    assert code(await apply(case.worker, case.family.household_id)) == (409, "already_entitled")


async def test_a_household_outside_can_t_be_applied_for(sign_in: SignIn) -> None:
    applicants = await family(sign_in)
    for name in ("c002001.worker", "s002.clerk"):
        assert code(await apply(sign_in(name), applicants.household_id)) == (404, "household_not_found")
    neighbours = await registered(sign_in("s001.clerk"), MEISHAN_OTHER)
    members = [{"person_id": neighbours["id"], "relation": "head"}]
    body = {"area_code": MEISHAN_OTHER, "residence": "urban", "members": members}
    household = (await sign_in("s001.clerk").post("/api/v1/households", json=body)).json()
    assert code(await apply(sign_in("c001001.worker"), household["id"])) == (404, "household_not_found")


async def test_the_applicant_is_a_member(sign_in: SignIn) -> None:
    applicants = await family(sign_in)
    clerk = sign_in("s001.clerk")
    stranger = await apply(clerk, applicants.household_id, applicant_person_id=str(new_id()))
    assert (stranger.status_code, stranger.json()["errors"][0]["pointer"]) == (422, "/applicant_person_id")
    spouse = await apply(clerk, applicants.household_id, applicant_person_id=applicants.people[1])
    read = (await clerk.get(spouse.headers["location"])).json()
    assert read["applicant_person_id"] == applicants.people[1]


@pytest.mark.parametrize(
    ("body", "pointer", "found"),
    [
        ({"programme": "tekun"}, "/programme", "unknown_value"),
        ({"household_id": "x"}, "/household_id", "not_an_id"),
        ({"extra": 1}, "/extra", "unknown_field"),
        ({"facts": {"members": []}}, "/facts/members", "too_few"),
    ],
)
async def test_malformed_applications(sign_in: SignIn, body: dict[str, Any], pointer: str, found: str) -> None:
    answer = await sign_in("s001.clerk").post("/api/v1/applications", json={"household_id": str(new_id())} | body)
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, found)]


# --- facts ------------------------------------------------------------------------------------------------------------------


async def test_facts_must_fit_the_registry(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    facts = case.family.facts(60_000)
    left_out = facts["members"].pop()
    facts["members"][0]["birth_date"] = "1978-03-17"
    facts["members"][1]["relation"] = "sibling"
    facts["members"].append(left_out | {"ref": "m3"})
    answer = await case.put_facts(facts)
    assert code(answer) == (422, "facts_differ_from_registry")
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        ("/members/0/birth_date", "differs_from_registry"),
        ("/members/1/relation", "differs_from_registry"),
        ("/members/2/ref", "not_a_member"),
        ("/members", "member_missing"),
    ]
    assert case.family.people[2] in answer.json()["errors"][3]["message"]


async def test_facts_must_not_contradict_themselves(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    facts = case.family.facts(60_000)
    facts["members"][0]["incomes"] = [{"kind": "wage", "monthly_fen": -1}]
    answer = await case.put_facts(facts)
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        ("/members/0/incomes/0/monthly_fen", "negative_amount")
    ]
    body = {"household_id": (await family(sign_in)).household_id, "facts": facts}
    nested = await case.worker.post("/api/v1/applications", json=body)
    assert all(error["pointer"].startswith("/facts/members") for error in nested.json()["errors"])


async def test_an_opinion_needs_its_facts(sign_in: SignIn) -> None:
    case = await (await drafted(sign_in)).submitted()
    await case.done(case.clerk, "accept", ACCEPTED)
    none_yet = await case.act(case.head, "give-opinion", OPINION)
    assert code(none_yet) == (409, "needs_evidence")
    facts = case.family.facts(60_000)
    del facts["assets"], facts["authorised_verification"]
    assert (await case.put_facts(facts)).status_code == 200
    answer = await case.act(case.head, "give-opinion", OPINION)
    assert code(answer) == (409, "needs_evidence")
    assert {missing["pointer"] for missing in answer.json()["missing"]} == {
        "/household/assets",
        "/household/authorised_verification",
    }
    assert (await case.clerk.get(case.url)).json()["state"] == "accepted"


# --- things that moved between opinion and decision ---------------------------------------------------------------------------


async def test_a_household_that_changed_goes_back_before_it_is_decided(sign_in: SignIn) -> None:
    case = await (await drafted(sign_in)).notice_closed()
    baby = await registered(case.clerk, name="陈示宝", id_number=fresh_number(relation="child"))
    joined = {"person_id": baby["id"], "relation": "child", "since": "2026-03-20"}
    added = await case.clerk.post(f"/api/v1/households/{case.family.household_id}/members", json=joined)
    assert added.status_code < 300, added.text
    answer = await case.act(case.reviewer, "confirm", DECIDED)
    assert code(answer) == (409, "household_changed")
    assert answer.json()["differences"][0]["pointer"] == "/members"
    assert code(await case.act(case.reviewer, "refuse", DECIDED, {"reason": "家庭有变化"})) == (409, "household_changed")
    await case.done(case.clerk, "return-for-supplement", DECIDED, {"missing_items": ["新增成员的情况"]})


async def test_a_result_that_differs_on_the_day_of_decision_needs_a_new_opinion(sign_in: SignIn) -> None:
    """The mother turns 70 between opinion and decision: 分类施保 adds to the amount that the notice showed."""
    applicants = await family(sign_in)
    elder = await registered(sign_in("s001.clerk"), id_number=fresh_number(date(1956, 3, 20)))
    joined = {"person_id": elder["id"], "relation": "parent", "since": "2020-02-01"}
    await sign_in("s001.clerk").post(f"/api/v1/households/{applicants.household_id}/members", json=joined)
    case = await drafted(sign_in, applicants)
    await case.submitted()
    await case.done(case.clerk, "accept", ACCEPTED)
    facts = applicants.facts(60_000, 30_000)
    facts["members"].append({"ref": elder["id"], "relation": "parent", "birth_date": "1956-03-20", "incomes": []})
    assert (await case.put_facts(facts)).status_code == 200
    await case.done(case.head, "give-opinion", OPINION)
    await case.done(case.worker, "open-notice", POSTED)
    await case.done(case.worker, "close-notice", CLOSABLE)
    answer = await case.act(case.reviewer, "confirm", DECIDED)
    assert code(answer) == (409, "assessment_changed")
    assert (answer.json()["opinion"]["monthly_fen"], answer.json()["decision_date"]["monthly_fen"]) == (130_800, 136_320)
    await case.done(case.head, "give-opinion", "2026-03-26")
    posted = await case.done(case.worker, "open-notice", "2026-03-26")
    await case.done(case.worker, "close-notice", posted["notice"]["closable_from"])
    confirmed = await case.done(case.reviewer, "confirm", posted["notice"]["closable_from"])
    entitlement = (await case.reviewer.get(f"/api/v1/entitlements/{confirmed['entitlement_id']}")).json()
    assert entitlement["monthly_fen"] == 136_320


async def test_nobody_is_supported_twice(sign_in: SignIn) -> None:
    """A daughter still covered with her parents founds a household of her own: refused at the opinion (83号 三(一))."""
    covered = await drafted(sign_in)
    await covered.confirmed()
    daughter, born = covered.family.people[2], covered.family.birth_dates[2].isoformat()
    clerk = covered.clerk
    left = await clerk.post(
        f"/api/v1/households/{covered.family.household_id}/members/{daughter}/leave", json={"on": "2026-04-01"}
    )
    assert left.status_code < 300, left.text
    members = [{"person_id": daughter, "relation": "head", "since": "2026-04-01"}]
    body = {"area_code": covered.family.area_code, "residence": "urban", "members": members}
    household = (await clerk.post("/api/v1/households", json=body)).json()
    applied = await clerk.post("/api/v1/applications", json={"household_id": household["id"]}, headers=on("2026-05-06"))
    again = Case(sign_in, covered.family, applied.json()["id"])
    await again.done(clerk, "submit", "2026-05-06")
    await again.done(clerk, "accept", "2026-05-06")
    facts = {"members": [{"ref": daughter, "relation": "head", "birth_date": born, "incomes": []}], "assets": []}
    assert (await again.put_facts(facts | {"authorised_verification": True}, "2026-05-06")).status_code == 200
    opinion = await again.done(again.head, "give-opinion", "2026-05-07")
    assert opinion["state"] == "refusal_proposed"
    filed = (await clerk.get(f"{again.url}/decision")).json()
    assert "not_in_other_dibao" in [reason["code"] for reason in filed["reasons"] if reason["met"] is False]
