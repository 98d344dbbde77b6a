"""Trainings of informants and their certificates.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db import ddl

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "informant_training",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("class_hours", sa.Integer(), nullable=False),
        sa.Column("exam", sa.Boolean(), nullable=False),
        sa.Column("attendees", postgresql.JSONB(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=True),
        sa.Column("issued_by_name", sa.String(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("class_hours > 0", name=op.f("ck_informant_training_class_hours_positive")),
        sa.CheckConstraint("(issued_at IS NULL) = (issued_by IS NULL)", name=op.f("ck_informant_training_issued_by_somebody")),
        sa.CheckConstraint("length(area_code) = 9", name=op.f("ck_informant_training_area_code_has_9_digits")),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_informant_training_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "station_id"], ["station.district", "station.id"], name=op.f("fk_informant_training_district_station_id")
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_informant_training")),
        sa.UniqueConstraint(
            "district",
            "station_id",
            "held_on",
            "subject",
            name=op.f("uq_informant_training_district_station_id_held_on_subject"),
        ),
    )
    ddl.wall(op, "informant_training")
    op.create_table(
        "training_certificate",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("training_id", sa.Uuid(), nullable=False),
        sa.Column("informant_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.Column("issued_by_name", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(area_code) = 12", name=op.f("ck_training_certificate_area_code_has_12_digits")),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_training_certificate_area_code_is_a_code")),
        sa.ForeignKeyConstraint(
            ["district", "training_id"],
            ["informant_training.district", "informant_training.id"],
            name=op.f("fk_training_certificate_district_training_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "informant_id"],
            ["informant.district", "informant.id"],
            name=op.f("fk_training_certificate_district_informant_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_training_certificate")),
        sa.UniqueConstraint(
            "district", "informant_id", "training_id", name=op.f("uq_training_certificate_district_informant_id_training_id")
        ),
        sa.UniqueConstraint("district", "number", name=op.f("uq_training_certificate_district_number")),
    )
    op.create_index("ix_training_certificate_training", "training_certificate", ["district", "training_id"], unique=False)
    ddl.wall(op, "training_certificate", "SELECT, INSERT")
    ddl.append_only(op, "training_certificate")


def downgrade() -> None:
    op.drop_table("training_certificate")
    op.drop_table("informant_training")
