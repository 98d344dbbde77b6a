"""A synthetic population as columns: household sizes, ages, incomes and hardships in roughly the shares of a poor county."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.eligibility.columns_setwise import HOUSEHOLD_COLUMNS, MEMBER_COLUMNS, Population, code_of, programme_code
from app.domain.eligibility.facts import Absence, DisabilityCategory, Relation, Study

ON = date(2026, 11, 20)
AREA = "350702"
SEED = 20261120
Column = NDArray[Any]


def make_population(households: int, seed: int = SEED) -> Population:
    """``households`` with 2.5 members each on average; about a fifth of them below the standard."""
    random = np.random.default_rng(seed)
    size = random.choice([1, 2, 3, 4, 5], households, p=[0.22, 0.33, 0.24, 0.15, 0.06])
    members = int(size.sum())
    head = np.zeros(members, dtype=np.bool_)
    head[np.cumsum(size) - size] = True
    columns = _household_columns(random, size) | _member_columns(random, members, head)
    kinds = HOUSEHOLD_COLUMNS | MEMBER_COLUMNS
    return Population(**{name: np.ascontiguousarray(columns[name]).astype(kind) for name, kind in kinds.items()})


def _household_columns(random: np.random.Generator, size: Column) -> dict[str, Column]:
    n = len(size)
    current = np.where(random.random(n) < 0.15, programme_code("dibao"), 0)
    return {
        "size": size,
        "residence": random.choice([1, 2], n, p=[0.4, 0.6]),
        "deductible_fen": _some(random, n, 0.05, 20_000, 80_000),
        "authorised": random.choice([1, 0, -1], n, p=[0.94, 0.01, 0.05]),
        "financial_fen": np.where(random.random(n) < 0.05, -1, random.integers(0, 2_500_000, n)),
        "vehicles": random.random(n) < 0.12,
        "homes": random.choice([0, 1, 2], n, p=[0.1, 0.85, 0.05]),
        "current_programme": current,
        "current_fen": np.where(current > 0, random.integers(10_000, 150_000, n), -1),
        "current_by_employment": random.random(n) < 0.01,
    }


def _member_columns(random: np.random.Generator, m: int, head: Column) -> dict[str, Column]:
    age_days = np.where(head, random.integers(22 * 365, 90 * 365, m), random.integers(0, 95 * 365, m))
    child = ~head & (age_days < 30 * 365)
    disabled = random.random(m) < 0.07
    others = [code_of(one) for one in (Relation.SPOUSE, Relation.PARENT, Relation.SIBLING)]
    earning = random.random(m) < 0.45
    return {
        "birth": ON.toordinal() - age_days,
        "relation": np.where(head, code_of(Relation.HEAD), np.where(child, code_of(Relation.CHILD), random.choice(others, m))),
        "absence": np.where(random.random(m) < 0.01, random.choice([code_of(one) for one in Absence], m), 0),
        "study": np.where(child, random.choice([code_of(one) for one in Study], m), 0),
        "employment": np.where(earning, 1, 0),
        "employable": random.random(m) < 0.5,
        "job_offers_refused": np.where(random.random(m) < 0.01, random.integers(1, 5, m), 0),
        "disability_category": np.where(disabled, random.integers(1, len(DisabilityCategory) + 1, m), 0),
        "disability_grade": np.where(disabled, random.integers(1, 5, m), 0),
        "needs_care": disabled & (random.random(m) < 0.4),
        "serious_illness": random.random(m) < 0.03,
        "member_authorised": np.full(m, -1),
        "hukou_local": np.ones(m),
        "survival_confirmed": ON.toordinal() - random.integers(0, 500, m),
        "holds": np.zeros(m),
        "elderly_care_fen": np.full(m, -1),
        "wage_fen": np.where(earning, random.integers(20_000, 450_000, m), 0),
        "business_fen": _some(random, m, 0.06, 10_000, 200_000),
        "basic_pension_fen": np.where(age_days > 60 * 365, random.integers(10_000, 30_000, m), 0),
        "old_age_allowance_fen": np.where(age_days > 80 * 365, 5_000, 0),
        "other_income_fen": _some(random, m, 0.3, 1_000, 60_000),
    }


def _some(random: np.random.Generator, n: int, share: float, low: int, high: int) -> Column:
    return np.where(random.random(n) < share, random.integers(low, high, n), 0)
