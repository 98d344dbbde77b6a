"""临时救助: accepted where the emergency happened; small and urgent first (社会救助法 第二十九、三十七、五十条)."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import Emergency
from app.domain.eligibility.interplay import require_not_excluded
from app.domain.eligibility.model import Outcome, ProgrammeResult
from app.domain.eligibility.ruling import Ruling
from app.domain.money import yuan_text

CODE = "temporary"


def assess(case: Case) -> Sequence[ProgrammeResult]:
    """One row for the household, by the decision table 临时."""
    ruling = Ruling(CODE, case.on)
    cap_fen = _cap(case, ruling)
    require_not_excluded(case, ruling)
    emergency = case.context.emergency
    if emergency is None:
        ruling.lack("/context/emergency", "请补充遭遇的急难情形、时间、地点和申请金额。")
        ruling.require("emergency_occurred", None, "temporary_target")
        return [ruling.answer(ruling.standing)]
    _require_occurred(case, ruling, emergency)
    _require_place(case, ruling, emergency)
    if emergency.requested_fen is None:
        ruling.lack("/context/emergency/requested_fen", "请补充申请（核定）的救助金额。")
        ruling.require("amount_requested", None, "temporary_amount")
    if ruling.standing is not Outcome.ELIGIBLE or emergency.requested_fen is None:
        return [ruling.answer(ruling.standing)]
    return [_grant(case, ruling, emergency, min(emergency.requested_fen, cap_fen))]


def _require_occurred(case: Case, ruling: Ruling, emergency: Emergency) -> None:
    happened = emergency.occurred_on is None or emergency.occurred_on <= case.on
    ruling.require("emergency_occurred", happened, "temporary_target")


def _require_place(case: Case, ruling: Ruling, emergency: Emergency) -> None:
    """Hukou doesn't matter where the emergency happened; elsewhere only the place of the hukou accepts."""
    area = case.question.area_code
    digits = min(len(area), 9)
    here = emergency.occurred_area is None or emergency.occurred_area[:digits] == area[:digits]
    local = case.context.hukou_local
    if not here and local is None:
        ruling.lack("/context/hukou_local", "急难不发生在本地，请补充是否为本地户籍。")
    met = True if here else local
    ruling.require("applied_where_it_happened", met, "temporary_place", measured=emergency.occurred_area, limit=area[:digits])


def _cap(case: Case, ruling: Ruling) -> int:
    rule = case.policy.mapping("temporary.cap")
    emergency = case.context.emergency
    special = emergency is not None and emergency.special
    months = int(rule["special" if special else "standard_months_per_person"])
    cap_fen = months * case.standard_fen * max(1, case.size)
    because = f"最高不超过低保标准的 {months} 倍 × {max(1, case.size)} 人，即 {yuan_text(cap_fen)} 元"
    ruling.note("temporary_cap_fen", cap_fen, "temporary_amount", because)
    return cap_fen


def _grant(case: Case, ruling: Ruling, emergency: Emergency, amount_fen: int) -> ProgrammeResult:
    outcome = _outcome(case, ruling, emergency, amount_fen)
    requested = yuan_text(emergency.requested_fen or 0)
    ruling.note("temporary_amount_fen", amount_fen, "temporary_amount", f"申请 {requested} 元，救助 {yuan_text(amount_fen)} 元")
    ruling.add("one_off", amount_fen)
    return ruling.answer(outcome, one_off_fen=amount_fen)


def _outcome(case: Case, ruling: Ruling, emergency: Emergency, amount_fen: int) -> Outcome:
    urgent_fen, delegated_fen = case.policy.money("temporary.urgent_first_limit"), case.policy.money("temporary.delegated_limit")
    measured = yuan_text(amount_fen)
    first = emergency.urgent and amount_fen <= urgent_fen
    ruling.remark("urgent_and_within_limit", first, "temporary_urgent", measured=measured, limit=yuan_text(urgent_fen))
    delegated = amount_fen <= delegated_fen
    ruling.remark("within_delegated_limit", delegated, "temporary_amount", measured=measured, limit=yuan_text(delegated_fen))
    if first:
        return Outcome.URGENT_FIRST
    return Outcome.ELIGIBLE if delegated else Outcome.ESCALATE
