"""特困人员救助供养, per person (社会救助法 第十六、十七条, 民发〔2021〕43号)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.domain.eligibility.assets import assets_comply, require_assets
from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import DisabilityCategory, Member, Study
from app.domain.eligibility.household import ADULT_AGE
from app.domain.eligibility.income import IncomeAccount, tekun_items
from app.domain.eligibility.interplay import require_not_excluded
from app.domain.eligibility.model import Outcome, ProgrammeResult
from app.domain.eligibility.obligors import is_incapable, obligors_at_home, standing_of_member, standing_of_obligor
from app.domain.eligibility.periods import add_months, month_after
from app.domain.eligibility.programmes.dibao import note_standard, require_authorisation
from app.domain.eligibility.ruling import Ruling, all_of
from app.domain.money import round_fen, yuan_text

CODE = "tekun"
ELDERLY_AGE = 60
PARTIAL_FROM, FULL_FROM = 1, 4  # items of self-care not managed, of six (43号 第二十二条)
REVIEW_MONTHS = 12  # 民发〔2021〕43号: checked every year

# 43号 第五条: the most severe grade that still counts as without capacity for work, by category.
_GRADE_LIMIT: Mapping[DisabilityCategory, int] = {
    DisabilityCategory.INTELLECTUAL: 3,
    DisabilityCategory.MENTAL: 3,
    DisabilityCategory.PHYSICAL: 2,
    DisabilityCategory.VISION: 1,
}
_STILL_AT_SCHOOL = (Study.COMPULSORY, Study.SENIOR_SECONDARY, Study.VOCATIONAL)
_CARE_TEXT = {"none": "具备生活自理能力", "partial": "部分丧失生活自理能力", "full": "完全丧失生活自理能力"}


def assess(case: Case) -> Sequence[ProgrammeResult]:
    """One row per member who may be without capacity for work."""
    return [_assess(case, member) for member in case.concerned(lambda member: _may_be_meant(case, member))]


def _may_be_meant(case: Case, member: Member) -> bool:
    if member.absence is not None:
        return False
    return member.disability is not None or not ADULT_AGE <= case.age(member) < ELDERLY_AGE


def _assess(case: Case, member: Member) -> ProgrammeResult:
    ruling = Ruling(CODE, case.on, member.ref)
    require_authorisation(case, ruling)
    require_not_excluded(case, ruling, member.ref)
    ruling.require("lives_in_household", member.absence is None, "tekun_target")
    _require_incapacity(case, ruling, member)
    _require_no_income(case, ruling, member)
    require_assets(ruling, case.household.assets, case.asset_line(CODE))
    _require_no_able_obligor(case, ruling, member)
    if ruling.standing is not Outcome.ELIGIBLE:
        return ruling.answer(ruling.standing)
    return _grant(case, ruling, member)


def _require_incapacity(case: Case, ruling: Ruling, member: Member) -> None:
    minor_age = int(case.policy.get("tekun.minor_age"))
    age = case.age(member)
    ruling.note("age", age, "tekun_incapacity", f"业务日周岁 {age} 岁", member.ref)
    grounds = {
        "incapacity_by_old_age": (age >= ELDERLY_AGE, str(age), str(ELDERLY_AGE)),
        "incapacity_as_minor": (age < minor_age, str(age), str(minor_age)),
        "incapacity_by_disability": (_disabled(member), *_grade_texts(member)),
    }
    for code, (met, measured, limit) in grounds.items():
        ruling.remark(code, met, "tekun_incapacity", measured=measured, limit=limit)
    continued = _continues(case, member, age)
    if continued:
        ruling.remark("continues_as_minor_or_pupil", True, "tekun_minor", measured=str(age), limit=str(ADULT_AGE))
    ruling.require("without_capacity_for_work", continued or any(met for met, *_ in grounds.values()), "tekun_incapacity")


def _disabled(member: Member) -> bool:
    disability = member.disability
    return disability is not None and disability.grade <= _GRADE_LIMIT.get(disability.category, 0)


def _grade_texts(member: Member) -> tuple[str | None, str | None]:
    if member.disability is None:
        return None, None
    return str(member.disability.grade), str(_GRADE_LIMIT.get(member.disability.category, 0))


def _continues(case: Case, member: Member, age: int) -> bool:
    """Whoever already draws it keeps it to 18, and beyond while at school below university (社会救助法 第十六条)."""
    draws = case.held(CODE, member.ref) is not None or _current(case)
    return draws and (age < ADULT_AGE or member.study in _STILL_AT_SCHOOL)


def _current(case: Case) -> bool:
    current = case.context.current_entitlement
    return current is not None and current.programme == CODE


def _own_income(case: Case, member: Member) -> IncomeAccount:
    deductible = case.household.deductible_monthly_fen if case.size == 1 else 0
    return IncomeAccount(tekun_items([member]), deductible)


def _require_no_income(case: Case, ruling: Ruling, member: Member) -> None:
    account = _own_income(case, member)
    account.note_on(ruling, "tekun_income")
    note_standard(case, ruling)
    met = account.total < case.standard_fen
    limit = yuan_text(case.standard_fen)
    ruling.require("own_income_below_standard", met, "tekun_income", measured=yuan_text(account.total), limit=limit)


# --- obligors -------------------------------------------------------------------------------------------------------------------


def _require_no_able_obligor(case: Case, ruling: Ruling, member: Member) -> None:
    """Nobody who owes support is able to give it; obligors outside the household are unknown unless they are named."""
    outside = _outside_incapable(case, ruling, member)
    at_home = all_of(*(_incapable_at_home(case, ruling, obligor) for obligor in obligors_at_home(case, member)))
    ruling.require("no_able_obligor", all_of(outside, at_home), "tekun_obligors")


def _outside_incapable(case: Case, ruling: Ruling, member: Member) -> bool | None:
    if case.context.obligors is None:
        ruling.lack("/context/obligors", "请补充法定赡养、抚养、扶养义务人的情况（没有义务人的填空列表）。")
        return None
    standings: list[bool | None] = []
    for index, obligor in enumerate(case.context.obligors):
        incapable = is_incapable(standing_of_obligor(obligor, case.on), lambda: _disposable(case))
        if incapable is None:
            ruling.lack(f"/context/obligors/{index}", "请补充该义务人的出生日期、收入和财产情况。")
        _note_obligor(ruling, incapable, f"第 {index + 1} 名义务人", member.ref)
        standings.append(incapable)
    return all_of(*standings)


def _incapable_at_home(case: Case, ruling: Ruling, obligor: Member) -> bool | None:
    """An obligor at home who himself meets every other condition of 特困 can't support anybody (43号 第八条(一))."""
    if _destitute(case, obligor):
        incapable: bool | None = True
    else:
        incapable = is_incapable(standing_of_member(case, obligor), lambda: _disposable(case))
    if incapable is None:
        ruling.lack("/household/assets", "请补充家庭财产状况（没有财产的填空列表）。")
    _note_obligor(ruling, incapable, "同住的义务人", obligor.ref)
    return incapable


