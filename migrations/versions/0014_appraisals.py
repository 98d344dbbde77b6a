"""The year-end assessment: schemes, years, stations in them, entries, published results, records about people.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db import ddl

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ENTRIES = ("appraisal_target", "appraisal_report", "appraisal_score")
WITHDRAWAL = "withdrawn_by, withdrawn_by_name, withdrawn_at, withdrawn_reason"
PUBLICATION = "published_by, published_by_name, published_at"


def upgrade() -> None:
    _create()
    for table in ("appraisal_scheme", "appraisal_result", "personnel_record", *ENTRIES):
        ddl.wall(op, table, "SELECT, INSERT")
        ddl.append_only(op, table)
    # What was pinned or entered can't be written over, not even by the application: only these columns move.
    ddl.wall(op, "appraisal", f"SELECT, INSERT, UPDATE (phase, version, {PUBLICATION})")
    ddl.wall(op, "appraisal_station", "SELECT, INSERT, UPDATE (phase, version)")
    ddl.wall(op, "appraisal_adjustment", f"SELECT, INSERT, UPDATE ({WITHDRAWAL})")
    for table in ("appraisal", "appraisal_station"):
        op.execute(
            f"CREATE TRIGGER final BEFORE UPDATE ON {table} FOR EACH ROW"
            " WHEN (OLD.phase = 'published' OR OLD.phase = 'cancelled') EXECUTE FUNCTION refuse_change()"
        )
    op.execute(OPEN_YEAR)
    for table in (*ENTRIES, "appraisal_adjustment"):
        op.execute(
            f"CREATE TRIGGER open_year BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_in_final_year()"
        )


#: A second wall behind the phases: nothing is entered into a year that is published or cancelled.
OPEN_YEAR = """
    CREATE FUNCTION refuse_in_final_year() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT 1 FROM appraisal_station
            WHERE district = NEW.district AND id = NEW.station_appraisal_id AND phase IN ('published', 'cancelled')
        ) THEN
            RAISE EXCEPTION 'the year is final: % of % refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END $$
