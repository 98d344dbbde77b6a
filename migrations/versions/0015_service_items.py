"""The published item lists (事项清单) and the requests (办件) taken under them.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db import ddl

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Everybody of the district reads its lists (四公开), only the district itself publishes.
OF_THE_DISTRICT = "district = nullif(current_setting('app.district', true), '')"


def upgrade() -> None:
    create_lists()
    create_items()
    create_requests()
    create_events()
    for table in ("service_item_list", "service_item"):
        ddl.wall(op, table, "SELECT, INSERT", condition=OF_THE_DISTRICT)
        op.execute(
            f"CREATE POLICY published_by_the_district ON {table} AS RESTRICTIVE FOR INSERT TO {ddl.API_ROLE}"
            f" WITH CHECK ({ddl.IN_SCOPE})"
        )
        ddl.append_only(op, table)
    ddl.wall(op, "service_request")
    ddl.wall(op, "service_request_event", "SELECT, INSERT")
    ddl.append_only(op, "service_request_event")


def create_lists() -> None:
    op.create_table(
        "service_item_list",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=False),
        sa.Column("published_by_name", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_service_item_list_area_code_is_a_code")),
        sa.CheckConstraint("level IN ('subdistrict', 'village', 'community')", name=op.f("ck_service_item_list_level_known")),
        sa.CheckConstraint("length(area_code) = 6", name=op.f("ck_service_item_list_of_the_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_service_item_list")),
        sa.UniqueConstraint("district", "level", "number", name=op.f("uq_service_item_list_district_level_number")),
    )


def create_items() -> None:
    op.create_table(
        "service_item",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("programme", sa.String(), nullable=True),
        sa.Column("by_application", sa.Boolean(), nullable=False),
        sa.Column("day_unit", sa.String(), nullable=False),
        sa.Column("promised_days", sa.Integer(), nullable=False),
        sa.Column("legal_days", sa.Integer(), nullable=True),
        sa.Column("content", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_service_item_area_code_is_a_code")),
        sa.CheckConstraint("day_unit IN ('working_day', 'calendar_day')", name=op.f("ck_service_item_day_unit_known")),
        sa.CheckConstraint(
            "promised_days >= 0 AND promised_days <= legal_days", name=op.f("ck_service_item_promise_within_the_law")
        ),
        sa.ForeignKeyConstraint(
            ["district", "list_id"],
            ["service_item_list.district", "service_item_list.id"],
            name=op.f("fk_service_item_district_list_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_service_item")),
        sa.UniqueConstraint("district", "list_id", "code", name=op.f("uq_service_item_district_list_id_code")),
    )


def create_requests() -> None:
    op.create_table(
        "service_request",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("applicant_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_masked", sa.String(), nullable=True),
        sa.Column("application_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("taken_by", sa.Uuid(), nullable=False),
        sa.Column("taken_by_name", sa.String(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.Column("responsible_id", sa.Uuid(), nullable=False),
        sa.Column("responsible_name", sa.String(), nullable=False),
        sa.Column("offered_to_id", sa.Uuid(), nullable=True),
        sa.Column("offered_to_name", sa.String(), nullable=True),
        sa.Column("offer_reason", sa.String(), nullable=True),
        sa.Column("offered_on", sa.Date(), nullable=True),
        sa.Column("materials", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("missing", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("notified_on", sa.Date(), nullable=True),
        sa.Column("objectionable", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("legal_from", sa.Date(), nullable=True),
        sa.Column("legal_left", sa.Integer(), nullable=True),
        sa.Column("legal_due_on", sa.Date(), nullable=True),
        sa.Column("legal_provisional", sa.Boolean(), nullable=False),
        sa.Column("promised_from", sa.Date(), nullable=True),
        sa.Column("promised_left", sa.Integer(), nullable=True),
        sa.Column("promised_due_on", sa.Date(), nullable=True),
        sa.Column("promised_provisional", sa.Boolean(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("ground", sa.String(), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'not_accepted') = (ground IS NOT NULL)", name=op.f("ck_service_request_refused_with_its_ground")
        ),
        sa.CheckConstraint(
            "(state IN ('in_hand', 'awaiting_supplement')) = (closed_on IS NULL)",
            name=op.f("ck_service_request_closed_with_its_day"),
        ),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_service_request_area_code_is_a_code")),
        sa.CheckConstraint(
            "state IN ('in_hand', 'awaiting_supplement', 'done', 'not_accepted', 'withdrawn')",
            name=op.f("ck_service_request_state_known"),
        ),
        sa.CheckConstraint("(application_id IS NULL) = (promised_from IS NOT NULL)", name=op.f("ck_service_request_one_clock")),
        sa.CheckConstraint(
            "(offered_to_id IS NULL) OR (offered_to_id <> responsible_id)",
            name=op.f("ck_service_request_offered_to_somebody_else"),
        ),
        sa.CheckConstraint("(person_id IS NULL) <> (applicant_sealed IS NULL)", name=op.f("ck_service_request_one_applicant")),
        sa.ForeignKeyConstraint(
            ["district", "application_id"],
            ["application.district", "application.id"],
            name=op.f("fk_service_request_district_application_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "item_id"],
            ["service_item.district", "service_item.id"],
            name=op.f("fk_service_request_district_item_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "person_id"], ["person.district", "person.id"], name=op.f("fk_service_request_district_person_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_service_request")),
        sa.UniqueConstraint("district", "application_id", name=op.f("uq_service_request_district_application_id")),
    )
    op.create_index("ix_service_request_area", "service_request", ["district", "area_code", "id"], unique=False)
    op.create_index("ix_service_request_item", "service_request", ["district", "item_id"], unique=False)
    op.create_index(
        "ix_service_request_offered",
        "service_request",
        ["district", "offered_to_id"],
        unique=False,
        postgresql_where=sa.text("offered_to_id IS NOT NULL"),
    )
    op.create_index("ix_service_request_person", "service_request", ["district", "person_id"], unique=False)
    op.create_index(
        "ix_service_request_responsible",
        "service_request",
        ["district", "responsible_id"],
        unique=False,
        postgresql_where=sa.text("closed_on IS NULL"),
    )


def create_events() -> None:
    op.create_table(
        "service_request_event",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acted_by", sa.Uuid(), nullable=False),
        sa.Column("acted_by_name", sa.String(), nullable=False),
        sa.Column("responsible_id", sa.Uuid(), nullable=False),
        sa.Column("responsible_name", sa.String(), nullable=False),
        sa.Column("offered_to_id", sa.Uuid(), nullable=True),
        sa.Column("offered_to_name", sa.String(), nullable=True),
        sa.Column("details", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_service_request_event_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "request_id"],
            ["service_request.district", "service_request.id"],
            name=op.f("fk_service_request_event_district_request_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_service_request_event")),
        sa.UniqueConstraint("district", "request_id", "number", name=op.f("uq_service_request_event_district_request_id_number")),
    )


def downgrade() -> None:
    op.drop_table("service_request_event")
    op.drop_index("ix_service_request_responsible", table_name="service_request", postgresql_where=sa.text("closed_on IS NULL"))
    op.drop_index("ix_service_request_person", table_name="service_request")
    op.drop_index(
        "ix_service_request_offered", table_name="service_request", postgresql_where=sa.text("offered_to_id IS NOT NULL")
    )
    op.drop_index("ix_service_request_item", table_name="service_request")
    op.drop_index("ix_service_request_area", table_name="service_request")
    op.drop_table("service_request")
    op.drop_table("service_item")
    op.drop_table("service_item_list")
