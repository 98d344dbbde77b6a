"""Exact arithmetic on columns of whole numbers: groups, rounding, comparison with a fraction. Nothing here knows the law."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from app.domain.eligibility.columns_setwise import Column
from app.domain.errors import Conflict
from app.domain.money import Rounding, RoundingMode

SAFE = 1 << 62
MANY_MEMBERS = 1 << 10


class NotSetWise(Conflict):
    """A rule in force, or an amount, that the set-wise twins can't carry; the pure functions can (409 ``not_set_wise``)."""

    def __init__(self, what: str) -> None:
        super().__init__("not_set_wise", f"{what}不能批量测算，请逐户测算，或停用该参数后重新模拟。", members={"what": what})


def summed(values: Column, starts: Column) -> Column:
    """The sum of each group. int64; no group is empty."""
    return np.add.reduceat(values, starts, dtype=np.int64)


def below(scaled: Column, heads: Column, line: Column, denominator: int) -> Column:
    """``scaled / heads < line / denominator``, exactly: no division loses anything and no product overflows.

    ``line`` is the numerator for each row, checked by ``checked_line``; ``heads`` is at least 1.
    """
    limit = line * heads
    return scaled < (limit if denominator == 1 else (limit + (denominator - 1)) // denominator)


def checked_line(line: Fraction, scale: int, denominator: int) -> int:
    """The numerator of ``line * scale`` over ``denominator``.

    Raises:
        NotSetWise: times the members of a household it might not fit in 64 bits.

    """
    numerator = line * scale * denominator
    if numerator.denominator != 1:
        raise ValueError("not a multiple of the denominator")
    if numerator.numerator * MANY_MEMBERS >= SAFE:
        raise NotSetWise("金额或比例过大的参数")
    return numerator.numerator


def rounded(scaled: Column, scale: int, rounding: Rounding) -> Column:
    """``scaled / scale`` fen rounded to whole units, for amounts that aren't negative: what ``money.round_fen`` gives."""
    step = scale * rounding.unit_fen
    if step == 1:
        return scaled
    units, rest = np.divmod(scaled, step)
    match rounding.mode:
        case RoundingMode.UP:
            units += rest > 0
        case RoundingMode.HALF_UP:
            units += rest >= step - rest
        case RoundingMode.HALF_EVEN:
            units += (rest > step - rest) | ((rest == step - rest) & (units % 2 == 1))
        case RoundingMode.DOWN:
            pass
    return units * rounding.unit_fen
