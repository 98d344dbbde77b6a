"""Households and their members: one household at a time, one head at a time, history by date, walls, races."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app.db.repositories.registry import HouseholdRepository
from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.errors import Conflict, NotFound
from app.runtime import Runtime
from app.security.fields import Field
from tests.integration.registry_world import (
    HUANGDUN,
    MEISHAN,
    MEISHAN_OTHER,
    SignIn,
    card,
    fresh_number,
    member_ids,
    opened,
    registered,
)

pytestmark = pytest.mark.db

DISTRICT = AreaScope("350702", "350702")


def account(**values: Any) -> dict[str, Any]:
    return {"bank_name": "示例农商银行", "account_number": card(), "account_holder": "陈测试", **values}


async def open_with(client: httpx.AsyncClient, members: list[dict[str, Any]], **values: Any) -> httpx.Response:
    body = {"area_code": MEISHAN, "residence": "urban", "members": members, **values}
    return await client.post("/api/v1/households", json=body)


async def test_a_household_is_opened_with_its_members_and_account(sign_in: SignIn) -> None:
    clerk, number = sign_in("s001.clerk"), card()
    head, child = (await registered(clerk, name="陈户主"))["id"], (await registered(clerk, name="陈孩子"))["id"]
    members = [
        {"person_id": child, "relation": "child", "since": "2024-02-01"},
        {"person_id": head, "relation": "head", "since": "2024-01-01"},
    ]
    values = {"address": "延平区梅山街道示例路 8 号", "account": account(account_number=number)}
    answer = await open_with(clerk, members, **values)
    assert answer.status_code == 201
    household = answer.json()
    assert answer.headers["location"] == f"/api/v1/households/{household['id']}"
    assert [(member["person_id"], member["name"]) for member in household["members"]] == [(head, "陈户主"), (child, "陈孩子")]
    assert household["account"]["account_number"] == "*" * 15 + number[-4:]
    assert household["address"] == "延平区梅山街道****"
    assert number not in answer.text
    assert household["household_no"].startswith(MEISHAN + "-")
    read = await sign_in("c001001.worker").get(answer.headers["location"])
    assert read.json() == household


async def test_numbers_of_a_community_run_on_even_at_once(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    people = [(await registered(clerk, MEISHAN_OTHER))["id"] for _ in range(6)]
    answers = await asyncio.gather(
        *(open_with(clerk, [{"person_id": person, "relation": "head"}], area_code=MEISHAN_OTHER) for person in people)
    )
    assert {answer.status_code for answer in answers} == {201}
    running = sorted(int(answer.json()["household_no"][13:]) for answer in answers)
    assert running == list(range(running[0], running[0] + 6))


async def test_a_given_number_is_unique_in_the_district(sign_in: SignIn) -> None:
    number = f"H-{fresh_number()}"
    first = await opened_with_number(sign_in("s001.clerk"), number, MEISHAN)
    second = await opened_with_number(sign_in("s002.clerk"), number, HUANGDUN)
    assert (first.status_code, second.status_code) == (201, 409)
    assert second.json()["code"] == "household_no_taken"
    reserved = await opened_with_number(sign_in("s001.clerk"), f"{HUANGDUN}-000001", MEISHAN)
    assert reserved.json()["errors"][0]["code"] == "household_no_reserved"


async def opened_with_number(client: httpx.AsyncClient, number: str, area_code: str) -> httpx.Response:
    person = (await registered(client, area_code))["id"]
    return await open_with(client, [{"person_id": person, "relation": "head"}], household_no=number, area_code=area_code)


WRONG_ACCOUNTS = {
    "bank_account_checksum": {"account_number": "7000009990000000001"},
    "bank_account_length": {"account_number": "123456789"},
    "bank_account_characters": {"account_number": "70000099900O0000001"},
}


@pytest.mark.parametrize("code", WRONG_ACCOUNTS)
async def test_a_wrong_account_is_refused_by_cause(sign_in: SignIn, code: str) -> None:
    clerk = sign_in("s001.clerk")
    person = (await registered(clerk))["id"]
    members = [{"person_id": person, "relation": "head"}]
    answer = await open_with(clerk, members, account=account(**WRONG_ACCOUNTS[code]))
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("/account/account_number", code)]
    passbook = await open_with(clerk, members, account=account(account_number="123456789", account_kind="passbook"))
    assert passbook.status_code == 201


async def test_what_the_members_of_a_new_household_must_be(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    one, two = (await registered(clerk))["id"], (await registered(clerk))["id"]
    cases: list[tuple[list[dict[str, Any]], str]] = [
        ([{"person_id": one, "relation": "child"}], "one_head_required"),
        ([{"person_id": one, "relation": "head"}, {"person_id": two, "relation": "head"}], "one_head_required"),
        ([{"person_id": one, "relation": "head"}, {"person_id": one, "relation": "child"}], "repeated"),
        ([{"person_id": one, "relation": "head", "since": "2090-01-01"}], "date_in_future"),
        ([{"person_id": one, "relation": "head", "since": "1900-01-01"}], "before_birth"),
        ([], "too_few"),
        ([{"person_id": one, "relation": "cousin"}], "unknown_value"),
    ]
    for members, code in cases:
        answer = await open_with(clerk, members)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    stranger = (await registered(sign_in("s002.clerk"), HUANGDUN))["id"]
    answer = await open_with(clerk, [{"person_id": stranger, "relation": "head"}])
    assert (answer.status_code, answer.json()["code"]) == (404, "person_not_found")
    answer = await open_with(clerk, [{"person_id": one, "relation": "head"}], area_code=HUANGDUN)
    assert (answer.status_code, answer.json()["code"]) == (404, "area_not_found")
    late = await open_with(clerk, [head_since(one, "2024-05-01"), {**head_since(two, "2024-01-01"), "relation": "child"}])
    assert (late.status_code, late.json()["code"]) == (409, "household_without_head")


def head_since(person: str, since: str) -> dict[str, Any]:
    return {"person_id": person, "relation": "head", "since": since}


async def test_a_person_belongs_to_one_household_at_a_time(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    first = await opened(clerk, "head", "child")
    second = await opened(clerk, "head")
    entry = {"person_id": first["people"][1], "relation": "other", "since": "2025-01-01"}
    path = f"/api/v1/households/{second['id']}/members"
    refused = await clerk.post(path, json=entry)
    assert (refused.status_code, refused.json()["code"]) == (409, "person_in_other_household")
    assert refused.json()["household_no"] == first["household_no"]
    again = await clerk.post(f"/api/v1/households/{first['id']}/members", json=entry)
    assert (again.status_code, again.json()["code"]) == (409, "already_a_member")
    moved = await clerk.post(path, json={**entry, "move": True})
    assert moved.status_code == 201
    assert member_ids(moved.json()) == {second["people"][0], first["people"][1]}
    left = await clerk.get(f"/api/v1/households/{first['id']}")
    assert member_ids(left.json()) == {first["people"][0]}
    assert left.headers["etag"] != first["etag"]


async def test_moving_to_another_community_takes_the_person_along(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    away = await opened(clerk, "head", area_code=MEISHAN_OTHER)
    home = await opened(clerk, "head", "parent")
    mover = home["people"][1]
    path = f"/api/v1/households/{away['id']}/members"
    entry = {"person_id": mover, "relation": "parent", "since": "2025-06-01", "move": True}
    worker = sign_in("c001001.worker")
    assert (await worker.get(f"/api/v1/persons/{mover}")).status_code == 200
    assert (await clerk.post(path, json=entry)).status_code == 201
    assert (await clerk.get(f"/api/v1/persons/{mover}")).json()["area_code"] == MEISHAN_OTHER
    assert (await worker.get(f"/api/v1/persons/{mover}")).status_code == 404
    past = (await worker.get(f"/api/v1/households/{home['id']}", params={"as_of": "2025-01-01"})).json()
    assert {member["person_id"]: member["name"] for member in past["members"]} == {home["people"][0]: "陈测试", mover: None}
    duplicate = await clerk.post("/api/v1/persons/search", json={"name": "陈测试", "limit": 200})
    assert mover in {item["id"] for item in duplicate.json()["items"]}


async def test_the_head_leaves_last_or_hands_over_first(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    household = await opened(clerk, "head", "spouse", "child")
    head, spouse, child = household["people"]
    base = f"/api/v1/households/{household['id']}"
    refused = await clerk.post(f"{base}/members/{head}/leave", json={"on": "2025-01-01"})
    assert (refused.status_code, refused.json()["code"]) == (409, "household_without_head")
    second = await registered(clerk)
    has_head = await clerk.post(f"{base}/members", json=head_since(second["id"], "2025-01-01"))
    assert (has_head.status_code, has_head.json()["code"]) == (409, "household_has_head")
    silent = await clerk.post(f"{base}/change-head", json={"person_id": spouse, "on": "2025-01-01"})
    assert (silent.status_code, silent.json()["code"]) == (409, "former_head_relation_required")
    relations = [{"person_id": head, "relation": "spouse"}]
    twice = await clerk.post(f"{base}/change-head", json={"person_id": spouse, "relations": relations * 2})
    assert (twice.status_code, twice.json()["errors"][0]["code"]) == (422, "repeated")
    changed = await clerk.post(f"{base}/change-head", json={"person_id": spouse, "on": "2025-01-01", "relations": relations})
    assert changed.status_code == 200
    assert {m["person_id"]: m["relation"] for m in changed.json()["members"]} == {spouse: "head", head: "spouse", child: "child"}
    gone = await clerk.post(f"{base}/members/{head}/leave", json={"on": "2025-01-01"})
    assert member_ids(gone.json()) == {spouse, child}
    for day, members in (("2024-12-31", {head, spouse, child}), ("2025-01-01", {spouse, child}), ("2023-12-31", set())):
        past = await clerk.get(base, params={"as_of": day})
        assert member_ids(past.json()) == members
    for person in (child, spouse):
        assert (await clerk.post(f"{base}/members/{person}/leave", json={"on": "2025-02-01"})).status_code == 200
    assert (await clerk.get(base)).json()["members"] == []


async def test_leaving_before_joining_and_leaving_twice(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    household = await opened(clerk, "head", "child")
    path = f"/api/v1/households/{household['id']}/members/{household['people'][1]}/leave"
    early = await clerk.post(path, json={"on": "2023-12-31"})
    assert (early.status_code, early.json()["code"]) == (409, "leave_before_join")
    future = await clerk.post(path, json={"on": "2090-01-01"})
    assert (future.status_code, future.json()["errors"][0]["code"]) == (422, "date_in_future")
    voided = await clerk.post(path, json={"on": "2024-01-01"})
    assert member_ids(voided.json()) == {household["people"][0]}
    twice = await clerk.post(path, json={"on": "2024-01-02"})
    assert (twice.status_code, twice.json()["code"]) == (404, "member_not_found")
    back = await clerk.post(
        f"/api/v1/households/{household['id']}/members",
        json={"person_id": household["people"][1], "relation": "child", "since": "2024-01-01"},
    )
    assert back.status_code == 201


async def test_acts_with_a_stale_version_are_refused(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    household = await opened(clerk, "head", "child")
    base, stale = f"/api/v1/households/{household['id']}", {"If-Match": '"99.m"'}
    person = household["people"][1]
    joiner = (await registered(clerk))["id"]
    answers = [
        await clerk.post(f"{base}/members/{person}/leave", json={}, headers=stale),
        await clerk.post(f"{base}/members", json={"person_id": joiner, "relation": "child"}, headers=stale),
        await clerk.post(f"{base}/change-head", json={"person_id": person}, headers=stale),
        await clerk.put(base, json={"residence": "rural"}, headers=stale),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(412, "stale_version")}
    assert (await clerk.put(base, json={"residence": "rural"})).status_code == 428
    changed = await clerk.put(base, json={"residence": "rural"}, headers={"If-Match": household["etag"]})
    assert (changed.status_code, changed.json()["residence"]) == (200, "rural")


async def test_account_and_address_change_and_are_revealed_on_record(sign_in: SignIn, runtime: Runtime) -> None:
    clerk, number = sign_in("s001.clerk"), card()
    household = await opened(clerk, "head")
    base = f"/api/v1/households/{household['id']}"
    body = {"account": account(account_number=number), "address": "梅山街道示例路 9 号"}
    changed = await clerk.put(base, json=body, headers={"If-Match": household["etag"]})
    assert number not in changed.text
    query = {"reveal": "account_number,address", "purpose": "发放前核对账户"}
    plain = await sign_in("district.finance").get(base, params=query)
    assert plain.json()["account"]["account_number"] == number
    assert plain.json()["address"] == "梅山街道示例路 9 号"
    assert plain.headers["cache-control"] == "private, no-store"
    assert (await sign_in("district.approver").get(base, params=query)).status_code == 403
    async with transaction(runtime.engine, DISTRICT) as session:
        statement = text("SELECT fields FROM audit_record WHERE subject_id = :id AND action = 'household.reveal'")
        assert (await session.execute(statement, {"id": household["id"]})).scalars().all() == [["account_number", "address"]]
        snapshot = await HouseholdRepository(session, runtime.cipher).snapshot(DISTRICT, UUID(household["id"]), date(2026, 1, 1))
    assert snapshot.payee is not None
    assert runtime.cipher.open(Field.BANK_ACCOUNT, snapshot.household_id, snapshot.payee.number_sealed) == number
    cleared = await clerk.put(base, json={"account": None}, headers={"If-Match": "*"})
    assert cleared.json()["account"] is None


async def test_walls_around_households(sign_in: SignIn) -> None:
    household = await opened(sign_in("s001.clerk"), "head", area_code=MEISHAN_OTHER)
    person = household["people"][0]
    base = f"/api/v1/households/{household['id']}"
    for name in ("c001001.worker", "s002.clerk", "qs.s100.clerk"):
        client = sign_in(name)
        answers = [
            await client.get(base),
            await client.put(base, json={"residence": "rural"}, headers={"If-Match": "*"}),
            await client.post(f"{base}/change-head", json={"person_id": person}),
            await client.post(f"{base}/members/{person}/leave", json={}),
        ]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "household_not_found")] * 4
        listed = await client.get("/api/v1/households", params={"household_no": household["household_no"], "count": "true"})
        assert listed.json() == {"items": [], "next_cursor": None, "total": 0}
    mine = await sign_in("s001.clerk").get("/api/v1/households", params={"household_no": household["household_no"]})
    assert [item["id"] for item in mine.json()["items"]] == [household["id"]]


async def test_the_list_of_households_pages(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    made = [(await opened(clerk, "head"))["id"] for _ in range(3)]
    query, seen = {"limit": "2", "area_code": MEISHAN, "residence": "urban"}, []
    while True:
        page = (await clerk.get("/api/v1/households", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == sorted(set(seen))
    assert set(made) <= set(seen)


async def test_of_many_moves_at_once_each_person_stays_in_one_household(sign_in: SignIn, runtime: Runtime) -> None:
    clerk = sign_in("s001.clerk")
    households = [await opened(clerk, "head") for _ in range(3)]
    movers = [(await registered(clerk))["id"] for _ in range(3)]
    answers = await asyncio.gather(
        *(
            clerk.post(
                f"/api/v1/households/{household['id']}/members",
                json={"person_id": mover, "relation": "other", "since": "2025-01-01", "move": move},
            )
            for household in households
            for mover in movers
            for move in (False, True)
        )
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    for mover in movers:
        homes = 0
        for household in households:
            homes += mover in member_ids((await clerk.get(f"/api/v1/households/{household['id']}")).json())
        assert homes == 1


async def test_of_two_new_heads_at_once_one_wins(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    household = await opened(clerk, "head", "spouse", "child")
    head, spouse, child = household["people"]
    path = f"/api/v1/households/{household['id']}/change-head"
    to_the_child = [{"person_id": head, "relation": "parent"}, {"person_id": spouse, "relation": "parent"}]
    answers = await asyncio.gather(
        *(
            clerk.post(path, json={"person_id": person, "relations": relations}, headers={"If-Match": household["etag"]})
            for person, relations in ((spouse, [{"person_id": head, "relation": "spouse"}]), (child, to_the_child))
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    now = (await clerk.get(f"/api/v1/households/{household['id']}")).json()
    assert [member["relation"] for member in now["members"]].count("head") == 1


async def test_the_snapshot_holds_the_facts_of_its_day(sign_in: SignIn, runtime: Runtime) -> None:
    clerk = sign_in("s001.clerk")
    household = await opened(clerk, "head", "child")
    head, child = household["people"]
    for change in (
        {"employment": "employed", "valid_from": "2024-01-01"},
        {"employment": "unemployed", "valid_from": "2025-01-01", "serious_illness": True},
        {"disability": {"category": "vision", "grade": 1, "needs_care": True}, "valid_from": "2025-01-01"},
    ):
        assert (await clerk.put(f"/api/v1/persons/{head}", json=change, headers={"If-Match": "*"})).status_code == 200
    await clerk.post(f"/api/v1/households/{household['id']}/members/{child}/leave", json={"on": "2025-03-01"})
    async with transaction(runtime.engine, DISTRICT) as session:
        repository = HouseholdRepository(session, runtime.cipher)
        before = await repository.snapshot(DISTRICT, UUID(household["id"]), date(2024, 6, 1))
        after = await repository.snapshot(DISTRICT, UUID(household["id"]), date(2025, 3, 1))
        nobody = await repository.snapshot(DISTRICT, UUID(household["id"]), date(2023, 6, 1))
    assert [str(member.person_id) for member in before.members] == [head, child]
    assert before.head is not None
    assert (before.head.employment, before.head.serious_illness, before.head.disability) == ("employed", False, None)
    assert [str(member.person_id) for member in after.members] == [head]
    assert (after.members[0].employment, after.members[0].serious_illness) == ("unemployed", True)
    found = after.members[0].disability
    assert found is not None
    assert (found.category, found.grade, found.needs_care) == ("vision", 1, True)
    assert (nobody.members, nobody.head) == ((), None)


async def test_a_snapshot_is_never_taken_with_a_member_missing(sign_in: SignIn, runtime: Runtime) -> None:
    clerk = sign_in("s001.clerk")
    home, away = await opened(clerk, "head", "child"), await opened(clerk, "head", area_code=MEISHAN_OTHER)
    entry = {"person_id": home["people"][1], "relation": "child", "since": "2025-06-01", "move": True}
    await clerk.post(f"/api/v1/households/{away['id']}/members", json=entry)
    community = AreaScope("350702", MEISHAN)
    async with transaction(runtime.engine, community) as session:
        repository = HouseholdRepository(session, runtime.cipher)
        now = await repository.snapshot(community, UUID(home["id"]), date(2025, 6, 1))
        assert len(now.members) == 1
        with pytest.raises(Conflict) as refused:
            await repository.snapshot(community, UUID(home["id"]), date(2025, 5, 31))
        assert refused.value.code == "household_partly_outside"
        with pytest.raises(NotFound):
            await repository.snapshot(community, UUID(away["id"]), date(2025, 6, 1))


async def test_an_overlap_with_a_stay_behind_the_wall_is_refused_without_naming_it(sign_in: SignIn) -> None:
    clerk, worker = sign_in("s001.clerk"), sign_in("c001001.worker")
    away, home = await opened(clerk, "head", "child", area_code=MEISHAN_OTHER), await opened(clerk, "head")
    mover, path = away["people"][1], f"/api/v1/households/{home['id']}/members"
    entry = {"person_id": mover, "relation": "other", "since": "2025-06-01", "move": True}
    assert (await clerk.post(path, json=entry)).status_code == 201
    assert (await worker.post(f"{path}/{mover}/leave", json={"on": "2025-06-01"})).status_code == 200
    refused = await worker.post(path, json={**entry, "since": "2025-01-01"})
    assert (refused.status_code, refused.json()["code"]) == (409, "person_in_other_household")
    assert away["household_no"] not in refused.text
    assert away["id"] not in refused.text
