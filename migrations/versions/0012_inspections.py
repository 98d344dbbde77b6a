"""Acceptance of stations: campaigns, inspections, marks, rectifications, published results.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db import ddl

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inspection_campaign",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("standard", sa.String(), nullable=False),
        sa.Column("standard_version", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("preparation_from", sa.Date(), nullable=False),
        sa.Column("implementation_from", sa.Date(), nullable=False),
        sa.Column("inspection_from", sa.Date(), nullable=False),
        sa.Column("conclude_by", sa.Date(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("sample_size", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_by_name", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("published_by_name", sa.String(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(phase = 'published') = (published_at IS NOT NULL)", name=op.f("ck_inspection_campaign_published_with_its_moment")
        ),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_inspection_campaign_area_code_is_a_code")),
        sa.CheckConstraint(
            "phase IN ('draft', 'preparation', 'implementation', 'inspection', 'closed', 'published', 'cancelled')",
            name=op.f("ck_inspection_campaign_phase_known"),
        ),
        sa.CheckConstraint(
            "preparation_from <= implementation_from AND implementation_from <= inspection_from"
            " AND inspection_from <= conclude_by",
            name=op.f("ck_inspection_campaign_schedule_in_order"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_inspection_campaign")),
    )
    op.create_table(
        "inspection",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("standard", sa.String(), nullable=False),
        sa.Column("standard_version", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("station_name", sa.String(), nullable=False),
        sa.Column("inspectors", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("sample", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("signatures", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("countersigned", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_inspection_area_code_is_a_code")),
        sa.CheckConstraint("state IN ('planned', 'signed', 'confirmed')", name=op.f("ck_inspection_state_known")),
        sa.ForeignKeyConstraint(
            ["district", "campaign_id"],
            ["inspection_campaign.district", "inspection_campaign.id"],
            name=op.f("fk_inspection_district_campaign_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "station_id"], ["station.district", "station.id"], name=op.f("fk_inspection_district_station_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_inspection")),
        sa.UniqueConstraint("district", "campaign_id", "station_id", name=op.f("uq_inspection_district_campaign_id_station_id")),
    )
    op.create_table(
        "inspection_result",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("station_name", sa.String(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("score_points", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("consequence", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("content", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_inspection_result_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "campaign_id"],
            ["inspection_campaign.district", "inspection_campaign.id"],
            name=op.f("fk_inspection_result_district_campaign_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_inspection_result")),
        sa.UniqueConstraint(
            "district", "campaign_id", "station_id", name=op.f("uq_inspection_result_district_campaign_id_station_id")
        ),
    )
    op.create_table(
        "inspection_mark",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("criterion", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("met", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("evidence", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("rectify_by", sa.Date(), nullable=True),
        sa.Column("marked_by", sa.Uuid(), nullable=False),
        sa.Column("marked_by_name", sa.String(), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_inspection_mark_area_code_is_a_code")),
        sa.CheckConstraint(
            "source = 'self' OR met OR rectify_by IS NOT NULL", name=op.f("ck_inspection_mark_failure_names_its_deadline")
        ),
        sa.CheckConstraint("source IN ('self', 'found')", name=op.f("ck_inspection_mark_source_known")),
        sa.ForeignKeyConstraint(
            ["district", "inspection_id"],
            ["inspection.district", "inspection.id"],
            name=op.f("fk_inspection_mark_district_inspection_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_inspection_mark")),
        sa.UniqueConstraint(
            "district",
            "inspection_id",
            "criterion",
            "source",
            name=op.f("uq_inspection_mark_district_inspection_id_criterion_source"),
        ),
    )
    op.create_table(
        "rectification",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("criterion", sa.String(), nullable=False),
        sa.Column("requirement", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("submissions", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_by_name", sa.String(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_rectification_closed_with_its_moment")),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_rectification_area_code_is_a_code")),
        sa.CheckConstraint("state IN ('open', 'submitted', 'closed')", name=op.f("ck_rectification_state_known")),
        sa.ForeignKeyConstraint(
            ["district", "inspection_id"],
            ["inspection.district", "inspection.id"],
            name=op.f("fk_rectification_district_inspection_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_rectification")),
        sa.UniqueConstraint(
            "district", "inspection_id", "criterion", name=op.f("uq_rectification_district_inspection_id_criterion")
        ),
    )
    op.create_index(
        "ix_rectification_open",
        "rectification",
        ["district", "area_code", "due_on"],
        unique=False,
        postgresql_where=sa.text("state <> 'closed'"),
    )
    for table in ("inspection_campaign", "inspection", "inspection_mark", "rectification"):
        ddl.wall(op, table)
    ddl.wall(op, "inspection_result", "SELECT, INSERT")
    ddl.append_only(op, "inspection_result")


def downgrade() -> None:
    op.drop_index("ix_rectification_open", table_name="rectification", postgresql_where=sa.text("state <> 'closed'"))
    op.drop_table("rectification")
    op.drop_table("inspection_mark")
    op.drop_table("inspection_result")
    op.drop_table("inspection")
    op.drop_table("inspection_campaign")
