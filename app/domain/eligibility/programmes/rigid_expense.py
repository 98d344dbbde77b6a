"""刚性支出困难家庭 (社会救助法 第二十二条, 刚性支出困难家庭认定办法 第四、五、十条)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from app.domain.eligibility.assets import require_assets
from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import Expense, ExpenseKind
from app.domain.eligibility.interplay import require_not_excluded
from app.domain.eligibility.model import Outcome, ProgrammeResult
from app.domain.eligibility.periods import add_months, month_of
from app.domain.eligibility.programmes.dibao import require_authorisation, require_members
from app.domain.eligibility.ruling import Ruling
from app.domain.money import Exact, percent_text, yuan_text

CODE = "rigid_expense"
MONTHS = 12

_KIND_TEXT = {
    ExpenseKind.MEDICAL: "医疗",
    ExpenseKind.EDUCATION: "教育",
    ExpenseKind.DISABILITY_REHAB: "残疾康复",
    ExpenseKind.LIVING: "生活必需",
    ExpenseKind.OTHER: "其他刚性",
}


def assess(case: Case) -> Sequence[ProgrammeResult]:
    """One row for the household, by the decision table 刚支. It is a status, valid for a limited time."""
    ruling = Ruling(CODE, case.on)
    require_authorisation(case, ruling)
    require_not_excluded(case, ruling)
    require_members(case, ruling)
    _require_income_below_disposable(case, ruling)
    require_assets(ruling, case.household.assets, case.asset_line(CODE))
    _require_expense_share(case, ruling)
    if ruling.standing is not Outcome.ELIGIBLE:
        return [ruling.answer(ruling.standing)]
    months = int(case.policy.get("rigid_expense.valid_months"))
    until = add_months(case.on, months)
    ruling.note(
        "valid_until", until.isoformat(), "rigid_validity", f"有效期 {months} 个月，至 {until.isoformat()}，到期须重新申请"
    )
    return [ruling.answer(Outcome.ELIGIBLE, starts_month=month_of(case.on), valid_until=until)]


def _require_income_below_disposable(case: Case, ruling: Ruling) -> None:
    case.income.note_on(ruling)
    disposable_fen = case.policy.money("region.disposable_income_per_capita_year")
    per_head = Fraction(case.income.total * MONTHS, max(1, case.size))
    ruling.require(
        "income_below_disposable",
        per_head < disposable_fen,
        "rigid_target",
        measured=yuan_text(per_head),
        limit=yuan_text(disposable_fen),
    )


@dataclass(frozen=True, slots=True)
class _Spending:
    """What is certain to count, and what more would count if the missing facts turned out in the family's favour (fen)."""

    certain_fen: int = 0
    possible_fen: int = 0


def _require_expense_share(case: Case, ruling: Ruling) -> None:
    """Strictly more than the ratio of the year's income; unknown only where the missing facts decide it."""
    ratio = case.policy.ratio("rigid_expense.ratio")
    limit = ratio * case.income.total * MONTHS
    spending = _spending(case, ruling)
    met = None if spending is None else _exceeds(spending, limit)
    measured = None if spending is None else yuan_text(spending.certain_fen)
    because = f"家庭年收入的 {percent_text(ratio)} 为 {yuan_text(limit)} 元，刚性支出须超过此数"
    ruling.note("rigid_expense_limit_fen", limit, "rigid_target", because)
    ruling.require("rigid_expense_above_ratio", met, "rigid_target", measured=measured, limit=yuan_text(limit))


def _exceeds(spending: _Spending, limit: Exact) -> bool | None:
    if spending.certain_fen > limit:
        return True
    return None if spending.certain_fen + spending.possible_fen > limit else False


def _spending(case: Case, ruling: Ruling) -> _Spending | None:
    if case.household.expenses is None:
        ruling.lack("/household/expenses", "请补充申请前 12 个月的刚性支出及票据（没有的填空列表）。")
        return None
    certain = possible = 0
    for index, expense in enumerate(case.household.expenses):
        within = _within_window(case, expense)
        low, high = _counted(expense)
        if within is None:
            ruling.lack(f"/household/expenses/{index}/paid_on", "请补充支出日期。")
            low = 0
        if low < high and within is not False and expense.kind is ExpenseKind.EDUCATION:
            _lack_tuition(ruling, expense, index)
        certain += low if within else 0
        possible += 0 if within is False else high - low
        ruling.note("expense_fen", low if within else 0, "rigid_expenses", _because(expense, low if within else 0, within))
    ruling.note("expenses_counted_fen", certain, "rigid_expenses", f"申请前 12 个月刚性支出合计 {yuan_text(certain)} 元")
    return _Spending(certain, possible)


def _lack_tuition(ruling: Ruling, expense: Expense, index: int) -> None:
    if expense.public_tuition_fen is None:
        ruling.lack(f"/household/expenses/{index}/public_tuition_fen", "请补充同类公办学校的收费标准。")


def _within_window(case: Case, expense: Expense) -> bool | None:
    if expense.paid_on is None:
        return None
    return add_months(case.on, -MONTHS) <= expense.paid_on <= case.on


def _counted(expense: Expense) -> tuple[int, int]:
    """What the family bears at least and at most: net of reimbursement, schooling at the public price (办法 第五条)."""
    net = max(0, expense.amount_fen - expense.reimbursed_fen)
    if expense.kind is not ExpenseKind.EDUCATION:
        return net, net
    if expense.public_tuition_fen is None:
        return 0, net
    capped = min(net, max(0, expense.public_tuition_fen - expense.reimbursed_fen))
    return capped, capped


def _because(expense: Expense, counted_fen: int, within: bool | None) -> str:
    kind = f"{_KIND_TEXT[expense.kind]}支出 {yuan_text(expense.amount_fen)} 元"
    if within is False:
        return f"{kind}不在申请前 12 个月内，不计"
    if expense.kind is ExpenseKind.EDUCATION and expense.public_tuition_fen is not None:
        return f"{kind}，按同类公办学校收费 {yuan_text(expense.public_tuition_fen)} 元计 {yuan_text(counted_fen)} 元"
    return f"{kind}，扣除报销、补助 {yuan_text(expense.reimbursed_fen)} 元后计 {yuan_text(counted_fen)} 元"
