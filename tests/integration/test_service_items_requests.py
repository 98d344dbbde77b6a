"""Requests at the counters: first come to first responsible, everything missing named once, clocks that stand still by law."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from app.db.repositories.service_clocks import recompute_provisional_requests
from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.calendar import Calendar
from app.runtime import Runtime
from tests.integration.casework_world import family
from tests.integration.registry_world import SignIn, registered
from tests.integration.service_world import (
    ALL,
    LATER,
    MONDAY,
    REQUESTS,
    act,
    acted,
    at,
    id_of,
    published,
    refused,
    taken,
)

pytestmark = pytest.mark.db

FORM_ABSENT = [{"code": "form", "reason": "absent"}]
FRIDAY, NEXT_MONDAY = "2026-03-06", "2026-03-09"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def lists(sign_in: SignIn) -> None:
    await published(sign_in)


# --- taking in ----------------------------------------------------------------------------------------------------------


async def test_whoever_takes_it_in_answers_for_it(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    request = await taken(clerk, materials=ALL, phone="13800001111")
    assert (request["responsible"], request["first_received_by"], request["state"]) == ("s001.clerk", "s001.clerk", "in_hand")
    assert (request["promised"]["due_on"], request["legal"]["due_on"]) == (NEXT_MONDAY, "2026-03-16")
    assert request["phone"] == "138****1111"
    assert (request["level"], request["area_code"]) == ("subdistrict", "350702001")
    mine = await clerk.get(REQUESTS, params={"mine": True, "open_only": True, "limit": 200})
    assert request["id"] in [one["id"] for one in mine.json()["items"]]
    done = await acted(clerk, request, "finish", FRIDAY, note="已办结并告知")
    assert (done["state"], done["closed_on"], done["overdue"]) == ("done", FRIDAY, False)


async def test_a_community_works_by_its_own_list(sign_in: SignIn) -> None:
    worker = sign_in("c001001.worker")
    assert (await taken(worker))["level"] == "community"
    answer = await worker.post(REQUESTS, json={"item_code": "dibao", "applicant_name": "某"}, headers=at(MONDAY))
    assert refused(answer) == (409, "service_item_not_listed")


async def test_the_item_of_the_day_governs_to_the_end(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    before = await taken(clerk, day="2026-08-31")
    after = await taken(clerk, day=LATER)
    assert before["item_id"] != after["item_id"]
    assert (before["promised"]["days_left"], after["promised"]["days_left"]) == (5, 3)
    seen = (await clerk.get(f"{REQUESTS}/{before['id']}", headers=at("2026-09-02"))).json()
    assert (seen["item_id"], seen["promised"]) == (before["item_id"], before["promised"])


@pytest.mark.parametrize(
    ("values", "day", "status", "code"),
    [
        ({"item_code": "no_such"}, MONDAY, 409, "service_item_not_listed"),
        ({}, "2026-01-04", 409, "no_service_list"),
        ({"applicant_name": None}, MONDAY, 422, "one_applicant"),
        ({"person_id": str(uuid4())}, MONDAY, 422, "one_applicant"),
        ({"applicant_name": None, "person_id": str(uuid4())}, MONDAY, 422, "person_elsewhere"),
        ({"applicant_name": "某 350702199001011234"}, MONDAY, 422, "number_in_text"),
        ({"phone": "123"}, MONDAY, 422, "phone_format"),
        ({"materials": {"unheard_of": "original"}}, MONDAY, 422, "material_unknown"),
        ({"materials": {"form": "commitment"}}, MONDAY, 422, "waiver_not_allowed"),
        ({"application_id": str(uuid4())}, MONDAY, 422, "application_unexpected"),
        ({"item_code": "dibao"}, MONDAY, 422, "application_required"),
        ({"item_code": "dibao", "application_id": str(uuid4())}, MONDAY, 422, "application_elsewhere"),
    ],
)
async def test_what_may_not_be_taken_in(sign_in: SignIn, values: dict[str, Any], day: str, status: int, code: str) -> None:
    body = {"item_code": "review", "applicant_name": "示例乙"} | values
    answer = await sign_in("s001.clerk").post(REQUESTS, json=body, headers=at(day))
    assert refused(answer) == (status, code), answer.text


async def test_a_registered_applicant_needs_no_name(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    person = await registered(clerk)
    request = await taken(clerk, applicant_name=None, person_id=person["id"])
    assert (request["person_id"], request["applicant_name"]) == (person["id"], None)
    refused_elsewhere = await sign_in("s002.clerk").post(
        REQUESTS, json={"item_code": "review", "person_id": person["id"]}, headers=at(MONDAY)
    )
    assert refused(refused_elsewhere) == (422, "person_elsewhere")


async def test_the_same_key_twice_takes_in_once(sign_in: SignIn) -> None:
    clerk, body = sign_in("s001.clerk"), {"item_code": "advice", "applicant_name": "示例丙"}
    headers = at(MONDAY) | {"Idempotency-Key": str(uuid4())}
    first, second = [await clerk.post(REQUESTS, json=body, headers=headers) for _ in range(2)]
    assert (first.json(), second.headers["idempotency-replayed"]) == (second.json(), "true")


# --- who answers for it -------------------------------------------------------------------------------------------------


async def test_handing_over_needs_somebody_who_accepts(sign_in: SignIn) -> None:
    clerk, head = sign_in("s001.clerk"), sign_in("s001.head")
    request = await taken(clerk)
    to_head = {"account_id": await id_of(sign_in, "s001.head"), "reason": "absence"}
    offered = await acted(clerk, request, "hand-over", **to_head)
    assert (offered["responsible"], offered["handover"]["to"]) == ("s001.clerk", "s001.head")
    assert refused(await act(clerk, request, "hand-over", **to_head)) == (409, "handover_pending")
    assert refused(await act(clerk, request, "accept-handover")) == (409, "handover_not_yours")
    assert refused(await act(head, request, "finish", note="办完")) == (409, "service_request_not_yours")
    waiting = (await head.get(REQUESTS, params={"offered_to_me": True, "limit": 200})).json()["items"]
    assert request["id"] in [one["id"] for one in waiting]
    accepted = await acted(head, request, "accept-handover")
    assert (accepted["responsible"], accepted["handover"]) == ("s001.head", None)
    assert accepted["promised"] == request["promised"]
    assert refused(await act(head, request, "accept-handover")) == (409, "no_handover")
    assert refused(await act(clerk, request, "finish", note="办完")) == (409, "service_request_not_yours")
    events = (await clerk.get(f"{REQUESTS}/{request['id']}/events")).json()["items"]
    assert [(one["act"], one["responsible"]) for one in events] == [
        ("take", "s001.clerk"),
        ("hand-over", "s001.clerk"),
        ("accept-handover", "s001.head"),
    ]


async def test_declined_or_recalled_it_stays_where_it_was(sign_in: SignIn) -> None:
    clerk, head = sign_in("s001.clerk"), sign_in("s001.head")
    request = await taken(clerk)
    to_head = {"account_id": await id_of(sign_in, "s001.head"), "reason": "workload"}
    assert refused(await act(clerk, request, "recall-handover")) == (409, "no_handover")
    await acted(clerk, request, "hand-over", **to_head)
    declined = await acted(head, request, "decline-handover", reason="other_duty")
    assert (declined["responsible"], declined["handover"]) == ("s001.clerk", None)
    await acted(clerk, request, "hand-over", **to_head)
    assert (await acted(clerk, request, "recall-handover"))["handover"] is None
    assert refused(await act(head, request, "accept-handover")) == (409, "no_handover")


@pytest.mark.parametrize("name", ["s002.clerk", "c001001.worker", "district.reviewer", None])
async def test_only_colleagues_of_the_counter_or_its_station_take_over(sign_in: SignIn, name: str | None) -> None:
    clerk = sign_in("s001.clerk")
    account = str(uuid4()) if name is None else await id_of(sign_in, name)
    answer = await act(clerk, await taken(clerk), "hand-over", account_id=account, reason="absence")
    assert refused(answer) == (409, "handover_colleague_unknown")


async def test_a_community_hands_over_to_its_station_and_sees_the_outcome(sign_in: SignIn) -> None:
    worker, clerk = sign_in("c001001.worker"), sign_in("s001.clerk")
    request = await taken(worker, "advice")
    await acted(worker, request, "hand-over", account_id=await id_of(sign_in, "s001.clerk"), reason="other_duty")
    await acted(clerk, request, "accept-handover")
    await acted(clerk, request, "finish", note="已答复")
    seen = (await worker.get(f"{REQUESTS}/{request['id']}")).json()
    assert (seen["state"], seen["note"], seen["responsible"]) == ("done", "已答复", "s001.clerk")
    assert refused(await act(clerk, request, "withdraw", note="撤回")) == (409, "service_request_state")


async def test_two_who_act_at_once_do_not_both_succeed(sign_in: SignIn) -> None:
    """Accepting against recalling, and accepting twice: exactly one succeeds, and one person answers for it."""
    clerk, head = sign_in("s001.clerk"), sign_in("s001.head")
    to_head = {"account_id": await id_of(sign_in, "s001.head"), "reason": "absence"}
    for rival, name in ((clerk, "recall-handover"), (head, "accept-handover")):
        request = await taken(clerk)
        await acted(clerk, request, "hand-over", **to_head)
        answers = await asyncio.gather(act(head, request, "accept-handover"), act(rival, request, name))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        won = next(answer.json() for answer in answers if answer.status_code == 200)
        seen = (await clerk.get(f"{REQUESTS}/{request['id']}")).json()
        assert (seen["responsible"], seen["handover"]) == (won["responsible"], None)


async def test_offered_to_two_at_once_one_offer_stands(sign_in: SignIn) -> None:
    worker = sign_in("c001001.worker")
    request = await taken(worker)
    ids = [await id_of(sign_in, name) for name in ("s001.clerk", "s001.head")]
    answers = await asyncio.gather(*(act(worker, request, "hand-over", account_id=one, reason="absence") for one in ids))
    assert sorted(refused(answer) if answer.status_code != 200 else (200, "") for answer in answers) == [
        (200, ""),
        (409, "handover_pending"),
    ]


async def test_nobody_takes_it_from_somebody_who_is_there(sign_in: SignIn) -> None:
    head, worker, clerk = sign_in("s001.head"), sign_in("c001001.worker"), sign_in("s001.clerk")
    request = await taken(worker)
    assert refused(await act(clerk, request, "take-over", reason="absence")) == (409, "service_request_in_hands")
    assert (await acted(head, request, "take-over", reason="reassignment"))["responsible"] == "s001.head"
    assert refused(await act(head, request, "take-over", reason="absence")) == (409, "handover_to_oneself")


async def test_two_who_take_over_from_somebody_gone(sign_in: SignIn, runtime: Runtime) -> None:
    """An orphaned request goes to the first who takes it; the second finds it in hands."""
    worker, clerk = sign_in("c001001.worker"), sign_in("s001.clerk")
    request = await taken(worker)
    async with transaction(runtime.engine, AreaScope("350702", "350702")) as session:
        gone = text("UPDATE service_request SET responsible_id = :gone, responsible_name = 'gone' WHERE id = :id")
        await session.execute(gone, {"gone": uuid4(), "id": request["id"]})
    answers = await asyncio.gather(*(act(one, request, "take-over", reason="absence") for one in (worker, clerk)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    loser = next(answer for answer in answers if answer.status_code == 409)
    assert refused(loser) == (409, "service_request_in_hands")


async def test_an_old_version_is_stale(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    request = await taken(clerk, "advice")
    headers = at(MONDAY) | {"If-Match": '"1.m"'}
    url = f"{REQUESTS}/{request['id']}"
    to_head = {"account_id": await id_of(sign_in, "s001.head"), "reason": "absence"}
    assert (await clerk.post(f"{url}/hand-over", json=to_head, headers=headers)).headers["etag"] == '"2.m"'
    assert (await clerk.post(f"{url}/recall-handover", headers=headers)).status_code == 412


# --- what is missing ----------------------------------------------------------------------------------------------------


async def test_everything_missing_is_named_once(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    request = await taken(clerk, materials={"id_card": "data_sharing"})
    assert refused(await act(clerk, request, "finish", note="办完")) == (409, "materials_incomplete")
    told = await acted(clerk, request, "notify-missing", "2026-03-04", materials=FORM_ABSENT)
    assert (told["state"], told["paused"], told["promised"]["due_on"]) == ("awaiting_supplement", True, None)
    assert told["promised"]["days_left"] == 3
    back = await acted(clerk, request, "record-supplement", "2026-03-20", materials={"form": "original"})
    assert (back["state"], back["promised"]["due_on"], back["legal"]["due_on"]) == ("in_hand", "2026-03-25", "2026-04-01")
    proof = [{"code": "proof", "reason": "absent"}]
    assert refused(await act(clerk, request, "notify-missing", materials=proof)) == (409, "notified_already")
    bad_form = [{"code": "form", "reason": "defective"}]
    again = await acted(clerk, request, "notify-missing", "2026-03-20", materials=bad_form)
    assert again["materials"] == {"id_card": "data_sharing"}
    assert refused(await act(clerk, request, "finish", note="办完")) == (409, "service_request_state")


async def test_a_second_list_about_what_was_there_before_is_refused(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    request = await taken(clerk, materials={"proof": "original"})
    await acted(clerk, request, "notify-missing", materials=FORM_ABSENT)
    await acted(clerk, request, "record-supplement", materials={"form": "original"})
    old = [{"code": "proof", "reason": "defective"}]
    assert refused(await act(clerk, request, "notify-missing", materials=old)) == (409, "notified_already")


async def test_what_the_authorities_share_is_not_asked_of_the_applicant(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    request = await taken(clerk)
    wanted = [{"code": "id_card", "reason": "absent"}]
    assert refused(await act(clerk, request, "notify-missing", materials=wanted)) == (409, "material_is_shared")
    wanted = [{"code": "id_card", "reason": "sharing_unavailable"}]
    assert (await acted(clerk, request, "notify-missing", materials=wanted))["missing"] == wanted


@pytest.mark.parametrize(
    ("materials", "code"),
    [
        ([{"code": "unheard_of", "reason": "absent"}], "material_unknown"),
        ([{"code": "form", "reason": "defective"}], "missing_reason"),
        ([{"code": "proof", "reason": "absent"}], "missing_reason"),
        (FORM_ABSENT * 2, "material_repeated"),
        ([], "too_few"),
    ],
)
async def test_a_list_that_makes_no_sense(sign_in: SignIn, materials: list[dict[str, str]], code: str) -> None:
    clerk = sign_in("s001.clerk")
    request = await taken(clerk, materials={"proof": "original"})
    assert refused(await act(clerk, request, "notify-missing", materials=materials)) == (422, code)


async def test_brought_in_parts_the_clock_waits_for_the_last(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    request = await taken(clerk)
    both = [*FORM_ABSENT, {"code": "proof", "reason": "absent"}]
    await acted(clerk, request, "notify-missing", materials=both)
    part = await acted(clerk, request, "record-supplement", "2026-03-10", materials={"form": "original"})
    assert (part["state"], part["paused"], part["missing"]) == ("awaiting_supplement", True, both[1:])
    extra = await act(clerk, request, "record-supplement", "2026-03-11", materials={"extra": "original"})
    assert refused(extra) == (422, "material_not_missing")
    whole = await acted(clerk, request, "record-supplement", "2026-03-12", materials={"proof": "commitment"})
    assert (whole["state"], whole["promised"]["due_on"]) == ("in_hand", "2026-03-19")


async def test_without_an_article_the_clock_runs_on(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    request = await taken(clerk, "running_on")
    told = await acted(clerk, request, "notify-missing", materials=FORM_ABSENT)
    assert (told["paused"], told["promised"]) == (False, request["promised"])


async def test_refused_for_want_of_a_supplement_only_after_asking(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    request = await taken(clerk)
    reason = {"ground": "not_supplemented", "note": "逾期未补正"}
    assert refused(await act(clerk, request, "refuse", **reason)) == (409, "nothing_asked_for")
    await acted(clerk, request, "notify-missing", materials=FORM_ABSENT)
    ended = await acted(clerk, request, "refuse", "2026-05-06", **reason)
    assert (ended["state"], ended["ground"], ended["overdue"]) == ("not_accepted", "not_supplemented", False)


# --- clocks and tasks ---------------------------------------------------------------------------------------------------


async def test_overdue_it_is_brought_before_the_head_and_then_the_district(sign_in: SignIn) -> None:
    request = await taken(sign_in("s001.clerk"))
    for name, day, before in (
        ("s001.clerk", NEXT_MONDAY, None),
        ("s001.head", "2026-03-10", "station_head"),
        ("district.reviewer", "2026-03-17", "district"),
    ):
        seen = (await sign_in(name).get(f"{REQUESTS}/{request['id']}", headers=at(day))).json()
        assert (seen["escalation"], seen["overdue"]) == (before, before is not None)
        if before is not None:
            params: dict[str, str | int] = {"escalated_to": before, "limit": 200}
            page = (await sign_in(name).get(REQUESTS, params=params, headers=at(day))).json()
            assert request["id"] in [one["id"] for one in page["items"]]
            assert {one["escalation"] for one in page["items"]} == {before}


async def test_tasks_tell_what_one_answers_for(sign_in: SignIn) -> None:
    clerk, head = sign_in("s002.clerk"), sign_in("s002.head")
    before = await _open(clerk, MONDAY), await _open(head, MONDAY)
    request = await taken(clerk)
    await acted(clerk, request, "hand-over", account_id=await id_of(sign_in, "s002.head"), reason="absence")
    after = await _open(clerk, MONDAY), await _open(head, MONDAY)
    assert after[0]["service_request"] == before[0]["service_request"] + 1
    assert after[1]["service_handover"] == before[1]["service_handover"] + 1
    assert (await _open(head, "2026-03-10"))["service_overdue"] == (await _open(head, MONDAY))["service_overdue"] + 1


async def _open(client: httpx.AsyncClient, day: str) -> dict[str, int]:
    lists = (await client.get("/api/v1/tasks", headers=at(day))).json()["work_lists"]
    return {one["kind"]: one["open"] for one in lists}


# --- relief applications ------------------------------------------------------------------------------------------------


async def test_a_relief_application_is_the_request(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    body = {"household_id": (await family(sign_in)).household_id}
    application = (await clerk.post("/api/v1/applications", json=body, headers=at(MONDAY))).json()
    request = await taken(clerk, "dibao", application_id=application["id"])
    assert (request["promised"], request["legal"]) == (None, None)
    assert (request["application"]["number"], request["application"]["due_on"]) == (application["number"], None)
    again = {"item_code": "dibao", "applicant_name": "示例", "application_id": application["id"]}
    assert refused(await clerk.post(REQUESTS, json=again, headers=at(MONDAY))) == (422, "application_elsewhere")
    assert refused(await act(clerk, request, "finish", note="办完")) == (409, "request_is_application")
    answer = await clerk.post(f"/api/v1/applications/{application['id']}/withdraw", headers=at(FRIDAY))
    assert answer.status_code == 200, answer.text
    seen = (await clerk.get(f"{REQUESTS}/{request['id']}")).json()
    assert (seen["state"], seen["closed_on"]) == ("withdrawn", FRIDAY)
    page = await clerk.get(REQUESTS, params={"state": "withdrawn", "item_code": "dibao", "limit": 200})
    assert request["id"] in [one["id"] for one in page.json()["items"]]
    to_head = {"account_id": await id_of(sign_in, "s001.head"), "reason": "absence"}
    assert refused(await act(clerk, request, "hand-over", **to_head)) == (409, "service_request_state")


# --- walls and seals ----------------------------------------------------------------------------------------------------


async def test_outside_it_is_not_there(sign_in: SignIn) -> None:
    request = await taken(sign_in("s001.clerk"))
    for name in ("s002.clerk", "c001001.worker"):
        answer = await sign_in(name).get(f"{REQUESTS}/{request['id']}")
        assert refused(answer) == (404, "service_request_not_found")
    assert (await sign_in("district.finance").get(REQUESTS)).status_code == 403
    assert (await sign_in("district.auditor").get(f"{REQUESTS}/{request['id']}")).status_code == 200
    assert (await act(sign_in("district.auditor"), request, "finish", note="x")).status_code == 403


async def test_people_lie_sealed_and_the_phone_is_shown_on_record(sign_in: SignIn, runtime: Runtime) -> None:
    clerk = sign_in("s001.clerk")
    request = await taken(clerk, "advice", applicant_name="示例无名氏", phone="13811112222")
    await acted(clerk, request, "finish", note="只此一句答复")
    shown = await clerk.get(f"{REQUESTS}/{request['id']}", params={"reveal": "phone", "purpose": "电话通知办结"})
    assert (shown.json()["phone"], shown.headers["cache-control"]) == ("13811112222", "private, no-store")
    async with transaction(runtime.engine, AreaScope("350702", "350702")) as session:
        rows = (await session.execute(text("SELECT service_request::text FROM service_request"))).scalars().all()
        seen = text("SELECT action FROM audit_record WHERE subject_id = :id ORDER BY id")
        actions = (await session.execute(seen, {"id": request["id"]})).scalars().all()
    plain = ("示例无名氏", "13811112222", "只此一句答复")
    assert not any(word in row or word.encode().hex() in row for word in plain for row in rows)
    assert actions == ["service_request.take", "service_request.finish", "service_request.reveal"]


async def test_a_year_loaded_later_makes_the_day_certain(sign_in: SignIn, runtime: Runtime) -> None:
    """A day that was a guess is computed anew from where its clock stands."""
    clerk = sign_in("s001.clerk")
    request = await taken(clerk, "running_on", "2026-08-24")
    scope = AreaScope("350702", "350702")
    async with transaction(runtime.engine, scope) as session:
        guess = text("UPDATE service_request SET promised_provisional = true, promised_due_on = '2026-09-30' WHERE id = :id")
        await session.execute(guess, {"id": request["id"]})
        changed = await recompute_provisional_requests(scope, session, Calendar({}, frozenset({2026})))
        assert request["id"] in [str(one.id) for one in changed]
    seen = (await clerk.get(f"{REQUESTS}/{request['id']}")).json()
    assert seen["promised"] == request["promised"]
