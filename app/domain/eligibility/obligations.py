"""Two optional local rules that add income by a dated formula: 劳动力系数 and 赡养费. Absent parameter = rule not used.

``dibao.imputed_income``: ``{base_fen, coefficient, from_age, until_age}`` — an employable adult without earnings of at least
``base_fen × coefficient`` is taken to earn that much.
``dibao.support_payment``: ``{standard_multiple, rate}`` — each obligor outside the household is taken to pay
``rate × (monthly income − standard_multiple × standard)``.
Either may be departed from for a stated reason (``context.overrides``), which the trace repeats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from app.domain.eligibility.facts import IncomeKind, Member, Obligor, Override
from app.domain.eligibility.income import IncomeItem
from app.domain.eligibility.parameters import Policy
from app.domain.money import exact, yuan_text

EARNINGS = (IncomeKind.WAGE, IncomeKind.BUSINESS_NET)


def imputed_items(
    policy: Policy, members: Sequence[Member], ages: Mapping[str, int], overrides: Sequence[Override]
) -> tuple[IncomeItem, ...]:
    """What employable members are taken to earn above what they report."""
    rule: Mapping[str, Any] | None = policy.find("dibao.imputed_income")
    if rule is None:
        return ()
    concerned = [member for member in members if member.employable and _of_working_age(ages[member.ref], rule)]
    items = [_imputed(member, rule, _override(overrides, "imputed_income", member=member.ref)) for member in concerned]
    return tuple(item for item in items if item.counted)


def working_ages(rule: Mapping[str, Any]) -> tuple[int, int]:
    """The ages between which somebody is taken to be able to earn, half-open."""
    return int(rule.get("from_age", 18)), int(rule.get("until_age", 60))


def _of_working_age(age: int, rule: Mapping[str, Any]) -> bool:
    from_age, until_age = working_ages(rule)
    return from_age <= age < until_age


def _imputed(member: Member, rule: Mapping[str, Any], override: Override | None) -> IncomeItem:
    reported = sum(max(0, income.monthly_fen) for income in member.incomes if income.kind in EARNINGS)
    if override is not None:
        because = f"不按劳动力系数推算，核定务工收入 {yuan_text(override.monthly_fen)} 元：{override.reason}"
        return IncomeItem(member.ref, IncomeKind.WAGE, override.monthly_fen, Fraction(override.monthly_fen), because)
    expected = int(rule["base_fen"]) * exact(rule["coefficient"])
    added = max(Fraction(0), expected - reported)
    because = f"有劳动能力，按劳动力系数推算务工收入 {yuan_text(expected)} 元，超出申报部分计入"
    return IncomeItem(member.ref, IncomeKind.WAGE, 0, added, because)


def support_items(
    policy: Policy, standard_fen: int, obligors: Sequence[Obligor], overrides: Sequence[Override]
) -> tuple[IncomeItem, ...]:
    """What obligors outside the household are taken to pay."""
    rule: Mapping[str, Any] | None = policy.find("dibao.support_payment")
    if rule is None:
        return ()
    items = [
        _support(index, obligor, rule, standard_fen, _override(overrides, "support_payment", obligor=index))
        for index, obligor in enumerate(obligors)
    ]
    return tuple(item for item in items if item.counted)


def _support(index: int, obligor: Obligor, rule: Mapping[str, Any], standard_fen: int, override: Override | None) -> IncomeItem:
    name = f"obligor-{index}"
    if override is not None:
        because = f"不按公式计算赡养（扶养、抚养）费，核定 {yuan_text(override.monthly_fen)} 元：{override.reason}"
        return IncomeItem(name, IncomeKind.TRANSFER_NET, override.monthly_fen, Fraction(override.monthly_fen), because)
    monthly = Fraction(obligor.annual_income_fen or 0, 12)
    paid = max(Fraction(0), monthly - exact(rule["standard_multiple"]) * standard_fen) * exact(rule["rate"])
    because = f"法定义务人按公式应付赡养（扶养、抚养）费 {yuan_text(paid)} 元"
    return IncomeItem(name, IncomeKind.TRANSFER_NET, 0, paid, because)


def _override(
    overrides: Sequence[Override], rule: str, *, member: str | None = None, obligor: int | None = None
) -> Override | None:
    for override in overrides:
        if override.rule == rule and override.member == member and override.obligor == obligor:
            return override
    return None
