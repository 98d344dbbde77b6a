"""What holds for every household, whatever its facts."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.eligibility import AssessmentQuestion, Outcome, ParameterBook, ProgrammeResult, assess
from app.domain.eligibility.codes import COMPONENTS, REASONS, STEPS
from app.domain.eligibility.explanation import NoticeDetails, explain, notice_text
from app.domain.eligibility.facts import Income, IncomeKind
from app.domain.eligibility.income import NEVER_COUNTED, NEVER_COUNTED_FOR_TEKUN
from tests.thorough import examples
from tests.unit.eligibility.families import book
from tests.unit.eligibility.households import AREAS, COUNTED, questions

pytestmark = pytest.mark.thorough
at_hand = settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Not dibao_single: more income of the others may turn a 低保 household into an edge household, which opens 单人户.
MONOTONE = ("dibao", "tekun", "disability_living", "disability_care", "medical", "orphan", "unsupported_child", "old_age")
Answer = tuple[str, str | None]


def answers(question: AssessmentQuestion, parameters: ParameterBook | None = None) -> dict[Answer, ProgrammeResult]:
    assessment = assess(question, parameters or book())
    return {(result.programme, result.member): result for result in assessment.results}


def essence(result: ProgrammeResult) -> tuple[object, ...]:
    """What a decision turns on: not the trace, not the order."""
    components = sorted((part.kind, part.member or "", part.amount_fen) for part in result.components)
    dates = (result.starts_month, result.ends_month, result.next_review_on, result.valid_until)
    return (result.outcome, result.monthly_fen, result.one_off_fen, components, dates)


def benefit(result: ProgrammeResult) -> int:
    return (result.monthly_fen or 0) + (result.one_off_fen or 0)


def with_income(question: AssessmentQuestion, index: int, income: Income) -> AssessmentQuestion:
    members = list(question.household.members)
    member = members[index % len(members)]
    members[index % len(members)] = replace(member, incomes=(*member.incomes, income))
    return replace(question, household=replace(question.household, members=tuple(members)))


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("programme", MONOTONE)
@given(data=st.data())
@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_more_income_never_raises_the_benefit(programme: str, area: str, data: st.DataObject) -> None:
    poorer = data.draw(questions((programme,), area_code=area))
    more = Income(data.draw(st.sampled_from(COUNTED)), data.draw(st.integers(1, 100_000)))
    richer = with_income(poorer, data.draw(st.integers(0, 9)), more)
    before, after = (answers_or_none(asked) for asked in (poorer, richer))
    if before is None or after is None:
        return
    for key, result in after.items():
        assert benefit(result) <= benefit(before[key])


def answers_or_none(question: AssessmentQuestion) -> dict[Answer, ProgrammeResult] | None:
    """Nothing where the area has no parameters of the programme."""
    from app.domain.eligibility import NoPolicyInForce

    try:
        return answers(question)
    except NoPolicyInForce:
        return None


@given(data=st.data())
@at_hand
def test_an_income_left_out_changes_nothing(data: st.DataObject) -> None:
    question = data.draw(questions(("dibao", "dibao_edge", "dibao_single", "tekun"), area_code=AREAS[0]))
    left_out = data.draw(st.sampled_from(sorted(NEVER_COUNTED)))
    changed = with_income(question, data.draw(st.integers(0, 9)), Income(left_out, data.draw(st.integers(0, 10**9))))
    before, after = answers(question), answers(changed)
    assert {key: essence(result) for key, result in before.items()} == {key: essence(result) for key, result in after.items()}


@given(data=st.data(), kind=st.sampled_from(sorted(NEVER_COUNTED_FOR_TEKUN)))
@at_hand
def test_an_income_left_out_of_tekun_changes_nothing_there(data: st.DataObject, kind: IncomeKind) -> None:
    question = data.draw(questions(("tekun",), area_code=AREAS[0]))
    question = replace(question, household=replace(question.household, members=question.household.members[:1]))
    question = replace(question, context=replace(question.context, holds=None))
    before, after = answers(question), answers(with_income(question, 0, Income(kind, 10**9)))
    assert essence(before["tekun", "m1"]) == essence(after["tekun", "m1"])


@given(question=questions(), seed=st.integers(0, 1000))
@at_hand
def test_the_order_of_members_is_irrelevant(question: AssessmentQuestion, seed: int) -> None:
    members = list(question.household.members)
    random.Random(seed).shuffle(members)
    shuffled = replace(question, household=replace(question.household, members=tuple(members)))
    before, after = answers(question), answers(shuffled)
    assert {key: essence(result) for key, result in before.items()} == {key: essence(result) for key, result in after.items()}


@given(question=questions(), seed=st.integers(0, 1000))
@at_hand
def test_a_replay_gives_the_same_answer(question: AssessmentQuestion, seed: int) -> None:
    rows = list(book().rows)
    random.Random(seed).shuffle(rows)
    again = ParameterBook(tuple(rows), demo=True)
    assert assess(question, again) == assess(question, book())


NEVER_BOTH = (
    ("tekun", "dibao"),
    ("tekun", "orphan"),
    ("tekun", "unsupported_child"),
    ("orphan", "unsupported_child"),
    ("dibao", "dibao_edge"),
    ("dibao", "dibao_single"),
    ("dibao", "rigid_expense"),
    ("dibao_edge", "rigid_expense"),
    ("tekun", "dibao_single"),
    ("tekun", "disability_living"),
    ("tekun", "disability_care"),
    ("orphan", "disability_living"),
)


@given(question=questions())
@settings(max_examples=examples(400), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nobody_is_granted_two_that_exclude_each_other(question: AssessmentQuestion) -> None:
    granted = {key for key, result in answers(question).items() if result.outcome.grants}
    for one, other in NEVER_BOTH:
        for member in (None, *(member.ref for member in question.household.members)):
            both = [any((code, who) in granted for who in {None, member}) for code in (one, other)]
            assert not all(both), (one, other, member)


@given(question=questions())
@at_hand
def test_amounts_are_whole_and_explained(question: AssessmentQuestion) -> None:
    assessment = assess(question, book())
    assert {result.programme for result in assessment.results} == {code for code, _ in answers(question)}
    for result in assessment.results:
        if result.outcome.grants:
            assert sum(part.amount_fen for part in result.components) == benefit(result)
        assert benefit(result) >= 0
        assert result.reasons
        assert (result.outcome is Outcome.NEEDS_EVIDENCE) == bool(result.missing)
        assert {reason.code for reason in result.reasons} <= REASONS.keys()
        assert {part.kind for part in result.components} <= COMPONENTS.keys()
        assert {step.step for step in result.trace} <= STEPS.keys()
        assert explain(result)
        assert notice_text(result, NoticeDetails("申请人", "民政局"))


@given(question=questions())
@at_hand
def test_naming_one_programme_or_none_agrees_where_nothing_else_interferes(question: AssessmentQuestion) -> None:
    """Without anything held, dibao named alone is what the whole answer says, unless the request itself grants 特困."""
    question = replace(question, context=replace(question.context, holds=()))
    everything = answers(question)
    if any(result.outcome.grants for (code, _), result in everything.items() if code == "tekun"):
        return
    alone = answers(replace(question, programmes=("dibao",)))
    assert essence(alone["dibao", None]) == essence(everything["dibao", None])
