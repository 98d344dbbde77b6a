"""People and households for tests: numbers that nobody else in the run uses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import httpx

from app.domain.identity import checksum_character, passes_luhn

MEISHAN = "350702001001"  # c001001.worker, s001.clerk
MEISHAN_OTHER = "350702001002"  # s001.clerk, not c001001.worker
HUANGDUN = "350702002001"  # c002001.worker, s002.clerk
QIANSHAN = "340882100002"  # another district

SignIn = Callable[[str], httpx.AsyncClient]
_numbers = count()
#: Relations whose people are born after the head, and before him.
GENERATIONS = {"child": 1, "grandchild": 1, "parent": -1, "grandparent": -1}


def fresh_number(born: date | None = None, *, relation: str = "head") -> str:
    """A valid ID number not used before; its birth date unless given lies in the 1970s to 1990s, or before or after as the
    relation asks for.
    """
    n, generation = next(_numbers), GENERATIONS.get(relation, 0)
    day = born or date(1970, 1, 1) + timedelta(days=n % 9000 + generation * 9000)
    order = 100 + n % 400 if born else (900 if generation else 500) + n // 9000  # each kind in hundreds of its own
    digits = f"350702{day:%Y%m%d}{order:03d}"
    return digits + checksum_character(digits)


def card() -> str:
    digits = f"700000999{next(_numbers):09d}"
    return next(number for last in "0123456789" if passes_luhn(number := digits + last))


def entry(area_code: str = MEISHAN, **values: Any) -> dict[str, Any]:
    return {"name": "陈测试", "id_number": fresh_number(), "area_code": area_code, "residence": "urban", **values}


async def registered(client: httpx.AsyncClient, area_code: str = MEISHAN, **values: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/persons", json=entry(area_code, **values))
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def opened(
    client: httpx.AsyncClient, *relations: str, area_code: str = MEISHAN, since: str = "2024-01-01"
) -> dict[str, Any]:
    """A household of newly registered people in these relations; the members' ids in the same order."""
    numbers = [fresh_number(relation=relation) for relation in relations]
    people = [(await registered(client, area_code, id_number=number))["id"] for number in numbers]
    members = [
        {"person_id": person, "relation": relation, "since": since} for person, relation in zip(people, relations, strict=True)
    ]
    answer = await client.post("/api/v1/households", json={"area_code": area_code, "residence": "urban", "members": members})
    assert answer.status_code == 201, answer.text
    return {**answer.json(), "people": people, "etag": answer.headers["etag"]}


def member_ids(household: dict[str, Any]) -> set[str]:
    return {member["person_id"] for member in household["members"]}


def uuid_of(record: dict[str, Any]) -> UUID:
    return UUID(record["id"])
