"""ID numbers, phones and bank cards that pass every check of form and belong to nobody.

How each is kept apart from real ones is told in docs/demo-data.md:

- ID numbers: sequence 990–995 (numbers are given out from the low end; 996–999 marked births before 1900 in 15-digit ones),
  births on ten days of the month only.
- Phones begin with 169000, a block of mobile numbers that, as far as we know, no operator has been given.
- Bank cards begin with 700000: the leading 7 isn't a bank's in ISO/IEC 7812, and UnionPay's begin with 62.
"""

from __future__ import annotations

import random
from datetime import date
from typing import Final

from app.domain.identity import DISABILITY_CATEGORIES, Gender, IdentityFault, checksum_character, parse_id_number, passes_luhn

SEQUENCES: Final[dict[Gender, tuple[int, ...]]] = {"male": (991, 993, 995), "female": (990, 992, 994)}
BIRTH_DAYS: Final = (1, 4, 7, 10, 13, 16, 19, 22, 25, 28)
DEMO_ADDRESS_CODES: Final = ("350702", "340882")
PHONE_PREFIX: Final = "169000"
CARD_PREFIX: Final = "700000"

_CATEGORY_DIGITS: Final = {category: digit for digit, category in DISABILITY_CATEGORIES.items()}


def is_demo_id_number(value: str) -> bool:
    """Whether an ID number is one that the demo data may hold."""
    try:
        number = parse_id_number(value)
    except IdentityFault:
        return False
    return (
        number.value[:6] in DEMO_ADDRESS_CODES
        and int(number.value[14:17]) in SEQUENCES[number.gender]
        and number.birth_date.day in BIRTH_DAYS
    )


def certificate_number(id_number: str, category: str, grade: int) -> str:
    """残疾人证号: the ID number, the digit of the category, the grade (GB/T 26341)."""
    return f"{id_number}{_CATEGORY_DIGITS[category]}{grade}"


class IdentityIssuer:
    """Gives out the synthetic numbers of one district, each once, in the same order on every run."""

    def __init__(self, district: str) -> None:
        self._district = district
        self._used: dict[tuple[date, Gender], int] = {}
        self._phones = 10_000 + 50_000 * DEMO_ADDRESS_CODES.index(district)
        self._cards = 0

    def id_number(self, birth_date: date, gender: Gender) -> str:
        """The next free number of that birth date. ``ValueError`` when none is left, or on a day that isn't a demo birth date."""
        if not self.has_free(birth_date, gender):
            raise ValueError(f"no demo ID number is free for {birth_date} {gender}")
        place = self._used.get((birth_date, gender), 0)
        self._used[birth_date, gender] = place + 1
        digits = f"{self._district}{birth_date:%Y%m%d}{SEQUENCES[gender][place]}"
        return digits + checksum_character(digits)

    def has_free(self, birth_date: date, gender: Gender) -> bool:
        return birth_date.day in BIRTH_DAYS and self._used.get((birth_date, gender), 0) < len(SEQUENCES[gender])

    def birth_date(self, rng: random.Random, age: int, gender: Gender, on: date) -> date:
        """A demo birth date with a free number for somebody who is ``age`` years old on ``on``."""
        for _ in range(1000):
            birth_date = _random_birth_date(rng, age, on)
            if self.has_free(birth_date, gender):
                return birth_date
        raise ValueError(f"no demo ID number is free for the age of {age}")

    def phone(self) -> str:
        self._phones += 1
        return f"{PHONE_PREFIX}{self._phones:05d}"

    def card(self) -> str:
        """The next card number: 19 digits, the last by Luhn."""
        self._cards += 1
        digits = f"{CARD_PREFIX}{self._district}{self._cards:06d}"
        return next(card for last in "0123456789" if passes_luhn(card := digits + last))


def _random_birth_date(rng: random.Random, age: int, on: date) -> date:
    """A demo birth date within the twelve months that make somebody exactly ``age`` on ``on``."""
    months_back = rng.randrange(12)
    year, month = divmod((on.year - age) * 12 + on.month - 1 - months_back, 12)
    days = BIRTH_DAYS if months_back else [day for day in BIRTH_DAYS if day <= on.day]
    return date(year, month + 1, rng.choice(days))
