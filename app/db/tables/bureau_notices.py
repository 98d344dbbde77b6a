"""What other bureaus report about people: deaths, detentions, warnings. One table, three kinds of import."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from app.db.base import DistrictTable, instant, within_district


class BureauNotice(DistrictTable, table=True):
    """One report about one person, registered here or not yet.

    The ID number is sealed under the notice's id; ``number_digest`` is a keyed digest of it (its key is never rotated), by which
    the notice is found again and by which it meets somebody who is registered later. Natural key: kind, number, day, category,
    and the area that was told: what one office was sent says nothing to another, and keeps it from nothing.
    """

    __tablename__ = "bureau_notice"
    __table_args__ = (
        sa.UniqueConstraint(
            *("district", "kind", "number_digest", "occurred_on", "category", "area_code"), name="uq_bureau_notice_natural_key"
        ),
        sa.ForeignKeyConstraint(["district", "person_id"], ["person.district", "person.id"], ondelete="SET NULL (person_id)"),
        sa.CheckConstraint("kind IN ('death', 'detention', 'warning')", name="kind_known"),
        sa.Index("ix_bureau_notice_area", "district", "area_code", "id"),
        sa.Index("ix_bureau_notice_person", "district", "person_id"),
        sa.Index("ix_bureau_notice_number", "district", "number_digest"),
        within_district(),
    )

    kind: str
    number_digest: bytes
    person_id: UUID | None = None
    name: str
    id_number_sealed: bytes
    id_number_masked: str
    occurred_on: date
    ended_on: date | None = None
    category: str = ""
    source: str
    document_no: str | None = None
    detail: str | None = None
    received_on: date
    version: int = 1
    recorded_at: datetime = instant()
    recorded_by: UUID


__all__ = ["BureauNotice"]
