"""Families of the examples, written shortly: amounts in yuan as text, everything else as the facts name it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from app.domain.eligibility import (
    Assessment,
    AssessmentQuestion,
    Context,
    Household,
    Member,
    ParameterBook,
    ProgrammeResult,
    assess,
    rows_of,
)
from app.domain.eligibility.facts import (
    Asset,
    AssetKind,
    CurrentEntitlement,
    Disability,
    DisabilityCategory,
    Employment,
    Expense,
    ExpenseKind,
    Holding,
    Income,
    IncomeKind,
    Relation,
    Residence,
)

DISTRICT = "350702001001"
TIER_DISTRICT = "340882001001"
DAY = date(2026, 3, 10)
POLICY = Path("app/data/demo-policy.yaml")


@cache
def book() -> ParameterBook:
    return ParameterBook(rows_of(yaml.safe_load(POLICY.read_text(encoding="utf-8"))), demo=True)


def book_with(area: str, values: dict[str, Any], since: str = "2000-01-01") -> ParameterBook:
    """The demo book with a locality's own choices added (a nearer area than the district wins)."""
    added = [{"area": area, "parameters": {key: [{"effective_from": since, "value": value}] for key, value in values.items()}}]
    return ParameterBook((*book().rows, *rows_of(added)), demo=True)


def fen(yuan: str) -> int:
    amount = Decimal(yuan) * 100
    assert amount == int(amount)
    return int(amount)


def income(yuan: str, kind: IncomeKind = IncomeKind.WAGE) -> Income:
    return Income(kind, fen(yuan))


def disabled(category: str, grade: int, needs_care: bool = False) -> Disability:
    return Disability(DisabilityCategory(category), grade, needs_care)


def person(ref: str = "m1", relation: str = "head", born: date = date(1980, 1, 1), **facts: Any) -> Member:
    return Member(ref, Relation(relation), born, **facts)


def adults(count: int, monthly: str = "0") -> tuple[Member, ...]:
    """A head with the whole income, and adult siblings without any."""
    head = person(incomes=(income(monthly),), employment=Employment.EMPLOYED)
    return (head, *(person(f"m{number}", "sibling") for number in range(2, count + 1)))


def deposit(yuan: str) -> Asset:
    return Asset(AssetKind.DEPOSIT, fen(yuan))


def expense(kind: str, yuan: str, paid_on: date = date(2025, 9, 1), **facts: Any) -> Expense:
    return Expense(ExpenseKind(kind), fen(yuan), paid_on=paid_on, **facts)


def holding(member: str, programme: str, yuan: str = "0") -> Holding:
    return Holding(member, programme, fen(yuan))


def on_dibao(yuan: str, *, employment: bool = False) -> CurrentEntitlement:
    return CurrentEntitlement("dibao", fen(yuan), "2025-01", employment)


def family(*members: Member, assets: tuple[Asset, ...] | None = (), **facts: Any) -> Household:
    return Household(members, assets=assets, **{"authorised_verification": True, "expenses": (), **facts})


def question(
    household: Household,
    *programmes: str,
    on: date = DAY,
    area: str = DISTRICT,
    residence: Residence = Residence.URBAN,
    **context: Any,
) -> AssessmentQuestion:
    return AssessmentQuestion(on, area, residence, household, programmes or None, Context(**context))


def answer(asked: AssessmentQuestion, parameters: ParameterBook | None = None) -> Assessment:
    return assess(asked, parameters or book())


def only(asked: AssessmentQuestion, parameters: ParameterBook | None = None) -> ProgrammeResult:
    """The single row of an assessment."""
    (result,) = answer(asked, parameters).results
    return result


def without_member(household: Household, ref: str) -> Household:
    return replace(household, members=tuple(member for member in household.members if member.ref != ref))


def unmet(result: ProgrammeResult) -> set[str]:
    return {reason.code for reason in result.reasons if reason.met is False}
