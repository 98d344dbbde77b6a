"""Imports: stored files, imports with their staged parts, what each import wrote last and what stood before.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db import ddl

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_mark",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_key", sa.LargeBinary(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.Boolean(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_import_mark_area_code_is_a_code")),
        sa.PrimaryKeyConstraint("district", "kind", "subject_key", name=op.f("pk_import_mark")),
    )
    op.create_index("ix_import_mark_import", "import_mark", ["district", "import_id"], unique=False)
    op.create_index("ix_import_mark_subject", "import_mark", ["district", "subject_id"], unique=False)
    op.create_table(
        "stored_file",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_stored_file_area_code_is_a_code")),
        sa.CheckConstraint("purpose IN ('import', 'export', 'evidence')", name=op.f("ck_stored_file_purpose_known")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_stored_file")),
    )
    op.create_table(
        "import_run",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("profile", sa.String(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("rows_total", sa.Integer(), nullable=False),
        sa.Column("rows_ok", sa.Integer(), nullable=False),
        sa.Column("rows_rejected", sa.Integer(), nullable=False),
        sa.Column("rows_created", sa.Integer(), nullable=False),
        sa.Column("rows_updated", sa.Integer(), nullable=False),
        sa.Column("rows_unchanged", sa.Integer(), nullable=False),
        sa.Column("bytes_read", sa.BigInteger(), nullable=False),
        sa.Column("layout", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("notices", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("problem", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_by_name", sa.String(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_import_run_area_code_is_a_code")),
        sa.CheckConstraint("mode IN ('upsert', 'insert')", name=op.f("ck_import_run_mode_known")),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'completed_with_errors', 'failed', 'undone')",
            name=op.f("ck_import_run_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "file_id"], ["stored_file.district", "stored_file.id"], name=op.f("fk_import_run_district_file_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_import_run")),
    )
    op.create_index("ix_import_run_area", "import_run", ["district", "area_code", "id"], unique=False)
    op.create_table(
        "stored_file_part",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_stored_file_part_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "file_id"],
            ["stored_file.district", "stored_file.id"],
            name=op.f("fk_stored_file_part_district_file_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("district", "file_id", "number", name=op.f("pk_stored_file_part")),
    )
    op.create_table(
        "import_before",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_key", sa.LargeBinary(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("before_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mark_before", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_import_before_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "import_id"], ["import_run.district", "import_run.id"], name=op.f("fk_import_before_district_import_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_import_before")),
    )
    op.create_index("ix_import_before_import", "import_before", ["district", "import_id"], unique=False)
    op.create_table(
        "import_part",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("first_row", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("rows_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("rejected_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_import_part_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "import_id"], ["import_run.district", "import_run.id"], name=op.f("fk_import_part_district_import_id")
        ),
        sa.PrimaryKeyConstraint("district", "import_id", "number", name=op.f("pk_import_part")),
    )
    for table in ("stored_file", "stored_file_part", "import_run", "import_part", "import_mark", "import_before"):
        ddl.wall(op, table, "SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    op.drop_table("import_part")
    op.drop_index("ix_import_before_import", table_name="import_before")
    op.drop_table("import_before")
    op.drop_table("stored_file_part")
    op.drop_index("ix_import_run_area", table_name="import_run")
    op.drop_table("import_run")
    op.drop_table("stored_file")
    op.drop_index("ix_import_mark_subject", table_name="import_mark")
    op.drop_index("ix_import_mark_import", table_name="import_mark")
    op.drop_table("import_mark")