"""


def _create() -> None:
    op.create_table(
        "appraisal_scheme",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("document", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=False),
        sa.Column("added_by_name", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_appraisal_scheme_area_code_is_a_code")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_appraisal_scheme")),
        sa.UniqueConstraint(
            "district", "area_code", "code", "version", name=op.f("uq_appraisal_scheme_district_area_code_code_version")
        ),
    )
    op.create_table(
        "appraisal",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("scheme", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("scheme_digest", sa.String(), nullable=False),
        sa.Column("schedule", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_by_name", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("published_by_name", sa.String(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(phase = 'published') = (published_at IS NOT NULL)", name=op.f("ck_appraisal_published_with_its_moment")
        ),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_appraisal_area_code_is_a_code")),
        sa.CheckConstraint(
            "phase IN ('preparation', 'operation', 'mid_year', 'reporting', 'review', 'published', 'cancelled')",
            name=op.f("ck_appraisal_phase_known"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_appraisal")),
    )
    op.create_index(
        "uq_appraisal_year",
        "appraisal",
        ["district", "area_code", "year"],
        unique=True,
        postgresql_where=sa.text("phase <> 'cancelled'"),
    )
    op.create_table(
        "appraisal_station",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("appraisal_id", sa.Uuid(), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("station_name", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("scheme", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("schedule", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_appraisal_station_area_code_is_a_code")),
        sa.CheckConstraint(
            "phase IN ('preparation', 'operation', 'mid_year', 'reporting', 'review', 'published', 'cancelled')",
            name=op.f("ck_appraisal_station_phase_known"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "appraisal_id"],
            ["appraisal.district", "appraisal.id"],
            name=op.f("fk_appraisal_station_district_appraisal_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "station_id"], ["station.district", "station.id"], name=op.f("fk_appraisal_station_district_station_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_appraisal_station")),
        sa.UniqueConstraint(
            "district", "appraisal_id", "station_id", name=op.f("uq_appraisal_station_district_appraisal_id_station_id")
        ),
    )
    op.create_index(
        "uq_appraisal_station_year",
        "appraisal_station",
        ["district", "station_id", "year"],
        unique=True,
        postgresql_where=sa.text("phase <> 'cancelled'"),
    )
    op.create_table(
        "appraisal_target",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_appraisal_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("entered_by_name", sa.String(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("indicator", sa.String(), nullable=False),
        sa.Column("target", sa.Numeric(14, 2), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_appraisal_target_area_code_is_a_code")),
        sa.CheckConstraint("target >= 0", name=op.f("ck_appraisal_target_target_not_negative")),
        sa.CheckConstraint("target IS NOT NULL OR note IS NOT NULL", name=op.f("ck_appraisal_target_not_asked_with_its_reason")),
        sa.ForeignKeyConstraint(
            ["district", "station_appraisal_id"],
            ["appraisal_station.district", "appraisal_station.id"],
            name=op.f("fk_appraisal_target_district_station_appraisal_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_appraisal_target")),
        sa.UniqueConstraint(
            "district",
            "station_appraisal_id",
            "indicator",
            "number",
            name=op.f("uq_appraisal_target_district_station_appraisal_id_indicator_number"),
        ),
    )
    op.create_table(
        "appraisal_report",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_appraisal_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("entered_by_name", sa.String(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("indicator", sa.String(), nullable=False),
        sa.Column("round", sa.String(), nullable=False),
        sa.Column("actual", sa.Numeric(14, 2), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("next_step", sa.String(), nullable=True),
        sa.Column("evidence", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_appraisal_report_area_code_is_a_code")),
        sa.CheckConstraint("round IN ('mid_year', 'year_end')", name=op.f("ck_appraisal_report_round_known")),
        sa.CheckConstraint("actual >= 0", name=op.f("ck_appraisal_report_actual_not_negative")),
        sa.ForeignKeyConstraint(
            ["district", "station_appraisal_id"],
            ["appraisal_station.district", "appraisal_station.id"],
            name=op.f("fk_appraisal_report_district_station_appraisal_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_appraisal_report")),
        sa.UniqueConstraint(
            "district",
            "station_appraisal_id",
            "round",
            "indicator",
            "number",
            name=op.f("uq_appraisal_report_district_station_appraisal_id_round_indicator_number"),
        ),
    )
    op.create_table(
        "appraisal_score",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_appraisal_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("entered_by_name", sa.String(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("round", sa.String(), nullable=False),
        sa.Column("score_points", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("sample_size", sa.Integer(), nullable=True),
        sa.Column("satisfied", sa.Integer(), nullable=True),
        sa.Column("conducted_by", sa.String(), nullable=True),
        sa.Column("evidence", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.CheckConstraint(
            "(part = 'survey') = (sample_size IS NOT NULL AND satisfied IS NOT NULL AND conducted_by IS NOT NULL)",
            name=op.f("ck_appraisal_score_survey_with_its_figures"),
        ),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_appraisal_score_area_code_is_a_code")),
        sa.CheckConstraint("part IN ('self_review', 'leader', 'survey')", name=op.f("ck_appraisal_score_part_known")),
        sa.CheckConstraint("round IN ('mid_year', 'year_end')", name=op.f("ck_appraisal_score_round_known")),
        sa.CheckConstraint("satisfied BETWEEN 0 AND sample_size", name=op.f("ck_appraisal_score_satisfied_within_sample")),
        sa.CheckConstraint("score_points BETWEEN 0 AND 10000", name=op.f("ck_appraisal_score_points_in_range")),
        sa.ForeignKeyConstraint(
            ["district", "station_appraisal_id"],
            ["appraisal_station.district", "appraisal_station.id"],
            name=op.f("fk_appraisal_score_district_station_appraisal_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_appraisal_score")),
        sa.UniqueConstraint(
            "district",
            "station_appraisal_id",
            "round",
            "part",
            "number",
            name=op.f("uq_appraisal_score_district_station_appraisal_id_round_part_number"),
        ),
    )
    op.create_table(
        "appraisal_adjustment",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_appraisal_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("entered_by_name", sa.String(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("score_points", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("evidence", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_by_name", sa.String(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "CASE kind WHEN 'veto' THEN score_points = 0 ELSE score_points > 0 END",
            name=op.f("ck_appraisal_adjustment_points_of_the_kind"),
        ),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_appraisal_adjustment_area_code_is_a_code")),
        sa.CheckConstraint("kind IN ('bonus', 'deduction', 'veto')", name=op.f("ck_appraisal_adjustment_kind_known")),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name=op.f("ck_appraisal_adjustment_withdrawn_with_its_reason")
        ),
        sa.ForeignKeyConstraint(
            ["district", "station_appraisal_id"],
            ["appraisal_station.district", "appraisal_station.id"],
            name=op.f("fk_appraisal_adjustment_district_station_appraisal_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_appraisal_adjustment")),
        sa.UniqueConstraint(
            "district",
            "station_appraisal_id",
            "number",
            name=op.f("uq_appraisal_adjustment_district_station_appraisal_id_number"),
        ),
    )
    op.create_table(
        "appraisal_result",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("appraisal_id", sa.Uuid(), nullable=False),
        sa.Column("station_appraisal_id", sa.Uuid(), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("station_name", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("score_points", sa.Integer(), nullable=False),
        sa.Column("grade", sa.String(), nullable=False),
        sa.Column("vetoed", sa.Boolean(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_appraisal_result_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "appraisal_id"],
            ["appraisal.district", "appraisal.id"],
            name=op.f("fk_appraisal_result_district_appraisal_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_appraisal_result")),
        sa.UniqueConstraint(
            "district", "appraisal_id", "station_id", name=op.f("uq_appraisal_result_district_appraisal_id_station_id")
        ),
    )
    op.create_index("ix_appraisal_result_station", "appraisal_result", ["district", "station_id", "year"], unique=False)
    op.create_table(
        "personnel_record",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("person_kind", sa.String(), nullable=False),
        sa.Column("person_name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_by_name", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_personnel_record_area_code_is_a_code")),
        sa.CheckConstraint(
            "kind = 'monthly_meeting' AND outcome IN ('present', 'excused', 'absent')"
            " OR kind = 'quarterly_check' AND outcome IN ('passed', 'failed')",
            name=op.f("ck_personnel_record_outcome_of_the_kind"),
        ),
        sa.CheckConstraint("person_kind IN ('assistant', 'informant')", name=op.f("ck_personnel_record_person_kind_known")),
        sa.CheckConstraint(
            "extract(day from period) = 1 AND held_on >= period", name=op.f("ck_personnel_record_held_in_its_period")
        ),
        sa.ForeignKeyConstraint(
            ["district", "station_id"], ["station.district", "station.id"], name=op.f("fk_personnel_record_district_station_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_personnel_record")),
        sa.UniqueConstraint(
            "district",
            "station_id",
            "person_id",
            "kind",
            "period",
            "number",
            name=op.f("uq_personnel_record_district_station_id_person_id_kind_period_number"),
        ),
    )


def downgrade() -> None:
    op.drop_table("personnel_record")
    op.drop_index("ix_appraisal_result_station", table_name="appraisal_result")
    op.drop_table("appraisal_result")
    op.drop_table("appraisal_adjustment")
    op.drop_table("appraisal_score")
    op.drop_table("appraisal_report")
    op.drop_table("appraisal_target")
    op.drop_index("uq_appraisal_station_year", table_name="appraisal_station", postgresql_where=sa.text("phase <> 'cancelled'"))
    op.drop_table("appraisal_station")
    op.drop_index("uq_appraisal_year", table_name="appraisal", postgresql_where=sa.text("phase <> 'cancelled'"))
    op.drop_table("appraisal")
    op.drop_table("appraisal_scheme")
    op.execute("DROP FUNCTION refuse_in_final_year()")
