"""Station facts that were missing, leads told back, and standards that a district lays down itself.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db import ddl

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

#: standards are no secret within a district: its communities read them too
WITHIN_DISTRICT = "district = nullif(current_setting('app.district', true), '')"


def upgrade() -> None:
    op.add_column("station_staff", sa.Column("consulted_on", sa.Date(), nullable=True))
    op.add_column("lead", sa.Column("fed_back_on", sa.Date(), nullable=True))
    op.create_check_constraint(op.f("ck_lead_fed_back_when_settled"), "lead", "fed_back_on IS NULL OR state = 'settled'")
    for table in ("station_training", "station_meeting"):
        ddl.grant(op, table, "DELETE")
    op.create_table(
        "station_standard",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("document", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("drafted_by", sa.Uuid(), nullable=False),
        sa.Column("drafted_by_name", sa.String(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_by", sa.Uuid(), nullable=True),
        sa.Column("signed_by_name", sa.String(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state = 'signed') = (signed_by IS NOT NULL)", name=op.f("ck_station_standard_signed_with_name")),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_station_standard_area_code_is_a_code")),
        sa.CheckConstraint("signed_by <> drafted_by", name=op.f("ck_station_standard_signed_by_another")),
        sa.CheckConstraint("state IN ('draft', 'signed', 'withdrawn')", name=op.f("ck_station_standard_state_known")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_station_standard")),
    )
    op.create_index(
        "uq_station_standard_signed",
        "station_standard",
        ["district", "code", "valid_from"],
        unique=True,
        postgresql_where=sa.text("state = 'signed'"),
    )
    ddl.wall(op, "station_standard", condition=WITHIN_DISTRICT)
    op.execute(
        "CREATE TRIGGER signed_stays BEFORE UPDATE OR DELETE ON station_standard FOR EACH ROW"
        " WHEN (OLD.state = 'signed') EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_index("uq_station_standard_signed", table_name="station_standard", postgresql_where=sa.text("state = 'signed'"))
    op.drop_table("station_standard")
    for table in ("station_training", "station_meeting"):
        op.execute(f"REVOKE DELETE ON {table} FROM {ddl.API_ROLE}")
    op.drop_constraint(op.f("ck_lead_fed_back_when_settled"), "lead", type_="check")
    op.drop_column("lead", "fed_back_on")
    op.drop_column("station_staff", "consulted_on")
