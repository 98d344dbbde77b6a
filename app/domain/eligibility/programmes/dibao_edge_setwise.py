"""低保边缘家庭, many households at once: the set-wise twin of ``dibao_edge``."""

from __future__ import annotations

import numpy as np

from app.domain.eligibility.case_setwise import Answers, Cases
from app.domain.eligibility.programmes.dibao_setwise import household_conditions

CODE = "dibao_edge"


def assess(cases: Cases) -> Answers:
    """One answer per household. It is a status and pays nothing itself."""
    standing = household_conditions(cases, CODE)
    standing.require(cases.income_below(*cases.rules.income_line(cases.rules.policy.ratio("dibao_edge.ratio"))))
    outcome = standing.outcome()
    return Answers(CODE, outcome, np.zeros(len(outcome), dtype=np.int64))
