"""Trainings of informants, and the certificates issued for them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.db.base import DistrictTable, Json, instant, instant_or_none, within_district
from app.db.tables.stations import digits, of_station


class InformantTraining(DistrictTable, table=True):
    """A training held by a station; ``attendees``: informant_id, exam_passed. Natural key: station, day, subject."""

    __tablename__ = "informant_training"
    __table_args__ = (
        of_station(),
        sa.UniqueConstraint("district", "station_id", "held_on", "subject"),
        sa.CheckConstraint("class_hours > 0", name="class_hours_positive"),
        sa.CheckConstraint("(issued_at IS NULL) = (issued_by IS NULL)", name="issued_by_somebody"),
        digits(9),
        within_district(),
    )

    station_id: UUID
    held_on: date
    subject: str
    class_hours: int
    exam: bool
    attendees: list[dict[str, Any]] = Field(sa_type=Json)
    issued_by: UUID | None = None
    issued_by_name: str | None = None
    issued_at: datetime | None = instant_or_none()
    version: int = 1
    recorded_at: datetime = instant()
    recorded_by: UUID


class TrainingCertificate(DistrictTable, table=True):
    """A certificate as it was issued; ``area_code`` is the informant's community, who sees it too. Append-only."""

    __tablename__ = "training_certificate"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "training_id"], ["informant_training.district", "informant_training.id"]),
        sa.ForeignKeyConstraint(["district", "informant_id"], ["informant.district", "informant.id"]),
        sa.UniqueConstraint("district", "informant_id", "training_id"),
        sa.UniqueConstraint("district", "number"),
        sa.Index("ix_training_certificate_training", "district", "training_id"),
        digits(12),
        within_district(),
    )

    training_id: UUID
    informant_id: UUID
    number: str
    content: dict[str, Any] = Field(sa_type=Json)
    content_hash: str
    issued_by: UUID
    issued_by_name: str
    issued_at: datetime = instant()
