"""Leads reported from the communities."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from app.db.base import DistrictTable, instant, within_district


class Lead(DistrictTable, table=True):
    """One lead; whom it is about and what was seen only under seal (Field.LEAD, the lead's id)."""

    __tablename__ = "lead"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "informant_id"], ["informant.district", "informant.id"]),
        sa.ForeignKeyConstraint(["district", "household_id"], ["household.district", "household.id"]),
        sa.CheckConstraint("kind IN ('hardship', 'emergency', 'death', 'move', 'other')", name="kind_known"),
        sa.CheckConstraint("state IN ('reported', 'taken', 'settled', 'withdrawn')", name="state_known"),
        sa.CheckConstraint("(state IN ('settled', 'withdrawn')) = (settled_on IS NOT NULL)", name="settled_with_its_day"),
        sa.CheckConstraint("(state = 'settled') = (outcome IS NOT NULL)", name="settled_with_its_outcome"),
        sa.CheckConstraint("fed_back_on IS NULL OR state = 'settled'", name="fed_back_when_settled"),
        sa.Index("ix_lead_open", "district", "area_code", "due_on", postgresql_where=sa.text("state IN ('reported', 'taken')")),
        sa.Index("ix_lead_informant", "district", "informant_id"),
        sa.Index("ix_lead_household", "district", "household_id"),
        within_district(),
    )

    kind: str
    about_sealed: bytes
    description_sealed: bytes
    informant_id: UUID | None = None
    household_id: UUID | None = None
    state: str
    reported_by: UUID
    reported_by_name: str
    reported_on: date
    due_on: date
    due_provisional: bool
    handler_id: UUID | None = None
    handler_name: str | None = None
    outcome: str | None = None
    note_sealed: bytes | None = None
    settled_on: date | None = None
    fed_back_on: date | None = None
    created_at: datetime = instant()
    version: int = 1
