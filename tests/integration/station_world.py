"""Stations for tests: a sub-district has one at a time, so that tests share it and make people and days of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import count
from typing import Any

import httpx

MEISHAN = "350702001"  # s001.clerk, s001.head
HUANGDUN = "350702002"  # s002.clerk
COMMUNITY = "350702001001"  # c001001.worker
OTHER_COMMUNITY = "350702001002"

SignIn = Callable[[str], httpx.AsyncClient]
_numbers = count(1)


def fresh_name() -> str:
    """A name that nobody else in the run bears."""
    return "".join(("陈示", *("零一二三四五六七八九"[int(digit)] for digit in str(next(_numbers)))))


async def station_of(client: httpx.AsyncClient, area_code: str = MEISHAN) -> str:
    """The id of the sub-district's station, opened in 2020; set up by whoever asks first."""
    page = (await client.get("/api/v1/stations", params={"as_of": date(2026, 1, 1).isoformat()})).json()
    for station in page["items"]:
        if station["area_code"] == area_code:
            return str(station["id"])
    body = {"area_code": area_code, "name": "示例街道办事处民政工作站", "opened_on": "2020-01-01"}
    answer = await client.post("/api/v1/stations", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def post(**values: Any) -> dict[str, Any]:
    """A post at a station."""
    given = {"establishment": "institutional", "full_time": True, "position": "民政助理员", "since": "2024-01-01"}
    return {"name": fresh_name(), **given, **values}


async def employed(client: httpx.AsyncClient, station_id: str, **values: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/v1/stations/{station_id}/staff", json=post(**values))
    assert answer.status_code == 201, answer.text
    return {**answer.json(), "etag": answer.headers["etag"]}


def informant(**values: Any) -> dict[str, Any]:
    return {"area_code": COMMUNITY, "name": fresh_name(), "since": "2024-01-01", **values}


async def engaged(client: httpx.AsyncClient, station_id: str, **values: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/v1/stations/{station_id}/informants", json=informant(**values))
    assert answer.status_code == 201, answer.text
    return {**answer.json(), "etag": answer.headers["etag"]}


def findings(answer: httpx.Response) -> list[tuple[str, str]]:
    """What a refused entry is refused for: (pointer, code)."""
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
