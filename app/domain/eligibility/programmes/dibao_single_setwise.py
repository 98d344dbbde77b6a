"""单人户纳入低保, many people at once: the set-wise twin of ``dibao_single``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.domain.eligibility.arithmetic_setwise import below, rounded
from app.domain.eligibility.case_setwise import ELIGIBLE, Answers, Cases, Part, Standing
from app.domain.eligibility.columns_setwise import Column, code_of
from app.domain.eligibility.facts import Absence
from app.domain.eligibility.parameters import NoPolicyInForce
from app.domain.eligibility.programmes.dibao_single import WITHOUT_WORK
from app.domain.eligibility.rules_setwise import severe_disabilities, severe_or_grade_3_disabilities

CODE = "dibao_single"
KEY = "dibao.single_amount"


def assess(cases: Cases) -> Answers:
    """One answer per member who may have a ground of his own."""
    members = _concerned(cases)
    owners = cases.population.owners(members)
    standing = _conditions(cases, members, owners)
    income = np.maximum(cases.own_income[members], 0)
    line = cases.standard_fen[owners] * cases.rules.scale
    standing.require(below(income, np.ones_like(income), line, 1))
    answers = Answers(CODE, standing.outcome(), np.zeros(len(members), dtype=np.int64), (), members)
    return _grant(cases, answers, income)


def _concerned(cases: Cases) -> Column:
    facts = cases.population
    religious = facts.absence == code_of(Absence.RELIGIOUS_3Y)
    return np.flatnonzero((facts.disability_category != 0) | facts.serious_illness.astype(np.bool_) | religious)


def _conditions(cases: Cases, members: Column, owners: Column) -> Standing:
    # Not household_standing: this programme's exclusions are asked for each member.
    refused, unknown = cases.authorisation
    household = Standing(refused.copy(), unknown.copy())
    cases.require_assets(household, "dibao_edge")
    standing = Standing(household.failed[owners], household.unknown[owners])
    standing.failed |= cases.members_excluded(CODE, members)
    yes, open_ones = _ground(cases, members, owners)
    standing.require(yes, ~open_ones)
    return standing


def _ground(cases: Cases, members: Column, owners: Column) -> tuple[Column, Column]:
    """Any one ground is enough (57号 第八条): yes, and unknown."""
    facts, disability = cases.population, cases.disability(members)
    present = facts.absence[members] == 0
    edge, edge_unknown = (found[owners] & present for found in cases.household_receives("dibao_edge"))
    through_edge = severe_or_grade_3_disabilities()[disability] | facts.serious_illness[members].astype(np.bool_)
    idle = np.isin(facts.employment[members], [code_of(one) for one in WITHOUT_WORK])
    yes = through_edge & edge
    yes |= present & severe_disabilities()[disability] & cases.adult[members] & idle
    yes |= facts.absence[members] == code_of(Absence.RELIGIOUS_3Y)
    return yes, through_edge & edge_unknown & ~yes


def _grant(cases: Cases, answers: Answers, income: Column) -> Answers:
    granted = np.flatnonzero(answers.outcome == ELIGIBLE)
    choice = cases.rules.policy.find(KEY)
    if granted.size and choice is None:
        return _withheld(cases, answers, granted)
    if not granted.size or answers.members is None:
        return answers
    members = answers.members[granted]
    owners = cases.population.owners(members)
    needed = cases.standard_fen[owners] * cases.rules.scale
    base = rounded(needed if choice == "standard" else needed - income[granted], cases.rules.scale, cases.rules.rounding)
    uplift, parts = cases.uplifts(cases.rules.uplift(CODE), members, cases.population.residence[owners])
    answers.monthly_fen[granted] = base + uplift
    return replace(answers, parts=(Part("base", members, base, per_member=True), *parts))


def _withheld(cases: Cases, answers: Answers, granted: Column) -> Answers:
    """A grant for which no amount is in force: an error if asked for, else nobody of that household has the programme.

    Raises:
        NoPolicyInForce: the programme was asked for.

    """
    if CODE in cases.asked or answers.members is None:
        raise NoPolicyInForce(KEY, cases.rules.area_code, cases.rules.on)
    owners = cases.population.owners(answers.members)
    return replace(answers, withheld=np.isin(owners, owners[granted]))
