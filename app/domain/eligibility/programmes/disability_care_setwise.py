"""重度残疾人护理补贴, many people at once: the set-wise twin of ``disability_care``."""

from __future__ import annotations

import numpy as np

from app.domain.eligibility.arithmetic_setwise import NotSetWise
from app.domain.eligibility.case_setwise import Answers, Cases, Standing
from app.domain.eligibility.columns_setwise import UNKNOWN, Column, held_bit
from app.domain.eligibility.facts import Context
from app.domain.eligibility.interplay import HIGHER_OF
from app.domain.eligibility.programmes.disability_living_setwise import granted, holders

CODE = "disability_care"
HELD_COLUMN = {"elderly_care_allowance": "elderly_care_fen"}


def assess(cases: Cases) -> Answers:
    """One answer per holder of a certificate."""
    members = holders(cases)
    amount = cases.rules.amounts_by_disability(CODE, Context())[cases.disability(members)]
    standing = Standing(cases.members_excluded(CODE, members), np.zeros(len(members), dtype=np.bool_))
    standing.require(amount != UNKNOWN)
    _require_higher(cases, standing, members, amount)
    return granted(CODE, members, standing, amount)


def _require_higher(cases: Cases, standing: Standing, members: Column, amount: Column) -> None:
    """Beside another allowance of the same purpose only the higher one is paid; on a tie the one already drawn stays."""
    facts = cases.population
    for rule in HIGHER_OF:
        if rule.programme != CODE:
            continue
        if rule.other not in HELD_COLUMN:
            raise NotSetWise(f"同类津贴 {rule.other}")
        held = (facts.holds[members] & held_bit(rule.other)) != 0
        drawn = getattr(facts, HELD_COLUMN[rule.other])[members]
        standing.require(~held | (drawn < amount), ~held | (drawn != UNKNOWN))
