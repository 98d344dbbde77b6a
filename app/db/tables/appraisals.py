"""The year-end assessment: schemes, years, stations in them, entries, records about people, and what was published for good.

Entries are written once: the latest one on a thing counts. Only phases move, and withdrawals are added.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.db.base import DistrictTable, Json, instant, instant_or_none, within_district
from app.db.tables.inspections import Uuids
from app.db.tables.stations import of_station


class Value(sa.Numeric[Decimal]):
    """A value of an indicator in its unit, two places."""

    def __init__(self) -> None:
        super().__init__(14, 2)


def _of_year() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["district", "appraisal_id"], ["appraisal.district", "appraisal.id"])


def _of_station_year() -> sa.ForeignKeyConstraint:
    parent = ["appraisal_station.district", "appraisal_station.id"]
    return sa.ForeignKeyConstraint(["district", "station_appraisal_id"], parent)


def _one_of(column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def _phases() -> sa.CheckConstraint:
    return _one_of("phase", "preparation", "operation", "mid_year", "reporting", "review", "published", "cancelled")


def _one_word_each(*key: str) -> sa.UniqueConstraint:
    """One word on a thing at a time, in order: the one with the highest number counts."""
    return sa.UniqueConstraint("district", "station_appraisal_id", *key, "number")


class AppraisalScheme(DistrictTable, table=True):
    """A version of a scheme that a district laid down. Append-only: a change is another version."""

    __tablename__ = "appraisal_scheme"
    __table_args__ = (sa.UniqueConstraint("district", "area_code", "code", "version"), within_district())

    code: str
    version: str
    document: dict[str, Any] = Field(sa_type=Json)
    added_by: UUID
    added_by_name: str
    added_at: datetime = instant()


class AppraisalYear(DistrictTable, table=True):
    """A year of a district; the scheme stands in it as it was when the year was opened."""

    __tablename__ = "appraisal"
    __table_args__ = (
        sa.Index(
            "uq_appraisal_year", "district", "area_code", "year", unique=True, postgresql_where=sa.text("phase <> 'cancelled'")
        ),
        _phases(),
        sa.CheckConstraint("(phase = 'published') = (published_at IS NOT NULL)", name="published_with_its_moment"),
        within_district(),
    )

    year: int
    title: str
    scheme: dict[str, Any] = Field(sa_type=Json)
    scheme_digest: str
    schedule: dict[str, Any] = Field(sa_type=Json)
    phase: str
    opened_by: UUID
    opened_by_name: str
    opened_at: datetime = instant()
    published_by: UUID | None = None
    published_by_name: str | None = None
    published_at: datetime | None = instant_or_none()
    version: int = 1


class AppraisalStation(DistrictTable, table=True):
    """One station in a year; ``area_code`` is its sub-district.

    What the station needs of the year, which it doesn't see, stands here too.
    """

    __tablename__ = "appraisal_station"
    __table_args__ = (
        _of_year(),
        of_station(),
        sa.UniqueConstraint("district", "appraisal_id", "station_id"),
        sa.Index(
            "uq_appraisal_station_year",
            "district",
            "station_id",
            "year",
            unique=True,
            postgresql_where=sa.text("phase <> 'cancelled'"),
        ),
        _phases(),
        within_district(),
    )

    appraisal_id: UUID
    station_id: UUID
    station_name: str
    year: int
    title: str
    scheme: dict[str, Any] = Field(sa_type=Json)
    schedule: dict[str, Any] = Field(sa_type=Json)
    phase: str
    version: int = 1


class AppraisalEntry(DistrictTable):
    """What every entry about a station in a year carries. ``number``: the version of that year it was entered upon."""

    station_appraisal_id: UUID
    number: int
    entered_by: UUID
    entered_by_name: str
    entered_at: datetime = instant()


class AppraisalTarget(AppraisalEntry, table=True):
    """A target; without a value the indicator isn't asked of the station, for the reason given."""

    __tablename__ = "appraisal_target"
    __table_args__ = (
        _of_station_year(),
        _one_word_each("indicator"),
        sa.CheckConstraint("target IS NOT NULL OR note IS NOT NULL", name="not_asked_with_its_reason"),
        sa.CheckConstraint("target >= 0", name="target_not_negative"),
        within_district(),
    )

    indicator: str
    target: Decimal | None = Field(default=None, sa_type=Value)
    note: str | None = None
    owner: str | None = None


