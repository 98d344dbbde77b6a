"""Which relations contradict the head of a household: every boundary by the day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

import pytest

from app.domain.registry import Contradiction, Relative, contradictions
from app.domain.registry.model import Relation
from app.domain.registry.relations import brought_by

BORN = date(1980, 3, 1)
HEAD = Relative("head", BORN)
BEFORE, SAME, AFTER = (BORN + timedelta(days) for days in (-1, 0, 1))
RELATIONS: tuple[Relation, ...] = get_args(Relation)


@pytest.mark.parametrize(
    ("relation", "born", "found"),
    [
        ("child", BEFORE, Contradiction.NOT_YOUNGER),
        ("child", SAME, None),
        ("child", AFTER, None),
        ("grandchild", BEFORE, Contradiction.NOT_YOUNGER),
        ("grandchild", SAME, None),
        ("grandchild", AFTER, None),
        ("parent", BEFORE, None),
        ("parent", SAME, None),
        ("parent", AFTER, Contradiction.NOT_OLDER),
        ("grandparent", BEFORE, None),
        ("grandparent", SAME, None),
        ("grandparent", AFTER, Contradiction.NOT_OLDER),
        *((relation, born, None) for relation in ("spouse", "sibling", "other") for born in (BEFORE, SAME, AFTER)),
        *((relation, None, None) for relation in RELATIONS if relation != "head"),
    ],
)
def test_generations_are_born_in_their_order(relation: Relation, born: date | None, found: Contradiction | None) -> None:
    wanted = {} if found is None else {1: found}
    assert contradictions([HEAD, Relative(relation, born)]) == wanted
    assert contradictions([Relative("head", None), Relative(relation, born)]) == {}


def test_generations_count_towards_the_head_only() -> None:
    """A grandchild older than the child, a grandparent younger than the parent: whose they are isn't known."""
    others = [Relative("child", date(2010, 1, 1)), Relative("grandchild", date(2000, 1, 1))]
    others += [Relative("parent", date(1940, 1, 1)), Relative("grandparent", date(1950, 1, 1))]
    assert contradictions([*others, HEAD]) == {}


@pytest.mark.parametrize(
    ("relations", "found"),
    [
        (("head",), ()),
        (("head", "spouse"), ()),
        (("head", "spouse", "spouse"), (1, 2)),
        (("spouse", "other", "head", "spouse", "sibling", "spouse"), (0, 3, 5)),
        (("spouse", "spouse"), ()),
        (("head", "head", "spouse", "spouse"), ()),
        ((), ()),
    ],
)
def test_one_head_has_one_spouse(relations: tuple[Relation, ...], found: tuple[int, ...]) -> None:
    members = [Relative(relation, BORN) for relation in relations]
    assert contradictions(members) == dict.fromkeys(found, Contradiction.TWO_SPOUSES)


@pytest.mark.parametrize(
    ("new", "found"),
    [
        ((), ()),
        ((5,), ()),  # somebody else joins: what was on record before stands in nobody's way
        ((3,), (3,)),
        ((4,), (4,)),
        ((1,), (1, 2)),  # of two spouses one is new: it is about both
        ((2, 3), (1, 2, 3)),
        ((0,), (1, 2, 3, 4)),  # everybody's relation is one to the new head
    ],
)
def test_only_what_is_new_is_blamed(new: tuple[int, ...], found: tuple[int, ...]) -> None:
    members = [HEAD, Relative("spouse", BORN), Relative("spouse", BORN)]
    members += [Relative("child", BEFORE), Relative("parent", AFTER), Relative("child", AFTER)]
    assert set(brought_by(members, new)) == set(found)


def test_the_advice_says_what_to_do_and_repeats_no_value() -> None:
    for what in Contradiction:
        assert "请核对与户主关系和身份证号" in what.advice
        assert "请填“其他”" in what.advice
