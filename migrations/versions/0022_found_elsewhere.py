"""Imports count the people that they find registered elsewhere.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import ddl

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "found_elsewhere",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("subject_key", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "subject_key", name=op.f("pk_found_elsewhere")),
    )
    ddl.grant(op, "found_elsewhere", "SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    op.drop_table("found_elsewhere")
