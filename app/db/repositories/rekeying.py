"""Sealed values and blind-index rows by key version: counting them, and moving them to the current version in chunks.

Nothing here changes what a value says: a row's version and ``updated_at`` stay, an ETag in somebody's hand stays good.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.locks import lock_subjects
from app.db.tables.identity import IdentityKey
from app.domain.access import AreaScope
from app.security.fields import BlindIndex, Field, FieldCipher

IN_SCOPE = "district = :district AND area_code >= :area AND area_code < :area || '~'"
VERSION = "get_byte({0}, 0) * 256 + get_byte({0}, 1)"
CERTIFICATE = "decode(value->>'certificate_no_sealed', 'base64')"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column of sealed values: what they are and whose. ``frozen``: the table refuses any change of it."""

    table: str
    column: str
    field: Field
    owner: str
    frozen: bool = False

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


SEALED = (
    Sealed("person", "id_number_sealed", Field.ID_NUMBER, "person_uid"),
    Sealed("person", "phone_sealed", Field.PHONE, "person_uid"),
    Sealed("person", "address_sealed", Field.ADDRESS, "person_uid"),
    Sealed("household", "address_sealed", Field.ADDRESS, "id"),
    Sealed("household", "bank_account_sealed", Field.BANK_ACCOUNT, "id"),
    Sealed("informant", "phone_sealed", Field.PHONE, "id"),
    Sealed("official", "id_number_sealed", Field.ID_NUMBER, "id"),
    Sealed("official_relative", "id_number_sealed", Field.ID_NUMBER, "id"),
    Sealed("bureau_notice", "id_number_sealed", Field.ID_NUMBER, "id"),
    Sealed("lead", "about_sealed", Field.LEAD, "id"),
    Sealed("lead", "description_sealed", Field.LEAD, "id"),
    Sealed("lead", "note_sealed", Field.LEAD, "id"),
    Sealed("service_request", "applicant_sealed", Field.NAME, "id"),
    Sealed("service_request", "phone_sealed", Field.PHONE, "id"),
    Sealed("service_request", "note_sealed", Field.SERVICE_REQUEST, "id"),
    Sealed("stored_file_part", "content_sealed", Field.FILE, "file_id", frozen=True),
    Sealed("import_part", "rows_sealed", Field.JOB_PAYLOAD, "import_id", frozen=True),
    Sealed("import_part", "rejected_sealed", Field.REJECTED_ROW, "import_id", frozen=True),
    Sealed("import_before", "before_sealed", Field.JOB_PAYLOAD, "id"),
    Sealed("payment_item", "account_sealed", Field.BANK_ACCOUNT, "household_id", frozen=True),
)
# What the application may write again; frozen lines keep the key they were written with.
CHANGEABLE = (
    *("person", "household", "informant", "official", "official_relative", "bureau_notice", "lead", "service_request"),
    "import_before",
)
CERTIFICATES = "person_fact.certificate_no_sealed"
FROZEN = frozenset(sealed.name for sealed in SEALED if sealed.frozen)

# -- counting ----------------------------------------------------------------------------------------------------------------


async def count_sealed(scope: AreaScope, session: AsyncSession) -> dict[str, Counter[int]]:
    """Sealed column → key version → rows of the scope."""
    counted = {}
    for sealed in SEALED:
        version, where = VERSION.format(sealed.column), f"{sealed.column} IS NOT NULL AND {IN_SCOPE}"
        counted[sealed.name] = await _by_version(session, f"SELECT {version}, count(*) FROM {sealed.table} WHERE {where}", scope)
    where = f"value ? 'certificate_no_sealed' AND {IN_SCOPE}"
    statement = f"SELECT {VERSION.format(CERTIFICATE)}, count(*) FROM person_fact WHERE {where}"
    counted[CERTIFICATES] = await _by_version(session, statement, scope)
    return counted


async def _by_version(session: AsyncSession, statement: str, scope: AreaScope) -> Counter[int]:
    rows = await session.execute(text(f"{statement} GROUP BY 1"), _scope(scope))
    return Counter({int(version): int(count) for version, count in rows})


def _scope(scope: AreaScope) -> dict[str, Any]:
    return {"district": scope.district, "area": scope.prefix}


# -- moving ------------------------------------------------------------------------------------------------------------------

# Rows that a request holds at this moment are left for the next pass: we never wait for one, so we can't deadlock with one.
STALE = "{where} AND id > :after AND ({stale}) ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED"


