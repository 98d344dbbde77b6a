"""Two speeds, one truth: the set-wise twins give what the pure functions give, to the fen, with the same components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.eligibility import AssessmentQuestion, Context, Household, Member, NoPolicyInForce, ParameterBook, assess
from app.domain.eligibility.arithmetic_setwise import NotSetWise, rounded
from app.domain.eligibility.case_setwise import OUTCOMES, Answers
from app.domain.eligibility.columns_setwise import CODED, HOLDINGS, INCOME_COLUMNS, Population, population_of
from app.domain.eligibility.engine_setwise import SETWISE_PROGRAMMES, assess_population
from app.domain.eligibility.facts import (
    CurrentEntitlement,
    Employment,
    Holding,
    Income,
    IncomeKind,
    Override,
    Relation,
    Residence,
)
from app.domain.eligibility.interplay import HIGHER_OF, PASSPORTS
from app.domain.eligibility.periods import age_on
from app.domain.eligibility.rules_setwise import Rules
from app.domain.money import Rounding, RoundingMode, round_fen
from tests.thorough import examples
from tests.unit.eligibility.families import TIER_DISTRICT, book, book_with, disabled, family, income, person, question
from tests.unit.eligibility.households import AREAS, questions

DAYS = (date(2025, 10, 15), date(2026, 8, 10), date(2026, 2, 27), date(2026, 2, 28), date(2028, 2, 29), date(2026, 3, 1))
AGES = (0, 1, 17, 18, 59, 60, 69, 70, 79, 80, 89, 90, 99, 100)
LINES = ("0.30", "0.70", "1", "1.5", "2")
CONSENT = (True, True, True, None, None, False)
Key = tuple[int, str, str | None]
Essence = tuple[str, int, tuple[tuple[str, str, int], ...]]

VARIANTS: dict[str, dict[str, Any]] = {
    "as the demo has it": {},
    "an odd standard": {"dibao.standard.urban": 55_201, "dibao.standard.rural": 44_203},
    "odd rates": {
        "dibao.employment_cost_rate": "0.333",
        "dibao.tiers": [{"code": "A", "income_below_rate": "0.777", "per_person": 1}],
    },
    "tens, half even": {"dibao.rounding": {"unit_fen": 10, "mode": "half_even"}, "dibao.employment_cost_rate": "0.125"},
    "thousands, up": {"dibao.rounding": {"unit_fen": 1000, "mode": "up"}, "dibao.minimum_fen": 3000},
    "tens, down": {"dibao.rounding": {"unit_fen": 10, "mode": "down"}, "dibao.minimum_fen": 0},
    "imputed": {"dibao.imputed_income": {"base_fen": 40001, "coefficient": "0.75", "from_age": 18, "until_age": 60}},
    "leap day in March": {
        "person.leap_day_birthday": "03-01",
        "dibao.uplift": {"elderly_from_age": 60, "elderly": "0.123", "minor": "0.123"},
    },
    "no minors, single uplift": {
        "dibao.uplift": {"serious_illness": "0.30"},
        "dibao_single.uplift": {"severe_disability": "0.15"},
        "dibao.single_amount": "standard",
    },
    "half on leaving": {"dibao.gradual_exit": {"months": 3, "amount": "0.505", "cause": "employment"}},
    "per person assets, vehicles": {
        "dibao.asset.financial_limit": {"amount_fen_per_person": 1_000_000},
        "dibao.asset.vehicle_allowed": True,
        "dibao.job_refusal": {"times": 1, "cut": "own_share"},
    },
    "grade 3, zero amounts": {
        "disability_care.month": {"1": 0, "2": 100, "3": 50},
        "disability_care.extend_to_grade3_intellectual_mental": True,
        "old_age.month": {"60": 0, "80": 100},
    },
}


# --- the pure answer and the twin's, in one shape ----------------------------------------


def pure(asked: Sequence[AssessmentQuestion], parameters: ParameterBook) -> dict[Key, Essence]:
    found: dict[Key, Essence] = {}
    for place, one in enumerate(asked):
        for result in assess(one, parameters).results:
            parts = sorted((part.kind, part.member or "", part.amount_fen) for part in result.components)
            found[place, result.programme, result.member] = (result.outcome.value, result.monthly_fen or 0, tuple(parts))
    return found


@cache
def rules_of(parameters: int, area: str, on: date) -> Rules:
    return Rules(BOOKS[parameters], area, on)


def rules_for(asked: AssessmentQuestion, parameters: ParameterBook) -> Rules:
    """Compiled once for every household of one area and day, as a run does."""
    BOOKS[id(parameters)] = parameters
    return rules_of(id(parameters), asked.area_code, asked.business_date)


BOOKS: dict[int, ParameterBook] = {}


def twin(asked: Sequence[AssessmentQuestion], parameters: ParameterBook) -> dict[Key, Essence]:
    population = population_of(asked)
    rules = rules_for(asked[0], parameters)
    refs = [member.ref for one in asked for member in sorted(one.household.members, key=lambda member: member.ref)]
    found: dict[Key, Essence] = {}
    for programme, answers in assess_population(population, rules, asked[0].programmes or ()).items():
        parts = _parts(population, answers, refs)
        for place, (outcome, monthly) in enumerate(zip(answers.outcome, answers.monthly_fen, strict=True)):
            member = None if answers.members is None else int(answers.members[place])
            household = place if member is None else int(population.owners(np.array([member]))[0])
            key = (household, programme, None if member is None else refs[member])
            found[key] = (OUTCOMES[outcome].value, int(monthly), tuple(sorted(parts.get((household, member), []))))
    return found


def _parts(
    population: Population, answers: Answers, refs: Sequence[str]
) -> dict[tuple[int, int | None], list[tuple[str, str, int]]]:
    """Components by the row that they belong to: the household's, or the member's for a programme of persons."""
    found: dict[tuple[int, int | None], list[tuple[str, str, int]]] = {}
    for part in answers.parts:
        for at, amount in zip(part.at.tolist(), part.amount_fen.tolist(), strict=True):
            household = int(population.owners(np.array([at]))[0]) if part.per_member else at
            row = (household, at if answers.members is not None else None)
            found.setdefault(row, []).append((part.kind, refs[at] if part.per_member else "", amount))
    return found


def compare(asked: Sequence[AssessmentQuestion], parameters: ParameterBook) -> None:
    try:
        expected = pure(asked, parameters)
    except NoPolicyInForce:
        with pytest.raises(NoPolicyInForce):
            twin(asked, parameters)
        return
    found = twin(asked, parameters)
    assert {key: expected[key] for key in found} == found
    # Where a programme of persons means nobody in particular, the pure function refuses each member; the twin is silent.
    assert all(expected[key][0] == "ineligible" for key in expected.keys() - found.keys())
    assert all(key[2] is not None for key in expected.keys() - found.keys())


# --- households made to hurt ----------------------------------------


@st.composite
def births(draw: st.DrawFn, on: date) -> date:
    """Birthdays of the ages that matter, the days beside them, and 29 February."""
    age = draw(st.sampled_from(AGES))
    anniversary = date(on.year - age, on.month, min(on.day, 28))
    near = anniversary + timedelta(days=draw(st.integers(-2, 3)))
    leap = date(on.year - age - (on.year - age) % 4, 2, 28) + timedelta(days=1)
    return min(on, draw(st.sampled_from([near, near, leap])))


@st.composite
def changed_member(draw: st.DrawFn, member: Member, on: date) -> Member:
    return replace(
        member,
        birth_date=draw(births(on)),
        authorised_verification=draw(st.sampled_from(CONSENT)),
        hukou_local=draw(st.sampled_from([True, True, None, False])),
        survival_confirmed_on=draw(st.none() | st.dates(on - timedelta(days=368), on - timedelta(days=362))),
        incomes=(*member.incomes, *draw(st.sampled_from([(), (), (Income(IncomeKind.BUSINESS_NET, -70_000),)]))),
    )


@st.composite
def contexts(draw: st.DrawFn, refs: Sequence[str]) -> Context:
    current = st.builds(
        CurrentEntitlement,
        st.sampled_from(["dibao", "dibao", "dibao", "dibao_edge", "dibao_single", "tekun", "rigid_expense", "orphan"]),
        st.none() | st.integers(0, 200_000),
        st.just("2025-01"),
        st.booleans(),
    )
    holding = st.builds(Holding, st.sampled_from(refs), st.sampled_from(HOLDINGS), st.none() | st.integers(0, 12_000))
    return Context(
        current_entitlement=draw(st.none() | st.none() | current),
        holds=tuple(draw(st.sampled_from([[], []]) | st.lists(holding, max_size=3))),
        hukou_local=draw(st.none() | st.just(True)),
        survival_confirmed_on=draw(st.none() | st.dates(date(2024, 9, 1), date(2026, 8, 1))),
    )


@st.composite
def hard(draw: st.DrawFn, area: str, on: date, programmes: tuple[str, ...], parameters: ParameterBook) -> AssessmentQuestion:
    asked = replace(draw(questions(programmes, area_code=area)), business_date=on)
    members = [draw(changed_member(member, on)) for member in asked.household.members]
    if draw(st.booleans()):
        members = [replace(member, absence=None, serious_illness=False) for member in members]
    household = replace(
        asked.household,
        members=tuple(members),
        assets=draw(st.sampled_from([(), asked.household.assets])),
        authorised_verification=draw(st.sampled_from(CONSENT)),
    )
    asked = replace(asked, household=household, context=draw(contexts([member.ref for member in members])))
    return _near_a_line(draw, asked, parameters) if draw(st.integers(0, 2)) else asked


def _near_a_line(draw: st.DrawFn, asked: AssessmentQuestion, parameters: ParameterBook) -> AssessmentQuestion:
    """One income of the head that brings the household within three fen of a line; the others earn nothing."""
    standard = parameters.policy(asked.area_code, asked.business_date).money(f"dibao.standard.{asked.residence.value}")
    heads = draw(st.integers(1, len(asked.household.members)))
    line = int(Fraction(draw(st.sampled_from(LINES))) * standard * heads)
    amount = max(0, line + asked.household.deductible_monthly_fen + draw(st.integers(-3, 3)))
    kind = draw(st.sampled_from([IncomeKind.TRANSFER_NET, IncomeKind.WAGE, IncomeKind.BASIC_PENSION_CENTRAL]))
    members = [
        replace(member, incomes=(Income(kind, amount),) if member.relation is Relation.HEAD else ())
        for member in asked.household.members
    ]
    return replace(asked, household=replace(asked.household, members=tuple(members)))


def drawn_batch(
    data: st.DataObject, area: str, programmes: tuple[str, ...], parameters: ParameterBook
) -> list[AssessmentQuestion]:
    on = data.draw(st.sampled_from(DAYS))
    return data.draw(st.lists(hard(area, on, programmes, parameters), min_size=1, max_size=6))


quick = settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))


@cache
def local_book(area: str, variant: str) -> ParameterBook:
    return book_with(area, VARIANTS[variant]) if VARIANTS[variant] else book()


@pytest.mark.thorough
@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("programme", SETWISE_PROGRAMMES)
@given(data=st.data())
@quick
def test_each_twin_equals_the_pure_function(programme: str, area: str, data: st.DataObject) -> None:
    compare(drawn_batch(data, area, (programme,), book()), book())


def check_together(area: str, data: st.DataObject) -> None:
    asked = [code for code in SETWISE_PROGRAMMES if area[:6] != TIER_DISTRICT[:6] or code != "dibao_single"]
    programmes = tuple(data.draw(st.lists(st.sampled_from(asked), min_size=1, unique=True)))
    compare(drawn_batch(data, area, programmes, book()), book())


@pytest.mark.thorough
@pytest.mark.parametrize("area", AREAS)
@given(data=st.data())
@settings(quick, max_examples=examples(80))
def test_twins_asked_together_equal_the_pure_functions_asked_together(area: str, data: st.DataObject) -> None:
    check_together(area, data)


@pytest.mark.thorough
@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("variant", VARIANTS)
@given(data=st.data())
@settings(quick, max_examples=examples(10))
def test_twins_follow_every_local_choice(variant: str, area: str, data: st.DataObject) -> None:
    parameters = local_book(area, variant)
    programmes = ("dibao", "dibao_edge", "disability_living", "disability_care", "old_age")
    compare(drawn_batch(data, area, programmes, parameters), parameters)


@pytest.mark.long
@pytest.mark.parametrize("area", AREAS)
@given(data=st.data())
@settings(quick, max_examples=3000)
def test_twins_equal_the_pure_functions_at_length(area: str, data: st.DataObject) -> None:
    check_together(area, data)


@pytest.mark.long
@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("variant", VARIANTS)
@given(data=st.data())
@settings(quick, max_examples=400)
def test_twins_follow_every_local_choice_at_length(variant: str, area: str, data: st.DataObject) -> None:
    parameters = local_book(area, variant)
    programmes = ("dibao", "dibao_edge", "disability_living", "disability_care", "old_age")
    compare(drawn_batch(data, area, programmes, parameters), parameters)


# --- every boundary, every standing: grids instead of chance ----------------------------------------


def plain(size: int, monthly: int, kind: IncomeKind, **facts: Any) -> Household:
    """A household with one income that meets every condition but perhaps that of income."""
    head = person("m1", incomes=(Income(kind, monthly),), employment=Employment.EMPLOYED)
    others = [person(f"m{place}", "sibling", disability=disabled("physical", 2, True)) for place in range(2, size + 1)]
    return family(head, *others, **facts)


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("kind", [IncomeKind.OTHER, IncomeKind.WAGE])
@pytest.mark.parametrize("variant", ["as the demo has it", "an odd standard", "odd rates", "tens, half even"])
def test_three_fen_around_every_line(area: str, kind: IncomeKind, variant: str) -> None:
    parameters = local_book(area, variant)
    policy = parameters.policy(area, DAYS[1])
    counted = 1 - (policy.find_ratio("dibao.employment_cost_rate") or 0) if kind is IncomeKind.WAGE else 1
    asked = []
    for residence in Residence:
        standard = policy.money(f"dibao.standard.{residence.value}")
        for line in ("0.30", "0.70", "0.777", "1", "1.5", "2"):
            for size in range(1, 6):
                middle = int(Fraction(line) * standard * size / counted)
                households = [plain(size, middle + delta, kind) for delta in range(-3, 4)]
                asked += [question(one, "dibao", "dibao_edge", on=DAYS[1], area=area, residence=residence) for one in households]
    compare(asked, parameters)
    assert len({essence[:2] for essence in pure(asked, parameters).values()}) > 5


ASKED = (("dibao",), ("dibao_edge",), ("dibao", "dibao_edge"), ("disability_living",), ("dibao_edge", "disability_living"))
CURRENT = (
    None,
    *(
        CurrentEntitlement(code, fen, "2025-01", left)
        for code in ("dibao", "dibao_edge", "tekun", "orphan", "dibao_single")
        for fen, left in ((None, True), (30_001, True), (30_001, False))
    ),
)
HELD: tuple[tuple[Holding, ...], ...] = (
    (),
    (Holding("m2", "tekun"),),
    (Holding("m1", "tekun"), Holding("m2", "tekun")),
    (Holding("m2", "dibao"),),
    (Holding("m2", "dibao_single"), Holding("m2", "unsupported_child")),
    (Holding("m2", "dibao_edge"),),
)


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("programmes", ASKED, ids="+".join)
def test_whatever_is_drawn_or_held(area: str, programmes: tuple[str, ...]) -> None:
    standard = book().policy(area, DAYS[1]).money("dibao.standard.urban")
    asked = [
        question(
            plain(2, monthly, IncomeKind.OTHER, assets=assets, authorised_verification=consent),
            *programmes,
            on=DAYS[1],
            area=area,
            holds=held,
            current_entitlement=current,
        )
        for current in CURRENT
        for held in HELD
        for monthly in (0, 2 * standard - 1, 2 * standard, 2 * standard + 20_000)
        for assets, consent in (((), True), (None, True), ((), None))
    ]
    compare(asked, book())


# --- what the tables stand on ----------------------------------------


@given(on=st.dates(date(1990, 1, 1), date(2099, 12, 31)), age=st.integers(0, 105), leap_day=st.sampled_from(["02-28", "03-01"]))
@settings(max_examples=300, deadline=None)
def test_an_age_is_reached_exactly_up_to_one_day_of_birth(on: date, age: int, leap_day: str) -> None:
    rules = Rules(book_with(AREAS[0], {"person.leap_day_birthday": leap_day}), AREAS[0], on)
    last = date.fromordinal(rules.born_until(age))
    assert age_on(last, on, leap_day) >= age
    if last < on:
        assert age_on(last + timedelta(days=1), on, leap_day) < age


@given(
    amounts=st.lists(st.integers(0, 10**13), min_size=1, max_size=20),
    scale=st.integers(1, 5000),
    unit=st.sampled_from([1, 10, 100, 1000]),
    mode=st.sampled_from(RoundingMode),
)
@settings(max_examples=300, deadline=None)
def test_columns_round_as_money_does(amounts: list[int], scale: int, unit: int, mode: RoundingMode) -> None:
    rounding = Rounding(unit, mode)
    expected = [round_fen(Fraction(amount, scale), rounding) for amount in amounts]
    assert rounded(np.array(amounts, dtype=np.int64), scale, rounding).tolist() == expected


@pytest.mark.parametrize("mode", RoundingMode)
@pytest.mark.parametrize(("scale", "unit"), [(1, 1), (2, 1), (4, 1), (5, 1), (1, 10), (2, 10), (3, 100)])
def test_every_tie_is_settled_as_money_settles_it(mode: RoundingMode, scale: int, unit: int) -> None:
    amounts = list(range(4 * scale * unit))
    expected = [round_fen(Fraction(amount, scale), Rounding(unit, mode)) for amount in amounts]
    assert rounded(np.array(amounts, dtype=np.int64), scale, Rounding(unit, mode)).tolist() == expected


def test_codes_stay_what_they_are() -> None:
    """Stored columns carry them: a new value goes to the end of its enumeration."""
    assert [kind.__name__ for kind in CODED] == ["Residence", "Relation", "Absence", "Study", "Employment", "DisabilityCategory"]
    assert [len(kind) for kind in CODED] == [2, 8, 5, 7, 6, 7]
    assert [next(iter(kind)).value for kind in CODED] == ["urban", "head", "imprisoned", "preschool", "employed", "vision"]
    assert len(HOLDINGS) == 17
    assert HOLDINGS[:5] == ("orphan", "unsupported_child", "tekun", "dibao", "dibao_edge")


def test_amounts_beyond_what_a_float_carries_stay_exact() -> None:
    """Above 16 777 216 fen 32-bit floats lose the fen; the interface takes amounts up to 10^12 fen."""
    for amount in (16_777_217, 10**12 - 3):
        parameters = book_with(AREAS[0], {"dibao.standard.urban": amount + 2})
        asked = question(family(person(incomes=(Income(IncomeKind.OTHER, amount),))), "dibao", area=AREAS[0])
        answers = assess_population(population_of([asked]), Rules(parameters, AREAS[0], asked.business_date), ["dibao"])
        assert answers["dibao"].monthly_fen.tolist() == [2]
        compare([asked], parameters)


def test_the_odd_fen_falls_on_the_same_member() -> None:
    refusing: dict[str, Any] = {"employable": True, "job_offers_refused": 3, "employment": Employment.UNEMPLOYED}
    members = (person("m9", born=date(1980, 1, 1), **refusing), person("m1", "spouse", **refusing), person("m5", "sibling"))
    compare([question(family(*members), "dibao", on=date(2026, 8, 10))], book())


# --- what it can't carry is refused, never answered differently ----------------------------------------


def test_a_rule_that_columns_cannot_carry_is_refused() -> None:
    values = {"dibao.support_payment": {"standard_multiple": "1.5", "rate": "0.5"}}
    with pytest.raises(NotSetWise) as refused:
        Rules(book_with(AREAS[0], values), AREAS[0], DAYS[1])
    assert refused.value.code == "not_set_wise"


def test_an_extension_to_a_programme_without_a_twin_is_refused() -> None:
    parameters = book_with(AREAS[0], {"disability_living.extend_to_edge": True})
    asked = question(family(person()), "disability_living", area=AREAS[0])
    with pytest.raises(NotSetWise):
        twin([asked], parameters)


def test_a_programme_without_a_twin_is_refused() -> None:
    with pytest.raises(NotSetWise):
        assess_population(population_of([question(family(person()), "dibao")]), Rules(book(), AREAS[0], DAYS[0]), ["tekun"])


def test_an_override_cannot_become_a_column() -> None:
    asked = question(family(person()), "dibao", overrides=(Override("imputed_income", 1, "病休", "m1"),))
    with pytest.raises(ValueError, match="override"):
        population_of([asked])


def test_an_income_too_large_for_the_scale_is_refused() -> None:
    parameters = book_with(AREAS[0], {"dibao.employment_cost_rate": "0.123456789"})
    asked = question(family(person(incomes=(Income(IncomeKind.WAGE, 10**12),))), "dibao", area=AREAS[0])
    with pytest.raises(NotSetWise):
        twin([asked], parameters)


def test_every_higher_of_and_every_held_allowance_has_a_column() -> None:
    assert {rule.other for rule in HIGHER_OF} == {"elderly_care_allowance"}
    assert {route.through for route in PASSPORTS if route.programme in SETWISE_PROGRAMMES} - set(SETWISE_PROGRAMMES) == {
        "rigid_expense"
    }
    assert set(INCOME_COLUMNS.values()) <= set(Population.__dataclass_fields__)


def test_a_part_of_a_population_answers_as_in_the_whole() -> None:
    asked = [
        question(family(person(incomes=(income(str(yuan)),)), person("m2", "spouse")), "dibao") for yuan in range(0, 2000, 90)
    ]
    asked = [replace(one, residence=list(Residence)[place % 2]) for place, one in enumerate(asked)]
    population, rules = population_of(asked), Rules(book(), asked[0].area_code, asked[0].business_date)
    whole = assess_population(population, rules, ["dibao"])["dibao"]
    some = np.arange(0, len(asked), 3)
    part = assess_population(population.take(some), rules, ["dibao"])["dibao"]
    assert part.monthly_fen.tolist() == whole.monthly_fen[some].tolist()
    assert part.outcome.tolist() == whole.outcome[some].tolist()
