"""政策找人 over the stored facts: in which households the rules say otherwise than what is drawn; in bounded memory.

Who strikes here is looked at one by one afterwards, for the reasons; so this may name too many households, never too few.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.population_runs import HOUSEHOLDS_AT_ONCE
from app.db.repositories import population as repository
from app.db.repositories.population import Loaded, Stretch
from app.domain.access import AreaScope
from app.domain.eligibility import NoPolicyInForce, ParameterBook, in_force
from app.domain.eligibility.answering_setwise import policy_area
from app.domain.eligibility.arithmetic_setwise import NotSetWise
from app.domain.eligibility.columns_setwise import Column
from app.domain.eligibility.differences_setwise import NOT_IN, drawn_side, side_of
from app.domain.eligibility.engine_setwise import assess_population
from app.domain.eligibility.rules_setwise import Rules
from app.domain.policy.discovery import PERSON_PROGRAMMES

LOOKED_FOR = (*PERSON_PROGRAMMES, "dibao")


@dataclass(frozen=True, slots=True)
class Searched:
    """How many households were looked at, and which of them strike."""

    households: int
    striking: list[UUID]


async def search_population(
    scope: AreaScope, session: AsyncSession, area_code: str, book: ParameterBook, on: date, *, now: datetime
) -> Searched:
    """Makes the facts of an area anew as they stand on a day, and compares every answer with what is drawn."""
    area = AreaScope(scope.district, area_code)
    households = await repository.refresh_population(area, session, on, now)
    striking: list[UUID] = []
    for stretch in await repository.list_stretches(area, session, area_code, HOUSEHOLDS_AT_ONCE):
        for nearest, part in parted(stretch, policy_area(book)):
            programmes = tuple(code for code in LOOKED_FOR if in_force(book, nearest, on, code))
            if programmes:
                loaded = await repository.read_stretch(area, session, part, programmes)
                striking += await asyncio.to_thread(_striking, loaded, book, nearest, on, programmes)
    return Searched(households, striking)


def parted(stretch: Stretch, nearest: Callable[[str], str]) -> Iterator[tuple[str, Stretch]]:
    """The stretch cut where the policy changes from one community to the next, with the area whose policy it is."""
    communities = zip(stretch.area_codes, stretch.households, strict=True)
    for area_code, some in groupby(communities, key=lambda one: nearest(one[0])):
        codes, households = zip(*some, strict=True)
        yield area_code, Stretch(tuple(codes), tuple(households))


def _striking(loaded: Loaded, book: ParameterBook, area_code: str, on: date, programmes: Sequence[str]) -> list[UUID]:
    """All of them where the twins can't tell."""
    found = np.zeros(loaded.population.households, dtype=np.bool_)
    try:
        rules = Rules(book, area_code, on)
        # A question names 低保 only where income and assets were declared; which they are the facts don't say any more.
        for named in {tuple(programmes), tuple(code for code in programmes if code != "dibao")} - {()}:
            found |= _differing(loaded, rules, named)
    except (NotSetWise, NoPolicyInForce):
        found[:] = True
    return [UUID(bytes=household.tobytes()) for household in loaded.household_ids[found]]


def _differing(loaded: Loaded, rules: Rules, programmes: Sequence[str]) -> Column:
    """The households in which somebody is in a programme on one side only."""
    population = loaded.population
    found: Column = np.zeros(population.households, dtype=np.bool_)
    for programme, answers in assess_population(population, rules, programmes).items():
        new, old = side_of(answers, population), drawn_side(programme, population, loaded.drawn)
        at = np.flatnonzero((new.fen == NOT_IN) != (old.fen == NOT_IN))
        found[population.owners(at) if new.per_member else at] = True
    return found


__all__ = ["Searched", "parted", "search_population"]
