"""Informants (信息监督员) of communities; the phone is sealed under the informant's id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.constraints import register_constraint
from app.db.repositories.stations import in_force
from app.db.scoping import at_or_below, within
from app.db.tables.stations import Informant
from app.domain.access import AreaScope
from app.domain.stations.records import InformantDetails, InformantRecord
from app.domain.stations.refusals import informant_not_found
from app.ids import new_id
from app.security.fields import Field, FieldCipher
from app.security.masking import mask

INFORMANT = columns(Informant)
for _name in ("ex_informant_one_post", "uq_informant_district_area_code_name_valid_from"):
    register_constraint(_name, "informant_period_overlaps", "此人在该期间已是该村（社区）的信息监督员；请核对日期或终止原记录。")


@dataclass(frozen=True, slots=True)
class InformantFilter:
    """Which informants; None asks for no condition. ``area_code`` takes in everything below it."""

    area_code: str | None = None
    on: date | None = None


class InformantRepository:
    """The informants of one transaction."""

    def __init__(self, session: AsyncSession, cipher: FieldCipher) -> None:
        self._session = session
        self._cipher = cipher

    async def get(self, scope: AreaScope, informant_id: UUID) -> InformantRecord:
        """``NotFound`` informant_not_found."""
        return _record(await self._row(scope, informant_id))

    async def reveal_phone(self, scope: AreaScope, informant_id: UUID) -> str | None:
        """The plain phone; the caller puts the reading on record."""
        sealed = (await self._row(scope, informant_id)).phone_sealed
        return None if sealed is None else self._cipher.open(Field.PHONE, informant_id, sealed)

    async def list_of_community(self, scope: AreaScope, area_code: str) -> Sequence[InformantRecord]:
        """All informants that a community ever had."""
        return await self._records(scope, INFORMANT.area_code == area_code)

    async def list_informants(
        self, scope: AreaScope, wanted: InformantFilter, *, after: UUID | None, limit: int
    ) -> Sequence[InformantRecord]:
        """A page by id."""
        conditions = _conditions(wanted)
        if after is not None:
            conditions.append(INFORMANT.id > after)
        return await self._records(scope, *conditions, limit=limit)

    async def count_informants(self, scope: AreaScope, wanted: InformantFilter) -> int:
        statement = select(func.count()).select_from(Informant).where(within(scope, INFORMANT), *_conditions(wanted))
        return (await self._session.execute(statement)).scalar_one()

    async def add(self, scope: AreaScope, details: InformantDetails, *, by: UUID, now: datetime) -> UUID:
        informant_id = new_id()
        values = {
            "district": scope.district,
            "id": informant_id,
            "area_code": details.area_code,
            "name": details.name,
            "badge_no": details.badge_no,
            "valid_from": details.since,
            "recorded_at": now,
            "recorded_by": by,
            **self._phone_columns(informant_id, details.phone),
        }
        await self._session.execute(insert(Informant).values(**values))
        return informant_id

    async def change(self, scope: AreaScope, record: InformantRecord, now: datetime) -> None:
        """All but the phone."""
        values = {"name": record.name, "badge_no": record.badge_no, "valid_from": record.since, "valid_until": record.until}
        await self._update(scope, record.id, {**values, "recorded_at": now, "version": INFORMANT.version + 1})

    async def change_phone(self, scope: AreaScope, informant_id: UUID, phone: str | None) -> None:
        await self._update(scope, informant_id, self._phone_columns(informant_id, phone))

    def _phone_columns(self, informant_id: UUID, phone: str | None) -> dict[str, Any]:
        if phone is None:
            return {"phone_sealed": None, "phone_masked": None}
        return {"phone_sealed": self._cipher.seal(Field.PHONE, informant_id, phone), "phone_masked": mask(Field.PHONE, phone)}

    async def _row(self, scope: AreaScope, informant_id: UUID) -> Row[Any]:
        statement = select(*INFORMANT).where(within(scope, INFORMANT), INFORMANT.id == informant_id)
        row = (await self._session.execute(statement)).one_or_none()
        if row is None:
            raise informant_not_found()
        return row

    async def _records(
        self, scope: AreaScope, *conditions: ColumnElement[bool], limit: int | None = None
    ) -> list[InformantRecord]:
        statement = select(*INFORMANT).where(within(scope, INFORMANT), *conditions).order_by(INFORMANT.id).limit(limit)
        return [_record(row) for row in await self._session.execute(statement)]

    async def _update(self, scope: AreaScope, informant_id: UUID, values: dict[str, Any]) -> None:
        statement = update(Informant).where(within(scope, INFORMANT), INFORMANT.id == informant_id).values(**values)
        await self._session.execute(statement.execution_options(synchronize_session=False))


def _conditions(wanted: InformantFilter) -> list[ColumnElement[bool]]:
    conditions = in_force(INFORMANT, wanted.on)
    if wanted.area_code is not None:
        conditions.append(at_or_below(INFORMANT.area_code, wanted.area_code))
    return conditions


def _record(row: Row[Any]) -> InformantRecord:
    return InformantRecord(
        id=row.id,
        area_code=row.area_code,
        name=row.name,
        phone_masked=row.phone_masked,
        badge_no=row.badge_no,
        since=row.valid_from,
        until=row.valid_until,
        version=row.version,
    )
