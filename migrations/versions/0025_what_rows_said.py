"""Marks keep what the row itself said, beside what stood in the table after it.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_mark", sa.Column("said", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("import_mark", "said")
