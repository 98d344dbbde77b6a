"""Which rows can't be written, by what is on record: worded as the registry words its own refusals, never saying where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.db.import_writers.people_known import Identities, Record, Registered
from app.db.import_writers.people_rows import birth_date
from app.db.import_writers.people_task import Task
from app.domain.registry.refusals import in_other_household, registered_elsewhere
from app.domain.registry.relations import Relative, brought_by


@dataclass(slots=True)
class OnRecord:
    """The registered people of a block by place, with their open stays, and the households that exist, by number."""

    people: dict[int, Any] = field(default_factory=dict)
    stays: dict[int, Any] = field(default_factory=dict)
    households: dict[str, Any] = field(default_factory=dict)


def judge_people(task: Task, identities: Identities, registered: Registered, record: OnRecord) -> None:
    """Finds out who is registered here already, and refuses whoever is registered elsewhere."""
    for place in task.places:
        uid = task.uids[place]
        home, person = identities.homes.get(uid), registered.people.get(uid)
        if home is None:
            continue
        if person is None or home[0] != task.scope.district or not task.scope.covers(home[1]):
            task.refusals.refuse(place, "身份证号", "person_already_registered", registered_elsewhere().detail)
        elif task.run.mode == "insert":
            task.refusals.refuse(place, "身份证号", "already_there", "此人已登记，而本次只新增；要更新请改用更新方式导入。")
        else:
            record.people[place] = person
            if stay := registered.stays.get(person["id"]):
                record.stays[place] = stay


def judge_households(task: Task, record: OnRecord, heads: dict[UUID, UUID]) -> None:
    """Refuses rows that don't fit the household on record, and with them the rest of their household."""
    for place in task.left:
        household = record.households.get(task.value("household_no", place))
        stay = record.stays.get(place)
        if household is not None and household["area_code"] != task.value("area_code", place):
            text = "该户编号登记在其他村（社区），请核对户编号和区划代码；全户迁居请先办理迁转。"
            task.refusals.refuse(place, "区划代码", "household_in_other_area", text)
        elif stay is not None and stay["valid_until"] is not None:
            text = "此人办理了迁出，在本次导入的日期之后生效；请重新上传文件导入。"
            task.refusals.refuse(place, "户编号", "person_in_other_household", text)
        elif stay is not None and (household is None or stay["household_id"] != household["id"]):
            task.refusals.refuse(place, "户编号", "person_in_other_household", in_other_household(None, None).detail)
        elif household is not None:
            _judge_head(task, place, record, heads.get(household["id"]))
    task.refusals.hold_back_households(task.left)


def _judge_head(task: Task, place: int, record: OnRecord, head: UUID | None) -> None:
    person = record.people.get(place)
    is_head = person is not None and head == person["id"]
    if task.value("relation", place) == "head" and head is not None and not is_head:
        text = "该家庭已有户主，请先变更户主，或更正与户主的关系。"
        task.refusals.refuse(place, "与户主关系", "household_has_head", text)
    elif is_head and task.value("relation", place) != "head":
        text = "此人现为该户户主，家庭不能没有户主；请先办理变更户主，再导入新的关系。"
        task.refusals.refuse(place, "与户主关系", "household_without_head", text)


def restated(task: Task, record: OnRecord) -> dict[UUID, list[int]]:
    """Household on record → the rows of people who join it, or stand to its head otherwise than before."""
    found: dict[UUID, list[int]] = {}
    if not record.households:
        return found
    for place in task.left:
        household, stay = record.households.get(task.value("household_no", place)), record.stays.get(place)
        if household is not None and (stay is None or stay["relation"] != task.value("relation", place)):
            found.setdefault(household["id"], []).append(place)
    return found


def judge_relations(
    task: Task, record: OnRecord, rows: Mapping[UUID, Sequence[int]], members: Mapping[UUID, Sequence[Record]]
) -> None:
    """Refuses restated relations that contradict the household as it would be with them, and the rest of their household."""
    for household, places in rows.items():
        _judge_relations(task, record, places, members.get(household, ()))
    if rows:
        task.refusals.hold_back_households(task.left)


def _judge_relations(task: Task, record: OnRecord, places: Sequence[int], members: Sequence[Record]) -> None:
    """Whoever is in no restated row stays as he is on record. Where a new head has the others' relations judged, he is blamed."""
    told = {record.people[place]["id"] for place in places if place in record.people}
    others = [member for member in members if member["person_id"] not in told]
    relatives = [Relative(task.value("relation", place), birth_date(task.value("id_number", place))) for place in places]
    relatives += [Relative(member["relation"], member["birth_date"]) for member in others]
    head = next((place for place in places if task.value("relation", place) == "head"), None)
    for row, what in brought_by(relatives, range(len(places))).items():
        blamed = places[row] if row < len(places) else head
        if blamed is not None:
            task.refusals.refuse(blamed, "与户主关系", what, what.advice)
