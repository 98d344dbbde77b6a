"""Contract §4: the one-shot assessment as an outside caller sends it."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import httpx
import pytest

from tests.contract.kit import V1, Json, ok, problem
from tests.demo_world import Demo

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]
PATH = f"{V1}/eligibility/assessments"

# Word for word as the contract prints it.
EXAMPLE: Json = json.loads("""{
  "business_date": "2026-08-15",
  "area_code": "350702001001",
  "residence": "urban",
  "programmes": ["dibao", "dibao_edge"],
  "household": {
    "members": [
      {"ref": "m1", "relation": "head", "birth_date": "1972-03-01", "gender": "male",
       "absence": null, "study": null, "employment": "unemployed", "employable": true,
       "job_offers_refused": 0,
       "disability": {"category": "physical", "grade": 2, "needs_care": true},
       "serious_illness": false, "self_care_failed_items": 0,
       "incomes": [{"kind": "wage", "monthly_fen": 60000}]},
      {"ref": "m2", "relation": "spouse", "birth_date": "1975-05-20", "gender": "female", "employment": "none", "incomes": []}
    ],
    "assets": [{"kind": "deposit", "value_fen": 2000000, "exempt_fen": 0}],
    "expenses": [{"kind": "medical", "amount_fen": 5000000, "reimbursed_fen": 3800000, "paid_on": "2026-03-02"}],
    "deductible_monthly_fen": 0,
    "authorised_verification": true
  },
  "context": {}
}""")
PROGRAMMES = [
    "dibao",
    "dibao_single",
    "dibao_edge",
    "rigid_expense",
    "tekun",
    "temporary",
    "medical",
    "disability_living",
    "disability_care",
    "old_age",
    "orphan",
    "unsupported_child",
    "disaster",
    "veteran",
    "one_off",
]
OUTCOMES = {"eligible", "ineligible", "needs_evidence", "gradual_exit", "urgent_first", "escalate", "suspended", "not_applicable"}
VALUES = {
    "/household/members/1/relation": "spouse child parent grandparent grandchild sibling other",
    "/household/members/0/absence": "imprisoned compulsory_rehab missing religious_3y other_household",
    "/household/members/0/study": "preschool compulsory senior_secondary vocational junior_college undergraduate postgraduate",
    "/household/members/0/employment": "employed self_employed farming unemployed retired none",
    "/household/members/0/disability/category": "vision hearing speech physical intellectual mental multiple",
    "/household/members/0/gender": "male female",
    "/household/members/0/incomes/0/kind": (
        "wage business_net property_net transfer_net other preferential_pension family_planning_award scholarship bravery_award "
        "social_assistance basic_pension_central disability_subsidy orphan_allowance unsupported_child_allowance "
        "old_age_allowance social_insurance_medical"
    ),
    "/household/assets/0/kind": "cash deposit securities fund insurance receivable internet_finance vehicle real_estate",
    "/household/expenses/0/kind": "medical education disability_rehab living other",
    "/context/parents/0/status": (
        "dead missing severe_disability serious_illness imprisoned compulsory_rehab restricted lost_contact able"
    ),
    "/context/emergency/kind": "fire traffic_accident sudden_illness disaster income_loss other",
    "/context/holds/0/programme": " ".join([*PROGRAMMES, "elderly_care_allowance", "work_injury_care"]),
    "/context/current_entitlement/programme": " ".join(PROGRAMMES),
    "/context/obligors/0/programme": "dibao tekun",
    "/residence": "urban rural",
}
CONTEXT: Json = {
    "current_entitlement": {"programme": "dibao", "monthly_fen": 75600, "since": "2026-01", "ended_by_employment": False},
    "holds": [{"member": "m1", "programme": "orphan", "monthly_fen": 130000}],
    "parents": [
        {"status": "dead"},
        {"status": "imprisoned", "months": 6, "disability": {"category": "mental", "grade": 1}, "child": "m2"},
    ],
    "obligors": [
        {
            "relation": "child",
            "birth_date": "1966-01-01",
            "programme": None,
            "annual_income_fen": 2000000,
            "assets_comply": True,
            "disability": None,
            "absence": None,
            "civil_incapacity": False,
        }
    ],
    "emergency": {
        "kind": "fire",
        "urgent": True,
        "requested_fen": 100000,
        "occurred_on": "2026-08-14",
        "occurred_area": "350702001001",
        "special": False,
    },
    "medical_claim": {"compliant_self_paid_fen": 3000000, "paid_this_year_fen": 0, "outside_catalogue_fen": 100},
    "hukou_local": True,
    "survival_confirmed_on": "2026-06-01",
    "institutional_care": False,
}


def changed(pointer: str, value: Any, *, full: bool = False) -> Json:
    asked = copy.deepcopy(EXAMPLE)
    if full:
        asked["context"] = copy.deepcopy(CONTEXT)
    *path, last = [int(part) if part.isdigit() else part for part in pointer.strip("/").split("/")]
    target: Any = asked
    for part in path:
        target = target[part]
    target[last] = value
    return asked


async def assess(demo: Demo, asked: Json, name: str = "s001.clerk") -> httpx.Response:
    return await demo.callers[name].http.post(PATH, json=asked)


async def results(demo: Demo, asked: Json, programme: str) -> list[Json]:
    """The rows of one programme."""
    answer = await ok(await assess(demo, asked | {"programmes": [programme]}))
    rows: list[Json] = answer["results"]
    assert {row["programme"] for row in rows} == {programme}
    return rows


async def test_the_example_word_for_word(demo: Demo) -> None:
    body = await ok(await assess(demo, EXAMPLE))
    assert body["notice"] == "演示参数"
    assert re.fullmatch(r"350702/2026-07-01/[0-9a-f]+", body["policy_version"])
    dibao, edge = body["results"]
    # 552 × 2 − 600 = 504.00; 20 % of 552 for the severe disability = 110.40; together 614.40
    expected = {
        "programme": "dibao",
        "outcome": "eligible",
        "member": None,
        "monthly_fen": 61440,
        "one_off_fen": None,
        "components": [
            {"kind": "base", "member": None, "amount_fen": 50400},
            {"kind": "uplift_severe_disability", "member": "m1", "amount_fen": 11040},
        ],
        "starts_month": "2026-09",
        "ends_month": None,
        "next_review_on": "2027-02-15",
    }
    assert expected.items() <= dibao.items()
    reason = {
        "code": "income_below_standard",
        "article": "社会救助法 第十八条",
        "measured": "300.00",
        "limit": "552.00",
        "met": True,
    }
    assert reason in dibao["reasons"]
    assert {"step": "household_size", "value": 2}.items() <= dibao["trace"][0].items()
    assert set(dibao["trace"][0]) >= {"step", "value", "article", "because"}
    assert edge["programme"] == "dibao_edge"
    assert edge["outcome"] == "ineligible"
    assert all(row["authority"] == "民政" or "民政" in row["authority"] for row in body["results"])


async def test_programmes_left_out_answers_every_programme(demo: Demo) -> None:
    asked = {name: value for name, value in EXAMPLE.items() if name != "programmes"}
    rows = (await ok(await assess(demo, asked)))["results"]
    assert {row["programme"] for row in rows} == set(PROGRAMMES)
    assert all(row["outcome"] in OUTCOMES for row in rows)
    absent = {row["programme"]: row for row in rows if row["outcome"] == "not_applicable"}
    for programme in ("disaster", "veteran"):
        assert [reason["code"] for reason in absent[programme]["reasons"]] == ["no_policy_in_force"]
        problem(await assess(demo, EXAMPLE | {"programmes": [programme]}), 409, "no_policy_in_force")
    authorities = {row["programme"]: row["authority"] for row in rows}
    assert "医保" in authorities["medical"] or "医疗保障" in authorities["medical"]
    assert "应急" in authorities["disaster"]
    assert "退役军人" in authorities["veteran"]


async def test_a_day_before_any_parameter_is_409(demo: Demo) -> None:
    asked = changed("/business_date", "2014-02-28") | {"programmes": ["dibao"]}
    problem(await assess(demo, asked), 409, "no_policy_in_force")


@pytest.mark.parametrize("pointer", VALUES)
async def test_every_listed_value_is_taken_and_no_other(demo: Demo, pointer: str) -> None:
    for value in VALUES[pointer].split():
        answer = await assess(demo, changed(pointer, value, full=True))
        assert answer.status_code == 200, f"{pointer} = {value}: {answer.text}"
    body = problem(await assess(demo, changed(pointer, "no_such_value", full=True)), 422)
    assert [error["pointer"] for error in body["errors"]] == [pointer]


@pytest.mark.parametrize("programme", [p for p in PROGRAMMES if p not in ("disaster", "veteran")])
async def test_every_programme_can_be_named(demo: Demo, programme: str) -> None:
    asked = changed("/context", CONTEXT) | {"programmes": [programme]}
    answer = await assess(demo, asked)
    if programme == "one_off" and answer.status_code == 409:
        problem(answer, 409, "no_policy_in_force")
        return
    for row in (await ok(answer))["results"]:
        assert row["outcome"] in OUTCOMES
        assert row["reasons"], programme
        for reason in row["reasons"]:
            assert set(reason) == {"code", "article", "measured", "limit", "met"}
            assert reason["met"] in (True, False, None)


async def test_measured_and_limit_are_truncated_decimals(demo: Demo) -> None:
    asked = changed("/household/members/0/incomes/0/monthly_fen", 165599)
    asked["household"]["members"].append({"ref": "m3", "relation": "child", "birth_date": "1998-01-01"})
    asked["household"]["members"][0]["disability"] = None
    (row,) = await results(demo, asked, "dibao")
    (income,) = [reason for reason in row["reasons"] if reason["code"] == "income_below_standard"]
    assert (income["measured"], income["limit"], income["met"]) == ("551.9966", "552.00", True)
    assert (row["outcome"], row["monthly_fen"]) == ("eligible", 1)


async def test_only_three_member_fields_are_needed(demo: Demo) -> None:
    asked = EXAMPLE | {
        "household": {
            "members": [{"ref": "m1", "relation": "head", "birth_date": "1972-03-01"}],
            "assets": [],
            "authorised_verification": True,
        }
    }
    (row,) = await results(demo, {name: value for name, value in asked.items() if name != "context"}, "dibao")
    assert (row["outcome"], row["monthly_fen"]) == ("eligible", 55200)
    for field in ("ref", "relation", "birth_date"):
        member = {name: value for name, value in asked["household"]["members"][0].items() if name != field}
        problem(await assess(demo, asked | {"household": {"members": [member]}}), 422)


@pytest.mark.parametrize("missing", ["assets", "authorised_verification"])
async def test_absent_facts_are_unknown(demo: Demo, missing: str) -> None:
    household = {name: value for name, value in EXAMPLE["household"].items() if name != missing}
    (row,) = await results(demo, EXAMPLE | {"household": household}, "dibao")
    assert row["outcome"] == "needs_evidence"


async def test_any_loaded_area_and_every_staff_duty_but_admin(demo: Demo) -> None:
    asked = EXAMPLE | {"area_code": "340882100002", "programmes": ["dibao"]}
    for name, caller in demo.callers.items():
        answer = await caller.http.post(PATH, json=asked)
        expected = 403 if name.endswith(".admin") or name.startswith("bureau") else 200
        assert answer.status_code == expected, f"{name}: {answer.text}"
    problem(await assess(demo, EXAMPLE | {"area_code": "999999"}), 422)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/business_date", "2026-13-01"),
        ("/business_date", "15.08.2026"),
        ("/area_code", "35070"),
        ("/programmes", ["no_such_programme"]),
        ("/household/members", []),
        ("/household/members/0/incomes/0/monthly_fen", -1),
        ("/household/members/0/incomes/0/monthly_fen", 100.5),
        ("/household/assets/0/value_fen", -1),
        ("/household/expenses/0/amount_fen", -1),
        ("/household/deductible_monthly_fen", -1),
        ("/household/members/0/disability/grade", 5),
        ("/household/members/0/disability/grade", 0),
        ("/household/members/0/birth_date", "2027-01-01"),
        ("/household/members/0/no_such_field", 1),
        ("/context/no_such_field", 1),
        ("/no_such_field", 1),
    ],
)
async def test_malformed_input_is_422_with_its_place(demo: Demo, pointer: str, value: Any) -> None:
    body = problem(await assess(demo, changed(pointer, value)), 422)
    assert any(error["pointer"].startswith(pointer) for error in body["errors"]), body


async def test_nothing_is_stored_and_no_key_is_needed(demo: Demo) -> None:
    first, again = await assess(demo, EXAMPLE), await assess(demo, EXAMPLE)
    assert first.json() == again.json()
    assert "idempotency-replayed" not in again.headers
