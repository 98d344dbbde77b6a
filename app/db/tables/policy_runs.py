"""Simulations of parameter sets with what differs, and the 提标 batches that follow an activation."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.db.base import DistrictTable, Json, Texts, first_of_month, instant, instant_or_none, within_district


class Simulation(DistrictTable, table=True):
    """A replay of the running entitlements of an area under a set, as its content was by ``set_hash``."""

    __tablename__ = "simulation"
    __table_args__ = (
        sa.ForeignKeyConstraint(["set_id"], ["policy_set.id"]),
        sa.ForeignKeyConstraint(["district", "job_id"], ["job.district", "job.id"]),
        within_district(),
    )

    set_id: UUID
    set_hash: str
    base_set_id: UUID | None = None
    on_date: date
    programmes: list[str] = Field(default_factory=list, sa_type=Texts)
    job_id: UUID
    requested_by: UUID
    requested_by_name: str
    requested_at: datetime = instant()
    summary: Any = Field(default=None, sa_type=Json, nullable=True)
    finished_at: datetime | None = instant_or_none()


class SimulationDifference(DistrictTable, table=True):
    """An entitlement that the set would change."""

    __tablename__ = "simulation_difference"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "simulation_id"], ["simulation.district", "simulation.id"]),
        sa.ForeignKeyConstraint(["district", "entitlement_id"], ["entitlement.district", "entitlement.id"]),
        sa.UniqueConstraint("district", "simulation_id", "entitlement_id"),
        within_district(),
    )

    simulation_id: UUID
    entitlement_id: UUID
    household_id: UUID
    programme: str
    before_outcome: str
    after_outcome: str
    before_fen: int = Field(sa_type=sa.BigInteger)
    after_fen: int = Field(sa_type=sa.BigInteger)


class AdjustmentBatch(DistrictTable, table=True):
    """A 提标: every entitlement that a newly active set changes, from one month on, approved once by somebody else."""

    __tablename__ = "adjustment_batch"
    __table_args__ = (
        sa.ForeignKeyConstraint(["set_id"], ["policy_set.id"]),
        sa.CheckConstraint("state IN ('proposed', 'approved', 'cancelled')", name="state_known"),
        sa.CheckConstraint("approved_by <> made_by", name="approved_by_another"),
        sa.CheckConstraint("(state = 'approved') = (approved_by IS NOT NULL)", name="approved_with_name"),
        first_of_month("effective_month"),
        sa.Index(
            "uq_adjustment_batch_one_open",
            "district",
            "set_id",
            unique=True,
            postgresql_where=sa.text("state <> 'cancelled'"),
        ),
        within_district(),
    )

    set_id: UUID
    effective_month: date
    state: str
    business_date: date
    items: int
    excluded: int
    monthly_change_fen: int = Field(sa_type=sa.BigInteger)
    arrears_fen: int = Field(sa_type=sa.BigInteger)
    made_by: UUID
    made_by_name: str
    made_at: datetime = instant()
    approved_by: UUID | None = None
    approved_by_name: str | None = None
    approved_at: datetime | None = instant_or_none()
    version: int = 1


class AdjustmentItem(DistrictTable, table=True):
    """Old and new amount of one entitlement, and what is owed for the months already due; what payments and notices read.

    Append-only: what was approved is what was proposed.
    """

    __tablename__ = "adjustment_item"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "batch_id"], ["adjustment_batch.district", "adjustment_batch.id"]),
        sa.ForeignKeyConstraint(["district", "entitlement_id"], ["entitlement.district", "entitlement.id"]),
        sa.UniqueConstraint("district", "batch_id", "entitlement_id"),
        sa.CheckConstraint("old_fen >= 0 AND new_fen >= 0 AND arrears_fen >= 0", name="amounts_not_negative"),
        first_of_month("from_month"),
        within_district(),
    )

    batch_id: UUID
    entitlement_id: UUID
    household_id: UUID
    programme: str
    from_month: date
    old_fen: int = Field(sa_type=sa.BigInteger)
    new_fen: int = Field(sa_type=sa.BigInteger)
    arrears_fen: int = Field(sa_type=sa.BigInteger)
    components: Any = Field(sa_type=Json)
    arrears: Any = Field(sa_type=Json)
