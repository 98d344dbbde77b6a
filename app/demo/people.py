"""Making one person: age decides schooling, work, income and how likely an illness or a disability is."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from app.demo.identities import IdentityIssuer, certificate_number
from app.demo.model import DemoDisability, DemoIncome, DemoPerson, Residence
from app.demo.names import dotted_name, full_name
from app.domain.identity import Gender

T = TypeVar("T")

#: The day that all demo ages are meant on; the data themselves hold dates only.
AGES_ON: Final = date(2026, 7, 1)

_CATEGORIES: Final = ("physical", "hearing", "vision", "multiple", "mental", "intellectual", "speech")
_CATEGORY_WEIGHTS: Final = (29, 24, 15, 16, 7, 7, 2)
_GRADE_WEIGHTS: Final = (12, 22, 30, 36)
_ETHNICITIES: Final = ("汉族", "畲族", "回族", "维吾尔族")
_ETHNICITY_WEIGHTS: Final = (958, 32, 8, 2)


@dataclass(frozen=True, slots=True)
class Home:
    """What the members of one household have in common."""

    district: str
    area_code: str
    residence: Residence
    address: str


@dataclass(frozen=True, slots=True)
class Traits:
    """What is settled of a person beforehand; ``None`` leaves it to the dice.

    ``disability``: category and grade, or no disability. ``incomes`` settles the employment too.
    """

    family: str
    gender: Gender
    age: int
    marital_status: str
    employment: str | None = None
    incomes: tuple[DemoIncome, ...] | None = None
    disability: tuple[str, int] | None = None
    serious_illness: bool | None = None
    study: str | None = None


class PersonMaker:
    """Makes people with numbers from one issuer and dice from one seeded source."""

    def __init__(self, rng: random.Random, issuer: IdentityIssuer) -> None:
        self._rng = rng
        self._issuer = issuer

    def person(self, home: Home, traits: Traits) -> DemoPerson:
        """Somebody with these traits; every other one is thrown by age."""
        settled = traits.incomes is not None
        birth_date = self._issuer.birth_date(self._rng, traits.age, traits.gender, AGES_ON)
        return self.person_born(home, traits if settled else self._thrown(home, traits), birth_date)

    def person_born(self, home: Home, traits: Traits, birth_date: date) -> DemoPerson:
        """Somebody with exactly these traits, born on a given demo birth date."""
        ethnicity = _one_of(self._rng, _ETHNICITIES, _ETHNICITY_WEIGHTS)
        dotted = ethnicity == "维吾尔族"
        id_number = self._issuer.id_number(birth_date, traits.gender)
        return DemoPerson(
            name=dotted_name(self._rng, traits.gender) if dotted else full_name(self._rng, traits.family, traits.gender),
            id_number=id_number,
            birth_date=birth_date,
            gender=traits.gender,
            ethnicity=ethnicity,
            marital_status=traits.marital_status,
            residence=home.residence,
            hukou_area_code=home.area_code,
            area_code=home.area_code,
            address=home.address,
            phone=self._issuer.phone() if traits.age >= 16 else None,
            employment=traits.employment or "none",
            employable=is_employable(traits),
            study=traits.study,
            serious_illness=bool(traits.serious_illness),
            disability=self._certificate(id_number, traits.disability),
            incomes=traits.incomes or (),
        )

    def _certificate(self, id_number: str, disability: tuple[str, int] | None) -> DemoDisability | None:
        if disability is None:
            return None
        category, grade = disability
        needs_care = grade <= 2 and self._rng.random() < 0.8
        return DemoDisability(category, grade, needs_care, certificate_number(id_number, category, grade))

    def _thrown(self, home: Home, traits: Traits) -> Traits:
        rng, age = self._rng, traits.age
        disability = _throw_disability(rng, age)
        study = traits.study or throw_study(rng, age)
        severe = disability is not None and disability[1] <= 2
        employment, incomes = _throw_work(rng, age, home.residence, able=not severe and study is None)
        return Traits(
            family=traits.family,
            gender=traits.gender,
            age=age,
            marital_status=traits.marital_status,
            employment=employment,
            incomes=incomes,
            disability=disability,
            serious_illness=rng.random() < (0.03 if age >= 60 else 0.008),
            study=study,
        )


def is_employable(traits: Traits) -> bool:
    """Of working age, not at school, without a severe disability or a serious illness."""
    severe = traits.disability is not None and traits.disability[1] <= 2
    return 16 <= traits.age < 60 and traits.study is None and not severe and not traits.serious_illness


def throw_study(rng: random.Random, age: int) -> str | None:
    """The school somebody of that age goes to, if any."""
    if 6 <= age <= 14:
        return "compulsory"
    if 3 <= age <= 5:
        return "preschool"
    if 15 <= age <= 17:
        return _one_of(rng, ("senior_secondary", "vocational"), (7, 3))
    if 18 <= age <= 21:
        return _one_of(rng, ("undergraduate", "junior_college", None), (4, 3, 3))
    return None


def _throw_disability(rng: random.Random, age: int) -> tuple[str, int] | None:
    share = 0.015 if age < 18 else 0.045 if age < 60 else 0.11 if age < 75 else 0.19
    if rng.random() >= share:
        return None
    return _one_of(rng, _CATEGORIES, _CATEGORY_WEIGHTS), _one_of(rng, (1, 2, 3, 4), _GRADE_WEIGHTS)


def _throw_work(rng: random.Random, age: int, residence: Residence, *, able: bool) -> tuple[str, tuple[DemoIncome, ...]]:
    """Employment and monthly incomes."""
    if age >= 60:
        return _throw_old_age(rng, age, residence)
    if age < 16 or not able:
        return "none", ()
    kinds = ("employed", "self_employed", "farming", "unemployed", "none")
    employment = _one_of(rng, kinds, (72, 12, 0, 7, 9) if residence == "urban" else (40, 8, 38, 4, 10))
    low, high = (1800, 6500) if residence == "urban" else (900, 4500)
    kind = {"employed": "wage", "self_employed": "business_net", "farming": "business_net"}.get(employment)
    return employment, () if kind is None else (DemoIncome(kind, rng.randrange(low, high, 10) * 100),)


def _throw_old_age(rng: random.Random, age: int, residence: Residence) -> tuple[str, tuple[DemoIncome, ...]]:
    if residence == "rural" and age < 72 and rng.random() < 0.5:
        return "farming", (DemoIncome("business_net", rng.randrange(300, 1500, 10) * 100),)
    low, high = (1800, 4500) if residence == "urban" else (200, 900)
    return "retired", (DemoIncome("transfer_net", rng.randrange(low, high, 10) * 100),)


def _one_of(rng: random.Random, values: Sequence[T], weights: Sequence[int]) -> T:
    return rng.choices(values, weights)[0]
