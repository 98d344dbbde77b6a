"""受灾人员救助（含冬春救助）(应急管理部门主管): assessed where parameters exist, handed on as a roster (自然灾害救助条例)."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import EmergencyKind
from app.domain.eligibility.interplay import require_not_excluded
from app.domain.eligibility.model import Authority, Outcome, ProgrammeResult
from app.domain.eligibility.ruling import Ruling
from app.domain.money import yuan_text

CODE = "disaster"


def assess(case: Case) -> Sequence[ProgrammeResult]:
    """One row for the household: an amount per person (``disaster.per_person``, fen) after a natural disaster."""
    ruling = Ruling(CODE, case.on, authority=Authority.EMERGENCY)
    per_person_fen = case.policy.money("disaster.per_person")
    require_not_excluded(case, ruling)
    emergency = case.context.emergency
    if emergency is None:
        ruling.lack("/context/emergency", "请补充受灾情况。")
    struck = None if emergency is None else emergency.kind is EmergencyKind.DISASTER
    ruling.require("struck_by_disaster", struck, "disaster")
    if ruling.standing is not Outcome.ELIGIBLE:
        return [ruling.answer(ruling.standing)]
    amount_fen = per_person_fen * case.size
    ruling.note(
        "disaster_fen", amount_fen, "disaster", f"每人 {yuan_text(per_person_fen)} 元，{case.size} 人，转应急管理部门审批"
    )
    ruling.add("one_off", amount_fen)
    return [ruling.answer(Outcome.ELIGIBLE, one_off_fen=amount_fen)]
