"""Payments: batches, claims paid once, lines, ledger; what may still change is settled here, by privileges and by triggers.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db import ddl

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FIRST_MONTH, UNTIL_MONTH = date(2026, 1, 1), date(2027, 7, 1)
PARTITIONED = ("benefit_claim", "payment_item", "ledger_transfer")

TOTALS = ("households", "items", "accounts", "total_fen", "held_households", "held_fen", "already_claimed", "programme_totals")


def signature(kind: str) -> tuple[str, ...]:
    return f"{kind}_by", f"{kind}_by_name", f"{kind}_at"


# From which state to which, and what may be written on the way (besides state and version). Nothing else can happen to a batch.
STEPS: dict[tuple[str, str], tuple[str, ...]] = {
    ("draft", "computing"): ("job_id",),
    ("computing", "computed"): TOTALS,
    ("computed", "submitted"): signature("submitted"),
    ("submitted", "approved"): signature("approved"),
    ("approved", "with_treasury"): (),
    ("treasury_returned", "with_treasury"): (),
    ("with_treasury", "treasury_accepted"): (*signature("treasury"), "reason"),
    ("with_treasury", "treasury_returned"): (*signature("treasury"), "reason"),
    ("approved", "released"): (*signature("released"), "file_sha256"),
    ("treasury_accepted", "released"): (*signature("released"), "file_sha256"),
    ("submitted", "rejected"): (*signature("closed"), "reason"),
    ("approved", "rejected"): (*signature("closed"), "reason"),
} | {
    (state, "cancelled"): (*signature("closed"), "reason")
    for state in (
        "draft",
        "computing",
        "computed",
        "submitted",
        "approved",
        "with_treasury",
        "treasury_accepted",
        "treasury_returned",
    )
}


def upgrade() -> None:
    _create_payment_batch()
    _create_benefit_claim()
    _create_payment_item()
    _create_ledger_account()
    _create_ledger_transfer()
    _protect()
    _guard()
    for table in PARTITIONED:
        for statement in ddl.partition_statements(table, FIRST_MONTH, UNTIL_MONTH, guarded=True):
            op.execute(statement)


def _create_payment_batch() -> None:
    op.create_table(
        "payment_batch",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("pay_month", sa.Date(), nullable=False),
        sa.Column("programmes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("pay_by_on", sa.Date(), nullable=True),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("held_households", sa.Integer(), nullable=False),
        sa.Column("held_fen", sa.BigInteger(), nullable=False),
        sa.Column("already_claimed", sa.Integer(), nullable=False),
        sa.Column("programme_totals", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("prepared_by", sa.Uuid(), nullable=False),
        sa.Column("prepared_by_name", sa.String(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column("submitted_by_name", sa.String(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by_name", sa.String(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("treasury_by", sa.Uuid(), nullable=True),
        sa.Column("treasury_by_name", sa.String(), nullable=True),
        sa.Column("treasury_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("released_by_name", sa.String(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_by_name", sa.String(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("file_sha256", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_payment_batch_area_code_is_a_code")),
        sa.CheckConstraint(
            "state <> 'released' OR (released_by IS NOT NULL AND file_sha256 IS NOT NULL)",
            name=op.f("ck_payment_batch_release_on_record"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'computing', 'computed', 'submitted', 'approved', 'with_treasury', 'treasury_accepted',"
            " 'treasury_returned', 'released', 'rejected', 'cancelled')",
            name=op.f("ck_payment_batch_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'with_treasury', 'treasury_accepted', 'treasury_returned', 'released')"
            " OR approved_by IS NOT NULL",
            name=op.f("ck_payment_batch_approval_on_record"),
        ),
        sa.CheckConstraint(
            "approved_by IS NULL OR (submitted_by IS NOT NULL AND approved_by <> prepared_by AND approved_by <> submitted_by)",
            name=op.f("ck_payment_batch_approved_by_another"),
        ),
        sa.CheckConstraint("extract(day from pay_month) = 1", name=op.f("ck_payment_batch_pay_month_is_first_day")),
        sa.CheckConstraint("extract(day from period_from) = 1", name=op.f("ck_payment_batch_period_from_is_first_day")),
        sa.CheckConstraint("extract(day from period_to) = 1", name=op.f("ck_payment_batch_period_to_is_first_day")),
        sa.CheckConstraint(
            "period_from <= period_to AND period_to <= pay_month", name=op.f("ck_payment_batch_period_before_payment")
        ),
        sa.CheckConstraint(
            "released_by IS NULL OR (approved_by IS NOT NULL AND released_by <> prepared_by AND released_by <> submitted_by)",
            name=op.f("ck_payment_batch_released_by_another"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_payment_batch")),
        sa.UniqueConstraint("district", "number", name=op.f("uq_payment_batch_district_number")),
    )


def _create_benefit_claim() -> None:
    op.create_table(
        "benefit_claim",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("benefit_month", sa.Date(), nullable=False),
        sa.Column("programme", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("entitlement_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_benefit_claim_area_code_is_a_code")),
        sa.CheckConstraint("extract(day from benefit_month) = 1", name=op.f("ck_benefit_claim_benefit_month_is_first_day")),
        sa.CheckConstraint("released_at IS NULL OR voided_at IS NULL", name=op.f("ck_benefit_claim_released_or_voided")),
        sa.ForeignKeyConstraint(
            ["district", "batch_id"],
            ["payment_batch.district", "payment_batch.id"],
            name=op.f("fk_benefit_claim_district_batch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "entitlement_id"],
            ["entitlement.district", "entitlement.id"],
            name=op.f("fk_benefit_claim_district_entitlement_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", "benefit_month", name=op.f("pk_benefit_claim")),
        postgresql_partition_by="RANGE (benefit_month)",
    )
    op.create_index("ix_benefit_claim_batch", "benefit_claim", ["district", "batch_id"], unique=False)
    op.create_index(
        "uq_benefit_claim_paid_once",
        "benefit_claim",
        ["benefit_month", "programme", "subject_id"],
        unique=True,
        postgresql_where=sa.text("voided_at IS NULL"),
    )


def _create_payment_item() -> None:
    op.create_table(
        "payment_item",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("pay_month", sa.Date(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("benefit_month", sa.Date(), nullable=False),
        sa.Column("programme", sa.String(), nullable=False),
        sa.Column("component", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("entitlement_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("bank_name", sa.String(), nullable=True),
        sa.Column("account_holder", sa.String(), nullable=True),
        sa.Column("account_masked", sa.String(), nullable=True),
        sa.Column("account_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("account_digest", sa.LargeBinary(), nullable=True),
        sa.Column("held_reason", sa.String(), nullable=True),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_payment_item_area_code_is_a_code")),
        sa.CheckConstraint("cause IN ('regular', 'arrears')", name=op.f("ck_payment_item_cause_known")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_item_amount_positive")),
        sa.CheckConstraint("extract(day from pay_month) = 1", name=op.f("ck_payment_item_pay_month_is_first_day")),
        sa.CheckConstraint(
            "held_reason IS NOT NULL OR account_sealed IS NOT NULL", name=op.f("ck_payment_item_payable_has_account")
        ),
        sa.ForeignKeyConstraint(
            ["district", "batch_id"],
            ["payment_batch.district", "payment_batch.id"],
            name=op.f("fk_payment_item_district_batch_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", "pay_month", name=op.f("pk_payment_item")),
        postgresql_partition_by="RANGE (pay_month)",
    )
    op.create_index("ix_payment_item_batch", "payment_item", ["district", "batch_id", "id"], unique=False)
    op.create_index(
        "uq_payment_item_once",
        "payment_item",
        ["district", "claim_id", "component", "person_id", "cause", "pay_month"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )


def _create_ledger_account() -> None:
    op.create_table(
        "ledger_account",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_ledger_account_area_code_is_a_code")),
        sa.CheckConstraint("kind IN ('appropriation', 'clearing')", name=op.f("ck_ledger_account_kind_known")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_ledger_account")),
        sa.UniqueConstraint("district", "code", name=op.f("uq_ledger_account_district_code")),
    )


def _create_ledger_transfer() -> None:
    op.create_table(
        "ledger_transfer",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("pay_month", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("debit_account_id", sa.Uuid(), nullable=False),
        sa.Column("credit_account_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("posted_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_ledger_transfer_area_code_is_a_code")),
        sa.CheckConstraint("kind IN ('release')", name=op.f("ck_ledger_transfer_kind_known")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_ledger_transfer_amount_positive")),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name=op.f("ck_ledger_transfer_two_accounts")),
        sa.CheckConstraint("extract(day from pay_month) = 1", name=op.f("ck_ledger_transfer_pay_month_is_first_day")),
        sa.ForeignKeyConstraint(
            ["district", "credit_account_id"],
            ["ledger_account.district", "ledger_account.id"],
            name=op.f("fk_ledger_transfer_district_credit_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "debit_account_id"],
            ["ledger_account.district", "ledger_account.id"],
            name=op.f("fk_ledger_transfer_district_debit_account_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", "pay_month", name=op.f("pk_ledger_transfer")),
        postgresql_partition_by="RANGE (pay_month)",
    )
    op.create_index("ix_ledger_transfer_batch", "ledger_transfer", ["district", "batch_id"], unique=False)
    op.create_index("uq_ledger_transfer_item_once", "ledger_transfer", ["district", "item_id", "kind", "pay_month"], unique=True)


def _protect() -> None:
    """Privileges are the first wall: only what an act writes may be updated, and nothing is ever deleted."""
    written = sorted({"state", "version"} | {column for columns in STEPS.values() for column in columns})
    ddl.wall(op, "payment_batch", f"SELECT, INSERT, UPDATE ({', '.join(written)})")
    ddl.wall(op, "benefit_claim", "SELECT, INSERT, UPDATE (released_at, voided_at)")
    ddl.wall(op, "payment_item", "SELECT, INSERT, UPDATE (held_reason)")
    ddl.wall(op, "ledger_account", "SELECT, INSERT")
    ddl.wall(op, "ledger_transfer", "SELECT, INSERT")


def _guard() -> None:
    """Triggers are the second wall, for the owner too."""
    for table in ("ledger_account", "ledger_transfer"):
        ddl.append_only(op, table)
    for function in (BATCH_GUARD, CLAIM_GUARD, ITEM_GUARD, LEDGER_GUARD):
        op.execute(function)
    _trigger("payment_batch", "INSERT OR UPDATE OR DELETE", "guard_payment_batch")
    _trigger("benefit_claim", "INSERT OR UPDATE OR DELETE", "guard_benefit_claim")
    _trigger("payment_item", "INSERT OR UPDATE OR DELETE", "guard_payment_item")
    _trigger("ledger_transfer", "INSERT", "guard_ledger_transfer")
    for table in ("payment_batch", "benefit_claim", "payment_item"):
        op.execute(ddl.guard_truncate(table))


def _trigger(table: str, events: str, function: str) -> None:
    op.execute(f"CREATE TRIGGER guard BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")


def _steps() -> str:
    """The steps as the branches of a CASE."""
    return "\n".join(
        f"            WHEN '{before}>{after}' THEN ARRAY[{', '.join(repr(c) for c in ('state', 'version', *written))}]"
        for (before, after), written in STEPS.items()
    )


BATCH_GUARD = f"""
CREATE FUNCTION guard_payment_batch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed text[];
    allowed text[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a payment batch is never deleted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' OR coalesce(NEW.submitted_by, NEW.approved_by, NEW.released_by) IS NOT NULL THEN
            RAISE EXCEPTION 'a payment batch begins as an unsigned draft' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    SELECT coalesce(array_agg(n.key), '{{}}') INTO changed FROM jsonb_each(to_jsonb(NEW)) n
    WHERE n.value IS DISTINCT FROM to_jsonb(OLD) -> n.key;
    allowed := CASE OLD.state || '>' || NEW.state
{_steps()}
        END;
    IF allowed IS NULL OR NOT changed <@ allowed THEN
        RAISE EXCEPTION 'payment batch: % to % may not write %', OLD.state, NEW.state, changed
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""

# A claim is made while its batch is computed, then released with it or voided; one end, once.
CLAIM_GUARD = """
CREATE FUNCTION guard_benefit_claim() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    batch_state text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a claim is voided, never deleted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT b.state INTO batch_state FROM payment_batch b WHERE b.district = NEW.district AND b.id = NEW.batch_id;
    IF TG_OP = 'INSERT' THEN
        IF batch_state IS DISTINCT FROM 'computing' OR coalesce(NEW.released_at, NEW.voided_at) IS NOT NULL THEN
            RAISE EXCEPTION 'a claim is made while its batch is computed' USING ERRCODE = 'insufficient_privilege';
        END IF;
    ELSIF to_jsonb(NEW) - 'released_at' - 'voided_at' <> to_jsonb(OLD) - 'released_at' - 'voided_at'
        OR coalesce(OLD.released_at, OLD.voided_at) IS NOT NULL
        OR (NEW.released_at IS NOT NULL AND batch_state IS DISTINCT FROM 'released')
        OR (NEW.voided_at IS NOT NULL AND batch_state NOT IN ('computing', 'rejected', 'cancelled')) THEN
        RAISE EXCEPTION 'a claim ends once: with its batch''s release, or void' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""

# Takes the place of a foreign key to the claim: claims are never deleted, and detaching old months must stay possible.
# Guards look up by the whole primary key and nothing else: a month's partition is new and without statistics when its first batch
# is computed, and any further condition would let the planner take another index and read every claim of the month for each line.
ITEM_GUARD = """
CREATE FUNCTION guard_payment_item() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    batch_state text;
    claim benefit_claim;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a payment line is never deleted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT b.state INTO batch_state FROM payment_batch b WHERE b.district = NEW.district AND b.id = NEW.batch_id;
    IF batch_state IS DISTINCT FROM 'computing' THEN
        RAISE EXCEPTION 'lines are frozen once their batch is computed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.held_reason IS NOT NULL OR to_jsonb(NEW) - 'held_reason' <> to_jsonb(OLD) - 'held_reason' THEN
            RAISE EXCEPTION 'a line may only be held' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    SELECT c.* INTO claim FROM benefit_claim c
    WHERE c.district = NEW.district AND c.id = NEW.claim_id AND c.benefit_month = NEW.benefit_month;
    IF claim.id IS NULL OR claim.voided_at IS NOT NULL OR claim.batch_id <> NEW.batch_id
        OR claim.entitlement_id <> NEW.entitlement_id OR claim.programme <> NEW.programme THEN
        RAISE EXCEPTION 'a line hangs on a live claim of its batch' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""

# What the ledger says was paid is a line of a released batch that is not held, to the fen.
LEDGER_GUARD = """
CREATE FUNCTION guard_ledger_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    batch_state text;
    item payment_item;
BEGIN
    SELECT b.state INTO batch_state FROM payment_batch b WHERE b.district = NEW.district AND b.id = NEW.batch_id;
    SELECT i.* INTO item FROM payment_item i
    WHERE i.district = NEW.district AND i.id = NEW.item_id AND i.pay_month = NEW.pay_month;
    IF batch_state IS DISTINCT FROM 'released' OR item.id IS NULL OR item.batch_id <> NEW.batch_id
        OR item.amount_fen <> NEW.amount_fen OR item.held_reason IS NOT NULL THEN
        RAISE EXCEPTION 'a transfer pays a line of a released batch' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""


def downgrade() -> None:
    for table in ("payment_item", "benefit_claim", "ledger_transfer", "payment_batch", "ledger_account"):
        op.drop_table(table)
    for table in ("payment_batch", "benefit_claim", "payment_item", "ledger_transfer"):
        op.execute(f"DROP FUNCTION guard_{table}()")
