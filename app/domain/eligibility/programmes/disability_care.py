"""重度残疾人护理补贴, per person: grades 1 and 2 in need of long-term care (国发〔2015〕52号)."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import Member
from app.domain.eligibility.interplay import HIGHER_OF, HigherOf, require_not_excluded
from app.domain.eligibility.model import Outcome, ProgrammeResult
from app.domain.eligibility.programmes.disability_living import grant, require_certificate, require_listed_grade
from app.domain.eligibility.ruling import Ruling
from app.domain.money import yuan_text

CODE = "disability_care"


def assess(case: Case) -> Sequence[ProgrammeResult]:
    """One row per member with a certificate."""
    return [_assess(case, member) for member in case.concerned(lambda member: member.disability is not None)]


def _assess(case: Case, member: Member) -> ProgrammeResult:
    ruling = Ruling(CODE, case.on, member.ref)
    amounts = case.policy.mapping(f"{CODE}.month")
    require_not_excluded(case, ruling, member.ref)
    require_certificate(ruling, member)
    _require_severity(case, ruling, member)
    disability = member.disability
    ruling.require("needs_long_term_care", disability is not None and disability.needs_care, "disability_subsidy")
    amount_fen = require_listed_grade(ruling, member, amounts)
    if ruling.standing is not Outcome.ELIGIBLE:
        return ruling.answer(ruling.standing)
    return _grant_unless_lower(case, ruling, member, amount_fen)


def _require_severity(case: Case, ruling: Ruling, member: Member) -> None:
    """Grades 1 and 2; grade 3 intellectual or mental where the locality extends it."""
    disability = member.disability
    extended = case.policy.flag(f"{CODE}.extend_to_grade3_intellectual_mental")
    met = disability is not None and (disability.severe or (extended and disability.severe_or_grade_3_intellectual_mental))
    grade = None if disability is None else str(disability.grade)
    ruling.require("grade_severe_enough", met, "disability_subsidy", measured=grade, limit="3" if extended else "2")


def _grant_unless_lower(case: Case, ruling: Ruling, member: Member, amount_fen: int) -> ProgrammeResult:
    """Beside another allowance of the same purpose only the higher one is paid."""
    for rule in HIGHER_OF:
        holding = case.held(rule.other, member.ref) if rule.programme == CODE else None
        if holding is None:
            continue
        if holding.monthly_fen is None:
            ruling.lack("/context/holds", "请补充已享受同类津贴的月金额。")
            ruling.require("higher_allowance_held", None, rule.topic, limit=yuan_text(amount_fen))
            return ruling.answer(ruling.standing)
        if holding.monthly_fen >= amount_fen:
            return _give_way(ruling, rule, holding.monthly_fen, amount_fen)
        ruling.remark(
            "lower_allowance_gives_way", True, rule.topic, measured=yuan_text(holding.monthly_fen), limit=yuan_text(amount_fen)
        )
    return grant(case, ruling, member, amount_fen, "重度残疾人护理补贴")


def _give_way(ruling: Ruling, rule: HigherOf, held_fen: int, amount_fen: int) -> ProgrammeResult:
    because = f"已享受同类津贴每月 {yuan_text(held_fen)} 元，不低于护理补贴 {yuan_text(amount_fen)} 元，择高只发一项"
    ruling.note("higher_allowance_fen", held_fen, rule.topic, because, ruling.member)
    ruling.remark("higher_allowance_held", False, rule.topic, measured=yuan_text(held_fen), limit=yuan_text(amount_fen))
    return ruling.answer(Outcome.INELIGIBLE, monthly_fen=0)
