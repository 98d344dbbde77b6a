"""Trainings of informants and their certificates."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.constraints import register_constraint
from app.db.scoping import at_or_below, within
from app.db.tables.trainings import InformantTraining, TrainingCertificate
from app.domain.access import AreaScope, Signature
from app.domain.trainings import Attendee, Certificate, Training, TrainingEntry
from app.domain.trainings.model import TrainingStation
from app.domain.trainings.refusals import training_not_found

TRAINING, CERTIFICATE = columns(InformantTraining), columns(TrainingCertificate)
register_constraint(
    "uq_informant_training_district_station_id_held_on_subject",
    "training_repeated",
    "本站同日、同内容的信息监督员培训已登记，请读取列表后更正原记录。",
)


class TrainingRepository:
    """The trainings of one transaction."""

    def __init__(self, session: AsyncSession, now: datetime) -> None:
        self._session = session
        self._now = now

    async def add(self, scope: AreaScope, training: Training, by: UUID) -> None:
        key = {"district": scope.district, "id": training.id, "area_code": training.area_code, "station_id": training.station_id}
        stamps = {"version": 1, "recorded_at": self._now, "recorded_by": by}
        await self._session.execute(sa.insert(InformantTraining).values(**key, **_values(training), **stamps))

    async def get(self, scope: AreaScope, station_id: UUID, training_id: UUID, *, lock: bool = False) -> Training:
        """``NotFound`` training_not_found."""
        found = await self._find(scope, TRAINING.station_id == station_id, TRAINING.id == training_id, lock=lock)
        if found is None:
            raise training_not_found()
        return found

    async def find(self, scope: AreaScope, training_id: UUID) -> Training | None:
        """Whichever station of the scope held it."""
        return await self._find(scope, TRAINING.id == training_id)

    async def _find(self, scope: AreaScope, *conditions: sa.ColumnElement[bool], lock: bool = False) -> Training | None:
        statement = sa.select(InformantTraining).where(within(scope, TRAINING), *conditions)
        statement = statement.with_for_update() if lock else statement
        rows = await self._session.execute(statement.execution_options(populate_existing=True))
        row = rows.scalar_one_or_none()
        return None if row is None else _training(row)

    async def save(self, scope: AreaScope, training: Training) -> Training:
        mine = sa.update(InformantTraining).where(within(scope, TRAINING), TRAINING.id == training.id)
        await self._session.execute(mine.values(**_values(training), version=training.version + 1))
        return await self.get(scope, training.station_id, training.id)

    async def list_trainings(self, scope: AreaScope, station_id: UUID, *, after: UUID | None, limit: int) -> list[Training]:
        """By the order in which they were recorded."""
        statement = sa.select(InformantTraining).where(within(scope, TRAINING), TRAINING.station_id == station_id)
        if after is not None:
            statement = statement.where(TRAINING.id > after)
        rows = (await self._session.execute(statement.order_by(TRAINING.id).limit(limit))).scalars()
        return [_training(row) for row in rows]

    async def count_trainings(self, scope: AreaScope, station_id: UUID) -> int:
        mine = (within(scope, TRAINING), TRAINING.station_id == station_id)
        return int(await self._session.scalar(sa.select(sa.func.count()).select_from(InformantTraining).where(*mine)) or 0)

    # certificates

    async def count_certificates(self, scope: AreaScope, station: TrainingStation, year: int) -> int:
        """Those that the station issued in the year."""
        issued = (
            within(scope, CERTIFICATE),
            at_or_below(CERTIFICATE.area_code, station.area_code),
            CERTIFICATE.number.startswith(f"{station.area_code}-{year}-", autoescape=True),
        )
        return int(await self._session.scalar(sa.select(sa.func.count()).select_from(TrainingCertificate).where(*issued)) or 0)

    async def issue(self, scope: AreaScope, certificates: Sequence[Certificate]) -> None:
        """Each carries the hash of its own content."""
        rows = [
            {
                "district": scope.district,
                "id": one.id,
                "area_code": one.area_code,
                "training_id": one.training_id,
                "informant_id": one.informant_id,
                "number": one.number,
                "content": dict(one.content),
                "content_hash": hashlib.sha256(orjson.dumps(one.content, option=orjson.OPT_SORT_KEYS)).hexdigest(),
                "issued_by": one.issued.by,
                "issued_by_name": one.issued.name,
                "issued_at": one.issued.at,
            }
            for one in certificates
        ]
        await self._session.execute(sa.insert(TrainingCertificate), rows)

    async def find_certificate(self, scope: AreaScope, informant_id: UUID, training_id: UUID) -> TrainingCertificate | None:
        wanted = (CERTIFICATE.informant_id == informant_id, CERTIFICATE.training_id == training_id)
        statement = sa.select(TrainingCertificate).where(within(scope, CERTIFICATE), *wanted)
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def list_certificates(
        self, scope: AreaScope, informant_id: UUID, *, after: UUID | None, limit: int
    ) -> list[TrainingCertificate]:
        """An informant's, by the order in which they were issued."""
        statement = sa.select(TrainingCertificate).where(within(scope, CERTIFICATE), CERTIFICATE.informant_id == informant_id)
        if after is not None:
            statement = statement.where(CERTIFICATE.id > after)
        return list((await self._session.execute(statement.order_by(CERTIFICATE.id).limit(limit))).scalars())

    async def count_of_informant(self, scope: AreaScope, informant_id: UUID) -> int:
        mine = (within(scope, CERTIFICATE), CERTIFICATE.informant_id == informant_id)
        return int(await self._session.scalar(sa.select(sa.func.count()).select_from(TrainingCertificate).where(*mine)) or 0)


def _values(training: Training) -> dict[str, Any]:
    entry, issued = training.entry, training.issued
    return {
        "held_on": entry.held_on,
        "subject": entry.subject,
        "class_hours": entry.class_hours,
        "exam": entry.exam,
        "attendees": [{"informant_id": str(one.informant_id), "exam_passed": one.exam_passed} for one in entry.attendees],
        "issued_by": issued.by if issued else None,
        "issued_by_name": issued.name if issued else None,
        "issued_at": issued.at if issued else None,
    }


def _training(row: InformantTraining) -> Training:
    issued = None
    if row.issued_by is not None and row.issued_by_name is not None and row.issued_at is not None:
        issued = Signature(row.issued_by, row.issued_by_name, row.issued_at)
    attendees = tuple(Attendee(UUID(one["informant_id"]), one["exam_passed"]) for one in row.attendees)
    entry = TrainingEntry(row.held_on, row.subject, row.class_hours, row.exam, attendees)
    return Training(row.id, row.station_id, row.area_code, entry, issued, row.version)
