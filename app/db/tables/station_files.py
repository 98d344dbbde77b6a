"""What stations have on file: sheets, trainings and meetings, and the assessments that were made of them.

- *Sheets* (``valid_from``, ``superseded_at``) are written anew as a whole: the next one ends the former, a second one of the same
  day corrects it.
- *Events* are of one day: trainings, meetings.
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
from app.db.tables.stations import digits, of_station


class SquareMetres(sa.Numeric[Decimal]):
    """An area in m²."""

    def __init__(self) -> None:
        super().__init__(10, 2)


class MonthlyFen(postgresql.ARRAY[int]):
    """Twelve amounts in fen, January first; NULL for a month in which nothing was paid out."""

    def __init__(self) -> None:
        super().__init__(sa.BigInteger())


def _one_sheet_a_day(table: str, subject: str = "station_id") -> sa.Index:
    current = sa.text("superseded_at IS NULL")
    return sa.Index(f"uq_{table}_current", "district", subject, "valid_from", unique=True, postgresql_where=current)


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
        of_station(),
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
        of_station(),
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
        of_station(),
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
        of_station(),
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
        of_station(),
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
        of_station(),
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
        of_station(),
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
        of_station(),
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


class CommunityOffice(DistrictTable, table=True):
    """The office of a community (五有一创), a sheet like those of stations; ``area_code`` is the community's."""

    __tablename__ = "community_office"
    __table_args__ = (
        _one_sheet_a_day("community_office", "area_code"),
        sa.CheckConstraint("kind IN ('urban', 'township')", name="kind_known"),
        sa.CheckConstraint("area_m2 >= 0", name="area_not_negative"),
        digits(12),
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
        of_station(),
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
