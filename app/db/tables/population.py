"""Whole-population runs: the facts as columns, the runs, and what differs from what is drawn or from another policy.

``population_household`` and ``population_member`` are a read model, made anew from the registry, the facts of applications and
the entitlements: small codes (``app.domain.eligibility.columns_setwise``) and whole fen, in the order in which a run reads them.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.db.base import AreaCode, DistrictKey, DistrictTable, Json, Texts, instant, instant_or_none, within_district


def _small() -> Any:
    return Field(sa_type=sa.SmallInteger)


def _fen() -> Any:
    return Field(sa_type=sa.BigInteger)


def _fen_or_none() -> Any:
    return Field(default=None, sa_type=sa.BigInteger)


class PopulationHousehold(SQLModel, table=True):
    """The facts of one household on the day of the last refresh; NULL = unknown."""

    __tablename__ = "population_household"
    __table_args__ = (sa.PrimaryKeyConstraint("district", "area_code", "household_id"), within_district())

    district: str = Field(sa_type=DistrictKey)
    area_code: str = Field(sa_type=AreaCode)
    household_id: UUID
    size: int = _small()
    residence: int = _small()
    deductible_fen: int = _fen()
    authorised: bool | None = None
    financial_fen: int | None = _fen_or_none()
    vehicles: int = _small()
    homes: int = _small()
    current_programme: int = _small()
    current_fen: int | None = _fen_or_none()
    current_by_employment: bool
    refreshed_at: datetime = instant()


class PopulationMember(SQLModel, table=True):
    """The facts of one member; NULL = unknown, code 0 = none. ``drawn_*_fen`` is what he draws of programmes of persons."""

    __tablename__ = "population_member"
    __table_args__ = (sa.PrimaryKeyConstraint("district", "area_code", "household_id", "person_id"), within_district())

    district: str = Field(sa_type=DistrictKey)
    area_code: str = Field(sa_type=AreaCode)
    household_id: UUID
    person_id: UUID
    birth_date: date
    relation: int = _small()
    absence: int = _small()
    study: int = _small()
    employment: int = _small()
    employable: bool
    job_offers_refused: int = _small()
    disability_category: int = _small()
    disability_grade: int = _small()
    needs_care: bool
    serious_illness: bool
    authorised: bool | None = None
    hukou_local: bool | None = None
    survival_confirmed_on: date | None = None
    holds: int
    elderly_care_fen: int | None = _fen_or_none()
    wage_fen: int = _fen()
    business_fen: int = _fen()
    basic_pension_fen: int = _fen()
    old_age_allowance_fen: int = _fen()
    other_income_fen: int = _fen()
    drawn_dibao_single_fen: int | None = _fen_or_none()
    drawn_disability_living_fen: int | None = _fen_or_none()
    drawn_disability_care_fen: int | None = _fen_or_none()
    drawn_old_age_fen: int | None = _fen_or_none()


class PopulationRun(DistrictTable, table=True):
    """One run over everybody in an area: under which policy, against what, and the sums. Finished runs never change."""

    __tablename__ = "population_run"
    __table_args__ = (
        sa.CheckConstraint("baseline IN ('drawn', 'policy')", name="baseline_known"),
        sa.CheckConstraint("(baseline = 'policy') = (baseline_version IS NOT NULL)", name="baseline_has_version"),
        sa.Index("ix_population_run_area", "district", "area_code", "id"),
        within_district(),
    )

    business_date: date
    programmes: list[str] = Field(sa_type=Texts)
    baseline: str
    policy_version: str
    baseline_version: str | None = None
    engine_version: str
    facts_of: datetime | None = instant_or_none()
    households: int = 0
    members: int = 0
    differences: int = 0
    totals: Any = Field(default=None, sa_type=Json, nullable=True)
    requested_by: UUID
    started_at: datetime = instant()
    finished_at: datetime | None = instant_or_none()


class PopulationDifference(SQLModel, table=True):
    """Who would draw something else: old and new amount a month, NULL = not in the programme. Append-only.

    Written with its run in one transaction; a foreign key would be looked up for every row.
    """

    __tablename__ = "population_difference"
    __table_args__ = (
        sa.PrimaryKeyConstraint("district", "run_id", "number"),
        within_district(),
    )

    district: str = Field(sa_type=DistrictKey)
    run_id: UUID
    number: int
    area_code: str = Field(sa_type=AreaCode)
    programme: str
    household_id: UUID
    person_id: UUID | None = None
    old_outcome: str | None = None
    new_outcome: str
    old_fen: int | None = _fen_or_none()
    new_fen: int | None = _fen_or_none()
