"""Reports of other bureaus about people, and exports on record.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db import ddl

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

DELETED = ("resident_count", "bureau_notice")  # by an import that is undone


def upgrade() -> None:
    op.create_table(
        "bureau_notice",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number_digest", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id_number_masked", sa.String(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("document_no", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_bureau_notice_area_code_is_a_code")),
        sa.CheckConstraint("kind IN ('death', 'detention', 'warning')", name=op.f("ck_bureau_notice_kind_known")),
        sa.ForeignKeyConstraint(
            ["district", "person_id"],
            ["person.district", "person.id"],
            name=op.f("fk_bureau_notice_district_person_id"),
            ondelete="SET NULL (person_id)",
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_bureau_notice")),
        sa.UniqueConstraint("district", "kind", "number_digest", "occurred_on", "category", name="uq_bureau_notice_natural_key"),
    )
    op.create_index("ix_bureau_notice_area", "bureau_notice", ["district", "area_code", "id"], unique=False)
    op.create_index("ix_bureau_notice_number", "bureau_notice", ["district", "number_digest"], unique=False)
    op.create_index("ix_bureau_notice_person", "bureau_notice", ["district", "person_id"], unique=False)
    op.create_table(
        "export_run",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("profile", sa.String(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("plain", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("problem", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_by_name", sa.String(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(status = 'succeeded') = (file_id IS NOT NULL)", name=op.f("ck_export_run_finished_with_a_file")),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_export_run_area_code_is_a_code")),
        sa.CheckConstraint("format IN ('csv', 'xlsx')", name=op.f("ck_export_run_format_known")),
        sa.CheckConstraint("status IN ('queued', 'succeeded', 'failed')", name=op.f("ck_export_run_status_known")),
        sa.ForeignKeyConstraint(
            ["district", "file_id"], ["stored_file.district", "stored_file.id"], name=op.f("fk_export_run_district_file_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_export_run")),
    )
    op.create_index("ix_export_run_area", "export_run", ["district", "area_code", "id"], unique=False)
    ddl.wall(op, "bureau_notice")
    ddl.wall(op, "export_run")
    for table in DELETED:
        _let_undoing_delete(table)


def _let_undoing_delete(table: str) -> None:
    """Only rows that the import which is being undone has made."""
    op.execute(
        f"CREATE POLICY undoing_only ON {table} AS RESTRICTIVE FOR DELETE TO {ddl.API_ROLE} USING (EXISTS ("
        f"SELECT 1 FROM import_mark m WHERE m.district = {table}.district AND m.subject_id = {table}.id AND m.created"
        " AND m.import_id = nullif(current_setting('app.undoing', true), '')::uuid))"
    )
    ddl.grant(op, table, "DELETE")


def downgrade() -> None:
    for table in DELETED:
        op.execute(f"REVOKE DELETE ON {table} FROM {ddl.API_ROLE}")
        op.execute(f"DROP POLICY undoing_only ON {table}")
    op.drop_index("ix_export_run_area", table_name="export_run")
    op.drop_table("export_run")
    op.drop_index("ix_bureau_notice_person", table_name="bureau_notice")
    op.drop_index("ix_bureau_notice_number", table_name="bureau_notice")
    op.drop_index("ix_bureau_notice_area", table_name="bureau_notice")
    op.drop_table("bureau_notice")
