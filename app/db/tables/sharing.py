"""Sharing with other bureaus: agreements, the daily quota, and the log of every status query.

The status-query path runs under a role of its own that reads a few columns, counts the quota and can only add to the log
(政务数据共享条例 第二十五、二十九条; 社会救助法 第七十条第六项).
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field, SQLModel

from app.db.base import DistrictKey, DistrictTable, Texts, instant, within_district


class SharingAgreement(DistrictTable, table=True):
    """What one client may ask, for what, how often and until when; ``area_code`` bounds whom it may ask about.

    One agreement per client at a time, several over time. ``fields`` are those of a positive answer beside the yes itself.
    """

    __tablename__ = "sharing_agreement"
    __table_args__ = (
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        postgresql.ExcludeConstraint(
            ("district", "="),
            ("client_id", "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            name="ex_sharing_agreement_one_at_a_time",
            using="gist",
        ),
        sa.CheckConstraint("quota_per_day >= 0", name="quota_not_negative"),
        sa.CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="ends_after_it_begins"),
        within_district(),
    )

    client_id: UUID
    programmes: list[str] = Field(sa_type=Texts)
    purposes: list[str] = Field(sa_type=Texts)
    fields: list[str] = Field(sa_type=Texts)
    quota_per_day: int
    valid_from: date
    valid_until: date | None = None
    created_at: datetime = instant()
    created_by: str


class StatusQuota(SQLModel, table=True):
    """How many status queries a client has been answered on a day (Asia/Shanghai)."""

    __tablename__ = "status_quota"

    district: str = Field(primary_key=True, sa_type=DistrictKey)
    client_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    used: int


class StatusQueryLog(DistrictTable, table=True):
    """One answered status query; ``id`` is the query's. Append-only, kept at least three years (政务数据共享条例 第二十九条).

    ``person_uid`` is whoever holds the ID number asked about, None when nobody known does: neither number nor name is kept.
    ``area_code`` is the area that the client could see.
    """

    __tablename__ = "status_query_log"
    __table_args__ = (
        sa.Index("ix_status_query_log_person", "district", "person_uid", "id"),
        within_district(),
    )

    at: datetime = instant()
    client_id: UUID
    agreement_id: UUID
    person_uid: UUID | None = None
    programmes: list[str] = Field(sa_type=Texts)
    enrolled: list[str] = Field(sa_type=Texts)
    purpose: str
    legal_basis: str
    case_no: str
    as_of: date
    attested: bool
    trace_id: str
