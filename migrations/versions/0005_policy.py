"""Policy desk: author, signature and version of a set; simulations; adjustment batches.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db import ddl

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


WALLED = ("simulation", "simulation_difference", "adjustment_batch", "adjustment_item")
CHANGING = ("simulation", "adjustment_batch")
SIGNED = "status = 'draft' OR author_id IS NULL OR coalesce(signed_hash = content_hash, false)"

# What decisions may have used is never edited, whoever connects.
FREEZE = """
    CREATE FUNCTION refuse_change_of_used_set() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE changed uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.set_id ELSE NEW.set_id END;
    BEGIN
        IF TG_OP = 'UPDATE' AND OLD.set_id <> NEW.set_id
           OR NOT EXISTS (SELECT 1 FROM policy_set WHERE id = changed AND status = 'draft') THEN
            RAISE EXCEPTION 'policy set % is no draft: % refused', changed, TG_OP USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END $$
"""


def upgrade() -> None:
    _extend_policy_set()
    _create_simulations()
    _create_adjustments()
    for table in WALLED:
        ddl.wall(op, table, "SELECT, INSERT, UPDATE" if table in CHANGING else "SELECT, INSERT")
    for table in ("simulation_difference", "adjustment_item"):
        ddl.append_only(op, table)
    op.execute(FREEZE)
    op.execute(
        "CREATE TRIGGER drafts_only BEFORE INSERT OR UPDATE OR DELETE ON policy_parameter"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change_of_used_set()"
    )
    ddl.grant(op, "policy_parameter", "DELETE")


def _extend_policy_set() -> None:
    op.add_column("policy_set", sa.Column("author_id", sa.Uuid(), nullable=True))
    op.add_column("policy_set", sa.Column("title", sa.String(), nullable=True))
    op.add_column("policy_set", sa.Column("effective_from", sa.Date(), nullable=True))
    op.add_column("policy_set", sa.Column("copied_from", sa.Uuid(), nullable=True))
    op.add_column("policy_set", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.alter_column("policy_set", "version", server_default=None)
    op.add_column("policy_set", sa.Column("signed_by", sa.Uuid(), nullable=True))
    op.add_column("policy_set", sa.Column("signed_by_name", sa.String(), nullable=True))
    op.add_column("policy_set", sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("policy_set", sa.Column("signed_hash", sa.String(), nullable=True))
    op.add_column("policy_set", sa.Column("simulation_id", sa.Uuid(), nullable=True))
    op.drop_constraint(op.f("uq_policy_set_area_code_content_hash"), "policy_set", type_="unique")
    op.create_index(
        "uq_policy_set_loaded_once",
        "policy_set",
        ["area_code", "content_hash"],
        unique=True,
        postgresql_where=sa.text("author_id IS NULL"),
    )
    op.create_foreign_key(op.f("fk_policy_set_copied_from"), "policy_set", "policy_set", ["copied_from"], ["id"])
    op.create_check_constraint("signed_by_another", "policy_set", "signed_by <> author_id")
    op.create_check_constraint("signed_before_active", "policy_set", SIGNED)


def _create_simulations() -> None:
    op.create_table(
        "simulation",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("set_id", sa.Uuid(), nullable=False),
        sa.Column("set_hash", sa.String(), nullable=False),
        sa.Column("base_set_id", sa.Uuid(), nullable=True),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("programmes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_by_name", sa.String(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("summary", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_simulation_area_code_is_a_code")),
        sa.ForeignKeyConstraint(["district", "job_id"], ["job.district", "job.id"], name=op.f("fk_simulation_district_job_id")),
        sa.ForeignKeyConstraint(["set_id"], ["policy_set.id"], name=op.f("fk_simulation_set_id")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_simulation")),
    )
    op.create_table(
        "simulation_difference",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("simulation_id", sa.Uuid(), nullable=False),
        sa.Column("entitlement_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("programme", sa.String(), nullable=False),
        sa.Column("before_outcome", sa.String(), nullable=False),
        sa.Column("after_outcome", sa.String(), nullable=False),
        sa.Column("before_fen", sa.BigInteger(), nullable=False),
        sa.Column("after_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_simulation_difference_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "entitlement_id"],
            ["entitlement.district", "entitlement.id"],
            name=op.f("fk_simulation_difference_district_entitlement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "simulation_id"],
            ["simulation.district", "simulation.id"],
            name=op.f("fk_simulation_difference_district_simulation_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_simulation_difference")),
        sa.UniqueConstraint(
            "district",
            "simulation_id",
            "entitlement_id",
            name=op.f("uq_simulation_difference_district_simulation_id_entitlement_id"),
        ),
    )


def _create_adjustments() -> None:
    op.create_table(
        "adjustment_batch",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("set_id", sa.Uuid(), nullable=False),
        sa.Column("effective_month", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("excluded", sa.Integer(), nullable=False),
        sa.Column("monthly_change_fen", sa.BigInteger(), nullable=False),
        sa.Column("arrears_fen", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_by_name", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by_name", sa.String(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'approved') = (approved_by IS NOT NULL)", name=op.f("ck_adjustment_batch_approved_with_name")
        ),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_adjustment_batch_area_code_is_a_code")),
        sa.CheckConstraint("state IN ('proposed', 'approved', 'cancelled')", name=op.f("ck_adjustment_batch_state_known")),
        sa.CheckConstraint("approved_by <> made_by", name=op.f("ck_adjustment_batch_approved_by_another")),
        sa.CheckConstraint(
            "extract(day from effective_month) = 1", name=op.f("ck_adjustment_batch_effective_month_is_first_day")
        ),
        sa.ForeignKeyConstraint(["set_id"], ["policy_set.id"], name=op.f("fk_adjustment_batch_set_id")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_adjustment_batch")),
    )
    op.create_index(
        "uq_adjustment_batch_one_open",
        "adjustment_batch",
        ["district", "set_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'cancelled'"),
    )
    op.create_table(
        "adjustment_item",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("entitlement_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("programme", sa.String(), nullable=False),
        sa.Column("from_month", sa.Date(), nullable=False),
        sa.Column("old_fen", sa.BigInteger(), nullable=False),
        sa.Column("new_fen", sa.BigInteger(), nullable=False),
        sa.Column("arrears_fen", sa.BigInteger(), nullable=False),
        sa.Column("components", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("arrears", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_adjustment_item_area_code_is_a_code")),
        sa.CheckConstraint("extract(day from from_month) = 1", name=op.f("ck_adjustment_item_from_month_is_first_day")),
        sa.CheckConstraint(
            "old_fen >= 0 AND new_fen >= 0 AND arrears_fen >= 0", name=op.f("ck_adjustment_item_amounts_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["district", "batch_id"],
            ["adjustment_batch.district", "adjustment_batch.id"],
            name=op.f("fk_adjustment_item_district_batch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "entitlement_id"],
            ["entitlement.district", "entitlement.id"],
            name=op.f("fk_adjustment_item_district_entitlement_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_adjustment_item")),
        sa.UniqueConstraint(
            "district", "batch_id", "entitlement_id", name=op.f("uq_adjustment_item_district_batch_id_entitlement_id")
        ),
    )


def downgrade() -> None:
    op.execute("REVOKE DELETE ON policy_parameter FROM " + ddl.API_ROLE)
    op.execute("DROP TRIGGER drafts_only ON policy_parameter")
    op.execute("DROP FUNCTION refuse_change_of_used_set")
    op.drop_constraint(op.f("ck_policy_set_signed_by_another"), "policy_set")
    op.drop_constraint(op.f("ck_policy_set_signed_before_active"), "policy_set")
    op.drop_constraint(op.f("fk_policy_set_copied_from"), "policy_set", type_="foreignkey")
    op.drop_index("uq_policy_set_loaded_once", table_name="policy_set", postgresql_where=sa.text("author_id IS NULL"))
    op.create_unique_constraint(op.f("uq_policy_set_area_code_content_hash"), "policy_set", ["area_code", "content_hash"])
    op.drop_column("policy_set", "simulation_id")
    op.drop_column("policy_set", "signed_hash")
    op.drop_column("policy_set", "signed_at")
    op.drop_column("policy_set", "signed_by_name")
    op.drop_column("policy_set", "signed_by")
    op.drop_column("policy_set", "version")
    op.drop_column("policy_set", "copied_from")
    op.drop_column("policy_set", "effective_from")
    op.drop_column("policy_set", "title")
    op.drop_column("policy_set", "author_id")
    op.drop_table("simulation_difference")
    op.drop_table("adjustment_item")
    op.drop_table("simulation")
    op.drop_index("uq_adjustment_batch_one_open", table_name="adjustment_batch", postgresql_where=sa.text("state <> 'cancelled'"))
    op.drop_table("adjustment_batch")
