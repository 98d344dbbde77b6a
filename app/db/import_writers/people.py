"""Writing people and households: whose number, what changed, who may not, and then everything that is new in whole columns.

A row that says what the last import of it said is left alone, whatever was edited in between. New people are sealed under
proposed identities; whatever was sealed under one that somebody else has settled first is thrown away, and what is on record is
only ever changed under its own identity.
Several may write at once. Each first claims the identities of its rows, in one order, then holds the people and households on
record, in one order each: whoever comes second waits for the first, and sees what that has written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.import_writers import RunContext, people_known, people_rows, register_writer
from app.db.import_writers.people_changes import Change, change_people, find_changes
from app.db.import_writers.people_households import change_households, open_households
from app.db.import_writers.people_judgement import OnRecord, judge_households, judge_people, judge_relations, restated
from app.db.import_writers.people_rows import KIND, Columns, column
from app.db.import_writers.people_staging import add_people
from app.db.import_writers.people_task import Refusals, Task, reprint_marks
from app.db.import_writers.people_undo import hold_written, take_back, what_built_on
from app.db.import_writers.row_digests import RowDigests
from app.db.import_writers.setwise import new_ids
from app.db.session import raw_connection
from app.domain.access import AreaScope
from app.domain.errors import Unavailable
from app.domain.imports.model import Applied, Block

RACED = (asyncpg.UniqueViolationError, asyncpg.ExclusionViolationError)


class PeopleWriter:
    """The writer of ``people``."""

    def digests_of(self, block: Block, run: RunContext) -> RowDigests:
        return people_rows.digests_of(block, run)

    async def says_nothing_new(self, scope: AreaScope, session: AsyncSession, digests: RowDigests) -> bool:
        return await digests.say_nothing_new(scope, await raw_connection(session), KIND)

    async def write(
        self, scope: AreaScope, session: AsyncSession, block: Block, run: RunContext, digests: RowDigests | None = None
    ) -> Applied:
        """Everybody of the block is unchanged, written, or refused.

        ``Unavailable`` import_raced when somebody else registered one of them at this moment: the block is to be tried again.
        """
        if digests is None or digests.numbers != block.numbers:
            digests = await asyncio.to_thread(people_rows.digests_of, block, run)
        driver = await raw_connection(session)
        marks = {row["place"]: row for row in await digests.news(scope, driver, KIND)}
        places = list(marks)
        if not places:
            return Applied(unchanged=len(block))
        sealed = await asyncio.to_thread(people_rows.seal, block, run, places)
        try:
            return await self._write(session, Task(scope, driver, block, run, digests, marks, Refusals(block)), sealed)
        except RACED as raced:
            raise Unavailable("import_raced", "同一人员或家庭正在由他人登记，请稍后重试。") from raced

    async def _write(self, session: AsyncSession, task: Task, sealed: people_rows.Sealed) -> Applied:
        record = await _judge(task, sealed)
        await open_households(task, record)
        left = task.left
        new = [place for place in left if place not in record.people]
        await _add_new(task, new, sealed)
        changes = await find_changes(task, record)
        await change_people(task, session, changes)
        joined = [*new, *(change.place for change in changes if change.joins)]
        numbers = column(task.block, "household_no", joined)
        changed = await change_households(task, session, record, numbers, _restated(task, new, changes))
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

    async def hold(self, scope: AreaScope, session: AsyncSession, import_id: UUID) -> None:
        await hold_written(scope, session, import_id)

    async def undo(self, scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> None:
        """Takes people and households away that the import made, and puts back what it changed."""
        await take_back(scope, session, import_id, run)


def _restated(task: Task, new: Sequence[int], changes: Sequence[Change]) -> dict[str, set[str]]:
    """Household number → what its head's row says anew. A household may differ from its head: only news of him move it."""
    of_heads = {place: {"residence", "address"} for place in new}
    of_heads |= {change.place: {name.removesuffix("_sealed") for name in change.columns} for change in changes}
    return {
        task.value("household_no", place): names for place, names in of_heads.items() if task.value("relation", place) == "head"
    }


def _told(task: Task, place: int, changed: set[str]) -> bool:
    """Whether a row that changed nobody has changed its household."""
    if task.value("household_no", place) not in changed:
        return False
    return task.value("relation", place) == "head" or task.value("account_number", place) is not None


async def _judge(task: Task, sealed: people_rows.Sealed) -> OnRecord:
    """Settles whose numbers these are and refuses what doesn't fit the record."""
    identities = await people_known.claim_identities(task.driver, sealed.digests, sealed.uids)
    task.uids = dict(zip(task.places, identities.uids, strict=True))
    registered = await people_known.registered(task.scope, task.driver, list(identities.homes), task.run.today)
    record = OnRecord()
    judge_people(task, identities, registered, record)
    numbers = set(column(task.block, "household_no", task.left))
    record.households = await people_known.households(task.scope, task.driver, numbers)
    present = [household["id"] for household in record.households.values()]
    heads = await people_known.heads(task.scope, task.driver, present, task.run.today) if present else {}
    judge_households(task, record, heads)
    rows = restated(task, record)
    judge_relations(task, record, rows, await people_known.members(task.scope, task.driver, rows))
    return record


async def _add_new(task: Task, places: Sequence[int], sealed: people_rows.Sealed) -> None:
    """New people, as they were made ready; whose identity turned out another is sealed anew under that."""
    if not places:
        return
    new = set(places)
    kept = [row for row, place in enumerate(sealed.places) if place in new and task.uids[place] == sealed.uids[row]]
    await _insert(task, [sealed.places[row] for row in kept], *_only(sealed, kept))
    others = sorted(new.difference(sealed.places[row] for row in kept))
    if others:
        uids, ids = [task.uids[place] for place in others], new_ids(len(others))
        people = people_rows.person_columns(task.block, others, ids, uids, task.run)
        await _insert(task, others, people, people_rows.fact_columns(task.block, others, ids, uids, task.run))


def _only(sealed: people_rows.Sealed, kept: Sequence[int]) -> tuple[Columns, Columns]:
    """The columns of the rows that stay, and the facts about them."""
    if len(kept) == len(sealed.places):
        return sealed.people, sealed.facts
    people = {name: [values[row] for row in kept] for name, values in sealed.people.items()}
    ids = set(people["id"])
    stated = [row for row, person in enumerate(sealed.facts["person_id"]) if person in ids]
    return people, {name: [values[row] for row in stated] for name, values in sealed.facts.items()}


async def _insert(task: Task, places: Sequence[int], people: Columns, facts: Columns) -> None:
    if not places:
        return
    await add_people(
        task,
        people
        | {
            "stay_id": new_ids(len(places)),
            "household_id": [task.household_ids[number] for number in column(task.block, "household_no", places)],
            "relation": column(task.block, "relation", places),
            "subject_key": [task.subjects[place] for place in places],
            "fingerprint": [task.fingerprints[place] for place in places],
        },
        facts,
    )


register_writer(KIND, PeopleWriter())
