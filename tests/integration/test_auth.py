"""Signing in by password, renewing, signing out: every way in and every refusal."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.domain.errors import Unavailable
from app.runtime import Runtime
from app.security.passwords import CHEAP, DEMO_PASSWORD, MAX_WAITING, Passwords
from tests.integration.auth_kit import (
    PASSWORD,
    TOKEN,
    audit_of,
    bearer,
    by_password,
    by_refresh,
    caller,
    make_account,
    scalar,
    sibling,
    unique,
)
from tests.world import World

pytestmark = pytest.mark.db
ME = "/api/v1/me"


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_demo_account_signs_in_and_is_somebody(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    answer = await by_password(anonymous, "s001.clerk", DEMO_PASSWORD)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 900)
    me = await anonymous.get(ME, headers=bearer(body["access_token"]))
    assert me.status_code == 200, me.text
    assert me.json() | {"id": ""} == {
        "id": "",
        "kind": "account",
        "username": "s001.clerk",
        "display_name": "演示经办人",
        "level": "subdistrict",
        "area_code": "350702001",
        "area_name": "梅山街道",
        "duties": ["station_clerk"],
        "must_change_password": False,
    }


async def test_every_demo_account_signs_in(anonymous: httpx.AsyncClient, world: World) -> None:
    for username in world.accounts:
        assert (await by_password(anonymous, username, DEMO_PASSWORD)).status_code == 200, username


async def test_capitals_and_blanks_of_a_phone_s_keyboard_do_no_harm(anonymous: httpx.AsyncClient) -> None:
    assert (await by_password(anonymous, " S001.Clerk ", DEMO_PASSWORD)).status_code == 200


async def test_unknown_wrong_and_disabled_look_the_same(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    account = await make_account(runtime)
    disabled = await make_account(runtime, disabled_at=datetime.now(UTC))
    answers = [
        await by_password(anonymous, unique(), PASSWORD),
        await by_password(anonymous, account.username, "Wrong-Horse-7"),
        await by_password(anonymous, disabled.username),
        await by_password(anonymous, disabled.username, "Wrong-Horse-7"),
        await by_password(anonymous, account.username, PASSWORD + "x" * 500),
    ]
    seen = {(answer.status_code, tuple(sorted((answer.json() | {"trace_id": ""}).items()))) for answer in answers}
    assert len(seen) == 1
    assert code_of(answers[0]) == (401, "invalid_credentials")
    headers = [{name for name in answer.headers if name != "x-trace-id"} for answer in answers]
    assert all(names == headers[0] for names in headers)


async def test_the_demo_password_opens_nothing_outside_demo_mode(runtime: Runtime, world: World) -> None:
    real = sibling(runtime, demo=False, passwords=Passwords(demo=False))
    demo_without = await make_account(runtime, demo=True)
    with_published = await make_account(runtime, password_hash=await runtime.passwords.hash(DEMO_PASSWORD))
    mine = await make_account(runtime)
    async with caller(real) as client:
        assert code_of(await by_password(client, "s002.clerk", DEMO_PASSWORD)) == (401, "invalid_credentials")
        assert code_of(await by_password(client, demo_without.username)) == (401, "invalid_credentials")
        assert code_of(await by_password(client, with_published.username, DEMO_PASSWORD)) == (401, "invalid_credentials")
        assert (await by_password(client, mine.username)).status_code == 200


async def test_a_hash_of_another_cost_is_renewed_at_sign_in(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    account = await make_account(runtime, password_hash=await Passwords(CHEAP, demo=True).hash(PASSWORD))
    answers = await asyncio.gather(*(by_password(anonymous, account.username) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [200] * 3
    stored = await scalar(runtime, "SELECT password_hash FROM account WHERE id = :id", id=account.id)
    assert stored != account.password_hash
    assert not runtime.passwords.needs_rehash(stored)
    assert (await by_password(anonymous, account.username)).status_code == 200


async def test_a_flood_of_sign_ins_is_refused_instead_of_piling_up() -> None:
    passwords = Passwords(CHEAP)
    results = await asyncio.gather(*(passwords.hash(PASSWORD) for _ in range(MAX_WAITING + 50)), return_exceptions=True)
    assert sum(isinstance(result, Unavailable) for result in results) == 50
    assert await passwords.hash(PASSWORD), "and afterwards it works again"


# --- the form ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "status", "code", "pointers"),
    [
        ({}, 422, "malformed_request", ["/grant_type"]),
        ({"grant_type": ""}, 422, "malformed_request", ["/grant_type"]),
        ({"grant_type": "authorization_code", "code": "x"}, 422, "malformed_request", ["/code"]),
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type", []),
        ({"grant_type": "Password", "username": "a", "password": "b"}, 400, "unsupported_grant_type", []),
        ({"grant_type": "password"}, 422, "malformed_request", ["/username", "/password"]),
        ({"grant_type": "password", "username": "s001.clerk"}, 422, "malformed_request", ["/password"]),
        ({"grant_type": "password", "username": "a\x00b", "password": "x"}, 422, "malformed_request", ["/username"]),
        ({"grant_type": "password", "username": "a" * 201, "password": "x"}, 422, "malformed_request", ["/username"]),
        ({"grant_type": "refresh_token"}, 422, "malformed_request", ["/refresh_token"]),
        ({"grant_type": "client_credentials"}, 422, "malformed_request", ["/client_id", "/client_secret"]),
        ({"grant_type": "client_credentials", "client_id": "bureau-housing"}, 422, "malformed_request", ["/client_secret"]),
        (
            {"grant_type": "client_credentials", "client_assertion": "x", "client_assertion_type": "jwt"},
            422,
            "malformed_request",
            ["/client_assertion_type"],
        ),
        (
            {"grant_type": "client_credentials", "client_assertion": "x", "client_id": "a", "client_secret": "b"},
            400,
            "several_client_credentials",
            [],
        ),
    ],
)
async def test_malformed_forms(
    anonymous: httpx.AsyncClient, form: dict[str, str], status: int, code: str, pointers: list[str]
) -> None:
    answer = await anonymous.post(TOKEN, data=form)
    assert code_of(answer) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json().get("errors", [])] == pointers
    assert any("\u4e00" <= character <= "\u9fff" for character in answer.json()["detail"])


async def test_json_is_told_to_come_as_a_form(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.post(TOKEN, json={"grant_type": "password", "username": "s001.clerk", "password": DEMO_PASSWORD})
    assert code_of(answer) == (415, "unsupported_media_type")


async def test_what_a_documentation_page_sends_along_is_tolerated(anonymous: httpx.AsyncClient) -> None:
    """Swagger UI sends empty client fields, a scope and an empty Basic header with the password grant."""
    form = {"grant_type": "password", "username": "s001.clerk", "password": DEMO_PASSWORD}
    more = {"scope": "", "client_id": "", "client_secret": ""}
    answer = await anonymous.post(TOKEN, data=form | more, headers={"Authorization": "Basic Og=="})
    assert answer.status_code == 200, answer.text


# --- lock-out ------------------------------------------------------------------------------------------------------------


async def test_the_lock_comes_exactly_at_the_limit_and_ends(runtime: Runtime, world: World) -> None:
    account = await make_account(runtime)
    async with caller(sibling(runtime, lockout_failures=3, lockout_seconds=2)) as client:
        for _ in range(2):
            assert code_of(await by_password(client, account.username, "Wrong-Horse-7")) == (401, "invalid_credentials")
        assert (await by_password(client, account.username)).status_code == 200, "one below the limit, and success resets"
        for _ in range(3):
            assert code_of(await by_password(client, account.username, "Wrong-Horse-7")) == (401, "invalid_credentials")
        locked = await by_password(client, account.username)
        assert code_of(locked) == (429, "locked_out")
        assert 1 <= int(locked.headers["retry-after"]) <= 2
        await asyncio.sleep(2.05)
        assert code_of(await by_password(client, account.username, "Wrong-Horse-7")) == (401, "invalid_credentials")
        assert (await by_password(client, account.username)).status_code == 200, "a new row of failures has begun"


async def test_a_name_that_nobody_has_locks_just_the_same(runtime: Runtime, world: World) -> None:
    account, nobody = await make_account(runtime), unique()
    shapes = []
    async with caller(sibling(runtime, lockout_failures=2, lockout_seconds=60)) as client:
        for name in (account.username, nobody):
            answers = [await by_password(client, name, "Wrong-Horse-7") for _ in range(4)]
            shapes.append([(a.status_code, a.json()["code"], a.json()["detail"], "retry-after" in a.headers) for a in answers])
    assert shapes[0] == shapes[1]
    assert [shape[0] for shape in shapes[0]] == [401, 401, 429, 429]
    names = await scalar(runtime, "SELECT string_agg(name, ' ') FROM sign_in_failures")
    assert nobody not in names


async def test_parallel_failures_are_all_counted(runtime: Runtime, world: World) -> None:
    account = await make_account(runtime)
    async with caller(sibling(runtime, lockout_failures=5, lockout_seconds=60)) as client:
        answers = await asyncio.gather(*(by_password(client, account.username, "Wrong-Horse-7") for _ in range(20)))
        assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 15
        assert code_of(await by_password(client, account.username)) == (429, "locked_out")
    counted = await scalar(runtime, "SELECT failures FROM sign_in_failures WHERE name = :name", name=f"account:{account.id}")
    refused = [row for row in await audit_of(runtime, account.id) if row[:2] == ("sign_in", "refused")]
    assert len(refused) == counted, "every counted failure is on record, and those refused at the door weren't checked at all"
    assert 5 <= counted <= 20


async def test_parallel_failures_below_the_limit_count_one_by_one(runtime: Runtime, world: World) -> None:
    account = await make_account(runtime)
    async with caller(sibling(runtime, lockout_failures=100)) as client:
        answers = await asyncio.gather(*(by_password(client, account.username, "Wrong-Horse-7") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {401}
    counted = "SELECT failures FROM sign_in_failures WHERE name = :name"
    assert await scalar(runtime, counted, name=f"account:{account.id}") == 20


async def test_the_right_password_among_many_parallel_guesses_gains_nothing(runtime: Runtime, world: World) -> None:
    account = await make_account(runtime)
    async with caller(sibling(runtime, lockout_failures=2, lockout_seconds=60)) as client:
        guesses = ["Wrong-Horse-7"] * 30 + [PASSWORD]
        answers = await asyncio.gather(*(by_password(client, account.username, guess) for guess in guesses))
    assert answers[-1].status_code == 429


async def test_known_and_unknown_names_take_the_same_time(runtime: Runtime, world: World) -> None:
    """Coarse on purpose: what it catches is a refusal without the work of a hash, which is 20 times as fast."""
    account = await make_account(runtime)
    times: dict[bool, list[float]] = {True: [], False: []}
    async with caller(sibling(runtime, lockout_failures=1000)) as client:
        for turn in range(30):
            known = turn % 2 == 0
            started = time.perf_counter()
            await by_password(client, account.username if known else unique(), "Wrong-Horse-7")
            times[known].append(time.perf_counter() - started)
    known_median, unknown_median = (sorted(times[kind])[len(times[kind]) // 2] for kind in (True, False))
    assert 0.5 < known_median / unknown_median < 2


# --- renewing ------------------------------------------------------------------------------------------------------------


async def signed_in(client: httpx.AsyncClient, runtime: Runtime) -> tuple[str, str, str]:
    """Username, access token, refresh token of a new account."""
    account = await make_account(runtime)
    body = (await by_password(client, account.username)).json()
    return account.username, body["access_token"], body["refresh_token"]


async def status_of(client: httpx.AsyncClient, access_token: str) -> int:
    return (await client.get(ME, headers=bearer(access_token))).status_code


async def test_a_refresh_token_gives_the_next_pair(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    _, access, refresh = await signed_in(anonymous, runtime)
    for _ in range(3):
        answer = await by_refresh(anonymous, refresh)
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) == {"access_token", "refresh_token", "token_type", "expires_in"}
        assert answer.json()["refresh_token"] != refresh
        refresh = answer.json()["refresh_token"]
        assert await status_of(anonymous, answer.json()["access_token"]) == 200
    assert await status_of(anonymous, access) == 200


async def test_a_used_refresh_token_ends_the_whole_sign_in(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    username, access, first = await signed_in(anonymous, runtime)
    other = (await by_password(anonymous, username)).json()
    second = (await by_refresh(anonymous, first)).json()
    assert code_of(await by_refresh(anonymous, first)) == (401, "invalid_refresh_token")
    assert code_of(await by_refresh(anonymous, second["refresh_token"])) == (401, "invalid_refresh_token")
    assert [await status_of(anonymous, token) for token in (access, second["access_token"])] == [401, 401]
    assert await status_of(anonymous, other["access_token"]) == 200, "another sign-in of the same account goes on"
    assert (await by_refresh(anonymous, other["refresh_token"])).status_code == 200
    account = await scalar(runtime, "SELECT id FROM account WHERE username = :name", name=username)
    assert ("refresh_token_reused", "refused") in [row[:2] for row in await audit_of(runtime, account)]


@pytest.mark.parametrize("round_", range(3))
async def test_of_simultaneous_refreshes_one_succeeds_and_the_sign_in_ends(
    anonymous: httpx.AsyncClient, runtime: Runtime, round_: int
) -> None:
    _, access, refresh = await signed_in(anonymous, runtime)
    answers = await asyncio.gather(*(by_refresh(anonymous, refresh) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]
    won = next(answer.json() for answer in answers if answer.status_code == 200)
    assert (await by_refresh(anonymous, won["refresh_token"])).status_code == 401
    assert [await status_of(anonymous, token) for token in (access, won["access_token"])] == [401, 401]


async def test_renewing_prolongs_no_sign_in_and_an_expired_one_is_over(runtime: Runtime, world: World) -> None:
    account = await make_account(runtime)
    async with caller(sibling(runtime, refresh_token_seconds=1)) as client:
        first = (await by_password(client, account.username)).json()
        second = await by_refresh(client, first["refresh_token"])
        assert second.status_code == 200
        await asyncio.sleep(1.05)
        assert code_of(await by_refresh(client, second.json()["refresh_token"])) == (401, "invalid_refresh_token")


@pytest.mark.parametrize("token", ["x", "é" * 50, "a.b.c", "0" * 43])
async def test_tokens_that_nobody_was_given(anonymous: httpx.AsyncClient, token: str) -> None:
    assert code_of(await by_refresh(anonymous, token)) == (401, "invalid_refresh_token")


async def test_refresh_tokens_are_stored_as_digests_only(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    _, _, refresh = await signed_in(anonymous, runtime)
    found = await scalar(runtime, "SELECT count(*) FROM refresh_token r WHERE r::text LIKE :t", t=f"%{refresh}%")
    assert found == 0


async def test_an_access_token_is_no_refresh_token_and_the_reverse(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    _, access, refresh = await signed_in(anonymous, runtime)
    assert (await by_refresh(anonymous, access)).status_code == 401
    assert await status_of(anonymous, refresh) == 401


async def test_what_an_account_lost_is_not_renewed(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    username, access, refresh = await signed_in(anonymous, runtime)
    async with transaction(runtime.engine) as session:
        await session.execute(text("UPDATE account SET disabled_at = now() WHERE username = :n"), {"n": username})
    assert await status_of(anonymous, access) == 401
    assert code_of(await by_refresh(anonymous, refresh)) == (401, "invalid_refresh_token")


# --- signing out, revocation ---------------------------------------------------------------------------------------------


async def test_signing_out_ends_every_token_of_the_sign_in_at_once(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    username, first, refresh = await signed_in(anonymous, runtime)
    renewed = (await by_refresh(anonymous, refresh)).json()
    elsewhere = (await by_password(anonymous, username)).json()
    out = await anonymous.post("/api/v1/auth/logout", headers=bearer(renewed["access_token"]))
    assert (out.status_code, out.content) == (204, b"")
    assert [await status_of(anonymous, token) for token in (first, renewed["access_token"])] == [401, 401]
    assert (await anonymous.post("/api/v1/auth/logout", headers=bearer(first))).json()["code"] == "token_revoked"
    assert (await by_refresh(anonymous, renewed["refresh_token"])).status_code == 401
    assert await status_of(anonymous, elsewhere["access_token"]) == 200
    account = await scalar(runtime, "SELECT id FROM account WHERE username = :name", name=username)
    assert ("sign_out", "done") in [row[:2] for row in await audit_of(runtime, account)]


async def test_a_refresh_racing_with_signing_out_leaves_nothing_alive(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    for _ in range(5):
        _, access, refresh = await signed_in(anonymous, runtime)
        renewed, _ = await asyncio.gather(
            by_refresh(anonymous, refresh), anonymous.post("/api/v1/auth/logout", headers=bearer(access))
        )
        if renewed.status_code == 200:
            assert await status_of(anonymous, renewed.json()["access_token"]) == 401
            assert (await by_refresh(anonymous, renewed.json()["refresh_token"])).status_code == 401


async def test_a_revoked_jti_is_refused(runtime: Runtime, anonymous: httpx.AsyncClient, world: World) -> None:
    account = await make_account(runtime)
    access = (await by_password(anonymous, account.username)).json()["access_token"]
    claims = runtime.tokens.verify_access_token(access)
    async with transaction(runtime.engine) as session:
        values = {"jti": str(claims.jti), "until": datetime.now(UTC) + timedelta(hours=1)}
        await session.execute(text("INSERT INTO revoked_token VALUES (:jti, :until, now())"), values)
    assert code_of(await anonymous.get(ME, headers=bearer(access))) == (401, "token_revoked")


async def test_without_a_token_or_with_a_broken_one(anonymous: httpx.AsyncClient) -> None:
    assert code_of(await anonymous.get(ME)) == (401, "token_missing")
    assert code_of(await anonymous.post("/api/v1/auth/logout")) == (401, "token_missing")
    assert code_of(await anonymous.get(ME, headers=bearer("a.b.c"))) == (401, "invalid_token")
    assert (await anonymous.get(ME, headers=bearer("a.b.c"))).headers["www-authenticate"] == "Bearer"


# --- own password --------------------------------------------------------------------------------------------------------

NEW = "Battery-Staple-8"


async def change(client: httpx.AsyncClient, access: str, old: str, new: str) -> httpx.Response:
    return await client.post(ME + "/password", headers=bearer(access), json={"old_password": old, "new_password": new})


async def test_changing_the_own_password_keeps_only_this_sign_in(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    username, access, refresh = await signed_in(anonymous, runtime)
    other = (await by_password(anonymous, username)).json()
    answer = await change(anonymous, access, PASSWORD, NEW)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await status_of(anonymous, access) == 200
    assert (await by_refresh(anonymous, refresh)).status_code == 200
    assert await status_of(anonymous, other["access_token"]) == 401
    assert (await by_refresh(anonymous, other["refresh_token"])).status_code == 401
    assert (await by_password(anonymous, username, PASSWORD)).status_code == 401
    assert (await by_password(anonymous, username, NEW)).status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "code", "fault"),
    [
        ("Wrong-Horse-7", NEW, "malformed_request", "wrong_password"),
        (PASSWORD, "Short-1", "weak_password", "password_too_short"),
        (PASSWORD, "onlysmallletters", "weak_password", "password_too_simple"),
        (PASSWORD, PASSWORD, "weak_password", "password_unchanged"),
    ],
)
async def test_refused_changes_of_the_own_password(
    anonymous: httpx.AsyncClient, runtime: Runtime, old: str, new: str, code: str, fault: str
) -> None:
    username, access, _ = await signed_in(anonymous, runtime)
    answer = await change(anonymous, access, old, new)
    assert code_of(answer) == (422, code)
    assert fault in [error["code"] for error in answer.json()["errors"]]
    assert (await by_password(anonymous, username, PASSWORD)).status_code == 200


async def test_guessing_the_old_password_locks_out(runtime: Runtime, world: World) -> None:
    async with caller(sibling(runtime, lockout_failures=3, lockout_seconds=60)) as client:
        username, access, _ = await signed_in(client, runtime)
        for _ in range(3):
            assert (await change(client, access, "Wrong-Horse-7", NEW)).status_code == 422
        assert code_of(await change(client, access, PASSWORD, NEW)) == (429, "locked_out")
        assert code_of(await by_password(client, username)) == (429, "locked_out")


async def test_a_one_time_password_is_good_for_setting_one_s_own(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    account = await make_account(runtime, must_change_password=True)
    access = (await by_password(anonymous, account.username)).json()["access_token"]
    assert (await anonymous.get(ME, headers=bearer(access))).json()["must_change_password"] is True
    areas = "/api/v1/areas"
    assert code_of(await anonymous.get(areas, headers=bearer(access))) == (403, "password_change_required")
    assert (await change(anonymous, access, PASSWORD, NEW)).status_code == 204
    assert (await anonymous.get(areas, headers=bearer(access))).status_code == 200
    assert (await anonymous.get(ME, headers=bearer(access))).json()["must_change_password"] is False


# --- on record -----------------------------------------------------------------------------------------------------------


async def test_sign_ins_are_on_record_without_any_secret(runtime: Runtime, world: World) -> None:
    account = await make_account(runtime)
    typed = unique("Typed-Secret")
    async with caller(sibling(runtime, lockout_failures=2, lockout_seconds=60)) as client:
        assert (await by_password(client, account.username)).status_code == 200
        for _ in range(3):
            await by_password(client, account.username, typed)
        await by_password(client, typed, typed)
    about = await audit_of(runtime, account.id)
    assert [row[:4] for row in about] == [
        ("sign_in", "done", None, account.username),
        ("sign_in", "refused", "invalid_credentials", "anonymous"),
        ("sign_in", "refused", "invalid_credentials", "anonymous"),
    ]
    assert about[1][4] == {"grant": "password", "cause": "wrong_secret"}
    async with transaction(runtime.seal_engine) as session:
        whole = text("SELECT count(*) FROM audit_record r WHERE r::text ILIKE :typed OR r::text LIKE :right")
        found = (await session.execute(whole, {"typed": f"%{typed}%", "right": f"%{PASSWORD}%"})).scalar_one()
        unknown = text("SELECT count(*) FROM audit_record WHERE action = 'sign_in' AND details ->> 'cause' = 'unknown_name'")
        assert (await session.execute(unknown)).scalar_one() > 0
        locked = text("SELECT count(*) FROM audit_record WHERE action = :action AND reason = 'locked_out'")
        assert (await session.execute(locked, {"action": f"POST {TOKEN}"})).scalar_one() > 0
    assert found == 0
    assert await scalar(runtime, "SELECT count(*) FROM sign_in_failures f WHERE f::text ILIKE :typed", typed=f"%{typed}%") == 0