async def reseal_rows(
    scope: AreaScope, session: AsyncSession, cipher: FieldCipher, table: str, *, current: int, after: UUID, limit: int
) -> tuple[int, UUID | None]:
    """The next rows of ``table`` by id, sealed under the current key; how many, and the last id (None: the pass is over)."""
    sealed = [column for column in SEALED if column.table == table]
    stale = " OR ".join(f"{VERSION.format(column.column)} <> :current" for column in sealed)
    names = ", ".join(["id", *sorted({column.owner for column in sealed} - {"id"}), *(column.column for column in sealed)])
    statement = text(f"SELECT {names} FROM {table} WHERE {STALE.format(where=IN_SCOPE, stale=stale)}")
    values = _scope(scope) | {"after": after, "current": current, "limit": limit}
    rows = (await session.execute(statement, values)).mappings().all()
    for column in sealed:
        await _write_back(scope, session, column, [(row["id"], row[column.column], _moved(cipher, column, row)) for row in rows])
    return len(rows), rows[-1]["id"] if rows else None


def _moved(cipher: FieldCipher, column: Sealed, row: Any) -> bytes | None:
    value = row[column.column]
    if value is None or cipher.is_current(value):
        return None
    return cipher.renewed(column.field, row[column.owner], value)


async def _write_back(
    scope: AreaScope, session: AsyncSession, column: Sealed, moved: Sequence[tuple[UUID, bytes, bytes | None]]
) -> None:
    """Only where the value is still the one that was read."""
    statement = text(
        f"UPDATE {column.table} t SET {column.column} = v.fresh"
        " FROM unnest(CAST(:ids AS uuid[]), CAST(:seen AS bytea[]), CAST(:fresh AS bytea[])) AS v(id, seen, fresh)"
        f" WHERE t.district = :district AND t.id = v.id AND t.{column.column} = v.seen"
    )
    changed = [(row_id, seen, fresh) for row_id, seen, fresh in moved if fresh is not None]
    if changed:
        ids, seen, fresh = zip(*changed, strict=True)
        values = {"ids": list(ids), "seen": list(seen), "fresh": list(fresh), "district": scope.district}
        await session.execute(statement, values)


async def reseal_certificates(
    scope: AreaScope, session: AsyncSession, cipher: FieldCipher, *, current: int, after: UUID, limit: int
) -> tuple[int, UUID | None]:
    """Like ``reseal_rows`` for the certificate numbers inside the facts, superseded ones too."""
    stale = f"value ? 'certificate_no_sealed' AND {VERSION.format(CERTIFICATE)} <> :current"
    where = STALE.format(where=IN_SCOPE, stale=stale)
    owner = "(SELECT p.person_uid FROM person p WHERE p.district = f.district AND p.id = f.person_id)"
    statement = text(f"SELECT id, {owner} AS owner, value->>'certificate_no_sealed' AS seen FROM person_fact f WHERE {where}")
    rows = (await session.execute(statement, _scope(scope) | {"after": after, "current": current, "limit": limit})).all()
    change = text(
        "UPDATE person_fact SET value = jsonb_set(value, '{certificate_no_sealed}', to_jsonb(CAST(:fresh AS text)))"
        " WHERE district = :district AND id = :id AND value->>'certificate_no_sealed' = :seen"
    )
    for row in rows:
        fresh = base64.b64encode(cipher.renewed(Field.DISABILITY_CERTIFICATE, row.owner, base64.b64decode(row.seen))).decode()
        await session.execute(change, {"district": scope.district, "id": row.id, "seen": row.seen, "fresh": fresh})
    return len(rows), rows[-1].id if rows else None


async def index_people(
    scope: AreaScope, session: AsyncSession, cipher: FieldCipher, blind_index: BlindIndex, *, after: UUID, limit: int
) -> tuple[int, UUID | None]:
    """The next people by id whom the current index key doesn't find yet; how many, and the last id (None: the pass is over).

    Takes the lock of each number like a registration does, which would otherwise meet our row unprepared.
    """
    current = blind_index.versions[0]
    statement = text(
        f"SELECT id, person_uid, id_number_sealed FROM person p WHERE {IN_SCOPE} AND id > :after AND NOT EXISTS"
        " (SELECT FROM identity_key k WHERE k.person_uid = p.person_uid AND k.index_version = :current)"
        " ORDER BY id LIMIT :limit"
    )
    rows = (await session.execute(statement, _scope(scope) | {"after": after, "current": current, "limit": limit})).all()
    entries = []
    for row in rows:
        number = cipher.open(Field.ID_NUMBER, row.person_uid, row.id_number_sealed)
        version, digest = blind_index.current(Field.ID_NUMBER, number)
        entries.append({"index_version": version, "bidx": digest, "person_uid": row.person_uid})
    if entries:
        await lock_subjects(session, [entry["bidx"] for entry in entries])
        await session.execute(upsert(IdentityKey).on_conflict_do_nothing(), entries)
    return len(rows), rows[-1].id if rows else None
