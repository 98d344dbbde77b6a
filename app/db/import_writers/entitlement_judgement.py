"""Which rows of a roll can't be written, by what is on record of their households and people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.import_writers import people_known
from app.db.import_writers.number_lookup import find_people
from app.db.import_writers.payees import HOUSEHOLD_UNKNOWN, Payees
from app.db.import_writers.people_task import Task
from app.db.import_writers.setwise import each_by, rows_of
from app.domain.imports.kinds.entitlements import PER_PERSON

# Those who live there, and those who have left since but are still covered: a roll may go on naming them.
_MEMBERS = f"""
    SELECT who.household_id, bool_or(who.lives) AS lives, person.id, person.person_uid, person.name, person.name_key
    FROM (
        SELECT household_id, person_id, true AS lives FROM {each_by("household_member", "household_id", "uuid", 2)}
        WHERE valid_until IS NULL
        UNION ALL
        SELECT entitlement.household_id, entitlement_member.person_id, false
        FROM {each_by("entitlement", "household_id", "uuid", 2)}
        CROSS JOIN {rows_of("entitlement_member", "entitlement_id", "entitlement.id")}
        WHERE entitlement.state <> 'ended' AND entitlement_member.until_month IS NULL
    ) AS who
    CROSS JOIN {rows_of("person", "id", "who.person_id")}
    GROUP BY who.household_id, person.id, person.person_uid, person.name, person.name_key ORDER BY person.id
"""
_IN_FORCE = f"""
    SELECT entitlement.* FROM {each_by("entitlement", "household_id", "uuid", 2, held=True)} WHERE state <> 'ended' ORDER BY id
"""
_ENROLLED = f"""
    SELECT person_uid, programme, entitlement_id, since_month, until_month FROM {each_by("enrolment", "person_uid", "uuid", 2)}
