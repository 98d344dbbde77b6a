"""Taking an import of people back takes the findings about them along that nobody has dealt with.

A restrictive policy and not ON DELETE CASCADE: a cascade passes the walls and would take what somebody has signed, too. The
indexes are for Postgres, which looks up every person and household that goes.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

from alembic import op

from app.db import ddl

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

UNDOING = "nullif(current_setting('app.undoing', true), '')::uuid"
INDEXES = {
    "ix_discovery_finding_person": ("discovery_finding", ["district", "person_id"]),
    "ix_discovery_finding_household": ("discovery_finding", ["district", "household_id"]),
    "ix_lead_household": ("lead", ["district", "household_id"]),
}


def upgrade() -> None:
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)
    op.execute(
        f"CREATE POLICY undoing_only ON discovery_finding AS RESTRICTIVE FOR DELETE TO {ddl.API_ROLE} USING ("
        "settled_by IS NULL AND EXISTS (SELECT 1 FROM import_mark m WHERE m.district = discovery_finding.district"
        " AND m.subject_id IN (discovery_finding.person_id, discovery_finding.household_id)"
        f" AND m.import_id = {UNDOING} AND m.created))"
    )
    ddl.grant(op, "discovery_finding", "DELETE")


def downgrade() -> None:
    op.execute(f"REVOKE DELETE ON discovery_finding FROM {ddl.API_ROLE}")
    op.execute("DROP POLICY undoing_only ON discovery_finding")
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table_name=table)
