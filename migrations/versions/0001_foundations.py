"""Foundations: reference data, accounts, identity, registry, audit, jobs; roles and walls.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db import ddl

QUEUE_SCHEMA = Path(__file__).resolve().parents[1] / "pgqueuer_1_6_0.sql"
QUEUE_TABLES = ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    ddl.create_roles(op)
    ddl.create_append_only_guard(op)
    _create_tables()
    _create_queue()
    _protect()


def _create_tables() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("password_set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("duties", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tokens_valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "length(area_code) = CASE level WHEN 'district' THEN 6 WHEN 'subdistrict' THEN 9 ELSE 12 END",
            name=op.f("ck_account_area_fits_level"),
        ),
        sa.CheckConstraint("cardinality(duties) > 0", name=op.f("ck_account_has_a_duty")),
        sa.CheckConstraint("NOT duties @> ARRAY['finance', 'approver']", name=op.f("ck_account_pays_or_approves")),
        sa.CheckConstraint("level IN ('district', 'subdistrict', 'community')", name=op.f("ck_account_level_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("username", name=op.f("uq_account_username")),
    )
    op.create_index("ix_account_district", "account", ["district", "username"], unique=False)
    op.create_table(
        "area",
        sa.Column("code", sa.String(12, collation="C"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("parent_code", sa.String(12, collation="C"), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("district", sa.String(12, collation="C"), nullable=True),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("code"), "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            using="gist",
            name="ex_area_one_at_a_time",
        ),
        sa.CheckConstraint("code ~ '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})$'", name=op.f("ck_area_code_is_a_code")),
        sa.PrimaryKeyConstraint("code", "valid_from", name=op.f("pk_area")),
    )
    op.create_index("ix_area_parent_code", "area", ["parent_code"], unique=False)
    op.create_table(
        "area_succession",
        sa.Column("predecessor", sa.String(12, collation="C"), nullable=False),
        sa.Column("successor", sa.String(12, collation="C"), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("predecessor", "successor", "on_date", name=op.f("pk_area_succession")),
    )
    op.create_table(
        "audit_link",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("record_digest", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_link")),
        sa.UniqueConstraint("audit_id", name=op.f("uq_audit_link_audit_id")),
    )
    op.create_table(
        "audit_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("district", sa.String(12, collation="C"), nullable=True),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=True),
        sa.Column("fields", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("details", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("trace_id", sa.String(), nullable=True),
        sa.Column("remote_address", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_record")),
    )
    op.create_index("ix_audit_record_area", "audit_record", ["district", "area_code", "id"], unique=False)
    op.create_table(
        "audit_unsealed",
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_unsealed")),
    )
    op.create_table(
        "calendar_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.CheckConstraint("kind IN ('workday', 'holiday')", name=op.f("ck_calendar_day_kind_known")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_day")),
    )
    op.create_table(
        "calendar_year",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_calendar_year")),
    )
    op.create_table(
        "client",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=True),
        sa.Column("public_jwk", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tokens_valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
        sa.UniqueConstraint("client_id", name=op.f("uq_client_client_id")),
    )
    op.create_index("ix_client_district", "client", ["district", "client_id"], unique=False)
    op.create_table(
        "elsewhere_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("caller", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_elsewhere_attempt")),
    )
    op.create_index("ix_elsewhere_attempt_caller", "elsewhere_attempt", ["caller", "at"], unique=False)
    op.create_table(
        "household",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("household_no", sa.String(), nullable=False),
        sa.Column("residence", sa.String(), nullable=False),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("bank_account_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("bank_account_masked", sa.String(), nullable=True),
        sa.Column("bank_name", sa.String(), nullable=True),
        sa.Column("account_holder", sa.String(), nullable=True),
        sa.Column("account_kind", sa.String(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_household_area_code_is_a_code")),
        sa.CheckConstraint("residence IN ('urban', 'rural')", name=op.f("ck_household_residence_known")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_household")),
        sa.UniqueConstraint("district", "household_no", name=op.f("uq_household_district_household_no")),
    )
    op.create_index("ix_household_area", "household", ["district", "area_code", "id"], unique=False)
    op.create_table(
        "identity_home",
        sa.Column("person_uid", sa.Uuid(), nullable=False),
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_uid", name=op.f("pk_identity_home")),
    )
    op.create_table(
        "identity_key",
        sa.Column("index_version", sa.Integer(), nullable=False),
        sa.Column("bidx", sa.LargeBinary(), nullable=False),
        sa.Column("person_uid", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("index_version", "bidx", name=op.f("pk_identity_key")),
    )
    op.create_index("ix_identity_key_person_uid", "identity_key", ["person_uid"], unique=False)
    op.create_table(
        "job",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("arguments", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("chunks_total", sa.Integer(), nullable=False),
        sa.Column("chunks_done", sa.Integer(), nullable=False),
        sa.Column("problem", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_job_area_code_is_a_code")),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name=op.f("ck_job_status_known")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_job")),
    )
    op.create_index("ix_job_open", "job", ["status"], unique=False, postgresql_where=sa.text("status IN ('queued', 'running')"))
    op.create_table(
        "person",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("person_uid", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("gender", sa.String(), nullable=False),
        sa.Column("residence", sa.String(), nullable=False),
        sa.Column("hukou_area_code", sa.String(), nullable=True),
        sa.Column("ethnicity", sa.String(), nullable=True),
        sa.Column("marital_status", sa.String(), nullable=True),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id_number_masked", sa.String(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("died_on", sa.Date(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_person_area_code_is_a_code")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_person")),
        sa.UniqueConstraint("district", "person_uid", name=op.f("uq_person_district_person_uid")),
    )
    op.create_index("ix_person_area", "person", ["district", "area_code", "id"], unique=False)
    op.create_index("ix_person_name", "person", ["district", "name_key"], unique=False)
    op.create_table(
        "policy_set",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("loaded_by", sa.String(), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("activated_by", sa.String(), nullable=True),
        sa.CheckConstraint("status IN ('draft', 'active', 'superseded')", name=op.f("ck_policy_set_status_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_set")),
        sa.UniqueConstraint("area_code", "content_hash", name=op.f("uq_policy_set_area_code_content_hash")),
    )
    op.create_index(
        "uq_policy_set_one_active", "policy_set", ["area_code"], unique=True, postgresql_where=sa.text("status = 'active'")
    )
    op.create_table(
        "resident_count",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_resident_count_area_code_is_a_code")),
        sa.CheckConstraint("population >= 0", name=op.f("ck_resident_count_population_not_negative")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_resident_count")),
        sa.UniqueConstraint("district", "area_code", "as_of", name=op.f("uq_resident_count_district_area_code_as_of")),
    )
    op.create_table(
        "revoked_token",
        sa.Column("jti", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("jti", name=op.f("pk_revoked_token")),
    )
    op.create_index("ix_revoked_token_expires_at", "revoked_token", ["expires_at"], unique=False)
    op.create_table(
        "sign_in_failures",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sign_in_failures")),
    )
    op.create_table(
        "stored_answer",
        sa.Column("caller", sa.Uuid(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("key_digest", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("caller", "route", "key_digest", name=op.f("pk_stored_answer")),
    )
    op.create_index("ix_stored_answer_keep_until", "stored_answer", ["keep_until"], unique=False)
    op.create_table(
        "household_member",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("district"), "="),
            (sa.column("household_id"), "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            where=sa.text("relation = 'head'"),
            using="gist",
            name="ex_household_member_one_head",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("district"), "="),
            (sa.column("person_id"), "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            using="gist",
            name="ex_household_member_one_household",
        ),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_household_member_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "household_id"],
            ["household.district", "household.id"],
            name=op.f("fk_household_member_district_household_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "person_id"], ["person.district", "person.id"], name=op.f("fk_household_member_district_person_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_household_member")),
    )
    op.create_index("ix_household_member_household", "household_member", ["district", "household_id"], unique=False)
    op.create_table(
        "job_chunk",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_job_chunk_area_code_is_a_code")),
        sa.CheckConstraint("status IN ('pending', 'leased', 'done', 'failed')", name=op.f("ck_job_chunk_status_known")),
        sa.ForeignKeyConstraint(["district", "job_id"], ["job.district", "job.id"], name=op.f("fk_job_chunk_district_job_id")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_job_chunk")),
        sa.UniqueConstraint("district", "job_id", "number", name=op.f("uq_job_chunk_district_job_id_number")),
    )
    op.create_table(
        "person_fact",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("value", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_person_fact_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "person_id"], ["person.district", "person.id"], name=op.f("fk_person_fact_district_person_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_person_fact")),
    )
    op.create_index(
        "uq_person_fact_current",
        "person_fact",
        ["district", "person_id", "kind", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "policy_parameter",
        sa.Column("set_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("value", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("set_id"), "="),
            (sa.column("key"), "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            using="gist",
            name="ex_policy_parameter_one_at_a_time",
        ),
        sa.ForeignKeyConstraint(["set_id"], ["policy_set.id"], name=op.f("fk_policy_parameter_set_id")),
        sa.PrimaryKeyConstraint("set_id", "key", "valid_from", name=op.f("pk_policy_parameter")),
    )
    op.create_table(
        "refresh_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("family", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_refresh_token_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_refresh_token_digest")),
    )
    op.create_index("ix_refresh_token_account_id", "refresh_token", ["account_id", "family"], unique=False)
    op.create_index("ix_refresh_token_expires_at", "refresh_token", ["expires_at"], unique=False)


def _create_queue() -> None:
    """pgqueuer's schema, pinned to the text of its release: it carries job ids to workers, nothing else."""
    statements = re.split(r";\n\n(?=CREATE)", QUEUE_SCHEMA.read_text("utf-8"))
    for statement in statements:
        op.get_bind().exec_driver_sql(statement)


