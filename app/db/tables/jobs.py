"""Long operations and their chunks: the truth that users see. pgqueuer only carries a job's id to a worker."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.db.base import DistrictTable, Json, instant, instant_or_none, within_district


class Job(DistrictTable, table=True):
    """One long operation. ``area_code`` and ``district`` are the scope its worker takes on."""

    __tablename__ = "job"
    __table_args__ = (
        sa.CheckConstraint("status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="status_known"),
        sa.Index("ix_job_open", "status", postgresql_where=sa.text("status IN ('queued', 'running')")),
        within_district(),
    )

    kind: str
    status: str
    subject_id: UUID | None = None
    arguments: dict[str, Any] = Field(sa_type=Json)
    chunks_total: int = 0
    chunks_done: int = 0
    problem: dict[str, Any] | None = Field(default=None, sa_type=Json)
    requested_by: UUID
    requested_at: datetime = instant()
    started_at: datetime | None = instant_or_none()
    finished_at: datetime | None = instant_or_none()


class JobChunk(DistrictTable, table=True):
    """A part of a job done in one transaction; ``fence`` grows with every lease, a stale holder can't finish it."""

    __tablename__ = "job_chunk"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "job_id"], ["job.district", "job.id"]),
        sa.UniqueConstraint("district", "job_id", "number"),
        sa.CheckConstraint("status IN ('pending', 'leased', 'done', 'failed')", name="status_known"),
        within_district(),
    )

    job_id: UUID
    number: int
    arguments: dict[str, Any] = Field(sa_type=Json)
    status: str
    attempts: int = 0
    fence: int = 0
    leased_until: datetime | None = instant_or_none()
    result: dict[str, Any] | None = Field(default=None, sa_type=Json)
    finished_at: datetime | None = instant_or_none()
