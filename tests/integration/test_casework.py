"""低保 from the application to the entitlement, over HTTP, with the worked examples DB-01, DB-29, DB-30 and DB-35."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

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
from tests.integration.registry_world import SignIn

pytestmark = pytest.mark.db


def due(answer: dict[str, Any]) -> dict[str, str]:
    return {deadline["kind"]: deadline["due_on"] for deadline in answer["deadlines"]}


async def test_db_01_a_family_of_three_with_900_yuan_receives_756(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    draft = (await case.worker.get(case.url)).json()
    assert (draft["state"], draft["facts"], draft["next_acts"]) == ("draft", None, ["submit", "withdraw"])

    submitted = await case.done(case.worker, "submit", "2026-03-01")
    assert (submitted["state"], submitted["next_acts"]) == ("submitted", ["withdraw"])
    accepted = await case.done(case.clerk, "accept", ACCEPTED)
    assert accepted["state"] == "accepted"
    assert accepted["next_acts"] == ["return-for-supplement", "withdraw"]
    put = await case.put_facts(case.family.facts(60_000, 30_000))
    assert put.status_code == 200
    assert due(put.json()) == {"total": "2026-04-14"}

    opinion = await case.done(case.head, "give-opinion", OPINION)
    assert opinion["state"] == "opinion_given"
    notice = (await case.done(case.worker, "open-notice", POSTED))["notice"]
    assert (notice["last_day"], notice["closable_from"]) == ("2026-03-23", "2026-03-24")
    closed = await case.done(case.clerk, "close-notice", CLOSABLE)
    assert closed["state"] == "notice_closed"
    assert due(closed) == {"confirm": "2026-04-08", "total": "2026-04-14"}
    assert closed["deadline"]["kind"] == "confirm"

    confirmed = await case.done(case.reviewer, "confirm", DECIDED)
    assert (confirmed["state"], confirmed["next_acts"], confirmed["deadlines"]) == ("confirmed", [], [])
    entitlement = (await case.clerk.get(f"/api/v1/entitlements/{confirmed['entitlement_id']}", headers=on(DECIDED))).json()
    assert entitlement["monthly_fen"] == 75_600
    assert [(part["component"], part["amount_fen"]) for part in entitlement["components"]] == [("base", 75_600)]
    assert (entitlement["since_month"], entitlement["until_month"], entitlement["state"]) == ("2026-04", None, "active")
    assert entitlement["next_review_on"] == "2027-03-25"
    assert {member["person_id"] for member in entitlement["members"]} == set(case.family.people)
    assert (entitlement["application_id"], entitlement["decision_id"]) == (case.id, confirmed["decision_id"])


async def test_uplifts_are_components_of_the_member_and_sum_to_the_amount(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    facts = case.family.facts(60_000, 30_000)
    facts["members"][1] |= {"disability": {"category": "physical", "grade": 2}, "serious_illness": True}
    await case.submitted()
    await case.done(case.clerk, "accept", ACCEPTED)
    assert (await case.put_facts(facts)).status_code == 200
    for who, act, day in (
        (case.head, "give-opinion", OPINION),
        (case.worker, "open-notice", POSTED),
        (case.worker, "close-notice", CLOSABLE),
    ):
        await case.done(who, act, day)
    entitlement_id = (await case.done(case.reviewer, "confirm", DECIDED))["entitlement_id"]
    entitlement = (await case.reviewer.get(f"/api/v1/entitlements/{entitlement_id}")).json()
    parts = {(part["component"], part["person_id"]): part["amount_fen"] for part in entitlement["components"]}
    assert parts[("base", None)] == 75_600
    assert sum(parts.values()) == entitlement["monthly_fen"] == 75_600 + 11_040
    assert ("uplift_severe_disability", case.family.people[1]) in parts


@pytest.mark.parametrize(("employable", "due_on"), [(False, "2027-03-10"), (True, "2026-09-10")])
async def test_db_35_the_next_review_after_a_confirmation_on_10_march(sign_in: SignIn, *, employable: bool, due_on: str) -> None:
    case = await drafted(sign_in, day="2026-02-02")
    facts = case.family.facts(0, 30_000)
    facts["members"][0] |= {"employable": employable, "employment": "unemployed"}
    await case.done(case.worker, "submit", "2026-02-02")
    await case.done(case.clerk, "accept", "2026-02-02")
    assert (await case.put_facts(facts, "2026-02-04")).status_code == 200
    await case.done(case.head, "give-opinion", "2026-02-24")
    await case.done(case.worker, "open-notice", "2026-02-25")
    await case.done(case.worker, "close-notice", "2026-03-05")
    entitlement_id = (await case.done(case.reviewer, "confirm", "2026-03-10"))["entitlement_id"]
    entitlement = (await case.reviewer.get(f"/api/v1/entitlements/{entitlement_id}")).json()
    assert entitlement["next_review_on"] == due_on


async def test_a_negative_opinion_is_refused_without_a_notice(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    await case.accepted(165_600)  # 552.00 a head: 低于 excludes the standard itself
    opinion = await case.done(case.head, "give-opinion", OPINION)
    assert opinion["state"] == "refusal_proposed"
    assert due(opinion)["confirm"] == "2026-03-27"
    refused = await case.done(case.reviewer, "refuse", DECIDED)
    assert (refused["state"], refused["entitlement_id"]) == ("refused", None)
    assert due(refused) == {"refusal_notice": "2026-03-30"}
    filed = (await case.clerk.get(f"{case.url}/decision")).json()
    assert (filed["decision"]["kind"], filed["decision"]["outcome"]) == ("refusal", "refused")
    failed = [reason for reason in filed["reasons"] if reason["met"] is False]
    assert [(reason["code"], reason["measured"], reason["limit"]) for reason in failed] == [
        ("income_below_standard", "552.00", "552.00")
    ]
    assert failed[0]["article"] == "社会救助暂行办法 第九条"


async def test_against_a_positive_opinion_a_refusal_states_its_reason(sign_in: SignIn) -> None:
    case = await (await drafted(sign_in)).notice_closed()
    silent = await case.act(case.reviewer, "refuse", DECIDED)
    assert (silent.status_code, silent.json()["errors"][0]["pointer"]) == (422, "/reason")
    reason = "公示期间有异议，经查证收入不实（57号 第十三条）。"
    await case.done(case.reviewer, "refuse", DECIDED, {"reason": reason})
    filed = (await case.reviewer.get(f"{case.url}/decision")).json()
    assert filed["decision"]["text"] == reason
    assert [(line["kind"], line["outcome"]) for line in filed["history"]] == [("opinion", "positive")]


async def test_returned_with_all_that_is_missing_and_handed_in_again(sign_in: SignIn) -> None:
    case = await (await drafted(sign_in)).submitted()
    empty = await case.act(case.clerk, "return-for-supplement", ACCEPTED, {"missing_items": []})
    assert (empty.status_code, empty.json()["errors"][0]["code"]) == (422, "too_few")
    items = ["家庭收入证明", "核对授权书"]
    returned = await case.done(case.clerk, "return-for-supplement", ACCEPTED, {"missing_items": items})
    assert (returned["state"], returned["missing_items"]) == ("returned", items)
    again = await case.done(case.worker, "submit", ACCEPTED)
    assert (again["state"], again["missing_items"]) == ("submitted", [])
    timeline = (await case.clerk.get(f"{case.url}/timeline")).json()["items"]
    assert timeline[2]["details"] == {"missing_items": items}


async def test_a_return_after_the_opinion_voids_it_and_the_first_clock_runs_on(sign_in: SignIn) -> None:
    case = await (await drafted(sign_in)).notice_closed()
    returned = await case.done(case.clerk, "return-for-supplement", CLOSABLE, {"missing_items": ["新生儿登记"]})
    assert due(returned) == {"total": "2026-04-14"}
    await case.done(case.worker, "submit", "2026-03-26")
    accepted = await case.done(case.clerk, "accept", "2026-03-27")
    assert due(accepted) == {"total": "2026-04-14"}
    await case.done(case.head, "give-opinion", "2026-03-30")
    posted = await case.done(case.worker, "open-notice", "2026-03-31")
    assert posted["notice"]["closable_from"] == "2026-04-08"
    closed = await case.done(case.worker, "close-notice", "2026-04-08")
    assert due(closed) == {"total": "2026-04-14", "confirm": "2026-04-22"}


async def test_withdrawn_before_the_decision_the_notice_comes_down(sign_in: SignIn) -> None:
    case = await (await drafted(sign_in)).notice_open()
    shown = [notice["id"] for notice in await all_notices(case)]
    withdrawn = await case.done(case.worker, "withdraw", "2026-03-18", {"note": "申请人已就业"})
    assert (withdrawn["state"], withdrawn["deadlines"], withdrawn["next_acts"]) == ("withdrawn", [], [])
    left = [notice["id"] for notice in await all_notices(case)]
    assert len(set(shown) - set(left)) == 1
    again = await drafted(sign_in, case.family)
    assert again.id != case.id


async def all_notices(case: Case) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await case.worker.get("/api/v1/public-notices", params={"cursor": cursor} if cursor else {})).json()
        items += page["items"]
        cursor = page["next_cursor"]
    return items


async def test_a_notice_shows_only_what_may_be_published(sign_in: SignIn) -> None:
    case = await (await drafted(sign_in)).notice_open()
    newest = (await all_notices(case))[-1]
    assert newest == {
        "id": newest["id"],
        "programme": "dibao",
        "area_code": case.family.area_code,
        "community": newest["community"],
        "applicant_name": "陈示平",
        "members_count": 3,
        "proposed_monthly_fen": 75_600,
        "posted_on": POSTED,
        "last_day": "2026-03-23",
    }
    assert newest["community"] not in ("", case.family.area_code)


async def test_the_timeline_chains_the_states(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    await case.confirmed()
    items = (await case.reviewer.get(f"{case.url}/timeline")).json()["items"]
    assert [item["act"] for item in items] == [
        "create",
        "submit",
        "accept",
        "put-facts",
        "give-opinion",
        "open-notice",
        "close-notice",
        "confirm",
    ]
    assert [item["number"] for item in items] == list(range(1, 9))
    assert items[0]["from_state"] is None
    for before, after in pairwise(items):
        assert before["to_state"] == after["from_state"]
    assert (items[4]["business_date"], items[4]["actor_name"]) == (OPINION, "s001.head")


async def test_the_decision_file_keeps_facts_policy_and_trace(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    await case.confirmed()
    filed = (await case.clerk.get(f"{case.url}/decision")).json()
    assert filed["decision"]["kind"] == "confirmation"
    assert filed["decision"]["decided_by_name"] == "district.reviewer"
    assert [line["kind"] for line in filed["history"]] == ["opinion"]
    assert filed["policy_version"].startswith("350702/")
    assert filed["notice"] == "演示参数"
    assert filed["result"]["monthly_fen"] == 75_600
    assert filed["facts"]["business_date"] == DECIDED
    assert [member["ref"] for member in filed["facts"]["household"]["members"]] == case.family.people
    assert "gap_fen" in [step["step"] for step in filed["result"]["trace"]]
    assert "dibao.standard.urban" in [row["key"] for row in filed["parameters"]]


async def test_no_decision_yet_is_404(sign_in: SignIn) -> None:
    case = await drafted(sign_in)
    answer = await case.clerk.get(f"{case.url}/decision")
    assert (answer.status_code, answer.json()["code"]) == (404, "decision_not_found")


async def test_facts_come_back_as_they_were_put(sign_in: SignIn) -> None:
    case = await (await drafted(sign_in)).submitted()
    put = await case.put_facts(case.family.facts(60_000, 30_000))
    read = await case.clerk.get(case.url)
    assert read.headers["etag"] == put.headers["etag"]
    facts = read.json()["facts"]
    assert [member["incomes"] for member in facts["members"]] == [
        [{"kind": "wage", "monthly_fen": 60_000}],
        [{"kind": "wage", "monthly_fen": 30_000}],
        [],
    ]
    again = await case.put_facts(facts)
    assert again.status_code == 200


async def test_an_application_may_be_drafted_with_its_facts(sign_in: SignIn) -> None:
    applicants = await family(sign_in)
    body = {"household_id": applicants.household_id, "facts": applicants.facts(60_000)}
    answer = await sign_in("s001.clerk").post("/api/v1/applications", json=body)
    assert answer.status_code == 201
    read = (await sign_in("s001.clerk").get(answer.headers["location"])).json()
    assert read["facts"]["members"][0]["incomes"][0]["monthly_fen"] == 60_000
    assert read["applicant_person_id"] == applicants.people[0]
