"""What can only be settled once every answer is known: top-ups beside what is drawn or granted in the same request."""

from __future__ import annotations

from dataclasses import replace

from app.domain.eligibility.case import Case
from app.domain.eligibility.interplay import TOP_UPS, TopUp
from app.domain.eligibility.law import cite
from app.domain.eligibility.model import Component, Missing, Outcome, ProgrammeResult, Reason, Step
from app.domain.money import yuan_text


def settle(case: Case) -> None:
    """Replace the rows of each topped-up programme by what is missing beside the other amounts."""
    for rule in TOP_UPS:
        answers = case.answered(rule.programme)
        if answers:
            case.record(rule.programme, tuple(_topped_up(case, rule, result) for result in answers))


def _topped_up(case: Case, rule: TopUp, result: ProgrammeResult) -> ProgrammeResult:
    if result.outcome is not Outcome.ELIGIBLE or result.member is None or result.monthly_fen is None:
        return result
    drawn = [case.drawn_fen(programme, result.member) for programme in rule.against]
    known = [amount for amount in drawn if amount is not None]
    if len(known) < len(drawn):
        return _amount_unknown(case, rule, result)
    return _deducted(case, rule, result, sum(known)) if any(known) else result


def _amount_unknown(case: Case, rule: TopUp, result: ProgrammeResult) -> ProgrammeResult:
    reason = Reason("drawn_below_standard", cite(rule.topic, case.on), None, None, yuan_text(result.monthly_fen or 0))
    return replace(
        result,
        outcome=Outcome.NEEDS_EVIDENCE,
        monthly_fen=None,
        components=(),
        starts_month=None,
        reasons=(*result.reasons, reason),
        missing=(Missing("/context/holds", "请补充已享受保障的月金额。"),),
    )


def _deducted(case: Case, rule: TopUp, result: ProgrammeResult, drawn_fen: int) -> ProgrammeResult:
    gross_fen, article = result.monthly_fen or 0, cite(rule.topic, case.on)
    paid_fen = max(0, gross_fen - drawn_fen)
    because = f"已享受其他保障合计 {yuan_text(drawn_fen)} 元，按标准 {yuan_text(gross_fen)} 元补差 {yuan_text(paid_fen)} 元"
    reason = Reason("drawn_below_standard", article, paid_fen > 0, yuan_text(drawn_fen), yuan_text(gross_fen))
    return replace(
        result,
        outcome=Outcome.ELIGIBLE if paid_fen else Outcome.INELIGIBLE,
        monthly_fen=paid_fen,
        components=(*result.components, Component("top_up_deduction", paid_fen - gross_fen, result.member)),
        starts_month=result.starts_month if paid_fen else None,
        reasons=(*result.reasons, reason),
        trace=(*result.trace, Step("top_up_fen", paid_fen, article, because, result.member)),
    )
