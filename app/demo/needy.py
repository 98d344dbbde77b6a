"""Making households that apply for 低保, with incomes and savings that lead to a wanted answer, and what the rule then pays.

The amounts are worked out here in the simplest way (standard × members − income + uplifts) from the demo district's parameters,
so that the demo data check the rule and not only show it. Ages stay clear of 18 and 70 for years around, so the answer doesn't
hang on the day.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from app.demo.households import HouseholdMaker
from app.demo.model import DemoAsset, DemoHousehold, DemoIncome, DemoPerson, Residence
from app.demo.names import surname
from app.demo.people import AGES_ON, Traits
from app.domain.areas import AreaRow
from app.domain.identity import Gender

#: dibao.standard.* and dibao.uplift of the demo district (app/data/demo-policy.yaml; a test compares them).
STANDARD_FEN: Final[dict[Residence, int]] = {"urban": 55_200, "rural": 44_200}
ASSET_MONTHS: Final = 24
ELDERLY_FROM_AGE: Final = 70
UPLIFT_PERCENT: Final = {"elderly": 10, "minor": 10, "severe_disability": 20, "serious_illness": 20}

#: Incomes that the rule leaves out.
NOT_COUNTED: Final = frozenset({"old_age_allowance"})
OLD_AGE_ALLOWANCE_FEN: Final = {80: 5_000, 90: 10_000}


class Case(StrEnum):
    """What a household is made to show."""

    ELIGIBLE = "eligible"
    ONE_FEN_BELOW = "one_fen_below"  # entitled to 0.01 yuan
    AT_THE_STANDARD = "at_the_standard"  # 低于 excludes the standard itself
    INCOME_ABOVE = "income_above"
    SAVINGS_ABOVE = "savings_above"


@dataclass(frozen=True, slots=True)
class Needy:
    """A household with the answer that the rule must give on it."""

    household: DemoHousehold
    eligible: bool
    monthly_fen: int


@dataclass(frozen=True, slots=True)
class _Role:
    """A member before the household's income is shared out; ``works``: can bring income in."""

    relation: str
    traits: Traits
    works: bool


def needy_household(maker: HouseholdMaker, area: AreaRow, case: Case) -> Needy:
    """A household in ``area`` made to show ``case``."""
    rng, home = maker.rng, maker.home(area)
    boundary = case in (Case.ONE_FEN_BELOW, Case.AT_THE_STANDARD)
    roles = _couple(rng) if boundary else rng.choice(_COMPOSITIONS)(rng)
    limit_fen = STANDARD_FEN[home.residence] * len(roles)
    income_fen = _income(rng, case, limit_fen)
    members = [(role.relation, maker.people.person(home, traits)) for role, traits in _shared_out(roles, income_fen)]
    savings = DemoAsset("deposit", _savings(rng, case, limit_fen * ASSET_MONTHS))
    household = maker.household(home, members, (savings,))
    eligible = case in (Case.ELIGIBLE, Case.ONE_FEN_BELOW)
    return Needy(household, eligible, benefit_fen(household) if eligible else 0)


def benefit_fen(household: DemoHousehold) -> int:
    """The monthly amount of an eligible household: the gap, and one uplift per person, the highest."""
    standard_fen = STANDARD_FEN[household.residence]
    people = [member.person for member in household.members]
    return standard_fen * len(people) - counted_income_fen(people) + sum(_uplift_fen(person, standard_fen) for person in people)


def counted_income_fen(people: Sequence[DemoPerson]) -> int:
    return sum(income.monthly_fen for person in people for income in person.incomes if income.kind not in NOT_COUNTED)


def _uplift_fen(person: DemoPerson, standard_fen: int) -> int:
    born = person.birth_date
    age = AGES_ON.year - born.year - ((AGES_ON.month, AGES_ON.day) < (born.month, born.day))
    grounds = {
        "elderly": age >= ELDERLY_FROM_AGE,
        "minor": age < 18,
        "severe_disability": person.disability is not None and person.disability.grade <= 2,
        "serious_illness": person.serious_illness,
    }
    return standard_fen * max((UPLIFT_PERCENT[ground] for ground, holds in grounds.items() if holds), default=0) // 100


def _income(rng: random.Random, case: Case, limit_fen: int) -> int:
    """The household's counted monthly income, in whole ten yuan but for the boundaries."""
    match case:
        case Case.ONE_FEN_BELOW:
            return limit_fen - 1
        case Case.AT_THE_STANDARD:
            return limit_fen
        case Case.INCOME_ABOVE:
            return limit_fen * rng.randint(106, 190) // 100_000 * 1000
        case _:
            return limit_fen * rng.randint(10, 85) // 100_000 * 1000


