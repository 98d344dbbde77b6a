"""医疗救助 (医保部门主管): share of the compliant costs above a threshold, up to a yearly cap (国办发〔2021〕42号)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import MedicalClaim
from app.domain.eligibility.interplay import PASSPORTS, passport_of, require_not_excluded
from app.domain.eligibility.model import Authority, Outcome, ProgrammeResult
from app.domain.eligibility.ruling import Ruling
from app.domain.money import exact, percent_text, round_fen, yuan_text

CODE = "medical"
# Rates are published per kind of household; a 单人户 has the rate of 低保.
_RATE_OF = {"dibao_single": "dibao"}


def assess(case: Case) -> Sequence[ProgrammeResult]:
    """One row for the household's claim and one per member with a claim of his own."""
    rows = [_assess(case, member.ref, member.medical_claim) for member in case.household.members if member.medical_claim]
    if case.context.medical_claim is not None or not rows:
        rows.insert(0, _assess(case, None, case.context.medical_claim))
    return rows


def _assess(case: Case, member: str | None, claim: MedicalClaim | None) -> ProgrammeResult:
    ruling = Ruling(CODE, case.on, member, Authority.HEALTH_SECURITY)
    rates = case.policy.mapping("medical.rates")
    require_not_excluded(case, ruling, member)
    category = _require_category(case, ruling, member, rates)
    if claim is None:
        ruling.lack("/context/medical_claim", "请补充医保报销后的合规自付费用和本年度已救助金额。")
        ruling.require("medical_costs_known", None, "medical")
    if category is None or claim is None or ruling.standing is not Outcome.ELIGIBLE:
        return ruling.answer(ruling.standing)
    return _grant(case, ruling, claim, rates[category])


def _require_category(case: Case, ruling: Ruling, member: str | None, rates: Mapping[str, Any]) -> str | None:
    listed = [
        route.through for route in PASSPORTS if route.programme == CODE and _RATE_OF.get(route.through, route.through) in rates
    ]
    opened, through = passport_of(case, CODE, member, listed)
    if opened is None:
        ruling.lack("/context/current_entitlement", "请补充家庭低保、特困等身份，或补齐测算所需的收入、财产和核对授权。")
    ruling.require("recipient_category", opened, "medical")
    if through is None:
        return None
    ruling.note("recipient_category", through, "medical", f"按“{through}”类别救助", member)
    return _RATE_OF.get(through, through)


def _grant(case: Case, ruling: Ruling, claim: MedicalClaim, rule: Mapping[str, Any]) -> ProgrammeResult:
    threshold, rate = _threshold(case, rule), exact(rule["rate"])
    base = max(Fraction(0), claim.compliant_self_paid_fen - threshold)
    because = f"合规自付 {yuan_text(claim.compliant_self_paid_fen)} 元，减起付标准 {yuan_text(threshold)} 元（目录外费用不计）"
    ruling.note("medical_base_fen", base, "medical", because, ruling.member)
    computed_fen = round_fen(base * rate, case.policy.rounding(CODE))
    ruling.note("medical_share_fen", computed_fen, "medical", f"救助比例 {percent_text(rate)}", ruling.member)
    left_fen = max(0, case.policy.money("medical.annual_cap") - claim.paid_this_year_fen)
    paid_fen = min(computed_fen, left_fen)
    ruling.note(
        "medical_paid_fen", paid_fen, "medical", f"年度限额剩余 {yuan_text(left_fen)} 元，本次救助 {yuan_text(paid_fen)} 元"
    )
    ruling.require(
        "costs_above_threshold",
        base > 0,
        "medical",
        measured=yuan_text(claim.compliant_self_paid_fen),
        limit=yuan_text(threshold),
    )
    cap = yuan_text(case.policy.money("medical.annual_cap"))
    ruling.require("annual_cap_left", left_fen > 0, "medical", measured=yuan_text(claim.paid_this_year_fen), limit=cap)
    ruling.add("one_off", paid_fen, ruling.member)
    return ruling.answer(ruling.standing, one_off_fen=paid_fen)


def _threshold(case: Case, rule: Mapping[str, Any]) -> Fraction:
    share = rule.get("threshold_share_of_disposable")
    if share is None:
        return Fraction(int(rule.get("threshold", 0)))
    return exact(share) * case.policy.money("region.disposable_income_per_capita_year")