"""
Person = Mapping[str, Any]


@dataclass(slots=True)
class Roll:
    """One row that can be written: whose it is, and what there is of it already."""

    place: int
    values: Mapping[str, Any]
    household: Any
    person: Person | None
    covered: Sequence[Person]
    category: str
    payee_name: str | None
    entitlement: Any = None
    made_elsewhere: bool = False  # by a decision of this system: a row may only say the same of it

    @property
    def programme(self) -> str:
        found: str = self.values["programme"]
        return found


@dataclass(slots=True)
class Known:
    """What is on record around a block."""

    households: Mapping[str, Any]
    people: Mapping[str, Person]
    members: dict[UUID, list[Person]]
    in_force: Mapping[UUID, Sequence[Any]]  # by household
    enrolled: Mapping[UUID, Sequence[Any]]  # by identity
    payees: Payees


async def judge_rolls(task: Task, session: AsyncSession) -> list[Roll]:
    """The rows that stand; the others are refused, each with its reason."""
    rows = {place: {name: values[place] for name, values in task.block.columns.items()} for place in task.places}
    known = await _look_up(task, session, rows)
    taken: set[tuple[UUID, UUID | None, str]] = set()
    found = []
    for place, row in rows.items():
        known.payees.judge(task, place)
        roll = None if place in task.refusals else _judge(task, place, row, known)
        if roll is not None and _judge_holding(task, roll, known, taken):
            found.append(roll)
    return found


async def _look_up(task: Task, session: AsyncSession, rows: Mapping[int, Mapping[str, Any]]) -> Known:
    households = await people_known.households(task.scope, task.driver, {row["household_no"] for row in rows.values()})
    ids = [household["id"] for household in households.values()]
    members: dict[UUID, list[Person]] = {one: [] for one in ids}
    for member in await task.driver.fetch(_MEMBERS, task.scope.district, ids):
        members[member["household_id"]].append(member)
    numbers = {row["id_number"] for row in rows.values()} - {None}
    numbers.update(number for row in rows.values() for number in row["covered_numbers"] or ())
    people = await find_people(task.scope, session, task.run.blind_index, numbers) if numbers else {}
    uids = {member["person_uid"] for group in members.values() for member in group}
    return Known(
        households,
        people,
        members,
        _grouped(await task.driver.fetch(_IN_FORCE, task.scope.district, ids), "household_id"),
        _grouped(await task.driver.fetch(_ENROLLED, task.scope.district, list(uids)), "person_uid"),
        await Payees.of(task, session),
    )


def _grouped(rows: Sequence[Any], column: str) -> Mapping[UUID, Sequence[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found


def _judge(task: Task, place: int, row: Mapping[str, Any], known: Known) -> Roll | None:
    """Household and people of a row; None when it was refused."""
    household = known.households.get(row["household_no"])
    if household is None:
        task.refusals.refuse(place, "户编号", "household_unknown", HOUSEHOLD_UNKNOWN)
        return None
    about = known.members[household["id"]]
    by_id, members = {one["id"]: one for one in about}, [one for one in about if one["lives"]]
    wanted = (row["id_number"],) if row["programme"] in PER_PERSON else row["covered_numbers"]
    if wanted is None:
        covered = members
        if len(members) != row["covered_count"]:
            text = f"保障人数为 {row['covered_count']}，该户登记成员为 {len(members)} 人；请核对，或填写保障人员身份证号。"
            task.refusals.refuse(place, "保障人数", "covered_differ", text)
            return None
    else:
        found = [by_id.get(known.people[number]["id"]) if number in known.people else None for number in wanted]
        covered = [member for member in found if member is not None]
        if len(covered) < len(found):
            title = "身份证号" if row["programme"] in PER_PERSON else "保障人员身份证号"
            text = "所填人员中有人不是该户现在的成员，请核对身份证号和户编号；尚未登记的请先导入人员。"
            task.refusals.refuse(place, title, "covered_unknown", text)
            return None
    person = covered[0] if row["programme"] in PER_PERSON else None
    payee = known.payees.people.get(row["payee_number"] or "")
    name = None if payee is None else payee["name"]
    return Roll(place, row, household, person, covered, row["residence"] or household["residence"], name)


def _judge_holding(task: Task, roll: Roll, known: Known, taken: set[tuple[UUID, UUID | None, str]]) -> bool:
    """Nobody draws the same twice; what an import made may be changed by one."""
    mark = task.mark(roll.place)
    person_id = roll.person["id"] if roll.person else None
    same = [one for one in known.in_force.get(roll.household["id"], ()) if one["programme"] == roll.programme]
    mine = [one for one in same if one["person_id"] == person_id]
    held = next((one for one in mine if one["since_month"] == roll.values["since_month"]), mine[0] if mine else None)
    roll.made_elsewhere = held is not None and (mark is None or mark["subject_id"] != held["id"])
    if held is not None and task.run.mode == "insert":
        task.refusals.refuse(roll.place, "项目", "already_there", "该待遇已导入，而本次只新增；要更新请改用更新方式导入。")
        return False
    roll.entitlement = held
    own = (roll.household["id"], person_id, roll.programme)
    if own in taken:
        task.refusals.refuse(roll.place, "项目", "duplicate_in_file", "该户（或此人）的同一项目在名册中不止一行，请只保留一行。")
        return False
    if any(
        _drawn_elsewhere(one["person_uid"], roll, known) or (one["person_uid"], None, roll.programme) in taken
        for one in roll.covered
    ):
        text = "保障人员中有人已享受同一项目，不能重复保障（民发〔2022〕83号 三(一)），请先核实并终止其中一处。"
        task.refusals.refuse(roll.place, "保障人员身份证号", "member_already_enrolled", text)
        return False
    taken.update((one["person_uid"], None, roll.programme) for one in roll.covered)
    taken.add(own)
    return True


def _drawn_elsewhere(uid: UUID, roll: Roll, known: Known) -> bool:
    own = roll.entitlement["id"] if roll.entitlement else None
    return any(
        one["programme"] == roll.programme
        and one["entitlement_id"] != own
        and (one["until_month"] is None or one["until_month"] > roll.values["since_month"])
        for one in known.enrolled.get(uid, ())
    )
