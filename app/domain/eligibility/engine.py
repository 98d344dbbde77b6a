"""The one engine: every programme over one question, in the order of precedence, each result with its reasons and its trace."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.eligibility.case import Answers, Case
from app.domain.eligibility.facts import AssessmentQuestion
from app.domain.eligibility.law import cite
from app.domain.eligibility.model import Assessment, Outcome, ProgrammeResult, Reason
from app.domain.eligibility.parameters import NoPolicyInForce, ParameterBook
from app.domain.eligibility.programme import Catalogue, ProgrammeSpec
from app.domain.eligibility.programmes import NATIONAL_CATALOGUE
from app.domain.eligibility.settlement import settle
from app.domain.eligibility.validation import check_question

ENGINE_VERSION = "1"
"""Raised when the same inputs and parameters may give another outcome, amount or code; stored with every decision."""

DEMO_NOTICE = "演示参数"


def assess(question: AssessmentQuestion, book: ParameterBook, catalogue: Catalogue = NATIONAL_CATALOGUE) -> Assessment:
    """Answer a question under the parameters in force on its business date.

    Raises:
        Malformed: the facts contradict themselves (422, with JSON pointers).
        NoPolicyInForce: a programme was named and a key it needs isn't in force on that day (409).

    """
    check_question(question, catalogue)
    policy = book.policy(question.area_code, question.business_date)
    case = Case(question, policy, lambda code: _by_facts(case, catalogue, code))
    asked = frozenset(question.programmes or catalogue.codes)
    for spec in catalogue.specs:
        if spec.code in asked:
            case.record(spec.code, _answers(case, spec, named=question.programmes is not None))
    settle(case)
    return Assessment(
        policy_version=policy.version,
        results=_in_order(case, question.programmes or catalogue.codes),
        parameters_used=policy.used,
        engine_version=ENGINE_VERSION,
        notice=DEMO_NOTICE if book.is_demo(question.area_code) else None,
    )


def _answers(case: Case, spec: ProgrammeSpec, *, named: bool) -> Answers:
    """The programme's rows; where it has no parameters it is an error if named, else not applicable."""
    try:
        return tuple(spec.assess(case))
    except NoPolicyInForce as missing:
        if named:
            raise
        return (_not_applicable(case, spec, missing.key),)


def _by_facts(case: Case, catalogue: Catalogue, code: str) -> Answers:
    """A programme that the request didn't name but another one asks about; without parameters nobody has it."""
    if code not in catalogue.codes:
        return ()
    try:
        return tuple(catalogue.get(code).assess(case))
    except NoPolicyInForce:
        return ()


def _not_applicable(case: Case, spec: ProgrammeSpec, key: str) -> ProgrammeResult:
    reason = Reason("no_policy_in_force", cite("local_policy", case.on), False, limit=key)
    return ProgrammeResult(spec.code, Outcome.NOT_APPLICABLE, authority=spec.authority, reasons=(reason,))


def _in_order(case: Case, codes: Sequence[str]) -> tuple[ProgrammeResult, ...]:
    return tuple(result for code in dict.fromkeys(codes) for result in case.answers_to(code))
