"""Many questions of one programme each: by its twin where there is one and it can carry them, else by the pure function.

Both give the same outcome, amount and components, to the fen; neither reasons nor steps are told here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

import numpy as np

from app.domain.eligibility.answering import Answered, Asked, Found, answer_one
from app.domain.eligibility.arithmetic_setwise import NotSetWise
from app.domain.eligibility.case_setwise import OUTCOMES, Answers
from app.domain.eligibility.columns_setwise import Population, population_of
from app.domain.eligibility.engine_setwise import TWINS, assess_population
from app.domain.eligibility.facts import AssessmentQuestion
from app.domain.eligibility.model import Component, Outcome
from app.domain.eligibility.parameters import NATIONAL_ROOT, NoPolicyInForce, ParameterBook, area_chain
from app.domain.eligibility.programmes import NATIONAL_CATALOGUE
from app.domain.eligibility.rules_setwise import Rules
from app.domain.eligibility.validation import check_question
from app.domain.errors import DomainError

WORTH_COMPILING = 24
"""Households from which on compiling a policy takes less time than asking the pure functions about each of them."""


def answer_all(asked: Sequence[Asked], book: ParameterBook, *, worth_compiling: int = WORTH_COMPILING) -> Found:
    """An answer to each, in order; None where there is none: facts that contradict themselves, no parameters, no such row."""
    found: Found = [None] * len(asked)
    for places in _alike(asked, book):
        group = [asked[place] for place in places]
        together = len(group) >= worth_compiling and carried(group[0].question)
        answers = _by_twin(group, book) if together else None
        for place, answered in zip(places, answers or [answer_one(one, book) for one in group], strict=True):
            found[place] = answered
    return found


def policy_area(book: ParameterBook) -> Callable[[str], str]:
    """Tells the nearest area with values of its own: those with the same one share one policy."""
    with_rows = frozenset(row.area_code for row in book.rows)
    return cache(lambda area_code: next((area for area in area_chain(area_code) if area in with_rows), NATIONAL_ROOT))


def carried(question: AssessmentQuestion) -> bool:
    """Whether the columns can carry it."""
    return not question.context.overrides and set(question.programmes or ()) <= TWINS.keys()


def acceptable(question: AssessmentQuestion) -> bool:
    """Whether the door lets it in."""
    try:
        check_question(question, NATIONAL_CATALOGUE)
    except DomainError:
        return False
    return True


def _alike(asked: Sequence[Asked], book: ParameterBook) -> Iterable[list[int]]:
    """Places of those that can be computed together; each that no twin can carry by itself."""
    policy = policy_area(book)
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, one in enumerate(asked):
        question = one.question
        key: tuple[object, ...] = (place,)
        if carried(question):
            key = policy(question.area_code), question.business_date, question.programmes
        groups.setdefault(key, []).append(place)
    return groups.values()


# --- together -------------------------------------------------------------------------------------------------------------------


def _by_twin(group: Sequence[Asked], book: ParameterBook) -> Found | None:
    """None: not together after all."""
    clean = [place for place, one in enumerate(group) if acceptable(one.question)]
    found: Found = [None] * len(group)
    if not clean:
        return found
    first = group[clean[0]]
    population = population_of(group[place].question for place in clean)
    try:
        rules = Rules(book, first.question.area_code, first.question.business_date)
        answers = assess_population(population, rules, (first.programme,))
    except (NotSetWise, NoPolicyInForce):
        return None
    told = _Told(population, answers[first.programme])
    for household, place in enumerate(clean):
        found[place] = told.to(household, group[place])
    return found


class _Told:
    """A twin's answers, looked up by household and member."""

    def __init__(self, population: Population, answers: Answers) -> None:
        self._starts, self._answers = population.starts, answers
        members = np.zeros(0, dtype=np.int64) if answers.members is None else answers.members
        self._row_of = {member: row for row, member in enumerate(members.tolist())}
        self._with_rows = frozenset(population.owners(members).tolist())
        self._parts: dict[int, list[tuple[str, int | None, int]]] = {}
        for part in answers.parts:
            by_household = part.per_member and answers.members is None
            owners = population.owners(part.at) if by_household else part.at
            for owner, at, amount in zip(owners.tolist(), part.at.tolist(), part.amount_fen.tolist(), strict=True):
                self._parts.setdefault(owner, []).append((part.kind, at if part.per_member else None, amount))

    def to(self, household: int, asked: Asked) -> Answered | None:
        """What the pure function's row says; it refuses every member where it means nobody of a household in particular."""
        refs = sorted(member.ref for member in asked.question.household.members)
        if asked.member is None or self._answers.members is None:
            named = asked.member is None and self._answers.members is None
            return self._row(household, household, household, refs) if named else None
        if asked.member not in refs:
            return None
        member = int(self._starts[household]) + refs.index(asked.member)
        if member in self._row_of:
            return self._row(self._row_of[member], member, household, refs)
        return None if household in self._with_rows else Answered(Outcome.INELIGIBLE, 0, ())

    def _row(self, row: int, owner: int, household: int, refs: Sequence[str]) -> Answered:
        outcome = OUTCOMES[int(self._answers.outcome[row])]
        if not outcome.grants:
            return Answered(outcome, 0, ())
        first = int(self._starts[household])
        components = tuple(
            Component(kind, amount, None if at is None else refs[at - first]) for kind, at, amount in self._parts.get(owner, ())
        )
        return Answered(outcome, int(self._answers.monthly_fen[row]), components)
