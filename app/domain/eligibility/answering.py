"""Many questions of one programme each, and what is told about each: outcome, amount, components; no reasons and no steps.

``answer_each`` asks the pure functions. ``answering_setwise.answer_all`` says the same about thousands in a fraction of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from app.domain.eligibility.engine import assess
from app.domain.eligibility.facts import AssessmentQuestion, Household, Member, Relation, Residence
from app.domain.eligibility.model import Component, Outcome
from app.domain.eligibility.parameters import NoPolicyInForce, ParameterBook
from app.domain.errors import DomainError


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that names one programme; the household's answer, or that of one ``member``."""

    question: AssessmentQuestion
    member: str | None = None

    @property
    def programme(self) -> str:
        (programme,) = self.question.programmes or ()
        return programme


@dataclass(frozen=True, slots=True)
class Answered:
    """``monthly_fen`` is 0 where nothing is granted."""

    outcome: Outcome
    monthly_fen: int
    components: tuple[Component, ...]


Found = list[Answered | None]
Answering = Callable[[Sequence[Asked], ParameterBook], Found]
"""An answer to each, in order; None where there is none: facts that contradict themselves, no parameters, no such row."""


def answer_one(asked: Asked, book: ParameterBook) -> Answered | None:
    try:
        result = assess(asked.question, book).of(asked.programme, asked.member)
    except (DomainError, KeyError):
        return None
    granted = result.outcome.grants
    return Answered(result.outcome, (result.monthly_fen or 0) if granted else 0, result.components if granted else ())


def answer_each(asked: Sequence[Asked], book: ParameterBook) -> Found:
    return [answer_one(one, book) for one in asked]


def in_force(book: ParameterBook, area_code: str, on: date, programme: str) -> bool:
    """Whether a programme can be assessed at all in an area on a day (its keys are asked for whatever the facts)."""
    household = Household((Member("probe", Relation.HEAD, on),), assets=(), expenses=(), authorised_verification=True)
    try:
        assess(AssessmentQuestion(on, area_code, Residence.URBAN, household, (programme,)), book)
    except NoPolicyInForce:
        return False
    return True
