"""Generated requests, good and bad, on every operation by every duty that may call it: never a 5xx, never an answer that the
published interface doesn't describe, never English (scorecard 23). Seeded: the same requests in every run.
"""

from __future__ import annotations

import copy
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import URL

from app.demo.accounts import CLIENTS
from app.domain.access import Duty, Level
from app.main import create_app
from app.openapi import build
from app.runtime import Runtime
from tests.conftest import build_database, running
from tests.integration.registry_world import card, entry
from tests.world import World, seed_world

pytestmark = pytest.mark.db
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    allow_header_conformance,
]
NOT_FUZZED = {"/api/v1/auth/logout"}  # would end the fuzzer's own sign-in
SEED = 20261122
CALLERS = {
    Duty.COMMUNITY_WORKER: "c001001.worker",
    Duty.STATION_CLERK: "s001.clerk",
    Duty.STATION_HEAD: "s001.head",
    Duty.REVIEWER: "district.reviewer",
    Duty.FINANCE: "district.finance",
    Duty.APPROVER: "district.approver",
    Duty.TREASURY: "district.treasury",
    Duty.DISABILITY_FEDERATION: "district.canlian",
    Duty.INSPECTOR: "district.inspector",
    Duty.POLICY_OFFICER: "district.policy",
    Duty.AUDITOR: "district.auditor",
    Duty.ADMIN: "district.admin",
}


@dataclass(frozen=True)
class Served:
    """The application behind a real server, and ids that exist."""

    url: str
    document: dict[str, Any]
    runtime: Runtime
    world: World
    ids: dict[str, str]

    def headers(self, duty: Duty | None) -> dict[str, str]:
        if duty is None:
            return {}
        issue = self.runtime.tokens.issue_access_token
        if duty is Duty.BUREAU:
            token = issue(subject=CLIENTS[0].id, level=Level.DISTRICT, area="350702", duties=[duty])
        else:
            account = self.world.accounts[CALLERS[duty]]
            token = issue(subject=account.id, level=account.level, area=account.area, duties=account.duties)
        return {"Authorization": f"Bearer {token}"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(cluster: URL, worker_name: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    configured = await build_database(
        cluster, f"fuzz_{worker_name}", tmp_path_factory.mktemp("fuzz"), log_level="CRITICAL", lockout_failures=10**6
    )
    async with running(configured) as runtime:
        world = await seed_world(runtime)
        document = build(create_app(runtime=runtime))
        with serving(create_app(configured)) as url:
            place = Served(url, document, runtime, world, {})
            async with httpx.AsyncClient(base_url=url, headers=place.headers(Duty.STATION_CLERK)) as client:
                place.ids.update(await existing(client))
            yield place


class serving:  # noqa: N801  (used like a function)
    """``with serving(app) as url``."""

    def __init__(self, app: Any) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on"))
        self._thread = threading.Thread(target=lambda: self._server.run([self._socket]), daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)


async def existing(client: httpx.AsyncClient) -> dict[str, str]:
    person = (await client.post("/api/v1/persons", json=entry())).json()["id"]
    account = {"bank_name": "农商银行", "account_number": card(), "account_holder": "陈测试"}
    body = {
        "area_code": entry()["area_code"],
        "residence": "urban",
        "members": [{"person_id": person, "relation": "head"}],
        "account": account,
    }
    household = (await client.post("/api/v1/households", json=body)).json()["id"]
    application = await client.post("/api/v1/applications", json={"household_id": household, "programme": "dibao"})
    return {
        "person_id": person,
        "household_id": household,
        "application_id": application.json().get("id", person),
        "area_code": "350702001001",
    }


def operations(document: dict[str, Any], duty: Duty | None) -> list[Any]:
    """Those that the duty may call; the public ones for None."""
    mine = copy.deepcopy(document)
    for path, item in list(mine["paths"].items()):
        for method, operation in list(item.items()):
            if path in NOT_FUZZED or not path.startswith("/api/") or not may_call(duty, operation.get("x-duties")):
                del item[method]
        if not item:
            del mine["paths"][path]
    found: Iterator[Any] = schemathesis.openapi.from_dict(mine).get_all_operations()
    return [result.ok() for result in found]


def may_call(duty: Duty | None, duties: list[str] | None) -> bool:
    return duties is None if duty is None else duty in (duties or ())


def fuzz(served: Served, duty: Duty | None, examples: int) -> list[str]:
    """What went wrong, one line each."""
    headers, failures = served.headers(duty), []
    for operation in operations(served.document, duty):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                run(served, operation, mode, headers, examples)
            except Unsatisfiable:
                continue  # nothing can be wrong with it
            except Exception as failure:  # noqa: BLE001  (collected, and told together)
                failures.append(f"{duty} {operation.method.upper()} {operation.path} {mode.value}: {failure}")
    return failures


def run(served: Served, operation: Any, mode: GenerationMode, headers: dict[str, str], examples: int) -> None:
    @seed(SEED)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), st.booleans())
    def send(case: Any, real: bool) -> None:
        if real:
            case.path_parameters = {**case.path_parameters, **known_ids(served, case.path_parameters)}
        case.headers = {**{name: value for name, value in case.headers.items() if name.lower() != "authorization"}, **headers}
        answer = case.call(base_url=served.url, timeout=30)
        check_text(answer)
        case.validate_response(answer, checks=CHECKS)

    send()


def known_ids(served: Served, parameters: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in served.ids.items() if name in parameters}


def check_text(answer: Any) -> None:
    """Problems are problems, in Chinese, with their trace."""
    assert answer.status_code < 500 or answer.status_code == 503, answer.text
    if answer.status_code < 400:
        return
    body = answer.json()
    assert any("\u4e00" <= character <= "\u9fff" for character in body["detail"]), body
    assert body["trace_id"] in answer.headers["x-trace-id"]
    for finding in body.get("errors", ()):
        assert any("\u4e00" <= character <= "\u9fff" for character in finding["message"]), body


@pytest.mark.parametrize(
    ("duty", "examples"),
    [
        *((duty, 1) for duty in (None, Duty.STATION_CLERK, Duty.REVIEWER)),
        *(pytest.param(duty, 100, marks=pytest.mark.long) for duty in (None, *Duty)),
    ],
)
def test_no_generated_request_breaks_anything(served: Served, duty: Duty | None, examples: int) -> None:
    failures = fuzz(served, duty, examples)
    assert not failures, "\n\n".join(failures)
