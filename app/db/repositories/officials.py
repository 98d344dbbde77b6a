"""Officials and their relatives: numbers sealed under the row's own id, found by blind-index rows under every live key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.constraints import register_constraint
from app.db.locks import lock_subjects
from app.db.scoping import at_or_below, within
from app.db.tables.identity import IdentityKey
from app.db.tables.stations import Official, OfficialNumber, OfficialRelative
from app.domain.access import AreaScope
from app.domain.officials.model import OfficialRecord, OfficialTie, Post, Relation, RelativeEntry, RelativeRecord
from app.domain.officials.refusals import official_not_found
from app.ids import new_id
from app.security.fields import BlindIndex, Field, FieldCipher
from app.security.masking import mask

OFFICIAL = columns(Official)
RELATIVE = columns(OfficialRelative)
NUMBER = columns(OfficialNumber)
KEY = columns(IdentityKey)

register_constraint("uq_official_number_official", "official_elsewhere", "此人已在其他辖区备案，请与当地核对后由上级调整。")


class OfficialRepository:
    """The register of one transaction."""

    def __init__(self, session: AsyncSession, cipher: FieldCipher, blind_index: BlindIndex) -> None:
        self._session = session
        self._cipher = cipher
        self._blind_index = blind_index

    async def lock_numbers(self, scope: AreaScope, id_numbers: Iterable[str]) -> None:
        """Takes these numbers for this transaction."""
        digests = [self._blind_index.current(Field.ID_NUMBER, number)[1] for number in id_numbers]
        await lock_subjects(self._session, [f"official {scope.district} ".encode() + digest for digest in digests])

    async def get(self, scope: AreaScope, official_id: UUID) -> OfficialRecord:
        """With the relatives. ``NotFound`` official_not_found."""
        row = await self._row(scope, official_id)
        statement = select(*RELATIVE).where(within(scope, RELATIVE), RELATIVE.official_id == official_id)
        relatives = await self._session.execute(statement.order_by(RELATIVE.id))
        return _record(row, tuple(_relative(relative) for relative in relatives))

    async def list_officials(
        self, scope: AreaScope, *, area_code: str | None, after: UUID | None, limit: int
    ) -> Sequence[OfficialRecord]:
        """A page by id, without relatives."""
        conditions = _at(area_code)
        if after is not None:
            conditions.append(OFFICIAL.id > after)
        statement = select(*OFFICIAL).where(within(scope, OFFICIAL), *conditions).order_by(OFFICIAL.id).limit(limit)
        return [_record(row) for row in await self._session.execute(statement)]

    async def count_officials(self, scope: AreaScope, area_code: str | None) -> int:
        statement = select(func.count()).select_from(Official).where(within(scope, OFFICIAL), *_at(area_code))
        return (await self._session.execute(statement)).scalar_one()

    async def find_by_number(self, scope: AreaScope, id_number: str) -> UUID | None:
        """The official himself with this number, within the scope."""
        digests = self._blind_index.digest(Field.ID_NUMBER, id_number)
        statement = select(NUMBER.official_id).where(
            within(scope, NUMBER),
            NUMBER.relative_id.is_(None),
            tuple_(NUMBER.index_version, NUMBER.bidx).in_(list(digests.items())),
        )
        found: UUID | None = (await self._session.execute(statement.limit(1))).scalar_one_or_none()
        return found

    async def numbers_of(self, scope: AreaScope, official_id: UUID) -> Sequence[str]:
        """His own plain number, and those of the relatives he has declared. ``NotFound`` official_not_found."""
        row = await self._row(scope, official_id)
        statement = select(RELATIVE.id, RELATIVE.id_number_sealed).where(
            within(scope, RELATIVE), RELATIVE.official_id == official_id
        )
        sealed = [(row.id, row.id_number_sealed), *(await self._session.execute(statement.order_by(RELATIVE.id)))]
        return [self._cipher.open(Field.ID_NUMBER, owner, value) for owner, value in sealed]

    async def add(self, scope: AreaScope, post: Post, id_number: str, *, by: UUID, now: datetime) -> UUID:
        official_id = new_id()
        values = {
            "district": scope.district,
            "id": official_id,
            **asdict(post),
            **self._sealed(official_id, id_number),
            "created_at": now,
            "created_by": by,
            "updated_at": now,
        }
        await self._session.execute(insert(Official).values(**values))
        await self._index(scope, post.area_code, official_id, None, id_number)
        return official_id

    async def change(self, scope: AreaScope, official_id: UUID, post: Post, now: datetime) -> None:
        """Relatives and index rows lie where the official does."""
        await self._touch(scope, official_id, now, asdict(post))
        for table, there in ((OfficialRelative, RELATIVE), (OfficialNumber, NUMBER)):
            moved = update(table).where(within(scope, there), there.official_id == official_id)
            await self._session.execute(moved.values(area_code=post.area_code).execution_options(synchronize_session=False))

    async def remove(self, scope: AreaScope, official_id: UUID) -> None:
        """With everything that he has declared."""
        for table, whose in (
            (OfficialNumber, NUMBER.official_id),
            (OfficialRelative, RELATIVE.official_id),
            (Official, OFFICIAL.id),
        ):
            there = columns(table)
            await self._session.execute(delete(table).where(within(scope, there), whose == official_id))

    async def add_relatives(
        self, scope: AreaScope, official_id: UUID, area_code: str, entries: Sequence[RelativeEntry], now: datetime
    ) -> None:
        for entry in entries:
            relative_id = new_id()
            values = {
                "district": scope.district,
                "id": relative_id,
                "area_code": area_code,
                "official_id": official_id,
                "relation": entry.relation,
                "name": entry.name,
                "declared_at": now,
                **self._sealed(relative_id, entry.id_number),
            }
            await self._session.execute(insert(OfficialRelative).values(**values))
            await self._index(scope, area_code, official_id, relative_id, entry.id_number)
        if entries:
            await self._touch(scope, official_id, now, {})

    async def remove_relative(self, scope: AreaScope, official_id: UUID, relative_id: UUID, now: datetime) -> bool:
        """Whether there was one."""
        index = delete(OfficialNumber).where(
            within(scope, NUMBER), NUMBER.official_id == official_id, NUMBER.relative_id == relative_id
        )
        await self._session.execute(index)
        gone = delete(OfficialRelative).where(
            within(scope, RELATIVE), RELATIVE.official_id == official_id, RELATIVE.id == relative_id
        )
        if (await self._session.execute(gone.returning(RELATIVE.id))).first() is None:
            return False
        await self._touch(scope, official_id, now, {})
        return True

    def _sealed(self, owner: UUID, id_number: str) -> dict[str, Any]:
        sealed = self._cipher.seal(Field.ID_NUMBER, owner, id_number)
        return {"id_number_sealed": sealed, "id_number_masked": mask(Field.ID_NUMBER, id_number)}

    async def _index(self, scope: AreaScope, area_code: str, official_id: UUID, relative_id: UUID | None, id_number: str) -> None:
        rows = [
            {
                "district": scope.district,
                "id": new_id(),
                "area_code": area_code,
                "official_id": official_id,
                "relative_id": relative_id,
                "index_version": version,
                "bidx": digest,
            }
            for version, digest in self._blind_index.digest(Field.ID_NUMBER, id_number).items()
        ]
        await self._session.execute(insert(OfficialNumber), rows)

    async def _row(self, scope: AreaScope, official_id: UUID) -> Row[Any]:
        statement = select(*OFFICIAL).where(within(scope, OFFICIAL), OFFICIAL.id == official_id)
        row = (await self._session.execute(statement)).one_or_none()
        if row is None:
            raise official_not_found()
        return row

    async def _touch(self, scope: AreaScope, official_id: UUID, now: datetime, values: dict[str, Any]) -> None:
        statement = update(Official).where(within(scope, OFFICIAL), OFFICIAL.id == official_id)
        statement = statement.values(**values, updated_at=now, version=OFFICIAL.version + 1)
        await self._session.execute(statement.execution_options(synchronize_session=False))


async def ties_of(scope: AreaScope, session: AsyncSession, person_uids: Iterable[UUID]) -> dict[UUID, list[OfficialTie]]:
    """Person → the officials within the scope that he is, or whose near relative he is; found by the shared blind index."""
    same_number = and_(NUMBER.index_version == KEY.index_version, NUMBER.bidx == KEY.bidx)
    statement = (
        select(KEY.person_uid, *OFFICIAL, RELATIVE.relation)
        .distinct()
        .join_from(IdentityKey, OfficialNumber, same_number)
        .join(Official, and_(OFFICIAL.district == NUMBER.district, OFFICIAL.id == NUMBER.official_id))
        .join(
            OfficialRelative,
            and_(RELATIVE.district == NUMBER.district, RELATIVE.id == NUMBER.relative_id),
            isouter=True,
        )
        .where(
            within(scope, NUMBER),
            within(scope, OFFICIAL),
            or_(NUMBER.relative_id.is_(None), RELATIVE.id.is_not(None)),
            KEY.person_uid.in_(list(person_uids)),
        )
    )
    found: dict[UUID, list[OfficialTie]] = {}
    for row in await session.execute(statement):
        tie = OfficialTie(row.id, row.name, row.organisation, row.position, row.relation)
        found.setdefault(row.person_uid, []).append(tie)
    return found


def _at(area_code: str | None) -> list[ColumnElement[bool]]:
    return [] if area_code is None else [at_or_below(OFFICIAL.area_code, area_code)]


def _record(row: Row[Any], relatives: tuple[RelativeRecord, ...] = ()) -> OfficialRecord:
    post = Post(row.name, row.organisation, row.position, row.area_code)
    return OfficialRecord(row.id, post, row.id_number_masked, row.version, relatives)


def _relative(row: Row[Any]) -> RelativeRecord:
    return RelativeRecord(row.id, cast(Relation, row.relation), row.name, row.id_number_masked, row.declared_at)
