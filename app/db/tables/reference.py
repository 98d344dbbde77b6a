"""Reference data: administrative divisions, resident counts, the calendar, policy parameters.

Divisions, the calendar and parameters belong to no single district (a province holds parameters too), so they carry no wall;
the application role reads them all.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field, SQLModel

from app.db.base import AreaCode, DistrictKey, DistrictTable, Json, instant, instant_or_none, within_district


class Area(SQLModel, table=True):
    """A division for as long as its code and name held: half-open, never overlapping for one code."""

    __tablename__ = "area"
    __table_args__ = (
        postgresql.ExcludeConstraint(
            ("code", "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            name="ex_area_one_at_a_time",
            using="gist",
        ),
        sa.CheckConstraint("code ~ '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})$'", name="code_is_a_code"),
        sa.Index("ix_area_parent_code", "parent_code"),
    )

    code: str = Field(primary_key=True, sa_type=AreaCode)
    valid_from: date = Field(primary_key=True)
    valid_until: date | None = None
    name: str
    level: str
    parent_code: str | None = Field(default=None, sa_type=AreaCode)
    kind: str
    district: str | None = Field(default=None, sa_type=DistrictKey)
    loaded_at: datetime = instant()


class AreaSuccession(SQLModel, table=True):
    """Which code took over from which, and when (merger, split, re-coding)."""

    __tablename__ = "area_succession"

    predecessor: str = Field(primary_key=True, sa_type=AreaCode)
    successor: str = Field(primary_key=True, sa_type=AreaCode)
    on_date: date = Field(primary_key=True)
    reason: str


class ResidentCount(DistrictTable, table=True):
    """How many people live in a community on a day; data of its own, not an attribute of the division."""

    __tablename__ = "resident_count"
    __table_args__ = (
        sa.UniqueConstraint("district", "area_code", "as_of"),
        sa.CheckConstraint("population >= 0", name="population_not_negative"),
        within_district(),
    )

    as_of: date
    population: int
    households: int | None = None
    source: str
    recorded_at: datetime = instant()


class CalendarYear(SQLModel, table=True):
    """A year whose holidays are loaded; ``version`` grows with every load."""

    __tablename__ = "calendar_year"

    year: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    version: int
    source: str
    loaded_at: datetime = instant()


class CalendarDay(SQLModel, table=True):
    """A day that differs from the plain week: a holiday on a weekday, or a working day at a weekend."""

    __tablename__ = "calendar_day"
    __table_args__ = (sa.CheckConstraint("kind IN ('workday', 'holiday')", name="kind_known"),)

    day: date = Field(primary_key=True)
    kind: str
    name: str | None = None


class PolicySet(SQLModel, table=True):
    """A set of parameters of one area, as one decision of its authority: draft, then active, then superseded.

    ``author_id`` is None for what a command has loaded; only such a set may become active without somebody else's signature.
    """

    __tablename__ = "policy_set"
    __table_args__ = (
        sa.CheckConstraint("status IN ('draft', 'active', 'superseded')", name="status_known"),
        sa.CheckConstraint("signed_by <> author_id", name="signed_by_another"),
        sa.CheckConstraint(
            "status = 'draft' OR author_id IS NULL OR coalesce(signed_hash = content_hash, false)", name="signed_before_active"
        ),
        sa.Index("uq_policy_set_one_active", "area_code", unique=True, postgresql_where=sa.text("status = 'active'")),
        sa.Index(
            "uq_policy_set_loaded_once",
            "area_code",
            "content_hash",
            unique=True,
            postgresql_where=sa.text("author_id IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    area_code: str = Field(sa_type=AreaCode)
    status: str
    content_hash: str
    demo: bool = False
    loaded_at: datetime = instant()
    loaded_by: str
    author_id: UUID | None = None
    title: str | None = None
    effective_from: date | None = None
    copied_from: UUID | None = Field(default=None, foreign_key="policy_set.id")
    version: int = 1
    signed_by: UUID | None = None
    signed_by_name: str | None = None
    signed_at: datetime | None = instant_or_none()
    signed_hash: str | None = None
    simulation_id: UUID | None = None
    activated_at: datetime | None = instant_or_none()
    activated_by: str | None = None


class PolicyParameter(SQLModel, table=True):
    """One dated value with its source; values of one key in one set never overlap."""

    __tablename__ = "policy_parameter"
    __table_args__ = (
        postgresql.ExcludeConstraint(
            ("set_id", "="),
            ("key", "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            name="ex_policy_parameter_one_at_a_time",
            using="gist",
        ),
    )

    set_id: UUID = Field(primary_key=True, foreign_key="policy_set.id")
    key: str = Field(primary_key=True)
    valid_from: date = Field(primary_key=True)
    valid_until: date | None = None
    value: Any = Field(sa_type=Json)
    source: str | None = None
