"""Contract §3: tokens, what they carry, who has which duty."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.contract.kit import PASSWORD, SECRET, UUID7, V1, Json, ok, problem
from tests.demo_world import Demo

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]

ACCOUNTS = {
    "district.reviewer": ("district", "350702", ["reviewer"]),
    "district.finance": ("district", "350702", ["finance"]),
    "district.approver": ("district", "350702", ["approver"]),
    "district.treasury": ("district", "350702", ["treasury"]),
    "district.canlian": ("district", "350702", ["disability_federation"]),
    "district.inspector": ("district", "350702", ["inspector"]),
    "district.policy": ("district", "350702", ["policy_officer"]),
    "district.auditor": ("district", "350702", ["auditor"]),
    "district.admin": ("district", "350702", ["admin"]),
    "s001.clerk": ("subdistrict", "350702001", ["station_clerk"]),
    "s001.head": ("subdistrict", "350702001", ["station_head"]),
    "s002.clerk": ("subdistrict", "350702002", ["station_clerk"]),
    "s002.head": ("subdistrict", "350702002", ["station_head"]),
    "c001001.worker": ("community", "350702001001", ["community_worker"]),
    "c002001.worker": ("community", "350702002001", ["community_worker"]),
}


@pytest_asyncio.fixture(loop_scope="session")
async def http(demo: Demo) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=demo.app), base_url="http://test") as client:
        yield client


def claims_of(token: str) -> Json:
    part = token.split(".")[1]
    claims: Json = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def header_of(token: str) -> Json:
    part = token.split(".", maxsplit=1)[0]
    header: Json = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return header


async def sign_in(http: httpx.AsyncClient, username: str) -> Json:
    form = {"grant_type": "password", "username": username, "password": PASSWORD}
    return await ok(await http.post(f"{V1}/auth/token", data=form))


def bearer(tokens: Json) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


@pytest.mark.parametrize("username", ACCOUNTS)
async def test_every_demo_account_signs_in(http: httpx.AsyncClient, username: str) -> None:
    level, area, duties = ACCOUNTS[username]
    tokens = await sign_in(http, username)
    assert set(tokens) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert tokens["token_type"] == "bearer"
    assert 0 < tokens["expires_in"] <= 900
    claims = claims_of(tokens["access_token"])
    assert {"iss", "aud", "sub", "jti", "iat", "exp", "level", "area", "duties"} <= set(claims)
    assert header_of(tokens["access_token"])["alg"] == "ES256"
    assert claims["exp"] - claims["iat"] <= 900
    assert (claims["level"], claims["area"], claims["duties"]) == (level, area, duties)
    me = await ok(await http.get(f"{V1}/me", headers=bearer(tokens)))
    assert (me["username"], me["level"], me["area_code"], me["duties"]) == (username, level, area, duties)
    assert me["id"] == claims["sub"]
    assert UUID7.fullmatch(claims["sub"])
    assert UUID7.fullmatch(claims["jti"])


@pytest.mark.parametrize("client_id", ["bureau-housing", "bureau-education"])
async def test_the_bureau_clients_sign_in(http: httpx.AsyncClient, client_id: str) -> None:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": SECRET}
    answer = await http.post(f"{V1}/auth/token", data=form)
    assert answer.headers["cache-control"] == "no-store"
    tokens = await ok(answer)
    assert {"access_token", "token_type", "expires_in"} <= set(tokens)
    by_header = await http.post(f"{V1}/auth/token", data={"grant_type": "client_credentials"}, auth=(client_id, SECRET))
    await ok(by_header)
    problem(await http.post(f"{V1}/auth/token", data=form | {"client_secret": "wrong"}), 401)
    problem(await http.get(f"{V1}/persons", headers=bearer(tokens)), 403)


async def test_a_refresh_token_works_once(http: httpx.AsyncClient) -> None:
    first = await sign_in(http, "s002.head")
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = await ok(await http.post(f"{V1}/auth/token", data=form))
    assert second["refresh_token"] != first["refresh_token"]
    await ok(await http.get(f"{V1}/me", headers=bearer(second)))
    problem(await http.post(f"{V1}/auth/token", data=form), 401)


async def test_logout_revokes(http: httpx.AsyncClient) -> None:
    tokens = await sign_in(http, "district.auditor")
    assert (await http.post(f"{V1}/auth/logout", headers=bearer(tokens))).status_code in (200, 204)
    problem(await http.get(f"{V1}/me", headers=bearer(tokens)), 401)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    problem(await http.post(f"{V1}/auth/token", data=form), 401)


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"grant_type": "password", "username": "s001.clerk", "password": "wrong"}, 401),
        ({"grant_type": "password", "username": "nobody", "password": PASSWORD}, 401),
        ({"grant_type": "password", "username": "s001.clerk"}, 422),
        ({"grant_type": "implicit"}, 400),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 401),
        ({}, 422),
    ],
)
async def test_what_is_refused(http: httpx.AsyncClient, form: dict[str, str], status: int) -> None:
    problem(await http.post(f"{V1}/auth/token", data=form), status)


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
async def test_no_valid_token_is_401(http: httpx.AsyncClient, token: str) -> None:
    answer = await http.get(f"{V1}/me", headers={"Authorization": f"Bearer {token}"})
    problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


MAY = [
    ("c001001.worker", "POST", "/persons", True),
    ("s001.head", "POST", "/persons", False),
    ("s001.clerk", "POST", "/applications/{id}/accept", True),
    ("c001001.worker", "POST", "/applications/{id}/accept", False),
    ("s001.head", "POST", "/applications/{id}/give-opinion", True),
    ("s001.clerk", "POST", "/applications/{id}/give-opinion", False),
    ("district.reviewer", "POST", "/applications/{id}/confirm", True),
    ("s001.clerk", "POST", "/applications/{id}/confirm", False),
    ("district.finance", "POST", "/payment-batches", True),
    ("district.approver", "POST", "/payment-batches", False),
    ("district.approver", "POST", "/payment-batches/{id}/approve", True),
    ("district.finance", "POST", "/payment-batches/{id}/release", False),
    ("district.treasury", "GET", "/payment-batches", True),
    ("district.treasury", "GET", "/persons", False),
    ("district.treasury", "POST", "/payment-batches/{id}/treasury-accept", True),
    ("district.auditor", "GET", "/persons", True),
    ("district.auditor", "GET", "/applications", True),
    ("district.auditor", "GET", "/payment-batches", True),
    ("district.auditor", "POST", "/persons", False),
    ("district.admin", "GET", "/accounts", True),
    ("district.admin", "GET", "/persons", False),
    ("district.admin", "GET", "/applications", False),
    ("district.admin", "GET", "/payment-batches", False),
    ("s001.clerk", "GET", "/accounts", False),
]


@pytest.mark.parametrize(("name", "method", "path", "may"), MAY)
async def test_duties(demo: Demo, name: str, method: str, path: str, may: bool) -> None:
    url = V1 + path.replace("{id}", "01a201c1-60c6-70d4-beef-fff42253abf7")
    headers = {"Idempotency-Key": f"{name}{path}"} if method == "POST" else {}
    answer = await demo.callers[name].http.request(method, url, json={} if method == "POST" else None, headers=headers)
    assert (answer.status_code != 403) is may, answer.text
