"""Taking an import of people back: what stands in the way, and how everything is put as it was.

Rows of the registry are deleted only here, under a policy that lets go what the import being undone has made and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.import_writers import RunContext
from app.db.import_writers.people_befores import unpack_mark
from app.db.import_writers.people_changes import CHANGING as PERSON_COLUMNS
from app.db.import_writers.people_changes import SEALED as PERSON_SEALED
from app.db.import_writers.people_households import CHANGING as HOUSEHOLD_COLUMNS
from app.db.import_writers.people_households import SEALED as HOUSEHOLD_SEALED
from app.db.import_writers.people_rows import HOUSEHOLD_KIND, KIND
from app.db.import_writers.plain_images import row_of
from app.db.import_writers.setwise import insert_rows, update_rows
from app.db.session import raw_connection
from app.domain.access import AreaScope
from app.security.fields import Field

_MADE = "SELECT subject_id FROM import_mark WHERE district = $1 AND import_id = $2 AND kind = '{kind}'"
_PEOPLE, _HOUSEHOLDS = _MADE.format(kind=KIND), _MADE.format(kind=HOUSEHOLD_KIND)
_CREATED = " AND created"
_NEW_PEOPLE, _NEW_HOUSEHOLDS = _PEOPLE + _CREATED, _HOUSEHOLDS + _CREATED
_SINCE = "(SELECT requested_at FROM import_run WHERE district = $1 AND id = $2)"


def _about(kind: str, column: str, more: str = "") -> str:
    """Whether a column names a subject of the import: one look-up in an index for each row that asks, however many there are."""
    return f"""EXISTS (
        SELECT 1 FROM import_mark m
        WHERE m.district = $1 AND m.import_id = $2 AND m.kind = '{kind}' AND m.subject_id = {column}{more}
    )"""


def _decided_on(kind: str, column: str, at: str) -> str:
    """Anything about a subject that the import made, and what came later about one that it changed."""
    return _about(kind, column, f" AND (m.created OR {at} >= {_SINCE})")


#: What built on an import, by the code of the blocker. A change of somebody is ground for decisions only: leads, requests and
#: findings ask no more than that he is there.
BLOCKERS = {
    "applications": f"""
        SELECT count(*) FROM application a WHERE a.district = $1 AND (
            {_decided_on(HOUSEHOLD_KIND, "a.household_id", "a.created_at")}
            OR {_decided_on(KIND, "a.applicant_person_id", "a.created_at")}
        )
    """,
    "entitlements": f"""
        SELECT count(*) FROM entitlement e WHERE e.district = $1 AND (
            {_decided_on(HOUSEHOLD_KIND, "e.household_id", "e.created_at")}
            OR EXISTS (
                SELECT 1 FROM entitlement_member c WHERE c.district = $1 AND c.entitlement_id = e.id
                AND {_decided_on(KIND, "c.person_id", "e.created_at")}
            )
        )
    """,
    "leads": f"""
        SELECT count(*) FROM lead l WHERE l.district = $1 AND {_about(HOUSEHOLD_KIND, "l.household_id", " AND m.created")}
    """,
    "service_requests": f"""
        SELECT count(*) FROM service_request r WHERE r.district = $1 AND {_about(KIND, "r.person_id", " AND m.created")}
    """,
    "discovery_findings": f"""
        SELECT count(*) FROM discovery_finding f WHERE f.district = $1 AND f.settled_by IS NOT NULL AND (
            {_about(KIND, "f.person_id", " AND m.created")} OR {_about(HOUSEHOLD_KIND, "f.household_id", " AND m.created")}
        )
    """,
    "later_imports": "SELECT count(*) FROM import_before WHERE district = $1 AND mark_before ->> 'import_id' = $2::text",
    "later_edits": f"""
        SELECT count(*) FROM import_mark m
        LEFT JOIN person p ON m.kind = '{KIND}' AND p.district = m.district AND p.id = m.subject_id
        LEFT JOIN household h ON m.kind = '{HOUSEHOLD_KIND}' AND h.district = m.district AND h.id = m.subject_id
        WHERE m.district = $1 AND m.import_id = $2 AND m.kind IN ('{KIND}', '{HOUSEHOLD_KIND}')
        AND coalesce(p.version, h.version) IS DISTINCT FROM m.subject_version
    """,
}
#: Arrays, not joins: tables that have just been filled have no statistics, and a join might read all marks for every row.
#: Findings that nobody has signed decide nothing, and the next search makes them anew.
REMOVALS = (
    f"DELETE FROM discovery_finding WHERE district = $1 AND settled_by IS NULL AND person_id = ANY (ARRAY({_NEW_PEOPLE}))",
    f"DELETE FROM discovery_finding WHERE district = $1 AND settled_by IS NULL AND household_id = ANY (ARRAY({_NEW_HOUSEHOLDS}))",
    f"DELETE FROM household_member WHERE district = $1 AND person_id = ANY (ARRAY({_NEW_PEOPLE}))",
    f"DELETE FROM person_fact WHERE district = $1 AND person_id = ANY (ARRAY({_NEW_PEOPLE}))",
    f"""
        DELETE FROM identity_home WHERE district = $1 AND person_uid IN (
            SELECT person_uid FROM person WHERE district = $1 AND id = ANY (ARRAY({_NEW_PEOPLE}))
        )
    """,
    f"DELETE FROM person WHERE district = $1 AND id = ANY (ARRAY({_NEW_PEOPLE}))",
    f"DELETE FROM household WHERE district = $1 AND id = ANY (ARRAY({_NEW_HOUSEHOLDS}))",
    f"DELETE FROM import_mark WHERE district = $1 AND import_id = $2 AND kind IN ('{KIND}', '{HOUSEHOLD_KIND}')",
)
_BEFORES = """
    SELECT id, kind, subject_key, subject_id, before_sealed, mark_before::text AS mark_before FROM import_before
    WHERE district = $1 AND import_id = $2 AND kind = ANY($3::text[]) ORDER BY id