class AppraisalReport(AppraisalEntry, table=True):
    """What a station reached; without a value it was never handed in."""

    __tablename__ = "appraisal_report"
    __table_args__ = (
        _of_station_year(),
        _one_word_each("round", "indicator"),
        _one_of("round", "mid_year", "year_end"),
        sa.CheckConstraint("actual >= 0", name="actual_not_negative"),
        within_district(),
    )

    indicator: str
    round: str
    actual: Decimal | None = Field(default=None, sa_type=Value)
    note: str | None = None
    next_step: str | None = None
    evidence: list[UUID] = Field(sa_type=Uuids)


class AppraisalScore(AppraisalEntry, table=True):
    """自评, 主要领导评分, 社会公认度: hundredths of a point."""

    __tablename__ = "appraisal_score"
    __table_args__ = (
        _of_station_year(),
        _one_word_each("round", "part"),
        _one_of("round", "mid_year", "year_end"),
        _one_of("part", "self_review", "leader", "survey"),
        sa.CheckConstraint("score_points BETWEEN 0 AND 10000", name="points_in_range"),
        sa.CheckConstraint(
            "(part = 'survey') = (sample_size IS NOT NULL AND satisfied IS NOT NULL AND conducted_by IS NOT NULL)",
            name="survey_with_its_figures",
        ),
        sa.CheckConstraint("satisfied BETWEEN 0 AND sample_size", name="satisfied_within_sample"),
        within_district(),
    )

    part: str
    round: str
    score_points: int
    note: str | None = None
    sample_size: int | None = None
    satisfied: int | None = None
    conducted_by: str | None = None
    evidence: list[UUID] = Field(sa_type=Uuids)


class AppraisalAdjustment(AppraisalEntry, table=True):
    """A bonus, a deduction or a veto; only its withdrawal is added later."""

    __tablename__ = "appraisal_adjustment"
    __table_args__ = (
        _of_station_year(),
        _one_word_each(),
        _one_of("kind", "bonus", "deduction", "veto"),
        sa.CheckConstraint("CASE kind WHEN 'veto' THEN score_points = 0 ELSE score_points > 0 END", name="points_of_the_kind"),
        sa.CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name="withdrawn_with_its_reason"),
        within_district(),
    )

    kind: str
    code: str
    score_points: int
    reason: str
    evidence: list[UUID] = Field(sa_type=Uuids)
    withdrawn_by: UUID | None = None
    withdrawn_by_name: str | None = None
    withdrawn_at: datetime | None = instant_or_none()
    withdrawn_reason: str | None = None


class AppraisalResult(DistrictTable, table=True):
    """What was published about a station: scheme, inputs, scores and rank as they were. Append-only."""

    __tablename__ = "appraisal_result"
    __table_args__ = (
        _of_year(),
        sa.UniqueConstraint("district", "appraisal_id", "station_id"),
        sa.Index("ix_appraisal_result_station", "district", "station_id", "year"),
        within_district(),
    )

    appraisal_id: UUID
    station_appraisal_id: UUID
    station_id: UUID
    station_name: str
    year: int
    score_points: int
    grade: str
    vetoed: bool
    rank: int
    content: dict[str, Any] = Field(sa_type=Json)
    content_hash: str
    published_at: datetime = instant()


class PersonnelRecord(DistrictTable, table=True):
    """How somebody did at a monthly meeting or quarterly check (一月一例会、一季一检查). Append-only.

    ``number``: of the act at the station; of several records of a person's period the one with the highest counts.
    """

    __tablename__ = "personnel_record"
    __table_args__ = (
        of_station(),
        sa.UniqueConstraint("district", "station_id", "person_id", "kind", "period", "number"),
        _one_of("person_kind", "assistant", "informant"),
        sa.CheckConstraint(
            "kind = 'monthly_meeting' AND outcome IN ('present', 'excused', 'absent')"
            " OR kind = 'quarterly_check' AND outcome IN ('passed', 'failed')",
            name="outcome_of_the_kind",
        ),
        sa.CheckConstraint("extract(day from period) = 1 AND held_on >= period", name="held_in_its_period"),
        within_district(),
    )

    station_id: UUID
    number: int
    person_id: UUID
    person_kind: str
    person_name: str
    kind: str
    period: date
    held_on: date
    outcome: str
    note: str | None = None
    recorded_by: UUID
    recorded_by_name: str
    recorded_at: datetime = instant()
