"""What strikes about one household: by the record alone, where the rules have nothing to say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest

from app.domain.eligibility import AssessmentQuestion, Household, Member, ParameterBook
from app.domain.eligibility.facts import Relation, Residence
from app.domain.policy.discovery import KnownHousehold, KnownMember, findings_of

ON = date(2026, 8, 15)
HEAD = UUID(int=1)


def known(member: KnownMember, **values: object) -> KnownHousehold:
    head = Member("1", Relation.HEAD, member.birth_date)
    question = AssessmentQuestion(ON, "350702001001", Residence.URBAN, Household((head,)), ())
    household = KnownHousehold(uuid4(), "350702001001", HEAD, (member,), question, False, frozenset(), {})
    return replace(household, **values)  # type: ignore[arg-type]


def person(*draws: str, born: date = date(1980, 1, 1), **values: object) -> KnownMember:
    return replace(KnownMember(HEAD, born, None, draws, None, False), **values)  # type: ignore[arg-type]


def struck(household: KnownHousehold) -> list[tuple[str, str]]:
    return [(one.kind.value, one.programme) for one in findings_of(household, ParameterBook(()), ON)]


@pytest.mark.parametrize(
    ("draws", "expected"),
    [
        (("dibao",), []),
        (("dibao", "tekun"), [("drawn_twice", "tekun")]),
        (("dibao", "dibao"), [("drawn_twice", "dibao")]),
        (("dibao", "dibao_single"), [("drawn_twice", "dibao_single")]),
        (("dibao", "unsupported_child"), []),
        (("dibao", "old_age", "disability_care"), []),
    ],
)
def test_the_livelihood_is_secured_once(draws: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    assert struck(known(person(*draws, born=date(2015, 1, 1)))) == expected


@pytest.mark.parametrize(("born", "found"), [(date(2008, 8, 15), True), (date(2008, 8, 16), False)])
def test_a_childs_allowance_ends_at_eighteen(born: date, found: bool) -> None:
    assert struck(known(person("orphan", born=born))) == ([("drawn_after_coming_of_age", "orphan")] if found else [])


@pytest.mark.parametrize(
    ("since", "severe", "pending", "found"),
    [
        (date(2026, 5, 1), True, frozenset[str](), True),
        (date(2026, 4, 1), True, frozenset[str](), True),
        (date(2026, 3, 31), True, frozenset[str](), False),
        (date(2026, 5, 1), False, frozenset[str](), False),
        (date(2026, 5, 1), True, frozenset({"dibao_single"}), False),
        (None, True, frozenset[str](), False),
    ],
)
def test_an_edge_household_with_a_newly_disabled_member(
    since: date | None, severe: bool, pending: frozenset[str], found: bool
) -> None:
    member = person("dibao_edge", disabled_since=since, severely_disabled=severe)
    household = known(member, drawn_since={"dibao_edge": date(2026, 4, 1)}, pending=pending)
    assert struck(household) == ([("edge_member_disabled", "dibao_single")] if found else [])


def test_the_dead_draw_nothing() -> None:
    member = person("dibao", "old_age", died_on=date(2026, 8, 1))
    assert struck(known(member)) == [("drawn_after_death", "dibao"), ("drawn_after_death", "old_age")]
