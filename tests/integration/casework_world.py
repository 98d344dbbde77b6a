"""Families that apply, and their way through the acts, over HTTP, on business dates of the test's choice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any

import httpx

from app.ids import new_id
from tests.integration.registry_world import HUANGDUN, MEISHAN, SignIn, fresh_number, registered

FAMILY_SINCE = "2020-01-01"
BORN = {"head": date(1978, 3, 16), "spouse": date(1980, 9, 22), "child": date(2005, 5, 10)}
ACCEPTED, OPINION, POSTED, CLOSABLE, DECIDED = "2026-03-02", "2026-03-13", "2026-03-16", "2026-03-24", "2026-03-25"

STATION = {MEISHAN: "s001", HUANGDUN: "s002"}
WORKER = {MEISHAN: "c001001.worker", HUANGDUN: "c002001.worker"}


_families = count()


def birth_dates(relations: Iterable[str]) -> list[date]:
    """Those of ``BORN``, each family a day older than the one before: ID numbers of one birth date are few."""
    older = timedelta(days=next(_families) % 1500)
    return [BORN[relation] - older for relation in relations]


def on(day: str | None) -> dict[str, str]:
    return {} if day is None else {"X-Demo-Date": day}


@dataclass(frozen=True)
class Family:
    """A registered household; ``people`` in the order head, spouse, child."""

    household_id: str
    area_code: str
    people: list[str]
    birth_dates: list[date]
    relations: list[str] = field(default_factory=lambda: ["head", "spouse", "child"])

    def facts(self, *wages_fen: int, deposit_fen: int = 2_000_000, **values: Any) -> dict[str, Any]:
        """The household of contract §4; wages by member, none for those not named."""
        wages = [*wages_fen, *[0] * (len(self.people) - len(wages_fen))]
        members = [
            {
                "ref": person,
                "relation": relation,
                "birth_date": born.isoformat(),
                "employment": "employed" if wage else "none",
                "study": "undergraduate" if relation == "child" else None,
                "incomes": [{"kind": "wage", "monthly_fen": wage}] if wage else [],
            }
            for person, relation, born, wage in zip(self.people, self.relations, self.birth_dates, wages, strict=True)
        ]
        assets = [{"kind": "deposit", "value_fen": deposit_fen}]
        return {"members": members, "assets": assets, "expenses": [], "authorised_verification": True, **values}


async def family(sign_in: SignIn, area_code: str = MEISHAN, relations: tuple[str, ...] = ("head", "spouse", "child")) -> Family:
    """A newly registered urban family."""
    clerk = sign_in(f"{STATION[area_code]}.clerk")
    births = birth_dates(relations)
    people = [(await registered(clerk, area_code, name="陈示平", id_number=fresh_number(born)))["id"] for born in births]
    members = [{"person_id": one, "relation": rel, "since": FAMILY_SINCE} for one, rel in zip(people, relations, strict=True)]
    answer = await clerk.post("/api/v1/households", json={"area_code": area_code, "residence": "urban", "members": members})
    assert answer.status_code == 201, answer.text
    return Family(answer.json()["id"], area_code, people, births, list(relations))


class Case:
    """One application, with a client for each who acts on it."""

    def __init__(self, sign_in: SignIn, applicants: Family, application_id: str) -> None:
        self.family = applicants
        self.id = application_id
        self.url = f"/api/v1/applications/{application_id}"
        station = STATION[applicants.area_code]
        self.worker = sign_in(WORKER[applicants.area_code])
        self.clerk, self.head = sign_in(f"{station}.clerk"), sign_in(f"{station}.head")
        self.reviewer = sign_in("district.reviewer")

    async def act(
        self,
        client: httpx.AsyncClient,
        act: str,
        day: str | None = None,
        body: dict[str, Any] | None = None,
        *,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        return await client.post(f"{self.url}/{act}", json=body, headers=on(day) | (headers or {}))

    async def done(self, client: httpx.AsyncClient, act: str, day: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = await self.act(client, act, day, body)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    async def put_facts(self, facts: dict[str, Any], day: str = ACCEPTED, etag: str | None = None) -> httpx.Response:
        etag = etag or (await self.clerk.get(self.url)).headers["etag"]
        return await self.clerk.put(f"{self.url}/facts", json=facts, headers=on(day) | {"If-Match": etag})

    # --- the way, step by step: each goes on from the one before ---------------------------------------------------------

    async def submitted(self) -> Case:
        await self.done(self.worker, "submit", "2026-03-01")
        return self

    async def accepted(self, *wages_fen: int, **facts: Any) -> Case:
        await self.submitted()
        await self.done(self.clerk, "accept", ACCEPTED)
        put = await self.put_facts(self.family.facts(*(wages_fen or (60_000, 30_000)), **facts))
        assert put.status_code == 200, put.text
        return self

    async def opinion_given(self, *wages_fen: int, **facts: Any) -> Case:
        await self.accepted(*wages_fen, **facts)
        await self.done(self.head, "give-opinion", OPINION)
        return self

    async def notice_open(self) -> Case:
        await self.opinion_given()
        await self.done(self.worker, "open-notice", POSTED)
        return self

    async def notice_closed(self) -> Case:
        await self.notice_open()
        await self.done(self.clerk, "close-notice", CLOSABLE)
        return self

    async def confirmed(self) -> dict[str, Any]:
        await self.notice_closed()
        return await self.done(self.reviewer, "confirm", DECIDED)


async def drafted(sign_in: SignIn, applicants: Family | None = None, day: str | None = "2026-03-01") -> Case:
    """A draft by the community's worker."""
    applicants = applicants or await family(sign_in)
    worker = sign_in(WORKER[applicants.area_code])
    body = {"household_id": applicants.household_id, "programme": "dibao"}
    answer = await worker.post("/api/v1/applications", json=body, headers=on(day) | {"Idempotency-Key": str(new_id())})
    assert answer.status_code == 201, answer.text
    return Case(sign_in, applicants, answer.json()["id"])
