"""Population runs: facts as columns, runs, differences.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db import ddl

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_read_model()
    _create_runs()
    for table in ("population_household", "population_member"):
        ddl.wall(op, table, "SELECT, INSERT, DELETE")  # made anew, never edited
    ddl.wall(op, "population_run")
    ddl.wall(op, "population_difference", "SELECT, INSERT")
    ddl.append_only(op, "population_difference")


def _create_read_model() -> None:
    op.create_table(
        "population_household",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.SmallInteger(), nullable=False),
        sa.Column("residence", sa.SmallInteger(), nullable=False),
        sa.Column("deductible_fen", sa.BigInteger(), nullable=False),
        sa.Column("authorised", sa.Boolean(), nullable=True),
        sa.Column("financial_fen", sa.BigInteger(), nullable=True),
        sa.Column("vehicles", sa.SmallInteger(), nullable=False),
        sa.Column("homes", sa.SmallInteger(), nullable=False),
        sa.Column("current_programme", sa.SmallInteger(), nullable=False),
        sa.Column("current_fen", sa.BigInteger(), nullable=True),
        sa.Column("current_by_employment", sa.Boolean(), nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_population_household_area_code_is_a_code")),
        sa.PrimaryKeyConstraint("district", "area_code", "household_id", name=op.f("pk_population_household")),
    )
    op.create_table(
        "population_member",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("relation", sa.SmallInteger(), nullable=False),
        sa.Column("absence", sa.SmallInteger(), nullable=False),
        sa.Column("study", sa.SmallInteger(), nullable=False),
        sa.Column("employment", sa.SmallInteger(), nullable=False),
        sa.Column("employable", sa.Boolean(), nullable=False),
        sa.Column("job_offers_refused", sa.SmallInteger(), nullable=False),
        sa.Column("disability_category", sa.SmallInteger(), nullable=False),
        sa.Column("disability_grade", sa.SmallInteger(), nullable=False),
        sa.Column("needs_care", sa.Boolean(), nullable=False),
        sa.Column("serious_illness", sa.Boolean(), nullable=False),
        sa.Column("authorised", sa.Boolean(), nullable=True),
        sa.Column("hukou_local", sa.Boolean(), nullable=True),
        sa.Column("survival_confirmed_on", sa.Date(), nullable=True),
        sa.Column("holds", sa.Integer(), nullable=False),
        sa.Column("elderly_care_fen", sa.BigInteger(), nullable=True),
        sa.Column("wage_fen", sa.BigInteger(), nullable=False),
        sa.Column("business_fen", sa.BigInteger(), nullable=False),
        sa.Column("basic_pension_fen", sa.BigInteger(), nullable=False),
        sa.Column("old_age_allowance_fen", sa.BigInteger(), nullable=False),
        sa.Column("other_income_fen", sa.BigInteger(), nullable=False),
        sa.Column("drawn_dibao_single_fen", sa.BigInteger(), nullable=True),
        sa.Column("drawn_disability_living_fen", sa.BigInteger(), nullable=True),
        sa.Column("drawn_disability_care_fen", sa.BigInteger(), nullable=True),
        sa.Column("drawn_old_age_fen", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_population_member_area_code_is_a_code")),
        sa.PrimaryKeyConstraint("district", "area_code", "household_id", "person_id", name=op.f("pk_population_member")),
    )


def _create_runs() -> None:
    op.create_table(
        "population_run",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("programmes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("baseline", sa.String(), nullable=False),
        sa.Column("policy_version", sa.String(), nullable=False),
        sa.Column("baseline_version", sa.String(), nullable=True),
        sa.Column("engine_version", sa.String(), nullable=False),
        sa.Column("facts_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("differences", sa.Integer(), nullable=False),
        sa.Column("totals", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(baseline = 'policy') = (baseline_version IS NOT NULL)", name=op.f("ck_population_run_baseline_has_version")
        ),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_population_run_area_code_is_a_code")),
        sa.CheckConstraint("baseline IN ('drawn', 'policy')", name=op.f("ck_population_run_baseline_known")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_population_run")),
    )
    op.create_index("ix_population_run_area", "population_run", ["district", "area_code", "id"], unique=False)
    op.create_table(
        "population_difference",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("programme", sa.String(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("old_outcome", sa.String(), nullable=True),
        sa.Column("new_outcome", sa.String(), nullable=False),
        sa.Column("old_fen", sa.BigInteger(), nullable=True),
        sa.Column("new_fen", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_population_difference_area_code_is_a_code")),
        sa.PrimaryKeyConstraint("district", "run_id", "number", name=op.f("pk_population_difference")),
    )


def downgrade() -> None:
    op.drop_table("population_difference")
    op.drop_index("ix_population_run_area", table_name="population_run")
    op.drop_table("population_run")
    op.drop_table("population_member")
    op.drop_table("population_household")
