"""Every route × every demo account × own area, child, sibling, parent, other district; generated from the OpenAPI document.

Outside the caller's area is the same as not there, byte for byte but for the trace id and the id that was asked for; in the
area but without the duty is 403; no token is 401.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml
from sqlalchemy import text

from app.demo.accounts import ACCOUNTS, CLIENTS, SECOND_ACCOUNTS
from app.station_standards import DATA
from tests.demo_world import Caller, Demo
from tests.system.test_openapi import PUBLIC
from tests.thorough import THOROUGH

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]

AREAS = {
    "community": "350702001001",
    "sibling community": "350702001002",
    "other station": "350702002001",
    "other district": "340882100002",
}
# path parameter → where rows of its kind stand, with their area
KINDS = {
    "person_id": "SELECT id::text FROM person WHERE area_code = :area ORDER BY id LIMIT 1",
    "household_id": "SELECT id::text FROM household WHERE area_code = :area ORDER BY id LIMIT 1",
    "application_id": "SELECT id::text FROM application WHERE area_code = :area ORDER BY id LIMIT 1",
    "entitlement_id": "SELECT id::text FROM entitlement WHERE area_code = :area ORDER BY id LIMIT 1",
    "batch_id": "SELECT id::text FROM payment_batch WHERE area_code = left(:area, 6) ORDER BY id LIMIT 1",
    "set_id": "SELECT id::text FROM policy_set WHERE area_code = left(:area, 6) AND status = 'active' ORDER BY id LIMIT 1",
    "simulation_id": "SELECT id::text FROM simulation WHERE area_code = left(:area, 6) ORDER BY id LIMIT 1",
    "adjustment_id": "SELECT id::text FROM adjustment_batch WHERE area_code = left(:area, 6) ORDER BY id LIMIT 1",
    "run_id": "SELECT id::text FROM discovery_run WHERE area_code = left(:area, 6) ORDER BY id LIMIT 1",
    "finding_id": "SELECT id::text FROM discovery_finding WHERE area_code = :area ORDER BY id LIMIT 1",
    "station_id": "SELECT id::text FROM station WHERE area_code = left(:area, 9) ORDER BY id LIMIT 1",
    "informant_id": "SELECT id::text FROM informant WHERE area_code = :area ORDER BY id LIMIT 1",
    "campaign_id": "SELECT id::text FROM inspection_campaign WHERE area_code = left(:area, 6) ORDER BY id LIMIT 1",
    "inspection_id": "SELECT id::text FROM inspection WHERE area_code = left(:area, 9) ORDER BY id DESC LIMIT 1",
    "rectification_id": "SELECT id::text FROM rectification WHERE area_code = left(:area, 9) ORDER BY id DESC LIMIT 1",
    "appraisal_id": "SELECT id::text FROM appraisal WHERE area_code = left(:area, 6) ORDER BY id LIMIT 1",
    "station_appraisal_id": "SELECT id::text FROM appraisal_station WHERE area_code = left(:area, 9) ORDER BY id LIMIT 1",
    "file_id": "SELECT id::text FROM stored_file WHERE area_code = left(:area, 9) AND purpose = 'evidence' ORDER BY id LIMIT 1",
    "draft_id": "SELECT id::text FROM station_standard WHERE area_code = left(:area, 6) ORDER BY id LIMIT 1",
    "lead_id": "SELECT id::text FROM lead WHERE area_code = :area ORDER BY id LIMIT 1",
    "request_id": "SELECT id::text FROM service_request WHERE area_code = :area ORDER BY id LIMIT 1",
    "official_id": "SELECT id::text FROM official WHERE area_code = :area ORDER BY id LIMIT 1",
    "account_id": "SELECT id::text FROM account WHERE area_code = :area OR area_code = left(:area, 9) ORDER BY id LIMIT 1",
    "client_id": "SELECT id::text FROM client WHERE area_code = left(:area, 6) ORDER BY id LIMIT 1",
    "export_id": "SELECT id::text FROM export_run WHERE area_code = :area ORDER BY id LIMIT 1",
    "import_id": "SELECT id::text FROM import_run WHERE area_code = :area ORDER BY id LIMIT 1",
    "area_code": "SELECT code FROM area WHERE code = :area",
}
# What the demo itself doesn't have: an export that somebody else asked for, an import, a draft of a standard.
EXPORT = """
    INSERT INTO export_run (
        district, id, area_code, kind, format, as_of, purpose, plain, status, rows, requested_by, requested_by_name, requested_at
    ) VALUES (
        left(CAST(:area AS text), 6), gen_random_uuid(), CAST(:area AS text), 'stations', 'csv', '2026-11-01', 'x', false,
        'queued', 0, gen_random_uuid(), 'somebody else', now()
    )
