"""高龄津贴, per person, by age band; paused while the yearly survival confirmation is missing (老年人权益保障法 第三十三条)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import Member
from app.domain.eligibility.interplay import require_not_excluded
from app.domain.eligibility.model import Outcome, ProgrammeResult
from app.domain.eligibility.periods import add_months, birthday_in, month_after, month_of
from app.domain.eligibility.ruling import Ruling
from app.domain.money import yuan_text

CODE = "old_age"
LIKELY_AGE = 60


def assess(case: Case) -> Sequence[ProgrammeResult]:
    """One row per elderly member."""
    return [_assess(case, member) for member in case.concerned(lambda member: case.age(member) >= LIKELY_AGE)]


def _assess(case: Case, member: Member) -> ProgrammeResult:
    ruling = Ruling(CODE, case.on, member.ref)
    bands: Mapping[str, int] = case.policy.mapping("old_age.month")
    require_not_excluded(case, ruling, member.ref)
    _require_local(case, ruling, member)
    age, lowest = case.age(member), min(int(band) for band in bands)
    ruling.note("age", age, "old_age", f"业务日周岁 {age} 岁", member.ref)
    ruling.require("age_reached", age >= lowest, "old_age", measured=str(age), limit=str(lowest))
    confirmed = _check_survival(case, ruling, member)
    if ruling.standing is not Outcome.ELIGIBLE:
        return ruling.answer(ruling.standing)
    if not confirmed:
        return ruling.answer(Outcome.SUSPENDED)
    return _grant(case, ruling, member, bands)


def _require_local(case: Case, ruling: Ruling, member: Member) -> None:
    local = member.hukou_local if member.hukou_local is not None else case.context.hukou_local
    if local is None:
        ruling.lack("/context/hukou_local", "请补充是否为本地户籍。")
    ruling.require("hukou_local", local, "old_age")


def _check_survival(case: Case, ruling: Ruling, member: Member) -> bool:
    """Not confirmed in time pauses the allowance; it doesn't refuse it. An area without the key asks for no confirmation."""
    months = case.policy.find("old_age.survival_confirmation_months")
    if months is None:
        return True
    confirmed_on = member.survival_confirmed_on or case.context.survival_confirmed_on
    oldest = add_months(case.on, -int(months))
    met = confirmed_on is not None and confirmed_on >= oldest
    measured = None if confirmed_on is None else confirmed_on.isoformat()
    ruling.remark("survival_confirmed", met, "old_age", measured=measured, limit=oldest.isoformat())
    if not met:
        ruling.note("suspended", True, "old_age", "未在规定期限内完成生存认证，次月起暂停，补认证后补发", member.ref)
    return met


def _grant(case: Case, ruling: Ruling, member: Member, bands: Mapping[str, int]) -> ProgrammeResult:
    band = max(int(band) for band in bands if int(band) <= case.age(member))
    amount_fen = int(bands[str(band)])
    ruling.note("age_band", band, "old_age", f"{band} 周岁及以上档，每月 {yuan_text(amount_fen)} 元", member.ref)
    ruling.add("standard", amount_fen, member.ref)
    starts = _starts(case, member, band)
    ruling.note("starts_month", starts, "old_age", f"本档自 {starts} 起计发", member.ref)
    return ruling.answer(Outcome.ELIGIBLE, monthly_fen=amount_fen, starts_month=starts)


def _starts(case: Case, member: Member, band: int) -> str:
    """The month of the birthday that opened the band, or the month after it; never before the month of the decision."""
    rule = case.policy.get("old_age.starts")
    birthday = birthday_in(member.birth_date, member.birth_date.year + band)
    opened = month_of(birthday) if rule == "birthday_month" else month_after(birthday)
    return max(opened, month_of(date(case.on.year, case.on.month, 1)))
