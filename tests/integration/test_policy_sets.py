"""Parameter sets as policy officers work on them, and what is in force where."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from app.runtime import Runtime
from tests.integration.policy_world import SETS, STANDARD, copied, key, ok, problem, raised, values_of
from tests.integration.registry_world import SignIn

pytestmark = pytest.mark.db
IN_FORCE = "/api/v1/policy-parameters"
NEW = {"area_code": "350702003", "title": "试点", "effective_from": "2029-01-01"}


async def test_what_is_in_force_comes_with_its_source_and_area(sign_in: SignIn) -> None:
    client = sign_in("c001001.worker")
    page = await ok(await client.get(IN_FORCE, params={"key": STANDARD, "on": "2015-06-01"}))
    (found,) = page["items"]
    assert (found["value"], found["source_area_code"], found["valid_from"]) == (52800, "350702", "2015-03-01")
    assert found["source"]
    before = await ok(await client.get(IN_FORCE, params={"key": STANDARD, "on": "2014-02-28"}))
    assert before["items"] == []


async def test_the_nearest_area_wins(sign_in: SignIn) -> None:
    client = sign_in("district.policy")
    everything = await ok(await client.get(IN_FORCE, params={"limit": 200, "count": "true", "on": "2026-08-15"}))
    assert everything["total"] == len(everything["items"])
    assert {one["source_area_code"] for one in everything["items"]} == {"350702"}
    elsewhere = await ok(await client.get(IN_FORCE, params={"area_code": "340882100002", "key": "dibao.benefit_mode"}))
    assert [one["value"] for one in elsewhere["items"]] == ["tiers"]
    problem(await client.get(IN_FORCE, params={"area_code": "999999"}), 404, "area_not_found")


async def test_a_copy_is_the_active_set_until_it_is_changed(sign_in: SignIn) -> None:
    officer = sign_in("district.policy")
    draft = await copied(officer)
    assert (draft["status"], draft["version"], draft["author"]) == ("draft", 1, "district.policy")
    assert (await ok(await officer.get(f"{SETS}/{draft['id']}/differences")))["items"] == []
    changed = await raised(officer, 60000)
    assert changed["version"] == 2
    listed = (await ok(await officer.get(f"{SETS}/{changed['id']}/differences")))["items"]
    (difference,) = [one for one in listed if one["valid_from"] == "2029-01-01"]
    assert (difference["key"], difference["valid_from"], difference["before"], difference["after"]) == (
        STANDARD,
        "2029-01-01",
        55200,
        60000,
    )
    assert [one["value"] for one in await values_of(officer, changed["id"], STANDARD)][-2:] == [55200, 60000]
    assert changed["content_hash"] != draft["content_hash"]


async def test_pages_of_a_set_join(sign_in: SignIn) -> None:
    officer = sign_in("district.policy")
    draft = await copied(officer)
    whole = (await ok(await officer.get(f"{SETS}/{draft['id']}/parameters?limit=200&count=true")))["items"]
    seen: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await ok(await officer.get(f"{SETS}/{draft['id']}/parameters?limit=7{cursor}"))
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == whole


async def test_only_drafts_are_edited_and_only_as_read(sign_in: SignIn) -> None:
    officer = sign_in("district.policy")
    active = (await ok(await officer.get(f"{SETS}?status=active&limit=200")))["items"]
    (district,) = [one for one in active if one["area_code"] == "350702"]
    put = {"versions": [{"effective_from": "2014-03-01", "value": 1}]}
    url = f"{SETS}/{district['id']}/parameters/{STANDARD}"
    problem(await officer.put(url, json=put), 428, "if_match_required")
    problem(await officer.put(url, json=put, headers={"If-Match": f'"{district["version"]}"'}), 409, "set_not_draft")
    draft = await copied(officer)
    url = f"{SETS}/{draft['id']}/parameters/{STANDARD}"
    problem(await officer.put(url, json=put, headers={"If-Match": '"7"'}), 412, "stale_version")


@pytest.mark.parametrize(
    ("version", "pointer"),
    [
        ({"effective_from": "2029-01-01", "value": 1.5}, "/versions/0/value"),
        ({"effective_from": "2029-01-01", "value": "many"}, "/versions/0/value"),
        ({"effective_from": "2029-01-01", "effective_to": "2028-01-01", "value": 1}, "/versions/0/effective_to"),
        ({"effective_from": "2029-02-30", "value": 1}, "/versions/0/effective_from"),
    ],
)
async def test_a_wrong_value_is_pointed_at(sign_in: SignIn, version: dict[str, Any], pointer: str) -> None:
    officer = sign_in("district.policy")
    draft = await copied(officer)
    answer = await officer.put(
        f"{SETS}/{draft['id']}/parameters/{STANDARD}", json={"versions": [version]}, headers={"If-Match": '"1"'}
    )
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]][:1] == [pointer]
    assert "/0/parameters" not in answer.text, "where it stands in some document of ours is nobody's business"


async def test_two_values_from_one_day_are_pointed_at(sign_in: SignIn) -> None:
    officer = sign_in("district.policy")
    draft = await copied(officer)
    versions = [{"effective_from": "2029-01-01", "value": 1}, {"effective_from": "2029-01-01", "value": 2}]
    url = f"{SETS}/{draft['id']}/parameters/{STANDARD}"
    answer = await officer.put(url, json={"versions": versions}, headers={"If-Match": '"1"'})
    (error,) = problem(answer, 422, "malformed_policy")["errors"]
    assert (error["pointer"], error["code"]) == ("/versions/1/effective_from", "duplicate_parameter")


async def test_a_set_from_json_and_from_a_file(sign_in: SignIn) -> None:
    officer = sign_in("district.policy")
    versions = [{"effective_from": "2029-01-01", "value": 61000, "source": "试点文件"}]
    made = await ok(await officer.post(SETS, json=NEW | {"parameters": {STANDARD: versions}}, headers=key()), 201)
    value = '{effective_from: "2029-01-01", value: 61000, source: 试点文件}'
    yaml = f'- area: "350702003"\n  parameters:\n    {STANDARD}: [{value}]\n'
    form = {"title": "试点", "effective_from": "2029-01-01"}
    files = {"file": ("policy.yaml", yaml.encode(), "application/yaml")}
    loaded = await ok(await officer.post(f"{SETS}/uploads", data=form, files=files, headers=key()), 201)
    (uploaded,) = loaded["items"]
    assert (uploaded["content_hash"], uploaded["author"]) == (made["content_hash"], "district.policy")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"- [", 422, "policy_malformed"),
        (b"a: &a [1]\nb: *a\n", 422, "policy_malformed"),
        (b"[]", 422, "malformed_policy"),
        (b'- area: "350702"\n  parameters:\n    x.y: [{effective_from: 2029-01-01, value: "a\\0"}]\n', 422, "policy_malformed"),
        (b"? [1, 2]\n: 3\n", 422, "policy_malformed"),
        (b"\xff\xfe\x00", 422, "policy_malformed"),
        (b'- area: "340882"\n  parameters: {}\n', 404, "area_not_found"),
        (b"#" * (1 << 20) + b"#", 413, "body_too_large"),
    ],
)
async def test_a_wrong_file_is_refused(sign_in: SignIn, content: bytes, status: int, code: str) -> None:
    form = {"title": "试点", "effective_from": "2029-01-01"}
    files = {"file": ("policy.yaml", content, "application/yaml")}
    answer = await sign_in("district.policy").post(f"{SETS}/uploads", data=form, files=files, headers=key())
    problem(answer, status, code)


async def test_keys_of_different_kinds_are_text(sign_in: SignIn) -> None:
    content = b'- area: "350702"\n  parameters:\n    x.bands: [{effective_from: 2029-01-01, value: {1: 2, a: 3}}]\n'
    form, files = {"title": "试点", "effective_from": "2029-01-01"}, {"file": ("policy.yaml", content, "application/yaml")}
    officer = sign_in("district.policy")
    (made,) = (await ok(await officer.post(f"{SETS}/uploads", data=form, files=files, headers=key()), 201))["items"]
    assert [one["value"] for one in await values_of(officer, made["id"], "x.bands")] == [{"1": 2, "a": 3}]


async def test_nobody_works_on_another_areas_set(sign_in: SignIn) -> None:
    draft = await copied(sign_in("district.policy"))
    stranger = sign_in("qs.district.policy")
    problem(await stranger.get(f"{SETS}/{draft['id']}"), 404, "set_not_found")
    put: dict[str, Any] = {"versions": []}
    url = f"{SETS}/{draft['id']}/parameters/{STANDARD}"
    problem(await stranger.put(url, json=put, headers={"If-Match": '"1"'}), 404, "set_not_found")
    problem(await stranger.post(SETS, json=NEW, headers=key()), 404, "area_not_found")
    listed = (await ok(await stranger.get(f"{SETS}?limit=200")))["items"]
    assert {one["area_code"][:6] for one in listed} == {"340882"}
    for clerk in ("s001.clerk", "district.finance", "district.admin"):
        problem(await sign_in(clerk).get(f"{SETS}/{draft['id']}"), 403, "duty_required")
    problem(await sign_in("district.auditor").post(SETS, json=NEW, headers=key()), 403, "duty_required")


async def test_nothing_to_copy(sign_in: SignIn) -> None:
    problem(await sign_in("district.policy").post(SETS, json=NEW, headers=key()), 409, "no_active_set")


async def test_the_same_request_twice_makes_one_draft(sign_in: SignIn) -> None:
    officer, headers = sign_in("district.policy"), key()
    body = {"area_code": "350702", "title": "一次", "effective_from": "2029-01-01"}
    first, again = [await officer.post(SETS, json=body, headers=headers) for _ in range(2)]
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"


async def test_the_database_freezes_what_decisions_may_have_used(runtime: Runtime, sign_in: SignIn, cluster: URL) -> None:
    await copied(sign_in("district.policy"))
    owner = create_async_engine(cluster.set(database=runtime.engine.url.database))
    try:
        for statement in (
            "UPDATE policy_parameter SET value = '1' WHERE set_id IN (SELECT id FROM policy_set WHERE status = 'active')",
            "DELETE FROM policy_parameter WHERE set_id IN (SELECT id FROM policy_set WHERE status = 'active')",
        ):
            with pytest.raises(DBAPIError, match="is no draft"):
                async with owner.begin() as connection:
                    await connection.execute(text(statement))
        for statement in (
            "UPDATE policy_set SET signed_by = author_id WHERE author_id IS NOT NULL",
            "UPDATE policy_set SET status = 'superseded' WHERE author_id IS NOT NULL AND signed_hash IS NULL",
        ):
            with pytest.raises(DBAPIError, match="check constraint"):
                async with owner.begin() as connection:
                    await connection.execute(text(statement))
    finally:
        await owner.dispose()
