"""The short way answers what the route answers, and whatever isn't clean is left to the route."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import time_machine
from sqlalchemy import text

from app.db.repositories.policy import ParameterBooks
from app.db.session import transaction
from app.domain.access import Duty, Level
from app.domain.errors import Unauthenticated
from app.ids import new_id
from app.quick_assessment import ASSESSMENT
from app.quick_way import MAX_BODY_BYTES, VerifiedTokens, answer_quickly
from app.routers.v1.eligibility import PATH
from app.runtime import Runtime
from app.security.keys import KeyRing
from app.security.tokens import Tokens
from tests.integration.test_eligibility_api import EXAMPLE
from tests.world import World

pytestmark = pytest.mark.db
SignIn = Callable[[str], httpx.AsyncClient]


async def _answer(runtime: Runtime, token: str, body: bytes) -> bytes | None:
    return await answer_quickly(runtime, TOKENS, ASSESSMENT, token, body)


TOKENS = VerifiedTokens()


def example(**values: Any) -> dict[str, Any]:
    return copy.deepcopy(EXAMPLE) | values


def token_of(client: httpx.AsyncClient) -> str:
    return client.headers["authorization"].removeprefix("Bearer ")


@pytest.mark.parametrize("programmes", [None, ["dibao"], ["dibao", "tekun", "disability_care"]])
@pytest.mark.parametrize("day", ["2025-10-15", "2026-08-15"])
async def test_both_ways_give_the_same_answer(sign_in: SignIn, programmes: list[str] | None, day: str) -> None:
    client = sign_in("s001.clerk")
    asked = example(programmes=programmes, business_date=day)
    quick, ordinary = await client.post(PATH, json=asked), await client.post(f"{PATH}?explain=false", json=asked)
    assert quick.status_code == ordinary.status_code == 200
    assert quick.json() == ordinary.json()
    varying = {"x-trace-id", "date"}
    assert {k: v for k, v in quick.headers.items() if k not in varying} == {
        k: v for k, v in ordinary.headers.items() if k not in varying
    }


async def test_a_clean_request_takes_the_short_way(runtime: Runtime, sign_in: SignIn) -> None:
    client = sign_in("s001.clerk")
    await client.post(f"{PATH}?explain=false", json=EXAMPLE)  # the parameters are kept from here on
    answer = await _answer(runtime, token_of(client), orjson.dumps(EXAMPLE))
    assert answer is not None
    assert orjson.loads(answer) == (await client.post(PATH, json=EXAMPLE)).json()


def household(**values: Any) -> dict[str, Any]:
    return example(household=EXAMPLE["household"] | values)


UNCLEAN: list[Any] = [
    example(area_code="350702999999"),
    example(area_code="99"),
    example(business_date="1999-01-01"),
    example(programmes=["nothing"]),
    example(surplus=1),
    household(members=[]),
    household(deductible_monthly_fen=1.5),
    household(members=[*EXAMPLE["household"]["members"], EXAMPLE["household"]["members"][0]]),
    [],
    None,
]


@pytest.mark.parametrize("asked", UNCLEAN, ids=range(len(UNCLEAN)))
async def test_what_is_not_clean_is_refused_by_the_route(runtime: Runtime, sign_in: SignIn, asked: Any) -> None:
    client = sign_in("s001.clerk")
    assert await _answer(runtime, token_of(client), orjson.dumps(asked)) is None
    quick = await client.post(PATH, content=orjson.dumps(asked), headers={"content-type": "application/json"})
    ordinary = await client.post(
        f"{PATH}?explain=false", content=orjson.dumps(asked), headers={"content-type": "application/json"}
    )
    assert quick.status_code == ordinary.status_code >= 400
    assert quick.json() | {"trace_id": None} == ordinary.json() | {"trace_id": None}


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b'{"a": 1, "a": 2}', b'{"a": NaN}', b'"\\ud800"', b"[" * 2000, b'{"a": 1e999}', b" " * MAX_BODY_BYTES]
)
async def test_a_body_that_is_no_clean_json_is_refused_by_the_route(sign_in: SignIn, body: bytes) -> None:
    client = sign_in("s001.clerk")
    answer = await client.post(PATH, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "malformed_request"


async def test_a_long_body_is_answered_all_the_same(sign_in: SignIn) -> None:
    body = orjson.dumps(EXAMPLE) + b" " * MAX_BODY_BYTES
    answer = await sign_in("s001.clerk").post(PATH, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200


async def test_a_body_in_pieces_is_answered(sign_in: SignIn) -> None:
    whole = orjson.dumps(EXAMPLE)

    async def pieces() -> Any:
        for start in range(0, len(whole), 100):
            yield whole[start : start + 100]

    headers = {"content-type": "application/json", "content-length": str(len(whole))}
    answer = await sign_in("s001.clerk").post(PATH, content=pieces(), headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "bearer x"}, {"Authorization": "Basic eDp5"}]
)
async def test_without_a_token_the_route_refuses(anonymous: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await anonymous.post(PATH, json=EXAMPLE, headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize("account", ["admin"])
async def test_without_a_duty_the_route_refuses(runtime: Runtime, sign_in: SignIn, world: World, account: str) -> None:
    username = next(name for name, one in world.accounts.items() if set(one.duties) == {Duty.ADMIN})
    client = sign_in(username)
    assert await _answer(runtime, token_of(client), orjson.dumps(EXAMPLE)) is None
    assert (await client.post(PATH, json=EXAMPLE)).status_code == 403


async def test_a_token_that_no_longer_counts_is_refused(runtime: Runtime, world: World) -> None:
    account = world.accounts["s001.clerk"]
    values = {"level": Level.SUBDISTRICT, "area": account.area, "duties": [Duty.STATION_CLERK]}
    stranger = runtime.tokens.issue_access_token(subject=new_id(), **values)  # type: ignore[arg-type]
    assert await _answer(runtime, stranger, orjson.dumps(EXAMPLE)) is None
    elsewhere = runtime.tokens.issue_access_token(subject=account.id, **values | {"area": "350702002"})  # type: ignore[arg-type]
    assert await _answer(runtime, elsewhere, orjson.dumps(EXAMPLE)) is None
    revoked = runtime.tokens.issue_access_token(subject=account.id, **values)  # type: ignore[arg-type]
    assert await _answer(runtime, revoked, orjson.dumps(EXAMPLE)) is not None
    jti = runtime.tokens.verify_access_token(revoked).jti
    async with transaction(runtime.engine) as session:
        names = {"jti": str(jti), "until": datetime.now(UTC) + timedelta(hours=1)}
        await session.execute(text("INSERT INTO revoked_token (jti, expires_at, revoked_at) VALUES (:jti, :until, now())"), names)
    assert await _answer(runtime, revoked, orjson.dumps(EXAMPLE)) is None


async def test_parameters_that_are_no_longer_in_force_give_no_answer(runtime: Runtime, sign_in: SignIn) -> None:
    client = sign_in("s001.clerk")
    await client.post(f"{PATH}?explain=false", json=EXAMPLE)
    outdated = ParameterBooks()
    outdated._book = runtime.parameter_books.latest  # complete, and made of sets that aren't the active ones
    assert await _answer(replace(runtime, parameter_books=outdated), token_of(client), orjson.dumps(EXAMPLE)) is None


async def test_a_lost_connection_is_no_hindrance(runtime: Runtime, sign_in: SignIn) -> None:
    client = sign_in("s001.clerk")
    assert (await client.post(PATH, json=EXAMPLE)).status_code == 200
    for kept in runtime.lookups._idle:
        kept.terminate()
    assert (await client.post(PATH, json=EXAMPLE)).status_code == 200
    async with transaction(runtime.engine) as session:
        pids = [kept.get_server_pid() for kept in runtime.lookups._idle]
        await session.execute(text("SELECT pg_terminate_backend(pid) FROM unnest(CAST(:pids AS int[])) AS pid"), {"pids": pids})
    assert (await client.post(PATH, json=EXAMPLE)).status_code == 200


async def test_an_expired_token_is_verified_anew(runtime: Runtime, world: World) -> None:
    account = world.accounts["s001.clerk"]
    with time_machine.travel(datetime.now(UTC) - timedelta(days=2), tick=False):
        old = runtime.tokens.issue_access_token(subject=account.id, level=account.level, area=account.area, duties=account.duties)
        assert TOKENS.claims_of(runtime, old) is TOKENS.claims_of(runtime, old)
    with pytest.raises(Unauthenticated):
        TOKENS.claims_of(runtime, old)


async def test_a_retired_key_takes_its_verified_tokens_along(runtime: Runtime, world: World, tmp_path: Path) -> None:
    account, ring = world.accounts["s001.clerk"], KeyRing.create(tmp_path / "keys.json", "aes-256-gcm-siv", demo=True)
    own = replace(runtime, keys=ring, tokens=Tokens(ring, issuer="http://test", audience="minzheng"))
    token = own.tokens.issue_access_token(subject=account.id, level=account.level, area=account.area, duties=account.duties)
    verified, compromised = VerifiedTokens(), ring.active_signing_key.kid
    assert verified.claims_of(own, token) is verified.claims_of(own, token)
    ring.rotate("signing")
    ring.retire("signing", compromised)
    with pytest.raises(Unauthenticated):
        verified.claims_of(own, token)


async def test_the_answer_is_counted_under_its_route(sign_in: SignIn, anonymous: httpx.AsyncClient) -> None:
    await sign_in("s001.clerk").post(PATH, json=EXAMPLE)
    assert f'minzheng_http_requests_total{{method="POST",route="{PATH}",status="200"}}' in (await anonymous.get("/metrics")).text
