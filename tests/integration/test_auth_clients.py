"""Signing in of other bureaus' systems: by secret, by HTTP Basic, by an assertion of their own."""

from __future__ import annotations

import asyncio
import base64
import time
from datetime import UTC, datetime
from urllib.parse import quote_plus

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.db.tables.accounts import Client
from app.runtime import Runtime
from app.security.passwords import DEMO_CLIENT_SECRET, Passwords
from tests.integration.auth_kit import (
    TOKEN,
    assertion_of,
    audit_of,
    bearer,
    by_assertion,
    by_secret,
    caller,
    jwk_of,
    make_client,
    scalar,
    sibling,
    unique,
)
from tests.world import World

pytestmark = pytest.mark.db
ME = "/api/v1/me"
SECRET = "a-secret:with%odd &+characters-7"
PRIVATE = ec.generate_private_key(ec.SECP256R1())


def audience(runtime: Runtime) -> str:
    return runtime.settings.issuer + TOKEN


async def with_secret(runtime: Runtime) -> Client:
    return await make_client(runtime, secret_hash=await runtime.passwords.hash(SECRET))


def refused(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()["code"]) == (401, "invalid_client")


async def test_a_demo_bureau_signs_in_and_is_itself(anonymous: httpx.AsyncClient) -> None:
    answer = await by_secret(anonymous, "bureau-housing", DEMO_CLIENT_SECRET)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
    me = (await anonymous.get(ME, headers=bearer(answer.json()["access_token"]))).json()
    assert (me["kind"], me["username"], me["display_name"]) == ("client", "bureau-housing", "住房保障部门（演示）")
    assert (me["level"], me["area_code"], me["area_name"], me["duties"]) == ("district", "350702", "延平区", ["bureau"])


