"""Money: integer fen outside, exact fractions while computing, one place that rounds.

A rule compares exact values ("低于" is ``<`` on fractions) and rounds once, at the end, by the rounding that the locality's
dated parameter names. No float ever takes part.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor

FEN_PER_YUAN = 100

Exact = Fraction | int
"""An exact amount or ratio: amounts are in fen."""


class RoundingMode(StrEnum):
    """How an amount between two units is settled."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Rounding:
    """A locality's rounding of benefits: to whole multiples of ``unit_fen``."""

    unit_fen: int
    mode: RoundingMode


TO_THE_FEN = Rounding(1, RoundingMode.HALF_UP)


def round_fen(amount: Exact, rounding: Rounding = TO_THE_FEN) -> int:
    """Round an exact amount in fen to whole units; ties of ``half_up`` go away from zero."""
    if amount.denominator == 1 and rounding.unit_fen == 1:
        return int(amount)
    units = Fraction(amount) / rounding.unit_fen
    return _whole(units, rounding.mode) * rounding.unit_fen


def _whole(units: Fraction, mode: RoundingMode) -> int:
    if units < 0:
        return -_whole(-units, mode)
    match mode:
        case RoundingMode.DOWN:
            return floor(units)
        case RoundingMode.UP:
            return ceil(units)
        case RoundingMode.HALF_EVEN:
            return round(units)
        case RoundingMode.HALF_UP:
            return (2 * units.numerator + units.denominator) // (2 * units.denominator)


def exact(value: str | int | Decimal) -> Fraction:
    """The exact value of a decimal written as text or integer. A float is refused: it has already lost the value.

    Raises:
        TypeError: for floats and booleans.
        ValueError: for text that is no decimal number.

    """
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise TypeError(f"not an exact number: {value!r}")
    return _exact_text(value) if isinstance(value, str) else Fraction(value)


@lru_cache(maxsize=1024)
def _exact_text(value: str) -> Fraction:
    """The rates of a policy are read over and over."""
    return Fraction(value)


def yuan_text(amount_fen: Exact, places: int = 4) -> str:
    """An amount as decimal yuan, truncated (never rounded), with at least two decimals: ``"551.9966"``, ``"300.00"``."""
    if amount_fen.denominator == 1:
        yuan, rest = divmod(abs(int(amount_fen)), FEN_PER_YUAN)
        return f"{'-' if amount_fen < 0 else ''}{yuan}.{rest:02d}"
    return decimal_text(Fraction(amount_fen) / FEN_PER_YUAN, places)


def percent_text(ratio: Exact) -> str:
    """A ratio as a percentage: ``"20%"``, ``"12.5%"``."""
    return decimal_text(Fraction(ratio) * 100).rstrip("0").rstrip(".") + "%"


def decimal_text(value: Exact, places: int = 4) -> str:
    """A number as a decimal, truncated towards zero to ``places``, with at least two decimals."""
    fraction = Fraction(value)
    scaled = floor(abs(fraction) * 10**places)
    whole, decimals = divmod(scaled, 10**places)
    digits = str(decimals).rjust(places, "0").rstrip("0").ljust(2, "0")
    return f"{'-' if fraction < 0 and scaled else ''}{whole}.{digits}"
