"""Making households of ordinary compositions: singles, couples, families with children, three generations."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from app.demo.identities import IdentityIssuer
from app.demo.model import DemoAsset, DemoBankAccount, DemoHousehold, DemoMember, DemoPerson, Residence
from app.demo.names import surname
from app.demo.people import Home, PersonMaker, Traits
from app.demo.residents import is_village
from app.domain.areas import AreaRow
from app.domain.identity import Gender

BANKS: Final = ("示例农商银行", "示例邮储银行")
_OTHER: Final[dict[Gender, Gender]] = {"male": "female", "female": "male"}

Relative = tuple[str, Traits]


class HouseholdMaker:
    """Makes the households of one district, one after the other."""

    def __init__(self, district: str, rng: random.Random) -> None:
        self.district = district
        self.rng = rng
        self.issuer = IdentityIssuer(district)
        self.people = PersonMaker(rng, self.issuer)
        self._count = 0

    def home(self, area: AreaRow) -> Home:
        """A made-up address in a community."""
        self._count += 1
        place = area.name.removesuffix("居委会").removesuffix("村委会")
        street = "示例组" if is_village(area) else "示例路"
        residence: Residence = "rural" if is_village(area) else "urban"
        return Home(self.district, area.code, residence, f"{place}{street}{self._count}号")

    def ordinary(self, area: AreaRow) -> DemoHousehold:
        """A household of any composition, with incomes and assets as they come."""
        home = self.home(area)
        relatives = compose(self.rng)
        members = [(relation, self.people.person(home, traits)) for relation, traits in relatives]
        deposit_fen = self.rng.randrange(1, 300) * 100_000
        return self.household(home, members, (DemoAsset("deposit", deposit_fen),))

    def household(self, home: Home, members: list[tuple[str, DemoPerson]], assets: tuple[DemoAsset, ...]) -> DemoHousehold:
        """These people as one household, the first of them its head; numbered as the home is."""
        registered_on = date(2023, 1, 1) + timedelta(days=self.rng.randrange(365))
        head = members[0][1]
        joined = [DemoMember(person, relation, max(registered_on, person.birth_date)) for relation, person in members]
        return DemoHousehold(
            number=f"DEMO-{self.district}-{self._count:05d}",
            district=self.district,
            area_code=home.area_code,
            residence=home.residence,
            address=home.address,
            registered_on=registered_on,
            members=tuple(joined),
            assets=assets,
            account=DemoBankAccount(self.rng.choice(BANKS), self.issuer.card(), head.name),
        )


def compose(rng: random.Random) -> list[Relative]:
    """Relation and settled traits of each member, the head first."""
    composition = rng.choices(list(_SHARES), list(_SHARES.values()))[0]
    return composition(rng, surname(rng))


def _single_adult(rng: random.Random, family: str) -> list[Relative]:
    return [("head", Traits(family, _gender(rng), rng.randint(23, 59), rng.choice(("unmarried", "divorced"))))]


def _single_elder(rng: random.Random, family: str) -> list[Relative]:
    return [("head", Traits(family, _gender(rng), _elder_age(rng), rng.choice(("widowed", "widowed", "unmarried"))))]


def _adult_couple(rng: random.Random, family: str) -> list[Relative]:
    return _couple(rng, family, rng.randint(25, 59))


def _elder_couple(rng: random.Random, family: str) -> list[Relative]:
    return _couple(rng, family, _elder_age(rng))


def _one_child(rng: random.Random, family: str) -> list[Relative]:
    return _with_children(rng, family, 1)


def _two_children(rng: random.Random, family: str) -> list[Relative]:
    return _with_children(rng, family, 2)


def _grandparents_and_grandchild(rng: random.Random, family: str) -> list[Relative]:
    grandchild = Traits(family, _gender(rng), rng.randint(3, 17), "unmarried")
    return [*_couple(rng, family, rng.randint(58, 74)), ("grandchild", grandchild)]


def _couple(rng: random.Random, family: str, age: int) -> list[Relative]:
    head: Gender = "male" if rng.random() < 0.8 else "female"
    partner_age = max(22, age + rng.randint(-4, 3))
    spouse = Traits(surname(rng), _OTHER[head], partner_age, "married")
    return [("head", Traits(family, head, age, "married")), ("spouse", spouse)]


def _with_children(rng: random.Random, family: str, children: int) -> list[Relative]:
    """A couple with children of 0 to 24 years who live with them."""
    ages = sorted((rng.randint(0, 24) for _ in range(children)), reverse=True)
    couple = _couple(rng, family, ages[0] + rng.randint(24, 33))
    return [*couple, *(("child", Traits(family, _gender(rng), age, "unmarried")) for age in ages)]


def _single_parent(rng: random.Random, family: str) -> list[Relative]:
    age = rng.randint(1, 17)
    head = Traits(family, _gender(rng), age + rng.randint(22, 34), rng.choice(("divorced", "widowed")))
    return [("head", head), ("child", Traits(family, _gender(rng), age, "unmarried"))]


def _three_generations(rng: random.Random, family: str) -> list[Relative]:
    younger = _with_children(rng, family, rng.choice((1, 1, 2)))
    age = min(96, younger[0][1].age + rng.randint(22, 30))
    if rng.random() < 0.45:
        return [*younger, ("parent", Traits(family, _gender(rng), age, "widowed"))]
    father, mother = _couple(rng, family, age)
    return [*younger, ("parent", father[1]), ("parent", mother[1])]


#: Composition → its share of households (per cent).
_SHARES: Final[dict[Callable[[random.Random, str], list[Relative]], int]] = {
    _single_adult: 8,
    _single_elder: 9,
    _adult_couple: 10,
    _elder_couple: 10,
    _one_child: 24,
    _two_children: 16,
    _single_parent: 4,
    _three_generations: 14,
    _grandparents_and_grandchild: 5,
}


def _elder_age(rng: random.Random) -> int:
    """60 to 101, the older the rarer."""
    return min(rng.randint(60, 92), rng.randint(60, 101))


def _gender(rng: random.Random) -> Gender:
    return "male" if rng.random() < 0.51 else "female"
