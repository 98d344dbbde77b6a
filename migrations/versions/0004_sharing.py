"""Sharing: agreements, daily quota, query log; the columns that the status-query role may see.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db import ddl

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# What the role sees of tables that hold more: enough to check a token and to answer yes or no.
STATUS_COLUMNS = {
    "client": "id, client_id, area_code, district, disabled_at, tokens_valid_from",
    "revoked_token": "jti",
    "identity_key": "index_version, bidx, person_uid",
    "enrolment": "id, district, area_code, person_uid, name_key, programme, category, since_month, until_month, valid_until",
    "sharing_agreement": "id, district, area_code, client_id, programmes, purposes, fields, quota_per_day,"
    " valid_from, valid_until",
}
STATUS_ROUTE = "route = 'POST /api/v1/status-queries'"


def upgrade() -> None:
    _create_tables()
    ddl.wall(op, "sharing_agreement")
    for table in ("enrolment", "sharing_agreement"):
        op.execute(f"CREATE POLICY open_to_{ddl.STATUS_ROLE} ON {table} FOR SELECT TO {ddl.STATUS_ROLE} USING (true)")
    for table, columns in STATUS_COLUMNS.items():
        ddl.grant(op, table, f"SELECT ({columns})", ddl.STATUS_ROLE)
    _protect_quota()
    _protect_log()
    _protect_stored_answers()


def _create_tables() -> None:
    op.create_table(
        "sharing_agreement",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("programmes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("purposes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("fields", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("quota_per_day", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("district"), "="),
            (sa.column("client_id"), "="),
            (sa.literal_column("daterange(valid_from, valid_until)"), "&&"),
            using="gist",
            name="ex_sharing_agreement_one_at_a_time",
        ),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_sharing_agreement_area_code_is_a_code")),
        sa.CheckConstraint("quota_per_day >= 0", name=op.f("ck_sharing_agreement_quota_not_negative")),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until > valid_from", name=op.f("ck_sharing_agreement_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_sharing_agreement_client_id")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_sharing_agreement")),
    )
    op.create_table(
        "status_quota",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("district", "client_id", "day", name=op.f("pk_status_quota")),
    )
    op.create_table(
        "status_query_log",
        sa.Column("district", sa.String(12, collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(12, collation="C"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("person_uid", sa.Uuid(), nullable=True),
        sa.Column("programmes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("enrolled", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("legal_basis", sa.String(), nullable=False),
        sa.Column("case_no", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("attested", sa.Boolean(), nullable=False),
        sa.Column("trace_id", sa.String(), nullable=False),
        sa.CheckConstraint("area_code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name=op.f("ck_status_query_log_area_code_is_a_code")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_status_query_log")),
    )
    op.create_index("ix_status_query_log_person", "status_query_log", ["district", "person_uid", "id"], unique=False)


def _protect_quota() -> None:
    """The row is one hot counter, rewritten in place: room on its page keeps the updates out of the index."""
    op.execute("ALTER TABLE status_quota SET (fillfactor = 20)")
    _force("status_quota")
    ddl.open_to(op, "status_quota", ddl.STATUS_ROLE, "SELECT, INSERT, UPDATE")


def _protect_log() -> None:
    """The path can only add; the district's auditors read."""
    _force("status_query_log")
    op.execute(f"CREATE POLICY add_any ON status_query_log FOR INSERT TO {ddl.STATUS_ROLE} WITH CHECK (true)")
    ddl.grant(op, "status_query_log", "INSERT", ddl.STATUS_ROLE)
    op.execute(f"CREATE POLICY area_wall ON status_query_log FOR SELECT TO {ddl.API_ROLE} USING ({ddl.IN_SCOPE})")
    ddl.grant(op, "status_query_log", "SELECT")
    ddl.append_only(op, "status_query_log")


def _protect_stored_answers() -> None:
    """Idempotency works on this path too, but it sees the answers of its own route only."""
    _force("stored_answer")
    op.execute(f"CREATE POLICY open_to_{ddl.API_ROLE} ON stored_answer TO {ddl.API_ROLE} USING (true) WITH CHECK (true)")
    op.execute(
        f"CREATE POLICY own_route ON stored_answer TO {ddl.STATUS_ROLE} USING ({STATUS_ROUTE}) WITH CHECK ({STATUS_ROUTE})"
    )
    ddl.grant(op, "stored_answer", "SELECT, INSERT, DELETE", ddl.STATUS_ROLE)


def _force(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute(f"REVOKE ALL ON stored_answer FROM {ddl.STATUS_ROLE}")
    op.execute("DROP POLICY own_route ON stored_answer")
    op.execute(f"DROP POLICY open_to_{ddl.API_ROLE} ON stored_answer")
    op.execute("ALTER TABLE stored_answer NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE stored_answer DISABLE ROW LEVEL SECURITY")
    op.drop_index("ix_status_query_log_person", table_name="status_query_log")
    op.drop_table("status_query_log")
    op.drop_table("status_quota")
    for table, columns in STATUS_COLUMNS.items():
        op.execute(f"REVOKE SELECT ({columns}) ON {table} FROM {ddl.STATUS_ROLE}")
    op.execute(f"DROP POLICY open_to_{ddl.STATUS_ROLE} ON enrolment")
    op.drop_table("sharing_agreement")
