"""What is on record already of the people and households of a block, asked set-wise through the walls."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from app.db.import_writers.setwise import each_by, insert_rows
from app.domain.access import AreaScope

_MARKS = """
    SELECT subject_key, subject_id, area_code, fingerprint, import_id, created, subject_version FROM import_mark
    WHERE district = $1 AND kind = $2 AND subject_key = ANY($3::bytea[])
"""
_KNOWN = "SELECT bidx, person_uid FROM identity_key WHERE index_version = $1 AND bidx = ANY($2::bytea[])"
_HOMES = "SELECT person_uid, district, area_code FROM identity_home WHERE person_uid = ANY($1::uuid[])"
_PEOPLE = f"SELECT person.* FROM {each_by('person', 'person_uid', 'uuid', 2, held=True)}"
#: An import goes by the day on which it was asked for; who moves out after that day is still there. The open stay comes last.
_NOT_OVER = "(valid_until IS NULL OR valid_until > $3 AND valid_from < valid_until)"
_STAYS = f"""
    SELECT id, household_id, person_id, relation, valid_until FROM {each_by("household_member", "person_id", "uuid", 2)}
    WHERE {_NOT_OVER} ORDER BY valid_until
"""
_HEADS = f"""
    SELECT household_id, person_id FROM {each_by("household_member", "household_id", "uuid", 2)}
    WHERE {_NOT_OVER} AND relation = 'head' ORDER BY valid_until
"""
_MEMBERS = f"""
    SELECT household_member.household_id, household_member.person_id, household_member.relation, born.birth_date
    FROM {each_by("household_member", "household_id", "uuid", 2)}
    LEFT JOIN LATERAL (
        SELECT birth_date FROM person WHERE person.district = $1 AND person.id = household_member.person_id OFFSET 0
    ) AS born ON true
    WHERE household_member.valid_until IS NULL
"""
_HOUSEHOLDS = f"SELECT household.* FROM {each_by('household', 'household_no', 'text', 2, held=True)}"
_FACTS = f"""
    SELECT DISTINCT ON (person_id, kind) person_id, kind, value::text AS value
    FROM {each_by("person_fact", "person_id", "uuid", 2)}
    WHERE valid_from <= $3 AND superseded_at IS NULL
    ORDER BY person_id, kind, valid_from DESC
"""
Record = Any
"""A row as the driver hands it over: by column name."""


@dataclass(slots=True)
class Identities:
    """Of each ID number: whose it is (maybe a new identity), and where that person is registered."""

    uids: list[UUID]
    homes: dict[UUID, tuple[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class Registered:
    """The registered people of a block by identity, their stays by person: the open one, else one that ends later."""

    people: dict[UUID, Record]
    stays: dict[UUID, Record]


async def marks_of(scope: AreaScope, driver: Any, kind: str, keys: Sequence[bytes]) -> dict[bytes, Record]:
    """Subject key → the mark of what an import wrote last."""
    return {row["subject_key"]: row for row in await driver.fetch(_MARKS, scope.district, kind, list(keys))}


async def claim_identities(driver: Any, digests: Mapping[int, Sequence[bytes]], offered: Sequence[UUID]) -> Identities:
    """Whose the numbers with these digests are; those never seen get the identity offered, in sorted order, and are asked again.

    Whoever registers one of them at this moment makes us wait, and then it is his.
    """
    known = {version: await _known(driver, version, column) for version, column in digests.items()}
    found = [
        next((known[version][column[place]] for version, column in digests.items() if column[place] in known[version]), None)
        for place in range(len(offered))
    ]
    proposed = [uid or own for uid, own in zip(found, offered, strict=True)]
    uids = list(proposed)
    for version, column in digests.items():
        missing = [place for place, digest in enumerate(column) if digest not in known[version]]
        await _add_keys(driver, version, column, uids, missing)
    seen = [uid for uid, before, own in zip(uids, found, proposed, strict=True) if before is not None or uid != own]
    homes = await driver.fetch(_HOMES, seen) if seen else []
    return Identities(uids, {row["person_uid"]: (row["district"], row["area_code"]) for row in homes})


async def _known(driver: Any, version: int, digests: Sequence[bytes]) -> dict[bytes, UUID]:
    return dict(await driver.fetch(_KNOWN, version, digests))


async def _add_keys(driver: Any, version: int, digests: Sequence[bytes], uids: list[UUID], missing: Sequence[int]) -> None:
    """Adds what is missing; ``uids`` then holds the identities of those who were quicker."""
    if not missing:
        return
    in_order = sorted(missing, key=lambda place: digests[place])
    wanted = [digests[place] for place in in_order]
    columns: dict[str, list[Any]] = {"bidx": wanted, "person_uid": [uids[place] for place in in_order]}
    if await insert_rows(driver, "identity_key", columns, {"index_version": version}, unless_there=True) < len(missing):
        theirs = await _known(driver, version, wanted)
        for place in missing:
            uids[place] = theirs[digests[place]]


async def registered(scope: AreaScope, driver: Any, uids: Sequence[UUID], today: date) -> Registered:
    """Who of these is registered within the scope; the rows are held until the transaction ends."""
    if not uids:
        return Registered({}, {})
    people = await hold(scope, driver, uids)
    stays = await driver.fetch(_STAYS, scope.district, [person["id"] for person in people.values()], today)
    return Registered(people, {stay["person_id"]: stay for stay in stays})


async def hold(scope: AreaScope, driver: Any, uids: Collection[UUID]) -> dict[UUID, Record]:
    """Identity → the registered person, held until the transaction ends; the desk and undoing take them in this order
    too.
    """
    rows = await driver.fetch(_PEOPLE, scope.district, sorted(uids))
    return {row["person_uid"]: row for row in rows}


async def facts_today(scope: AreaScope, driver: Any, person_ids: Sequence[UUID], today: date) -> dict[tuple[UUID, str], str]:
    """Person and kind → the stored value in force, as JSON text."""
    if not person_ids:
        return {}
    rows = await driver.fetch(_FACTS, scope.district, list(person_ids), today)
    return {(row["person_id"], row["kind"]): row["value"] for row in rows}


async def households(scope: AreaScope, driver: Any, numbers: Iterable[str]) -> dict[str, Record]:
    """The households of these numbers within the scope, held until the transaction ends."""
    rows = await driver.fetch(_HOUSEHOLDS, scope.district, sorted(numbers))
    return {row["household_no"]: row for row in rows}


async def heads(scope: AreaScope, driver: Any, household_ids: Iterable[UUID], today: date) -> dict[UUID, UUID]:
    """Household → who is its head on the day and later."""
    rows = await driver.fetch(_HEADS, scope.district, list(household_ids), today)
    return {row["household_id"]: row["person_id"] for row in rows}


async def members(scope: AreaScope, driver: Any, household_ids: Collection[UUID]) -> dict[UUID, list[Record]]:
    """Household → who belongs to it now, in which relation, born when. Without households nothing is asked."""
    found: dict[UUID, list[Record]] = {}
    for row in await driver.fetch(_MEMBERS, scope.district, list(household_ids)) if household_ids else ():
        found.setdefault(row["household_id"], []).append(row)
    return found
