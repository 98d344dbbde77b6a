"""分类施保: whoever still lives in hardship on 低保 gets an uplift, one per person, the highest (57号 第二十七条)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from app.domain.eligibility.case import Case
from app.domain.eligibility.facts import Member
from app.domain.eligibility.household import ADULT_AGE
from app.domain.eligibility.ruling import Ruling
from app.domain.money import exact, percent_text, round_fen, yuan_text

# On equal rates the first one named is paid.
_GROUND_TEXT = {
    "severe_disability": "重度残疾人",
    "serious_illness": "重病患者",
    "elderly": "老年人",
    "minor": "未成年人",
}


def add_uplifts(case: Case, ruling: Ruling, members: Iterable[Member], programme: str) -> None:
    """Add each member's uplift as a component; an area without the parameter has no uplift."""
    rule: Mapping[str, Any] | None = case.policy.find(f"{programme}.uplift")
    if rule is None:
        return
    for member in members:
        best = highest(rule, member, case.age(member))
        if best is not None:
            _add(case, ruling, member, best)


def uplift_fen(case: Case, rate: Fraction) -> int:
    """The amount of one uplift: its share of the standard, rounded as 低保 is."""
    return round_fen(case.standard_fen * rate, case.policy.rounding("dibao"))


def _add(case: Case, ruling: Ruling, member: Member, best: tuple[str, Fraction]) -> None:
    ground, rate = best
    amount_fen = uplift_fen(case, rate)
    because = f"{_GROUND_TEXT[ground]}分类施保，按标准的 {percent_text(rate)} 增发 {yuan_text(amount_fen)} 元，一人只取最高一档"
    ruling.note("uplift_fen", amount_fen, "dibao_uplift", because, member.ref)
    ruling.add(f"uplift_{ground}", amount_fen, member.ref)


def elderly_age(rule: Mapping[str, Any]) -> int:
    return int(rule.get("elderly_from_age", 70))


def highest(rule: Mapping[str, Any], member: Member, age: int) -> tuple[str, Fraction] | None:
    """The ground that pays a member most, and its rate; None when no ground of the rule applies to him."""
    grounds = {
        "severe_disability": member.disability is not None and member.disability.severe,
        "serious_illness": member.serious_illness,
        "elderly": age >= elderly_age(rule),
        "minor": age < ADULT_AGE,
    }
    rates = [(name, exact(rule[name])) for name in _GROUND_TEXT if grounds[name] and name in rule]
    return max(rates, key=lambda pair: pair[1], default=None)
