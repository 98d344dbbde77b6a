"""The registry: people, households, and who belongs to whom from when to when."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field

from app.db.base import DistrictTable, Json, instant, instant_or_none, within_district


class Person(DistrictTable, table=True):
    """A registered person; ID number, phone and address only as ciphertext bound to ``person_uid``."""

    __tablename__ = "person"
    __table_args__ = (
        sa.UniqueConstraint("district", "person_uid"),
        sa.Index("ix_person_area", "district", "area_code", "id"),
        sa.Index("ix_person_name", "district", "name_key"),
        within_district(),
    )

    person_uid: UUID
    name: str
    name_key: str
    birth_date: date
    gender: str
    residence: str
    hukou_area_code: str | None = None
    ethnicity: str | None = None
    marital_status: str | None = None
    id_number_sealed: bytes
    id_number_masked: str
    phone_sealed: bytes | None = None
    address_sealed: bytes | None = None
    died_on: date | None = None
    synthetic: bool = False
    version: int = 1
    created_at: datetime = instant()
    created_by: UUID
    updated_at: datetime = instant()


class PersonFact(DistrictTable, table=True):
    """A fact about a person over time, bitemporal: when it was true, when we learned it, when it was corrected.

    The end of a fact is the next row of its kind (or one with an empty value), so overlap can't be written.
    """

    __tablename__ = "person_fact"
    __table_args__ = (
        sa.Index(
            "uq_person_fact_current",
            "district",
            "person_id",
            "kind",
            "valid_from",
            unique=True,
            postgresql_where=sa.text("superseded_at IS NULL"),
        ),
        sa.ForeignKeyConstraint(["district", "person_id"], ["person.district", "person.id"]),
        sa.Index("ix_person_fact_person", "district", "person_id"),
        within_district(),
    )

    person_id: UUID
    kind: str
    valid_from: date
    value: Any = Field(default=None, sa_type=Json)
    recorded_at: datetime = instant()
    recorded_by: UUID
    superseded_at: datetime | None = instant_or_none()


class Household(DistrictTable, table=True):
    """A household as registered in a community; ``household_no`` is unique in its district."""

    __tablename__ = "household"
    __table_args__ = (
        sa.UniqueConstraint("district", "household_no"),
        sa.Index("ix_household_area", "district", "area_code", "id"),
        sa.CheckConstraint("residence IN ('urban', 'rural')", name="residence_known"),
        within_district(),
    )

    household_no: str
    residence: str
    address_sealed: bytes | None = None
    bank_account_sealed: bytes | None = None
    bank_account_masked: str | None = None
    bank_name: str | None = None
    account_holder: str | None = None
    account_kind: str | None = None
    synthetic: bool = False
    version: int = 1
    created_at: datetime = instant()
    created_by: UUID
    updated_at: datetime = instant()


#: Ended or backdated stays. An open stay that began no earlier than it was recorded can only run into other open ones (stays end
#: today at the latest), and those the unique index refuses at a quarter of the cost: 15 µs a row instead of 60 on a million.
STAY_WITH_HISTORY = "valid_until IS NOT NULL OR valid_from < (recorded_at AT TIME ZONE 'Asia/Shanghai')::date"


class HouseholdMember(DistrictTable, table=True):
    """Membership over time, half-open. A person belongs to one household at a time, a household has one head at a time.

    Open stays are kept apart by unique indexes, everything that touches the past by exclusion constraints.
    """

    __tablename__ = "household_member"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "household_id"], ["household.district", "household.id"]),
        sa.ForeignKeyConstraint(["district", "person_id"], ["person.district", "person.id"]),
        sa.Index(
            "uq_household_member_one_household",
            "district",
            "person_id",
            unique=True,
            postgresql_where=sa.text("valid_until IS NULL"),
        ),
        sa.Index(
            "uq_household_member_one_head",
            "district",
            "household_id",
            unique=True,
            postgresql_where=sa.text("relation = 'head' AND valid_until IS NULL"),
        ),
        postgresql.ExcludeConstraint(
            ("district", "="),
            ("person_id", "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            name="ex_household_member_one_household",
            using="gist",
            where=sa.text(STAY_WITH_HISTORY),
        ),
        postgresql.ExcludeConstraint(
            ("district", "="),
            ("household_id", "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            name="ex_household_member_one_head",
            using="gist",
            where=sa.text(f"relation = 'head' AND ({STAY_WITH_HISTORY})"),
        ),
        sa.Index("ix_household_member_person", "district", "person_id"),
        sa.Index("ix_household_member_household", "district", "household_id"),
        within_district(),
    )

    household_id: UUID
    person_id: UUID
    relation: str
    valid_from: date
    valid_until: date | None = None
    recorded_at: datetime = instant()
    recorded_by: UUID
