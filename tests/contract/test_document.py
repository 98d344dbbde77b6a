"""The OpenAPI document as its reader finds it: Chinese, with enums, refusals, and examples that work when sent."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.contract.kit import (
    CHINESE,
    V1,
    Json,
    facts_of,
    id_number,
    key,
    new_household,
    new_person,
    ok,
    operations,
    person_body,
    somebody,
)
from tests.contract.test_assessments import PROGRAMMES, VALUES
from tests.demo_world import Demo

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]
MAIN = {
    ("POST", f"{V1}/auth/token"),
    ("POST", f"{V1}/persons"),
    ("POST", f"{V1}/households"),
    ("POST", f"{V1}/applications"),
    ("PUT", f"{V1}/applications/{{application_id}}/facts"),
    ("POST", f"{V1}/eligibility/assessments"),
    ("POST", f"{V1}/payment-batches"),
    ("POST", f"{V1}/status-queries"),
}


# The person may be registered already; the months of the books move on.
MAY_BE_OVER = {("POST", f"{V1}/persons"), ("POST", f"{V1}/payment-batches")}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def document(demo: Demo) -> Json:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=demo.app), base_url="http://test") as http:
        return await ok(await http.get("/openapi.json"))


def examples(document: Json) -> dict[tuple[str, str], tuple[Json, str, Any]]:
    found = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for media, content in operation.get("requestBody", {}).get("content", {}).items():
                if "example" in content:
                    found[method.upper(), path] = (operation, media, content["example"])
    return found


async def test_the_main_requests_have_an_example(document: Json) -> None:
    assert set(examples(document)) >= MAIN


def ids_of(example: Any) -> list[str]:
    """The ids of persons in an example, the head's first."""
    if "members" in example:
        return [member.get("person_id", member.get("ref")) for member in example["members"]]
    return [example["person_id"]] if "person_id" in example else []


class Own:
    """Records of the caller's own to put in the place of an example's ids."""

    def __init__(self, demo: Demo) -> None:
        self.http = demo.callers["s001.clerk"].http

    async def application(self, household: Json, people: list[Json]) -> str:
        facts = facts_of(people, ("head", "spouse")[: len(people)])
        body = {"household_id": household["id"], "facts": facts}
        created: str = (await ok(await self.http.post(f"{V1}/applications", json=body, headers=key()), 201))["id"]
        return created

    async def fitted(self, path: str, example: Any) -> tuple[str, Any]:
        """Path and body with the ids of own records; the same number of people in the same relations."""
        text = json.dumps(example)
        if path == f"{V1}/households" or path.endswith(("/members", "/{person_id}")):
            people = [await new_person(self.http) for _ in ids_of(example) or ("",)]
            household, _ = await new_household(self.http, "head")
        else:
            people = await self._as_in(example.get("facts", example))
            members = [{"person_id": p["id"], "relation": r} for p, r in zip(people, ("head", "spouse"), strict=False)]
            body = {"area_code": people[0]["area_code"], "residence": "urban", "members": members}
            household = await ok(await self.http.post(f"{V1}/households", json=body, headers=key()), 201)
        for old, person in zip(ids_of(example.get("facts", example)), people, strict=False):
            text = text.replace(old, person["id"])
        if "household_id" in example:
            text = text.replace(example["household_id"], household["id"])
        if "{application_id}" in path:
            path = path.replace("{application_id}", await self.application(household, people))
        return path.replace("{household_id}", household["id"]).replace("{person_id}", people[0]["id"]), json.loads(text)

    async def _as_in(self, example: Json) -> list[Json]:
        """People born when the example says so."""
        people = []
        for member in example.get("members", [{"birth_date": "1978-03-16", "gender": "male"}]):
            body = await self._number(member["birth_date"].replace("-", ""), member["gender"])
            people.append(await ok(await self.http.post(f"{V1}/persons", json=body, headers=key()), 201))
        return people

    async def _number(self, born: str, gender: str) -> Json:
        while True:
            number = id_number(born)
            if number[6:14] == born and (int(number[16]) % 2 == 1) == (gender == "male"):
                return person_body(id_number=number)


async def test_every_example_works_when_sent(demo: Demo, document: Json) -> None:
    for (method, path), (operation, media, example) in examples(document).items():
        url, body = path, example
        if "{" in path or path in (f"{V1}/households", f"{V1}/applications"):
            url, body = await Own(demo).fitted(path, example)
        http = demo.callers["s001.clerk"].http if "station_clerk" in operation.get("x-duties", ()) else somebody(demo, operation)
        headers = key()
        if method == "PUT":
            read = await http.get(url.removesuffix("/facts"))
            headers["If-Match"] = read.headers["etag"]
        sent = {"data": body} if "form" in media else {"json": body}
        answer = await http.request(method, url, headers=headers, **sent)
        assert answer.status_code < 300 or answer.status_code == 409, f"{method} {path}: {answer.status_code} {answer.text}"
        if (method, path) in MAIN - MAY_BE_OVER:
            assert answer.status_code < 300, f"{method} {path}: {answer.text}"


async def test_summaries_and_descriptions_are_chinese(document: Json) -> None:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert CHINESE.search(operation["summary"]), f"{method} {path}"
            for parameter in operation.get("parameters", ()):
                text = parameter.get("description")
                assert text is None or CHINESE.search(text), f"{path} {parameter['name']}"


async def test_refusals_are_documented_with_their_form(document: Json) -> None:
    for path, item in document["paths"].items():
        if not path.startswith(V1):
            continue
        for method, operation in item.items():
            refused = {status for status in operation["responses"] if status.startswith("4")}
            assert {"400", "422", "429"} <= refused, path
            if operation.get("x-duties"):
                assert {"401", "403", "404"} <= refused, path
            if method in ("post", "put"):
                assert "409" in refused, path
            for status in refused:
                assert "application/problem+json" in operation["responses"][status]["content"], f"{path} {status}"


def enums(node: Any) -> list[set[str]]:
    if isinstance(node, dict):
        own = [{str(value) for value in node["enum"]}] if isinstance(node.get("enum"), list) else []
        return own + [found for part in node.values() for found in enums(part)]
    return [found for part in node for found in enums(part)] if isinstance(node, list) else []


async def test_every_value_list_of_the_contract_stands_in_the_document(document: Json) -> None:
    listed = enums(document["components"]["schemas"])
    for pointer, values in VALUES.items():
        assert any(set(values.split()) <= found for found in listed), pointer
    assert any(set(PROGRAMMES) <= found for found in listed)


async def test_the_acts_of_the_contract_are_posts(demo: Demo) -> None:
    posts = {path for path, _ in operations(demo, "POST")}
    acts = "submit accept return-for-supplement give-opinion open-notice close-notice confirm refuse withdraw"
    assert {f"{V1}/applications/{{application_id}}/{act}" for act in acts.split()} <= posts
    money = "compute submit approve reject send-to-treasury treasury-accept treasury-return release cancel"
    assert {f"{V1}/payment-batches/{{batch_id}}/{act}" for act in money.split()} <= posts
