"""Stations (民政工作站), their staff, who reports to them from the communities, and officials whose relatives are put on file.

People are there for periods (``valid_from``, ``valid_until``, half-open), which an exclusion constraint keeps from overlapping.
Natural keys, by which a file names a row: each table says its own.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field

from app.db.base import DistrictTable, instant, within_district


def of_station() -> sa.ForeignKeyConstraint:
    """A row that belongs to a station."""
    return sa.ForeignKeyConstraint(["district", "station_id"], ["station.district", "station.id"])


def _period_in_order(first: str = "valid_from", until: str = "valid_until") -> sa.CheckConstraint:
    """Equal days are a period that never held: a correction."""
    return sa.CheckConstraint(f"{until} >= {first}", name="period_in_order")


def digits(count: int) -> sa.CheckConstraint:
    """A row of one level: 9 digits for a sub-district, 12 for a community."""
    return sa.CheckConstraint(f"length(area_code) = {count}", name=f"area_code_has_{count}_digits")


class Station(DistrictTable, table=True):
    """The station of a sub-district, one at a time. Natural key: ``area_code`` among the open ones."""

    __tablename__ = "station"
    __table_args__ = (
        postgresql.ExcludeConstraint(
            ("district", "="),
            ("area_code", "="),
            (sa.literal_column("daterange(opened_on, closed_on)"), "&&"),
            name="ex_station_one_at_a_time",
            using="gist",
        ),
        sa.Index("uq_station_open", "district", "area_code", unique=True, postgresql_where=sa.text("closed_on IS NULL")),
        digits(9),
        _period_in_order("opened_on", "closed_on"),
        within_district(),
    )

    name: str
    head_post: str
    deputy_post: str
    address: str | None = None
    phone: str | None = None
    opened_on: date
    closed_on: date | None = None
    version: int = 1
    created_at: datetime = instant()
    created_by: UUID
    updated_at: datetime = instant()


class StationStaff(DistrictTable, table=True):
    """Somebody's post at a station; ``leads_as``: head (站长), deputy (副站长) or neither. Natural key: station, name, since."""

    __tablename__ = "station_staff"
    __table_args__ = (
        of_station(),
        sa.UniqueConstraint("district", "station_id", "name", "valid_from"),
        postgresql.ExcludeConstraint(
            ("district", "="),
            ("station_id", "="),
            ("name", "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            name="ex_station_staff_one_post",
            using="gist",
        ),
        postgresql.ExcludeConstraint(
            ("district", "="),
            ("station_id", "="),
            ("leads_as", "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            name="ex_station_staff_one_leader",
            using="gist",
            where=sa.text("leads_as IS NOT NULL"),
        ),
        sa.CheckConstraint("establishment IN ('administrative', 'institutional', 'other')", name="establishment_known"),
        sa.CheckConstraint("leads_as IN ('head', 'deputy')", name="leads_as_known"),
        _period_in_order(),
        within_district(),
    )

    station_id: UUID
    name: str
    establishment: str
    full_time: bool
    position: str
    leads_as: str | None = None
    education: str | None = None
    exam_passed: bool = False
    filed_on: date | None = None
    other_posts: str | None = None
    consulted_on: date | None = None
    account_id: UUID | None = Field(default=None, foreign_key="account.id")
    valid_from: date
    valid_until: date | None = None
    version: int = 1
    recorded_at: datetime = instant()
    recorded_by: UUID


class Informant(DistrictTable, table=True):
    """A 民政信息监督员 of a community; the phone sealed under his id. Natural key: community, name, since."""

    __tablename__ = "informant"
    __table_args__ = (
        sa.UniqueConstraint("district", "area_code", "name", "valid_from"),
        postgresql.ExcludeConstraint(
            ("district", "="),
            ("area_code", "="),
            ("name", "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            name="ex_informant_one_post",
            using="gist",
        ),
        digits(12),
        _period_in_order(),
        within_district(),
    )

    name: str
    phone_sealed: bytes | None = None
    phone_masked: str | None = None
    badge_no: str | None = None
    valid_from: date
    valid_until: date | None = None
    version: int = 1
    recorded_at: datetime = instant()
    recorded_by: UUID


class Official(DistrictTable, table=True):
    """An official or community cadre whose near relatives' cases are put on file (近亲属备案).

    The ID number is sealed under the official's id. Natural key: the ID number, by ``official_number`` without a relative.
    """

    __tablename__ = "official"
    __table_args__ = (sa.Index("ix_official_area", "district", "area_code", "id"), within_district())

    name: str
    id_number_sealed: bytes
    id_number_masked: str
    organisation: str
    position: str
    version: int = 1
    created_at: datetime = instant()
    created_by: UUID
    updated_at: datetime = instant()


class OfficialRelative(DistrictTable, table=True):
    """A near relative that an official has declared; the ID number sealed under the relative's row id."""

    __tablename__ = "official_relative"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "official_id"], ["official.district", "official.id"]),
        sa.Index("ix_official_relative_official", "district", "official_id"),
        within_district(),
    )

    official_id: UUID
    relation: str
    name: str
    id_number_sealed: bytes
    id_number_masked: str
    declared_at: datetime = instant()


class OfficialNumber(DistrictTable, table=True):
    """Blind index of an ID number → the official, or (``relative_id``) the relative, whose it is.

    One row per live index-key version, as in ``identity_key``, with the same digest: an applicant's keys find his officials.
    """

    __tablename__ = "official_number"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "official_id"], ["official.district", "official.id"]),
        sa.ForeignKeyConstraint(["district", "relative_id"], ["official_relative.district", "official_relative.id"]),
        sa.Index(
            "uq_official_number_official",
            "district",
            "index_version",
            "bidx",
            unique=True,
            postgresql_where=sa.text("relative_id IS NULL"),
        ),
        sa.Index(
            "uq_official_number_relative",
            "district",
            "index_version",
            "bidx",
            "relative_id",
            unique=True,
            postgresql_where=sa.text("relative_id IS NOT NULL"),
        ),
        within_district(),
    )

    official_id: UUID
    relative_id: UUID | None = None
    index_version: int
    bidx: bytes
