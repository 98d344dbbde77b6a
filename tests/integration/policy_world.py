"""Drafts and simulations over HTTP, on days of the year 2029, where no other test looks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx

from app.db.session import transaction
from app.domain.access import AreaScope
from app.ids import new_id
from app.jobs.runner import run_job
from app.runtime import Runtime
from tests.integration.casework_world import on
from tests.integration.registry_world import SignIn

DISTRICT = AreaScope("350702", "350702")
STANDARD = "dibao.standard.urban"
SETS = "/api/v1/policy-sets"


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(new_id())}


async def ok(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    body: dict[str, Any] = answer.json()
    return body


async def copied(officer: httpx.AsyncClient, effective_from: str = "2029-01-01", area: str = "350702") -> dict[str, Any]:
    body = {"area_code": area, "title": "提标测试", "effective_from": effective_from}
    return await ok(await officer.post(SETS, json=body, headers=key()), 201)


async def values_of(client: httpx.AsyncClient, set_id: str, parameter: str) -> list[dict[str, Any]]:
    page = await ok(await client.get(f"{SETS}/{set_id}/parameters?limit=200"))
    return [one for one in page["items"] if one["key"] == parameter]


async def raised(officer: httpx.AsyncClient, value: int, effective_from: str = "2029-01-01") -> dict[str, Any]:
    """A copy of the active set in which the urban standard is another from the effective date on."""
    draft = await copied(officer, effective_from)
    former = [
        {"effective_from": one["valid_from"], "value": one["value"], "source": one["source"]}
        for one in await values_of(officer, draft["id"], STANDARD)
    ]
    versions = [one for one in former if one["effective_from"] < effective_from]
    versions.append({"effective_from": effective_from, "value": value, "source": "测试文件"})
    put = await officer.put(
        f"{SETS}/{draft['id']}/parameters/{STANDARD}", json={"versions": versions}, headers={"If-Match": '"1"'}
    )
    return await ok(put)


async def simulated(
    runtime: Runtime, officer: httpx.AsyncClient, set_id: str, day: str = "2029-01-01", **values: Any
) -> dict[str, Any]:
    """Started over HTTP, done by a worker."""
    body = {"set_id": set_id, "on": day, **values}
    started = await officer.post("/api/v1/simulations", json=body, headers=key())
    found = await ok(started, 202)
    async with transaction(runtime.engine, DISTRICT) as session:
        from app.db.repositories.policy_runs import SimulationRepository

        simulation = await SimulationRepository(session).get(DISTRICT, UUID(found["id"]))
    await run_job(runtime, DISTRICT, simulation.job_id)
    return await ok(await officer.get(started.headers["location"]))


async def signed(sign_in: SignIn, set_id: str, simulation_id: str, who: str = "district.reviewer") -> httpx.Response:
    return await sign_in(who).post(f"{SETS}/{set_id}/sign-off", json={"simulation_id": simulation_id}, headers=key())


async def activated(sign_in: SignIn, set_id: str, day: str = "2029-01-02") -> httpx.Response:
    return await sign_in("district.policy").post(f"{SETS}/{set_id}/activate", headers=key() | on(day))
