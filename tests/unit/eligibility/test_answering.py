"""Many questions of one programme each: the way they are computed makes no difference to what is answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.eligibility import Answered, Asked, AssessmentQuestion, Component, Outcome, ParameterBook, answer_each
from app.domain.eligibility.answering_setwise import answer_all, carried, policy_area
from app.domain.eligibility.engine_setwise import SETWISE_PROGRAMMES
from app.domain.eligibility.facts import Holding, Override
from tests.unit.eligibility.families import book, book_with, family, income, person, question
from tests.unit.eligibility.households import AREAS
from tests.unit.eligibility.test_setwise import DAYS, hard, quick

TOGETHER = 1
PROGRAMMES = (*SETWISE_PROGRAMMES, "tekun", "orphan")
Essence = tuple[Outcome, int, list[Component]]


def by_name(part: Component) -> tuple[str, str]:
    return part.kind, part.member or ""


def essence(one: Answered | None) -> Essence | None:
    return None if one is None else (one.outcome, one.monthly_fen, sorted(one.components, key=by_name))


def both(asked: list[Asked], parameters: ParameterBook) -> tuple[list[Essence | None], list[Essence | None]]:
    together, alone = answer_all(asked, parameters, worth_compiling=TOGETHER), answer_each(asked, parameters)
    return [essence(one) for one in together], [essence(one) for one in alone]


@pytest.mark.thorough
@pytest.mark.parametrize("programme", PROGRAMMES)
@given(data=st.data())
@quick
def test_together_or_one_by_one(programme: str, data: st.DataObject) -> None:
    """Households of two districts on several days, about each member, about nobody, and about somebody who isn't there."""
    parameters = book()
    asked: list[Asked] = []
    for _ in range(data.draw(st.integers(1, 5))):
        area, on = data.draw(st.sampled_from(AREAS)), data.draw(st.sampled_from(DAYS))
        drawn: AssessmentQuestion = data.draw(hard(area, on, (programme,), parameters))
        refs = [None, "nobody", *(member.ref for member in drawn.household.members)]
        asked += [Asked(drawn, data.draw(st.sampled_from(refs))) for _ in range(3)]
    together, alone = both(asked, parameters)
    assert together == alone


def poor(**context: Any) -> AssessmentQuestion:
    return question(family(person("m1", incomes=(income("300"),))), "dibao", **context)


def test_facts_that_contradict_themselves_have_no_answer_and_spoil_none() -> None:
    unborn = replace(poor(), household=family(person("m1", born=date(2090, 1, 1))))
    stranger = poor(holds=(Holding("m9", "old_age"),))
    together, alone = both([Asked(unborn), Asked(poor()), Asked(stranger), Asked(poor())], book())
    assert together == alone
    assert [one is None for one in together] == [True, False, True, False]


def test_what_no_twin_carries_is_asked_by_itself() -> None:
    overridden = poor(overrides=(Override("imputed_income", 1, "病休", "m1"),))
    assert not carried(overridden)
    assert not carried(replace(poor(), programmes=("tekun",)))
    together, alone = both([Asked(overridden), Asked(poor())], book())
    assert together == alone
    assert all(together)


def test_a_missing_parameter_leaves_all_without_an_answer() -> None:
    rows = tuple(row for row in book().rows if not row.key.startswith("dibao.standard"))
    assert both([Asked(poor())] * 30, ParameterBook(rows)) == ([None] * 30, [None] * 30)


def test_places_with_the_same_values_share_a_policy() -> None:
    nearest = policy_area(book_with("350702003", {"dibao.minimum_fen": 1}))
    assert nearest("350702003001") == "350702003"
    assert nearest("350702001001") == nearest("350702002") == "350702"
    assert policy_area(ParameterBook(()))("350702001001") == "00"
