"""Every assessment example of the worked examples, named by its id."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.domain.eligibility import Outcome
from app.domain.eligibility.facts import (
    Absence,
    Emergency,
    EmergencyKind,
    Employment,
    IncomeKind,
    MedicalClaim,
    Obligor,
    ParentFact,
    ParentStatus,
    Study,
)
from app.domain.eligibility.programmes.tekun import care_level
from tests.unit.eligibility.families import (
    TIER_DISTRICT,
    adults,
    answer,
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

AFTER_SAA = date(2026, 8, 15)


def test_db_01_gap() -> None:
    result = only(question(family(*adults(3, "900")), "dibao", on=AFTER_SAA))
    assert (result.outcome, result.monthly_fen) == (Outcome.ELIGIBLE, fen("756"))
    (reason,) = [reason for reason in result.reasons if reason.code == "income_below_standard"]
    assert (reason.measured, reason.limit, reason.article) == ("300.00", "552.00", "社会救助法 第十八条")


def test_db_03_compared_before_any_rounding() -> None:
    result = only(question(family(*adults(3, "1655.99")), "dibao"))
    (reason,) = [reason for reason in result.reasons if reason.code == "income_below_standard"]
    assert (result.outcome, result.monthly_fen, reason.measured) == (Outcome.ELIGIBLE, 1, "551.9966")


def test_db_06_incomes_left_out() -> None:
    left_out = {
        IncomeKind.PREFERENTIAL_PENSION: "500",
        IncomeKind.SCHOLARSHIP: "300",
        IncomeKind.SOCIAL_ASSISTANCE: "1000",
        IncomeKind.BASIC_PENSION_CENTRAL: "200",
    }
    head = person(incomes=(income("1200"), *(income(yuan, kind) for kind, yuan in left_out.items())))
    household = family(head, *adults(3)[1:])
    assert only(question(household, "dibao", on=date(2025, 10, 15))).monthly_fen == fen("456")
    assert only(question(household, "dibao", on=date(2026, 1, 1))).monthly_fen == fen("256")  # the exemption had a sunset


def test_db_10_assets_above_the_line() -> None:
    result = only(question(family(*adults(3), assets=(deposit("50000"),)), "dibao"))
    assert result.outcome is Outcome.INELIGIBLE
    (reason,) = [reason for reason in result.reasons if reason.code == "financial_assets_within_limit"]
    assert (reason.met, reason.measured, reason.limit) == (False, "50000.00", "39744.00")


def test_db_12_student_daughter_and_old_mother() -> None:
    household = family(
        person(born=date(1975, 1, 1), incomes=(income("1200"),)),
        person("m2", "spouse", date(1976, 1, 1)),
        person("m3", "child", date(2004, 1, 1), study=Study.UNDERGRADUATE),
        person("m4", "parent", date(1946, 1, 1)),
    )
    result = only(question(household, "dibao"))
    parts = [(component.kind, component.member, component.amount_fen) for component in result.components]
    assert parts == [("base", None, fen("1008")), ("uplift_elderly", "m4", fen("55.20"))]
    assert result.monthly_fen == fen("1063.20")


@pytest.mark.parametrize(
    ("category", "grade", "own", "amount"),
    [pytest.param("vision", 1, "0", "552", id="DB-15"), pytest.param("mental", 3, "100", "452", id="DB-17")],
)
def test_db_15_17_single(category: str, grade: int, own: str, amount: str) -> None:
    rest = str(2100 - int(own))
    household = family(
        person(incomes=(income(rest),), employment=Employment.EMPLOYED),
        person("m2", "spouse"),
        person("m3", "child", date(2000, 1, 1), disability=disabled(category, grade), incomes=(income(own),)),
    )
    assessment = answer(question(household, "dibao", "dibao_edge", "dibao_single"))
    assert assessment.of("dibao").outcome is Outcome.INELIGIBLE
    assert assessment.of("dibao_edge").outcome is Outcome.ELIGIBLE
    single = assessment.of("dibao_single", "m3")
    assert (single.outcome, single.monthly_fen) == (Outcome.ELIGIBLE, fen(amount))


def test_db_20_gradual_exit() -> None:
    current = on_dibao("756", employment=True)
    household = family(*adults(3, "1800"))
    result = only(question(household, "dibao", on=date(2026, 7, 15), current_entitlement=current))
    assert result.outcome is Outcome.GRADUAL_EXIT
    assert (result.monthly_fen, result.starts_month, result.ends_month) == (fen("756"), "2026-08", "2027-01")


def test_db_24_review_lowers_the_amount() -> None:
    result = only(question(family(*adults(3, "1200")), "dibao", on=AFTER_SAA, current_entitlement=on_dibao("756")))
    assert (result.outcome, result.monthly_fen) == (Outcome.ELIGIBLE, fen("456"))


def test_db_27_one_uplift_per_person() -> None:
    household = family(
        person(born=date(1954, 1, 1), incomes=(income("300"),)),
        person("m2", "spouse", date(1960, 1, 1), disability=disabled("physical", 1)),
    )
    result = only(question(household, "dibao"))
    assert [component.amount_fen for component in result.components] == [fen("804"), fen("55.20"), fen("110.40")]
    assert result.monthly_fen == fen("969.60")


def test_db_43_what_was_overpaid() -> None:
    """1,200 a month since March, found out on 10 July: 456 instead of 756 from April to July."""
    household = family(*adults(3, "1200"))
    due = [
        only(question(household, "dibao", on=date(2026, month, 1), current_entitlement=on_dibao("756"))).monthly_fen
        for month in (4, 5, 6, 7)
    ]
    assert due == [fen("456")] * 4
    assert sum(fen("756") - (monthly or 0) for monthly in due) == fen("1200")


@pytest.mark.parametrize(
    ("employable", "employment", "due"),
    [(False, None, date(2027, 3, 10)), (True, Employment.UNEMPLOYED, date(2026, 9, 10))],
)
def test_db_35_next_review(employable: bool, employment: Employment | None, due: date) -> None:
    head = person(employable=employable, employment=employment)
    assert only(question(family(head), "dibao")).next_review_on == due


def test_db_38_tiers() -> None:
    household = family(person(incomes=(income("900", IncomeKind.OTHER),)), *adults(3)[1:])
    result = only(question(household, "dibao", area=TIER_DISTRICT))
    assert [(component.kind, component.amount_fen) for component in result.components] == [("base", fen("900"))]
    assert [step.value for step in result.trace if step.step == "tier"] == ["B"]


def test_db_39_a_loss_offsets_nothing() -> None:
    head = person(incomes=(income("-200", IncomeKind.BUSINESS_NET), income("900")))
    result = only(question(family(head, *adults(3)[1:]), "dibao"))
    assert [step.value for step in result.trace if step.step == "counted_income_fen"] == [fen("900")]


def test_by_03_assets_between_the_lines() -> None:
    assessment = answer(question(family(*adults(3, "1200"), assets=(deposit("50000"),)), "dibao", "dibao_edge"))
    assert assessment.of("dibao").outcome is Outcome.INELIGIBLE
    assert assessment.of("dibao_edge").outcome is Outcome.ELIGIBLE


def test_gx_01_exactly_the_ratio_is_not_above_it() -> None:
    household = family(*adults(3, "5000"), expenses=(expense("living", "36000"),))
    result = only(question(household, "rigid_expense"))
    assert result.outcome is Outcome.INELIGIBLE
    assert unmet(result) == {"rigid_expense_above_ratio"}


def test_gx_04_public_tuition() -> None:
    household = family(*adults(3, "5000"), expenses=(expense("education", "30000", public_tuition_fen=fen("800")),))
    result = only(question(household, "rigid_expense"))
    assert [step.value for step in result.trace if step.step == "expenses_counted_fen"] == [fen("800")]


def test_gx_07_valid_until() -> None:
    household = family(*adults(3, "5000"), expenses=(expense("living", "36000.01"),))
    result = only(question(household, "rigid_expense", on=date(2026, 3, 10)))
    assert (result.outcome, result.valid_until) == (Outcome.ELIGIBLE, date(2027, 3, 10))


def test_tk_05_incomes_left_out() -> None:
    kinds = {
        IncomeKind.BASIC_PENSION_CENTRAL: "200",
        IncomeKind.OLD_AGE_ALLOWANCE: "50",
        IncomeKind.PREFERENTIAL_PENSION: "600",
    }
    head = person(born=date(1960, 1, 1), incomes=tuple(income(yuan, kind) for kind, yuan in kinds.items()))
    result = only(question(family(head), "tekun", obligors=()))
    assert result.outcome is Outcome.ELIGIBLE
    assert [step.value for step in result.trace if step.step == "counted_income_fen"] == [0]


@pytest.mark.parametrize(("born", "outcome"), [(date(1968, 1, 1), Outcome.INELIGIBLE), (date(1966, 3, 10), Outcome.ELIGIBLE)])
def test_tk_07_only_child_on_dibao(born: date, outcome: Outcome) -> None:
    child = Obligor("child", born, "dibao", annual_income_fen=0, assets_comply=True)
    head = person(born=date(1940, 1, 1))
    assert only(question(family(head), "tekun", obligors=(child,))).outcome is outcome


@pytest.mark.parametrize(("items", "level"), [(0, "none"), (1, "partial"), (3, "partial"), (4, "full"), (6, "full")])
def test_tk_10_self_care(items: int, level: str) -> None:
    assert care_level(items) == level


def test_tk_15_amount() -> None:
    head = person(born=date(1950, 1, 1), self_care_failed_items=2)
    result = only(question(family(head), "tekun", obligors=()))
    assert [component.amount_fen for component in result.components] == [fen("717.60"), fen("300")]
    assert (result.monthly_fen, result.starts_month) == (fen("1017.60"), "2026-04")


def test_ls_01_accepted_where_it_happened() -> None:
    fire = Emergency(EmergencyKind.FIRE, requested_fen=fen("1500"), occurred_on=date(2026, 3, 8), occurred_area="350702001002")
    result = only(question(family(person()), "temporary", emergency=fire, hukou_local=False))
    assert (result.outcome, result.one_off_fen) == (Outcome.ELIGIBLE, fen("1500"))


@pytest.mark.parametrize(
    ("cost", "paid", "expected"),
    [
        pytest.param("30000", "0", "21000", id="YL-01"),
        pytest.param("120000", "0", "80000", id="YL-03"),
        pytest.param("12857.14", "75000", "5000", id="YL-06"),
    ],
)
def test_yl_medical(cost: str, paid: str, expected: str) -> None:
    claim = MedicalClaim(fen(cost), fen(paid))
    result = only(question(family(person()), "medical", current_entitlement=on_dibao("552"), medical_claim=claim))
    assert (result.outcome, result.one_off_fen, result.authority) == (Outcome.ELIGIBLE, fen(expected), "医保")


def test_cj_01_both_subsidies() -> None:
    head = person(disability=disabled("physical", 2, needs_care=True))
    assessment = answer(question(family(head), "dibao", "disability_living", "disability_care"))
    assert assessment.of("disability_living", "m1").monthly_fen == fen("80")
    assert assessment.of("disability_care", "m1").monthly_fen == fen("80")


def test_cj_05_tekun_excludes_both() -> None:
    head = person(disability=disabled("physical", 1, needs_care=True))
    asked = question(family(head), "disability_living", "disability_care", holds=(holding("m1", "tekun", "717.60"),))
    assert {result.outcome for result in answer(asked).results} == {Outcome.INELIGIBLE}
    assert all("not_in_tekun" in unmet(result) for result in answer(asked).results)


def test_cj_07_the_higher_one() -> None:
    head = person(disability=disabled("physical", 2, needs_care=True))
    result = only(question(family(head), "disability_care", holds=(holding("m1", "elderly_care_allowance", "100"),)))
    assert (result.outcome, result.monthly_fen, unmet(result)) == (Outcome.INELIGIBLE, 0, {"higher_allowance_held"})


def test_cj_09_from_the_month_of_the_application() -> None:
    head = person(disability=disabled("physical", 2, needs_care=True))
    assert only(question(family(head), "disability_care", on=date(2026, 3, 18))).starts_month == "2026-03"


@pytest.mark.parametrize(
    ("area", "before", "after", "month"), [("350702001001", "50", "100", "2026-03"), (TIER_DISTRICT, "30", "80", "2026-04")]
)
def test_gl_02_next_band(area: str, before: str, after: str, month: str) -> None:
    head = person(born=date(1936, 3, 10))
    facts: dict[str, Any] = {"hukou_local": True, "survival_confirmed_on": date(2026, 1, 1)}
    day_before = only(question(family(head), "old_age", on=date(2026, 3, 9), area=area, **facts))
    birthday = only(question(family(head), "old_age", on=date(2026, 3, 10), area=area, **facts))
    assert (day_before.monthly_fen, birthday.monthly_fen, birthday.starts_month) == (fen(before), fen(after), month)


def test_gl_04_unconfirmed_is_suspended() -> None:
    result = only(question(family(person(born=date(1940, 1, 1))), "old_age", hukou_local=True))
    assert (result.outcome, result.monthly_fen) == (Outcome.SUSPENDED, None)


@pytest.mark.parametrize(("months", "outcome"), [(5, Outcome.INELIGIBLE), (6, Outcome.ELIGIBLE)])
def test_et_01_six_months_included(months: int, outcome: Outcome) -> None:
    household = family(person(born=date(1955, 1, 1)), person("c1", "grandchild", date(2016, 1, 1)))
    parents = (ParentFact(ParentStatus.DEAD), ParentFact(ParentStatus.IMPRISONED, months))
    assert only(question(household, "unsupported_child", parents=parents)).outcome is outcome


def test_et_04_top_up() -> None:
    household = family(person(born=date(1955, 1, 1)), person("c1", "grandchild", date(2016, 1, 1)))
    parents = (ParentFact(ParentStatus.DEAD), ParentFact(ParentStatus.LOST_CONTACT, 12))
    asked = question(household, "unsupported_child", parents=parents, holds=(holding("c1", "dibao", "252"),))
    assert only(asked).monthly_fen == fen("848")


def test_et_09_from_the_next_month() -> None:
    household = family(person(born=date(1955, 1, 1)), person("c1", "grandchild", date(2016, 1, 1)))
    parents = (ParentFact(ParentStatus.SERIOUS_ILLNESS), ParentFact(ParentStatus.SEVERE_DISABILITY))
    assert only(question(household, "unsupported_child", on=date(2026, 4, 28), parents=parents)).starts_month == "2026-05"


def test_et_08_no_public_notice() -> None:
    """What the clerk and the family read says so (民发〔2019〕62号 二(二))."""
    household = family(person(born=date(1955, 1, 1)), person("c1", "grandchild", date(2016, 1, 1)))
    parents = (ParentFact(ParentStatus.DEAD), ParentFact(ParentStatus.LOST_CONTACT, 12))
    result = only(question(household, "unsupported_child", parents=parents))
    assert result.outcome is Outcome.ELIGIBLE
    assert any("不设公示" in step.because for step in result.trace)


def test_contract_example() -> None:
    household = family(
        person(
            born=date(1972, 3, 1),
            employment=Employment.UNEMPLOYED,
            employable=True,
            disability=disabled("physical", 2, needs_care=True),
            incomes=(income("600"),),
        ),
        person("m2", "spouse", date(1975, 5, 20), employment=Employment.NONE),
        assets=(deposit("20000"),),
    )
    assessment = answer(question(household, "dibao", "dibao_edge", on=AFTER_SAA))
    dibao = assessment.of("dibao")
    assert (dibao.monthly_fen, dibao.starts_month, dibao.next_review_on) == (61440, "2026-09", date(2027, 2, 15))
    assert assessment.policy_version.startswith("350702/2026-07-01/")
    assert assessment.notice == "演示参数"
    assert assessment.of("dibao_edge").outcome is Outcome.INELIGIBLE


@pytest.mark.parametrize("absence", list(Absence))
def test_absent_members_do_not_count(absence: Absence) -> None:
    present = adults(2, "300")
    absent = person("m3", "child", date(2000, 1, 1), absence=absence, incomes=(income("9000"),))
    result = only(question(family(*present, absent), "dibao"))
    assert result.monthly_fen == fen("804")