def _protect() -> None:
    for table in QUEUE_TABLES:
        ddl.grant(op, table, "SELECT, INSERT, UPDATE, DELETE")
        op.execute(f"GRANT USAGE ON SEQUENCE {table}_id_seq TO {ddl.API_ROLE}")
    ddl.grant(op, "alembic_version", "SELECT")
    for table in ("area", "area_succession", "calendar_year", "calendar_day", "policy_set", "policy_parameter"):
        ddl.grant(op, table, "SELECT, INSERT, UPDATE")
    ddl.grant(op, "calendar_day", "DELETE")
    for table in ("account", "client", "identity_home"):
        ddl.grant(op, table, "SELECT, INSERT, UPDATE")
    for table in ("sign_in_failures", "refresh_token"):
        ddl.grant(op, table, "SELECT, INSERT, UPDATE, DELETE")
    for table in ("revoked_token", "stored_answer", "elsewhere_attempt"):
        ddl.grant(op, table, "SELECT, INSERT, DELETE")
    ddl.grant(op, "identity_key", "SELECT, INSERT")
    for table in ("resident_count", "person", "person_fact", "household", "household_member", "job", "job_chunk"):
        ddl.wall(op, table)
    _protect_audit()


def _protect_audit() -> None:
    """The application adds records and reads those of its area; only the sealer sees all and writes links."""
    for table in ("audit_record", "audit_unsealed", "audit_link"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for table in ("audit_record", "audit_unsealed"):
        op.execute(f"CREATE POLICY add_any ON {table} FOR INSERT TO {ddl.API_ROLE}, {ddl.STATUS_ROLE} WITH CHECK (true)")
        ddl.grant(op, table, "INSERT")
        ddl.grant(op, table, "INSERT", ddl.STATUS_ROLE)
    op.execute(f"CREATE POLICY area_wall ON audit_record FOR SELECT TO {ddl.API_ROLE} USING ({ddl.IN_SCOPE})")
    ddl.grant(op, "audit_record", "SELECT")
    ddl.open_to(op, "audit_record", ddl.SEAL_ROLE, "SELECT")
    ddl.open_to(op, "audit_unsealed", ddl.SEAL_ROLE, "SELECT, DELETE")
    ddl.open_to(op, "audit_link", ddl.SEAL_ROLE, "SELECT, INSERT")
    ddl.append_only(op, "audit_record")
    ddl.append_only(op, "audit_link")


def downgrade() -> None:
    op.drop_index("ix_refresh_token_expires_at", table_name="refresh_token")
    op.drop_index("ix_refresh_token_account_id", table_name="refresh_token")
    op.drop_table("refresh_token")
    op.drop_table("policy_parameter")
    op.drop_index("uq_person_fact_current", table_name="person_fact", postgresql_where=sa.text("superseded_at IS NULL"))
    op.drop_table("person_fact")
    op.drop_table("job_chunk")
    op.drop_index("ix_household_member_household", table_name="household_member")
    op.drop_table("household_member")
    op.drop_index("ix_stored_answer_keep_until", table_name="stored_answer")
    op.drop_table("stored_answer")
    op.drop_table("sign_in_failures")
    op.drop_index("ix_revoked_token_expires_at", table_name="revoked_token")
    op.drop_table("revoked_token")
    op.drop_table("resident_count")
    op.drop_index("uq_policy_set_one_active", table_name="policy_set", postgresql_where=sa.text("status = 'active'"))
    op.drop_table("policy_set")
    op.drop_index("ix_person_name", table_name="person")
    op.drop_index("ix_person_area", table_name="person")
    op.drop_table("person")
    op.drop_index("ix_job_open", table_name="job", postgresql_where=sa.text("status IN ('queued', 'running')"))
    op.drop_table("job")
    op.drop_index("ix_identity_key_person_uid", table_name="identity_key")
    op.drop_table("identity_key")
    op.drop_table("identity_home")
    op.drop_index("ix_household_area", table_name="household")
    op.drop_table("household")
    op.drop_index("ix_elsewhere_attempt_caller", table_name="elsewhere_attempt")
    op.drop_table("elsewhere_attempt")
    op.drop_index("ix_client_district", table_name="client")
    op.drop_table("client")
    op.drop_table("calendar_year")
    op.drop_table("calendar_day")
    op.drop_table("audit_unsealed")
    op.drop_index("ix_audit_record_area", table_name="audit_record")
    op.drop_table("audit_record")
    op.drop_table("audit_link")
    op.drop_table("area_succession")
    op.drop_index("ix_area_parent_code", table_name="area")
    op.drop_table("area")
    op.drop_index("ix_account_district", table_name="account")
    op.drop_table("account")
    for table in QUEUE_TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION fn_pgqueuer_changed()")
    op.execute("DROP TYPE pgqueuer_status")
    op.execute("DROP FUNCTION refuse_change()")
    op.execute("DROP EXTENSION btree_gist")
