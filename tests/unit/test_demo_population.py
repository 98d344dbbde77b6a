"""The synthetic population: deterministic, plausible, nobody's, and with the answers that the rule gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

import app
from app.demo import (
    DEMO_DISTRICT,
    SECOND_DISTRICT,
    DemoApplication,
    DemoHousehold,
    DemoPerson,
    DemoPopulation,
    DemoState,
    demo_areas,
    demo_population,
    resident_counts,
    second_population,
    tutorial_household,
)
from app.demo.applications import FAVOURED, STATE_COUNTS, facts
from app.demo.identities import CARD_PREFIX, PHONE_PREFIX, is_demo_id_number
from app.demo.names import is_demo_name
from app.demo.needy import ASSET_MONTHS, ELDERLY_FROM_AGE, STANDARD_FEN, UPLIFT_PERCENT
from app.demo.people import AGES_ON
from app.demo.residents import TOTALS, apportion
from app.domain.areas import AreaLevel
from app.domain.eligibility import facts as words
from app.domain.eligibility.engine import assess
from app.domain.eligibility.model import Outcome, ProgrammeResult
from app.domain.eligibility.parameters import ParameterBook
from app.domain.eligibility.policy_document import rows_of
from app.domain.identity import AccountKind, parse_bank_account, parse_disability_certificate, parse_id_number, parse_phone
from app.domain.registry import Relative, contradictions
from app.domain.registry.model import Relation

POLICY = Path(app.__file__).parent / "data" / "demo-policy.yaml"


@pytest.fixture(scope="module")
def population() -> DemoPopulation:
    return demo_population()


@pytest.fixture(scope="module")
def everybody(population: DemoPopulation) -> list[DemoPerson]:
    households = [*population.households, *second_population().households, tutorial_household()]
    return [member.person for household in households for member in household.members]


@pytest.fixture(scope="module")
def policy() -> list[dict[str, Any]]:
    document: list[dict[str, Any]] = yaml.safe_load(POLICY.read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def book(policy: list[dict[str, Any]]) -> ParameterBook:
    return ParameterBook(rows_of(policy), demo=True)


def age_of(person: DemoPerson, on: date = AGES_ON) -> int:
    born = person.birth_date
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


# --- the same data every time


def test_every_run_gives_the_same_people(population: DemoPopulation) -> None:
    again = demo_population()
    assert again == population
    assert tutorial_household() == tutorial_household()


def test_the_day_shown_moves_the_applications_and_not_the_people(population: DemoPopulation) -> None:
    later = demo_population(as_of=date(2026, 11, 22))
    assert later.households == population.households
    assert [one.facts for one in later.applications] == [one.facts for one in population.applications]
    assert max(one.drafted_on for one in later.applications) > date(2026, 11, 1)


# --- nobody's


def test_id_numbers_are_valid_unique_and_of_the_band_that_nobody_has(everybody: list[DemoPerson]) -> None:
    assert len({person.id_number for person in everybody}) == len(everybody)
    for person in everybody:
        number = parse_id_number(person.id_number)
        assert (number.birth_date, number.gender) == (person.birth_date, person.gender)
        assert number.value[:6] in (DEMO_DISTRICT, SECOND_DISTRICT)
        assert 990 <= int(number.value[14:17]) <= 995
        assert is_demo_id_number(person.id_number)
        assert person.birth_date <= AGES_ON


@pytest.mark.parametrize(
    "real_looking", ["11010519491231002X", "34052419800101001X", "610402195001010026", "350702198803149906", "x"]
)
def test_other_numbers_are_not_taken_for_demo_ones(real_looking: str) -> None:
    assert not is_demo_id_number(real_looking)


def test_names_phones_cards_and_flags_show_that_the_data_are_synthetic(
    population: DemoPopulation, everybody: list[DemoPerson]
) -> None:
    assert all(person.synthetic and is_demo_name(person.name) for person in everybody)
    phones = [person.phone for person in everybody if person.phone is not None]
    assert all(parse_phone(phone).startswith(PHONE_PREFIX) for phone in phones)
    cards = [household.account.account for household in population.households]
    assert all(parse_bank_account(card, AccountKind.CARD).startswith(CARD_PREFIX) for card in cards)
    assert (len(set(phones)), len(set(cards))) == (len(phones), len(cards))
    assert all("示例" in household.address for household in population.households)
    assert not is_demo_name("王小明")


def test_some_names_are_hard_for_banks_and_searches(everybody: list[DemoPerson]) -> None:
    def in_gbk(name: str) -> bool:
        return name.encode("gbk", errors="ignore").decode("gbk") == name

    assert sum("·" in person.name for person in everybody) > 3
    assert sum(not in_gbk(person.name) for person in everybody) > 10
    assert all(person.name.encode("gb18030") for person in everybody)


# --- plausible


def test_size_and_spread(population: DemoPopulation) -> None:
    assert len(population.households) == 7000
    assert population.people_count == 19_545  # docs/demo-data.md says so
    per_community = Counter(household.area_code for household in population.households)
    expected = {area.code for area in demo_areas(DEMO_DISTRICT) if area.level == AreaLevel.COMMUNITY}
    assert set(per_community) == expected
    counts = resident_counts()
    assert all(abs(households - counts[code] / 72) <= 1 for code, households in per_community.items())


def test_numbers_and_places_are_consistent(population: DemoPopulation) -> None:
    assert len({household.number for household in population.households}) == 7000
    kinds = {area.code: area.kind for area in demo_areas(DEMO_DISTRICT)}
    for household in population.households:
        assert household.residence == ("rural" if kinds[household.area_code] == "村委会" else "urban")
        assert [member.relation for member in household.members].count("head") == 1
        assert household.members[0].relation == "head"
        assert household.account.holder == household.head.name
        assert all(member.joined_on >= member.person.birth_date for member in household.members)
        assert {member.person.area_code for member in household.members} == {household.area_code}


def test_ages_and_disability_are_plausible(population: DemoPopulation) -> None:
    people = [member.person for household in population.households for member in household.members]
    shares = {band: sum(low <= age_of(person) < high for person in people) / len(people) for band, low, high in BANDS}
    assert 0.10 < shares["children"] < 0.25
    assert 0.12 < shares["elders"] < 0.30
    disabled = [person for person in people if person.disability is not None]
    assert 0.05 < len(disabled) / len(people) < 0.075
    assert set(Counter(person.disability.grade for person in disabled if person.disability)) == {1, 2, 3, 4}
    assert 0.48 < sum(person.gender == "male" for person in people) / len(people) < 0.53


BANDS = [("children", 0, 16), ("elders", 60, 120)]


def test_nobody_does_what_his_age_forbids(everybody: list[DemoPerson]) -> None:
    for person in everybody:
        age = age_of(person)
        assert 0 <= age <= 101
        if age < 16:
            assert person.employment == "none"
            assert not person.incomes
            assert person.phone is None
        assert not (person.employable and not 16 <= age < 60)
        assert not (person.marital_status == "married" and age < 22)


def test_no_relation_contradicts_the_head(population: DemoPopulation) -> None:
    for household in (*population.households, *second_population().households, tutorial_household()):
        members = [Relative(cast("Relation", member.relation), member.person.birth_date) for member in household.members]
        assert contradictions(members) == {}, household.number


def test_certificates_agree_with_holder_category_and_grade(everybody: list[DemoPerson]) -> None:
    categories = {"vision": 1, "hearing": 2, "speech": 3, "physical": 4, "intellectual": 5, "mental": 6, "multiple": 7}
    for person in everybody:
        if person.disability is not None:
            parse_disability_certificate(
                person.disability.certificate_no,
                id_number=person.id_number,
                category=categories[person.disability.category],
                grade=person.disability.grade,
            )


def test_resident_counts_sum_up_and_stand_on_both_sides_of_2500() -> None:
    counts = resident_counts()
    assert (len(counts), sum(counts.values())) == (317, 504_000)
    assert {2499, 2500, 2501} <= set(counts.values())
    assert sum(count >= 2500 for count in counts.values()) > 20
    assert sum(count < 2500 for count in counts.values()) > 200
    assert sum(resident_counts(SECOND_DISTRICT).values()) == TOTALS[SECOND_DISTRICT]


@pytest.mark.parametrize(("total", "weights"), [(10, [1, 1, 1]), (7, [5, 0, 1]), (0, [1, 2]), (504_000, [3] * 317)])
def test_apportion_gives_away_exactly_the_total(total: int, weights: list[int]) -> None:
    shares = apportion(total, weights)
    assert sum(shares) == total
    assert all(abs(share - total * weight / sum(weights)) < 1 for share, weight in zip(shares, weights, strict=True))


# --- applications


def test_every_state_has_its_applications_and_the_demo_communities_some_of_each(population: DemoPopulation) -> None:
    assert Counter(one.state for one in population.applications) == STATE_COUNTS
    assert STATE_COUNTS[DemoState.CONFIRMED] >= 350
    for area_code, at_least in FAVOURED.items():
        there = Counter(one.state for one in population.applications if one.household.area_code == area_code)
        assert all(there[state] >= at_least for state in DemoState)
    numbers = [one.household.number for one in population.applications]
    assert len(set(numbers)) == len(numbers)
    assert set(numbers) <= {household.number for household in population.households}


REACHED = {
    DemoState.DRAFT: ["drafted_on"],
    DemoState.SUBMITTED: ["drafted_on", "submitted_on"],
    DemoState.RETURNED: ["drafted_on", "submitted_on", "returned_on"],
    DemoState.ACCEPTED: ["drafted_on", "submitted_on", "accepted_on"],
    DemoState.OPINION_GIVEN: ["drafted_on", "submitted_on", "accepted_on", "opinion_on"],
    DemoState.NOTICE_OPEN: ["drafted_on", "submitted_on", "accepted_on", "opinion_on", "posted_on"],
    DemoState.CONFIRMED: [
        *["drafted_on", "submitted_on", "accepted_on", "opinion_on", "posted_on", "notice_closed_on", "decided_on"],
    ],
    DemoState.REFUSED: ["drafted_on", "submitted_on", "accepted_on", "opinion_on", "decided_on"],
}
ACTS = ["drafted_on", "submitted_on", "returned_on", "accepted_on", "opinion_on", "posted_on", "notice_closed_on", "decided_on"]


@pytest.mark.parametrize("as_of", [AGES_ON, date(2026, 2, 24), date(2026, 10, 9), date(2027, 3, 1)])
def test_acts_follow_one_another_and_none_lies_ahead(as_of: date) -> None:
    for one in demo_population(as_of).applications:
        days = {act: getattr(one, act) for act in ACTS if getattr(one, act) is not None}
        assert list(days) == REACHED[one.state]
        assert list(days.values()) == sorted(days.values())
        assert max(days.values()) <= as_of
        assert bool(one.missing_items) == (one.state == DemoState.RETURNED)


def test_a_notice_hung_its_seven_days(population: DemoPopulation) -> None:
    for one in population.applications:
        if one.posted_on is not None and one.notice_closed_on is not None:
            assert (one.notice_closed_on - one.posted_on).days >= 8


def question(household: DemoHousehold, facts_given: Mapping[str, Any], on: date) -> words.AssessmentQuestion:
    members = tuple(_member(member) for member in facts_given["members"])
    assets = tuple(words.Asset(words.AssetKind(a["kind"]), a["value_fen"], a["exempt_fen"]) for a in facts_given["assets"])
    return words.AssessmentQuestion(
        business_date=on,
        area_code=household.area_code,
        residence=words.Residence(household.residence),
        household=words.Household(members, assets, (), 0, authorised_verification=True),
        programmes=("dibao",),
    )


def _member(given: Mapping[str, Any]) -> words.Member:
    disability = given["disability"]
    return words.Member(
        ref=given["ref"],
        relation=words.Relation(given["relation"]),
        birth_date=date.fromisoformat(given["birth_date"]),
        gender=words.Gender(given["gender"]),
        study=given["study"] and words.Study(given["study"]),
        employment=words.Employment(given["employment"]),
        employable=given["employable"],
        job_offers_refused=given["job_offers_refused"],
        disability=disability
        and words.Disability(words.DisabilityCategory(disability["category"]), disability["grade"], disability["needs_care"]),
        serious_illness=given["serious_illness"],
        incomes=tuple(words.Income(words.IncomeKind(one["kind"]), one["monthly_fen"]) for one in given["incomes"]),
    )


def answer(book: ParameterBook, household: DemoHousehold, facts_given: Mapping[str, Any], on: date) -> ProgrammeResult:
    (result,) = assess(question(household, facts_given, on), book).results
    return result


@pytest.mark.parametrize("on", [None, AGES_ON, date(2026, 11, 22), date(2028, 1, 15)])
def test_the_rule_gives_the_answer_that_each_application_was_made_for(
    population: DemoPopulation, book: ParameterBook, on: date | None
) -> None:
    for one in population.applications:
        result = answer(book, one.household, one.facts, on or one.decided_on or AGES_ON)
        expected = (Outcome.ELIGIBLE, one.monthly_fen) if one.eligible else (Outcome.INELIGIBLE, None)
        assert (result.outcome, result.monthly_fen or None) == expected, asdict(one)


def test_settled_applications_have_the_settled_answer_and_show_the_boundary(population: DemoPopulation) -> None:
    by_state: dict[DemoState, list[DemoApplication]] = {}
    for one in population.applications:
        by_state.setdefault(one.state, []).append(one)
    assert all(one.eligible for one in by_state[DemoState.CONFIRMED])
    assert not any(one.eligible for one in by_state[DemoState.REFUSED])
    assert min(one.monthly_fen for one in by_state[DemoState.CONFIRMED]) == 1
    assert {one.eligible for one in by_state[DemoState.SUBMITTED]} == {True, False}


def test_the_tutorials_family_gets_756_yuan_like_db_01(population: DemoPopulation, book: ParameterBook) -> None:
    family = tutorial_household()
    assert (len(family.members), family.area_code) == (3, "350702001001")
    assert sum(income.monthly_fen for member in family.members for income in member.person.incomes) == 90_000
    result = answer(book, family, facts(family), date(2026, 8, 15))
    assert (result.outcome, result.monthly_fen) == (Outcome.ELIGIBLE, 75_600)
    registered = {member.person.id_number for household in population.households for member in household.members}
    assert registered.isdisjoint(member.person.id_number for member in family.members)
    assert family.number not in {household.number for household in population.households}


def test_the_second_district_has_fifty_households_of_its_own() -> None:
    second = second_population()
    assert (second.district, len(second.households), second.applications) == (SECOND_DISTRICT, 50, ())
    assert all(household.area_code.startswith(SECOND_DISTRICT) for household in second.households)


def test_the_amounts_are_worked_out_from_the_demo_districts_policy(policy: list[dict[str, Any]]) -> None:
    parameters = next(area["parameters"] for area in policy if area["area"] == DEMO_DISTRICT)
    uplift = parameters["dibao.uplift"][-1]["value"]
    assert parameters["dibao.standard.urban"][-1]["value"] == STANDARD_FEN["urban"]
    assert parameters["dibao.standard.rural"][-1]["value"] == STANDARD_FEN["rural"]
    assert parameters["dibao.asset.financial_limit"][-1]["value"] == {"standard_months_per_person": ASSET_MONTHS}
    assert uplift.pop("elderly_from_age") == ELDERLY_FROM_AGE
    assert {ground: f"0.{percent:02d}" for ground, percent in UPLIFT_PERCENT.items()} == uplift
