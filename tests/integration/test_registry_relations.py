"""Relations that contradict the head are refused wherever somebody is entered, and what is on record already blocks nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.domain.access import AreaScope
from app.runtime import Runtime
from tests.integration.registry_world import MEISHAN, SignIn, fresh_number, opened, registered

pytestmark = pytest.mark.db

DISTRICT = AreaScope("350702", "350702")
BORN = date(1981, 6, 15)
BEFORE, SAME, AFTER = (BORN + timedelta(days) for days in (-1, 0, 1))
REFUSED = {
    ("child", BEFORE): "not_younger_than_head",
    ("grandchild", BEFORE): "not_younger_than_head",
    ("parent", AFTER): "not_older_than_head",
    ("grandparent", AFTER): "not_older_than_head",
}
TAKEN = [
    ("child", AFTER),
    ("child", SAME),
    ("grandchild", AFTER),
    ("parent", BEFORE),
    ("parent", SAME),
    ("grandparent", BEFORE),
    ("sibling", SAME),
    ("other", BEFORE),
]


async def person(client: httpx.AsyncClient, born: date) -> str:
    return str((await registered(client, id_number=fresh_number(born)))["id"])


async def open_with(client: httpx.AsyncClient, *members: tuple[str, str]) -> httpx.Response:
    entries = [{"person_id": one, "relation": relation, "since": "2024-01-01"} for one, relation in members]
    return await client.post("/api/v1/households", json={"area_code": MEISHAN, "residence": "urban", "members": entries})


async def admit(
    client: httpx.AsyncClient, household: dict[str, Any], person_id: str, relation: str, **more: Any
) -> httpx.Response:
    entry = {"person_id": person_id, "relation": relation, "since": "2025-01-01", **more}
    return await client.post(f"/api/v1/households/{household['id']}/members", json=entry)


async def test_a_new_household_is_checked_member_by_member(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    head = await person(clerk, BORN)
    cases = list(REFUSED)
    wrong = [(await person(clerk, born), relation) for relation, born in cases]
    answer = await open_with(clerk, *wrong, (head, "head"))
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert [(one["pointer"], one["code"]) for one in errors] == [
        (f"/members/{place}/relation", REFUSED[case]) for place, case in enumerate(cases)
    ]
    assert all("请填“其他”" in one["message"] for one in errors)
    wives = [(await person(clerk, SAME), "spouse") for _ in range(2)]
    answer = await open_with(clerk, wives[0], (head, "head"), wives[1])
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [
        ("/members/0/relation", "head_has_two_spouses"),
        ("/members/2/relation", "head_has_two_spouses"),
    ]
    right = [(await person(clerk, born), relation) for relation, born in TAKEN]
    assert (await open_with(clerk, (head, "head"), wives[0], *right)).status_code == 201


async def test_who_joins_is_held_against_the_head(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    head, wife = await person(clerk, BORN), await person(clerk, SAME)
    household = (await open_with(clerk, (head, "head"), (wife, "spouse"))).json()
    for (relation, born), code in REFUSED.items():
        somebody = await person(clerk, born)
        answer = await admit(clerk, household, somebody, relation)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert answer.json()["person_ids"] == [somebody]
        assert (await admit(clerk, household, somebody, "other")).status_code == 201
    second = await person(clerk, AFTER)
    answer = await admit(clerk, household, second, "spouse")
    assert (answer.status_code, answer.json()["code"]) == (409, "head_has_two_spouses")
    assert set(answer.json()["person_ids"]) == {wife, second}
    for relation, born in TAKEN:
        assert (await admit(clerk, household, await person(clerk, born), relation)).status_code == 201


async def test_who_moves_in_is_held_against_the_new_head(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    child = await person(clerk, AFTER)
    home = (await open_with(clerk, (await person(clerk, BORN), "head"), (child, "child"))).json()
    target = (await open_with(clerk, (await person(clerk, AFTER + timedelta(1)), "head"))).json()
    answer = await admit(clerk, target, child, "child", move=True)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_younger_than_head")
    assert (await clerk.get(f"/api/v1/households/{home['id']}")).json()["members"] == home["members"]


async def test_a_second_spouse_may_follow_the_first_but_not_join_her(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    household = await opened(clerk, "head", "spouse")
    first, second = household["people"][1], (await registered(clerk))["id"]
    left = await clerk.post(f"/api/v1/households/{household['id']}/members/{first}/leave", json={"on": "2025-03-01"})
    assert left.status_code == 200
    answer = await admit(clerk, household, second, "spouse", since="2025-02-28")
    assert (answer.status_code, answer.json()["code"]) == (409, "head_has_two_spouses")
    assert (await admit(clerk, household, second, "spouse", since="2025-03-01")).status_code == 201


async def test_a_new_head_has_every_relation_judged(sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    head, wife, elder, younger = [await person(clerk, born) for born in (BEFORE, SAME, date(2003, 5, 1), date(2005, 5, 1))]
    household = (await open_with(clerk, (head, "head"), (wife, "spouse"), (elder, "child"), (younger, "child"))).json()

    async def change(**relations: str) -> httpx.Response:
        people = {"head": head, "wife": wife, "elder": elder}
        given = [{"person_id": people[name], "relation": relation} for name, relation in relations.items()]
        body = {"person_id": younger, "on": "2026-01-01", "relations": given}
        return await clerk.post(f"/api/v1/households/{household['id']}/change-head", json=body)

    answer = await change(head="parent", wife="parent")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_younger_than_head")
    assert answer.json()["person_ids"] == [elder]
    answer = await change(head="child", wife="parent", elder="sibling")
    assert (answer.status_code, answer.json()["person_ids"]) == (409, [head])
    answer = await change(head="spouse", elder="sibling")
    assert (answer.status_code, answer.json()["code"]) == (409, "head_has_two_spouses")
    assert (await change(head="parent", wife="parent", elder="sibling")).status_code == 200


async def forced(runtime: Runtime, **relations: str) -> None:
    """Relations behind the registry's back, as rows of earlier times may stand."""
    async with transaction(runtime.engine, DISTRICT) as session:
        for person_id, relation in relations.items():
            statement = text("UPDATE household_member SET relation = :relation WHERE person_id = :person")
            await session.execute(statement, {"relation": relation, "person": person_id})


async def test_what_contradicts_on_record_stands_in_nobodys_way(sign_in: SignIn, runtime: Runtime) -> None:
    clerk = sign_in("s001.clerk")
    household = await opened(clerk, "head", "other", "other", "other")
    _, one, two, younger = household["people"]
    base = f"/api/v1/households/{household['id']}"
    await forced(runtime, **{one: "spouse", two: "spouse", younger: "parent"})
    assert (await clerk.put(base, json={"residence": "rural"}, headers={"If-Match": "*"})).status_code == 200
    assert (await admit(clerk, household, (await registered(clerk))["id"], "sibling")).status_code == 201
    third = await admit(clerk, household, (await registered(clerk))["id"], "spouse")
    assert (third.status_code, third.json()["code"]) == (409, "head_has_two_spouses")
    assert (await clerk.post(f"{base}/members/{two}/leave", json={"on": "2025-06-01"})).status_code == 200
    await forced(runtime, **{younger: "other"})  # other tests send in what they find here
