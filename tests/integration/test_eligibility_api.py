"""The one-shot assessment over HTTP: the contract's example, the answer's shape, and every malformed input with its pointer."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.routers.v1.eligibility_answer import AssessmentView

pytestmark = pytest.mark.db

PATH = "/api/v1/eligibility/assessments"
Asked = dict[str, Any]
SignIn = Callable[[str], httpx.AsyncClient]

EXAMPLE: Asked = {
    "business_date": "2026-08-15",
    "area_code": "350702001001",
    "residence": "urban",
    "programmes": ["dibao", "dibao_edge"],
    "household": {
        "members": [
            {
                "ref": "m1",
                "relation": "head",
                "birth_date": "1972-03-01",
                "gender": "male",
                "absence": None,
                "study": None,
                "employment": "unemployed",
                "employable": True,
                "job_offers_refused": 0,
                "disability": {"category": "physical", "grade": 2, "needs_care": True},
                "serious_illness": False,
                "self_care_failed_items": 0,
                "incomes": [{"kind": "wage", "monthly_fen": 60000}],
            },
            {
                "ref": "m2",
                "relation": "spouse",
                "birth_date": "1975-05-20",
                "gender": "female",
                "employment": "none",
                "incomes": [],
            },
        ],
        "assets": [{"kind": "deposit", "value_fen": 2000000, "exempt_fen": 0}],
        "expenses": [{"kind": "medical", "amount_fen": 5000000, "reimbursed_fen": 3800000, "paid_on": "2026-03-02"}],
        "deductible_monthly_fen": 0,
        "authorised_verification": True,
    },
    "context": {},
}


def changed(pointer: str, value: Any) -> Asked:
    """The example with one value replaced (or added) at a JSON pointer."""
    asked = copy.deepcopy(EXAMPLE)
    *path, last = [int(part) if part.isdigit() else part for part in pointer.strip("/").split("/")]
    target: Any = asked
    for part in path:
        target = target[part]
    target[last] = value
    return asked


async def test_the_example_of_the_contract(sign_in: SignIn) -> None:
    answer = await sign_in("s001.clerk").post(PATH, json=EXAMPLE)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    AssessmentView.model_validate_json(answer.content)
    assert body["notice"] == "演示参数"
    assert body["policy_version"].startswith("350702/2026-07-01/")
    dibao, edge = body["results"]
    assert (dibao["programme"], dibao["outcome"], dibao["monthly_fen"], dibao["one_off_fen"]) == (
        "dibao",
        "eligible",
        61440,
        None,
    )
    assert dibao["components"] == [
        {"kind": "base", "member": None, "amount_fen": 50400},
        {"kind": "uplift_severe_disability", "member": "m1", "amount_fen": 11040},
    ]
    assert (dibao["starts_month"], dibao["ends_month"], dibao["next_review_on"]) == ("2026-09", None, "2027-02-15")
    assert {
        "code": "income_below_standard",
        "article": "社会救助法 第十八条",
        "measured": "300.00",
        "limit": "552.00",
        "met": True,
    } in dibao["reasons"]
    assert dibao["trace"][0]["step"] == "household_size"
    assert (edge["programme"], edge["outcome"]) == ("dibao_edge", "ineligible")


async def test_no_programme_named_answers_all(sign_in: SignIn) -> None:
    asked = copy.deepcopy(EXAMPLE)
    del asked["programmes"], asked["context"]
    answer = await sign_in("district.reviewer").post(PATH, params={"explain": "true"}, json=asked)
    assert answer.status_code == 200, answer.text
    AssessmentView.model_validate_json(answer.content)
    results = answer.json()["results"]
    assert len({result["programme"] for result in results}) == 15
    outcomes = {result["programme"]: result["outcome"] for result in results}
    assert outcomes["disaster"] == outcomes["veteran"] == outcomes["one_off"] == "not_applicable"
    assert all(result["explanation"] for result in results)


@pytest.mark.parametrize("account", ["c001001.worker", "s001.head", "district.treasury", "district.canlian", "district.auditor"])
async def test_every_staff_duty_may_ask_about_any_area(sign_in: SignIn, account: str) -> None:
    answer = await sign_in(account).post(PATH, json=changed("/area_code", "340882100002") | {"programmes": ["dibao"]})
    assert answer.status_code == 200, answer.text


async def test_admin_and_anonymous_may_not(sign_in: SignIn, anonymous: httpx.AsyncClient) -> None:
    assert (await sign_in("district.admin").post(PATH, json=EXAMPLE)).status_code == 403
    assert (await anonymous.post(PATH, json=EXAMPLE)).status_code == 401


@pytest.mark.parametrize(
    ("pointer", "value", "at", "code"),
    [
        ("/household/members/1/relation", "head", None, "two_heads"),
        ("/household/members/0/relation", "sibling", "/household/members", "head_missing"),
        ("/household/members/1/ref", "m1", None, "duplicate_ref"),
        ("/household/members/1/birth_date", None, None, None),
        ("/household/members/1/birth_date", "2026-08-16", None, "birth_date_in_future"),
        ("/household/members/1/birth_date", "2026-02-30", None, "invalid_date"),
        ("/household/members/1/birth_date", 0, None, "invalid_date"),
        ("/household/members/0/incomes/0/kind", "lottery", None, "unknown_value"),
        ("/household/members/0/incomes/0/monthly_fen", -1, None, "negative_amount"),
        ("/household/members/0/incomes/0/monthly_fen", 600.5, None, None),
        ("/household/members/0/incomes/0/monthly_fen", "60000", None, "not_an_integer"),
        ("/household/members/0/incomes/0/monthly_fen", True, None, "not_an_integer"),
        ("/household/members/0/disability/grade", 5, None, "too_large"),
        ("/household/members/0/employable", "yes", None, "not_a_boolean"),
        ("/household/members/0/shoe_size", 42, None, "unknown_field"),
        ("/household/members", [], None, "too_few"),
        ("/household/assets/0/value_fen", -1, None, "too_small"),
        ("/programmes", ["lottery"], "/programmes/0", "unknown_value"),
        ("/programmes", [], None, "too_few"),
        ("/area_code", "999999001001", None, "unknown_area"),
        ("/business_date", "9999-01-01", None, "invalid_date"),
        ("/context/holds", [{"member": "m9", "programme": "tekun"}], "/context/holds/0/member", "unknown_member"),
    ],
)
async def test_bad_input_names_its_place(sign_in: SignIn, pointer: str, value: Any, at: str | None, code: str | None) -> None:
    answer = await sign_in("s001.clerk").post(PATH, json=changed(pointer, value))
    assert answer.status_code == 422, answer.text
    errors = {error["pointer"]: error for error in answer.json()["errors"]}
    error = errors[at or pointer]
    assert code is None or error["code"] == code
    assert any("\u4e00" <= character <= "\u9fff" for character in error["message"])


async def test_a_missing_birth_date(sign_in: SignIn) -> None:
    asked = copy.deepcopy(EXAMPLE)
    del asked["household"]["members"][1]["birth_date"]
    answer = await sign_in("s001.clerk").post(PATH, json=asked)
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        ("/household/members/1/birth_date", "required")
    ]


async def test_no_policy_in_force_is_a_conflict(sign_in: SignIn) -> None:
    answer = await sign_in("s001.clerk").post(PATH, json=changed("/business_date", "2014-02-28") | {"programmes": ["dibao"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_policy_in_force")
    older = await sign_in("s001.clerk").post(PATH, json=changed("/business_date", "2015-06-01") | {"programmes": ["dibao"]})
    assert (older.status_code, older.json()["results"][0]["outcome"]) == (200, "eligible")


async def test_codes_are_published(anonymous: httpx.AsyncClient) -> None:
    items = (await anonymous.get("/api/v1/codes")).json()["items"]
    published = {(item["kind"], item["code"]) for item in items}
    assert {
        ("reason", "income_below_standard"),
        ("component", "base"),
        ("step", "household_size"),
        ("outcome", "eligible"),
    } <= published
    assert ("programme", "veteran") in published