def _savings(rng: random.Random, case: Case, limit_fen: int) -> int:
    percent = rng.randint(105, 160) if case == Case.SAVINGS_ABOVE else rng.randint(2, 60)
    return limit_fen * percent // 10_000 * 100


def _shared_out(roles: Sequence[_Role], income_fen: int) -> list[tuple[_Role, Traits]]:
    """The income given to those who can bring it in: three fifths to the first of two."""
    earners = [role for role in roles if role.works] or list(roles[:1])
    first_fen = income_fen if len(earners) == 1 else income_fen * 3 // 5 // 100 * 100
    parts = dict(zip((id(role) for role in earners), (first_fen, income_fen - first_fen), strict=False))
    return [(role, _with_income(role.traits, role.works, parts.get(id(role), 0))) for role in roles]


def _with_income(traits: Traits, works: bool, amount_fen: int) -> Traits:
    incomes = [DemoIncome("wage" if works else "transfer_net", amount_fen)] if amount_fen else []
    band = max((age for age in OLD_AGE_ALLOWANCE_FEN if traits.age >= age + 3), default=None)
    if band is not None:
        incomes.append(DemoIncome("old_age_allowance", OLD_AGE_ALLOWANCE_FEN[band]))
    employment = "employed" if works and amount_fen else "retired" if traits.age >= 60 else "unemployed" if works else "none"
    return replace(traits, employment=employment, incomes=tuple(incomes))


# compositions: adults 30–57, elders from 73, children 4–14


def _couple(rng: random.Random) -> list[_Role]:
    age = rng.randint(32, 55)
    return [_adult(rng, "head", "male", age), _adult(rng, "spouse", "female", age - rng.randint(0, 2))]


def _couple_with_children(rng: random.Random) -> list[_Role]:
    return [*_couple(rng), *(_child(rng) for _ in range(rng.choice((1, 1, 2))))]


def _single_parent(rng: random.Random) -> list[_Role]:
    gender: Gender = rng.choice(("male", "female"))
    return [_adult(rng, "head", gender, rng.randint(30, 45), "divorced"), *(_child(rng) for _ in range(rng.choice((1, 2))))]


def _elder_alone(rng: random.Random) -> list[_Role]:
    return [_elder(rng, "head", rng.choice(("male", "female")), "widowed")]


def _elder_couple(rng: random.Random) -> list[_Role]:
    return [_elder(rng, "head", "male", "married"), _elder(rng, "spouse", "female", "married")]


def _disabled_alone(rng: random.Random) -> list[_Role]:
    category = rng.choice(("physical", "vision", "intellectual", "mental"))
    traits = Traits(surname(rng), rng.choice(("male", "female")), rng.randint(30, 55), "unmarried")
    return [_Role("head", replace(traits, disability=(category, rng.choice((1, 2)))), works=False)]


def _couple_one_disabled(rng: random.Random) -> list[_Role]:
    head, spouse = _couple(rng)
    disability = (rng.choice(("physical", "hearing", "mental")), rng.choice((1, 2, 2)))
    return [head, _Role("spouse", replace(spouse.traits, disability=disability), works=False)]


def _ill_alone(rng: random.Random) -> list[_Role]:
    traits = Traits(surname(rng), rng.choice(("male", "female")), rng.randint(40, 57), "unmarried")
    return [_Role("head", replace(traits, serious_illness=True), works=False)]


def _three_generations(rng: random.Random) -> list[_Role]:
    return [*_couple_with_children(rng), _elder(rng, "parent", "female", "widowed")]


_COMPOSITIONS: Final = (
    _couple_with_children,
    _couple_with_children,
    _single_parent,
    _elder_alone,
    _elder_couple,
    _disabled_alone,
    _couple_one_disabled,
    _ill_alone,
    _three_generations,
)


def _adult(rng: random.Random, relation: str, gender: Gender, age: int, status: str = "married") -> _Role:
    return _Role(relation, Traits(surname(rng), gender, age, status), works=True)


def _elder(rng: random.Random, relation: str, gender: Gender, status: str) -> _Role:
    return _Role(relation, Traits(surname(rng), gender, rng.randint(73, 88), status), works=False)


def _child(rng: random.Random) -> _Role:
    age = rng.randint(4, 14)
    traits = Traits(surname(rng), rng.choice(("male", "female")), age, "unmarried")
    return _Role("child", replace(traits, study="preschool" if age < 6 else "compulsory"), works=False)
