"""Exports: who took which rows out, for what, and the file they became."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.db.base import DistrictTable, Json, instant, instant_or_none, within_district


class ExportRun(DistrictTable, table=True):
    """One export. ``area_code`` is the area whose rows it holds; ``plain``: with whole numbers, which needs a purpose."""

    __tablename__ = "export_run"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "file_id"], ["stored_file.district", "stored_file.id"]),
        sa.CheckConstraint("format IN ('csv', 'xlsx')", name="format_known"),
        sa.CheckConstraint("status IN ('queued', 'succeeded', 'failed')", name="status_known"),
        sa.CheckConstraint("(status = 'succeeded') = (file_id IS NOT NULL)", name="finished_with_a_file"),
        sa.Index("ix_export_run_area", "district", "area_code", "id"),
        within_district(),
    )

    kind: str
    format: str
    profile: str | None = None
    as_of: date
    purpose: str
    plain: bool
    status: str
    rows: int = 0
    file_id: UUID | None = None
    job_id: UUID | None = None
    problem: dict[str, Any] | None = Field(default=None, sa_type=Json)
    requested_by: UUID
    requested_by_name: str
    requested_at: datetime = instant()
    finished_at: datetime | None = instant_or_none()


__all__ = ["ExportRun"]
