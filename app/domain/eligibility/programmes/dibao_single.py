"""单人户纳入低保: one person of a household apart from it (民发〔2021〕57号 第八条, 民发〔2022〕83号 一(一))."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.eligibility.assets import require_assets
from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import Absence, Employment, Member
from app.domain.eligibility.household import ADULT_AGE
from app.domain.eligibility.income import IncomeAccount, dibao_items
from app.domain.eligibility.interplay import require_not_excluded
from app.domain.eligibility.model import Outcome, ProgrammeResult
from app.domain.eligibility.programmes.dibao import next_review, note_standard, note_start, require_authorisation
from app.domain.eligibility.ruling import Ruling, all_of, any_of
from app.domain.eligibility.uplift import add_uplifts
from app.domain.money import round_fen, yuan_text

CODE = "dibao_single"
WITHOUT_WORK = (None, Employment.UNEMPLOYED, Employment.NONE)


def assess(case: Case) -> Sequence[ProgrammeResult]:
    """One row per member who may have a ground of his own."""
    return [_assess(case, member) for member in case.concerned(_may_have_ground)]


def _may_have_ground(member: Member) -> bool:
    return member.disability is not None or member.serious_illness or member.absence is Absence.RELIGIOUS_3Y


def _assess(case: Case, member: Member) -> ProgrammeResult:
    ruling = Ruling(CODE, case.on, member.ref)
    require_authorisation(case, ruling)
    require_not_excluded(case, ruling, member.ref)
    _require_ground(case, ruling, member)
    require_assets(ruling, case.household.assets, case.asset_line("dibao_edge"))
    account = IncomeAccount(dibao_items(case.policy, [member]))
    _require_own_income(case, ruling, account)
    if ruling.standing is not Outcome.ELIGIBLE:
        return ruling.answer(ruling.standing)
    return _grant(case, ruling, member, account)


def _require_ground(case: Case, ruling: Ruling, member: Member) -> None:
    """Any one ground is enough; each is a reason of its own."""
    present = member.absence is None
    edge = case.receives("dibao_edge", by_facts=True) if present else False
    disability = member.disability
    disabled = disability is not None and disability.severe_or_grade_3_intellectual_mental
    adult_without_work = (
        present
        and disability is not None
        and disability.severe
        and case.age(member) >= ADULT_AGE
        and member.employment in WITHOUT_WORK
    )
    grounds = {
        "ground_edge_and_disability": all_of(disabled, edge),
        "ground_edge_and_serious_illness": all_of(member.serious_illness, edge),
        "ground_adult_severe_disability_without_work": adult_without_work,
        "ground_religious_three_years": member.absence is Absence.RELIGIOUS_3Y,
    }
    for code, met in grounds.items():
        ruling.remark(code, met, "single")
    ruling.require("single_ground", any_of(*grounds.values()), "single")
    if edge is None:
        _lack_edge(case, ruling)


def _lack_edge(case: Case, ruling: Ruling) -> None:
    for result in case.answers_to("dibao_edge"):
        for missing in result.missing:
            ruling.lack(missing.pointer, missing.message)


def _require_own_income(case: Case, ruling: Ruling, account: IncomeAccount) -> None:
    account.note_on(ruling)
    note_standard(case, ruling)
    met = account.total < case.standard_fen
    limit = yuan_text(case.standard_fen)
    ruling.require("own_income_below_standard", met, "single", measured=yuan_text(account.total), limit=limit)


def _grant(case: Case, ruling: Ruling, member: Member, account: IncomeAccount) -> ProgrammeResult:
    """``standard_minus_own_income``, or ``standard`` where the locality pays the whole standard."""
    whole = case.policy.get("dibao.single_amount") == "standard"
    gap = case.standard_fen if whole else case.standard_fen - account.total
    amount_fen = round_fen(gap, case.policy.rounding("dibao"))
    ruling.note(
        "single_amount_fen", amount_fen, "dibao_amount", f"按单人户计算：低保标准减本人可计收入，为 {yuan_text(amount_fen)} 元"
    )
    ruling.add("base", amount_fen, member.ref)
    add_uplifts(case, ruling, [member], CODE)
    return ruling.answer(
        Outcome.ELIGIBLE,
        monthly_fen=ruling.total_fen,
        starts_month=note_start(case, ruling),
        next_review_on=next_review(case, ruling, [member]),
    )
