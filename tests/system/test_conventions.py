"""The HTTP conventions of the contract, on routes that show each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from app.domain.access import Duty, Level
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from tests.world import World

pytestmark = pytest.mark.db
SignIn = Callable[[str], httpx.AsyncClient]


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = answer.json()
    assert body["code"] == code
    assert set(body) >= {"type", "title", "status", "detail", "code", "trace_id"}
    assert any("\u4e00" <= character <= "\u9fff" for character in str(body["detail"]))
    return body


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5"])
async def test_a_limit_outside_1_to_200_is_malformed(sign_in: SignIn, limit: str) -> None:
    body = problem(await sign_in("s001.clerk").get(f"/api/v1/areas?limit={limit}"), 422, "malformed_request")
    errors = body["errors"]
    assert isinstance(errors, list)
    assert errors[0]["pointer"] == "/query/limit"


@pytest.mark.parametrize("cursor", ["x", "AAAA", "bnVsbA", "W10", "eyJhIjoxfQ", "%00"])
async def test_a_foreign_cursor_is_malformed(sign_in: SignIn, cursor: str) -> None:
    problem(await sign_in("s001.clerk").get(f"/api/v1/areas?cursor={cursor}"), 422, "malformed_request")


async def test_pages_join_to_the_whole_list(sign_in: SignIn) -> None:
    client, seen, cursor = sign_in("district.reviewer"), [], ""
    for _ in range(100):
        page = (await client.get(f"/api/v1/areas?limit=50&count=true{cursor}")).json()
        seen += [item["area_code"] for item in page["items"]]
        assert page["total"] == 339
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 339
    assert seen == sorted(seen)


async def test_a_list_shows_the_callers_area_only(sign_in: SignIn) -> None:
    page = (await sign_in("s001.clerk").get("/api/v1/areas?count=true&limit=200")).json()
    assert {item["area_code"][:9] for item in page["items"]} == {"350702001"}
    assert page["total"] == len(page["items"])


@pytest.mark.parametrize("code", ["350702002", "350702002001", "350702", "340882", "350702999", "999999"])
async def test_outside_is_the_same_as_not_there(sign_in: SignIn, code: str) -> None:
    body = problem(await sign_in("s001.clerk").get(f"/api/v1/areas/{code}"), 404, "area_not_found")
    assert str(body["detail"]).replace(code, "") == "没有区划 ，或不在您的辖区内，请核对区划代码。"


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer "}]
)
async def test_no_valid_token_is_401(anonymous: httpx.AsyncClient, header: dict[str, str]) -> None:
    answer = await anonymous.get("/api/v1/areas", headers=header)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_other_methods_and_wrong_json_are_problems(sign_in: SignIn) -> None:
    client = sign_in("s001.clerk")
    problem(await client.patch("/api/v1/areas"), 405, "method_not_allowed")
    answer = await client.post("/api/v1/eligibility/assessments", content=b"{", headers={"content-type": "application/json"})
    problem(answer, 422, "malformed_request")


async def test_a_body_over_the_limit_is_413_declared_or_not(sign_in: SignIn) -> None:
    client = sign_in("s001.clerk")
    big = b"[" + b" " * (1 << 20) + b"]"
    problem(await client.post("/api/v1/eligibility/assessments", content=big), 413, "body_too_large")

    async def dripped() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 32768

    problem(await client.post("/api/v1/eligibility/assessments", content=dripped()), 413, "body_too_large")


async def test_the_demo_date_is_refused_outside_the_demo(runtime: Runtime, world: World) -> None:
    from dataclasses import replace

    settings = Settings(**(runtime.settings.model_dump() | {"demo": False}))
    strict = create_app(runtime=replace(runtime, settings=settings))
    account = world.accounts["s001.clerk"]
    token = runtime.tokens.issue_access_token(
        subject=account.id, level=Level.SUBDISTRICT, area=account.area, duties=[Duty.STATION_CLERK]
    )
    headers = {"Authorization": f"Bearer {token}", "X-Demo-Date": "2026-12-01"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=strict), base_url="http://test") as client:
        problem(await client.get("/api/v1/areas", headers=headers), 400, "demo_only")
    problem(
        await (sign := _client(runtime, token)).get("/api/v1/areas", headers={"X-Demo-Date": "2026-02-30"}),
        422,
        "malformed_request",
    )
    await sign.aclose()


def _client(runtime: Runtime, token: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=create_app(runtime=runtime))
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {token}"})


async def test_security_headers_and_trace_id_on_every_answer(anonymous: httpx.AsyncClient) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    for path in ("/livez", "/docs", "/api/v1/codes", "/api/v1/nowhere"):
        answer = await anonymous.get(path, headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-trace-id"] == trace
    assert (await anonymous.get("/api/v1/codes")).headers["cache-control"] == "private, no-store"


async def test_the_documentation_page_names_no_other_host(anonymous: httpx.AsyncClient) -> None:
    page = await anonymous.get("/docs")
    assert page.status_code == 200
    assert "://" not in page.text
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js"):
        assert f"/docs/assets/{asset}" in page.text
        assert (await anonymous.get(f"/docs/assets/{asset}")).status_code == 200
    assert (await anonymous.get("/docs/assets/..%2f..%2fsettings.py")).status_code == 404
    assert "validatorUrl: null" in (await anonymous.get("/docs/assets/start.js")).text


async def test_metrics_name_routes_by_template(anonymous: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("s001.clerk").get("/api/v1/areas/350702001001")
    page = (await anonymous.get("/metrics")).text
    assert 'route="/api/v1/areas/{area_code}"' in page
    assert "350702001001" not in page