def _destitute(case: Case, member: Member) -> bool:
    incapable = _disabled(member) or case.age(member) >= ELDERLY_AGE
    poor = _own_income(case, member).total < case.standard_fen
    return incapable and poor and assets_comply(case.household.assets, case.asset_line(CODE)) is True


def _disposable(case: Case) -> int:
    return case.policy.money("region.disposable_income_per_capita_year")


def _note_obligor(ruling: Ruling, incapable: bool | None, who: str, ref: str) -> None:
    text = {True: "无履行义务能力", False: "有履行义务能力", None: "履行义务能力待查"}[incapable]
    ruling.note("obligor_incapable", incapable, "tekun_obligors", f"{who}{text}", ref)


# --- the amount -----------------------------------------------------------------------------------------------------------------


def _grant(case: Case, ruling: Ruling, member: Member) -> ProgrammeResult:
    rounding = case.policy.rounding(CODE)
    ratio = case.policy.ratio("tekun.basic_ratio")
    basic_fen = round_fen(ratio * case.standard_fen, rounding)
    ruling.note("tekun_basic_fen", basic_fen, "tekun_amount", f"基本生活标准 {yuan_text(basic_fen)} 元", member.ref)
    ruling.add("tekun_basic", basic_fen, member.ref)
    level = care_level(member.self_care_failed_items)
    care_fen = int(case.policy.mapping("tekun.care_month")[level])
    because = f"自理能力 {member.self_care_failed_items} 项不达标，{_CARE_TEXT[level]}，照料护理标准 {yuan_text(care_fen)} 元"
    ruling.note("care_level", level, "tekun_care", because, member.ref)
    if care_fen:
        ruling.add(f"tekun_care_{level}", care_fen, member.ref)
    if case.receives("dibao"):
        ruling.remark("dibao_ends_for_member", True, "no_double")
    starts = month_after(case.on)
    ruling.note("starts_month", starts, "tekun_start", f"自确认之日下月（{starts}）起供养", member.ref)
    return ruling.answer(
        Outcome.ELIGIBLE,
        monthly_fen=ruling.total_fen,
        starts_month=starts,
        next_review_on=add_months(case.on, REVIEW_MONTHS),
    )


def care_level(failed_items: int) -> str:
    """none, partial or full loss of self-care (43号 第二十二条)."""
    if failed_items >= FULL_FROM:
        return "full"
    return "partial" if failed_items >= PARTIAL_FROM else "none"
