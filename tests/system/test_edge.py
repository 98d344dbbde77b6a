"""The conventions every route shares."""

from __future__ import annotations

import httpx
import pytest

pytestmark = pytest.mark.db


async def test_liveness_needs_no_database(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/livez")
    assert answer.status_code == 200
    assert answer.json() == {"status": "alive"}


async def test_readiness_names_each_check(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/readyz")
    states = {check["name"]: check["state"] for check in answer.json()["checks"]}
    assert answer.status_code == 200, answer.text
    assert states["database"] == states["role"] == states["migrations"] == states["keys"] == "ok"


async def test_an_unknown_parameter_is_refused(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/api/v1/codes?sort=name")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == "unknown_parameter"
    assert body["trace_id"] == answer.headers["x-trace-id"]


async def test_an_unknown_path_is_a_problem(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/api/v1/nowhere")
    assert answer.status_code == 404
    assert answer.json()["code"] == "route_not_found"
