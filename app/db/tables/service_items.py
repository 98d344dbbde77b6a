"""The published item lists (事项清单), and the requests (办件) taken under them with who answered for them when."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.db.base import DistrictTable, Json, instant, within_district


class ServiceItemList(DistrictTable, table=True):
    """A published version of one list of the district. Append-only; everybody of the district reads it, only it publishes.

    In force from ``valid_from`` until the next version of the level begins; of two that begin on one day the later published.
    """

    __tablename__ = "service_item_list"
    __table_args__ = (
        sa.UniqueConstraint("district", "level", "number"),
        sa.CheckConstraint("level IN ('subdistrict', 'village', 'community')", name="level_known"),
        sa.CheckConstraint("length(area_code) = 6", name="of_the_district"),
        within_district(),
    )

    level: str
    number: int
    title: str
    source: str
    valid_from: date
    published_by: UUID
    published_by_name: str
    published_at: datetime = instant()


class ServiceItem(DistrictTable, table=True):
    """An item of a version, whole in ``content``; append-only. What statements ask for stands in columns too."""

    __tablename__ = "service_item"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "list_id"], ["service_item_list.district", "service_item_list.id"]),
        sa.UniqueConstraint("district", "list_id", "code"),
        sa.CheckConstraint("promised_days >= 0 AND promised_days <= legal_days", name="promise_within_the_law"),
        sa.CheckConstraint("day_unit IN ('working_day', 'calendar_day')", name="day_unit_known"),
        within_district(),
    )

    list_id: UUID
    level: str
    place: int
    code: str
    name: str
    programme: str | None = None
    by_application: bool
    day_unit: str
    promised_days: int
    legal_days: int | None = None
    content: dict[str, Any] = Field(sa_type=Json)


class ServiceRequest(DistrictTable, table=True):
    """One request; the item that was in force when it was taken stays its item. ``responsible_id`` is never empty.

    Clocks: days left from the day after ``…_from``; no due day while they stand still. A linked application has its own.
    """

    __tablename__ = "service_request"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "item_id"], ["service_item.district", "service_item.id"]),
        sa.ForeignKeyConstraint(["district", "person_id"], ["person.district", "person.id"]),
        sa.ForeignKeyConstraint(["district", "application_id"], ["application.district", "application.id"]),
        sa.UniqueConstraint("district", "application_id"),
        sa.CheckConstraint(
            "state IN ('in_hand', 'awaiting_supplement', 'done', 'not_accepted', 'withdrawn')", name="state_known"
        ),
        sa.CheckConstraint("(person_id IS NULL) <> (applicant_sealed IS NULL)", name="one_applicant"),
        sa.CheckConstraint("(state IN ('in_hand', 'awaiting_supplement')) = (closed_on IS NULL)", name="closed_with_its_day"),
        sa.CheckConstraint("(state = 'not_accepted') = (ground IS NOT NULL)", name="refused_with_its_ground"),
        sa.CheckConstraint("(offered_to_id IS NULL) OR (offered_to_id <> responsible_id)", name="offered_to_somebody_else"),
        sa.CheckConstraint("(application_id IS NULL) = (promised_from IS NOT NULL)", name="one_clock"),
        sa.Index("ix_service_request_area", "district", "area_code", "id"),
        sa.Index("ix_service_request_responsible", "district", "responsible_id", postgresql_where=sa.text("closed_on IS NULL")),
        sa.Index(
            "ix_service_request_offered", "district", "offered_to_id", postgresql_where=sa.text("offered_to_id IS NOT NULL")
        ),
        sa.Index("ix_service_request_person", "district", "person_id"),
        sa.Index("ix_service_request_item", "district", "item_id"),
        within_district(),
    )

    item_id: UUID
    person_id: UUID | None = None
    applicant_sealed: bytes | None = None
    phone_sealed: bytes | None = None
    phone_masked: str | None = None
    application_id: UUID | None = None
    state: str
    taken_by: UUID
    taken_by_name: str
    taken_on: date
    responsible_id: UUID
    responsible_name: str
    offered_to_id: UUID | None = None
    offered_to_name: str | None = None
    offer_reason: str | None = None
    offered_on: date | None = None
    materials: dict[str, Any] = Field(sa_type=Json)
    missing: list[dict[str, Any]] = Field(sa_type=Json)
    notified_on: date | None = None
    objectionable: list[str] = Field(sa_type=Json)
    legal_from: date | None = None
    legal_left: int | None = None
    legal_due_on: date | None = None
    legal_provisional: bool = False
    promised_from: date | None = None
    promised_left: int | None = None
    promised_due_on: date | None = None
    promised_provisional: bool = False
    closed_on: date | None = None
    ground: str | None = None
    note_sealed: bytes | None = None
    created_at: datetime = instant()
    version: int = 1


class ServiceRequestEvent(DistrictTable, table=True):
    """One act on a request, and who answered for it afterwards. Append-only."""

    __tablename__ = "service_request_event"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "request_id"], ["service_request.district", "service_request.id"]),
        sa.UniqueConstraint("district", "request_id", "number"),
        within_district(),
    )

    request_id: UUID
    number: int
    act: str
    state: str
    business_date: date
    at: datetime = instant()
    acted_by: UUID
    acted_by_name: str
    responsible_id: UUID
    responsible_name: str
    offered_to_id: UUID | None = None
    offered_to_name: str | None = None
    details: dict[str, Any] = Field(sa_type=Json)
