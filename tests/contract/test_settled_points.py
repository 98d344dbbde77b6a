"""Contract §4.1, point by point, with amounts worked out by hand from the demo parameters (S = 552.00 urban)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.kit import Json, ok, problem
from tests.contract.test_assessments import assess
from tests.demo_world import Demo

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]


def member(ref: str = "m1", relation: str = "head", born: str = "1980-01-01", wage: int = 0, **facts: Any) -> Json:
    incomes = [{"kind": "wage", "monthly_fen": wage}] if wage else []
    return {"ref": ref, "relation": relation, "birth_date": born, "incomes": incomes, **facts}


def household(*members: Json, **facts: Any) -> Json:
    return {"members": list(members), "assets": [], "expenses": [], "authorised_verification": True, **facts}


def question(*programmes: str, of: Json, on: str = "2026-08-15", area: str = "350702001001", **context: Any) -> Json:
    asked: Json = {"business_date": on, "area_code": area, "residence": "urban", "household": of, "context": context}
    return asked | ({"programmes": list(programmes)} if programmes else {})


async def rows(demo: Demo, asked: Json) -> dict[tuple[str, str | None], Json]:
    answer = await ok(await assess(demo, asked))
    return {(row["programme"], row["member"]): row for row in answer["results"]}


async def single(demo: Demo, asked: Json) -> Json:
    (row,) = (await rows(demo, asked)).values()
    return row


def codes(row: Json) -> set[str]:
    return {reason["code"] for reason in row["reasons"]}


async def test_deductible_never_pushes_income_below_zero(demo: Demo) -> None:
    row = await single(demo, question("dibao", of=household(member(wage=10000), deductible_monthly_fen=50000)))
    assert (row["outcome"], row["monthly_fen"]) == ("eligible", 55200)


async def test_a_business_loss_counts_as_zero(demo: Demo) -> None:
    loser = member(wage=30000)
    loser["incomes"].append({"kind": "business_net", "monthly_fen": -20000})
    assert (await single(demo, question("dibao", of=household(loser))))["monthly_fen"] == 25200


async def test_below_is_strictly_below(demo: Demo) -> None:
    assert (await single(demo, question("dibao", of=household(member(wage=55200)))))["outcome"] == "ineligible"
    assert (await single(demo, question("dibao", of=household(member(wage=55199)))))["monthly_fen"] == 1


async def test_every_failed_rule_is_listed_not_only_the_first(demo: Demo) -> None:
    rich = household(
        member(wage=90000), assets=[{"kind": "vehicle", "value_fen": 100}, {"kind": "deposit", "value_fen": 9000000}]
    )
    row = await single(demo, question("dibao", of=rich))
    assert row["outcome"] == "ineligible"
    assert len([reason for reason in row["reasons"] if reason["met"] is False]) >= 3


async def test_authorisation_refused_ends_the_procedure(demo: Demo) -> None:
    refused = household(member(), member("m2", "spouse"), authorised_verification=False)
    by_one = household(member(), member("m2", "spouse", authorised_verification=False))
    by_a_child = household(member(), member("m2", "child", "2015-01-01", authorised_verification=False))
    for of in (refused, by_one):
        row = await single(demo, question("dibao", of=of))
        assert (row["outcome"], row["monthly_fen"]) == ("ineligible", None)
        assert "verification_refused" in codes(row)
    assert (await single(demo, question("dibao", of=by_a_child)))["outcome"] == "eligible"


async def test_a_postgraduate_is_not_counted(demo: Demo) -> None:
    row = await single(demo, question("dibao", of=household(member(), member("m2", "child", "2001-01-01", study="postgraduate"))))
    assert row["monthly_fen"] == 55200


async def test_review_after_6_months_with_unsteady_income_else_12(demo: Demo) -> None:
    steady = household(member(employable=True, employment="employed", wage=10000))
    unsteady = household(member(employable=True, employment="unemployed", wage=10000))
    assert (await single(demo, question("dibao", of=steady, on="2026-03-10")))["next_review_on"] == "2027-03-10"
    assert (await single(demo, question("dibao", of=unsteady, on="2026-03-10")))["next_review_on"] == "2026-09-10"


async def test_gradual_exit_keeps_the_amount_six_months(demo: Demo) -> None:
    current = {"programme": "dibao", "monthly_fen": 75600, "since": "2026-01", "ended_by_employment": True}
    of = household(member(wage=180000, employment="employed", employable=True), member("m2", "spouse"), member("m3", "other"))
    row = await single(demo, question("dibao", of=of, on="2026-07-15", current_entitlement=current))
    assert (row["outcome"], row["monthly_fen"], row["ends_month"]) == ("gradual_exit", 75600, "2027-01")


async def test_exemption_ends_with_the_last_day_inclusive(demo: Demo) -> None:
    pensioner = member(born="1960-01-01")
    pensioner["incomes"] = [{"kind": "basic_pension_central", "monthly_fen": 20000}]
    assert (await single(demo, question("dibao", of=household(pensioner), on="2025-12-31")))["monthly_fen"] == 55200
    assert (await single(demo, question("dibao", of=household(pensioner), on="2026-01-01")))["monthly_fen"] == 35200


async def test_a_case_of_2015_needs_no_key_of_2021(demo: Demo) -> None:
    row = await single(demo, question("dibao", of=household(member()), on="2015-06-01"))
    assert (row["outcome"], row["monthly_fen"]) == ("eligible", 52800)


async def test_a_single_person_carries_no_uplift(demo: Demo) -> None:
    severe = {"category": "mental", "grade": 3}
    of = household(
        member(wage=200000), member("m2", "spouse"), member("m3", "child", "2000-01-01", wage=10000, disability=severe)
    )
    found = await rows(demo, question("dibao", "dibao_edge", "dibao_single", of=of))
    assert found["dibao", None]["outcome"] == "ineligible"
    assert found["dibao_edge", None]["outcome"] == "eligible"
    assert found["dibao_single", "m3"]["monthly_fen"] == 45200
    assert [part["kind"] for part in found["dibao_single", "m3"]["components"]] == ["base"]


async def test_programmes_per_person_name_the_member(demo: Demo) -> None:
    care = {"category": "physical", "grade": 2, "needs_care": True}
    found = await rows(demo, question("dibao", "disability_living", "disability_care", of=household(member(disability=care))))
    assert found["disability_living", "m1"]["monthly_fen"] == 8000
    assert found["disability_care", "m1"]["monthly_fen"] == 8000
    assert found["dibao", None]["monthly_fen"] == 55200 + 11040


async def test_holding_and_being_eligible_both_exclude(demo: Demo) -> None:
    care = {"category": "physical", "grade": 1, "needs_care": True}
    holds = [{"member": "m1", "programme": "tekun", "monthly_fen": 71760}]
    found = await rows(demo, question("disability_living", "disability_care", of=household(member(disability=care)), holds=holds))
    assert {row["outcome"] for row in found.values()} == {"ineligible"}
    injured = [{"member": "m1", "programme": "work_injury_care", "monthly_fen": 90000}]
    row = await single(demo, question("disability_care", of=household(member(disability=care)), holds=injured))
    assert row["outcome"] == "ineligible"


async def test_the_higher_of_two_care_allowances(demo: Demo) -> None:
    care = {"category": "physical", "grade": 1, "needs_care": True}
    holds = [{"member": "m1", "programme": "elderly_care_allowance", "monthly_fen": 10000}]
    row = await single(demo, question("disability_care", of=household(member(born="1940-01-01", disability=care)), holds=holds))
    assert (row["outcome"], row["monthly_fen"]) == ("ineligible", 0)
    assert "higher_allowance_held" in codes(row)


async def test_disability_allowances_start_with_the_month_of_application(demo: Demo) -> None:
    care = {"category": "physical", "grade": 1, "needs_care": True}
    row = await single(demo, question("disability_care", of=household(member(disability=care)), on="2026-03-18"))
    assert row["starts_month"] == "2026-03"


async def test_old_age_without_confirmation_is_suspended(demo: Demo) -> None:
    old = household(member(born="1936-01-01"))
    for confirmed, outcome, amount in (
        (None, "suspended", None),
        ("2025-01-01", "suspended", None),
        ("2026-06-01", "eligible", 10000),
    ):
        context = {"survival_confirmed_on": confirmed} if confirmed else {}
        row = await single(demo, question("old_age", of=old, hukou_local=True, **context))
        assert (row["outcome"], row["monthly_fen"]) == (outcome, amount)
    on_member = household(member(born="1936-01-01", survival_confirmed_on="2026-06-01", hukou_local=True))
    assert (await single(demo, question("old_age", of=on_member)))["monthly_fen"] == 10000


@pytest.mark.parametrize(
    ("requested", "urgent", "outcome", "one_off"),
    [
        (100000, True, "urgent_first", 100000),
        (200000, False, "eligible", 200000),
        (200001, False, "escalate", 200001),
        (900000, False, "escalate", 331200),  # the cap: 6 × 552
    ],
)
async def test_temporary_assistance_by_amount(demo: Demo, requested: int, urgent: bool, outcome: str, one_off: int) -> None:
    emergency = {"kind": "fire", "urgent": urgent, "requested_fen": requested, "occurred_on": "2026-08-10"}
    row = await single(demo, question("temporary", of=household(member()), emergency=emergency))
    assert (row["outcome"], row["one_off_fen"]) == (outcome, one_off)
    if one_off < requested:
        special = await single(demo, question("temporary", of=household(member()), emergency=emergency | {"special": True}))
        assert special["one_off_fen"] == 662400


async def test_rigid_expense_carries_valid_until(demo: Demo) -> None:
    of = household(member(wage=200000), expenses=[{"kind": "medical", "amount_fen": 2000000, "paid_on": "2026-02-02"}])
    row = await single(demo, question("rigid_expense", of=of, on="2026-03-10"))
    assert (row["outcome"], row["valid_until"]) == ("eligible", "2027-03-10")


async def test_medical_for_a_dibao_household(demo: Demo) -> None:
    claim = {"compliant_self_paid_fen": 900000 * 10 // 7, "paid_this_year_fen": 7500000}
    found = await rows(demo, question("dibao", "medical", of=household(member()), medical_claim=claim))
    medical = next(row for (programme, _), row in found.items() if programme == "medical")
    assert medical["one_off_fen"] == 500000


async def test_unsupported_child(demo: Demo) -> None:
    child = household(member(born="2015-01-01"))
    for months, outcome in ((5, "ineligible"), (6, "eligible")):
        parents = [{"status": "dead"}, {"status": "imprisoned", "months": months}]
        row = await single(demo, question("unsupported_child", of=child, parents=parents))
        assert (row["member"], row["outcome"]) == ("m1", outcome)
    assert (await single(demo, question("unsupported_child", of=child)))["outcome"] == "needs_evidence"


async def test_one_off_inside_its_period_only(demo: Demo) -> None:
    current = {"programme": "dibao", "monthly_fen": 10000, "since": "2025-01"}
    of = household(member())
    for day, outcome in (("2026-01-20", "eligible"), ("2026-02-16", "eligible")):
        row = await single(demo, question("one_off", of=of, on=day, current_entitlement=current))
        assert (row["outcome"], row["one_off_fen"]) == (outcome, 20000)
    problem(
        await assess(demo, question("one_off", of=of, on="2026-02-17", current_entitlement=current)), 409, "no_policy_in_force"
    )


async def test_tekun_basic_and_care(demo: Demo) -> None:
    of = household(member(born="1950-01-01", self_care_failed_items=3))
    row = await single(demo, question("tekun", of=of, obligors=[]))
    # 1.3 × 552 = 717.60; three of six items: partly unable, 300
    assert (row["outcome"], row["monthly_fen"]) == ("eligible", 71760 + 30000)
    asked = question("tekun", of=of)
    assert (await single(demo, asked))["outcome"] == "needs_evidence"


async def test_tiers_of_the_second_district(demo: Demo) -> None:
    of = household(member(wage=0), member("m2", "spouse"), member("m3", "other"))
    of["members"][0]["incomes"] = [{"kind": "transfer_net", "monthly_fen": 90000}]
    row = await single(demo, question("dibao", of=of, area="340882100002"))
    assert (row["outcome"], row["monthly_fen"]) == ("eligible", 90000)