"""
_HOLD = """
    SELECT FROM {table} t WHERE t.district = $1
        AND t.id IN (SELECT subject_id FROM import_mark WHERE district = $1 AND import_id = $2)
    ORDER BY t.{order} FOR NO KEY UPDATE
"""
_VERSIONS = "SELECT id, version FROM {table} WHERE district = $1 AND id = ANY($2::uuid[]) FOR NO KEY UPDATE"
_BLOCK = 5_000
Image = tuple[Any, dict[str, Any]]
"""The stored row of a before-image and what it holds."""


async def what_built_on(
    scope: AreaScope, session: AsyncSession, import_id: UUID, blockers: Iterable[str] = tuple(BLOCKERS)
) -> dict[str, int]:
    """Blocker → how many, zeros left out."""
    driver = await raw_connection(session)
    found = {}
    for code in blockers:
        query = BLOCKERS[code]
        subject: Any = str(import_id) if code == "later_imports" else import_id
        if count := await driver.fetchval(query, scope.district, subject):
            found[code] = count
    return found


async def hold_written(scope: AreaScope, session: AsyncSession, import_id: UUID) -> None:
    """People and households that an import wrote, in one order each, as the desk and other imports hold them."""
    driver = await raw_connection(session)
    for table, order in (("person", "person_uid"), ("household", "household_no")):
        await driver.execute(_HOLD.format(table=table, order=order), scope.district, import_id)


async def take_back(scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> None:
    """All of it, in the transaction of the caller, who has looked at ``what_built_on``."""
    driver = await raw_connection(session)
    await driver.execute("SELECT set_config('app.undoing', $1, true)", str(import_id))
    images = await images_of(scope, driver, import_id, (KIND, HOUSEHOLD_KIND), run)
    versions: dict[UUID, int] = {}
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK]
        versions |= await _restore_people(scope, driver, [image for image in block if image[0]["kind"] == KIND], run)
        versions |= await _restore_households(
            scope, driver, [image for image in block if image[0]["kind"] == HOUSEHOLD_KIND], run
        )
    for subject_id in _edited_before(images):
        versions.pop(subject_id, None)
    for removal in REMOVALS:
        arguments = (scope.district, import_id)
        await driver.execute(removal, *arguments)
    await restore_marks(scope, driver, [row for row, _ in images], versions)
    await driver.execute("DELETE FROM import_before WHERE district = $1 AND import_id = $2", scope.district, import_id)
    await driver.execute("SELECT set_config('app.undoing', '', true)")


def _edited_before(images: Sequence[Image]) -> set[UUID]:
    """Whoever had been edited before the import came, after what an earlier one wrote: his mark goes on saying so."""
    found = set()
    for row, content in images:
        wrote = None if row["mark_before"] is None else unpack_mark(orjson.loads(row["mark_before"]))["subject_version"]
        if wrote is not None and wrote != content.get("person", content)["version"]:
            found.add(row["subject_id"])
    return found


async def images_of(scope: AreaScope, driver: Any, import_id: UUID, kinds: Sequence[str], run: RunContext) -> list[Image]:
    """What stood before an import came, in the order in which it was kept."""
    rows = await driver.fetch(_BEFORES, scope.district, import_id, list(kinds))
    return [(row, orjson.loads(run.cipher.open_bytes(Field.JOB_PAYLOAD, row["id"], row["before_sealed"]))) for row in rows]


async def _restore_people(scope: AreaScope, driver: Any, images: Sequence[Image], run: RunContext) -> dict[UUID, int]:
    """Person → the version that he has now: the content goes back, the version never does."""
    contents = [content for _, content in images]
    await _forget(driver, scope, "person_fact", _ids(fact for one in contents for fact in one["facts_added"]))
    await _forget(driver, scope, "household_member", _ids(one["stay_added"] for one in contents if one["stay_added"]))
    superseded = _ids(fact for one in contents for fact in one["facts_superseded"])
    await driver.execute(
        "UPDATE person_fact SET superseded_at = NULL WHERE district = $1 AND id = ANY($2::uuid[])", scope.district, superseded
    )
    stays = [one["stay"] for one in contents if one["stay"]]
    relations = {"id": _ids(stay["id"] for stay in stays), "relation": [stay["relation"] for stay in stays]}
    await update_rows(driver, "household_member", scope.district, relations, "valid_until = t.valid_until")
    people = [row["subject_id"] for row, _ in images]
    values = [row_of(one["person"], PERSON_SEALED, UUID(one["person_uid"]), run.cipher) for one in contents]
    moved = [(person, one["area_code"]) for person, one in zip(people, values, strict=True)]
    versions = await _restore_rows(scope, driver, "person", people, values, PERSON_COLUMNS, run.now)
    await _move_back(scope, driver, moved)
    return versions


async def _restore_households(scope: AreaScope, driver: Any, images: Sequence[Image], run: RunContext) -> dict[UUID, int]:
    households = [row["subject_id"] for row, _ in images]
    values = [row_of(stood, HOUSEHOLD_SEALED, row["subject_id"], run.cipher) for row, stood in images]
    return await _restore_rows(scope, driver, "household", households, values, HOUSEHOLD_COLUMNS, run.now)


async def _restore_rows(
    scope: AreaScope,
    driver: Any,
    table: str,
    ids: Sequence[UUID],
    values: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    now: datetime,
) -> dict[UUID, int]:
    if not ids:
        return {}
    rows = await driver.fetch(_VERSIONS.format(table=table), scope.district, list(ids))
    versions = {row["id"]: row["version"] + 1 for row in rows}
    columns: dict[str, list[Any]] = {"id": list(ids)}
    columns |= {name: [one[name] for one in values] for name in names}
    columns["version"] = [versions[one] for one in ids]
    await update_rows(driver, table, scope.district, columns, "updated_at = $1", now)
    return versions


def _ids(texts: Iterable[str]) -> list[UUID]:
    return [UUID(text) for text in texts]


async def _forget(driver: Any, scope: AreaScope, table: str, ids: Sequence[UUID]) -> None:
    if ids:
        await driver.execute(f"DELETE FROM {table} WHERE district = $1 AND id = ANY($2::uuid[])", scope.district, ids)


async def _move_back(scope: AreaScope, driver: Any, moved: Sequence[tuple[UUID, str]]) -> None:
    """Facts and home stand where the person does."""
    people, areas = [person for person, _ in moved], [area for _, area in moved]
    pairs = "unnest($2::uuid[], $3::text[]) AS u(person_id, area_code)"
    await driver.execute(
        f"UPDATE person_fact AS f SET area_code = u.area_code FROM {pairs}"
        " WHERE f.district = $1 AND f.person_id = u.person_id AND f.area_code <> u.area_code",
        scope.district,
        people,
        areas,
    )
    await driver.execute(
        f"UPDATE identity_home AS h SET area_code = u.area_code FROM {pairs}"
        " JOIN person p ON p.district = $1 AND p.id = u.person_id"
        " WHERE h.person_uid = p.person_uid AND h.district = $1 AND h.area_code <> u.area_code",
        scope.district,
        people,
        areas,
    )


async def restore_marks(scope: AreaScope, driver: Any, rows: Sequence[Any], versions: Mapping[UUID, int]) -> None:
    """The marks that stood before, at the versions that their subjects have now."""
    marked = [(row, unpack_mark(orjson.loads(row["mark_before"]))) for row in rows if row["mark_before"] is not None]
    columns = {
        "kind": [row["kind"] for row, _ in marked],
        "subject_key": [row["subject_key"] for row, _ in marked],
        **{
            name: [mark[name] for _, mark in marked]
            for name in ("area_code", "subject_id", "fingerprint", "import_id", "created")
        },
        "subject_version": [versions.get(mark["subject_id"], mark["subject_version"]) for _, mark in marked],
    }
    await insert_rows(driver, "import_mark", columns, {"district": scope.district})
