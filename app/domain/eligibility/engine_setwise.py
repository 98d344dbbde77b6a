"""The second speed: whole populations at once, by twins that a property test holds equal to the pure functions, to the fen."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.eligibility.case_setwise import Answers, Cases, Rule
from app.domain.eligibility.columns_setwise import Population
from app.domain.eligibility.interplay import PRECEDENCE
from app.domain.eligibility.programmes import (
    dibao_edge_setwise,
    dibao_setwise,
    dibao_single_setwise,
    disability_care_setwise,
    disability_living_setwise,
    old_age_setwise,
)
from app.domain.eligibility.rules_setwise import Rules

TWINS: dict[str, Rule] = {
    "dibao": dibao_setwise.assess,
    "dibao_edge": dibao_edge_setwise.assess,
    "dibao_single": dibao_single_setwise.assess,
    "disability_living": disability_living_setwise.assess,
    "disability_care": disability_care_setwise.assess,
    "old_age": old_age_setwise.assess,
}
SETWISE_PROGRAMMES: tuple[str, ...] = tuple(code for code in PRECEDENCE if code in TWINS)


def assess_population(population: Population, rules: Rules, programmes: Sequence[str]) -> dict[str, Answers]:
    """What ``assess`` answers to the same question about each household, for programmes that have a twin.

    A programme of persons answers for the members it may mean only; where it means nobody of a household in particular, the
    pure function refuses each of them and the twin says nothing.

    Raises:
        NoPolicyInForce: a key that one of the programmes needs isn't in force (409).
        NotSetWise: a programme without a twin, or a rule in force that the twins can't carry (409).

    """
    cases = Cases(population, rules, frozenset(programmes), TWINS)
    found = {code: cases.answers_to(code) for code in programmes}
    return {code: answers for code, answers in found.items() if answers is not None}
