"""孤儿基本生活保障, per child (国办发〔2010〕54号)."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import Member
from app.domain.eligibility.household import ADULT_AGE
from app.domain.eligibility.interplay import require_not_excluded
from app.domain.eligibility.model import Outcome, ProgrammeResult
from app.domain.eligibility.parents import is_gone, may_be_child, parents_of
from app.domain.eligibility.periods import month_after
from app.domain.eligibility.ruling import Ruling
from app.domain.money import yuan_text

CODE = "orphan"


def assess(case: Case) -> Sequence[ProgrammeResult]:
    """One row per child of the household."""
    return [_assess(case, member) for member in case.concerned(lambda member: may_be_child(case, member))]


def _assess(case: Case, child: Member) -> ProgrammeResult:
    ruling = Ruling(CODE, case.on, child.ref)
    amounts = case.policy.mapping("orphan.month")
    require_not_excluded(case, ruling, child.ref)
    _require_age(case, ruling, child)
    _require_both_parents_gone(case, ruling, child)
    place = _place(case, ruling, child)
    if ruling.standing is not Outcome.ELIGIBLE or place is None:
        return ruling.answer(ruling.standing)
    amount_fen, starts = int(amounts[place]), month_after(case.on)
    where = "机构集中养育" if place == "institutional" else "社会散居"
    ruling.note("orphan_month_fen", amount_fen, "orphan", f"{where}孤儿基本生活费每月 {yuan_text(amount_fen)} 元", child.ref)
    ruling.add("standard", amount_fen, child.ref)
    ruling.note("starts_month", starts, "orphan", f"自确认次月（{starts}）起发放", child.ref)
    return ruling.answer(Outcome.ELIGIBLE, monthly_fen=amount_fen, starts_month=starts)


def _require_age(case: Case, ruling: Ruling, child: Member) -> None:
    """Under 18; whoever already draws it keeps it while still at school."""
    age = case.age(child)
    current = case.context.current_entitlement
    draws = case.held(CODE, child.ref) is not None or (current is not None and current.programme == CODE)
    at_school = draws and child.study is not None
    if at_school and age >= ADULT_AGE:
        ruling.remark("continues_at_school", True, "orphan_in_school")
    ruling.require("age_below_18", age < ADULT_AGE or at_school, "orphan", measured=str(age), limit=str(ADULT_AGE))


def _require_both_parents_gone(case: Case, ruling: Ruling, child: Member) -> None:
    parents = parents_of(case, ruling, child)
    met = None if parents is None else all(is_gone(parent) for parent in parents)
    ruling.require("both_parents_dead_or_missing", met, "orphan")


def _place(case: Case, ruling: Ruling, child: Member) -> str | None:
    """In an institution or in a family. A child that lives with a counted adult evidently lives in a family."""
    stated = child.institutional_care if child.institutional_care is not None else case.context.institutional_care
    with_adult = any(case.age(member) >= ADULT_AGE for member in case.counted if member is not child)
    if stated is None and not with_adult:
        ruling.lack("/context/institutional_care", "请补充该儿童是机构集中养育还是社会散居。")
        ruling.require("place_of_care_known", None, "orphan")
        return None
    return "institutional" if stated else "family"
