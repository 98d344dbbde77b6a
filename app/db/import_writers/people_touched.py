"""Imports of other kinds that change a person: his mark goes over to them, and comes back with their undo.

A person has one mark. While another import stands on him it bears that import's name, which is how the import of people finds a
later one in its way. A person whom somebody has edited since his mark was set keeps it: that edit is in the way for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.import_writers import RunContext, people_known
from app.db.import_writers.people_befores import BeforeImage, keep
from app.db.import_writers.people_rows import KIND, person_key
from app.db.import_writers.people_undo import images_of, restore_marks
from app.db.scoping import within
from app.db.session import raw_connection
from app.db.tables.registry import Person
from app.domain.access import AreaScope

PERSON = columns(Person)
_GO_OVER = """
    UPDATE import_mark AS m SET import_id = $3, created = false, subject_version = u.version
    FROM unnest($4::bytea[], $5::int[]) AS u(key, version)
    WHERE m.district = $1 AND m.kind = $2 AND m.subject_key = u.key
"""
_HELD = "SELECT subject_key, subject_version FROM import_mark WHERE district = $1 AND kind = $2 AND import_id = $3"


@dataclass(frozen=True, slots=True)
class Touched:
    """Somebody whom the import changes."""

    id: UUID
    area_code: str
    id_number: str


async def touch(scope: AreaScope, session: AsyncSession, people: Sequence[Touched], run: RunContext) -> None:
    """One version more of each person, as after any change at the desk; his mark is this import's now."""
    versions = await _grow(scope, session, [person.id for person in people], run)
    driver = await raw_connection(session)
    keys = {person_key(run, person.id_number): person for person in people}
    marks = await people_known.marks_of(scope, driver, KIND, list(keys))
    followed = [key for key, mark in marks.items() if mark["subject_version"] == versions.get(keys[key].id, 0) - 1]
    befores = [BeforeImage(KIND, key, keys[key].id, keys[key].area_code, {}, marks[key]) for key in followed]
    await keep(scope, session, run, befores)
    await driver.execute(
        _GO_OVER, scope.district, KIND, run.import_id, followed, [versions[marks[key]["subject_id"]] for key in followed]
    )


async def _grow(scope: AreaScope, session: AsyncSession, ids: Sequence[UUID], run: RunContext) -> dict[UUID, int]:
    statement = sa.update(Person).where(within(scope, PERSON), PERSON.id.in_(ids))
    statement = statement.values(version=PERSON.version + 1, updated_at=run.now).returning(PERSON.id, PERSON.version)
    rows = await session.execute(statement.execution_options(synchronize_session=False))
    return {row.id: row.version for row in rows}


@dataclass(frozen=True, slots=True)
class Held:
    """The marks that an import has taken over, as they stood before, with the versions that they bear now."""

    before: Sequence[Any]
    versions: Mapping[bytes, int]


async def held_marks(scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> Held:
    """To be asked before the marks of the import are taken back."""
    driver = await raw_connection(session)
    before = [row for row, _ in await images_of(scope, driver, import_id, (KIND,), run)]
    rows = await driver.fetch(_HELD, scope.district, KIND, import_id)
    return Held(before, {row["subject_key"]: row["subject_version"] for row in rows})


async def give_back(scope: AreaScope, session: AsyncSession, ids: Sequence[UUID], held: Held, run: RunContext) -> None:
    """One version more of each person; the marks as they stood, at that version where nobody else has edited him meanwhile."""
    versions = await _grow(scope, session, ids, run)
    unedited = {
        row["subject_id"]: versions[row["subject_id"]]
        for row in held.before
        if held.versions.get(row["subject_key"], 0) == versions.get(row["subject_id"], 0) - 1
    }
    await restore_marks(scope, await raw_connection(session), held.before, unedited)