async def test_secrets_travel_in_the_form_or_in_http_basic(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    client = await with_secret(runtime)
    assert (await by_secret(anonymous, client.client_id, SECRET)).status_code == 200
    pair = f"{quote_plus(client.client_id)}:{quote_plus(SECRET)}"
    headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    form = {"grant_type": "client_credentials"}
    assert (await anonymous.post(TOKEN, data=form, headers=headers)).status_code == 200
    assert (await anonymous.post(TOKEN, data=form | {"client_id": client.client_id}, headers=headers)).status_code == 200
    assert refused(await anonymous.post(TOKEN, data=form | {"client_id": "bureau-housing"}, headers=headers))
    twice = await anonymous.post(TOKEN, data=form | {"client_secret": SECRET}, headers=headers)
    assert (twice.status_code, twice.json()["code"]) == (400, "several_client_credentials")


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic /w==", "Basic " + base64.b64encode(b"x:y").decode()])
async def test_unreadable_and_wrong_basic_headers(anonymous: httpx.AsyncClient, header: str) -> None:
    answer = await anonymous.post(TOKEN, data={"grant_type": "client_credentials"}, headers={"Authorization": header})
    assert answer.status_code in (401, 422), answer.text
    assert answer.json()["code"] in ("invalid_client", "malformed_request")


async def test_unknown_wrong_and_disabled_clients_look_the_same(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    client = await with_secret(runtime)
    disabled = await make_client(runtime, secret_hash=client.secret_hash, disabled_at=datetime.now(UTC))
    keyed = await make_client(runtime, public_jwk=jwk_of(PRIVATE))
    answers = [
        await by_secret(anonymous, unique(), SECRET),
        await by_secret(anonymous, client.client_id, "wrong"),
        await by_secret(anonymous, disabled.client_id, SECRET),
        await by_secret(anonymous, keyed.client_id, SECRET),
        await by_secret(anonymous, client.client_id.upper(), SECRET),
    ]
    assert all(refused(answer) for answer in answers)
    assert len({str(answer.json() | {"trace_id": ""}) for answer in answers}) == 1


async def test_the_demo_secret_opens_nothing_outside_demo_mode(runtime: Runtime, world: World) -> None:
    real = sibling(runtime, demo=False, passwords=Passwords(demo=False))
    own = await with_secret(runtime)
    async with caller(real) as client:
        assert refused(await by_secret(client, "bureau-education", DEMO_CLIENT_SECRET))
        assert (await by_secret(client, own.client_id, SECRET)).status_code == 200


async def test_guessing_a_secret_locks_out_but_signatures_still_count(runtime: Runtime, world: World) -> None:
    guessed = await with_secret(runtime)
    keyed = await make_client(runtime, public_jwk=jwk_of(PRIVATE))
    async with caller(sibling(runtime, lockout_failures=2, lockout_seconds=60)) as client:
        for target in (guessed, keyed):
            answers = [await by_secret(client, target.client_id, "wrong") for _ in range(3)]
            assert [answer.status_code for answer in answers] == [401, 401, 429]
        assert (await by_secret(client, guessed.client_id, SECRET)).status_code == 429
        signed = assertion_of(PRIVATE, keyed.client_id, audience(runtime))
        assert (await by_assertion(client, signed)).status_code == 200


async def test_an_assertion_is_good_once(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    client = await make_client(runtime, public_jwk=jwk_of(PRIVATE))
    signed = assertion_of(PRIVATE, client.client_id, audience(runtime))
    first = await by_assertion(anonymous, signed, client_id=client.client_id)
    assert first.status_code == 200, first.text
    assert "refresh_token" not in first.json()
    assert (await anonymous.get(ME, headers=bearer(first.json()["access_token"]))).status_code == 200
    assert refused(await by_assertion(anonymous, signed))
    signed = assertion_of(PRIVATE, client.client_id, audience(runtime))
    answers = await asyncio.gather(*(by_assertion(anonymous, signed) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]


async def test_a_jti_counts_per_client(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    for _ in range(2):
        client = await make_client(runtime, public_jwk=jwk_of(PRIVATE))
        signed = assertion_of(PRIVATE, client.client_id, audience(runtime), jti="the-same")
        assert (await by_assertion(anonymous, signed)).status_code == 200


async def test_refused_assertions(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    client = await make_client(runtime, public_jwk=jwk_of(PRIVATE))
    disabled = await make_client(runtime, public_jwk=jwk_of(PRIVATE), disabled_at=datetime.now(UTC))
    secret = await with_secret(runtime)
    aud, past = audience(runtime), int(time.time()) - 400
    stranger = ec.generate_private_key(ec.SECP256R1())
    for assertion in (
        assertion_of(stranger, client.client_id, aud),
        assertion_of(PRIVATE, client.client_id, "https://elsewhere.example" + TOKEN),
        assertion_of(PRIVATE, client.client_id, aud, iat=past, exp=past + 60),
        assertion_of(PRIVATE, client.client_id, aud, iss="bureau-housing"),
        assertion_of(PRIVATE, unique(), aud),
        assertion_of(PRIVATE, secret.client_id, aud),
        assertion_of(PRIVATE, disabled.client_id, aud),
        "x",
    ):
        assert refused(await by_assertion(anonymous, assertion)), assertion
    good = assertion_of(PRIVATE, client.client_id, aud)
    assert refused(await by_assertion(anonymous, good, client_id="bureau-housing"))
    assert (await by_assertion(anonymous, good)).status_code == 200, "a refusal doesn't use the assertion up"


async def test_a_client_signs_out_and_has_no_password_to_change(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    client = await with_secret(runtime)
    headers = bearer((await by_secret(anonymous, client.client_id, SECRET)).json()["access_token"])
    body = {"old_password": SECRET, "new_password": "Battery-Staple-8"}
    answer = await anonymous.post(ME + "/password", headers=headers, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "duty_required")
    assert (await anonymous.post("/api/v1/auth/logout", headers=headers)).status_code == 204
    assert (await anonymous.get(ME, headers=headers)).status_code == 401
    seen = [row[:2] for row in await audit_of(runtime, client.id)]
    assert seen == [("sign_in", "done"), ("sign_out", "done")]


async def test_no_secret_is_on_record(anonymous: httpx.AsyncClient, runtime: Runtime) -> None:
    client = await with_secret(runtime)
    await by_secret(anonymous, client.client_id, "Some-Wrong-Secret")
    assert [row[:3] for row in await audit_of(runtime, client.id)] == [("sign_in", "refused", "invalid_client")]
    for table in ("client", "sign_in_failures", "revoked_token"):
        count = f"SELECT count(*) FROM {table} r WHERE r::text LIKE '%Some-Wrong-Secret%' OR r::text LIKE :secret"
        assert await scalar(runtime, count, secret=f"%{SECRET}%") == 0
