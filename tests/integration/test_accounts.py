"""Keeping accounts and clients: only by administrators, only in their district, and with effect at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.domain.access import Duty
from app.ids import new_id
from app.runtime import Runtime
from tests.integration.auth_kit import (
    PASSWORD,
    TOKEN,
    assertion_of,
    audit_of,
    bearer,
    by_assertion,
    by_password,
    by_refresh,
    by_secret,
    caller,
    jwk_of,
    make_account,
    make_client,
    sibling,
    unique,
)
from tests.world import World

pytestmark = pytest.mark.db
ACCOUNTS, CLIENTS, ME = "/api/v1/accounts", "/api/v1/clients", "/api/v1/me"
SignIn = Callable[[str], httpx.AsyncClient]


@pytest.fixture(scope="module")
def admin(sign_in: SignIn) -> httpx.AsyncClient:
    return sign_in("district.admin")


@pytest.fixture(scope="module")
def elsewhere(sign_in: SignIn) -> httpx.AsyncClient:
    """The administrator of another district."""
    return sign_in("qs.district.admin")


def sheet(**changes: Any) -> dict[str, Any]:
    return {"username": unique(), "display_name": "新同事", "area_code": "350702001", "duties": ["station_clerk"]} | changes


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def added(admin: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await admin.post(ACCOUNTS, json=sheet(**changes))
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def status_of(client: httpx.AsyncClient, access: str) -> int:
    return (await client.get(ME, headers=bearer(access))).status_code


# --- adding and reading --------------------------------------------------------------------------------------------------


async def test_a_new_account_signs_in_sets_its_password_and_works(
    admin: httpx.AsyncClient, anonymous: httpx.AsyncClient, runtime: Runtime
) -> None:
    answer = await admin.post(ACCOUNTS, json=sheet(duties=["station_clerk", "station_head", "station_clerk"]))
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert answer.headers["location"] == f"{ACCOUNTS}/{body['id']}"
    assert answer.headers["etag"] == '"1.m"'
    assert (body["level"], body["duties"]) == ("subdistrict", ["station_clerk", "station_head"])
    assert body["must_change_password"] is True
    first = (await by_password(anonymous, body["username"], body["one_time_password"])).json()["access_token"]
    assert (await anonymous.get("/api/v1/areas", headers=bearer(first))).status_code == 403
    given = {"old_password": body["one_time_password"], "new_password": PASSWORD}
    assert (await anonymous.post(ME + "/password", headers=bearer(first), json=given)).status_code == 204
    assert (await anonymous.get("/api/v1/areas", headers=bearer(first))).status_code == 200
    shown = (await admin.get(answer.headers["location"])).json()
    assert shown == {name: value for name, value in body.items() if name != "one_time_password"} | {"must_change_password": False}
    assert [row[:4] for row in await audit_of(runtime, body["id"])] == [
        ("account_added", "done", None, "district.admin"),
        ("sign_in", "done", None, body["username"]),
        ("password_changed", "done", None, body["username"]),
    ]


@pytest.mark.parametrize(
    ("changes", "status", "code", "fault"),
    [
        ({"username": "Capital"}, 422, "malformed_request", "wrong_format"),
        ({"username": "ab"}, 422, "malformed_request", "wrong_format"),
        ({"username": "s001.clerk"}, 409, "username_taken", None),
        ({"display_name": " "}, 422, "malformed_request", "too_short"),
        ({"duties": []}, 422, "malformed_request", "too_few"),
        ({"duties": ["mayor"]}, 422, "malformed_request", "unknown_value"),
        ({"duties": ["bureau"], "area_code": "350702"}, 422, "malformed_request", "unknown_value"),
        ({"duties": ["reviewer"]}, 422, "malformed_request", "duty_not_at_level"),
        ({"duties": ["station_clerk", "community_worker"]}, 422, "malformed_request", "duty_not_at_level"),
        ({"area_code": "350702"}, 422, "malformed_request", "duty_not_at_level"),
        ({"area_code": "350702999"}, 422, "malformed_request", "area_not_in_force"),
        ({"area_code": "340882100"}, 422, "malformed_request", "area_not_in_force"),
        ({"area_code": "3507"}, 422, "malformed_request", "wrong_format"),
        ({"area_code": "350702", "duties": ["finance", "approver"]}, 409, "incompatible_duties", None),
        ({"area_code": "350702", "duties": ["finance", "approver", "reviewer"]}, 409, "incompatible_duties", None),
        ({"area_code": "350702", "duties": ["admin", "reviewer"]}, 409, "incompatible_duties", None),
        ({"area_code": "350702", "duties": ["admin", "treasury"]}, 409, "incompatible_duties", None),
        ({"area_code": "350702", "duties": ["admin", "auditor"]}, 409, "incompatible_duties", None),
        ({"password": "Chosen-By-Admin-1"}, 422, "malformed_request", "unknown_field"),
    ],
)
async def test_refused_new_accounts(
    admin: httpx.AsyncClient, changes: dict[str, Any], status: int, code: str, fault: str | None
) -> None:
    answer = await admin.post(ACCOUNTS, json=sheet(**changes))
    assert code_of(answer) == (status, code), answer.text
    assert [error["code"] for error in answer.json().get("errors", [])] == ([fault] if fault else [])


async def test_duties_that_go_together(admin: httpx.AsyncClient) -> None:
    for duties in (["admin", "inspector"], ["reviewer", "approver"], ["finance", "inspector"], ["treasury"], ["admin"]):
        assert (await added(admin, area_code="350702", duties=duties))["duties"] == sorted(duties)
    assert (await added(admin, area_code="350702001001", duties=["community_worker"]))["level"] == "community"


async def test_the_same_request_twice_makes_one_account(admin: httpx.AsyncClient) -> None:
    headers, given = {"Idempotency-Key": str(new_id())}, sheet()
    first = await admin.post(ACCOUNTS, json=given, headers=headers)
    again = await admin.post(ACCOUNTS, json=given, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    assert code_of(await admin.post(ACCOUNTS, json=given)) == (409, "username_taken")


async def test_lists_are_of_the_own_district_by_username(admin: httpx.AsyncClient, elsewhere: httpx.AsyncClient) -> None:
    for _ in range(3):
        await added(admin, area_code="350702002", duties=["station_head"])
    seen: list[str] = []
    cursor, total = None, 0
    while True:
        query = {"limit": "7", "count": "true"} | ({"cursor": cursor} if cursor else {})
        page = (await admin.get(ACCOUNTS, params=query)).json()
        seen += [item["username"] for item in page["items"]]
        assert all(item["area_code"].startswith("350702") for item in page["items"])
        cursor, total = page["next_cursor"], page["total"]
        if cursor is None:
            break
    assert seen == sorted(seen)
    assert len(seen) == len(set(seen)) == total
    others = [item["username"] for item in (await elsewhere.get(ACCOUNTS, params={"limit": 200})).json()["items"]]
    assert set(others).isdisjoint(seen)
    assert "qs.district.admin" in others


async def test_lists_can_be_narrowed(admin: httpx.AsyncClient) -> None:
    body = await added(admin, area_code="350702002", duties=["station_head"])
    await admin.post(f"{ACCOUNTS}/{body['id']}/disable")

    async def names(**query: str) -> list[str]:
        page = (await admin.get(ACCOUNTS, params=query | {"limit": "200"})).json()
        return [item["username"] for item in page["items"]]

    assert body["username"] in await names(area_code="350702002", duty="station_head", disabled="true")
    assert body["username"] not in await names(disabled="false")
    assert body["username"] not in await names(duty="station_clerk")
    assert body["username"] not in await names(area_code="350702001")
    assert await names(area_code="340882") == []
    assert (await admin.get(ACCOUNTS, params={"duty": "mayor"})).status_code == 422


# --- changing ------------------------------------------------------------------------------------------------------------


async def put(admin: httpx.AsyncClient, body: dict[str, Any], etag: str | None, **changes: Any) -> httpx.Response:
    given = {name: body[name] for name in ("display_name", "area_code", "duties")} | changes
    return await admin.put(f"{ACCOUNTS}/{body['id']}", json=given, headers={"If-Match": etag} if etag else {})


async def test_changes_need_the_version_that_was_read(admin: httpx.AsyncClient) -> None:
    body = await added(admin)
    assert code_of(await put(admin, body, None)) == (428, "if_match_required")
    changed = await put(admin, body, '"1.m"', display_name="改名")
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2.m"')
    assert changed.json()["display_name"] == "改名"
    assert code_of(await put(admin, body, '"1.m"', display_name="又改")) == (412, "stale_version")
    same = await put(admin, body, '"2.m"', display_name="改名")
    assert same.headers["etag"] == '"2.m"', "nothing changed, nothing counted"
    both = await asyncio.gather(*(put(admin, body, '"2.m"', display_name=name) for name in ("甲", "乙")))
    assert sorted(answer.status_code for answer in both) == [200, 412]


async def test_other_duties_end_the_sign_ins_at_once_a_new_name_does_not(
    admin: httpx.AsyncClient, anonymous: httpx.AsyncClient, runtime: Runtime
) -> None:
    account = await make_account(runtime)
    body = (await admin.get(f"{ACCOUNTS}/{account.id}")).json()
    tokens = (await by_password(anonymous, account.username)).json()
    assert (await put(admin, body, '"1.m"', display_name="改名")).status_code == 200
    assert await status_of(anonymous, tokens["access_token"]) == 200
    assert (await put(admin, body, '"2.m"', duties=["station_head"])).status_code == 200
    assert await status_of(anonymous, tokens["access_token"]) == 401
    assert (await by_refresh(anonymous, tokens["refresh_token"])).status_code == 401
    fresh = (await by_password(anonymous, account.username)).json()
    me = (await anonymous.get(ME, headers=bearer(fresh["access_token"]))).json()
    assert me["duties"] == ["station_head"]
    assert code_of(await put(admin, body, '"3.m"', area_code="350702")) == (422, "malformed_request")
    moved = await put(admin, body, '"3.m"', area_code="350702002", duties=["station_head"])
    assert moved.status_code == 200
    assert await status_of(anonymous, fresh["access_token"]) == 401
    assert ("account_changed", "done") in [row[:2] for row in await audit_of(runtime, account.id)]


async def test_disabling_refuses_tokens_at_once_and_enabling_lets_in_again(
    admin: httpx.AsyncClient, anonymous: httpx.AsyncClient, runtime: Runtime
) -> None:
    account = await make_account(runtime)
    where = f"{ACCOUNTS}/{account.id}"
    tokens = (await by_password(anonymous, account.username)).json()
    disabled = await admin.post(where + "/disable", headers={"If-Match": '"1.m"'})
    assert disabled.status_code == 200
    assert disabled.json()["disabled_at"] is not None
    assert await status_of(anonymous, tokens["access_token"]) == 401
    assert (await by_refresh(anonymous, tokens["refresh_token"])).status_code == 401
    assert (await by_password(anonymous, account.username)).status_code == 401
    assert code_of(await admin.post(where + "/disable")) == (409, "account_disabled")
    assert code_of(await admin.post(where + "/enable", headers={"If-Match": '"1.m"'})) == (412, "stale_version")
    assert (await admin.post(where + "/enable")).json()["disabled_at"] is None
    assert code_of(await admin.post(where + "/enable")) == (409, "account_not_disabled")
    assert await status_of(anonymous, tokens["access_token"]) == 401, "what was ended stays ended"
    fresh = (await by_password(anonymous, account.username)).json()
    assert await status_of(anonymous, fresh["access_token"]) == 200, "not even within the same second refused"


async def test_a_reset_ends_sign_ins_and_the_lock(admin: httpx.AsyncClient, runtime: Runtime) -> None:
    account = await make_account(runtime)
    async with caller(sibling(runtime, lockout_failures=2, lockout_seconds=600)) as client:
        tokens = (await by_password(client, account.username)).json()
        for _ in range(3):
            await by_password(client, account.username, "Wrong-Horse-7")
        assert (await by_password(client, account.username)).status_code == 429
        reset = await admin.post(f"{ACCOUNTS}/{account.id}/reset-password")
        assert reset.status_code == 200, reset.text
        assert await status_of(client, tokens["access_token"]) == 401
        assert (await by_refresh(client, tokens["refresh_token"])).status_code == 401
        assert (await by_password(client, account.username)).status_code == 401
        fresh = await by_password(client, account.username, reset.json()["one_time_password"])
        assert fresh.status_code == 200, fresh.text
        assert (await client.get("/api/v1/areas", headers=bearer(fresh.json()["access_token"]))).status_code == 403
    assert "password_reset" in [row[0] for row in await audit_of(runtime, account.id)]


async def test_nobody_locks_himself_out_or_hands_duties_to_himself(admin: httpx.AsyncClient, world: World) -> None:
    own = f"{ACCOUNTS}/{world.accounts['district.admin'].id}"
    body = await admin.get(own)
    for act in ("disable", "reset-password"):
        assert code_of(await admin.post(f"{own}/{act}")) == (409, "own_account")
    changed = await put(admin, body.json(), body.headers["etag"], duties=["admin", "inspector"])
    assert code_of(changed) == (409, "own_account")


# --- walls ---------------------------------------------------------------------------------------------------------------


async def test_another_district_s_accounts_and_clients_are_not_there(
    elsewhere: httpx.AsyncClient, runtime: Runtime, admin: httpx.AsyncClient
) -> None:
    account, client = await make_account(runtime), await make_client(runtime, secret_hash="x")
    given = {"display_name": "x", "area_code": "340882100", "duties": ["station_clerk"]}
    for there, nowhere in (
        (f"{ACCOUNTS}/{account.id}", f"{ACCOUNTS}/{new_id()}"),
        (f"{CLIENTS}/{client.id}", f"{CLIENTS}/{new_id()}"),
    ):
        acts = ("disable", "enable", "reset-password" if "accounts" in there else "rotate-secret")
        pairs = [(await elsewhere.get(there), await elsewhere.get(nowhere))]
        pairs += [(await elsewhere.post(f"{there}/{act}"), await elsewhere.post(f"{nowhere}/{act}")) for act in acts]
        if "accounts" in there:
            put_headers = {"If-Match": '"1.m"'}
            pairs.append(
                (
                    await elsewhere.put(there, json=given, headers=put_headers),
                    await elsewhere.put(nowhere, json=given, headers=put_headers),
                )
            )
        for outside, absent in pairs:
            assert outside.status_code == absent.status_code == 404
            assert outside.json() | {"trace_id": ""} == absent.json() | {"trace_id": ""}
    assert (await admin.get(f"{ACCOUNTS}/{account.id}")).json()["disabled_at"] is None


async def test_only_administrators_keep_accounts(sign_in: SignIn, world: World, anonymous: httpx.AsyncClient) -> None:
    one, other = f"{ACCOUNTS}/{new_id()}", f"{CLIENTS}/{new_id()}"
    change = {"display_name": "x", "area_code": "350702001", "duties": ["station_clerk"]}
    calls: list[tuple[str, str, Any]] = [("GET", path, None) for path in (ACCOUNTS, one, CLIENTS, other)]
    calls += [("POST", f"{one}/{act}", None) for act in ("disable", "enable", "reset-password")]
    calls += [("POST", f"{other}/{act}", None) for act in ("disable", "enable", "rotate-secret")]
    calls += [("POST", ACCOUNTS, sheet()), ("PUT", one, change), ("POST", CLIENTS, {"client_id": unique(), "name": "x"})]
    for username in ("district.reviewer", "district.auditor", "s001.head", "c001001.worker"):
        client = sign_in(username)
        for method, path, given in calls:
            answer = await client.request(method, path, json=given, headers={"If-Match": '"1.m"'})
            assert code_of(answer) == (403, "duty_required"), (username, method, path)
    for method, path, given in calls:
        answer = await anonymous.request(method, path, json=given, headers={"If-Match": '"1.m"'})
        assert code_of(answer) == (401, "token_missing"), (method, path)


# --- clients -------------------------------------------------------------------------------------------------------------


async def test_a_client_with_a_secret(admin: httpx.AsyncClient, anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    name = unique("bureau")
    answer = await admin.post(CLIENTS, json={"client_id": name, "name": "医保局"})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["authentication"], body["area_code"]) == ("client_secret", "350702")
    first = await by_secret(anonymous, name, body["client_secret"])
    assert first.status_code == 200
    shown = await admin.get(answer.headers["location"])
    assert "client_secret" not in shown.json()
    rotated = await admin.post(answer.headers["location"] + "/rotate-secret", headers={"If-Match": shown.headers["etag"]})
    assert rotated.status_code == 200, rotated.text
    assert await status_of(anonymous, first.json()["access_token"]) == 401
    assert (await by_secret(anonymous, name, body["client_secret"])).status_code == 401
    second = await by_secret(anonymous, name, rotated.json()["client_secret"])
    assert await status_of(anonymous, second.json()["access_token"]) == 200
    assert (await admin.post(answer.headers["location"] + "/disable")).status_code == 200
    assert await status_of(anonymous, second.json()["access_token"]) == 401
    assert (await by_secret(anonymous, name, rotated.json()["client_secret"])).status_code == 401
    assert code_of(await admin.post(answer.headers["location"] + "/disable")) == (409, "client_disabled")
    assert (await admin.post(answer.headers["location"] + "/enable")).status_code == 200
    assert code_of(await admin.post(answer.headers["location"] + "/enable")) == (409, "client_not_disabled")
    assert (await by_secret(anonymous, name, rotated.json()["client_secret"])).status_code == 200
    done = [row[0] for row in await audit_of(runtime, body["id"]) if row[0].startswith("client_")]
    assert done == ["client_added", "client_credentials_rotated", "client_disabled", "client_enabled"]


async def test_a_client_with_a_key(admin: httpx.AsyncClient, anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    private, name, audience = ec.generate_private_key(ec.SECP256R1()), unique("bureau"), runtime.settings.issuer + TOKEN
    answer = await admin.post(CLIENTS, json={"client_id": name, "name": "教育局", "public_jwk": jwk_of(private)})
    assert answer.status_code == 201, answer.text
    assert (answer.json()["authentication"], answer.json()["client_secret"]) == ("private_key_jwt", None)
    assert (await by_assertion(anonymous, assertion_of(private, name, audience))).status_code == 200
    other = ec.generate_private_key(ec.SECP256R1())
    where = answer.headers["location"] + "/rotate-secret"
    assert (await admin.post(where, json={"public_jwk": jwk_of(other)})).status_code == 200
    assert (await by_assertion(anonymous, assertion_of(private, name, audience))).status_code == 401
    assert (await by_assertion(anonymous, assertion_of(other, name, audience))).status_code == 200
    secret = (await admin.post(where)).json()["client_secret"]
    assert (await by_assertion(anonymous, assertion_of(other, name, audience))).status_code == 401
    assert (await by_secret(anonymous, name, secret)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"client_id": "bureau-housing"}, 409, "client_id_taken"),
        ({"client_id": "Bureau"}, 422, "malformed_request"),
        ({"name": ""}, 422, "malformed_request"),
        ({"public_jwk": {"kty": "RSA", "n": "x", "e": "AQAB"}}, 422, "malformed_request"),
        ({"public_jwk": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}}, 422, "malformed"),
        ({"public_jwk": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43, "d": "A" * 43}}, 422, "malformed_request"),
    ],
)
async def test_refused_new_clients(admin: httpx.AsyncClient, changes: dict[str, Any], status: int, code: str) -> None:
    answer = await admin.post(CLIENTS, json={"client_id": unique("bureau"), "name": "x"} | changes)
    assert code_of(answer) == (status, code), answer.text


async def test_clients_are_listed_by_district(admin: httpx.AsyncClient, elsewhere: httpx.AsyncClient) -> None:
    page = (await admin.get(CLIENTS, params={"limit": 200, "count": "true"})).json()
    names = [item["client_id"] for item in page["items"]]
    assert {"bureau-housing", "bureau-education"} <= set(names)
    assert names == sorted(names)
    assert page["total"] == len(names)
    first = (await admin.get(CLIENTS, params={"limit": 1})).json()
    then = (await admin.get(CLIENTS, params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert [first["items"][0]["client_id"], then["items"][0]["client_id"]] == names[:2]
    mine = await elsewhere.post(CLIENTS, json={"client_id": unique("bureau"), "name": "x"})
    theirs = (await elsewhere.get(CLIENTS, params={"limit": 200})).json()["items"]
    assert mine.json()["client_id"] in [item["client_id"] for item in theirs]
    assert set(names).isdisjoint(item["client_id"] for item in theirs)


async def test_a_finance_and_approver_account_is_refused_by_the_database_too(runtime: Runtime, world: World) -> None:
    with pytest.raises(Exception, match="ck_account_pays_or_approves"):
        await make_account(runtime, duties=(Duty.FINANCE, Duty.APPROVER), area="350702")
