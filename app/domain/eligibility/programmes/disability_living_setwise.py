"""困难残疾人生活补贴, many people at once: the set-wise twin of ``disability_living``."""

from __future__ import annotations

import numpy as np

from app.domain.eligibility.case_setwise import ELIGIBLE, Answers, Cases, Part, Standing
from app.domain.eligibility.columns_setwise import UNKNOWN, Column
from app.domain.eligibility.facts import Context, Holding

CODE = "disability_living"


def assess(cases: Cases) -> Answers:
    """One answer per holder of a certificate."""
    members = holders(cases)
    amount = cases.rules.amounts_by_disability(CODE, Context(holds=(Holding("probe", "dibao"),)))[cases.disability(members)]
    standing = Standing(cases.members_excluded(CODE, members), np.zeros(len(members), dtype=np.bool_))
    yes, unknown = cases.passport(CODE, members)
    standing.require(yes, ~unknown)
    standing.require(amount != UNKNOWN)
    return granted(CODE, members, standing, amount)


def holders(cases: Cases) -> Column:
    return np.flatnonzero(cases.population.disability_category != 0)


def granted(programme: str, members: Column, standing: Standing, amount: Column) -> Answers:
    """Answers that pay the standard where every condition is met."""
    outcome = standing.outcome()
    paid = np.where(outcome == ELIGIBLE, amount, 0)
    places = np.flatnonzero(outcome == ELIGIBLE)
    part = Part("standard", members[places], paid[places], per_member=True)
    return Answers(programme, outcome, paid, (part,), members)
