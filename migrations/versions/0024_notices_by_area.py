"""What other bureaus report is kept for each office that was told.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

NAME = "uq_bureau_notice_natural_key"
KEY = ["district", "kind", "number_digest", "occurred_on", "category"]


def upgrade() -> None:
    op.drop_constraint(NAME, "bureau_notice", type_="unique")
    op.create_unique_constraint(NAME, "bureau_notice", [*KEY, "area_code"])


def downgrade() -> None:
    """Of what several offices were told the first stays."""
    same = " AND ".join(f"one.{name} = other.{name}" for name in KEY)
    op.execute(f"DELETE FROM bureau_notice other USING bureau_notice one WHERE {same} AND one.id < other.id")
    op.drop_constraint(NAME, "bureau_notice", type_="unique")
    op.create_unique_constraint(NAME, "bureau_notice", KEY)
