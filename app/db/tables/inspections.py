"""Acceptance of stations: campaigns, inspections with their marks, rectifications, and what was published for good."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field

from app.db.base import DistrictTable, Json, Texts, instant, instant_or_none, within_district


class Uuids(postgresql.ARRAY[UUID]):
    """An array of ids."""

    def __init__(self) -> None:
        super().__init__(sa.Uuid())


class InspectionCampaign(DistrictTable, table=True):
    """One campaign; ``standard_version`` is pinned, so that a later version of the standard changes nothing here."""

    __tablename__ = "inspection_campaign"
    __table_args__ = (
        sa.CheckConstraint(
            "phase IN ('draft', 'preparation', 'implementation', 'inspection', 'closed', 'published', 'cancelled')",
            name="phase_known",
        ),
        sa.CheckConstraint(
            "preparation_from <= implementation_from AND implementation_from <= inspection_from"
            " AND inspection_from <= conclude_by",
            name="schedule_in_order",
        ),
        sa.CheckConstraint("(phase = 'published') = (published_at IS NOT NULL)", name="published_with_its_moment"),
        within_district(),
    )

    title: str
    standard: str
    standard_version: str
    as_of: date
    preparation_from: date
    implementation_from: date
    inspection_from: date
    conclude_by: date
    seed: int = Field(sa_type=sa.BigInteger)
    sample_size: int
    phase: str
    opened_by: UUID
    opened_by_name: str
    opened_at: datetime = instant()
    published_by: UUID | None = None
    published_by_name: str | None = None
    published_at: datetime | None = instant_or_none()
    version: int = 1


class Inspection(DistrictTable, table=True):
    """One station in a campaign; ``area_code`` is the station's sub-district, so that the station sees its own.

    The campaign is the district's and hidden from it: what the station needs of it is kept here too.
    """

    __tablename__ = "inspection"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "campaign_id"], ["inspection_campaign.district", "inspection_campaign.id"]),
        sa.ForeignKeyConstraint(["district", "station_id"], ["station.district", "station.id"]),
        sa.UniqueConstraint("district", "campaign_id", "station_id"),
        sa.CheckConstraint("state IN ('planned', 'signed', 'confirmed')", name="state_known"),
        within_district(),
    )

    campaign_id: UUID
    title: str
    standard: str
    standard_version: str
    as_of: date
    phase: str
    station_id: UUID
    station_name: str
    inspectors: list[UUID] = Field(sa_type=Uuids)
    sample: list[str] = Field(sa_type=Texts)
    state: str
    signatures: list[dict[str, Any]] = Field(sa_type=Json)
    countersigned: dict[str, Any] | None = Field(default=None, sa_type=Json)
    version: int = 1


class InspectionMark(DistrictTable, table=True):
    """What the station itself or the inspectors say about one criterion; the latest word of each source."""

    __tablename__ = "inspection_mark"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "inspection_id"], ["inspection.district", "inspection.id"]),
        sa.UniqueConstraint("district", "inspection_id", "criterion", "source"),
        sa.CheckConstraint("source IN ('self', 'found')", name="source_known"),
        sa.CheckConstraint("source = 'self' OR met OR rectify_by IS NOT NULL", name="failure_names_its_deadline"),
        within_district(),
    )

    inspection_id: UUID
    criterion: str
    source: str
    met: bool
    note: str | None = None
    evidence: list[UUID] = Field(sa_type=Uuids)
    rectify_by: date | None = None
    marked_by: UUID
    marked_by_name: str
    marked_at: datetime = instant()


class Rectification(DistrictTable, table=True):
    """A failed criterion to be put right."""

    __tablename__ = "rectification"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "inspection_id"], ["inspection.district", "inspection.id"]),
        sa.UniqueConstraint("district", "inspection_id", "criterion"),
        sa.CheckConstraint("state IN ('open', 'submitted', 'closed')", name="state_known"),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_with_its_moment"),
        sa.Index("ix_rectification_open", "district", "area_code", "due_on", postgresql_where=sa.text("state <> 'closed'")),
        within_district(),
    )

    inspection_id: UUID
    station_id: UUID
    criterion: str
    requirement: str
    due_on: date
    owner: str | None = None
    state: str
    submissions: list[dict[str, Any]] = Field(sa_type=Json)
    closed_by: UUID | None = None
    closed_by_name: str | None = None
    closed_at: datetime | None = instant_or_none()
    version: int = 1


class InspectionResult(DistrictTable, table=True):
    """A published result: facts, standard, marks, score and rank as they were. Append-only; nothing later rewrites it."""

    __tablename__ = "inspection_result"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "campaign_id"], ["inspection_campaign.district", "inspection_campaign.id"]),
        sa.UniqueConstraint("district", "campaign_id", "station_id"),
        within_district(),
    )

    campaign_id: UUID
    station_id: UUID
    station_name: str
    passed: bool
    score_points: int
    rank: int
    consequence: dict[str, Any] = Field(sa_type=Json)
    content: dict[str, Any] = Field(sa_type=Json)
    content_hash: str
    published_at: datetime = instant()
