"""Files as sent and made (sealed, in parts), imports with their staged parts, and what each import wrote last."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.db.base import AreaCode, DistrictKey, DistrictTable, Json, instant, instant_or_none, within_district


class StoredFile(DistrictTable, table=True):
    """A file kept under seal. ``sha256`` is of the plain content."""

    __tablename__ = "stored_file"
    __table_args__ = (
        sa.CheckConstraint("purpose IN ('import', 'export', 'evidence')", name="purpose_known"),
        within_district(),
    )

    purpose: str
    name: str
    media_type: str
    size_bytes: int = Field(sa_type=sa.BigInteger)
    sha256: str
    parts: int
    created_at: datetime = instant()
    created_by: UUID


class StoredFilePart(SQLModel, table=True):
    """One part of a file, sealed and bound to its place (Field.FILE, the file's id, the part's number)."""

    __tablename__ = "stored_file_part"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "file_id"], ["stored_file.district", "stored_file.id"], ondelete="CASCADE"),
        within_district(),
    )

    district: str = Field(primary_key=True, sa_type=DistrictKey)
    file_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    area_code: str = Field(sa_type=AreaCode)
    content_sealed: bytes


class ImportRun(DistrictTable, table=True):
    """One import. ``area_code`` is the sender's area: every row must lie in it."""

    __tablename__ = "import_run"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "file_id"], ["stored_file.district", "stored_file.id"]),
        sa.CheckConstraint("mode IN ('upsert', 'insert')", name="mode_known"),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'completed_with_errors', 'failed', 'undone')", name="status_known"
        ),
        sa.Index("ix_import_run_area", "district", "area_code", "id"),
        within_district(),
    )

    kind: str
    mode: str
    dry_run: bool
    profile: str | None = None
    file_id: UUID
    job_id: UUID | None = None
    status: str
    phase: str  # reading, applying, finished
    rows_total: int = 0
    rows_ok: int = 0
    rows_rejected: int = 0
    rows_created: int = 0
    rows_updated: int = 0
    rows_unchanged: int = 0
    bytes_read: int = Field(default=0, sa_type=sa.BigInteger)
    layout: dict[str, Any] | None = Field(default=None, sa_type=Json)  # encoding, sheet, header row, columns known and not
    notices: list[dict[str, Any]] | None = Field(default=None, sa_type=Json)  # about the file as a whole: code, message
    problem: dict[str, Any] | None = Field(default=None, sa_type=Json)
    requested_by: UUID
    requested_by_name: str
    requested_at: datetime = instant()
    started_at: datetime | None = instant_or_none()
    finished_at: datetime | None = instant_or_none()
    undone_by: UUID | None = None
    undone_at: datetime | None = instant_or_none()
    version: int = 1


class ImportPart(SQLModel, table=True):
    """Some thousand staged rows, as sent, sealed (Field.JOB_PAYLOAD, the import's id, the part's number).

    ``rejected_sealed`` (Field.REJECTED_ROW) holds the rejected rows of the part with their faults; it grows from those of
    reading to those of applying.
    """

    __tablename__ = "import_part"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "import_id"], ["import_run.district", "import_run.id"]),
        within_district(),
    )

    district: str = Field(primary_key=True, sa_type=DistrictKey)
    import_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    area_code: str = Field(sa_type=AreaCode)
    first_row: int
    rows: int
    rows_sealed: bytes | None = None  # dropped when the import has ended
    digests: bytes | None = None  # keyed digests of the rows that reading let through; dropped with the file
    rejected: int = 0
    rejected_sealed: bytes | None = None
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    done: bool = False


class ImportMark(SQLModel, table=True):
    """What an import wrote last about a subject: ``subject_key`` is a keyed digest of the kind's natural key.

    ``fingerprint`` (HMAC of the normalised row) decides "unchanged"; ``created`` says whether the import made the subject, so
    that undoing it takes the subject away again. ``subject_version`` is the subject's version as the import left it, where it
    has one: another one by now means a later edit. Where it has none, ``fingerprint`` is of the subject as the import left it,
    and ``said`` of the fields that the row gave.
    """

    __tablename__ = "import_mark"
    __table_args__ = (
        sa.Index("ix_import_mark_import", "district", "import_id", "subject_id"),
        within_district(),
    )

    district: str = Field(primary_key=True, sa_type=DistrictKey)
    kind: str = Field(primary_key=True)
    subject_key: bytes = Field(primary_key=True)
    area_code: str = Field(sa_type=AreaCode)
    subject_id: UUID
    fingerprint: bytes
    import_id: UUID
    created: bool
    subject_version: int | None = None
    said: bytes | None = None


class ImportBefore(DistrictTable, table=True):
    """A subject as it stood before an import changed it, sealed (Field.JOB_PAYLOAD, this row's id): what undoing restores."""

    __tablename__ = "import_before"
    __table_args__ = (
        sa.ForeignKeyConstraint(["district", "import_id"], ["import_run.district", "import_run.id"]),
        sa.Index("ix_import_before_import", "district", "import_id"),
        within_district(),
    )

    import_id: UUID
    kind: str
    subject_key: bytes
    subject_id: UUID
    before_sealed: bytes
    mark_before: dict[str, Any] | None = Field(default=None, sa_type=Json)  # the mark that stood before, for putting it back
