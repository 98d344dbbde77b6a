"""What a measure reads from the facts: a value, a value known within bounds, or what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from app.domain.stations.model import Undecided

HUNDRED = 100


@dataclass(frozen=True, slots=True)
class Reading:
    """A number lies between ``low`` and ``high`` (equal when it is known); a flag, a kind or codes stand in their own field.

    ``missing`` points at facts of the sheet that aren't known; ``reason`` says why nothing can be read at all; ``note`` which
    of two facts was read.
    """

    low: Fraction | None = None
    high: Fraction | None = None
    flag: bool | None = None
    kind: str | None = None
    codes: frozenset[str] | None = None
    missing: tuple[str, ...] = ()
    reason: Undecided | None = None
    note: str | None = None

    @property
    def shown(self) -> str | None:
        """The reading as text; None when there is none."""
        if self.flag is not None:
            return shown_flag(self.flag)
        if self.low is None or self.high is None:
            return self.kind
        return shown_number(self.low) if self.low == self.high else f"{shown_number(self.low)}-{shown_number(self.high)}"


def pointer(path: str) -> str:
    """``premises.area_m2`` as it stands in the request."""
    return "/facts/" + path.replace(".", "/")


def unknown(*paths: str) -> Reading:
    return Reading(missing=tuple(pointer(path) for path in paths), reason=Undecided.FACT_MISSING)


def number(value: Decimal | Fraction | int) -> Reading:
    exact = Fraction(value)
    return Reading(low=exact, high=exact)


def between(certain: int, open_places: Iterable[str]) -> Reading:
    """A count of which the facts at ``open_places`` may add one each."""
    places = tuple(pointer(path) for path in open_places)
    reason = Undecided.FACT_MISSING if places else None
    return Reading(low=Fraction(certain), high=Fraction(certain + len(places)), missing=places, reason=reason)


def shown_number(value: Fraction) -> str:
    """Whole numbers as they are, others truncated to two places."""
    if value.denominator == 1:
        return str(value.numerator)
    hundredths = value.numerator * HUNDRED // value.denominator
    return f"{hundredths // HUNDRED}.{hundredths % HUNDRED:02d}"


def shown_flag(value: bool) -> str:
    return "是" if value else "否"
