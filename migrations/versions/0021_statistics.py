"""Whoever made tables grow can have the planner's statistics of them renewed.

Safe by default: statements wait at most 4 s for a lock (env.py); add columns nullable or with a constant default,
build indexes on big tables CONCURRENTLY in a revision of their own, and change big data in steps, not here.
"""

from __future__ import annotations

from alembic import op

from app.db.ddl import API_ROLE

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# Only an owner may ANALYZE (Postgres 17 could grant it, 15 can't), so this one function runs as its owner. It takes a
# factor, gives a number, and reads rows only as ANALYZE does. No pages: nothing is known of it.
FUNCTION = """
    CREATE FUNCTION renew_grown_statistics(growth real) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        grown regclass;
        renewed integer := 0;
    BEGIN
        FOR grown IN
            SELECT oid FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relowner = current_user::regrole
                AND pg_relation_size(oid) / current_setting('block_size')::int
                    > CASE relpages WHEN 0 THEN 1 ELSE relpages * growth END
            ORDER BY oid
        LOOP
            EXECUTE format('ANALYZE (SKIP_LOCKED) %s', grown);
            renewed := renewed + 1;
        END LOOP;
        RETURN renewed;
    END $$
"""


def upgrade() -> None:
    op.execute(FUNCTION)
    op.execute("REVOKE ALL ON FUNCTION renew_grown_statistics(real) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION renew_grown_statistics(real) TO {API_ROLE}")


def downgrade() -> None:
    op.execute("DROP FUNCTION renew_grown_statistics(real)")
