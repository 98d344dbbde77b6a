"""Stations (民政工作站), their facts over time, and who reports to them from the communities.

Three kinds of dating, all half-open:

- *periods* (``valid_from``, ``valid_until``) for people: staff, informants; an exclusion constraint keeps them from overlapping;
- *sheets* (``valid_from``, ``superseded_at``) for what is written anew as a whole: the next sheet ends the former, a second one
  of the same day corrects it;
- *events* of one day: trainings, meetings.

Natural keys, by which a file names a row: each table says its own.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field

from app.db.base import DistrictTable, Json, Texts, instant, instant_or_none, within_district


class SquareMetres(sa.Numeric[Decimal]):
    """An area in m²."""

    def __init__(self) -> None:
        super().__init__(10, 2)


class MonthlyFen(postgresql.ARRAY[int]):
    """Twelve amounts in fen, January first; NULL for a month in which nothing was paid out."""

    def __init__(self) -> None:
        super().__init__(sa.BigInteger())


def _of_station() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["district", "station_id"], ["station.district", "station.id"])


def _one_sheet_a_day(table: str, subject: str = "station_id") -> sa.Index:
    current = sa.text("superseded_at IS NULL")
    return sa.Index(f"uq_{table}_current", "district", subject, "valid_from", unique=True, postgresql_where=current)


def _period_in_order(first: str = "valid_from", until: str = "valid_until") -> sa.CheckConstraint:
    """Equal days are a period that never held: a correction."""
    return sa.CheckConstraint(f"{until} >= {first}", name="period_in_order")


def _digits(count: int) -> sa.CheckConstraint:
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
        _digits(9),
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
        _of_station(),
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
    account_id: UUID | None = Field(default=None, foreign_key="account.id")
    valid_from: date
    valid_until: date | None = None
    version: int = 1
    recorded_at: datetime = instant()
    recorded_by: UUID


class StationSheet(DistrictTable):
    """What every sheet carries: in force from ``valid_from`` until the next one; corrected ones stay with ``superseded_at``."""

    station_id: UUID
    valid_from: date
    recorded_at: datetime = instant()
    recorded_by: UUID
    superseded_at: datetime | None = instant_or_none()


class StationPremises(StationSheet, table=True):
    """办公场所."""

    __tablename__ = "station_premises"
    __table_args__ = (
        _of_station(),
        _one_sheet_a_day("station_premises"),
        sa.CheckConstraint("area_m2 >= 0", name="area_not_negative"),
        within_district(),
    )

    area_m2: Decimal = Field(sa_type=SquareMetres)
    independent: bool
    accessible: bool
    service_window: bool
    archive_room: bool


class StationBudget(StationSheet, table=True):
    """A year's budget and what of it was paid out in each month; ``valid_from`` is the first of January."""

    __tablename__ = "station_budget"
    __table_args__ = (
        _of_station(),
        _one_sheet_a_day("station_budget"),
        sa.CheckConstraint("valid_from = make_date(year, 1, 1)", name="one_calendar_year"),
        sa.CheckConstraint("amount_fen >= 0", name="amount_not_negative"),
        sa.CheckConstraint("cardinality(disbursed_fen) = 12", name="twelve_months"),
        within_district(),
    )

    year: int
    in_fiscal_budget: bool
    amount_fen: int = Field(sa_type=sa.BigInteger)
    disbursed_fen: list[int | None] = Field(sa_type=MonthlyFen)


class StationEquipment(StationSheet, table=True):
    """办公设施: pieces in working order."""

    __tablename__ = "station_equipment"
    __table_args__ = (
        _of_station(),
        _one_sheet_a_day("station_equipment"),
        sa.CheckConstraint("least(computer, telephone, fax, printer, camera, vehicle) >= 0", name="counts_not_negative"),
        within_district(),
    )

    computer: int
    telephone: int
    fax: int
    printer: int
    camera: int
    vehicle: int


class StationRule(StationSheet, table=True):
    """规章制度 and 标识; ``made_by_bureau`` names the signs that the bureau provides, the street office the rest."""

    __tablename__ = "station_rule"
    __table_args__ = (
        _of_station(),
        _one_sheet_a_day("station_rule"),
        sa.CheckConstraint("made_by_bureau <@ signage", name="provided_signs_are_there"),
        within_district(),
    )

    rules: list[str] = Field(sa_type=Texts)
    signage: list[str] = Field(sa_type=Texts)
    made_by_bureau: list[str] = Field(sa_type=Texts)


