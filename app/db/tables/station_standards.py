"""Versions of standards that a district lays down itself, beside those that come with the application."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.db.base import DistrictTable, Json, instant, instant_or_none, within_district


class StationStandard(DistrictTable, table=True):
    """One version of a standard: drafted by one person, signed by another, and never changed from then on.

    ``document`` is the version as ``app.domain.stations.standard_document`` reads it; ``valid_until`` stands in it too.
    """

    __tablename__ = "station_standard"
    __table_args__ = (
        sa.CheckConstraint("state IN ('draft', 'signed', 'withdrawn')", name="state_known"),
        sa.CheckConstraint("signed_by <> drafted_by", name="signed_by_another"),
        sa.CheckConstraint("(state = 'signed') = (signed_by IS NOT NULL)", name="signed_with_name"),
        sa.Index(
            "uq_station_standard_signed",
            "district",
            "code",
            "valid_from",
            unique=True,
            postgresql_where=sa.text("state = 'signed'"),
        ),
        within_district(),
    )

    code: str
    valid_from: date
    document: Any = Field(sa_type=Json)
    state: str
    drafted_by: UUID
    drafted_by_name: str
    drafted_at: datetime = instant()
    signed_by: UUID | None = None
    signed_by_name: str | None = None
    signed_at: datetime | None = instant_or_none()
    version: int = 1
