"""Leads reported from the communities.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import ddl

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lead",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("about_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("description_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("informant_id", sa.Uuid(), nullable=True),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reported_by", sa.Uuid(), nullable=False),
        sa.Column("reported_by_name", sa.String(), nullable=False),
        sa.Column("reported_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_provisional", sa.Boolean(), nullable=False),
        sa.Column("handler_id", sa.Uuid(), nullable=True),
        sa.Column("handler_name", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state = 'settled') = (outcome IS NOT NULL)", name=op.f("ck_lead_settled_with_its_outcome")),
        sa.CheckConstraint(
            "(state IN ('settled', 'withdrawn')) = (settled_on IS NOT NULL)", name=op.f("ck_lead_settled_with_its_day")
        ),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_lead_area_code_is_a_code")),
        sa.CheckConstraint("kind IN ('hardship', 'emergency', 'death', 'move', 'other')", name=op.f("ck_lead_kind_known")),
        sa.CheckConstraint("state IN ('reported', 'taken', 'settled', 'withdrawn')", name=op.f("ck_lead_state_known")),
        sa.ForeignKeyConstraint(
            ["district", "household_id"], ["household.district", "household.id"], name=op.f("fk_lead_district_household_id")
        ),
        sa.ForeignKeyConstraint(
            ["district", "informant_id"], ["informant.district", "informant.id"], name=op.f("fk_lead_district_informant_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_lead")),
    )
    op.create_index("ix_lead_informant", "lead", ["district", "informant_id"], unique=False)
    op.create_index(
        "ix_lead_open",
        "lead",
        ["district", "area_code", "due_on"],
        unique=False,
        postgresql_where=sa.text("state IN ('reported', 'taken')"),
    )
    ddl.wall(op, "lead")


def downgrade() -> None:
    op.drop_index("ix_lead_open", table_name="lead", postgresql_where=sa.text("state IN ('reported', 'taken')"))
    op.drop_index("ix_lead_informant", table_name="lead")
    op.drop_table("lead")
