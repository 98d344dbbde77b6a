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
    units = _whole(abs(amount.numerator), amount.denominator * rounding.unit_fen, rounding.mode) * rounding.unit_fen
    return units if amount.numerator >= 0 else -units


def _whole(numerator: int, denominator: int, mode: RoundingMode) -> int:
    """A quotient that isn't negative, settled to a whole number."""
    match mode:
        case RoundingMode.DOWN:
            return numerator // denominator
        case RoundingMode.UP:
            return -(-numerator // denominator)
        case RoundingMode.HALF_EVEN:
            return round(Fraction(numerator, denominator))
        case RoundingMode.HALF_UP:
            return (2 * numerator + denominator) // (2 * denominator)


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
    numerator, denominator = amount_fen.numerator, amount_fen.denominator
    if denominator == 1 and numerator >= 0:
        return f"{numerator // FEN_PER_YUAN}.{numerator % FEN_PER_YUAN:02d}"
    return _decimal_text(numerator, denominator * FEN_PER_YUAN, places)


def percent_text(ratio: Exact) -> str:
    """A ratio as a percentage: ``"20%"``, ``"12.5%"``."""
    return _decimal_text(ratio.numerator * 100, ratio.denominator, 4).rstrip("0").rstrip(".") + "%"


def decimal_text(value: Exact, places: int = 4) -> str:
    """A number as a decimal, truncated towards zero to ``places``, with at least two decimals."""
    return _decimal_text(value.numerator, value.denominator, places)


def _decimal_text(numerator: int, denominator: int, places: int) -> str:
    scale = 10**places
    scaled = abs(numerator) * scale // denominator
    whole, decimals = divmod(scaled, scale)
    digits = f"{decimals:0{places}d}".rstrip("0").ljust(2, "0")
    return f"{'-' if numerator < 0 and scaled else ''}{whole}.{digits}"
