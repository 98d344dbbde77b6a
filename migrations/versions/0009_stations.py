"""Stations: the stations of the sub-districts with their staff and sheets, informants, community offices, officials.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db import ddl

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Imports write these too, and an import that is undone deletes what it made.
IMPORTED = ("station", "station_staff", "informant", "official", "official_relative", "official_number")
WRITTEN_AT_THE_DESK = (
    "station_premises",
    "station_budget",
    "station_equipment",
    "station_rule",
    "station_archive",
    "station_volunteers",
    "station_training",
    "station_meeting",
    "community_office",
)


def upgrade() -> None:
    op.create_table(
        "community_office",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area_m2", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.Column("rooms", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_community_office_area_code_is_a_code")),
        sa.CheckConstraint("kind IN ('urban', 'township')", name=op.f("ck_community_office_kind_known")),
        sa.CheckConstraint("area_m2 >= 0", name=op.f("ck_community_office_area_not_negative")),
        sa.CheckConstraint("length(area_code) = 12", name=op.f("ck_community_office_area_code_has_12_digits")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_community_office")),
    )
    op.create_index(
        "uq_community_office_current",
        "community_office",
        ["district", "area_code", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "informant",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_masked", sa.String(), nullable=True),
        sa.Column("badge_no", sa.String(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("district"), "="),
            (sa.column("area_code"), "="),
            (sa.column("name"), "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            using="gist",
            name="ex_informant_one_post",
        ),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_informant_area_code_is_a_code")),
        sa.CheckConstraint("length(area_code) = 12", name=op.f("ck_informant_area_code_has_12_digits")),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_informant_period_in_order")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_informant")),
        sa.UniqueConstraint(
            "district", "area_code", "name", "valid_from", name=op.f("uq_informant_district_area_code_name_valid_from")
        ),
    )
    op.create_table(
        "official",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id_number_masked", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("position", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_official_area_code_is_a_code")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_official")),
    )
    op.create_index("ix_official_area", "official", ["district", "area_code", "id"], unique=False)
    op.create_table(
        "station",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("head_post", sa.String(), nullable=False),
        sa.Column("deputy_post", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("district"), "="),
            (sa.column("area_code"), "="),
            (sa.literal_column("daterange(opened_on, closed_on)"), "&&"),
            using="gist",
            name="ex_station_one_at_a_time",
        ),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_station_area_code_is_a_code")),
        sa.CheckConstraint("closed_on >= opened_on", name=op.f("ck_station_period_in_order")),
        sa.CheckConstraint("length(area_code) = 9", name=op.f("ck_station_area_code_has_9_digits")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_station")),
    )
    op.create_index(
        "uq_station_open", "station", ["district", "area_code"], unique=True, postgresql_where=sa.text("closed_on IS NULL")
    )
    op.create_table(
        "official_relative",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("official_id", sa.Uuid(), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id_number_masked", sa.String(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_official_relative_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "official_id"],
            ["official.district", "official.id"],
            name=op.f("fk_official_relative_district_official_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_official_relative")),
    )
    op.create_index("ix_official_relative_official", "official_relative", ["district", "official_id"], unique=False)
    op.create_table(
        "station_archive",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("bound", sa.Integer(), nullable=False),
        sa.Column("digitised", sa.Integer(), nullable=False),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_station_archive_area_code_is_a_code")),
        sa.CheckConstraint(
            "bound BETWEEN 0 AND total AND digitised BETWEEN 0 AND total", name=op.f("ck_station_archive_parts_within_total")
        ),
        sa.ForeignKeyConstraint(
            ["district", "station_id"], ["station.district", "station.id"], name=op.f("fk_station_archive_district_station_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_station_archive")),
    )
    op.create_index(
        "uq_station_archive_current",
        "station_archive",
        ["district", "station_id", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "station_budget",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("in_fiscal_budget", sa.Boolean(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("disbursed_fen", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_station_budget_area_code_is_a_code")),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_station_budget_amount_not_negative")),
        sa.CheckConstraint("cardinality(disbursed_fen) = 12", name=op.f("ck_station_budget_twelve_months")),
        sa.CheckConstraint("valid_from = make_date(year, 1, 1)", name=op.f("ck_station_budget_one_calendar_year")),
        sa.ForeignKeyConstraint(
            ["district", "station_id"], ["station.district", "station.id"], name=op.f("fk_station_budget_district_station_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_station_budget")),
    )
    op.create_index(
        "uq_station_budget_current",
        "station_budget",
        ["district", "station_id", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "station_equipment",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("computer", sa.Integer(), nullable=False),
        sa.Column("telephone", sa.Integer(), nullable=False),
        sa.Column("fax", sa.Integer(), nullable=False),
        sa.Column("printer", sa.Integer(), nullable=False),
        sa.Column("camera", sa.Integer(), nullable=False),
        sa.Column("vehicle", sa.Integer(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_station_equipment_area_code_is_a_code")),
        sa.CheckConstraint(
            "least(computer, telephone, fax, printer, camera, vehicle) >= 0",
            name=op.f("ck_station_equipment_counts_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "station_id"], ["station.district", "station.id"], name=op.f("fk_station_equipment_district_station_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_station_equipment")),
    )
    op.create_index(
        "uq_station_equipment_current",
        "station_equipment",
        ["district", "station_id", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "station_meeting",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("invited", sa.Integer(), nullable=False),
        sa.Column("attended", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_station_meeting_area_code_is_a_code")),
        sa.CheckConstraint("kind IN ('monthly_meeting', 'quarterly_check')", name=op.f("ck_station_meeting_kind_known")),
        sa.CheckConstraint("attended BETWEEN 0 AND invited", name=op.f("ck_station_meeting_attended_within_invited")),
        sa.ForeignKeyConstraint(
            ["district", "station_id"], ["station.district", "station.id"], name=op.f("fk_station_meeting_district_station_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_station_meeting")),
        sa.UniqueConstraint(
            "district", "station_id", "kind", "held_on", name=op.f("uq_station_meeting_district_station_id_kind_held_on")
        ),
    )
    op.create_table(
        "station_premises",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("area_m2", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.Column("independent", sa.Boolean(), nullable=False),
        sa.Column("accessible", sa.Boolean(), nullable=False),
        sa.Column("service_window", sa.Boolean(), nullable=False),
        sa.Column("archive_room", sa.Boolean(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_station_premises_area_code_is_a_code")),
        sa.CheckConstraint("area_m2 >= 0", name=op.f("ck_station_premises_area_not_negative")),
        sa.ForeignKeyConstraint(
            ["district", "station_id"], ["station.district", "station.id"], name=op.f("fk_station_premises_district_station_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_station_premises")),
    )
    op.create_index(
        "uq_station_premises_current",
        "station_premises",
        ["district", "station_id", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "station_rule",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rules", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("signage", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("made_by_bureau", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_station_rule_area_code_is_a_code")),
        sa.CheckConstraint("made_by_bureau <@ signage", name=op.f("ck_station_rule_provided_signs_are_there")),
        sa.ForeignKeyConstraint(
            ["district", "station_id"], ["station.district", "station.id"], name=op.f("fk_station_rule_district_station_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_station_rule")),
    )
    op.create_index(
        "uq_station_rule_current",
        "station_rule",
        ["district", "station_id", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "station_staff",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("establishment", sa.String(), nullable=False),
        sa.Column("full_time", sa.Boolean(), nullable=False),
        sa.Column("position", sa.String(), nullable=False),
        sa.Column("leads_as", sa.String(), nullable=True),
        sa.Column("education", sa.String(), nullable=True),
        sa.Column("exam_passed", sa.Boolean(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=True),
        sa.Column("other_posts", sa.String(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("district"), "="),
            (sa.column("station_id"), "="),
            (sa.column("leads_as"), "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            where=sa.text("leads_as IS NOT NULL"),
            using="gist",
            name="ex_station_staff_one_leader",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("district"), "="),
            (sa.column("station_id"), "="),
            (sa.column("name"), "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            using="gist",
            name="ex_station_staff_one_post",
        ),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_station_staff_area_code_is_a_code")),
        sa.CheckConstraint(
            "establishment IN ('administrative', 'institutional', 'other')", name=op.f("ck_station_staff_establishment_known")
        ),
        sa.CheckConstraint("leads_as IN ('head', 'deputy')", name=op.f("ck_station_staff_leads_as_known")),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_station_staff_period_in_order")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_station_staff_account_id")),
        sa.ForeignKeyConstraint(
            ["district", "station_id"], ["station.district", "station.id"], name=op.f("fk_station_staff_district_station_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_station_staff")),
        sa.UniqueConstraint(
            "district", "station_id", "name", "valid_from", name=op.f("uq_station_staff_district_station_id_name_valid_from")
        ),
    )
    op.create_table(
        "station_training",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("attended", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_station_training_area_code_is_a_code")),
        sa.CheckConstraint("audience IN ('assistants', 'coordinators')", name=op.f("ck_station_training_audience_known")),
        sa.CheckConstraint("attended >= 0", name=op.f("ck_station_training_attended_not_negative")),
        sa.ForeignKeyConstraint(
            ["district", "station_id"], ["station.district", "station.id"], name=op.f("fk_station_training_district_station_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_station_training")),
        sa.UniqueConstraint(
            "district",
            "station_id",
            "audience",
            "held_on",
            "topic",
            name=op.f("uq_station_training_district_station_id_audience_held_on_topic"),
        ),
    )
    op.create_table(
        "station_volunteers",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("volunteers", sa.Integer(), nullable=False),
        sa.Column("emergency_plan", sa.Boolean(), nullable=False),
        sa.Column("emergency_plan_on", sa.Date(), nullable=True),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_station_volunteers_area_code_is_a_code")),
        sa.CheckConstraint("volunteers >= 0", name=op.f("ck_station_volunteers_volunteers_not_negative")),
        sa.ForeignKeyConstraint(
            ["district", "station_id"], ["station.district", "station.id"], name=op.f("fk_station_volunteers_district_station_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_station_volunteers")),
    )
    op.create_index(
        "uq_station_volunteers_current",
        "station_volunteers",
        ["district", "station_id", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "official_number",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("official_id", sa.Uuid(), nullable=False),
        sa.Column("relative_id", sa.Uuid(), nullable=True),
        sa.Column("index_version", sa.Integer(), nullable=False),
        sa.Column("bidx", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_official_number_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "official_id"],
            ["official.district", "official.id"],
            name=op.f("fk_official_number_district_official_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "relative_id"],
            ["official_relative.district", "official_relative.id"],
            name=op.f("fk_official_number_district_relative_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_official_number")),
    )
    op.create_index(
        "uq_official_number_official",
        "official_number",
        ["district", "index_version", "bidx"],
        unique=True,
        postgresql_where=sa.text("relative_id IS NULL"),
    )
    op.create_index(
        "uq_official_number_relative",
        "official_number",
        ["district", "index_version", "bidx", "relative_id"],
        unique=True,
        postgresql_where=sa.text("relative_id IS NOT NULL"),
    )
    op.create_table(
        "station_assessment",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("standard", sa.String(), nullable=False),
        sa.Column("standard_version", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("grade", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("answer", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("claims", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("assessed_by", sa.Uuid(), nullable=False),
        sa.Column("assessed_by_name", sa.String(), nullable=False),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_station_assessment_area_code_is_a_code")),
        sa.CheckConstraint(
            "grade IN ('qualified', 'unqualified', 'undetermined')", name=op.f("ck_station_assessment_grade_known")
        ),
        sa.ForeignKeyConstraint(
            ["district", "station_id"],
            ["station.district", "station.id"],
            name=op.f("fk_station_assessment_district_station_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_station_assessment")),
    )
    op.create_index("ix_station_assessment_station", "station_assessment", ["district", "station_id", "id"], unique=False)
    ddl.wall(op, "station_assessment", "SELECT, INSERT")
    ddl.append_only(op, "station_assessment")
    for table in IMPORTED:
        ddl.wall(op, table, "SELECT, INSERT, UPDATE, DELETE")
    for table in WRITTEN_AT_THE_DESK:
        ddl.wall(op, table)


def downgrade() -> None:
    op.drop_index("ix_station_assessment_station", table_name="station_assessment")
    op.drop_table("station_assessment")
    op.drop_index(
        "uq_official_number_relative", table_name="official_number", postgresql_where=sa.text("relative_id IS NOT NULL")
    )
    op.drop_index("uq_official_number_official", table_name="official_number", postgresql_where=sa.text("relative_id IS NULL"))
    op.drop_table("official_number")
    op.drop_index(
        "uq_station_volunteers_current", table_name="station_volunteers", postgresql_where=sa.text("superseded_at IS NULL")
    )
    op.drop_table("station_volunteers")
    op.drop_table("station_training")
    op.drop_table("station_staff")
    op.drop_index("uq_station_rule_current", table_name="station_rule", postgresql_where=sa.text("superseded_at IS NULL"))
    op.drop_table("station_rule")
    op.drop_index("uq_station_premises_current", table_name="station_premises", postgresql_where=sa.text("superseded_at IS NULL"))
    op.drop_table("station_premises")
    op.drop_table("station_meeting")
    op.drop_index(
        "uq_station_equipment_current", table_name="station_equipment", postgresql_where=sa.text("superseded_at IS NULL")
    )
    op.drop_table("station_equipment")
    op.drop_index("uq_station_budget_current", table_name="station_budget", postgresql_where=sa.text("superseded_at IS NULL"))
    op.drop_table("station_budget")
    op.drop_index("uq_station_archive_current", table_name="station_archive", postgresql_where=sa.text("superseded_at IS NULL"))
    op.drop_table("station_archive")
    op.drop_index("ix_official_relative_official", table_name="official_relative")
    op.drop_table("official_relative")
    op.drop_index("uq_station_open", table_name="station", postgresql_where=sa.text("closed_on IS NULL"))
    op.drop_table("station")
    op.drop_index("ix_official_area", table_name="official")
    op.drop_table("official")
    op.drop_table("informant")
    op.drop_index("uq_community_office_current", table_name="community_office", postgresql_where=sa.text("superseded_at IS NULL"))
    op.drop_table("community_office")
