"""Who belongs to whom, as pure rules on periods: one household at a time, one head at a time.

最低生活保障以共同生活的家庭成员为单位 (社会救助法 第十八条、第十九条), so that at every moment it must be plain who they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from app.domain.errors import Conflict
from app.domain.registry.model import Membership, Relation
from app.domain.registry.refusals import relations_contradict
from app.domain.registry.relations import Relative, brought_by


def check_heads(members: Iterable[Membership]) -> None:
    """At every moment at which anybody belongs to the household, exactly one member is its head."""
    for present in _moments(members):
        heads = sum(stay.relation == "head" for stay in present)
        if heads > 1:
            raise Conflict("household_has_head", "该家庭在该期间已有户主，请先变更户主，或更正与户主的关系。")
        if present and heads == 0:
            raise Conflict("household_without_head", "该家庭还有其他成员，不能没有户主：请先办理变更户主，再为原户主办理迁出。")


def check_relations(members: Iterable[Membership], added: Sequence[Membership], births: Mapping[UUID, date]) -> None:
    """No added stay contradicts the head at any moment, and nobody contradicts an added head.

    ``births``: of the people, where known. What the stays on record say of each other is left alone.
    """
    new = {stay.id for stay in added}
    for present in _moments(members):
        relatives = [Relative(stay.relation, births.get(stay.person_id)) for stay in present]
        found = brought_by(relatives, [place for place, stay in enumerate(present) if stay.id in new])
        if found:
            first = next(iter(found.values()))
            raise relations_contradict(first, [present[place].person_id for place, what in found.items() if what is first])


def _moments(members: Iterable[Membership]) -> list[list[Membership]]:
    """Who belongs to the household from each day on which it changes; stays that never held are left out."""
    stays = [stay for stay in members if stay.valid_until is None or stay.valid_from < stay.valid_until]
    days = {stay.valid_from for stay in stays} | {stay.valid_until for stay in stays if stay.valid_until}
    return [[stay for stay in stays if stay.holds_on(day)] for day in sorted(days)]


def present_stay(stays: Iterable[Membership], person_id: UUID) -> Membership | None:
    """The open stay of a person among these."""
    return next((stay for stay in stays if stay.person_id == person_id and stay.valid_until is None), None)


def ended(stay: Membership, on: date) -> Membership:
    """The stay up to, not including, ``on``; ended on its first day it never held (a correction)."""
    if on < stay.valid_from:
        raise Conflict("leave_before_join", f"迁出日期早于迁入日期（{stay.valid_from}），请核对日期。")
    return replace(stay, valid_until=on)


def overlapping(stays: Iterable[Membership], since: date) -> list[Membership]:
    """The stays that an open-ended one from ``since`` on would run into."""
    return [stay for stay in stays if stay.reaches_past(since)]


def with_new_head(
    members: Sequence[Membership], new_head: UUID, relations: dict[UUID, Relation], on: date
) -> tuple[list[Membership], list[tuple[UUID, Relation]]]:
    """The stays that end on a change of head, and who goes on from that day in which new relation.

    The former head needs a relation to the new one; others keep theirs unless given. Raises ``Conflict``.
    """
    present = [stay for stay in members if stay.valid_until is None]
    former = next((stay for stay in present if stay.relation == "head"), None)
    wanted: dict[UUID, Relation] = {**relations, new_head: "head"}
    if former is not None and former.person_id not in wanted:
        raise Conflict("former_head_relation_required", "请在 relations 中写明原户主与新户主的关系。")
    changing = [stay for stay in present if wanted.get(stay.person_id, stay.relation) != stay.relation]
    return [ended(stay, on) for stay in changing], [(stay.person_id, wanted[stay.person_id]) for stay in changing]


def replaced(members: Iterable[Membership], changes: Iterable[Membership]) -> list[Membership]:
    """The stays with changed and added ones in place of the old."""
    by_id = {stay.id: stay for stay in members}
    by_id.update({stay.id: stay for stay in changes})
    return list(by_id.values())
