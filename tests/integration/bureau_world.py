"""Bureau clients with agreements of their own, and people to ask about; committed under unique numbers."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.session import transaction
from app.db.tables.accounts import Client
from app.db.tables.casework import Enrolment
from app.db.tables.identity import IdentityKey
from app.db.tables.sharing import SharingAgreement
from app.domain.access import AreaScope, Duty, Level
from app.domain.identity import checksum_character, normalise_name
from app.ids import new_id
from app.runtime import Runtime
from app.security.fields import Field

DISTRICT = "350702"
COMMUNITY = "350702001001"
PATH = "/api/v1/status-queries"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
_BIRTHS = itertools.count(random.randrange(5_000))


def id_number(check: str | None = None) -> str:
    """A valid number that nobody else of this run has; ``check`` asks for that last character."""
    while True:
        place = next(_BIRTHS)
        born = date(1900, 1, 1) + timedelta(days=place % 15_000)
        digits = f"350702{born:%Y%m%d}{990 + place // 15_000:03d}"
        if check in (None, checksum_character(digits)):
            return digits + checksum_character(digits)


@dataclass(frozen=True)
class Terms:
    """An agreement; the defaults allow what the tests ask by default."""

    area: str = DISTRICT
    programmes: Sequence[str] = ("dibao", "tekun")
    purposes: Sequence[str] = ("public_rental_housing",)
    fields: Sequence[str] = ("category", "since", "valid_until")
    quota: int = 1_000
    valid_from: date = date(2026, 1, 1)
    valid_until: date | None = None


@dataclass(frozen=True)
class Bureau:
    id: UUID
    name: str
    http: httpx.AsyncClient

    async def ask(self, number: str, name: str, headers: dict[str, str] | None = None, /, **changes: Any) -> httpx.Response:
        """Asks; ``changes`` replace fields of the question, None leaves one out."""
        body = question(number, name) | changes
        present = {key: value for key, value in body.items() if value is not None}
        return await self.http.post(PATH, json=present, headers=headers)


def question(number: str, name: str) -> dict[str, Any]:
    return {
        "id_number": number,
        "name": name,
        "as_of": "2026-08-15",
        "programmes": ["dibao"],
        "purpose": "public_rental_housing",
        "legal_basis": "政务数据共享条例 第二十条",
        "case_no": "公租2026-0001",
    }


@dataclass
class BureauWorld:
    runtime: Runtime
    app: FastAPI
    opened: list[httpx.AsyncClient] = field(default_factory=list)

    async def client(self, *agreements: Terms, area: str = DISTRICT) -> Bureau:
        """A new client with these agreements and a fresh token."""
        identifier = new_id()
        row = {"id": identifier, "client_id": f"bureau-{identifier.hex[-12:]}", "name": "测试部门", "area_code": area}
        row |= {"district": area[:6], "created_at": LONG_AGO, "created_by": "test", "tokens_valid_from": LONG_AGO, "version": 1}
        async with transaction(self.runtime.engine, AreaScope(area[:6], area[:6])) as session:
            await session.execute(insert(Client).values(**row))
            for terms in agreements:
                await session.execute(insert(SharingAgreement).values(**_agreement(identifier, terms)))
        return Bureau(identifier, str(row["client_id"]), self.http(identifier, area))

    def http(self, identifier: UUID, area: str = DISTRICT) -> httpx.AsyncClient:
        token = self.runtime.tokens.issue_access_token(subject=identifier, level=Level.DISTRICT, area=area, duties=[Duty.BUREAU])
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {token}"}
        self.opened.append(httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers))
        return self.opened[-1]

    async def person(self, name: str, *enrolments: dict[str, Any], number: str | None = None) -> tuple[str, UUID]:
        """A known person with these enrolments; the number and the ``person_uid``."""
        number, uid = number or id_number(), new_id()
        async with transaction(self.runtime.engine, AreaScope(DISTRICT, DISTRICT)) as session:
            for version, digest in self.runtime.blind_index.digest(Field.ID_NUMBER, number).items():
                await session.execute(insert(IdentityKey).values(index_version=version, bidx=digest, person_uid=uid))
            for enrolment in enrolments:
                await session.execute(insert(Enrolment).values(**_enrolment(uid, name, enrolment)))
        return number, uid

    async def log_of(self, bureau: Bureau) -> list[dict[str, Any]]:
        """What the log says of a client, read as the district's auditor would."""
        async with transaction(self.runtime.engine, AreaScope(DISTRICT, DISTRICT)) as session:
            return await _rows(session, "SELECT * FROM status_query_log WHERE client_id = :client ORDER BY id", client=bureau.id)

    async def used(self, bureau: Bureau) -> int:
        async with transaction(self.runtime.status_engine) as session:
            rows = await _rows(session, "SELECT used FROM status_quota WHERE client_id = :client", client=bureau.id)
        return sum(row["used"] for row in rows)

    async def refusals(self, bureau: Bureau) -> list[str]:
        async with transaction(self.runtime.engine, AreaScope(DISTRICT, DISTRICT)) as session:
            statement = "SELECT reason FROM audit_record WHERE actor_id = :client AND outcome = 'refused' ORDER BY id"
            return [row["reason"] for row in await _rows(session, statement, client=bureau.id)]


async def _rows(session: AsyncSession, statement: str, **values: object) -> list[dict[str, Any]]:
    return [dict(row) for row in (await session.execute(text(statement), values)).mappings()]


def _agreement(client: UUID, terms: Terms) -> dict[str, Any]:
    return {
        "district": terms.area[:6],
        "id": new_id(),
        "area_code": terms.area,
        "client_id": client,
        "programmes": list(terms.programmes),
        "purposes": list(terms.purposes),
        "fields": list(terms.fields),
        "quota_per_day": terms.quota,
        "valid_from": terms.valid_from,
        "valid_until": terms.valid_until,
        "created_at": LONG_AGO,
        "created_by": "test",
    }


def _enrolment(uid: UUID, name: str, changes: dict[str, Any]) -> dict[str, Any]:
    row = {
        "district": DISTRICT,
        "id": new_id(),
        "area_code": COMMUNITY,
        "person_uid": uid,
        "name_key": normalise_name(name),
        "programme": "dibao",
        "category": "A",
        "entitlement_id": new_id(),
        "since_month": date(2026, 5, 1),
        "until_month": None,
        "valid_until": None,
    }
    return row | changes
