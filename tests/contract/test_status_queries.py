"""Contract §8: another bureau asks whether somebody is enrolled."""

from __future__ import annotations

import base64
import json
from datetime import date

import httpx
import pytest
import pytest_asyncio

from tests.contract.kit import UUID7, V1, Json, key, ok, problem
from tests.demo_world import Demo

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]
PATH = f"{V1}/status-queries"
NOTE = "按所报姓名和身份证号未查到在册记录，请核对"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def enrolled(demo: Demo) -> Json:
    """Name and number of somebody on the demo's roll, as a reviewer sees them, and since when."""
    http = demo.callers["district.reviewer"].http
    line = (await ok(await http.get(f"{V1}/entitlements", params={"state": "active", "limit": 1})))["items"][0]
    members = (await ok(await http.get(f"{V1}/households/{line['household_id']}/members")))["items"]
    shown = await http.get(f"{V1}/persons/{members[0]['person_id']}", params={"reveal": "id_number", "purpose": "核对"})
    person = await ok(shown)
    return {"id_number": person["id_number"], "name": person["name"], "since": line["since_month"]}


def question(enrolled: Json, **values: object) -> Json:
    day = date.today().isoformat()  # noqa: DTZ011  (what a caller's own clock says)
    return {
        "id_number": enrolled["id_number"],
        "name": enrolled["name"],
        "as_of": day,
        "programmes": ["dibao"],
        "purpose": "保障性住房资格核查",
        "legal_basis": "公共租赁住房管理办法 第八条",
        "case_no": "GZF-2026-0001",
        **values,
    }


async def ask(demo: Demo, body: Json, client: str = "bureau-housing") -> httpx.Response:
    return await demo.callers[client].http.post(PATH, json=body)


def payload(attestation: str) -> Json:
    part = attestation.split(".")[1]
    found: Json = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


async def test_somebody_enrolled(demo: Demo, enrolled: Json) -> None:
    body = await ok(await ask(demo, question(enrolled)))
    assert set(body) == {"query_id", "as_of", "results", "attestation"}
    assert UUID7.fullmatch(body["query_id"])
    (result,) = body["results"]
    assert set(result) == {"programme", "enrolled", "category", "since", "valid_until"}
    assert (result["programme"], result["enrolled"], result["since"]) == ("dibao", True, enrolled["since"])
    assert result["category"] in ("urban", "rural")
    assert payload(body["attestation"])["query_id"] == body["query_id"]
    assert enrolled["id_number"] not in str(payload(body["attestation"]))


async def test_every_no_is_the_same(demo: Demo, enrolled: Json) -> None:
    unknown = question(enrolled, id_number="350702197803169831")
    answers = [
        await ok(await ask(demo, body))
        for body in (unknown, question(enrolled, name="别的"), question(enrolled, as_of="2014-01-01"))
    ]
    for answer in answers:
        (result,) = answer["results"]
        assert result == {
            "programme": "dibao",
            "enrolled": False,
            "category": None,
            "since": None,
            "valid_until": None,
            "note": NOTE,
        }
        assert answer["attestation"]


async def test_attest_false(demo: Demo, enrolled: Json) -> None:
    assert (await ok(await ask(demo, question(enrolled, attest=False))))["attestation"] is None


@pytest.mark.parametrize(
    ("client", "purpose"),
    [
        ("bureau-housing", "保障性住房资格核查"),
        ("bureau-housing", "公租房"),
        ("bureau-housing", "公租房申请审核"),
        ("bureau-housing", "住房保障"),
        ("bureau-housing", "housing"),
        ("bureau-housing", "public_rental_housing"),
        ("bureau-housing", "Public rental housing eligibility"),
        ("bureau-housing", "eligibility_check"),
        ("bureau-education", "助学金审核"),
        ("bureau-education", "学生资助"),
        ("bureau-education", "student_aid"),
        ("bureau-education", "education"),
        ("bureau-education", "家庭经济困难学生认定"),
    ],
)
async def test_reasonable_purposes_are_covered_in_the_demo(demo: Demo, enrolled: Json, client: str, purpose: str) -> None:
    assert (await ok(await ask(demo, question(enrolled, purpose=purpose), client)))["results"][0]["enrolled"] is True


@pytest.mark.parametrize(
    ("client", "values"),
    [
        ("bureau-housing", {"purpose": "marketing"}),
        ("bureau-housing", {"purpose": "商业推广"}),
        ("bureau-education", {"purpose": "其他"}),
        ("bureau-housing", {"programmes": ["orphan"]}),
        ("bureau-housing", {"programmes": ["dibao", "veteran"]}),
        ("bureau-education", {"programmes": ["old_age"]}),
    ],
)
async def test_outside_the_agreement_is_403(demo: Demo, enrolled: Json, client: str, values: Json) -> None:
    problem(await ask(demo, question(enrolled, **values), client), 403, "outside_agreement")


@pytest.mark.parametrize("field", ["id_number", "name", "as_of", "programmes", "purpose", "legal_basis", "case_no"])
async def test_what_a_question_needs(demo: Demo, enrolled: Json, field: str) -> None:
    body = {name: value for name, value in question(enrolled).items() if name != field}
    refused = problem(await ask(demo, body), 422)
    assert [error["pointer"] for error in refused["errors"]] == [f"/{field}"]


async def test_staff_may_not_ask_and_bureaus_see_nothing_else(demo: Demo, enrolled: Json) -> None:
    for name in ("s001.clerk", "district.reviewer", "district.admin", "district.auditor"):
        problem(await demo.callers[name].http.post(PATH, json=question(enrolled)), 403)
    for path in ("persons", "households", "applications", "entitlements", "payment-batches", "accounts", "tasks"):
        problem(await demo.callers["bureau-housing"].http.get(f"{V1}/{path}"), 403)


async def test_a_replay_is_the_same_query(demo: Demo, enrolled: Json) -> None:
    headers, http = key(), demo.callers["bureau-housing"].http
    first, again = [await http.post(PATH, json=question(enrolled), headers=headers) for _ in range(2)]
    assert first.json()["query_id"] == again.json()["query_id"]
    assert again.headers["idempotency-replayed"] == "true"
