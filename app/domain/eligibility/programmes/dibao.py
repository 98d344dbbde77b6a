"""最低生活保障: 补差 or 分档, whole household (社会救助法 第十八条至第二十条, 民发〔2021〕57号)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise

from app.domain.eligibility.assets import require_assets
from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import Employment, Member
from app.domain.eligibility.household import ADULT_AGE
from app.domain.eligibility.interplay import require_not_excluded
from app.domain.eligibility.model import Outcome, ProgrammeResult
from app.domain.eligibility.periods import add_months, month_after
from app.domain.eligibility.ruling import Ruling, all_of
from app.domain.eligibility.uplift import add_uplifts
from app.domain.money import exact, round_fen, yuan_text

CODE = "dibao"


def assess(case: Case) -> Sequence[ProgrammeResult]:
    """One row for the household, by the decision table 低保: the first of refusal, double, assets, income that speaks."""
    ruling = Ruling(CODE, case.on)
    authorised = require_authorisation(case, ruling)
    require_not_excluded(case, ruling)
    require_members(case, ruling)
    require_assets(ruling, case.household.assets, case.asset_line(CODE))
    before_income = ruling.standing
    below = require_income_below_standard(case, ruling)
    if authorised is False:
        return [ruling.answer(Outcome.INELIGIBLE)]
    if below is False and before_income is not Outcome.INELIGIBLE and _leaves_gradually(case):
        return [_gradual_exit(case, ruling, before_income)]
    if ruling.standing is not Outcome.ELIGIBLE:
        return [ruling.answer(ruling.standing)]
    return [_grant(case, ruling)]


# --- conditions -----------------------------------------------------------------------------------------------------------------


def require_authorisation(case: Case, ruling: Ruling) -> bool | None:
    """Consent to verification by every counted adult; a refusal ends the procedure (57号 第二十九条)."""
    authorised = all_of(_household_authorised(case), *(_refused(case, member) for member in case.counted))
    if authorised is None:
        ruling.lack("/household/authorised_verification", "请补充家庭成员是否签署了核对授权。")
    code = "verification_refused" if authorised is False else "verification_authorised"
    return ruling.require(code, authorised, "verification")


def _household_authorised(case: Case) -> bool | None:
    """The household's consent, or that of every counted adult for himself."""
    if case.household.authorised_verification is not None:
        return case.household.authorised_verification
    adults = [member for member in case.counted if case.age(member) >= ADULT_AGE]
    return all_of(*(member.authorised_verification for member in adults)) if adults else None


def _refused(case: Case, member: Member) -> bool:
    return not (member.authorised_verification is False and case.age(member) >= ADULT_AGE)


def require_members(case: Case, ruling: Ruling) -> None:
    case.membership.note_on(ruling)
    ruling.require("household_has_members", case.size > 0, "household_members", measured=str(case.size))


def require_income_below_standard(case: Case, ruling: Ruling) -> bool:
    """Income per head strictly below the standard, compared without any rounding (社会救助法 第十八条)."""
    case.income.note_on(ruling)
    note_standard(case, ruling)
    per_head = income_per_head(case)
    ruling.note("income_per_head_fen", per_head, "dibao_target", f"人均月收入 {yuan_text(per_head)} 元（比较前不舍入）")
    met = per_head < case.standard_fen
    ruling.require("income_below_standard", met, "dibao_target", measured=yuan_text(per_head), limit=yuan_text(case.standard_fen))
    return met


def note_standard(case: Case, ruling: Ruling) -> None:
    residence = "城市" if case.question.residence.value == "urban" else "农村"
    because = f"当地{residence}低保标准每人每月 {yuan_text(case.standard_fen)} 元"
    ruling.note("standard_fen", case.standard_fen, "dibao_standard", because)


def income_per_head(case: Case) -> Fraction:
    return Fraction(case.income.total, max(1, case.size))


# --- the amount -----------------------------------------------------------------------------------------------------------------


def _grant(case: Case, ruling: Ruling) -> ProgrammeResult:
    base_fen = _base(case, ruling)
    ruling.add("base", base_fen)
    cut_fen = _cut_for_refusals(case, ruling, base_fen)
    add_uplifts(case, ruling, case.counted, CODE)
    stopped = cut_fen > 0 and ruling.total_fen == 0
    return ruling.answer(
        Outcome.SUSPENDED if stopped else Outcome.ELIGIBLE,
        monthly_fen=ruling.total_fen,
        starts_month=note_start(case, ruling),
        next_review_on=next_review(case, ruling),
    )


def _base(case: Case, ruling: Ruling) -> int:
    amount_fen = _tier_amount(case, ruling) if case.policy.get("dibao.benefit_mode") == "tiers" else _gap(case, ruling)
    minimum_fen = int(case.policy.find("dibao.minimum_fen") or 0)
    if amount_fen < minimum_fen:
        ruling.note("minimum_fen", minimum_fen, "dibao_amount", f"不足最低发放额，按 {yuan_text(minimum_fen)} 元发给")
    return max(amount_fen, minimum_fen)


def _gap(case: Case, ruling: Ruling) -> int:
    gap = max(0, case.standard_fen * case.size - case.income.total)
    amount_fen = round_fen(gap, case.policy.rounding(CODE))
    because = f"补差：标准 × {case.size} 人 − 家庭月收入 = {yuan_text(amount_fen)} 元"
    ruling.note("gap_fen", amount_fen, "dibao_amount", because)
    return amount_fen


