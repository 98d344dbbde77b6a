"""A run over everybody: read a stretch, compute it, store what differs, next stretch; in one transaction, in bounded memory.

Reading the next stretch overlaps with computing the one before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories import population as repository
from app.db.repositories.population import Loaded, Stretch
from app.domain.access import AreaScope
from app.domain.eligibility import ENGINE_VERSION, ParameterBook
from app.domain.eligibility.differences_setwise import Differences, Totals, compare, drawn_side, side_of
from app.domain.eligibility.engine_setwise import assess_population
from app.domain.eligibility.parameters import area_chain
from app.domain.eligibility.rules_setwise import Rules
from app.ids import new_id

HOUSEHOLDS_AT_ONCE = 50_000
"""Some 130,000 people: about 60 MB while they are computed."""


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What to compute: ``book`` on the day ``on`` in ``area_code``, against ``baseline`` (None: against what is drawn).

    ``programmes`` are answered as if one request named them all; each must have a set-wise twin.
    """

    area_code: str
    book: ParameterBook
    on: date
    programmes: tuple[str, ...]
    requested_by: UUID
    baseline: ParameterBook | None = None


@dataclass(slots=True)
class _Progress:
    households: int = 0
    members: int = 0
    differences: int = 0
    totals: dict[str, Totals] = field(default_factory=dict)


Found = list[tuple[Differences, Totals]]


async def run_population(
    scope: AreaScope,
    session: AsyncSession,
    order: RunOrder,
    *,
    now: datetime,
    refresh: bool = True,
    stretch: int = HOUSEHOLDS_AT_ONCE,
) -> UUID:
    """Runs an order to its end and returns the run's id; nothing is left of a run that fails.

    ``refresh`` makes the facts anew first; without it the facts of the last refresh are used, on whatever day it was made.

    Raises:
        NoPolicyInForce: a key that a programme needs isn't in force (409).
        NotSetWise: a programme without a twin, or a local rule that can't be computed set-wise (409).

    """
    if refresh:
        await repository.refresh_population(scope, session, order.on, now)
    await repository.lock_population(scope, session)
    run_id = new_id()
    await repository.add_run(scope, session, _values(run_id, order, now))
    progress = await _compute(scope, session, run_id, order, stretch)
    totals = {programme: asdict(sums) for programme, sums in progress.totals.items()}
    done = {"households": progress.households, "members": progress.members, "differences": progress.differences}
    await repository.finish_run(scope, session, run_id, done | {"totals": totals, "finished_at": now})
    return run_id


def _values(run_id: UUID, order: RunOrder, now: datetime) -> dict[str, object]:
    baseline = order.baseline
    return {
        "id": run_id,
        "area_code": order.area_code,
        "business_date": order.on,
        "programmes": list(order.programmes),
        "baseline": "drawn" if baseline is None else "policy",
        "policy_version": order.book.version(order.area_code, order.on),
        "baseline_version": None if baseline is None else baseline.version(order.area_code, order.on),
        "engine_version": ENGINE_VERSION,
        "requested_by": order.requested_by,
        "started_at": now,
    }


async def _compute(scope: AreaScope, session: AsyncSession, run_id: UUID, order: RunOrder, size: int) -> _Progress:
    progress, calculator = _Progress(), Calculator(order)
    running: tuple[Loaded, asyncio.Task[Found]] | None = None
    try:
        for stretch in await repository.list_stretches(scope, session, order.area_code, size):
            for part in calculator.split(stretch):
                loaded = await repository.read_stretch(scope, session, part, order.programmes)
                if running is not None:
                    await _store(scope, session, run_id, progress, running[0], await running[1])
                running = loaded, asyncio.create_task(asyncio.to_thread(calculator.differences, part, loaded))
        if running is not None:
            await _store(scope, session, run_id, progress, running[0], await running[1])
    finally:
        if running is not None:
            running[1].cancel()
    return progress


async def _store(
    scope: AreaScope, session: AsyncSession, run_id: UUID, progress: _Progress, loaded: Loaded, found: Found
) -> None:
    differing = [one for one, _ in found]
    first = progress.differences + 1
    progress.differences += await repository.write_differences(scope, session, run_id, loaded, differing, first)
    progress.households += loaded.population.households
    progress.members += loaded.population.members
    for one, sums in found:
        progress.totals[one.programme] = progress.totals.get(one.programme, Totals()) + sums


class Calculator:
    """Knows which communities share one policy, and compiles each policy once."""

    def __init__(self, order: RunOrder) -> None:
        self._order = order
        self._with_own_rows = {row.area_code for book in self._books for row in book.rows}
        self._rules: dict[tuple[int, tuple[str, ...]], Rules] = {}

    @property
    def _books(self) -> Iterable[ParameterBook]:
        return (self._order.book,) if self._order.baseline is None else (self._order.book, self._order.baseline)

    def split(self, stretch: Stretch) -> Sequence[Stretch]:
        """The stretch cut where the policy changes from one community to the next."""
        parts: list[list[tuple[str, int]]] = []
        before: tuple[str, ...] | None = None
        for code, households in zip(stretch.area_codes, stretch.households, strict=True):
            if (policy := self._policy(code)) != before:
                parts.append([])
            parts[-1].append((code, households))
            before = policy
        return [Stretch(tuple(code for code, _ in part), tuple(size for _, size in part)) for part in parts]

    def differences(self, stretch: Stretch, loaded: Loaded) -> Found:
        """Both sides of one stretch under one policy. Pure; runs in a thread."""
        order, population = self._order, loaded.population
        area_code = stretch.area_codes[0]
        new = assess_population(population, self._compiled(order.book, area_code), order.programmes)
        if order.baseline is None:
            old = {code: drawn_side(code, population, loaded.drawn) for code in order.programmes}
        else:
            rules = self._compiled(order.baseline, area_code)
            former = assess_population(population, rules, order.programmes)
            old = {code: side_of(answers, population) for code, answers in former.items()}
        return [compare(code, old[code], side_of(new[code], population)) for code in order.programmes]

    def _policy(self, area_code: str) -> tuple[str, ...]:
        return tuple(area for area in area_chain(area_code) if area in self._with_own_rows)

    def _compiled(self, book: ParameterBook, area_code: str) -> Rules:
        key = id(book), self._policy(area_code)
        if key not in self._rules:
            self._rules[key] = Rules(book, area_code, self._order.on)
        return self._rules[key]


__all__ = ["HOUSEHOLDS_AT_ONCE", "RunOrder", "run_population"]
