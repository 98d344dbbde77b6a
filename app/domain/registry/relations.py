"""Which relations contradict the head of a household, as a pure rule: one spouse, and generations born in their order.

一夫一妻 (民法典 第一千零四十一条). Only what can't be is found: what is odd but happens, a stepchild older than the head for one,
is entered as ``other``. ``sibling`` and ``other`` contradict nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from app.domain.registry.model import Relation


class Contradiction(StrEnum):
    """What is wrong with a relation, in its published code."""

    TWO_SPOUSES = "head_has_two_spouses"
    NOT_YOUNGER = "not_younger_than_head"
    NOT_OLDER = "not_older_than_head"

    @property
    def advice(self) -> str:
        """What the clerk is told, at the desk and in a file."""
        return _ADVICE[self]


_ADVICE: Final = {
    Contradiction.TWO_SPOUSES: (
        "户主只能有一名配偶（民法典 第一千零四十一条，一夫一妻），请核对与户主关系和身份证号；"
        "原配偶仍共同生活的请填“其他”，已不在该户的请办理迁出。"
    ),
    Contradiction.NOT_YOUNGER: (
        "子女、孙子女不能早于户主出生，请核对与户主关系和身份证号；年长于户主的继子女等特殊情形请填“其他”。"
    ),
    Contradiction.NOT_OLDER: (
        "父母、祖父母不能晚于户主出生，请核对与户主关系和身份证号；年轻于户主的继父母等特殊情形请填“其他”。"
    ),
}
#: Relations whose people are not born before the head, and not after him.
YOUNGER: Final[frozenset[Relation]] = frozenset({"child", "grandchild"})
OLDER: Final[frozenset[Relation]] = frozenset({"parent", "grandparent"})


@dataclass(frozen=True, slots=True)
class Relative:
    """A member as the rule sees him. A birth date that isn't known contradicts nothing."""

    relation: Relation
    birth_date: date | None


def contradictions(members: Sequence[Relative]) -> dict[int, Contradiction]:
    """The members of one household, by their place, whose relation contradicts the head.

    Nothing without exactly one head: whose relations they are isn't known then, and that is refused by itself.
    """
    heads = [member for member in members if member.relation == "head"]
    if len(heads) != 1:
        return {}
    spouses = [place for place, member in enumerate(members) if member.relation == "spouse"]
    found = dict.fromkeys(spouses, Contradiction.TWO_SPOUSES) if len(spouses) > 1 else {}
    for place, member in enumerate(members):
        if (what := _out_of_order(member, heads[0].birth_date)) is not None:
            found[place] = what
    return found


def _out_of_order(member: Relative, head_born: date | None) -> Contradiction | None:
    if member.birth_date is None or head_born is None:
        return None
    if member.relation in YOUNGER and member.birth_date < head_born:
        return Contradiction.NOT_YOUNGER
    if member.relation in OLDER and member.birth_date > head_born:
        return Contradiction.NOT_OLDER
    return None


def brought_by(members: Sequence[Relative], new: Collection[int]) -> dict[int, Contradiction]:
    """The contradictions that the relations at the places ``new`` bring into the household.

    What was on record before stands in nobody's way; but a new head has everybody's relation judged, a new spouse every spouse's.
    """
    found = contradictions(members)
    entered = {members[place].relation for place in new}
    if "head" in entered:
        return found
    spouses = "spouse" in entered
    return {place: what for place, what in found.items() if place in new or (spouses and what is Contradiction.TWO_SPOUSES)}
