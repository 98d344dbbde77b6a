"""The one-shot station assessment and the published standards over HTTP: shapes, duties, refusals."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.routers.v1.examples import EXAMPLES
from app.routers.v1.station_assessment_models import StationAssessmentView
from tests.system.test_conventions import problem
from tests.unit.station_sheets import GOOD, changed

pytestmark = pytest.mark.db

PATH = "/api/v1/stations/assessments"
STANDARDS = "/api/v1/station-standards"
SignIn = Callable[[str], httpx.AsyncClient]


def asked(facts: dict[str, Any], standard: str = "sanyou_siquan", as_of: str = "2026-11-15") -> dict[str, Any]:
    return {"standard": standard, "as_of": as_of, "facts": facts}


def of(body: dict[str, Any], code: str) -> dict[str, Any]:
    found: dict[str, Any] = next(criterion for criterion in body["criteria"] if criterion["code"] == code)
    return found


async def test_the_example_has_the_published_shape(sign_in: SignIn) -> None:
    answer = await sign_in("s001.clerk").post(PATH, json=EXAMPLES[("POST", PATH)])
    assert answer.status_code == 200, answer.text
    StationAssessmentView.model_validate_json(answer.content)
    body = answer.json()
    assert set(body) == {"standard", "version", "criteria", "dimensions", "grade"}
    assert (body["standard"], body["grade"]) == ("sanyou_siquan", "qualified")
    assert re.fullmatch(r"2022-05-29/[0-9a-f]{12}", body["version"])
    published = {"code", "dimension", "met", "warning", "measured", "required", "article", "evidence"}
    assert all(published <= set(criterion) for criterion in body["criteria"])
    assert all(criterion["met"] is True for criterion in body["criteria"])
    assert [row["dimension"] for row in body["dimensions"]] == ["premises", "staff", "facilities", "rules", "archives", "team"]
    assert {row["points"] for row in body["dimensions"]} == {"100"}
    staff = of(body, "established_staff")
    assert (staff["measured"], staff["required"], staff["unit"], staff["warning"]) == ("5", "5-7", "人", None)
    assert staff["article"] == "区对基层民政组织意见 二（一）编制合理"
    assert staff["evidence"] == ["编制批复文件", "在编人员花名册"]


@pytest.mark.parametrize(
    ("standard", "grade"),
    [("sanyou_siquan", "qualified"), ("wuyige", "qualified"), ("wuyou_yichuang", "qualified"), ("staffing_a", "qualified")],
)
async def test_every_standard_answers(sign_in: SignIn, standard: str, grade: str) -> None:
    body = (await sign_in("district.inspector").post(PATH, json=asked(GOOD, standard))).json()
    assert (body["standard"], body["grade"]) == (standard, grade)


async def test_a_missing_fact_leaves_the_grade_open_and_says_where(sign_in: SignIn) -> None:
    body = (await sign_in("s001.clerk").post(PATH, json=asked(changed("equipment.fax", None)))).json()
    fax = of(body, "fax")
    assert (fax["met"], fax["reason"], fax["missing"]) == (None, "fact_missing", ["/facts/equipment/fax"])
    assert body["grade"] == "undetermined"
    null = await sign_in("s001.clerk").post(PATH, json=asked({**GOOD, "equipment": {**GOOD["equipment"], "fax": None}}))
    assert null.json() == body


async def test_no_rule_is_not_defined_and_the_grade_is_not_open(sign_in: SignIn) -> None:
    facts = {"population": 9999, "staff": [{"establishment": "institutional"}]}
    body = (await sign_in("s001.clerk").post(PATH, json=asked(facts, "staffing_b"))).json()
    quota = of(body, "quota")
    assert (quota["met"], quota["reason"], quota["required"]) == (None, "not_defined", None)
    assert body["grade"] == "qualified"


async def test_above_the_upper_end_is_met_with_a_warning(sign_in: SignIn) -> None:
    staff = [{"establishment": "administrative"}, *([{"establishment": "institutional"}] * 7)]
    body = (await sign_in("s001.clerk").post(PATH, json=asked(changed("staff", staff)))).json()
    assert (of(body, "established_staff")["met"], of(body, "established_staff")["warning"]) == (True, "above_upper_end")
    assert body["grade"] == "qualified"


@pytest.mark.parametrize(
    ("facts", "pointer", "said"),
    [
        ({**GOOD, "population": 5000}, "/facts/population", "2500 + 2499 = 4999"),
        (changed("archives.bound", 1201), "/facts/archives/bound", "1201"),
        (changed("archives.digitised", 1300), "/facts/archives/digitised", "1300"),
        ({"claimed": {"informants": 4}, "communities": GOOD["communities"]}, "/facts/claimed/informants", "2 + 1 = 3"),
    ],
)
async def test_a_sheet_that_contradicts_itself_is_refused_with_the_sums(
    sign_in: SignIn, facts: dict[str, Any], pointer: str, said: str
) -> None:
    answer = await sign_in("s001.clerk").post(PATH, json=asked(facts))
    body = problem(answer, 422, "contradictory_facts")
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert said in error["message"]
    assert said in str(body["detail"])


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        ("/standard", "lottery", "unknown_value"),
        ("/standard", None, "not_a_string"),
        ("/as_of", "2026-02-30", "invalid_date"),
        ("/as_of", 20261115, "invalid_date"),
        ("/as_of", "1900-01-01", None),
        ("/facts", [], "not_an_object"),
        ("/facts/shoe_size", 42, "unknown_field"),
        ("/facts/equipment/helicopter", 1, "unknown_field"),
        ("/facts/equipment/fax", -1, "too_small"),
        ("/facts/equipment/fax", "1", "not_an_integer"),
        ("/facts/equipment/fax", 1.5, "not_an_integer"),
        ("/facts/rules/0", "siesta", "unknown_value"),
        ("/facts/signage/0", "neon", "unknown_value"),
        ("/facts/staff/0/establishment", "royal", "unknown_value"),
        ("/facts/staff/0/leader", "yes", "not_a_boolean"),
        ("/facts/staff/0/since", "yesterday", "invalid_date"),
        ("/facts/premises/area_m2", -1, "too_small"),
        ("/facts/premises/independent", 1, "not_a_boolean"),
        ("/facts/communities/0/kind", "castle", "unknown_value"),
        ("/facts/communities/0/area_code", "350702", "wrong_format"),
        ("/facts/community_office/rooms/0", "Room 1", "wrong_format"),
        ("/facts/population", True, "not_an_integer"),
    ],
)
async def test_bad_input_names_its_place(sign_in: SignIn, pointer: str, value: Any, code: str | None) -> None:
    body = asked(GOOD)
    whole = changed(pointer.strip("/").replace("/", "."), value, body) if value is not None else {**body, "standard": None}
    answer = await sign_in("s001.clerk").post(PATH, json=whole)
    problem(answer, 422, "malformed_request")
    errors = {error["pointer"]: error for error in answer.json()["errors"]}
    assert pointer in errors
    assert code is None or errors[pointer]["code"] == code


async def test_a_day_without_a_version_is_a_conflict(sign_in: SignIn) -> None:
    answer = await sign_in("s001.clerk").post(PATH, json=asked(GOOD, as_of="2022-05-28"))
    assert "2022-05-29" in str(problem(answer, 409, "no_standard_in_force")["detail"])
    assert (await sign_in("s001.clerk").post(PATH, json=asked(GOOD, as_of="2022-05-29"))).status_code == 200


@pytest.mark.parametrize(
    "account", ["c001001.worker", "s002.head", "district.treasury", "district.auditor", "district.inspector"]
)
async def test_every_staff_duty_may_ask(sign_in: SignIn, account: str) -> None:
    assert (await sign_in(account).post(PATH, json=asked({}))).status_code == 200


async def test_admin_and_anonymous_may_not(sign_in: SignIn, anonymous: httpx.AsyncClient) -> None:
    problem(await sign_in("district.admin").post(PATH, json=asked({})), 403, "duty_required")
    problem(await anonymous.post(PATH, json=asked({})), 401, "token_missing")
    problem(await anonymous.get(STANDARDS), 401, "token_missing")


async def test_the_standards_are_listed_with_the_version_of_a_day(sign_in: SignIn) -> None:
    page = (await sign_in("c001001.worker").get(STANDARDS, params={"on": "2026-11-15"})).json()
    listed = {item["code"]: item for item in page["items"]}
    assert {"sanyou_siquan", "wuyige", "wuyou_yichuang", "staffing_a", "staffing_b", "staffing_c"} <= set(listed)
    assert page["next_cursor"] is None
    assert listed["sanyou_siquan"]["name"] == "三有四全"
    assert listed["sanyou_siquan"]["version"] in listed["sanyou_siquan"]["versions"]
    earlier = (await sign_in("c001001.worker").get(STANDARDS, params={"on": "2022-05-28"})).json()
    assert {item["code"]: item["version"] for item in earlier["items"]}["sanyou_siquan"] is None


async def test_a_standard_shows_the_sentence_behind_each_criterion(sign_in: SignIn) -> None:
    answer = await sign_in("district.admin").get(f"{STANDARDS}/sanyou_siquan")
    assert re.fullmatch(r'"[0-9a-f]{20}"', answer.headers["etag"])
    (version,) = answer.json()["versions"]
    informants = next(criterion for criterion in version["criteria"] if criterion["code"] == "informants")
    assert "2500人以上的社區、村設立2名民政信息監督員" in informants["sentence"]
    assert [(limit["band_from"], limit["band_until"], limit["lower"]) for limit in informants["limits"]] == [
        (None, 2500, 1),
        (2500, None, 2),
    ]
    assert (informants["limit_by"], informants["mandatory"], informants["dimension"]) == ("community_population", True, "team")
    measured_by = (await sign_in("s001.clerk").post(PATH, json=asked(GOOD))).json()["version"]
    assert measured_by == version["version"]
    problem(await sign_in("s001.clerk").get(f"{STANDARDS}/lottery"), 404, "standard_not_found")


async def test_every_code_of_an_answer_is_published(sign_in: SignIn, anonymous: httpx.AsyncClient) -> None:
    registry: dict[str, set[str]] = {}
    for item in (await anonymous.get("/api/v1/codes")).json()["items"]:
        registry.setdefault(item["kind"], set()).add(item["code"])
    body = (await sign_in("s001.clerk").post(PATH, json=asked({"rules": [], "equipment": {"fax": 0}}))).json()
    assert body["grade"] in registry["station_grade"]
    for criterion in body["criteria"]:
        assert criterion["dimension"] in registry["station_dimension"]
        assert criterion["comparator"] in registry["station_comparator"]
        assert criterion["reason"] is None or criterion["reason"] in registry["station_reason"]
        assert set(criterion["lacking"]) <= registry["station_rule"] | registry["station_signage"]
    standards = (await sign_in("s001.clerk").get(f"{STANDARDS}/wuyige")).json()["versions"]
    assert {c["measure"] for version in standards for c in version["criteria"]} <= registry["station_measure"]
