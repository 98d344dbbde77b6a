"""Contract §2, over every operation that the served document lists."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import httpx
import pytest

from tests.contract.kit import (
    UUID7,
    V1,
    Json,
    filled,
    id_number,
    key,
    new_household,
    new_person,
    ok,
    operations,
    person_body,
    problem,
    somebody,
)
from tests.demo_world import Demo

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]


def names(operation: Json) -> set[str]:
    return {parameter["name"] for parameter in operation.get("parameters", ())}


async def test_the_addresses_without_a_token(demo: Demo) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=demo.app), base_url="http://test") as http:
        for path in ("/livez", "/readyz", "/metrics", "/docs", "/openapi.json", "/.well-known/jwks.json", f"{V1}/codes"):
            assert (await http.get(path)).status_code == 200, path
        keys = (await http.get("/.well-known/jwks.json")).json()["keys"]
        assert {"kty": "EC", "crv": "P-256", "alg": "ES256"}.items() <= keys[0].items()
        assert "://" not in (await http.get("/docs")).text
        problem(await http.get(f"{V1}/nowhere"), 404)


async def test_only_get_post_put_delete(demo: Demo) -> None:
    for item in demo.app.openapi()["paths"].values():
        assert set(item) <= {"get", "post", "put", "delete"}
    problem(await demo.callers["s001.clerk"].http.patch(f"{V1}/persons"), 405)


async def test_an_unknown_parameter_is_400_everywhere(demo: Demo) -> None:
    for path, operation in operations(demo, "GET"):
        answer = await somebody(demo, operation).get(filled(path), params={"no_such_thing": "1"})
        problem(answer, 400, "unknown_parameter")


async def test_an_unknown_body_field_is_422_everywhere(demo: Demo) -> None:
    checked = 0
    for method in ("POST", "PUT"):
        for path, operation in operations(demo, method):
            if "application/json" not in operation.get("requestBody", {}).get("content", {}):
                continue
            headers = key() | ({"If-Match": '"1"'} if method == "PUT" else {})
            answer = await somebody(demo, operation).request(method, filled(path), json={"no_such_thing": 1}, headers=headers)
            body = problem(answer, 422)
            found = {error["pointer"]: error["code"] for error in body["errors"]}
            assert found.get("/no_such_thing") == "unknown_field", f"{method} {path}: {body}"
            checked += 1
    assert checked > 20


async def test_every_list_takes_limit_cursor_and_count(demo: Demo) -> None:
    lists = [(path, operation) for path, operation in operations(demo, "GET") if "limit" in names(operation)]
    assert len(lists) >= 8
    for path, operation in lists:
        assert {"limit", "cursor", "count"} <= names(operation), path
        http, real = somebody(demo, operation), await reachable(demo, path)
        body = problem(await http.get(filled(path), params={"limit": 201}), 422)
        assert body["errors"][0]["pointer"] == "/query/limit"
        if real is None:
            continue
        page = await ok(await http.get(real, params={"limit": 200}))
        more = {"work_lists"} if path == f"{V1}/tasks" else set()
        assert set(page) == {"items", "next_cursor"} | more, path
        counted = await ok(await http.get(real, params={"limit": 1, "count": "true"}))
        assert set(counted) == {"items", "next_cursor", "total"} | more, path
        assert isinstance(counted["total"], int)
        assert len(counted["items"]) <= 1


async def test_fifty_is_the_default_and_pages_join(demo: Demo) -> None:
    http = demo.callers["district.reviewer"].http
    first = await ok(await http.get(f"{V1}/persons"))
    assert len(first["items"]) == 50
    assert isinstance(first["next_cursor"], str)
    second = await ok(await http.get(f"{V1}/persons", params={"cursor": first["next_cursor"]}))
    assert not {p["id"] for p in first["items"]} & {p["id"] for p in second["items"]}


async def reachable(demo: Demo, path: str) -> str | None:
    """The path with ids that stand in the lists above it; None where the demo has nothing there."""
    while "{" in path:
        before = path[: path.index("{") - 1]
        operation = demo.app.openapi()["paths"].get(before, {}).get("get")
        if operation is None:
            return None
        page = (await somebody(demo, operation).get(before, params={"limit": 1})).json()
        if not page.get("items"):
            return None
        name = path[path.index("{") + 1 : path.index("}")]
        first = page["items"][0]
        path = path.replace("{" + name + "}", str(first.get(name) or first.get("id") or first["code"]))
    return path


async def test_single_resources_carry_an_etag(demo: Demo) -> None:
    seen = set()
    for path, operation in operations(demo, "GET"):
        if not path.endswith("}") or (real := await reachable(demo, path)) is None:
            continue
        answer = await somebody(demo, operation).get(real)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        assert re.fullmatch(r'"[^"]+"', answer.headers.get("etag", "")), path
        seen.add(path)
    for thing in ("persons/{person_id}", "households/{household_id}", "applications/{application_id}"):
        assert f"{V1}/{thing}" in seen
    assert {f"{V1}/entitlements/{{entitlement_id}}", f"{V1}/payment-batches/{{batch_id}}"} <= seen


async def test_put_without_if_match_is_428_everywhere(demo: Demo) -> None:
    for path, operation in operations(demo, "PUT"):
        assert "if-match" in {name.lower() for name in names(operation)}, path
        problem(await somebody(demo, operation).put(filled(path), json={}), 428)


async def test_a_stale_if_match_is_412(demo: Demo) -> None:
    http = demo.callers["c001001.worker"].http
    household, (person, *_) = await new_household(http, "head")
    for path, change in (
        (f"{V1}/persons/{person['id']}", {"ethnicity": "汉族"}),
        (f"{V1}/households/{household['id']}", {"address": "一号"}),
    ):
        tag = (await http.get(path)).headers["etag"]
        changed = await http.put(path, json=change, headers={"If-Match": tag})
        assert changed.status_code == 200, changed.text
        assert changed.headers["etag"] != tag
        problem(await http.put(path, json=change, headers={"If-Match": tag}), 412)


async def test_an_act_takes_if_match_when_given(demo: Demo) -> None:
    http = demo.callers["c001001.worker"].http
    household, _ = await new_household(http, "head")
    created = await http.post(f"{V1}/applications", json={"household_id": household["id"]}, headers=key())
    path = f"{V1}/applications/{created.json()['id']}/withdraw"
    problem(await http.post(path, json={}, headers={"If-Match": '"77"'}), 412)
    await ok(await http.post(path, json={}))
    problem(await http.post(path, json={}), 409)


async def test_the_same_key_replays_and_another_body_is_refused(demo: Demo) -> None:
    http, headers = demo.callers["c001001.worker"].http, key()
    body = person_body()
    first, again = [await http.post(f"{V1}/persons", json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    problem(await http.post(f"{V1}/persons", json=body | {"name": "别的"}, headers=headers), 422, "idempotency_key_reused")


async def test_every_router_replays(demo: Demo) -> None:
    worker = demo.callers["c001001.worker"].http
    household, (person, *_) = await new_household(worker, "head")
    another = await new_person(worker, id_number=id_number("20050510"))
    month = f"{date.today():%Y-%m}"  # noqa: DTZ011  (a month with open books is wanted, not the business date)
    period = {"period_from": month, "period_to": month, "pay_month": month}
    question = {"id_number": "350702197803169831", "name": "无", "as_of": "2026-01-01", "programmes": ["dibao"]}
    change = {"person_id": another["id"], "relations": [{"person_id": person["id"], "relation": "parent"}]}
    requests: list[tuple[str, str, Json]] = [
        ("c001001.worker", f"/households/{household['id']}/members", {"person_id": another["id"], "relation": "child"}),
        ("c001001.worker", f"/households/{household['id']}/change-head", change),
        ("c001001.worker", "/applications", {"household_id": household["id"]}),
        ("district.finance", "/payment-batches", {**period, "programmes": ["dibao"], "area_code": "350702"}),
        ("bureau-housing", "/status-queries", {**question, "purpose": "住房保障", "legal_basis": "办法", "case_no": "1"}),
        ("district.admin", "/clients", {"client_id": "bureau-contract", "name": "约定"}),
    ]
    for name, path, body in requests:
        http, headers = demo.callers[name].http, key()
        first, again = [await http.post(V1 + path, json=body, headers=headers) for _ in range(2)]
        assert first.status_code in (200, 201), f"{path}: {first.text}"
        assert again.headers.get("idempotency-replayed") == "true", path
        assert again.content == first.content, path


async def test_money_needs_a_key(demo: Demo) -> None:
    for path, operation in operations(demo, "POST"):
        if "/payment-batches" in path:
            problem(await somebody(demo, operation).post(filled(path), json={}), 400, "idempotency_key_required")


async def test_sensitive_fields_are_masked_and_revealed_on_request(demo: Demo) -> None:
    http = demo.callers["c001001.worker"].http
    body = person_body(phone="16900010001", address="中山社区示例路1号")
    person = await ok(await http.post(f"{V1}/persons", json=body), 201)
    number = body["id_number"]
    assert person["id_number"] == number[:4] + "*" * 10 + number[-4:]
    assert body["phone"] not in str(person)
    url = f"{V1}/persons/{person['id']}"
    shown = await http.get(url, params={"reveal": "id_number", "purpose": "电话核实"})
    assert shown.json()["id_number"] == number
    assert "no-store" in shown.headers["cache-control"]
    problem(await http.get(url, params={"reveal": "id_number"}), 422)
    problem(await http.get(url, params={"reveal": "shoe_size", "purpose": "x"}), 422)
    problem(await demo.callers["district.auditor"].http.get(url, params={"reveal": "id_number", "purpose": "x"}), 403)
    assert (await http.get(url)).json()["id_number"] == person["id_number"]


async def test_ids_are_version_7_and_instants_have_an_offset(demo: Demo) -> None:
    http = demo.callers["s001.clerk"].http
    person = await new_person(http)
    assert UUID7.fullmatch(person["id"])
    for application in (await ok(await http.get(f"{V1}/applications?limit=5")))["items"]:
        assert UUID7.fullmatch(application["id"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", application["created_at"])


def _money(value: Any, at: str = "") -> list[str]:
    """Fields ending _fen that are no integer."""
    if isinstance(value, dict):
        wrong = [f"{at}/{name}" for name, part in value.items() if name.endswith("_fen") and not isinstance(part, int | None)]
        return wrong + [found for name, part in value.items() for found in _money(part, f"{at}/{name}")]
    return [found for part in value for found in _money(part, at)] if isinstance(value, list) else []


async def test_money_is_an_integer_and_areas_are_area_code(demo: Demo) -> None:
    for path, operation in operations(demo, "GET"):
        if "{" in path or "limit" not in names(operation):
            continue
        page = await ok(await somebody(demo, operation).get(path, params={"limit": 3}))
        assert _money(page) == []
        for item in page["items"]:
            assert "area" not in item, path
            assert re.fullmatch(r"\d{6}(\d{3}){0,2}", item.get("area_code", "350702")), path


async def test_401_then_403_then_404(demo: Demo) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=demo.app), base_url="http://test") as nobody:
        path = filled(f"{V1}/persons/{{person_id}}")
        problem(await nobody.get(path), 401)
        problem(await demo.callers["district.treasury"].http.get(path), 403)
        problem(await demo.callers["s001.clerk"].http.get(path), 404)
    own = await new_person(demo.callers["c001001.worker"].http)
    outside = problem(await demo.callers["s002.clerk"].http.get(f"{V1}/persons/{own['id']}"), 404)
    missing = problem(await demo.callers["s002.clerk"].http.get(path), 404)
    assert {**outside, "trace_id": ""} == {**missing, "trace_id": ""}


async def test_the_demo_date_moves_the_business_date_of_one_request(demo: Demo) -> None:
    http = demo.callers["s001.clerk"].http
    household, _ = await new_household(http, "head")
    future = {"X-Demo-Date": "2027-03-01"}
    person = await ok(await http.post(f"{V1}/persons", json=person_body(), headers=future), 201)
    joined = await http.post(
        f"{V1}/households/{household['id']}/members", json={"person_id": person["id"], "relation": "other"}, headers=future
    )
    assert (await ok(joined, 201))["members"][-1]["since"] == "2027-03-01"
    assert len((await ok(await http.get(f"{V1}/households/{household['id']}/members")))["items"]) == 1
    later = await http.get(f"{V1}/households/{household['id']}/members", params={"as_of": "2027-03-01"})
    assert len((await ok(later))["items"]) == 2
    problem(await http.get(f"{V1}/tasks", headers={"X-Demo-Date": "tomorrow"}), 422)
