"""Hostile and clumsy requests: every one gets a clear answer in Chinese, none a 500, none the framework's English."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.main import create_app
from app.request_body import MAX_DEPTH
from app.runtime import Runtime
from app.settings import Settings
from tests.integration.registry_world import entry, registered
from tests.system.test_conventions import problem

pytestmark = pytest.mark.db
SignIn = Callable[[str], httpx.AsyncClient]
PERSONS = "/api/v1/persons"
JSON = {"content-type": "application/json"}


def pointers(body: dict[str, Any]) -> dict[str, str]:
    return {error["pointer"]: error["code"] for error in body["errors"]}


# --- the body --------------------------------------------------------------------------------------------------------------

BROKEN = {
    "not closed": (b'{"name": "x"', "invalid_json"),
    "two values": (b"{} {}", "invalid_json"),
    "NaN": (b'{"limit": NaN}', "invalid_json"),
    "Infinity": (b'{"limit": -Infinity}', "invalid_json"),
    "1e400": (b'{"limit": 1e400}', "too_large"),
    "five thousand digits": (b'{"limit": ' + b"9" * 5000 + b"}", "too_large"),
    "more than 64 bits": (b'{"limit": 123456789012345678901}', "too_large"),
    "the same key twice": (b'{"name": "a", "name": "b"}', "duplicate_field"),
    "GBK": ('{"name": "张三"}'.encode("gbk"), "invalid_encoding"),
    "UTF-16": ('{"name": "张三"}'.encode("utf-16"), "invalid_encoding"),
    "surrogates in UTF-8": (b'{"name": "\xed\xa0\x80"}', "invalid_encoding"),
    "a raw NUL": (b'{"name": "a\x00b"}', "invalid_json"),
    "nested too deeply": (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "too_deep"),
    "nested beyond the stack": (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
    "objects beyond the stack": (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "too_deep"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_json_is_malformed_and_says_how(sign_in: SignIn, name: str) -> None:
    content, code = BROKEN[name]
    body = problem(await sign_in("s001.clerk").post(f"{PERSONS}/search", content=content, headers=JSON), 422, "malformed_request")
    assert pointers(body) == {"": code}


UNSTORABLE = {
    "in a field": (b'{"name": "a\\u0000"}', "/name"),
    "half a pair": (b'{"name": "\\ud800"}', "/name"),
    "in a list": (b'{"list": ["x", "\\udfff"]}', "/list/1"),
    "in a name": (b'{"in": {"a\\u0000/~": 1}}', "/in"),
    "below a strange name": (b'{"a/b~": {"\\ud800": "\\ud800"}}', "/a~1b~0"),
}


@pytest.mark.parametrize("name", UNSTORABLE)
async def test_text_that_cannot_be_stored_is_named(sign_in: SignIn, name: str) -> None:
    content, pointer = UNSTORABLE[name]
    answer = await sign_in("s001.clerk").post(f"{PERSONS}/search", content=content, headers=JSON)
    assert pointers(problem(answer, 422, "malformed_request"))[pointer] == "invalid_characters"


async def test_escaped_chinese_and_a_byte_order_mark_are_fine(sign_in: SignIn) -> None:
    client = sign_in("s001.clerk")
    for content in (b'{"name": "\\u5f20\\u4e09"}', '\ufeff{"name": "张三"}'.encode(), b'{"name": "\\ud842\\udfb7"}'):
        assert (await client.post(f"{PERSONS}/search", content=content, headers=JSON)).status_code == 200


@pytest.mark.parametrize(
    "sent", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x", None]
)
async def test_another_media_type_is_415(sign_in: SignIn, sent: str | None) -> None:
    headers = {"content-type": sent} if sent else {}
    answer = await sign_in("s001.clerk").post(f"{PERSONS}/search", content=b'{"name": "a"}', headers=headers)
    assert "application/json" in str(problem(answer, 415, "unsupported_media_type")["detail"])


@pytest.mark.parametrize("sent", ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"])
async def test_json_by_any_of_its_names_is_read(sign_in: SignIn, sent: str) -> None:
    answer = await sign_in("s001.clerk").post(f"{PERSONS}/search", content=b'{"name": "a"}', headers={"content-type": sent})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b'"x"', b"1", b"true"])
async def test_no_object_is_malformed(sign_in: SignIn, content: bytes) -> None:
    problem(await sign_in("s001.clerk").post(f"{PERSONS}/search", content=content, headers=JSON), 422, "malformed_request")


async def test_signing_in_takes_a_form(anonymous: httpx.AsyncClient) -> None:
    credentials = {"grant_type": "password", "username": "s001.clerk", "password": "x"}
    answer = await anonymous.post("/api/v1/auth/token", json=credentials)
    assert "x-www-form-urlencoded" in str(problem(answer, 415, "unsupported_media_type")["detail"])
    problem(await anonymous.post("/api/v1/auth/token", files={"grant_type": (None, "password")}), 415, "unsupported_media_type")


async def test_the_limit_of_uploads_opens_no_other_route(sign_in: SignIn) -> None:
    """Refused by its type, before a byte of the 200 MB is read."""
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(200):
            read += 1 << 20
            yield b" " * (1 << 20)

    for path in (f"{PERSONS}/search", "/api/v1/auth/token", "/api/v1/auth/logout"):
        headers = {"content-type": "multipart/form-data; boundary=x", "Idempotency-Key": "k"}
        answer = await sign_in("s001.clerk").post(path, content=endless(), headers=headers)
        problem(answer, 415, "unsupported_media_type")
    assert read <= 3 << 20


async def test_dates_are_written_as_published(sign_in: SignIn) -> None:
    """Numbers and digits are Unix times to pydantic: 20260815 would become a day in 1970."""
    client = sign_in("s001.clerk")
    sent: Any
    for sent in (20260815, "20260815", 0, "0", "2026-08-15T00:00:00Z", "2026-8-15", "2026-02-30", "2026-W33-6", True, [], {}):
        body = problem(await client.post(PERSONS, json=entry(valid_from=sent)), 422, "malformed_request")
        assert pointers(body) == {"/valid_from": "invalid_date"}, sent
    for query in ("0", "20260815", "2026-02-30", "", "2026-08-15T00:00:00"):
        body = problem(await client.get("/api/v1/areas", params={"on": query}), 422, "malformed_request")
        assert pointers(body) == {"/query/on": "invalid_date"}, query
    assert (await client.get("/api/v1/areas?on=2026-02-28")).status_code == 200


async def test_very_many_findings_are_counted_not_listed(sign_in: SignIn) -> None:
    many = {f"field{n}": 1 for n in range(5000)}
    body = problem(await sign_in("s001.clerk").post(f"{PERSONS}/search", json=many), 422, "malformed_request")
    assert "5000" in str(body["detail"])
    assert len(body["errors"]) == 100  # type: ignore[arg-type]


# --- the address -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/api/v1/areas/%00", "/api/v1/areas/3507%0002", "/api/v1/areas?cursor=%00", "/api/v1/areas?on=%00"]
)
async def test_a_nul_in_the_address_is_malformed(sign_in: SignIn, path: str) -> None:
    problem(await sign_in("s001.clerk").get(path), 422, "malformed_request")


@pytest.mark.parametrize(
    "path", ["/api/v1/areas/%ff", "/api/v1/areas/%ed%a0%80", "/api/v1/persons/%ff", "/api/v1/areas/..%2f..", "/%ff"]
)
async def test_bytes_that_are_no_text_are_not_found_or_malformed(sign_in: SignIn, path: str) -> None:
    answer = await sign_in("s001.clerk").get(path)
    assert answer.status_code in (404, 422)
    problem(answer, answer.status_code, answer.json()["code"])


async def test_a_parameter_given_twice_is_refused(sign_in: SignIn) -> None:
    problem(await sign_in("s001.clerk").get("/api/v1/areas?limit=1&limit=200"), 400, "repeated_parameter")


@pytest.mark.parametrize("position", ['["\\u0000"]', '["350702001\\u0000"]', "[1]", "[[]]", "{}", "[" * 500])
async def test_a_cursor_of_ones_own_making_is_malformed(sign_in: SignIn, position: str) -> None:
    import base64

    cursor = base64.urlsafe_b64encode(position.encode()).decode()
    for path in ("/api/v1/areas", PERSONS):
        answer = await sign_in("s001.clerk").get(path, params={"cursor": cursor})
        problem(answer, 422, "malformed_request")


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PATCH", "TRACE", "QUERY"])
async def test_other_methods_are_405_with_the_ones_that_exist(sign_in: SignIn, method: str) -> None:
    answer = await sign_in("s001.clerk").request(method, PERSONS)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"


async def test_a_slash_at_the_end_is_another_address(sign_in: SignIn) -> None:
    problem(await sign_in("s001.clerk").get("/api/v1/areas/", headers={"host": "elsewhere.example"}), 404, "route_not_found")


# --- the headers -----------------------------------------------------------------------------------------------------------

STALE = ["", '"x"', "W/", "0", '"99.m"', '"1', "+1", "１", "1.m.x", '"1,m"', "1" * 30, "null", "\u00e9"]


@pytest.mark.parametrize("tag", STALE)
async def test_an_unknown_version_is_stale(sign_in: SignIn, tag: str) -> None:
    client = sign_in("s001.clerk")
    person = await registered(client)
    headers = [(b"if-match", tag.encode("utf-8"))]
    answer = await client.put(f"{PERSONS}/{person['id']}", json={"name": "新名"}, headers=headers)
    problem(answer, 412, "stale_version")


@pytest.mark.parametrize("form", ['"{}.m"', 'W/"{}.m"', "{}", "{}.m", '"{}.r"', '"{}.m", "{}.r"', "*"])
async def test_the_current_version_in_any_of_its_forms_is_current(sign_in: SignIn, form: str) -> None:
    client = sign_in("s001.clerk")
    person = await registered(client)
    tag = form.replace("{}", "1")
    answer = await client.put(f"{PERSONS}/{person['id']}", json={"name": "新名"}, headers={"if-match": tag})
    assert answer.status_code == 200, answer.text


async def test_several_versions_are_refused_and_none_is_428(sign_in: SignIn) -> None:
    client = sign_in("s001.clerk")
    person = await registered(client)
    path = f"{PERSONS}/{person['id']}"
    problem(await client.put(path, json={"name": "新"}, headers={"if-match": '"1.m", "2.m"'}), 422, "malformed_request")
    problem(await client.put(path, json={"name": "新"}), 428, "if_match_required")


async def test_two_editors_one_wins(sign_in: SignIn) -> None:
    client = sign_in("s001.clerk")
    person = await registered(client)
    sent = [client.put(f"{PERSONS}/{person['id']}", json={"name": f"新{n}"}, headers={"if-match": '"1.m"'}) for n in range(8)]
    answers = await asyncio.gather(*sent)
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "1e3", "\u0664", "18446744073709551616"])
async def test_a_lying_content_length_is_survived(app: FastAPI, length: str) -> None:
    status = await raw(app, "POST", "/api/v1/auth/token", [(b"content-length", length.encode())], b"grant_type=password")
    assert status in (413, 415, 422)


async def test_a_caller_that_goes_away_while_sending_is_no_error(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    await raw(app, "POST", "/api/v1/auth/token", [(b"content-type", b"application/x-www-form-urlencoded")], None)
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


async def raw(app: FastAPI, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes | None) -> int:
    """A request as no client library would send it; ``body`` None hangs up. Answers the status, 0 for none."""
    status = 0
    parts = [{"type": "http.request", "body": body, "more_body": False}] if body is not None else []

    async def receive() -> dict[str, Any]:
        return parts.pop(0) if parts else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
    common = {"asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "client": ("test", 1), "server": ("test", 80)}
    await app({**scope, **common, "root_path": ""}, receive, send)
    return status


@pytest.mark.parametrize("token", ["\u00ff", "a.b", "a.b.c", "e" * 9000, "..", "eyJhbGciOiJub25lIn0.e30."])
async def test_no_token_is_a_401_whatever_it_looks_like(anonymous: httpx.AsyncClient, token: str) -> None:
    headers = [(b"authorization", b"Bearer " + token.encode("latin-1"))]
    answer = await anonymous.get("/api/v1/me", headers=headers)
    problem(answer, 401, answer.json()["code"])


@pytest.mark.parametrize(
    "day", ["0001-01-01", "9999-12-31", "2026-02-29", "20260815", "2026-W33-6", "", "x" * 9000, "２０２６-01-01"]
)
async def test_a_strange_demo_date_is_malformed(sign_in: SignIn, day: str) -> None:
    headers = [(b"x-demo-date", day.encode())]
    body = problem(await sign_in("s001.clerk").get("/api/v1/areas", headers=headers), 422, "malformed_request")
    assert pointers(body) == {"/header/X-Demo-Date": "invalid_date"}


async def test_a_leap_day_is_a_demo_date(sign_in: SignIn) -> None:
    for day in ("2028-02-29", "1850-01-01", "2300-12-31", "1988-04-17"):
        answer = await sign_in("s001.clerk").get("/api/v1/areas", headers={"X-Demo-Date": day})
        assert answer.status_code == 200, answer.text


# --- too much at once ------------------------------------------------------------------------------------------------------


async def test_more_than_can_be_served_are_turned_away_at_once(runtime: Runtime, sign_in: SignIn) -> None:
    settings = Settings(**(runtime.settings.model_dump() | {"max_requests_in_flight": 5}))
    token = {"Authorization": sign_in("s001.clerk").headers["Authorization"]}
    transport = httpx.ASGITransport(app=create_app(settings, runtime=runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=token) as client:
        answers = await asyncio.gather(*(client.get("/api/v1/areas") for _ in range(50)), client.get("/livez"))
        assert answers.pop().status_code == 200
        turned_away = [answer for answer in answers if answer.status_code != 200]
        assert 20 < len(turned_away) < 50
        for answer in turned_away:
            problem(answer, 503, "temporarily_unavailable")
            assert int(answer.headers["retry-after"]) >= 1
        assert (await client.get("/api/v1/areas")).status_code == 200, "and the places are free again"
