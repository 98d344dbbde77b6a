"""The Chinese a person reads, rendered from the reasons and the trace: no second computation, no second truth.

``explain`` lists what was checked and computed (for the clerk and the file); ``notice_text`` is the body of the 告知书 that a
citizen gets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.domain.eligibility.codes import COMPONENTS, OUTCOMES, PROGRAMMES, REASONS
from app.domain.eligibility.model import Outcome, ProgrammeResult, Reason
from app.domain.money import yuan_text

_MARK = {True: "✓", False: "✗", None: "？"}

Names = Mapping[str, str]
"""Member ref → name, for texts that may show names; a ref without a name is shown as it is."""


def explain(result: ProgrammeResult, names: Names | None = None) -> str:
    """The whole answer in Chinese lines: outcome, every rule checked, every step, the amount by component."""
    return "\n".join(_lines(result, names or {}))


def _lines(result: ProgrammeResult, names: Names) -> Iterator[str]:
    who = f"（{names.get(result.member, result.member)}）" if result.member else ""
    yield f"{_programme(result)}{who}：{OUTCOMES[result.outcome]}{_amount(result)}"
    yield "一、逐条核对"
    yield from (f"{_MARK[reason.met]} {reason_text(reason)}（{reason.article}）" for reason in result.reasons)
    if result.trace:
        yield "二、计算过程"
    for number, step in enumerate(result.trace, start=1):
        about = f"[{names.get(step.member, step.member)}] " if step.member else ""
        yield f"{number}. {about}{step.because}（{step.article}）"
    for missing in result.missing:
        yield f"缺：{missing.message}"


def reason_text(reason: Reason) -> str:
    """One checked rule as a clause, with what was measured and the limit."""
    text = REASONS.get(reason.code)
    if text is None:
        clause = reason.code
    elif reason.met is None:
        clause = f"{text.name}：材料不足，尚不能判断"
    else:
        clause = text.met if reason.met else text.unmet
    facts = [f"实际 {reason.measured}" if reason.measured else "", f"标准 {reason.limit}" if reason.limit else ""]
    shown = "，".join(fact for fact in facts if fact)
    return f"{clause}：{shown}" if shown else clause


@dataclass(frozen=True, slots=True)
class NoticeDetails:
    """What a notice needs besides the answer: addressee, deciding body and how to appeal within how many days."""

    addressee: str
    body: str
    appeal_days: int = 60


def notice_text(result: ProgrammeResult, details: NoticeDetails, names: Names | None = None) -> str:
    """The body of the 告知书: what was decided, why, from when, how much, and what to do against it.

    Only the reasons that decided it are named: those met for a grant, those not met for a refusal.
    """
    lines = [f"{details.addressee}：", _decision(result), *_why(result)]
    lines += _payment(result, names or {})
    lines += [f"需补充：{missing.message}" for missing in result.missing]
    lines.append(f"如对本决定不服，可自收到本告知书之日起 {details.appeal_days} 日内申请行政复议，或在六个月内依法提起行政诉讼。")
    return "\n".join([*lines, details.body])


_DECISIONS: Mapping[Outcome, str] = {
    Outcome.ELIGIBLE: "经审核确认，您（家庭）符合{name}条件。",
    Outcome.GRADUAL_EXIT: "您家庭因就业收入增加超过标准，决定给予{name}渐退期，至 {ends} 止。",
    Outcome.SUSPENDED: "您（家庭）的{name}自次月起暂停发放，情形消除后可恢复。",
    Outcome.NEEDS_EVIDENCE: "您申请的{name}尚缺少材料，现一次性告知如下。",
    Outcome.URGENT_FIRST: "因情况紧急，决定先行给予{name}，手续随后补办。",
    Outcome.ESCALATE: "您申请的{name}金额超过本级审批限额，已报县级民政部门审批。",
    Outcome.INELIGIBLE: "经审核，您（家庭）不符合{name}条件。",
    Outcome.NOT_APPLICABLE: "当地目前没有生效的{name}政策。",
}


def _decision(result: ProgrammeResult) -> str:
    return _DECISIONS[result.outcome].format(name=_programme(result), ends=result.ends_month)


def _why(result: ProgrammeResult) -> list[str]:
    granted = result.outcome.grants
    wanted = (False,) if not granted and result.outcome is not Outcome.NEEDS_EVIDENCE else (True,) if granted else (None,)
    reasons = [reason for reason in result.reasons if reason.met in wanted]
    return [f"{number}. {reason_text(reason)}（依据：{reason.article}）" for number, reason in enumerate(reasons, start=1)]


def _payment(result: ProgrammeResult, names: Names) -> list[str]:
    lines = []
    if result.monthly_fen:
        since = f"自 {result.starts_month} 起" if result.starts_month else ""
        lines.append(f"{since}每月发放 {yuan_text(result.monthly_fen)} 元。")
    if result.one_off_fen:
        lines.append(f"一次性救助 {yuan_text(result.one_off_fen)} 元。")
    if len(result.components) > 1:
        lines += [
            f"　其中{_component(kind.kind, kind.member, names)} {yuan_text(kind.amount_fen)} 元" for kind in result.components
        ]
    if result.next_review_on:
        lines.append(f"下次核查日期：{result.next_review_on.isoformat()}。家庭情况变化请及时报告。")
    if result.valid_until:
        lines.append(f"认定有效期至 {result.valid_until.isoformat()}，到期须重新申请。")
    return lines


def _component(kind: str, member: str | None, names: Names) -> str:
    who = f"（{names.get(member, member)}）" if member else ""
    return f"{COMPONENTS.get(kind, kind)}{who}"


def _amount(result: ProgrammeResult) -> str:
    if result.monthly_fen is not None:
        return f"，每月 {yuan_text(result.monthly_fen)} 元"
    return f"，一次性 {yuan_text(result.one_off_fen)} 元" if result.one_off_fen is not None else ""


def _programme(result: ProgrammeResult) -> str:
    return PROGRAMMES.get(result.programme, result.programme)