"""
IMPORT = """
    WITH file AS (
        INSERT INTO stored_file (
            district, id, area_code, purpose, name, media_type, size_bytes, sha256, parts, created_at, created_by
        ) VALUES (
            left(CAST(:area AS text), 6), gen_random_uuid(), CAST(:area AS text), 'import', 'x.csv', 'text/csv', 0, 'x', 0, now(),
            gen_random_uuid()
        ) RETURNING district, id, area_code, created_by
    )
    INSERT INTO import_run (
        district, id, area_code, kind, mode, dry_run, file_id, status, phase, rows_total, rows_ok, rows_rejected, rows_created,
        rows_updated, rows_unchanged, bytes_read, requested_by, requested_by_name, requested_at, version
    ) SELECT district, gen_random_uuid(), area_code, 'people', 'upsert', false, id, 'succeeded', 'finished', 0, 0, 0, 0, 0, 0, 1,
        created_by, 'somebody else', now(), 1
    FROM file
"""
STANDARD = """
    INSERT INTO station_standard (
        district, id, area_code, code, valid_from, document, state, drafted_by, drafted_by_name, drafted_at, version
    ) VALUES (
        left(CAST(:area AS text), 6), gen_random_uuid(), left(CAST(:area AS text), 6), 'staffing_c', '2023-02-12',
        CAST(:document AS jsonb), 'draft', gen_random_uuid(), 'somebody else', now(), 1
    )
"""
AREA_OF = {
    "draft_id": 6,
    "batch_id": 6,
    "client_id": 6,
    "set_id": 6,
    "simulation_id": 6,
    "adjustment_id": 6,
    "run_id": 6,
    "station_id": 9,
    "campaign_id": 6,
    "inspection_id": 9,
    "rectification_id": 9,
    "appraisal_id": 6,
    "station_appraisal_id": 9,
    "file_id": 9,
}
NAMES = [account.username for account in (*ACCOUNTS, *SECOND_ACCOUNTS)] + [client.client_id for client in CLIENTS]
#: The second district and the second station have the same duties; of the district's accounts one of each level is asked every
#: time, all of them in the long tests.
ASKED_LATER = {account.username for account in SECOND_ACCOUNTS} - {"qs.district.reviewer", "qs.s100.clerk", "qs.c100002.worker"}
ASKED_LATER |= {"s002.clerk", "c002001.worker"}
EVERYBODY = [pytest.param(name, marks=pytest.mark.long) if name in ASKED_LATER else name for name in NAMES]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def resources(demo: Demo) -> dict[tuple[str, str], tuple[str, str]]:
    """(path parameter, place) → (id, area)."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    document = json.dumps(yaml.safe_load((DATA / "station-standard-staffing_c.yaml").read_text("utf-8")), default=str)
    async with demo.owner.begin() as connection:
        for area in AREAS.values():
            await connection.execute(text(EXPORT), {"area": area})
            await connection.execute(text(IMPORT), {"area": area})
            await connection.execute(text(STANDARD), {"area": area, "document": document})
        for parameter, statement in KINDS.items():
            for place, area in AREAS.items():
                row = (await connection.execute(text(statement), {"area": area})).scalar_one_or_none()
                if row is not None:
                    found[(parameter, place)] = (row, area[: AREA_OF.get(parameter, 12)])
    return found


def operations(demo: Demo) -> list[tuple[str, str, dict[str, Any]]]:
    document = demo.app.openapi()
    return [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if (method.upper(), path) not in PUBLIC and not path.endswith("/logout")
    ]


def parameter_of(path: str) -> str | None:
    found = re.findall(r"{(\w+)}", path)
    return found[0] if found else None


def filled(path: str, value: str) -> str:
    """The first parameter is the resource; those after it name parts of it that don't exist."""
    first = parameter_of(path)
    path = path.replace("{" + (first or "") + "}", value)
    return re.sub(r"{\w+}", str(uuid.uuid4()), path)


async def call(caller: Caller, method: str, path: str) -> httpx.Response:
    body: dict[str, object] | None = {} if method in ("POST", "PUT") else None
    headers = {"If-Match": '"999999"', "Idempotency-Key": str(uuid.uuid4())} if body is not None else {}
    if path.endswith("/uploads"):
        return await caller.http.request(method, path, files={"file": ("empty", b"")}, headers=headers)
    return await caller.http.request(method, path, json=body, headers=headers)


def shape(answer: httpx.Response, *ids: str) -> tuple[int, str]:
    """What the caller could tell two answers apart by."""
    body = re.sub(r'"trace_id":"\w+"', "", answer.text)
    for identifier in ids:
        body = body.replace(identifier, "…")
    return answer.status_code, body


def nowhere(parameter: str) -> str:
    return "999999999999" if parameter == "area_code" else str(uuid.uuid4())


