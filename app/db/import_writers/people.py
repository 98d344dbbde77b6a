"""Writing people and households: whose number, what changed, who may not, and then everything that is new in whole columns.

A row that says what the last import of it said is left alone, whatever was edited in between. Order and sealing follow one rule:
an identity is settled before anything is sealed under it, and what is on record is only ever changed under its own identity.
The caller holds the kind: one import of people writes at a time in a district.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.import_writers import RunContext, people_known, people_rows, register_writer
from app.db.import_writers.people_changes import change_people, find_changes
from app.db.import_writers.people_households import change_households, open_households
from app.db.import_writers.people_judgement import OnRecord, judge_households, judge_people
from app.db.import_writers.people_rows import KIND, Columns, column
from app.db.import_writers.people_task import Refusals, Task, mark_people, reprint_marks
from app.db.import_writers.people_undo import take_back, what_built_on
from app.db.import_writers.setwise import insert_rows
from app.db.session import raw_connection
from app.domain.access import AreaScope
from app.domain.errors import Unavailable
from app.domain.imports.model import Applied, Block
from app.ids import new_id

#: So many new people are sealed while Postgres writes those before them.
STRIDE = 1_250
RACED = (asyncpg.UniqueViolationError, asyncpg.ExclusionViolationError)


class PeopleWriter:
    """The writer of ``people``."""

    async def write(self, scope: AreaScope, session: AsyncSession, block: Block, run: RunContext) -> Applied:
        """Everybody of the block is unchanged, written, or refused.

        ``Unavailable`` import_raced when somebody else registered one of them at this moment: the block is to be tried again.
        """
        keys = await asyncio.to_thread(people_rows.keys_of, block, run)
        driver = await raw_connection(session)
        marks = await people_known.marks_of(scope, driver, KIND, keys.subjects)
        places = [
            place
            for place, (subject, print_) in enumerate(zip(keys.subjects, keys.fingerprints, strict=True))
            if subject not in marks or marks[subject]["fingerprint"] != print_
        ]
        if not places:
            return Applied(unchanged=len(block))
        try:
            return await self._write(session, Task(scope, driver, block, run, keys, marks, places, Refusals(block)))
        except RACED as raced:
            raise Unavailable("import_raced", "同一人员或家庭正在由他人登记，请稍后重试。") from raced

    async def _write(self, session: AsyncSession, task: Task) -> Applied:
        record = await _judge(task)
        await open_households(task, record)
        left = task.left
        new = [place for place in left if place not in record.people]
        await _add_people(task, new)
        changes = await find_changes(task, record)
        await change_people(task, session, changes)
        joined = [*new, *(change.place for change in changes if change.joins)]
        changed = await change_households(task, session, record, column(task.block, "household_no", joined))
        same = set(left).difference(new, (change.place for change in changes))
        await reprint_marks(task, sorted(same))
        told = [place for place in same if _told(task, place, changed)]
        return Applied(
            created=len(new),
            updated=len(changes) + len(told),
            unchanged=len(task.block) - len(task.places) + len(same) - len(told),
            refused=task.refusals.verdicts(),
        )

    async def what_built_on(
        self,
        scope: AreaScope,
        session: AsyncSession,
        import_id: UUID,
        run: RunContext,  # noqa: ARG002  (the signature of every writer)
    ) -> dict[str, int]:
        """Applications, entitlements, later imports and edits."""
        return await what_built_on(scope, session, import_id)

    async def undo(self, scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> None:
        """Takes people and households away that the import made, and puts back what it changed."""
        await take_back(scope, session, import_id, run)


def _told(task: Task, place: int, changed: set[str]) -> bool:
    """Whether a row that changed nobody has changed its household."""
    if task.value("household_no", place) not in changed:
        return False
    return task.value("relation", place) == "head" or task.value("account_number", place) is not None


async def _judge(task: Task) -> OnRecord:
    """Settles whose numbers these are and refuses what doesn't fit the record."""
    identities = await people_known.claim_identities(task.driver, column(task.block, "id_number", task.places), task.run)
    task.uids = dict(zip(task.places, identities.uids, strict=True))
    registered = await people_known.registered(task.scope, task.driver, list(identities.homes))
    record = OnRecord()
    judge_people(task, identities, registered, record)
    numbers = set(column(task.block, "household_no", task.left))
    record.households = await people_known.households(task.scope, task.driver, numbers)
    present = [household["id"] for household in record.households.values()]
    judge_households(task, record, await people_known.heads(task.scope, task.driver, present) if present else {})
    return record


async def _add_people(task: Task, places: Sequence[int]) -> None:
    """New people, sealed by the stride while the stride before is being written."""
    if not places:
        return
    await _settle(task, places)
    strides = [places[start : start + STRIDE] for start in range(0, len(places), STRIDE)]
    sealing = asyncio.create_task(asyncio.to_thread(_seal, task, strides[0]))
    for number, stride in enumerate(strides, 1):
        people, facts = await sealing
        if number < len(strides):
            sealing = asyncio.create_task(asyncio.to_thread(_seal, task, strides[number]))
        await _insert(task, stride, people, facts)


def _seal(task: Task, places: Sequence[int]) -> tuple[Columns, Columns]:
    ids, uids = [new_id() for _ in places], [task.uids[place] for place in places]
    people = people_rows.person_columns(task.block, places, ids, uids, task.run)
    return people, people_rows.fact_columns(task.block, places, ids, uids, task.run)


async def _settle(task: Task, places: Sequence[int]) -> None:
    """New people are at home here from now on, unless somebody was quicker."""
    homes = {"person_uid": [task.uids[place] for place in places], "area_code": column(task.block, "area_code", places)}
    shared = task.district | {"since": task.run.now}
    if await insert_rows(task.driver, "identity_home", homes, shared, unless_there=True) < len(places):
        raise Unavailable("import_raced", "同一人员正在由他人登记，请稍后重试。")


async def _insert(task: Task, places: Sequence[int], people: Columns, facts: Columns) -> None:
    await insert_rows(task.driver, "person", people, task.written)
    stays = {
        "id": [new_id() for _ in places],
        "area_code": people["area_code"],
        "household_id": [task.household_ids[number] for number in column(task.block, "household_no", places)],
        "person_id": people["id"],
        "relation": column(task.block, "relation", places),
    }
    await insert_rows(task.driver, "household_member", stays, task.recorded)
    await insert_rows(task.driver, "person_fact", facts, task.recorded)
    await mark_people(task, places, people["id"], [1] * len(places), created=True)


register_writer(KIND, PeopleWriter())
