"""The facts of many households as columns: what the set-wise twins compute on.

Members stand household by household, in the order of their refs; ``size`` says how many belong to each household. Codes count
the values of an enumeration from 1 in the order in which it lists them; 0 is "none". What may be unknown is -1. Amounts are
whole fen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.eligibility.assets import financial_total_fen
from app.domain.eligibility.facts import (
    Absence,
    AssessmentQuestion,
    AssetKind,
    Disability,
    DisabilityCategory,
    Employment,
    IncomeKind,
    Member,
    Relation,
    Residence,
    Study,
)
from app.domain.eligibility.interplay import PRECEDENCE

Column = NDArray[Any]

UNKNOWN = -1
CODED: tuple[type[Enum], ...] = (Residence, Relation, Absence, Study, Employment, DisabilityCategory)
_CODES = {(kind, value): code for kind in CODED for code, value in enumerate(kind, start=1)}

# What a member may hold: a bit for each. Code n of ``current_programme`` is entry n - 1.
HOLDINGS: tuple[str, ...] = (*PRECEDENCE, "elderly_care_allowance", "work_injury_care")

# Which column an income goes into. Kinds of one column are treated alike by every twin; ``rules_setwise`` checks that they are.
INCOME_COLUMNS: dict[IncomeKind, str] = {
    IncomeKind.WAGE: "wage_fen",
    IncomeKind.BUSINESS_NET: "business_fen",
    IncomeKind.BASIC_PENSION_CENTRAL: "basic_pension_fen",
    IncomeKind.OLD_AGE_ALLOWANCE: "old_age_allowance_fen",
    IncomeKind.PROPERTY_NET: "other_income_fen",
    IncomeKind.TRANSFER_NET: "other_income_fen",
    IncomeKind.OTHER: "other_income_fen",
    IncomeKind.SOCIAL_INSURANCE_MEDICAL: "other_income_fen",
}


def code_of(value: Enum | None) -> int:
    return 0 if value is None else _CODES[type(value), value]


def held_bit(programme: str) -> int:
    return 1 << HOLDINGS.index(programme)


def programme_code(programme: str) -> int:
    return HOLDINGS.index(programme) + 1


# The columns and their integer types in memory.
HOUSEHOLD_COLUMNS: dict[str, str] = {
    "size": "int32",
    "residence": "int8",
    "deductible_fen": "int64",
    "authorised": "int8",
    "financial_fen": "int64",  # what counts of the financial assets; -1: the assets are unknown
    "vehicles": "int16",
    "homes": "int16",
    "current_programme": "int8",
    "current_fen": "int64",
    "current_by_employment": "bool",
}
MEMBER_COLUMNS: dict[str, str] = {
    "birth": "int32",  # proleptic ordinal, as date.toordinal()
    "relation": "int8",
    "absence": "int8",
    "study": "int8",
    "employment": "int8",
    "employable": "bool",
    "job_offers_refused": "int16",
    "disability_category": "int8",
    "disability_grade": "int8",
    "needs_care": "bool",
    "serious_illness": "bool",
    "member_authorised": "int8",
    "hukou_local": "int8",
    "survival_confirmed": "int32",  # ordinal; 0: never
    "holds": "int32",  # bits of HOLDINGS
    "elderly_care_fen": "int64",
    "wage_fen": "int64",
    "business_fen": "int64",
    "basic_pension_fen": "int64",
    "old_age_allowance_fen": "int64",
    "other_income_fen": "int64",
}


@dataclass(frozen=True)
class Population:
    """``n`` households with together ``m`` members. Columns may be of any integer type; none is ever written to.

    Shapes: the columns of households have length n, those of members length m; ``size.sum() == m`` and no size is 0.
    """

    size: Column
    residence: Column
    deductible_fen: Column
    authorised: Column
    financial_fen: Column
    vehicles: Column
    homes: Column
    current_programme: Column
    current_fen: Column
    current_by_employment: Column

    birth: Column
    relation: Column
    absence: Column
    study: Column
    employment: Column
    employable: Column
    job_offers_refused: Column
    disability_category: Column
    disability_grade: Column
    needs_care: Column
    serious_illness: Column
    member_authorised: Column
    hukou_local: Column
    survival_confirmed: Column
    holds: Column
    elderly_care_fen: Column
    wage_fen: Column
    business_fen: Column
    basic_pension_fen: Column
    old_age_allowance_fen: Column
    other_income_fen: Column

    @property
    def households(self) -> int:
        return len(self.size)

    @property
    def members(self) -> int:
        return len(self.birth)

    @cached_property
    def starts(self) -> Column:
        """The first member of each household."""
        starts = np.zeros(self.households, dtype=np.int64)
        np.cumsum(self.size[:-1], out=starts[1:])
        return starts

    def owners(self, members: Column) -> Column:
        """The households that members (by position) belong to."""
        return np.searchsorted(self.starts, members, side="right") - 1

    def take(self, households: Column) -> Population:
        """The population of some households (ascending positions)."""
        members = self.members_of(households)
        parts = dict.fromkeys(HOUSEHOLD_COLUMNS, households) | dict.fromkeys(MEMBER_COLUMNS, members)
        return Population(**{name: getattr(self, name)[part] for name, part in parts.items()})

    def members_of(self, households: Column) -> Column:
        """The positions of the members of some households (ascending positions)."""
        size = self.size[households].astype(np.int64)
        first = np.cumsum(size) - size
        return np.repeat(self.starts[households] - first, size) + np.arange(size.sum(), dtype=np.int64)


# --- from the facts of questions ------------------------------------------------------------------------------------------------


def population_of(questions: Iterable[AssessmentQuestion]) -> Population:
    """The columns of questions that the door lets in (``validation.check_question``).

    Raises:
        ValueError: a fact that the columns can't carry (an override of a formula).

    """
    households: list[tuple[int, ...]] = []
    members: list[tuple[int, ...]] = []
    for question in questions:
        households.append(_household_row(question))
        members.extend(_member_row(question, member) for member in sorted(question.household.members, key=lambda one: one.ref))
    return Population(**_columns(HOUSEHOLD_COLUMNS, households), **_columns(MEMBER_COLUMNS, members))


def _columns(kinds: dict[str, str], rows: Sequence[tuple[int, ...]]) -> dict[str, Column]:
    table = np.array(rows, dtype=np.int64).reshape(len(rows), len(kinds))
    return {name: np.ascontiguousarray(table[:, place]).astype(kind) for place, (name, kind) in enumerate(kinds.items())}


def _household_row(question: AssessmentQuestion) -> tuple[int, ...]:
    household, current = question.household, question.context.current_entitlement
    if question.context.overrides:
        raise ValueError("an override can't be assessed set-wise")
    assets = household.assets
    return (
        len(household.members),
        code_of(question.residence),
        household.deductible_monthly_fen,
        _flag(household.authorised_verification),
        UNKNOWN if assets is None else financial_total_fen(assets),
        _units(question, AssetKind.VEHICLE),
        _units(question, AssetKind.REAL_ESTATE),
        0 if current is None else programme_code(current.programme),
        _amount(None if current is None else current.monthly_fen),
        current is not None and current.ended_by_employment,
    )


def _units(question: AssessmentQuestion, kind: AssetKind) -> int:
    return sum(asset.kind is kind and not asset.wholly_exempt for asset in question.household.assets or ())


def _member_row(question: AssessmentQuestion, member: Member) -> tuple[int, ...]:
    context = question.context
    local = member.hukou_local if member.hukou_local is not None else context.hukou_local
    confirmed = member.survival_confirmed_on or context.survival_confirmed_on
    holdings = [holding for holding in context.holds or () if holding.member == member.ref]
    allowance = next((held.monthly_fen for held in holdings if held.programme == "elderly_care_allowance"), None)
    incomes = dict.fromkeys(INCOME_COLUMNS.values(), 0)
    for income in member.incomes:
        if income.kind in INCOME_COLUMNS:
            incomes[INCOME_COLUMNS[income.kind]] += max(0, income.monthly_fen)
    return (
        member.birth_date.toordinal(),
        code_of(member.relation),
        code_of(member.absence),
        code_of(member.study),
        code_of(member.employment),
        member.employable,
        member.job_offers_refused,
        *_disability(member.disability),
        member.serious_illness,
        _flag(member.authorised_verification),
        _flag(local),
        confirmed.toordinal() if confirmed else 0,
        sum({held_bit(holding.programme) for holding in holdings}),
        _amount(allowance),
        *(incomes[name] for name in MEMBER_COLUMNS if name in incomes),
    )


def _disability(disability: Disability | None) -> tuple[int, int, int]:
    return (0, 0, 0) if disability is None else (code_of(disability.category), disability.grade, disability.needs_care)


def _flag(known: bool | None) -> int:
    return UNKNOWN if known is None else int(known)


def _amount(known: int | None) -> int:
    return UNKNOWN if known is None else known


__all__ = [
    "CODED",
    "HOLDINGS",
    "HOUSEHOLD_COLUMNS",
    "INCOME_COLUMNS",
    "MEMBER_COLUMNS",
    "UNKNOWN",
    "Column",
    "Population",
    "code_of",
    "held_bit",
    "population_of",
    "programme_code",
]
