"""What a caller from outside has: the addresses, an account, the words of the contract. Nothing here knows the code inside."""

from __future__ import annotations

import re
import uuid
from itertools import count
from typing import Any

import httpx

from tests.demo_world import Demo

V1 = "/api/v1"
COMMUNITY = "350702001001"
PASSWORD, SECRET = "demo-Pass-2026", "demo-Secret-2026"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_numbers = count(1)

Json = dict[str, Any]


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


def problem(answer: httpx.Response, status: int, code: str | None = None) -> Json:
    """The error body as contract §2 says it is."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert answer.headers["content-type"].startswith("application/problem+json")
    body: Json = answer.json()
    assert {"type", "title", "status", "detail", "code", "trace_id"} <= set(body)
    assert body["status"] == status
    assert CHINESE.search(body["detail"])
    assert re.fullmatch(r"[a-z][a-z0-9_]*", body["code"])
    assert code is None or body["code"] == code, body
    for error in body.get("errors", ()):
        assert set(error) == {"pointer", "code", "message"}
        assert error["pointer"] == "" or error["pointer"].startswith("/")
        assert CHINESE.search(error["message"])
    return body


def id_number(born: str = "19780316") -> str:
    """A valid 18-digit number (GB 11643), another one at every call."""
    n = next(_numbers)
    digits = f"350702{born}{800 + n % 100:03d}" if n < 100 else f"350702{int(born[:4]) + n // 100}{born[4:]}{800 + n % 100:03d}"
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, WEIGHTS, strict=True)) % 11]


def person_body(**values: Any) -> Json:
    return {"name": "陈约定", "id_number": id_number(), "area_code": COMMUNITY, "residence": "urban", **values}


async def ok(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    body: Json = answer.json()
    return body


async def new_person(http: httpx.AsyncClient, **values: Any) -> Json:
    return await ok(await http.post(f"{V1}/persons", json=person_body(**values), headers=key()), 201)


async def new_household(http: httpx.AsyncClient, *relations: str) -> tuple[Json, list[Json]]:
    births = ["20050510" if relation == "child" else "19780316" for relation in relations]
    people = [await new_person(http, id_number=id_number(born)) for born in births]
    members = [{"person_id": p["id"], "relation": relation} for p, relation in zip(people, relations, strict=True)]
    body = {"area_code": COMMUNITY, "residence": "urban", "members": members}
    return await ok(await http.post(f"{V1}/households", json=body, headers=key()), 201), people


def facts_of(people: list[Json], relations: tuple[str, ...], wage_fen: int = 0) -> Json:
    """The household's facts in the form of the one-shot assessment, the members named by their ids."""
    members = [
        {
            "ref": person["id"],
            "relation": relation,
            "birth_date": person["birth_date"],
            "gender": person["gender"],
            "incomes": [{"kind": "wage", "monthly_fen": wage_fen}] if relation == "head" else [],
        }
        for person, relation in zip(people, relations, strict=True)
    ]
    return {"members": members, "assets": [], "expenses": [], "authorised_verification": True}


def operations(demo: Demo, method: str) -> list[tuple[str, Json]]:
    """Every operation of the served document with this method: path and description."""
    paths = demo.app.openapi()["paths"]
    return [(path, item[method.lower()]) for path, item in paths.items() if method.lower() in item and path.startswith(V1)]


def somebody(demo: Demo, operation: Json) -> httpx.AsyncClient:
    """A caller of the demo's first district whose duty allows the operation; the one who sees most."""
    duties = set(operation.get("x-duties", ()))
    able = [
        caller for caller in demo.callers.values() if caller.area.startswith("350702") and (not duties or caller.duties & duties)
    ]
    return min(able, key=lambda caller: len(caller.area)).http


def filled(path: str) -> str:
    """The path with ids of nothing."""
    path = path.replace("{area_code}", COMMUNITY)
    return re.sub(r"{\w+}", lambda _: str(uuid.uuid4()), path)
