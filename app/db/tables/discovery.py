"""Discovery (政策找人): searches through the population, and the work list that they leave in each community."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.db.base import DistrictTable, Json, instant, instant_or_none, within_district


class DiscoveryRun(DistrictTable, table=True):
    """One search through the registered population of an area."""

    __tablename__ = "discovery_run"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "job_id"], ["job.district", "job.id"]),
        within_district(),
    )

    on_date: date
    job_id: UUID
    requested_by: UUID
    requested_by_name: str
    requested_at: datetime = instant()
    counts: Any = Field(default=None, sa_type=Json, nullable=True)
    finished_at: datetime | None = instant_or_none()


class DiscoveryFinding(DistrictTable, table=True):
    """Something that strikes about somebody. On the list once, until it no longer holds; what was made of it stays with it."""

    __tablename__ = "discovery_finding"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "run_id"], ["discovery_run.district", "discovery_run.id"]),
        sa.ForeignKeyConstraint(["district", "household_id"], ["household.district", "household.id"]),
        sa.ForeignKeyConstraint(["district", "person_id"], ["person.district", "person.id"]),
        sa.CheckConstraint("state IN ('open', 'taken_up', 'dismissed', 'resolved')", name="state_known"),
        sa.CheckConstraint("state <> 'dismissed' OR note IS NOT NULL", name="dismissed_with_reason"),
        sa.Index(
            "uq_discovery_finding_once",
            "district",
            "person_id",
            "household_id",
            "kind",
            "programme",
            unique=True,
            postgresql_where=sa.text("state <> 'resolved'"),
        ),
        sa.Index("ix_discovery_finding_person", "district", "person_id"),
        sa.Index("ix_discovery_finding_household", "district", "household_id"),
        sa.Index("ix_discovery_finding_area", "district", "area_code", "id", postgresql_where=sa.text("state = 'open'")),
        within_district(),
    )

    run_id: UUID
    household_id: UUID
    person_id: UUID
    kind: str
    programme: str
    expected_fen: int | None = Field(default=None, sa_type=sa.BigInteger)
    reasons: Any = Field(sa_type=Json)
    found_on: date
    state: str
    settled_by: UUID | None = None
    settled_by_name: str | None = None
    settled_at: datetime | None = instant_or_none()
    note: str | None = None
    version: int = 1
