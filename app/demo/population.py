"""The synthetic population of the demo districts: the same people on every run, from seeded dice and no clock."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import Final

from app.demo.applications import Slot, application, slots
from app.demo.households import HouseholdMaker
from app.demo.model import DemoApplication, DemoAsset, DemoHousehold, DemoIncome, DemoPopulation
from app.demo.needy import needy_household
from app.demo.people import AGES_ON, Traits
from app.demo.residents import DEMO_DISTRICT, SECOND_DISTRICT, apportion, communities, resident_counts
from app.domain.areas import AreaRow

HOUSEHOLDS: Final = 7_000
SECOND_HOUSEHOLDS: Final = 50
TUTORIAL_AREA: Final = "350702001001"


def demo_population(as_of: date = AGES_ON) -> DemoPopulation:
    """7,000 households of 延平区, spread over its 317 communities by resident counts, some of them with applications.

    ``as_of`` is the day the applications are shown on: the open ones have been handed in in the weeks before it. The people
    don't depend on it. The tutorial's family isn't among them, and its numbers aren't used by anybody else.
    """
    maker = HouseholdMaker(DEMO_DISTRICT, random.Random("population of 350702"))
    _tutorial(maker)
    areas = {area.code: area for area in communities(DEMO_DISTRICT)}
    vacant = _vacancies(list(areas.values()), HOUSEHOLDS, maker.rng)
    applications = [_applied(maker, areas[_take(vacant, slot.area_code)], slot, as_of) for slot in slots()]
    households = [one.household for one in applications] + [maker.ordinary(areas[code]) for code in sorted(vacant)]
    in_order = sorted(households, key=lambda household: (household.area_code, household.number))
    return DemoPopulation(DEMO_DISTRICT, tuple(in_order), tuple(applications))


def _applied(maker: HouseholdMaker, area: AreaRow, slot: Slot, as_of: date) -> DemoApplication:
    return application(needy_household(maker, area, slot.case), slot.state, maker.rng, as_of)


def _take(vacant: list[str], area_code: str | None) -> str:
    """Takes one vacancy in the area, or the last of all, out of the list."""
    return vacant.pop(-1 if area_code is None else vacant.index(area_code))


def second_population() -> DemoPopulation:
    """50 ordinary households of 潜山市, so that walls between districts stand between real rows."""
    maker = HouseholdMaker(SECOND_DISTRICT, random.Random("population of 340882"))
    areas = {area.code: area for area in communities(SECOND_DISTRICT)}
    vacant = sorted(_vacancies(list(areas.values()), SECOND_HOUSEHOLDS, maker.rng))
    return DemoPopulation(SECOND_DISTRICT, tuple(maker.ordinary(areas[code]) for code in vacant))


def tutorial_household() -> DemoHousehold:
    """The family of the tutorial, not registered yet: three people with 900 yuan a month (worked example DB-01: 756.00)."""
    return _tutorial(HouseholdMaker(DEMO_DISTRICT, random.Random("population of 350702")))


def _tutorial(maker: HouseholdMaker) -> DemoHousehold:
    """A couple and their daughter at university: counted (57号 第七条), and none of the three has an uplift."""
    area = next(area for area in communities(DEMO_DISTRICT) if area.code == TUTORIAL_AREA)
    home, people = maker.home(area), maker.people
    head = Traits("陈", "male", 48, "married", employment="employed", incomes=(DemoIncome("wage", 60_000),))
    spouse = Traits("林", "female", 45, "married", employment="employed", incomes=(DemoIncome("wage", 30_000),))
    daughter = Traits("陈", "female", 21, "unmarried", employment="none", incomes=(), study="undergraduate")
    born = {
        "head": ("陈示平", head, date(1978, 3, 16)),
        "spouse": ("林例芳", spouse, date(1980, 9, 22)),
        "child": ("陈示雅", daughter, date(2005, 5, 10)),
    }
    members = [
        (relation, replace(people.person_born(home, traits, birth_date), name=name, ethnicity="汉族"))
        for relation, (name, traits, birth_date) in born.items()
    ]
    return maker.household(home, members, (DemoAsset("deposit", 2_000_000),))


def _vacancies(areas: list[AreaRow], households: int, rng: random.Random) -> list[str]:
    """One area code per household to be made, by resident counts, in random order."""
    counts = resident_counts(areas[0].code[:6])
    shares = apportion(households, [counts[area.code] for area in areas])
    vacant = [area.code for area, share in zip(areas, shares, strict=True) for _ in range(share)]
    rng.shuffle(vacant)
    return vacant
