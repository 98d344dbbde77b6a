"""困难残疾人生活补贴, per person: holders of a certificate in a 低保 household (国发〔2015〕52号)."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import Member
from app.domain.eligibility.interplay import passport_of, require_not_excluded
from app.domain.eligibility.model import Outcome, ProgrammeResult
from app.domain.eligibility.periods import month_after, month_of
from app.domain.eligibility.ruling import Ruling
from app.domain.money import yuan_text

CODE = "disability_living"


def assess(case: Case) -> Sequence[ProgrammeResult]:
    """One row per member with a certificate."""
    return [_assess(case, member) for member in case.concerned(lambda member: member.disability is not None)]


def _assess(case: Case, member: Member) -> ProgrammeResult:
    ruling = Ruling(CODE, case.on, member.ref)
    amounts = case.policy.mapping(f"{CODE}.month")
    require_not_excluded(case, ruling, member.ref)
    require_certificate(ruling, member)
    _require_passport(case, ruling, member)
    amount_fen = require_listed_grade(ruling, member, amounts)
    if ruling.standing is not Outcome.ELIGIBLE:
        return ruling.answer(ruling.standing)
    return grant(case, ruling, member, amount_fen, "困难残疾人生活补贴")


def require_certificate(ruling: Ruling, member: Member) -> None:
    ruling.require("disability_certificate", member.disability is not None, "disability_subsidy")


def require_listed_grade(ruling: Ruling, member: Member, amounts: object) -> int:
    """The amount of the member's grade; a grade that the locality doesn't list gets nothing."""
    listed = amounts if isinstance(amounts, dict) else {}
    grade = None if member.disability is None else str(member.disability.grade)
    met = grade in listed
    ruling.require("grade_within_scope", met, "disability_subsidy", measured=grade, limit="、".join(sorted(listed)))
    return int(listed[grade]) if met else 0


def _require_passport(case: Case, ruling: Ruling, member: Member) -> None:
    opened, through = passport_of(case, CODE, member.ref)
    if opened is None:
        ruling.lack("/context/current_entitlement", "请补充家庭低保情况，或补齐测算低保所需的收入、财产和核对授权。")
    ruling.require("member_of_low_income_household", opened, "disability_subsidy")
    if through is not None:
        ruling.note("passport", through, "disability_subsidy", f"凭“{through}”资格享受", member.ref)


def grant(case: Case, ruling: Ruling, member: Member, amount_fen: int, name: str) -> ProgrammeResult:
    """Paid from the month of the application (or the month after it, where the locality says so)."""
    rule = case.policy.find("disability.starts") or "month_of_application"
    starts = month_of(case.on) if rule == "month_of_application" else month_after(case.on)
    ruling.note("standard_by_grade_fen", amount_fen, "disability_subsidy", f"{name}每月 {yuan_text(amount_fen)} 元", member.ref)
    ruling.add("standard", amount_fen, member.ref)
    ruling.note("starts_month", starts, "disability_subsidy", f"自 {starts} 起计发（申请日 {case.on.isoformat()}）", member.ref)
    return ruling.answer(Outcome.ELIGIBLE, monthly_fen=amount_fen, starts_month=starts)
