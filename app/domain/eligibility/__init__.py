"""Eligibility: facts in, dated parameters in, all answers out. Pure: no clock, no storage, no settings.

The one entry point is ``assess(question: AssessmentQuestion, book: ParameterBook) -> Assessment``::

    book = ParameterBook(rows_of(parsed_yaml), demo=True)          # or rows loaded from the database
    assessment = assess(AssessmentQuestion(business_date, area_code, residence, household, programmes=("dibao",)), book)
    result = assessment.of("dibao")                                # ProgrammeResult: outcome, monthly_fen, reasons, trace …
    assessment.policy_version, assessment.parameters_used, assessment.engine_version     # what a decision stores beside it

``Malformed`` (422) names contradictory facts, ``NoPolicyInForce`` (a ``Conflict``, 409) a named programme without parameters.
"""

from __future__ import annotations

from app.domain.eligibility.answering import Answered, Answering, Asked, answer_each, in_force
from app.domain.eligibility.engine import ENGINE_VERSION, assess
from app.domain.eligibility.facts import AssessmentQuestion, Context, Household, Member
from app.domain.eligibility.model import Assessment, Component, Missing, Outcome, ProgrammeResult, Reason, Step
from app.domain.eligibility.parameters import NoPolicyInForce, ParameterBook, ParameterRow, Policy, content_hash
from app.domain.eligibility.policy_document import relocated, rows_of
from app.domain.eligibility.programmes import NATIONAL_CATALOGUE
from app.domain.eligibility.replay import Drift, StoredAnswer, identity_of, replay

__all__ = [
    "ENGINE_VERSION",
    "NATIONAL_CATALOGUE",
    "Answered",
    "Answering",
    "Asked",
    "Assessment",
    "AssessmentQuestion",
    "Component",
    "Context",
    "Drift",
    "Household",
    "Member",
    "Missing",
    "NoPolicyInForce",
    "Outcome",
    "ParameterBook",
    "ParameterRow",
    "Policy",
    "ProgrammeResult",
    "Reason",
    "Step",
    "StoredAnswer",
    "answer_each",
    "assess",
    "content_hash",
    "identity_of",
    "in_force",
    "relocated",
    "replay",
    "rows_of",
]
