"""Every limit at −1 / 0 / +1: fen for money, days for dates, one for counts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from app.domain.eligibility import NoPolicyInForce, Outcome
from app.domain.eligibility.facts import (
    Absence,
    Asset,
    AssetKind,
    CurrentEntitlement,
    Emergency,
    EmergencyKind,
    Employment,
    Expense,
    ExpenseKind,
    Holding,
    Income,
    IncomeKind,
    MedicalClaim,
    Obligor,
    ParentFact,
    ParentStatus,
    Residence,
    Study,
)
from tests.unit.eligibility.families import (
    DAY,
    TIER_DISTRICT,
    adults,
    answer,
    book_with,
    deposit,
    disabled,
    expense,
    family,
    fen,
    holding,
    income,
    on_dibao,
    only,
    person,
    question,
    unmet,
)

YES, NO, ASK = Outcome.ELIGIBLE, Outcome.INELIGIBLE, Outcome.NEEDS_EVIDENCE


def wages(amount_fen: int, kind: IncomeKind = IncomeKind.WAGE) -> tuple[Income, ...]:
    return (Income(kind, amount_fen),)


# --- dibao ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("over", "outcome", "amount"), [(-1, YES, 1), (0, NO, None), (1, NO, None)])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_income_per_head_strictly_below_the_standard(size: int, over: int, outcome: Outcome, amount: int | None) -> None:
    head = person(incomes=wages(55200 * size + over))
    result = only(question(family(head, *adults(size)[1:]), "dibao"))
    assert (result.outcome, result.monthly_fen) == (outcome, amount)


@pytest.mark.parametrize(("over", "outcome"), [(-1, YES), (0, NO), (1, NO)])
def test_rural_standard(over: int, outcome: Outcome) -> None:
    asked = question(family(person(incomes=wages(44200 + over))), "dibao", residence=Residence.RURAL)
    assert only(asked).outcome is outcome


@pytest.mark.parametrize(("over", "outcome"), [(-1, YES), (0, YES), (1, NO)])
@pytest.mark.parametrize(("programme", "months"), [("dibao", 24), ("dibao_edge", 36)])
def test_financial_assets_up_to_the_limit(programme: str, months: int, over: int, outcome: Outcome) -> None:
    limit = 55200 * months * 2
    asset = Asset(AssetKind.FUND, limit + over + 500, exempt_fen=500)
    monthly = "0" if programme == "dibao" else "1200"
    assert only(question(family(*adults(2, monthly), assets=(asset,)), programme)).outcome is outcome


@pytest.mark.parametrize(
    ("asset", "outcome"),
    [
        (Asset(AssetKind.VEHICLE, 100), NO),
        (Asset(AssetKind.VEHICLE, 100, exempt_fen=99), NO),
        (Asset(AssetKind.VEHICLE, 100, exempt_fen=100), YES),
    ],
)
def test_vehicle_only_when_wholly_exempt(asset: Asset, outcome: Outcome) -> None:
    assert only(question(family(person(), assets=(asset,)), "dibao")).outcome is outcome


@pytest.mark.parametrize(("homes", "outcome"), [(0, YES), (1, YES), (2, NO)])
def test_homes(homes: int, outcome: Outcome) -> None:
    assert only(question(family(person(), assets=(Asset(AssetKind.REAL_ESTATE, 100),) * homes), "dibao")).outcome is outcome


@pytest.mark.parametrize(("over", "counted"), [(-1, 1), (0, 0), (1, 0)])
def test_deductible_never_below_nothing(over: int, counted: int) -> None:
    household = family(person(incomes=wages(10000)), deductible_monthly_fen=10000 + over)
    result = only(question(household, "dibao"))
    assert result.monthly_fen == 55200 - counted


@pytest.mark.parametrize(("shift", "uplift"), [(1, None), (0, "uplift_elderly"), (-1, "uplift_elderly")])
def test_elderly_uplift_from_the_seventieth_birthday(shift: int, uplift: str | None) -> None:
    born = date(1956, 3, 10) + timedelta(days=shift)
    kinds = [component.kind for component in only(question(family(person(born=born)), "dibao")).components]
    assert kinds == ["base", *([uplift] if uplift else [])]


@pytest.mark.parametrize(("shift", "uplift"), [(-1, False), (0, False), (1, True)])
def test_minor_uplift_until_the_eighteenth_birthday(shift: int, uplift: bool) -> None:
    child = person("c1", "child", date(2008, 3, 10) + timedelta(days=shift))
    kinds = [component.kind for component in only(question(family(person(), child), "dibao")).components]
    assert ("uplift_minor" in kinds) is uplift


@pytest.mark.parametrize(("grade", "uplift"), [(1, True), (2, True), (3, False)])
def test_severe_disability_uplift(grade: int, uplift: bool) -> None:
    household = family(person(disability=disabled("mental", grade)))
    assert (len(only(question(household, "dibao")).components) == 2) is uplift


@pytest.mark.parametrize(("refused", "amount"), [(2, "756"), (3, "504"), (4, "504")])
def test_job_refusals_cut_the_own_share(refused: int, amount: str) -> None:
    head, *rest = adults(3, "900")
    refusing = person("m2", "sibling", employable=True, job_offers_refused=refused)
    assert only(question(family(head, refusing, rest[1]), "dibao")).monthly_fen == fen(amount)


def test_somebody_unable_to_work_loses_nothing() -> None:
    assert only(question(family(person(job_offers_refused=9)), "dibao")).monthly_fen == fen("552")


def test_own_shares_together_are_the_amount() -> None:
    members = tuple(person(f"m{n}", "head" if n == 1 else "sibling", employable=True, job_offers_refused=3) for n in range(1, 4))
    first = person("m1", employable=True, job_offers_refused=3, incomes=wages(1, IncomeKind.OTHER))
    result = only(question(family(first, *members[1:]), "dibao"))
    assert (result.outcome, result.monthly_fen) == (Outcome.SUSPENDED, 0)


@pytest.mark.parametrize(("shift", "counted"), [(-1, False), (0, False), (1, True)])
def test_postgraduate_counts_only_as_a_minor(shift: int, counted: bool) -> None:
    child = person("c1", "child", date(2008, 3, 10) + timedelta(days=shift), study=Study.POSTGRADUATE)
    result = only(question(family(person(incomes=(income("600"),)), child), "dibao"))
    assert (result.outcome is YES) is counted


@pytest.mark.parametrize("study", [Study.UNDERGRADUATE, Study.JUNIOR_COLLEGE, Study.VOCATIONAL])
def test_students_up_to_undergraduate_count(study: Study) -> None:
    child = person("c1", "child", date(2003, 1, 1), study=study)
    assert only(question(family(person(incomes=(income("600"),)), child), "dibao")).monthly_fen == fen("504")


@pytest.mark.parametrize(("on", "amount"), [(date(2025, 12, 31), "552"), (date(2026, 1, 1), "452"), (date(2021, 7, 1), "552")])
def test_basic_pension_exemption_ends_with_its_last_day(on: date, amount: str) -> None:
    household = family(person(incomes=(income("100", IncomeKind.BASIC_PENSION_CENTRAL),)))
    assert only(question(household, "dibao", on=on)).monthly_fen == fen(amount)


@pytest.mark.parametrize(
    ("on", "amount"),
    [(date(2015, 2, 28), "488"), (date(2015, 3, 1), "528"), (date(2015, 12, 31), "528"), (date(2016, 1, 1), "552")],
)
def test_standard_of_the_day(on: date, amount: str) -> None:
    assert only(question(family(person()), "dibao", on=on)).monthly_fen == fen(amount)


def test_no_policy_before_the_first_value() -> None:
    with pytest.raises(NoPolicyInForce):
        only(question(family(person()), "dibao", on=date(2014, 2, 28)))
    assert only(question(family(person()), "dibao", on=date(2014, 3, 1))).outcome is YES


@pytest.mark.parametrize(
    ("on", "article"), [(date(2026, 6, 30), "社会救助暂行办法 第九条"), (date(2026, 7, 1), "社会救助法 第十八条")]
)
def test_the_article_of_the_day(on: date, article: str) -> None:
    reasons = {reason.code: reason.article for reason in only(question(family(person()), "dibao", on=on)).reasons}
    assert reasons["income_below_standard"] == article


@pytest.mark.parametrize(
    ("on", "starts", "review"),
    [
        (date(2026, 12, 31), "2027-01", date(2027, 12, 31)),
        (date(2026, 1, 31), "2026-02", date(2027, 1, 31)),
        (date(2024, 2, 29), "2024-03", date(2025, 2, 28)),
    ],
)
def test_months_after_the_decision(on: date, starts: str, review: date) -> None:
    result = only(question(family(person()), "dibao", on=on))
    assert (result.starts_month, result.next_review_on) == (starts, review)


def test_half_a_year_from_the_end_of_august_is_the_end_of_february() -> None:
    household = family(person(employable=True, employment=Employment.FARMING))
    assert only(question(household, "dibao", on=date(2026, 8, 31))).next_review_on == date(2027, 2, 28)


@pytest.mark.parametrize(
    ("assets", "authorised", "outcome", "missing"),
    [
        (None, True, ASK, ["/household/assets"]),
        ((), None, ASK, ["/household/authorised_verification"]),
        (None, None, ASK, ["/household/authorised_verification", "/household/assets"]),
        (None, False, NO, []),
    ],
)
def test_unknown_facts_are_asked_for(assets: Any, authorised: bool | None, outcome: Outcome, missing: list[str]) -> None:
    result = only(question(family(person(), assets=assets, authorised_verification=authorised), "dibao"))
    assert (result.outcome, [fact.pointer for fact in result.missing], result.monthly_fen) == (outcome, missing, None)


def test_unknown_assets_are_not_asked_for_when_income_refuses_anyway() -> None:
    result = only(question(family(person(incomes=(income("552"),)), assets=None), "dibao"))
    assert (result.outcome, result.missing) == (NO, ())


def test_authorisation_refused_names_every_rule_all_the_same() -> None:
    result = only(question(family(person(incomes=(income("600"),)), authorised_verification=False), "dibao"))
    assert {"verification_refused", "income_below_standard"} <= unmet(result)


@pytest.mark.parametrize(("born", "outcome"), [(date(2008, 3, 10), NO), (date(2008, 3, 11), YES)])
def test_an_adults_refusal_binds_the_household(born: date, outcome: Outcome) -> None:
    child = person("c1", "child", born, authorised_verification=False)
    assert only(question(family(person(), child), "dibao")).outcome is outcome


@pytest.mark.parametrize(("own", "outcome"), [(True, YES), (None, ASK), (False, NO)])
def test_authorisation_may_stand_on_the_members(own: bool | None, outcome: Outcome) -> None:
    household = family(person(authorised_verification=own), authorised_verification=None)
    assert only(question(household, "dibao")).outcome is outcome


@pytest.mark.parametrize("held", ["tekun", "dibao"])
def test_held_elsewhere_is_a_double(held: str) -> None:
    assert only(question(family(*adults(2)), "dibao", holds=(holding("m2", held, "500"),))).outcome is NO


def test_the_own_current_dibao_is_no_double() -> None:
    asked = question(family(person()), "dibao", holds=(holding("m1", "dibao"),), current_entitlement=on_dibao("552"))
    assert only(asked).outcome is YES


@pytest.mark.parametrize(
    ("over", "employment", "outcome"),
    [(-1, True, YES), (0, True, Outcome.GRADUAL_EXIT), (0, False, NO)],
)
def test_gradual_exit_begins_at_the_standard(over: int, employment: bool, outcome: Outcome) -> None:
    asked = question(
        family(person(incomes=wages(55200 + over))), "dibao", current_entitlement=on_dibao("300", employment=employment)
    )
    assert only(asked).outcome is outcome


def test_gradual_exit_not_with_assets_above_the_line() -> None:
    household = family(person(incomes=(income("600"),)), assets=(deposit("50000"),))
    assert only(question(household, "dibao", current_entitlement=on_dibao("300", employment=True))).outcome is NO


def test_an_area_without_gradual_exit_has_none() -> None:
    household = family(person(incomes=(income("800"),)))
    asked = question(household, "dibao", area=TIER_DISTRICT, current_entitlement=on_dibao("300", employment=True))
    assert only(asked).outcome is NO


# --- tiers ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("per_head", "tier"), [(17999, "A"), (18000, "B"), (18001, "B"), (41999, "B"), (42000, "C"), (59999, "C"), (60000, None)]
)
def test_tier_lines(per_head: int, tier: str | None) -> None:
    household = family(person(incomes=wages(per_head * 2, IncomeKind.OTHER)), person("m2", "spouse"))
    result = only(question(household, "dibao", area=TIER_DISTRICT))
    tiers = [step.value for step in result.trace if step.step == "tier"]
    assert tiers == ([tier] if tier else [])
    assert result.monthly_fen == {"A": 80000, "B": 60000, "C": 40000, None: None}[tier]


@pytest.mark.parametrize(("wage", "outcome"), [(74999, YES), (75000, NO), (75001, NO)])
def test_employment_cost_is_deducted_exactly(wage: int, outcome: Outcome) -> None:
    assert only(question(family(person(incomes=wages(wage))), "dibao", area=TIER_DISTRICT)).outcome is outcome


# --- edge, single, rigid --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("income_fen", "outcome"), [(55199, NO), (55200, YES), (82799, YES), (82800, NO), (82801, NO)])
def test_edge_lies_between_the_standard_and_the_ratio(income_fen: int, outcome: Outcome) -> None:
    assert only(question(family(person(incomes=wages(income_fen))), "dibao_edge")).outcome is outcome


@pytest.mark.parametrize(
    ("category", "grade", "ground"),
    [
        ("physical", 2, True),
        ("physical", 3, False),
        ("hearing", 3, False),
        ("intellectual", 3, True),
        ("mental", 3, True),
        ("mental", 4, False),
        ("multiple", 2, True),
    ],
)
def test_single_ground_by_disability_in_an_edge_household(category: str, grade: int, ground: bool) -> None:
    disabled_child = person("m2", "child", date(1990, 1, 1), disability=disabled(category, grade), employment=Employment.EMPLOYED)
    household = family(person(incomes=(income("1400"),)), disabled_child)
    assert (answer(question(household, "dibao_single")).of("dibao_single", "m2").outcome is YES) is ground


@pytest.mark.parametrize(("own", "outcome", "amount"), [(55199, YES, 1), (55200, NO, None), (55201, NO, None)])
def test_single_own_income(own: int, outcome: Outcome, amount: int | None) -> None:
    ill = person("m2", "spouse", serious_illness=True, incomes=wages(own))
    household = family(person(incomes=wages(120000 - own)), ill)
    result = answer(question(household, "dibao_single")).of("dibao_single", "m2")
    assert (result.outcome, result.monthly_fen) == (outcome, amount)


@pytest.mark.parametrize(
    ("born", "employment", "outcome"),
    [
        (date(2008, 3, 10), Employment.UNEMPLOYED, YES),
        (date(2008, 3, 11), Employment.UNEMPLOYED, NO),
        (date(1990, 1, 1), Employment.EMPLOYED, NO),
    ],
)
def test_single_adult_without_work_needs_no_edge(born: date, employment: Employment, outcome: Outcome) -> None:
    child = person("m2", "child", born, disability=disabled("physical", 2), employment=employment)
    household = family(person(incomes=(income("9000"),)), child)
    assert answer(question(household, "dibao_single")).of("dibao_single", "m2").outcome is outcome


def test_single_religious_three_years() -> None:
    monk = person("m2", "sibling", absence=Absence.RELIGIOUS_3Y)
    household = family(person(incomes=(income("9000"),)), monk)
    assert answer(question(household, "dibao_single")).of("dibao_single", "m2").monthly_fen == fen("552")


def test_single_carries_uplift_only_where_the_locality_says_so() -> None:
    ill = person("m2", "spouse", serious_illness=True)
    asked = question(family(person(incomes=(income("1200"),)), ill), "dibao_single")
    local = book_with("350702001001", {"dibao_single.uplift": {"serious_illness": "0.20"}})
    assert answer(asked).of("dibao_single", "m2").monthly_fen == fen("552")
    assert answer(asked, local).of("dibao_single", "m2").monthly_fen == fen("662.40")


@pytest.mark.parametrize(("spent", "outcome"), [(3599999, NO), (3600000, NO), (3600001, YES)])
def test_rigid_expense_strictly_above_the_ratio(spent: int, outcome: Outcome) -> None:
    household = family(*adults(3, "5000"), expenses=(Expense(ExpenseKind.MEDICAL, spent, paid_on=DAY),))
    assert only(question(household, "rigid_expense")).outcome is outcome


@pytest.mark.parametrize(
    ("paid_on", "outcome"),
    [
        (date(2025, 3, 9), NO),
        (date(2025, 3, 10), YES),
        (date(2025, 3, 11), YES),
        (date(2026, 3, 10), YES),
        (date(2026, 3, 11), NO),
    ],
)
def test_rigid_expense_window(paid_on: date, outcome: Outcome) -> None:
    household = family(*adults(3, "5000"), expenses=(expense("medical", "40000", paid_on),))
    assert only(question(household, "rigid_expense")).outcome is outcome


@pytest.mark.parametrize(("monthly", "outcome"), [(299999, YES), (300000, NO), (300001, NO)])
def test_rigid_expense_income_below_disposable(monthly: int, outcome: Outcome) -> None:
    household = family(person(incomes=wages(monthly)), expenses=(expense("medical", "100000"),))
    assert only(question(household, "rigid_expense")).outcome is outcome


def test_rigid_expense_net_of_reimbursement() -> None:
    household = family(*adults(3, "5000"), expenses=(expense("medical", "40000", reimbursed_fen=fen("4000.01")),))
    assert only(question(household, "rigid_expense")).outcome is NO


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        ({"expenses": None}, "/household/expenses"),
        ({"expenses": (Expense(ExpenseKind.MEDICAL, fen("40000")),)}, "/household/expenses/0/paid_on"),
        ({"expenses": (expense("education", "40000"),)}, "/household/expenses/0/public_tuition_fen"),
    ],
)
def test_rigid_expense_asks_for_what_decides(facts: dict[str, Any], missing: str) -> None:
    result = only(question(family(*adults(3, "5000"), **facts), "rigid_expense"))
    assert (result.outcome, [fact.pointer for fact in result.missing]) == (ASK, [missing])


# --- tekun ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "outcome"),
    [
        (date(1966, 3, 11), NO),
        (date(1966, 3, 10), YES),
        (date(1966, 3, 9), YES),
        (date(2010, 3, 11), YES),
        (date(2010, 3, 10), NO),
        (date(2010, 3, 9), NO),
    ],
)
def test_tekun_ages(born: date, outcome: Outcome) -> None:
    assert only(question(family(person(born=born)), "tekun", obligors=())).outcome is outcome


@pytest.mark.parametrize(
    ("category", "grade", "outcome"),
    [
        ("intellectual", 3, YES),
        ("intellectual", 4, NO),
        ("mental", 3, YES),
        ("physical", 2, YES),
        ("physical", 3, NO),
        ("vision", 1, YES),
        ("vision", 2, NO),
        ("hearing", 1, NO),
    ],
)
def test_tekun_listed_disabilities(category: str, grade: int, outcome: Outcome) -> None:
    assert only(question(family(person(disability=disabled(category, grade))), "tekun", obligors=())).outcome is outcome


@pytest.mark.parametrize(("income_fen", "outcome"), [(55199, YES), (55200, NO), (55201, NO)])
def test_tekun_income(income_fen: int, outcome: Outcome) -> None:
    household = family(person(born=date(1950, 1, 1), incomes=wages(income_fen)))
    assert only(question(household, "tekun", obligors=())).outcome is outcome


@pytest.mark.parametrize(
    ("born", "study", "outcome"),
    [
        (date(2008, 3, 11), None, YES),
        (date(2008, 3, 10), None, NO),
        (date(2008, 3, 10), Study.SENIOR_SECONDARY, YES),
        (date(2006, 3, 10), Study.VOCATIONAL, YES),
        (date(2006, 3, 10), Study.UNDERGRADUATE, NO),
    ],
)
def test_tekun_continues_to_eighteen_and_at_school(born: date, study: Study | None, outcome: Outcome) -> None:
    current = CurrentEntitlement("tekun", fen("717.60"))
    asked = question(family(person(born=born, study=study)), "tekun", obligors=(), current_entitlement=current)
    assert only(asked).outcome is outcome


ABLE_SON = {"relation": "child", "birth_date": date(1980, 1, 1), "annual_income_fen": 0, "assets_comply": True}


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({}, NO),
        ({"programme": "tekun"}, YES),
        ({"programme": "dibao", "birth_date": date(1966, 3, 11)}, NO),
        ({"programme": "dibao", "birth_date": date(1966, 3, 10)}, YES),
        ({"birth_date": date(1956, 3, 11)}, NO),
        ({"birth_date": date(1956, 3, 10)}, YES),
        ({"birth_date": date(1956, 3, 10), "annual_income_fen": 3599999}, YES),
        ({"birth_date": date(1956, 3, 10), "annual_income_fen": 3600000}, NO),
        ({"birth_date": date(1956, 3, 10), "assets_comply": False}, NO),
        ({"disability": disabled("hearing", 2)}, YES),
        ({"disability": disabled("hearing", 3)}, NO),
        ({"disability": disabled("mental", 3)}, YES),
        ({"disability": disabled("hearing", 2), "annual_income_fen": 3600000}, NO),
        ({"absence": Absence.IMPRISONED}, YES),
        ({"absence": Absence.MISSING, "assets_comply": False}, NO),
        ({"absence": Absence.COMPULSORY_REHAB}, NO),
        ({"civil_incapacity": True}, YES),
        ({"birth_date": None}, ASK),
        ({"birth_date": date(1950, 1, 1), "annual_income_fen": None}, ASK),
        ({"absence": Absence.MISSING, "assets_comply": None}, ASK),
    ],
)
def test_tekun_obligors(facts: dict[str, Any], outcome: Outcome) -> None:
    obligor = Obligor(**{**ABLE_SON, **facts})
    assert only(question(family(person(born=date(1940, 1, 1))), "tekun", obligors=(obligor,))).outcome is outcome


def test_tekun_asks_for_obligors() -> None:
    result = only(question(family(person(born=date(1940, 1, 1))), "tekun"))
    assert (result.outcome, [fact.pointer for fact in result.missing]) == (ASK, ["/context/obligors"])


def test_an_able_obligor_at_home_refuses_tekun() -> None:
    household = family(person(born=date(1980, 1, 1)), person("m2", "parent", date(1945, 1, 1)))
    assert answer(question(household, "tekun")).of("tekun", "m2").outcome is NO


def test_an_old_couple_without_anybody_are_both_tekun_and_not_on_dibao() -> None:
    household = family(person(born=date(1955, 1, 1)), person("m2", "spouse", date(1958, 1, 1)))
    assessment = answer(question(household, "tekun", "dibao", "dibao_edge", obligors=()))
    assert [assessment.of("tekun", ref).outcome for ref in ("m1", "m2")] == [YES, YES]
    assert [assessment.of(code).outcome for code in ("dibao", "dibao_edge")] == [NO, NO]


@pytest.mark.parametrize(("items", "care"), [(0, 0), (1, 30000), (3, 30000), (4, 60000), (6, 60000)])
def test_tekun_care(items: int, care: int) -> None:
    household = family(person(born=date(1940, 1, 1), self_care_failed_items=items))
    assert only(question(household, "tekun", obligors=())).monthly_fen == 71760 + care


# --- temporary and medical ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requested", "urgent", "outcome"),
    [
        (99999, True, Outcome.URGENT_FIRST),
        (100000, True, Outcome.URGENT_FIRST),
        (100001, True, YES),
        (100000, False, YES),
        (199999, False, YES),
        (200000, False, YES),
        (200001, False, Outcome.ESCALATE),
    ],
)
def test_temporary_limits(requested: int, urgent: bool, outcome: Outcome) -> None:
    emergency = Emergency(EmergencyKind.FIRE, urgent=urgent, requested_fen=requested)
    result = only(question(family(person()), "temporary", emergency=emergency))
    assert (result.outcome, result.one_off_fen) == (outcome, requested)


@pytest.mark.parametrize(("special", "cap"), [(False, 55200 * 6 * 2), (True, 55200 * 12 * 2)])
@pytest.mark.parametrize("over", [-1, 0, 1])
def test_temporary_cap(special: bool, cap: int, over: int) -> None:
    emergency = Emergency(EmergencyKind.OTHER, requested_fen=cap + over, special=special)
    result = only(question(family(*adults(2)), "temporary", emergency=emergency))
    assert result.one_off_fen == min(cap, cap + over)


@pytest.mark.parametrize(
    ("area", "local", "outcome"),
    [
        ("350702001009", False, YES),
        ("350702001", None, YES),
        ("350702002001", False, NO),
        ("350702002001", True, YES),
        ("350702002001", None, ASK),
    ],
)
def test_temporary_place(area: str, local: bool | None, outcome: Outcome) -> None:
    emergency = Emergency(EmergencyKind.FIRE, requested_fen=100, occurred_area=area)
    assert only(question(family(person()), "temporary", emergency=emergency, hukou_local=local)).outcome is outcome


@pytest.mark.parametrize(("day", "outcome"), [(DAY - timedelta(days=1), YES), (DAY, YES), (DAY + timedelta(days=1), NO)])
def test_an_emergency_to_come_is_none(day: date, outcome: Outcome) -> None:
    emergency = Emergency(EmergencyKind.FIRE, requested_fen=100, occurred_on=day)
    assert only(question(family(person()), "temporary", emergency=emergency)).outcome is outcome


@pytest.mark.parametrize(
    ("cost", "programme", "paid"),
    [(360000, "dibao_edge", None), (360001, "dibao_edge", 1), (900000, "rigid_expense", None), (900002, "rigid_expense", 1)],
)
def test_medical_threshold(cost: int, programme: str, paid: int | None) -> None:
    asked = question(
        family(person(incomes=(income("9000"),))), "medical", holds=(holding("m1", programme),), medical_claim=MedicalClaim(cost)
    )
    result = only(asked)
    assert (result.one_off_fen or None, result.outcome) == (paid, YES if paid else NO)


@pytest.mark.parametrize(("paid_before", "left"), [(7999999, 1), (8000000, 0), (8000001, 0)])
def test_medical_annual_cap(paid_before: int, left: int) -> None:
    asked = question(
        family(person()), "medical", holds=(holding("m1", "tekun"),), medical_claim=MedicalClaim(100000, paid_before)
    )
    result = only(asked)
    assert (result.one_off_fen, result.outcome) == (left, YES if left else NO)


def test_medical_claim_of_a_member_and_of_everybody() -> None:
    head = person(medical_claim=MedicalClaim(fen("1000")))
    asked = question(family(head), "medical", current_entitlement=on_dibao("552"), medical_claim=MedicalClaim(fen("2000")))
    assessment = answer(asked)
    assert assessment.of("medical").one_off_fen == fen("1400")
    assert assessment.of("medical", "m1").one_off_fen == fen("700")


# --- subsidies and allowances ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("grade", "needs_care", "outcome"), [(1, True, YES), (2, True, YES), (3, True, NO), (2, False, NO)])
def test_care_subsidy_grades(grade: int, needs_care: bool, outcome: Outcome) -> None:
    household = family(person(disability=disabled("mental", grade, needs_care)))
    assert only(question(household, "disability_care")).outcome is outcome


@pytest.mark.parametrize(("category", "outcome"), [("mental", YES), ("intellectual", YES), ("physical", NO)])
def test_care_subsidy_extended_to_grade_three(category: str, outcome: Outcome) -> None:
    household = family(person(disability=disabled(category, 3, needs_care=True)))
    result = only(question(household, "disability_care", area=TIER_DISTRICT))
    assert (result.outcome, result.monthly_fen) == (outcome, 5000 if outcome is YES else None)


@pytest.mark.parametrize(("held", "outcome", "amount"), [(7999, YES, 8000), (8000, NO, 0), (8001, NO, 0)])
def test_the_higher_of_two_care_allowances(held: int, outcome: Outcome, amount: int) -> None:
    household = family(person(disability=disabled("physical", 1, needs_care=True)))
    result = only(question(household, "disability_care", holds=(holding("m1", "elderly_care_allowance", str(held / 100)),)))
    assert (result.outcome, result.monthly_fen) == (outcome, amount)


def test_work_injury_care_excludes_the_care_subsidy() -> None:
    household = family(person(disability=disabled("physical", 1, needs_care=True)))
    assert only(question(household, "disability_care", holds=(holding("m1", "work_injury_care", "1"),))).outcome is NO


@pytest.mark.parametrize(("area", "outcome"), [("350702001001", NO), (TIER_DISTRICT, YES)])
def test_living_subsidy_for_edge_households_where_extended(area: str, outcome: Outcome) -> None:
    household = family(person(disability=disabled("physical", 4), incomes=(income("700", IncomeKind.OTHER),)))
    assert only(question(household, "disability_living", area=area)).outcome is outcome


@pytest.mark.parametrize("held", ["tekun", "orphan", "unsupported_child"])
def test_living_subsidy_excluded(held: str) -> None:
    household = family(person(incomes=(income("9000"),), disability=disabled("physical", 2)))
    asked = question(household, "disability_living", holds=(holding("m1", held),))
    assert only(asked).outcome is NO


def test_living_subsidy_asks_for_what_dibao_hangs_on() -> None:
    household = family(person(disability=disabled("physical", 4)), assets=None)
    assert only(question(household, "disability_living")).outcome is ASK


@pytest.mark.parametrize(("shift", "outcome", "amount"), [(1, NO, None), (0, YES, 5000), (-1, YES, 5000)])
def test_old_age_from_the_eightieth_birthday(shift: int, outcome: Outcome, amount: int | None) -> None:
    born = date(1946, 3, 10) + timedelta(days=shift)
    result = only(question(family(person(born=born)), "old_age", hukou_local=True, survival_confirmed_on=DAY))
    assert (result.outcome, result.monthly_fen) == (outcome, amount)


@pytest.mark.parametrize(
    ("confirmed_on", "outcome"),
    [(date(2025, 3, 9), Outcome.SUSPENDED), (date(2025, 3, 10), YES), (date(2025, 3, 11), YES), (None, Outcome.SUSPENDED)],
)
def test_old_age_confirmation_interval(confirmed_on: date | None, outcome: Outcome) -> None:
    household = family(person(born=date(1940, 1, 1), survival_confirmed_on=confirmed_on))
    assert only(question(household, "old_age", hukou_local=True)).outcome is outcome


@pytest.mark.parametrize(("local", "outcome"), [(True, YES), (False, NO), (None, ASK)])
def test_old_age_hukou(local: bool | None, outcome: Outcome) -> None:
    asked = question(family(person(born=date(1940, 1, 1))), "old_age", hukou_local=local, survival_confirmed_on=DAY)
    assert only(asked).outcome is outcome


def test_an_area_without_the_interval_asks_for_no_confirmation() -> None:
    asked = question(family(person(born=date(1940, 1, 1))), "old_age", area=TIER_DISTRICT, hukou_local=True)
    assert only(asked).monthly_fen == 3000


# --- children -------------------------------------------------------------------------------------------------------------------

BOTH_DEAD = (ParentFact(ParentStatus.DEAD), ParentFact(ParentStatus.DEAD))


@pytest.mark.parametrize(("shift", "outcome"), [(-1, NO), (0, NO), (1, YES)])
@pytest.mark.parametrize(
    ("programme", "parents"),
    [("orphan", BOTH_DEAD), ("unsupported_child", (ParentFact(ParentStatus.DEAD), ParentFact(ParentStatus.SERIOUS_ILLNESS)))],
)
def test_children_until_the_eighteenth_birthday(programme: str, parents: Any, shift: int, outcome: Outcome) -> None:
    child = person("c1", "grandchild", date(2008, 3, 10) + timedelta(days=shift))
    household = family(person(born=date(1950, 1, 1)), child)
    assert answer(question(household, programme, parents=parents)).of(programme, "c1").outcome is outcome


@pytest.mark.parametrize(("institutional", "amount"), [(True, 180000), (False, 130000), (None, 130000)])
def test_orphan_amounts(institutional: bool | None, amount: int) -> None:
    household = family(person(born=date(1950, 1, 1)), person("c1", "grandchild", date(2016, 1, 1)))
    asked = question(household, "orphan", parents=BOTH_DEAD, institutional_care=institutional)
    assert answer(asked).of("orphan", "c1").monthly_fen == amount


def test_a_child_alone_must_say_where_it_lives() -> None:
    result = only(question(family(person(born=date(2016, 1, 1))), "orphan", parents=BOTH_DEAD))
    assert (result.outcome, [fact.pointer for fact in result.missing]) == (ASK, ["/context/institutional_care"])


def test_an_orphan_at_university_keeps_it() -> None:
    student = person(born=date(2005, 1, 1), study=Study.UNDERGRADUATE)
    current = CurrentEntitlement("orphan", 130000)
    asked = question(family(student), "orphan", parents=BOTH_DEAD, institutional_care=False, current_entitlement=current)
    assert only(asked).outcome is YES


@pytest.mark.parametrize("one", list(ParentStatus))
@pytest.mark.parametrize("other", list(ParentStatus))
def test_every_pairing_of_parents(one: ParentStatus, other: ParentStatus) -> None:
    gone = {ParentStatus.DEAD, ParentStatus.MISSING}
    statuses = {one, other}
    parents = (ParentFact(one, 6), ParentFact(other, 6))
    household = family(person(born=date(1950, 1, 1)), person("c1", "grandchild", date(2016, 1, 1)))
    assessment = answer(question(household, "orphan", "unsupported_child", parents=parents))
    orphan, unsupported = assessment.of("orphan", "c1").outcome, assessment.of("unsupported_child", "c1").outcome
    assert (orphan is YES) is (statuses <= gone)
    assert (unsupported is YES) is (ParentStatus.ABLE not in statuses and not statuses <= gone)


@pytest.mark.parametrize(
    "status", [ParentStatus.IMPRISONED, ParentStatus.COMPULSORY_REHAB, ParentStatus.RESTRICTED, ParentStatus.LOST_CONTACT]
)
@pytest.mark.parametrize(("months", "outcome"), [(5, NO), (6, YES), (7, YES), (None, ASK)])
def test_lasting_circumstances(status: ParentStatus, months: int | None, outcome: Outcome) -> None:
    household = family(person(born=date(1950, 1, 1)), person("c1", "grandchild", date(2016, 1, 1)))
    parents = (ParentFact(ParentStatus.MISSING), ParentFact(status, months))
    assert answer(question(household, "unsupported_child", parents=parents)).of("unsupported_child", "c1").outcome is outcome


@pytest.mark.parametrize(
    ("category", "grade", "outcome"), [("hearing", 2, YES), ("hearing", 3, NO), ("mental", 4, YES), ("intellectual", 3, YES)]
)
def test_a_parents_severe_disability(category: str, grade: int, outcome: Outcome) -> None:
    household = family(person(born=date(1950, 1, 1)), person("c1", "grandchild", date(2016, 1, 1)))
    parents = (
        ParentFact(ParentStatus.DEAD),
        ParentFact(ParentStatus.SEVERE_DISABILITY, disability=disabled(category, grade)),
    )
    assert answer(question(household, "unsupported_child", parents=parents)).of("unsupported_child", "c1").outcome is outcome


@pytest.mark.parametrize(("drawn", "paid", "outcome"), [(109999, 1, YES), (110000, 0, NO), (110001, 0, NO)])
def test_top_up_ends_at_the_standard(drawn: int, paid: int, outcome: Outcome) -> None:
    household = family(person(born=date(1950, 1, 1)), person("c1", "grandchild", date(2016, 1, 1)))
    parents = (ParentFact(ParentStatus.DEAD), ParentFact(ParentStatus.SERIOUS_ILLNESS))
    asked = question(household, "unsupported_child", parents=parents, holds=(holding("c1", "tekun", str(drawn / 100)),))
    result = answer(asked).of("unsupported_child", "c1")
    assert (result.monthly_fen, result.outcome) == (paid, outcome)


def test_top_up_beside_dibao_and_living_subsidy_of_the_same_request() -> None:
    child = person("c1", "grandchild", date(2016, 1, 1), disability=disabled("hearing", 2))
    household = family(person(born=date(1975, 1, 1)), child)
    parents = (ParentFact(ParentStatus.DEAD), ParentFact(ParentStatus.SERIOUS_ILLNESS))
    assessment = answer(question(household, "unsupported_child", "dibao", "disability_living", parents=parents))
    share = (assessment.of("dibao").monthly_fen or 0) // 2
    assert assessment.of("disability_living", "c1").monthly_fen == 8000
    assert assessment.of("unsupported_child", "c1").monthly_fen == 110000 - share - 8000


# --- one-off --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "in_force"),
    [(date(2026, 1, 19), False), (date(2026, 1, 20), True), (date(2026, 2, 16), True), (date(2026, 2, 17), False)],
)
def test_one_off_period(on: date, in_force: bool) -> None:
    asked = question(family(*adults(3)), "one_off", on=on)
    if in_force:
        assert only(asked).one_off_fen == fen("200")
    else:
        with pytest.raises(NoPolicyInForce):
            only(asked)


def test_one_off_rural_per_person() -> None:
    asked = question(family(*adults(3)), "one_off", on=date(2026, 2, 1), residence=Residence.RURAL)
    assert only(asked).one_off_fen == fen("300")


# --- amounts not stated ---------------------------------------------------------------------------------------------------------


def test_an_amount_that_decides_is_asked_for() -> None:
    disabled_head = person(disability=disabled("physical", 1, needs_care=True))
    held = (Holding("m1", "elderly_care_allowance"),)
    assert only(question(family(disabled_head), "disability_care", holds=held)).outcome is ASK
    current = CurrentEntitlement("dibao", ended_by_employment=True)
    household = family(person(incomes=(income("600"),)))
    assert only(question(household, "dibao", current_entitlement=current)).outcome is ASK
    child = family(person(born=date(1950, 1, 1)), person("c1", "grandchild", date(2016, 1, 1)))
    parents = (ParentFact(ParentStatus.DEAD), ParentFact(ParentStatus.SERIOUS_ILLNESS))
    asked = question(child, "unsupported_child", parents=parents, holds=(Holding("c1", "dibao"),))
    result = answer(asked).of("unsupported_child", "c1")
    assert (result.outcome, result.monthly_fen, bool(result.missing)) == (ASK, None, True)


def test_a_household_whose_payment_is_stopped_still_stands_in_dibao() -> None:
    household = family(person(employable=True, job_offers_refused=3))
    assessment = answer(question(household, "dibao", "dibao_edge"))
    assert assessment.of("dibao").outcome is Outcome.SUSPENDED
    assert assessment.of("dibao_edge").outcome is NO
