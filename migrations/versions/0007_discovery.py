"""Discovery: searches through the population and the findings that they leave.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db import ddl

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "discovery_run",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_by_name", sa.String(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_discovery_run_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "job_id"], ["job.district", "job.id"], name=op.f("fk_discovery_run_district_job_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_discovery_run")),
    )
    op.create_table(
        "discovery_finding",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("programme", sa.String(), nullable=False),
        sa.Column("expected_fen", sa.BigInteger(), nullable=True),
        sa.Column("reasons", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("settled_by_name", sa.String(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_discovery_finding_area_code_is_a_code")),
        sa.CheckConstraint("state <> 'dismissed' OR note IS NOT NULL", name=op.f("ck_discovery_finding_dismissed_with_reason")),
        sa.CheckConstraint(
            "state IN ('open', 'taken_up', 'dismissed', 'resolved')", name=op.f("ck_discovery_finding_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["district", "household_id"],
            ["household.district", "household.id"],
            name=op.f("fk_discovery_finding_district_household_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "person_id"], ["person.district", "person.id"], name=op.f("fk_discovery_finding_district_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["district", "run_id"],
            ["discovery_run.district", "discovery_run.id"],
            name=op.f("fk_discovery_finding_district_run_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_discovery_finding")),
    )
    op.create_index(
        "ix_discovery_finding_area",
        "discovery_finding",
        ["district", "area_code", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "uq_discovery_finding_once",
        "discovery_finding",
        ["district", "person_id", "household_id", "kind", "programme"],
        unique=True,
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    ddl.wall(op, "discovery_run")
    ddl.wall(op, "discovery_finding")


def downgrade() -> None:
    op.drop_index("uq_discovery_finding_once", table_name="discovery_finding", postgresql_where=sa.text("state <> 'resolved'"))
    op.drop_index("ix_discovery_finding_area", table_name="discovery_finding", postgresql_where=sa.text("state = 'open'"))
    op.drop_table("discovery_finding")
    op.drop_table("discovery_run")
