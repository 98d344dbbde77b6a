"""Accounts, clients and applications of their own for the tests of sign-in."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from app.accounts.client_signin import ASSERTION_TYPE
from app.db.session import transaction
from app.db.tables.accounts import Account, Client
from app.domain.access import Duty
from app.domain.duties import level_of_area
from app.ids import new_id
from app.main import create_app
from app.runtime import Runtime
from app.security.passwords import Passwords
from tests.unit.security.test_access_tokens import b64, es256

TOKEN = "/api/v1/auth/token"
PASSWORD = "Correct-Horse-7"


def unique(prefix: str = "t") -> str:
    return f"{prefix}.{new_id().hex[-12:]}"


def sibling(runtime: Runtime, *, passwords: Passwords | None = None, **overrides: Any) -> Runtime:
    """The same database and keys under other settings."""
    settings = runtime.settings.model_copy(update=overrides)
    return replace(runtime, settings=settings, passwords=passwords or runtime.passwords)


@asynccontextmanager
async def caller(runtime: Runtime, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_app(runtime=runtime), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def make_account(
    runtime: Runtime, *, duties: tuple[Duty, ...] = (Duty.STATION_CLERK,), area: str = "350702001", **changes: Any
) -> Account:
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "id": new_id(),
        "username": unique(),
        "display_name": "测试账号",
        "password_hash": await runtime.passwords.hash(PASSWORD),
        "password_set_at": now,
        "must_change_password": False,
        "level": level_of_area(area).value,
        "area_code": area,
        "district": area[:6],
        "duties": [duty.value for duty in duties],
        "version": 1,
        "created_at": now,
        "created_by": "test",
        "tokens_valid_from": now,
    }
    account = Account(**(values | changes))
    async with transaction(runtime.engine) as session:
        session.add(account)
    return account


async def make_client(runtime: Runtime, *, area: str = "350702", **changes: Any) -> Client:
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "id": new_id(),
        "client_id": unique("bureau"),
        "name": "测试部门",
        "area_code": area,
        "district": area,
        "version": 1,
        "created_at": now,
        "created_by": "test",
        "tokens_valid_from": now,
    }
    client = Client(**(values | changes))
    async with transaction(runtime.engine) as session:
        session.add(client)
    return client


async def by_password(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post(TOKEN, data={"grant_type": "password", "username": username, "password": password})


async def by_refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": token})


async def by_secret(client: httpx.AsyncClient, client_id: str, secret: str) -> httpx.Response:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return await client.post(TOKEN, data=form)


async def by_assertion(client: httpx.AsyncClient, assertion: str, **more: str) -> httpx.Response:
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    return await client.post(TOKEN, data=form | more)


def jwk_of(private: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = private.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}


def assertion_of(private: ec.EllipticCurvePrivateKey, client_id: str, audience: str, **changes: Any) -> str:
    now = int(time.time())
    payload = {"iss": client_id, "sub": client_id, "aud": audience, "jti": new_id().hex, "iat": now, "exp": now + 60}
    signed = f"{b64(json.dumps({'alg': 'ES256', 'typ': 'JWT'}).encode())}.{b64(json.dumps(payload | changes).encode())}"
    return f"{signed}.{b64(es256(private, signed.encode()))}"


async def audit_of(runtime: Runtime, subject: UUID | str) -> list[tuple[str, str, str | None, str, dict[str, Any] | None]]:
    """Action, outcome, reason, actor and details of every record about a subject, oldest first; the sealer sees all."""
    statement = text(
        "SELECT action, outcome, reason, actor_name, details FROM audit_record WHERE subject_id = :subject ORDER BY id"
    )
    async with transaction(runtime.seal_engine) as session:
        rows = (await session.execute(statement, {"subject": str(subject)})).all()
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


async def scalar(runtime: Runtime, statement: str, **values: Any) -> Any:
    async with transaction(runtime.engine) as session:
        return (await session.execute(text(statement), values)).scalar_one_or_none()
