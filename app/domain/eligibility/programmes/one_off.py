"""一次性生活补贴: granted once to 低保 households, inside a period of its own; every ``one_off.*`` key is one grant."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import Residence
from app.domain.eligibility.interplay import require_not_excluded
from app.domain.eligibility.model import Outcome, ProgrammeResult
from app.domain.eligibility.parameters import NoPolicyInForce
from app.domain.eligibility.periods import month_of
from app.domain.eligibility.ruling import Ruling, any_of
from app.domain.money import yuan_text

CODE = "one_off"
PREFIX = "one_off."


def assess(case: Case) -> Sequence[ProgrammeResult]:
    """One row for the household; outside every period there is no policy in force."""
    keys = case.policy.keys_in_force(PREFIX)
    if not keys:
        raise NoPolicyInForce(f"{PREFIX}*", case.policy.area_code, case.on)
    ruling = Ruling(CODE, case.on)
    require_not_excluded(case, ruling)
    on_dibao = _on_dibao(case)
    if on_dibao is None:
        ruling.lack("/context/current_entitlement", "请补充家庭低保情况，或补齐测算低保所需的收入、财产和核对授权。")
    ruling.require("household_in_dibao", on_dibao, "one_off")
    if ruling.standing is not Outcome.ELIGIBLE:
        return [ruling.answer(ruling.standing)]
    for key in keys:
        _add(case, ruling, key)
    return [ruling.answer(Outcome.ELIGIBLE, one_off_fen=ruling.total_fen, starts_month=month_of(case.on))]


def _on_dibao(case: Case) -> bool | None:
    """By the facts or by the current entitlement, whichever says yes."""
    current = case.context.current_entitlement
    drawn = current is not None and current.programme == "dibao"
    return any_of(drawn, case.receives("dibao", by_facts=True))


def _add(case: Case, ruling: Ruling, key: str) -> None:
    kind = "urban" if case.question.residence is Residence.URBAN else "rural"
    rule = case.policy.mapping(key)
    amount_fen = int(rule.get(f"dibao_{kind}_per_household", 0)) + int(rule.get(f"dibao_{kind}_per_person", 0)) * case.size
    because = f"{'城镇' if kind == 'urban' else '农村'}低保户一次性补贴 {yuan_text(amount_fen)} 元"
    ruling.note("one_off_fen", amount_fen, "one_off", because)
    ruling.add("one_off", amount_fen)
