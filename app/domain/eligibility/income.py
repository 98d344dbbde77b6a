"""Countable income (民发〔2021〕57号 第十三条; for 特困 43号 第六条), exact, item by item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from app.domain.eligibility.facts import Income, IncomeKind, Member
from app.domain.eligibility.parameters import Policy
from app.domain.eligibility.ruling import Ruling
from app.domain.money import Exact, yuan_text

KIND_TEXT: Mapping[IncomeKind, str] = {
    IncomeKind.WAGE: "工资性收入",
    IncomeKind.BUSINESS_NET: "经营净收入",
    IncomeKind.PROPERTY_NET: "财产净收入",
    IncomeKind.TRANSFER_NET: "转移净收入",
    IncomeKind.OTHER: "其他收入",
    IncomeKind.PREFERENTIAL_PENSION: "优待抚恤金",
    IncomeKind.FAMILY_PLANNING_AWARD: "计划生育奖励扶助金",
    IncomeKind.SCHOLARSHIP: "奖学金",
    IncomeKind.BRAVERY_AWARD: "见义勇为奖励",
    IncomeKind.SOCIAL_ASSISTANCE: "社会救助款物",
    IncomeKind.BASIC_PENSION_CENTRAL: "中央确定的基础养老金",
    IncomeKind.DISABILITY_SUBSIDY: "残疾人两项补贴",
    IncomeKind.ORPHAN_ALLOWANCE: "孤儿基本生活费",
    IncomeKind.UNSUPPORTED_CHILD_ALLOWANCE: "事实无人抚养儿童基本生活补贴",
    IncomeKind.OLD_AGE_ALLOWANCE: "高龄津贴",
    IncomeKind.SOCIAL_INSURANCE_MEDICAL: "基本医疗保险等社会保险待遇",
}

# 第十三条第二款(一)(二); 军人抚恤优待条例 第四条第二款; 国发〔2015〕52号; 民发〔2019〕62号 三(一)
NEVER_COUNTED = frozenset(
    {
        IncomeKind.PREFERENTIAL_PENSION,
        IncomeKind.FAMILY_PLANNING_AWARD,
        IncomeKind.SCHOLARSHIP,
        IncomeKind.BRAVERY_AWARD,
        IncomeKind.SOCIAL_ASSISTANCE,
        IncomeKind.DISABILITY_SUBSIDY,
        IncomeKind.ORPHAN_ALLOWANCE,
        IncomeKind.UNSUPPORTED_CHILD_ALLOWANCE,
    }
)
# Left out only where and while a parameter says so (the basic pension had a sunset: "十四五"期间).
EXEMPT_BY_PARAMETER: Mapping[IncomeKind, str] = {
    IncomeKind.BASIC_PENSION_CENTRAL: "dibao.basic_pension_exempt",
    IncomeKind.OLD_AGE_ALLOWANCE: "dibao.old_age_allowance_exempt",
}
# 43号 第六条: for 特困 these never count, without a sunset.
NEVER_COUNTED_FOR_TEKUN = NEVER_COUNTED | {
    IncomeKind.BASIC_PENSION_CENTRAL,
    IncomeKind.SOCIAL_INSURANCE_MEDICAL,
    IncomeKind.OLD_AGE_ALLOWANCE,
}


@dataclass(frozen=True, slots=True)
class IncomeItem:
    """One income of one member and how much of it counts (fen a month, exact)."""

    member: str
    kind: IncomeKind
    gross_fen: int
    counted: Exact
    because: str


@dataclass(frozen=True)
class IncomeAccount:
    """All items of the members looked at; ``total`` is after the deductible hardship expense and never negative."""

    items: tuple[IncomeItem, ...]
    deductible_fen: int = 0

    @property
    def gross(self) -> Exact:
        return sum(item.counted for item in self.items)

    @cached_property
    def total(self) -> Exact:
        return max(0, self.gross - self.deductible_fen)

    def of(self, member: str) -> Exact:
        """What counts of one member's own income."""
        return sum(item.counted for item in self.items if item.member == member)

    def note_on(self, ruling: Ruling, topic: str = "income") -> None:
        for item in self.items:
            ruling.note("income_item_fen", item.counted, topic, item.because, item.member)
        if self.deductible_fen:
            because = f"残疾、重病等刚性支出扣减 {yuan_text(self.deductible_fen)} 元，收入扣至零为止"
            ruling.note("deductible_fen", self.deductible_fen, topic, because)
        ruling.note("counted_income_fen", self.total, topic, f"可计月收入合计 {yuan_text(self.total)} 元")


def dibao_items(policy: Policy, members: Iterable[Member]) -> tuple[IncomeItem, ...]:
    """Items by the dibao rule; a parameter is asked for only when an income hangs on it."""
    return tuple(_dibao_item(policy, member, income) for member in members for income in member.incomes)


def tekun_items(members: Iterable[Member]) -> tuple[IncomeItem, ...]:
    return tuple(
        _left_out(member, income) if income.kind in NEVER_COUNTED_FOR_TEKUN else _whole(member, income)
        for member in members
        for income in member.incomes
    )


def _dibao_item(policy: Policy, member: Member, income: Income) -> IncomeItem:
    if income.kind in NEVER_COUNTED:
        return _left_out(member, income)
    key = EXEMPT_BY_PARAMETER.get(income.kind)
    if key is not None and policy.flag(key):
        return _left_out(member, income)
    if income.kind is IncomeKind.WAGE:
        return _wage(policy, member, income)
    return _whole(member, income)


def _left_out(member: Member, income: Income) -> IncomeItem:
    because = f"{KIND_TEXT[income.kind]} {yuan_text(income.monthly_fen)} 元按规定不计入收入"
    return IncomeItem(member.ref, income.kind, income.monthly_fen, 0, because)


def _whole(member: Member, income: Income) -> IncomeItem:
    counted = max(0, income.monthly_fen)  # a loss counts as nothing and offsets nothing
    because = f"{KIND_TEXT[income.kind]} {yuan_text(income.monthly_fen)} 元，计入 {yuan_text(counted)} 元"
    return IncomeItem(member.ref, income.kind, income.monthly_fen, counted, because)


def _wage(policy: Policy, member: Member, income: Income) -> IncomeItem:
    rate = policy.find_ratio("dibao.employment_cost_rate")
    if not rate:
        return _whole(member, income)
    counted = income.monthly_fen * (1 - rate)
    cost = yuan_text(income.monthly_fen * rate)
    because = f"工资性收入 {yuan_text(income.monthly_fen)} 元，扣除必要的就业成本 {cost} 元后计入"
    return IncomeItem(member.ref, income.kind, income.monthly_fen, counted, because)
