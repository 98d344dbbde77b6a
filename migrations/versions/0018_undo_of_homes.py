"""Taking a large import of people back: whether a home may go is looked up by its person, not among all marks of the import.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

UNDOING = "nullif(current_setting('app.undoing', true), '')::uuid"
REFUSAL = "RAISE EXCEPTION 'home of an identity: removal refused' USING ERRCODE = 'insufficient_privilege';"

# Two look-ups by full keys: as one join, Postgres reads every mark of the import for every home while it has no statistics yet.
BY_PERSON = f"""
    CREATE OR REPLACE FUNCTION refuse_removal_of_home() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE made uuid;
    BEGIN
        SELECT id INTO made FROM person WHERE district = OLD.district AND person_uid = OLD.person_uid;
        IF made IS NULL OR NOT EXISTS (
            SELECT 1 FROM import_mark
            WHERE district = OLD.district AND import_id = {UNDOING} AND subject_id = made AND created
        ) THEN
            {REFUSAL}
        END IF;
        RETURN OLD;
    END $$
"""
BY_MARKS = f"""
    CREATE OR REPLACE FUNCTION refuse_removal_of_home() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT 1 FROM import_mark m JOIN person p ON p.district = m.district AND p.id = m.subject_id
            WHERE p.person_uid = OLD.person_uid AND m.created AND m.import_id = {UNDOING}
        ) THEN
            {REFUSAL}
        END IF;
        RETURN OLD;
    END $$
"""


def upgrade() -> None:
    op.execute(BY_PERSON)


def downgrade() -> None:
    op.execute(BY_MARKS)
