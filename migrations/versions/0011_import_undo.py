"""Imports of people: what a million rows need, and taking an import back.

Open stays in households get unique indexes; the exclusion constraints keep what touches the past. Rows of the registry may be
deleted again, but only those that an import which is being undone has made: a restrictive policy looks at its marks.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import ddl

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

UNDOING = "nullif(current_setting('app.undoing', true), '')::uuid"
ROLL = {
    "roll_class": sa.String,
    "certificate_no": sa.String,
    "document_no": sa.String,
    "signed_by": sa.Uuid,
    "signed_by_name": sa.String,
    "signed_on": sa.Date,
}
STAYS = (("one_household", "person_id", "true"), ("one_head", "household_id", "relation = 'head'"))
HISTORY = "(valid_until IS NOT NULL OR valid_from < (recorded_at AT TIME ZONE 'Asia/Shanghai')::date)"
#: Table → the column that names the subject of a mark, and whether the import must have made the subject itself.
DELETED = {
    "person": ("id", True),
    "household": ("id", True),
    "person_fact": ("person_id", False),
    "household_member": ("person_id", False),
    "entitlement": ("id", True),
    "entitlement_member": ("entitlement_id", True),
    "enrolment": ("entitlement_id", True),
    "entitlement_amount": ("entitlement_id", False),
}

#: Looked up by person or household: by the registry itself, and by Postgres for every row that undoing takes away.
INDEXES = {
    "ix_person_fact_person": ("person_fact", ["district", "person_id"]),
    "ix_household_member_person": ("household_member", ["district", "person_id"]),
    "ix_application_applicant": ("application", ["district", "applicant_person_id"]),
    "ix_application_household": ("application", ["district", "household_id"]),
    "ix_entitlement_household": ("entitlement", ["district", "household_id"]),
    "ix_entitlement_member_person": ("entitlement_member", ["district", "person_id"]),
}

# An identity's home goes with the person that the import made; identity tables have no area to be walled by.
GUARD_HOME = f"""
    CREATE FUNCTION refuse_removal_of_home() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT 1 FROM import_mark m JOIN person p ON p.district = m.district AND p.id = m.subject_id
            WHERE p.person_uid = OLD.person_uid AND m.created AND m.import_id = {UNDOING}
        ) THEN
            RAISE EXCEPTION 'home of an identity: removal refused' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN OLD;
    END $$
"""


def upgrade() -> None:
    for column, kind in ROLL.items():
        op.add_column("entitlement", sa.Column(column, kind(), nullable=True))
    op.add_column("import_mark", sa.Column("subject_version", sa.Integer(), nullable=True))
    op.drop_index("ix_import_mark_import", table_name="import_mark")
    op.drop_index("ix_import_mark_subject", table_name="import_mark")
    op.create_index("ix_import_mark_import", "import_mark", ["district", "import_id", "subject_id"])
    for name, subject, condition in STAYS:
        _keep_stays_apart(name, subject, condition, f"{condition} AND {HISTORY}" if name == "one_head" else HISTORY)
        op.execute(
            f"CREATE UNIQUE INDEX uq_household_member_{name} ON household_member (district, {subject})"
            f" WHERE {'' if condition == 'true' else condition + ' AND '}valid_until IS NULL"
        )
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)
    for table, (subject, made) in DELETED.items():
        _let_undoing_delete(table, subject, made=made)
    op.execute(GUARD_HOME)
    op.execute("CREATE TRIGGER home_stays BEFORE DELETE ON identity_home FOR EACH ROW EXECUTE FUNCTION refuse_removal_of_home()")
    ddl.grant(op, "identity_home", "DELETE")


def _keep_stays_apart(name: str, subject: str, condition: str, rows: str | None) -> None:
    constraint = f"ex_household_member_{name}"
    where = f" WHERE ({rows})" if rows else "" if condition == "true" else f" WHERE ({condition})"
    op.execute(f"ALTER TABLE household_member DROP CONSTRAINT {constraint}")
    op.execute(
        f"ALTER TABLE household_member ADD CONSTRAINT {constraint} EXCLUDE USING gist"
        f" (district WITH =, {subject} WITH =, daterange(valid_from, valid_until) WITH &&){where}"
    )


def _let_undoing_delete(table: str, subject: str, *, made: bool) -> None:
    op.execute(
        f"CREATE POLICY undoing_only ON {table} AS RESTRICTIVE FOR DELETE TO {ddl.API_ROLE} USING (EXISTS ("
        f"SELECT 1 FROM import_mark m WHERE m.district = {table}.district AND m.subject_id = {table}.{subject}"
        f" AND m.import_id = {UNDOING}{' AND m.created' if made else ''}))"
    )
    ddl.grant(op, table, "DELETE")


def downgrade() -> None:
    op.execute(f"REVOKE DELETE ON identity_home FROM {ddl.API_ROLE}")
    op.execute("DROP TRIGGER home_stays ON identity_home")
    op.execute("DROP FUNCTION refuse_removal_of_home")
    for table in DELETED:
        op.execute(f"REVOKE DELETE ON {table} FROM {ddl.API_ROLE}")
        op.execute(f"DROP POLICY undoing_only ON {table}")
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table_name=table)
    for name, subject, condition in STAYS:
        op.execute(f"DROP INDEX uq_household_member_{name}")
        _keep_stays_apart(name, subject, condition, None)
    op.drop_index("ix_import_mark_import", table_name="import_mark")
    op.create_index("ix_import_mark_import", "import_mark", ["district", "import_id"])
    op.create_index("ix_import_mark_subject", "import_mark", ["district", "subject_id"])
    op.drop_column("import_mark", "subject_version")
    for column in ROLL:
        op.drop_column("entitlement", column)
