"""高龄津贴, many people at once: the set-wise twin of ``old_age``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.domain.eligibility.case_setwise import ELIGIBLE, SUSPENDED, Answers, Cases, Standing
from app.domain.eligibility.columns_setwise import UNKNOWN, Column
from app.domain.eligibility.periods import add_months
from app.domain.eligibility.programmes.disability_living_setwise import granted
from app.domain.eligibility.programmes.old_age import LIKELY_AGE

CODE = "old_age"


def assess(cases: Cases) -> Answers:
    """One answer per elderly member; not confirmed in time pauses the allowance, it doesn't refuse it."""
    facts = cases.population
    members = np.flatnonzero(facts.birth <= cases.rules.born_until(LIKELY_AGE))
    amount, reached = _amount_of_age(cases, facts.birth[members])
    standing = Standing(cases.members_excluded(CODE, members), np.zeros(len(members), dtype=np.bool_))
    local = facts.hukou_local[members]
    standing.require(local == 1, local != UNKNOWN)
    standing.require(reached)
    answers = granted(CODE, members, standing, amount)
    return _paused(cases, answers, members)


def _amount_of_age(cases: Cases, births: Column) -> tuple[Column, Column]:
    """The amount of the band that each birth has reached, and whether it has reached any."""
    bands: Mapping[str, int] = cases.rules.policy.mapping("old_age.month")
    amount = np.zeros(len(births), dtype=np.int64)
    reached = np.zeros(len(births), dtype=np.bool_)
    for band in sorted(bands, key=int):
        in_band = births <= cases.rules.born_until(int(band))
        amount[in_band] = int(bands[band])
        reached |= in_band
    return amount, reached


def _paused(cases: Cases, answers: Answers, members: Column) -> Answers:
    months = cases.rules.policy.find("old_age.survival_confirmation_months")
    if months is None:
        return answers
    oldest = add_months(cases.rules.on, -int(months)).toordinal()
    late = (answers.outcome == ELIGIBLE) & (cases.population.survival_confirmed[members] < oldest)
    outcome = np.where(late, SUSPENDED, answers.outcome)
    amount = np.where(late, 0, answers.monthly_fen)
    standing = Standing(outcome != ELIGIBLE, np.zeros(len(members), dtype=np.bool_))
    paid = granted(CODE, members, standing, amount)
    return Answers(CODE, outcome, amount, paid.parts, members)
