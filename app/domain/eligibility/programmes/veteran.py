"""优抚对象抚恤补助 (退役军人事务部门主管): assessed where parameters exist, handed on as a roster (军人抚恤优待条例)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import Member, VeteranStatus
from app.domain.eligibility.interplay import require_not_excluded
from app.domain.eligibility.model import Authority, Outcome, ProgrammeResult
from app.domain.eligibility.periods import month_of
from app.domain.eligibility.ruling import Ruling
from app.domain.money import yuan_text

CODE = "veteran"


def assess(case: Case) -> Sequence[ProgrammeResult]:
    """One row per member with an identity (all members when none is stated), by ``veteran.month``: category → fen."""
    amounts = case.policy.mapping("veteran.month")
    return [_assess(case, member, amounts) for member in case.concerned(lambda member: _status(case, member) is not None)]


def _status(case: Case, member: Member) -> VeteranStatus | None:
    return next((status for status in case.context.veterans or () if status.member == member.ref), None)


def _assess(case: Case, member: Member, amounts: Mapping[str, int]) -> ProgrammeResult:
    ruling = Ruling(CODE, case.on, member.ref, Authority.VETERANS)
    require_not_excluded(case, ruling, member.ref)
    status = _status(case, member)
    if case.context.veterans is None:
        ruling.lack("/context/veterans", "请补充优抚对象身份类别和年度确认情况。")
    known = None if case.context.veterans is None else status is not None and status.category in amounts
    ruling.require("veteran_identity", known, "veteran")
    if status is None or ruling.standing is not Outcome.ELIGIBLE:
        return ruling.answer(ruling.standing)
    return _grant(case, ruling, status, int(amounts[status.category]))


def _grant(case: Case, ruling: Ruling, status: VeteranStatus, amount_fen: int) -> ProgrammeResult:
    """The yearly confirmation missing, or a ground of suspension, pauses it; it starts in the month of the confirmation."""
    confirmed = status.confirmed_on is not None and status.confirmed_on.year == case.on.year
    ruling.remark("veteran_confirmed_this_year", confirmed, "veteran")
    ruling.remark("veteran_not_suspended", not status.suspended, "veteran")
    if status.suspended or not confirmed:
        return ruling.answer(Outcome.SUSPENDED)
    ruling.note("veteran_month_fen", amount_fen, "veteran", f"定期抚恤补助每月 {yuan_text(amount_fen)} 元，自确认当月起")
    ruling.add("standard", amount_fen, status.member)
    return ruling.answer(Outcome.ELIGIBLE, monthly_fen=amount_fen, starts_month=month_of(case.on))