class StationArchive(StationSheet, table=True):
    """文档资料: files held, and how many of them are bound and digitised, as counted on ``valid_from``."""

    __tablename__ = "station_archive"
    __table_args__ = (
        _of_station(),
        _one_sheet_a_day("station_archive"),
        sa.CheckConstraint("bound BETWEEN 0 AND total AND digitised BETWEEN 0 AND total", name="parts_within_total"),
        within_district(),
    )

    total: int
    bound: int
    digitised: int
    confidential: bool


class StationVolunteers(StationSheet, table=True):
    """一支志愿者队伍、一套应急措施."""

    __tablename__ = "station_volunteers"
    __table_args__ = (
        _of_station(),
        _one_sheet_a_day("station_volunteers"),
        sa.CheckConstraint("volunteers >= 0", name="volunteers_not_negative"),
        within_district(),
    )

    volunteers: int
    emergency_plan: bool
    emergency_plan_on: date | None = None


class StationTraining(DistrictTable, table=True):
    """A training held: for assistants (民政助理员) or coordinators (协管员). Natural key: station, audience, day, topic."""

    __tablename__ = "station_training"
    __table_args__ = (
        _of_station(),
        sa.UniqueConstraint("district", "station_id", "audience", "held_on", "topic"),
        sa.CheckConstraint("audience IN ('assistants', 'coordinators')", name="audience_known"),
        sa.CheckConstraint("attended >= 0", name="attended_not_negative"),
        within_district(),
    )

    station_id: UUID
    audience: str
    held_on: date
    topic: str
    attended: int
    version: int = 1
    recorded_at: datetime = instant()
    recorded_by: UUID


class StationMeeting(DistrictTable, table=True):
    """A monthly meeting or quarterly check (一月一例会、一季一检查). Natural key: station, kind, day."""

    __tablename__ = "station_meeting"
    __table_args__ = (
        _of_station(),
        sa.UniqueConstraint("district", "station_id", "kind", "held_on"),
        sa.CheckConstraint("kind IN ('monthly_meeting', 'quarterly_check')", name="kind_known"),
        sa.CheckConstraint("attended BETWEEN 0 AND invited", name="attended_within_invited"),
        within_district(),
    )

    station_id: UUID
    kind: str
    held_on: date
    invited: int
    attended: int
    note: str | None = None
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
        _digits(12),
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


class CommunityOffice(DistrictTable, table=True):
    """The office of a community (五有一创), a sheet like those of stations; ``area_code`` is the community's."""

    __tablename__ = "community_office"
    __table_args__ = (
        _one_sheet_a_day("community_office", "area_code"),
        sa.CheckConstraint("kind IN ('urban', 'township')", name="kind_known"),
        sa.CheckConstraint("area_m2 >= 0", name="area_not_negative"),
        _digits(12),
        within_district(),
    )

    kind: str
    area_m2: Decimal = Field(sa_type=SquareMetres)
    rooms: list[str] = Field(sa_type=Texts)
    valid_from: date
    recorded_at: datetime = instant()
    recorded_by: UUID
    superseded_at: datetime | None = instant_or_none()


class StationAssessment(DistrictTable, table=True):
    """How a station stood on a standard on a day: the facts, the answer and what the station itself had said, frozen together."""

    __tablename__ = "station_assessment"
    __table_args__ = (
        _of_station(),
        sa.Index("ix_station_assessment_station", "district", "station_id", "id"),
        sa.CheckConstraint("grade IN ('qualified', 'unqualified', 'undetermined')", name="grade_known"),
        within_district(),
    )

    station_id: UUID
    standard: str
    standard_version: str
    as_of: date
    grade: str
    facts: Any = Field(sa_type=Json)
    answer: Any = Field(sa_type=Json)
    claims: Any = Field(sa_type=Json)
    assessed_by: UUID
    assessed_by_name: str
    assessed_at: datetime = instant()


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


__all__ = [
    "CommunityOffice",
    "Informant",
    "Official",
    "OfficialNumber",
    "OfficialRelative",
    "Station",
    "StationArchive",
    "StationAssessment",
    "StationBudget",
    "StationEquipment",
    "StationMeeting",
    "StationPremises",
    "StationRule",
    "StationStaff",
    "StationTraining",
    "StationVolunteers",
]
