"""事实无人抚养儿童基本生活补贴, per child; tops up what the child already draws; no public notice (民发〔2019〕62号)."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import Member
from app.domain.eligibility.household import ADULT_AGE
from app.domain.eligibility.interplay import require_not_excluded
from app.domain.eligibility.model import Outcome, ProgrammeResult
from app.domain.eligibility.parents import MIN_MONTHS, cannot_raise, is_gone, may_be_child, parents_of
from app.domain.eligibility.periods import month_after
from app.domain.eligibility.ruling import Ruling, all_of, any_of
from app.domain.money import yuan_text

CODE = "unsupported_child"


def assess(case: Case) -> Sequence[ProgrammeResult]:
    """One row per child; the amount is the full standard, which the settlement reduces to what is missing (``TOP_UPS``)."""
    return [_assess(case, member) for member in case.concerned(lambda member: may_be_child(case, member))]


def _assess(case: Case, child: Member) -> ProgrammeResult:
    ruling = Ruling(CODE, case.on, child.ref)
    amount_fen = case.policy.money("unsupported_child.month")
    age = case.age(child)
    require_not_excluded(case, ruling, child.ref)
    ruling.require("age_below_18", age < ADULT_AGE, "unsupported_target", measured=str(age), limit=str(ADULT_AGE))
    _require_nobody_raises(case, ruling, child)
    if ruling.standing is not Outcome.ELIGIBLE:
        return ruling.answer(ruling.standing)
    starts = month_after(case.on)
    because = f"事实无人抚养儿童基本生活补贴标准每月 {yuan_text(amount_fen)} 元"
    ruling.note("unsupported_child_month_fen", amount_fen, "unsupported_amount", because, child.ref)
    ruling.add("standard", amount_fen, child.ref)
    ruling.note("starts_month", starts, "unsupported_start", f"自确认次月（{starts}）起发放，不设公示", child.ref)
    return ruling.answer(Outcome.ELIGIBLE, monthly_fen=amount_fen, starts_month=starts)


def _require_nobody_raises(case: Case, ruling: Ruling, child: Member) -> None:
    """Both in one of the circumstances, or one dead or missing and the other in one; both gone is an orphan, not this."""
    parents = parents_of(case, ruling, child)
    if parents is None:
        ruling.require("no_parent_able_to_raise", None, "unsupported_target")
        return
    for index, parent in enumerate(case.context.parents or ()):
        if parent in parents and cannot_raise(parent) is None:
            ruling.lack(f"/context/parents/{index}/months", f"请补充持续时间（须满 {MIN_MONTHS} 个月）。")
    each = all_of(*(any_of(is_gone(parent), cannot_raise(parent)) for parent in parents))
    ruling.require("no_parent_able_to_raise", each, "unsupported_target")
    ruling.require("not_both_parents_dead_or_missing", not all(is_gone(parent) for parent in parents), "unsupported_target")
