"""What a population draws against what it would draw: only the differences, and the sums of both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.domain.eligibility.case_setwise import ELIGIBLE, INELIGIBLE, KEEPS, Answers
from app.domain.eligibility.columns_setwise import UNKNOWN, Column, Population, programme_code

NOT_IN = UNKNOWN
"""Stands for an amount of somebody who is not in the programme, and for an outcome that nobody has given."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side, for every household, or for every member where ``per_member``: amounts (``NOT_IN``) and outcomes."""

    fen: Column
    outcome: Column
    per_member: bool


@dataclass(frozen=True, slots=True)
class Differences:
    """Where two sides differ: positions in the population, amounts (``NOT_IN``) and places in ``OUTCOMES`` (``NOT_IN``)."""

    programme: str
    per_member: bool
    at: Column
    old_outcome: Column
    new_outcome: Column
    old_fen: Column
    new_fen: Column


@dataclass(frozen=True, slots=True)
class Totals:
    """Who is in the programme and what it costs a month, before and after; gains and losses among those who differ."""

    before: int = 0
    after: int = 0
    before_fen: int = 0
    after_fen: int = 0
    gaining: int = 0
    losing: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            self.before + other.before,
            self.after + other.after,
            self.before_fen + other.before_fen,
            self.after_fen + other.after_fen,
            self.gaining + other.gaining,
            self.losing + other.losing,
        )


def side_of(answers: Answers, population: Population) -> Side:
    """Answers as a side; members that a programme doesn't name are not in it."""
    if answers.members is None:
        return Side(np.where(KEEPS[answers.outcome], answers.monthly_fen, NOT_IN), answers.outcome, per_member=False)
    fen = np.full(population.members, NOT_IN, dtype=np.int64)
    outcome = np.full(population.members, INELIGIBLE, dtype=np.int8)
    fen[answers.members] = np.where(KEEPS[answers.outcome], answers.monthly_fen, NOT_IN)
    outcome[answers.members] = answers.outcome
    return Side(fen, outcome, per_member=True)


def drawn_side(programme: str, population: Population, drawn: Mapping[str, Column]) -> Side:
    """What is drawn now; ``drawn`` holds the amounts of programmes of persons by member."""
    if programme in drawn:
        fen, per_member = drawn[programme], True
    else:
        current = population.current_programme == programme_code(programme)
        fen, per_member = np.where(current, np.maximum(population.current_fen, 0), NOT_IN), False
    return Side(fen, np.where(fen == NOT_IN, NOT_IN, ELIGIBLE).astype(np.int8), per_member)


def compare(programme: str, old: Side, new: Side) -> tuple[Differences, Totals]:
    """The differences of one programme, and the totals of both sides."""
    at = np.flatnonzero(old.fen != new.fen)
    old_fen, new_fen = old.fen[at], new.fen[at]
    more = np.maximum(new_fen, 0) - np.maximum(old_fen, 0)
    enters, leaves = (old_fen == NOT_IN) & (new_fen != NOT_IN), (new_fen == NOT_IN) & (old_fen != NOT_IN)
    totals = Totals(
        before=int(np.count_nonzero(old.fen != NOT_IN)),
        after=int(np.count_nonzero(new.fen != NOT_IN)),
        before_fen=int(np.maximum(old.fen, 0).sum()),
        after_fen=int(np.maximum(new.fen, 0).sum()),
        gaining=int(np.count_nonzero((more > 0) | (enters & (more == 0)))),
        losing=int(np.count_nonzero((more < 0) | (leaves & (more == 0)))),
    )
    return Differences(programme, new.per_member, at, old.outcome[at], new.outcome[at], old_fen, new_fen), totals