async def test_without_a_token_nothing_answers(demo: Demo) -> None:
    transport = httpx.ASGITransport(app=demo.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        nobody = Caller("nobody", "", frozenset(), http)
        for method, path, _ in operations(demo):
            answer = await call(nobody, method, filled(path, nowhere(parameter_of(path) or "")))
            assert answer.status_code == 401, f"{method} {path}: {answer.text}"


@pytest.mark.thorough
@pytest.mark.parametrize("name", EVERYBODY)
async def test_without_the_duty_every_route_is_forbidden(
    demo: Demo, resources: dict[tuple[str, str], tuple[str, str]], name: str
) -> None:
    """Wherever the row stands; in the quick run one place is asked for each route."""
    caller, checked = demo.callers[name], 0
    for method, path, operation in operations(demo):
        if caller.duties & set(operation["x-duties"]):
            continue
        parameter = parameter_of(path)
        ids = [identifier for (kind, _), (identifier, _) in resources.items() if kind == parameter] or [nowhere(parameter or "")]
        for identifier in ids if THOROUGH else ids[:1]:
            answer = await call(caller, method, filled(path, identifier))
            assert answer.status_code == 403, f"{method} {path}: {answer.text}"
            assert answer.json()["code"] == "duty_required"
            checked += 1
    assert checked > 0


@pytest.mark.parametrize("name", EVERYBODY)
async def test_outside_the_area_is_the_same_as_not_there(
    demo: Demo, resources: dict[tuple[str, str], tuple[str, str]], name: str
) -> None:
    caller = demo.callers[name]
    for method, path, operation in operations(demo):
        parameter = parameter_of(path)
        if parameter is None or not caller.duties & set(operation["x-duties"]):
            continue
        absent = nowhere(parameter)
        reference = shape(await call(caller, method, filled(path, absent)), absent)
        for place in AREAS:
            identifier, area = resources.get((parameter, place), ("", ""))
            if not identifier or area.startswith(caller.area):
                continue
            answer = await call(caller, method, filled(path, identifier))
            assert shape(answer, identifier) == reference, f"{method} {path} {place}"
            if method == "GET":
                assert answer.status_code == 404, f"{method} {path} {place}: {answer.text}"


@pytest.mark.parametrize("name", EVERYBODY)
async def test_inside_the_area_reads_are_answered(
    demo: Demo, resources: dict[tuple[str, str], tuple[str, str]], name: str
) -> None:
    caller = demo.callers[name]
    for method, path, operation in operations(demo):
        parameter = parameter_of(path)
        if method != "GET" or not caller.duties & set(operation["x-duties"]) or path.count("{") > 1:
            continue
        for place in AREAS if parameter else ("",):
            identifier, area = resources.get((parameter or "", place), ("", caller.area))
            if (parameter and not identifier) or not area.startswith(caller.area):
                continue
            answer = await call(caller, method, filled(path, identifier))
            allowed = (200, 409, 422) if path.endswith(("/bank-file", "/decision", "/result.pdf")) else (200,)
            allowed = (403,) if path == "/api/v1/exports/{export_id}/content" else allowed  # somebody else's
            # Rows are for those who may send rows of that kind; a file without content can't be compared with anything.
            rows = re.match(r"/api/v1/imports/{import_id}/(errors|reconciliation)", path)
            allowed = (200, 403, 422) if rows else allowed
            assert answer.status_code in allowed, f"{method} {path} {place}: {answer.text}"


@pytest.mark.parametrize("name", EVERYBODY)
async def test_lists_and_their_totals_stop_at_the_border(demo: Demo, name: str) -> None:
    caller = demo.callers[name]
    for method, path, operation in operations(demo):
        names = {p["name"] for p in operation.get("parameters", ())}
        if method != "GET" or "{" in path or "cursor" not in names or not caller.duties & set(operation["x-duties"]):
            continue
        page = (await caller.http.get(path, params={"limit": 200, "count": "true"})).json()
        codes = {item["area_code"] for item in page["items"] if "area_code" in item}
        assert all(code.startswith(caller.area) for code in codes), f"{path}: {codes}"
        if page["next_cursor"] is None:
            assert page["total"] == len(page["items"]), path


COUNTED = {"/api/v1/persons": "person", "/api/v1/households": "household", "/api/v1/applications": "application"}


@pytest.mark.parametrize("name", ["s001.clerk", "c001001.worker", "district.reviewer", "qs.district.reviewer"])
@pytest.mark.parametrize("path", COUNTED)
async def test_totals_count_what_the_caller_may_see(demo: Demo, name: str, path: str) -> None:
    caller = demo.callers[name]
    async with demo.owner.connect() as connection:
        statement = text(f"SELECT count(*) FROM {COUNTED[path]} WHERE area_code LIKE :area || '%'")
        expected = (await connection.execute(statement, {"area": caller.area})).scalar_one()
    page = (await caller.http.get(path, params={"limit": 1, "count": "true"})).json()
    assert page["total"] == expected
