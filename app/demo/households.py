"""Making households of ordinary compositions: singles, couples, families with children, three generations."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Final

from app.demo.identities import IdentityIssuer
from app.demo.model import DemoAccount, DemoAsset, DemoHousehold, DemoMember, DemoPerson, Residence
from app.demo.names import surname
from app.demo.people import Home, PersonMaker, Traits
from app.demo.residents import is_village
from app.domain.areas import AreaRow
from app.domain.identity import Gender

BANKS: Final = ("示例农商银行", "示例邮储银行")
_OTHER: Final[dict[Gender, Gender]] = {"male": "female", "female": "male"}

#: Composition → its share of households (per cent).
_SHARES: Final = {
    "single_adult": 8,
    "single_elder": 9,
    "couple": 10,
    "elder_couple": 10,
    "couple_one_child": 24,
    "couple_two_children": 16,
    "single_parent": 4,
    "three_generations": 14,
    "grandparents_and_grandchild": 5,
}

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
        relatives = compose(self.rng, self.rng.choices(list(_SHARES), list(_SHARES.values()))[0])
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
            account=DemoAccount(self.rng.choice(BANKS), self.issuer.card(), head.name),
        )


def compose(rng: random.Random, composition: str) -> list[Relative]:
    """Relation and settled traits of each member, the head first."""
    family = surname(rng)
    match composition:
        case "single_adult":
            return [("head", Traits(family, _gender(rng), rng.randint(23, 59), rng.choice(("unmarried", "divorced"))))]
        case "single_elder":
            return [("head", Traits(family, _gender(rng), _elder_age(rng), rng.choice(("widowed", "widowed", "unmarried"))))]
        case "couple":
            return _couple(rng, family, rng.randint(25, 59))
        case "elder_couple":
            return _couple(rng, family, _elder_age(rng))
        case "couple_one_child":
            return _with_children(rng, family, 1)
        case "couple_two_children":
            return _with_children(rng, family, 2)
        case "single_parent":
            return _single_parent(rng, family)
        case "three_generations":
            return _three_generations(rng, family)
        case "grandparents_and_grandchild":
            grandparents = _couple(rng, family, rng.randint(58, 74))
            return [*grandparents, ("grandchild", Traits(family, _gender(rng), rng.randint(3, 17), "unmarried"))]
        case _:
            raise ValueError(f"no such composition: {composition}")


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


def _elder_age(rng: random.Random) -> int:
    """60 to 101, the older the rarer."""
    return min(rng.randint(60, 92), rng.randint(60, 101))


def _gender(rng: random.Random) -> Gender:
    return "male" if rng.random() < 0.51 else "female"
