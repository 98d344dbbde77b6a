"""最低生活保障, many households at once: the set-wise twin of ``dibao``; a property test holds both equal to the fen."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from app.domain.eligibility.arithmetic_setwise import rounded, summed
from app.domain.eligibility.case_setwise import (
    ELIGIBLE,
    GRADUAL_EXIT,
    NEEDS_EVIDENCE,
    SUSPENDED,
    Answers,
    Cases,
    Part,
    Standing,
)
from app.domain.eligibility.columns_setwise import UNKNOWN, Column
from app.domain.money import exact

CODE = "dibao"


def assess(cases: Cases) -> Answers:
    """One answer per household: refusal, double benefit and assets first, then income."""
    standing = household_conditions(cases, CODE)
    cases_below = cases.income_below(*cases.rules.income_line(Fraction(1)))
    outcome = Standing(standing.failed | ~cases_below, standing.unknown).outcome()
    monthly = np.zeros(len(outcome), dtype=np.int64)
    parts = _grant(cases, outcome, monthly)
    parts += _gradual_exit(cases, standing, ~cases_below, outcome, monthly)
    return Answers(CODE, outcome, monthly, parts)


def household_conditions(cases: Cases, programme: str) -> Standing:
    """Everything but income, alike for 低保 and its edge."""
    standing = cases.household_standing(programme)
    standing.require(cases.heads > 0)
    cases.require_assets(standing, programme)
    return standing


# --- the amount -----------------------------------------------------------------------------------------------------------------


def _grant(cases: Cases, outcome: Column, monthly: Column) -> tuple[Part, ...]:
    granted = np.flatnonzero(outcome == ELIGIBLE)
    if not granted.size:
        return ()
    base = _base(cases, granted)
    members = cases.population.members_of(granted)
    counted = members[cases.counts[members]]
    heads = cases.heads[granted]
    uplift, parts = cases.uplifts(cases.rules.uplift(CODE), counted, np.repeat(cases.population.residence[granted], heads))
    total = base + summed(uplift, np.cumsum(heads) - heads)
    cut, cuts = _cut_for_refusals(cases, granted, base, counted)
    total -= cut
    monthly[granted] = total
    outcome[granted[(cut > 0) & (total == 0)]] = SUSPENDED
    return (Part("base", granted, base, per_member=False), *parts, *cuts)


def _base(cases: Cases, granted: Column) -> Column:
    tiers = cases.rules.policy.get("dibao.benefit_mode") == "tiers"
    amount = _tier_amount(cases, granted) if tiers else _gap(cases, granted)
    return np.maximum(amount, int(cases.rules.policy.find("dibao.minimum_fen") or 0))


def _gap(cases: Cases, granted: Column) -> Column:
    rules = cases.rules
    needed = cases.standard_fen[granted] * cases.heads[granted] * rules.scale
    return rounded(needed - cases.income[granted], rules.scale, rules.rounding)


def _tier_amount(cases: Cases, granted: Column) -> Column:
    """The first tier whose line the income per head stays below."""
    amount = np.zeros(len(granted), dtype=np.int64)
    open_ones = np.ones(len(granted), dtype=np.bool_)
    for tier in cases.rules.tiers:
        met = open_ones & cases.income_below(tier.line, tier.denominator)[granted]
        amount[met] = tier.per_person_fen * cases.heads[granted[met]]
        open_ones &= ~met
    return amount


def _cut_for_refusals(cases: Cases, granted: Column, base: Column, counted: Column) -> tuple[Column, tuple[Part, ...]]:
    """The own share of each employable member who refused work too often: the n-th of them loses the n-th share."""
    cut = np.zeros(len(granted), dtype=np.int64)
    rule = cases.rules.policy.find("dibao.job_refusal")
    if rule is None:
        return cut, ()
    facts = cases.population
    refusing = counted[(facts.job_offers_refused[counted] >= int(rule["times"])) & facts.employable[counted]]
    place = np.searchsorted(granted, facts.owners(refusing))
    rank = np.arange(len(refusing)) - np.searchsorted(place, place)
    amount, heads = base[place], cases.heads[granted[place]]
    share = _border(amount, rank + 1, heads) - _border(amount, rank, heads)
    np.add.at(cut, place, share)
    return cut, (Part("job_refusal_cut", refusing, -share, per_member=True),)


def _border(amount: Column, index: Column, heads: Column) -> Column:
    """``index / heads`` of the amount, rounded half up: own shares lie between borders (``dibao.own_shares``)."""
    quotient, rest = np.divmod(amount * index, heads)
    return quotient + (rest >= heads - rest)


# --- gradual exit ---------------------------------------------------------------------------------------------------------------


def _gradual_exit(cases: Cases, standing: Standing, above: Column, outcome: Column, monthly: Column) -> tuple[Part, ...]:
    """Income rose above the standard because somebody took up work (57号 第三十三条)."""
    rule = cases.rules.policy.find("dibao.gradual_exit")
    facts = cases.population
    leaving = np.flatnonzero(above & facts.current_by_employment & cases.drawn(CODE) & ~standing.failed)
    if rule is None or not leaving.size:
        return ()
    current = facts.current_fen[leaving].astype(np.int64)
    certain = (current != UNKNOWN) & ~standing.unknown[leaving]
    outcome[leaving] = np.where(certain, GRADUAL_EXIT, NEEDS_EVIDENCE)
    staying, amount = leaving[certain], current[certain]
    if rule["amount"] != "unchanged":
        share = exact(rule["amount"])
        amount = rounded(amount * share.numerator, share.denominator, cases.rules.rounding)
    monthly[staying] = amount
    return (Part("gradual_exit", staying, amount, per_member=False),)


__all__ = ["assess", "household_conditions"]