def _tier_amount(case: Case, ruling: Ruling) -> int:
    """The first tier whose line the income per head stays below; the tier's amount doesn't depend on the gap."""
    per_head = income_per_head(case)
    for tier in case.policy.get("dibao.tiers"):
        line = exact(tier["income_below_rate"]) * case.standard_fen
        if per_head < line:
            amount_fen = int(tier["per_person"]) * case.size
            because = (
                f"分档：人均月收入低于 {yuan_text(line)} 元，属 {tier['code']} 档，{case.size} 人共 {yuan_text(amount_fen)} 元"
            )
            ruling.note("tier", str(tier["code"]), "dibao_tiers", because)
            return amount_fen
    ruling.note("tier", None, "dibao_tiers", "人均月收入不在任何档内")
    return 0


def _cut_for_refusals(case: Case, ruling: Ruling, base_fen: int) -> int:
    """Take off the own share of each employable member who refused work too often (57号 第三十四条)."""
    rule = case.policy.find("dibao.job_refusal")
    if rule is None:
        return 0
    times = int(rule["times"])
    refusing = sorted(
        (member for member in case.counted if member.employable and member.job_offers_refused >= times),
        key=lambda member: member.ref,
    )  # by ref, so that the odd fen falls on the same member in whatever order the members are listed
    shares = own_shares(base_fen, case.size) if refusing else ()
    for member, share_fen in zip(refusing, shares, strict=False):
        because = f"无正当理由连续 {member.job_offers_refused} 次拒绝就业，停发本人份额 {yuan_text(share_fen)} 元"
        ruling.note("job_refusal_share_fen", share_fen, "job_refusal", because, member.ref)
        ruling.add("job_refusal_cut", -share_fen, member.ref)
    offered = max((member.job_offers_refused for member in case.counted if member.employable), default=0)
    ruling.remark("job_offers_accepted", not refusing, "job_refusal", measured=str(offered), limit=str(times))
    return sum(shares[: len(refusing)])


def own_shares(amount_fen: int, members: int) -> tuple[int, ...]:
    """A household amount split into own shares that together are exactly the amount."""
    borders = [round_fen(Fraction(amount_fen * index, members)) for index in range(members + 1)]
    return tuple(upper - lower for lower, upper in pairwise(borders))


# --- dates ----------------------------------------------------------------------------------------------------------------------


def note_start(case: Case, ruling: Ruling) -> str:
    """From the month after the confirmation (57号 第二十一条)."""
    month = month_after(case.on)
    ruling.note("starts_month", month, "dibao_start", f"自确认之日下月（{month}）起发放")
    return month


def next_review(case: Case, ruling: Ruling, members: Sequence[Member] | None = None) -> date | None:
    """Every half year where somebody can work and earns irregularly, else every year (57号 第三十一条)."""
    rule = case.policy.find("dibao.review_interval_months")
    if rule is None:
        return None
    variable = any(_earns_irregularly(member) for member in (case.counted if members is None else members))
    months = int(rule["variable" if variable else "stable"])
    due = add_months(case.on, months)
    why = "有劳动能力且收入不固定" if variable else "收入、财产状况相对稳定"
    ruling.note("next_review_on", due.isoformat(), "dibao_review", f"{why}，{months} 个月后核查")
    return due


def _earns_irregularly(member: Member) -> bool:
    return member.employable and member.employment is not Employment.EMPLOYED


# --- gradual exit ---------------------------------------------------------------------------------------------------------------


def _leaves_gradually(case: Case) -> bool:
    """A household on dibao whose income rose above the standard because somebody took up work (57号 第三十三条)."""
    current = case.context.current_entitlement
    on_dibao = current is not None and current.programme == CODE and current.ended_by_employment
    return on_dibao and case.policy.find("dibao.gradual_exit") is not None


def _gradual_exit(case: Case, ruling: Ruling, before_income: Outcome) -> ProgrammeResult:
    rule = case.policy.mapping("dibao.gradual_exit")
    ruling.remark("income_rose_by_employment", True, "gradual_exit")
    months, amount_fen = int(rule["months"]), _exit_amount(case, rule["amount"])
    if amount_fen is None:
        ruling.lack("/context/current_entitlement/monthly_fen", "请补充目前每月领取的低保金额。")
    if amount_fen is None or before_income is not Outcome.ELIGIBLE:
        return ruling.answer(Outcome.NEEDS_EVIDENCE)
    starts, ends = month_after(case.on), month_after(case.on, months)
    because = f"就业后人均收入超过标准，给予 {months} 个月渐退期（{starts} 至 {ends}），每月 {yuan_text(amount_fen)} 元"
    ruling.note("gradual_exit_months", months, "gradual_exit", because)
    ruling.add("gradual_exit", amount_fen)
    return ruling.answer(
        Outcome.GRADUAL_EXIT,
        monthly_fen=amount_fen,
        starts_month=starts,
        ends_month=ends,
        next_review_on=next_review(case, ruling),
    )


def _exit_amount(case: Case, choice: str) -> int | None:
    """``unchanged``, or a share of the present amount as decimal text; None when that amount isn't known."""
    current = case.context.current_entitlement
    amount_fen = current.monthly_fen if current is not None else None
    if amount_fen is None or choice == "unchanged":
        return amount_fen
    return round_fen(amount_fen * exact(choice), case.policy.rounding(CODE))
