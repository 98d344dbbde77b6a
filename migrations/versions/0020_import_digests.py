"""Imports know rows by digests made when the file was read.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_part", sa.Column("digests", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("import_part", "digests")
