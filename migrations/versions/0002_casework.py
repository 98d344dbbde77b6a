"""Casework: applications, decisions, notices, entitlements and the read model of the status queries.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db import ddl

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_tables()
    # Numbers of applications and entitlements: unique in the installation, not gapless.
    op.execute("CREATE SEQUENCE casework_number")
    op.execute(f"GRANT USAGE ON SEQUENCE casework_number TO {ddl.API_ROLE}")
    _protect()


def _create_tables() -> None:
    op.create_table(
        "enrolment",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("person_uid", sa.Uuid(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("programme", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("entitlement_id", sa.Uuid(), nullable=False),
        sa.Column("since_month", sa.Date(), nullable=False),
        sa.Column("until_month", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("district"), "="),
            (sa.column("person_uid"), "="),
            (sa.column("programme"), "="),
            (sa.literal_column("daterange(since_month, until_month)"), "&&"),
            using="gist",
            name="ex_enrolment_once_per_programme",
        ),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_enrolment_area_code_is_a_code")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint(
            "district", "entitlement_id", "person_uid", name=op.f("uq_enrolment_district_entitlement_id_person_uid")
        ),
    )
    op.create_index("ix_enrolment_person", "enrolment", ["person_uid", "programme"], unique=False)
    op.create_table(
        "application",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("programme", sa.String(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("applicant_person_id", sa.Uuid(), nullable=False),
        sa.Column("residence", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("missing_items", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.Column("opinion_id", sa.Uuid(), nullable=True),
        sa.Column("opinion_by", sa.Uuid(), nullable=True),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_application_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "applicant_person_id"],
            ["person.district", "person.id"],
            name=op.f("fk_application_district_applicant_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "household_id"],
            ["household.district", "household.id"],
            name=op.f("fk_application_district_household_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_application")),
        sa.UniqueConstraint("district", "number", name=op.f("uq_application_district_number")),
    )
    op.create_index("ix_application_area_state", "application", ["district", "area_code", "state", "id"], unique=False)
    op.create_index(
        "ix_application_running",
        "application",
        ["district", "area_code", "id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "uq_application_one_open",
        "application",
        ["district", "household_id", "programme"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "entitlement",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("programme", sa.String(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("application_id", sa.Uuid(), nullable=True),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since_month", sa.Date(), nullable=False),
        sa.Column("until_month", sa.Date(), nullable=True),
        sa.Column("next_review_on", sa.Date(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_entitlement_area_code_is_a_code")),
        sa.CheckConstraint("state IN ('active', 'suspended', 'ended')", name=op.f("ck_entitlement_state_known")),
        sa.CheckConstraint("extract(day from since_month) = 1", name=op.f("ck_entitlement_since_month_is_first_day")),
        sa.CheckConstraint("extract(day from until_month) = 1", name=op.f("ck_entitlement_until_month_is_first_day")),
        sa.ForeignKeyConstraint(
            ["district", "household_id"],
            ["household.district", "household.id"],
            name=op.f("fk_entitlement_district_household_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_entitlement")),
        sa.UniqueConstraint("district", "number", name=op.f("uq_entitlement_district_number")),
    )
    op.create_index("ix_entitlement_area", "entitlement", ["district", "area_code", "programme", "id"], unique=False)
    op.create_index(
        "uq_entitlement_one_in_force",
        "entitlement",
        ["district", "household_id", "programme"],
        unique=True,
        postgresql_where=sa.text("state <> 'ended' AND person_id IS NULL"),
    )
    op.create_table(
        "application_deadline",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("working_days", sa.Boolean(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("article", sa.String(), nullable=False),
        sa.Column("met_on", sa.Date(), nullable=True),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_application_deadline_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "application_id"],
            ["application.district", "application.id"],
            name=op.f("fk_application_deadline_district_application_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_application_deadline")),
        sa.UniqueConstraint(
            "district", "application_id", "kind", name=op.f("uq_application_deadline_district_application_id_kind")
        ),
    )
    op.create_index(
        "ix_application_deadline_open",
        "application_deadline",
        ["district", "area_code", "due_on"],
        unique=False,
        postgresql_where=sa.text("met_on IS NULL"),
    )
    op.create_table(
        "application_event",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("from_state", sa.String(), nullable=True),
        sa.Column("to_state", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("details", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_application_event_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "application_id"],
            ["application.district", "application.id"],
            name=op.f("fk_application_event_district_application_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_application_event")),
        sa.UniqueConstraint(
            "district", "application_id", "number", name=op.f("uq_application_event_district_application_id_number")
        ),
    )
    op.create_table(
        "assessment",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("programme", sa.String(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("policy_version", sa.String(), nullable=False),
        sa.Column("engine_version", sa.String(), nullable=False),
        sa.Column("inputs", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("result", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("parameters", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("monthly_fen", sa.BigInteger(), nullable=True),
        sa.Column("notice", sa.String(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_assessment_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "application_id"],
            ["application.district", "application.id"],
            name=op.f("fk_assessment_district_application_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_assessment")),
    )
    op.create_table(
        "entitlement_amount",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("entitlement_id", sa.Uuid(), nullable=False),
        sa.Column("component", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("from_month", sa.Date(), nullable=False),
        sa.Column("until_month", sa.Date(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_entitlement_amount_area_code_is_a_code")),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_entitlement_amount_amount_not_negative")),
        sa.CheckConstraint("extract(day from from_month) = 1", name=op.f("ck_entitlement_amount_from_month_is_first_day")),
        sa.CheckConstraint("extract(day from until_month) = 1", name=op.f("ck_entitlement_amount_until_month_is_first_day")),
        sa.ForeignKeyConstraint(
            ["district", "entitlement_id"],
            ["entitlement.district", "entitlement.id"],
            name=op.f("fk_entitlement_amount_district_entitlement_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_entitlement_amount")),
    )
    op.create_index(
        "ix_entitlement_amount_current", "entitlement_amount", ["district", "entitlement_id", "from_month"], unique=False
    )
    op.create_table(
        "entitlement_member",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("entitlement_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("person_uid", sa.Uuid(), nullable=False),
        sa.Column("from_month", sa.Date(), nullable=False),
        sa.Column("until_month", sa.Date(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("district"), "="),
            (sa.column("entitlement_id"), "="),
            (sa.column("person_id"), "="),
            (sa.literal_column("daterange(from_month, until_month)"), "&&"),
            using="gist",
            name="ex_entitlement_member_once",
        ),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_entitlement_member_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "entitlement_id"],
            ["entitlement.district", "entitlement.id"],
            name=op.f("fk_entitlement_member_district_entitlement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "person_id"], ["person.district", "person.id"], name=op.f("fk_entitlement_member_district_person_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_entitlement_member")),
    )
    op.create_table(
        "public_notice",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("programme", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("posted_on", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("closable_from", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_public_notice_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "application_id"],
            ["application.district", "application.id"],
            name=op.f("fk_public_notice_district_application_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_public_notice")),
    )
    op.create_index(
        "ix_public_notice_area",
        "public_notice",
        ["district", "area_code", "id"],
        unique=False,
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.create_index(
        "uq_public_notice_one_open",
        "public_notice",
        ["district", "application_id"],
        unique=True,
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.create_table(
        "decision",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("decided_by_name", sa.String(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_decision_area_code_is_a_code")),
        sa.CheckConstraint("kind IN ('opinion', 'confirmation', 'refusal')", name=op.f("ck_decision_kind_known")),
        sa.ForeignKeyConstraint(
            ["district", "application_id"],
            ["application.district", "application.id"],
            name=op.f("fk_decision_district_application_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "assessment_id"],
            ["assessment.district", "assessment.id"],
            name=op.f("fk_decision_district_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_decision")),
    )


def _protect() -> None:
    for table in ("application", "application_deadline", "public_notice", "entitlement", "entitlement_member", "enrolment"):
        ddl.wall(op, table)
    # An amount is corrected by superseding it; what it was stays.
    ddl.wall(op, "entitlement_amount", "SELECT, INSERT, UPDATE (until_month, superseded_at)")
    for table in ("application_event", "assessment", "decision"):
        ddl.wall(op, table, "SELECT, INSERT")
        ddl.append_only(op, table)


def downgrade() -> None:
    op.execute("DROP SEQUENCE casework_number")
    op.drop_table("decision")
    op.drop_index("ix_public_notice_area", table_name="public_notice", postgresql_where=sa.text("closed_on IS NULL"))
    op.drop_index("uq_public_notice_one_open", table_name="public_notice", postgresql_where=sa.text("closed_on IS NULL"))
    op.drop_table("public_notice")
    op.drop_table("entitlement_member")
    op.drop_index("ix_entitlement_amount_current", table_name="entitlement_amount")
    op.drop_table("entitlement_amount")
    op.drop_table("assessment")
    op.drop_table("application_event")
    op.drop_index("ix_application_deadline_open", table_name="application_deadline", postgresql_where=sa.text("met_on IS NULL"))
    op.drop_table("application_deadline")
    op.drop_index(
        "uq_entitlement_one_in_force",
        table_name="entitlement",
        postgresql_where=sa.text("state <> 'ended' AND person_id IS NULL"),
    )
    op.drop_index("ix_entitlement_area", table_name="entitlement")
    op.drop_table("entitlement")
    op.drop_index("uq_application_one_open", table_name="application", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_index("ix_application_running", table_name="application", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_index("ix_application_area_state", table_name="application")
    op.drop_table("application")
    op.drop_index("ix_enrolment_person", table_name="enrolment")
    op.drop_table("enrolment")
