"""DDL that autogenerate doesn't know: roles, walls (row-level security), grants, append-only triggers, partitions.

Migrations call these, so that every table of a kind is protected in the same way, in one go.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol


class Operations(Protocol):
    """What of ``alembic.op`` is used here."""

    def execute(self, sqltext: str, /) -> None: ...


API_ROLE = "minzheng_api"
STATUS_ROLE = "minzheng_status"
SEAL_ROLE = "minzheng_seal"
ROLES = (API_ROLE, STATUS_ROLE, SEAL_ROLE)

# After one committed set_config(…, true) the setting is '' and not NULL: nullif() makes both fail closed.
# A range instead of LIKE keeps the index; '~' sorts behind every digit in "C".
IN_SCOPE = (
    "district = nullif(current_setting('app.district', true), '')"
    " AND area_code >= nullif(current_setting('app.scope', true), '')"
    " AND area_code < nullif(current_setting('app.scope', true), '') || '~'"
)


def create_roles(op: Operations) -> None:
    """Group roles that hold the grants; the login roles are made members by ``minzheng db upgrade``."""
    for role in ROLES:
        op.execute(
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
        op.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
    op.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")


def grant(op: Operations, table: str, privileges: str, role: str = API_ROLE) -> None:
    op.execute(f"GRANT {privileges} ON {table} TO {role}")


def wall(op: Operations, table: str, privileges: str = "SELECT, INSERT, UPDATE", *, condition: str = IN_SCOPE) -> None:
    """Row-level security by area, forced on the owner too, and the application's grants."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY area_wall ON {table} TO {API_ROLE} USING ({condition}) WITH CHECK ({condition})")
    grant(op, table, privileges)


def open_to(op: Operations, table: str, role: str, privileges: str) -> None:
    """Lets another role of ours see every row of a walled table (status queries, sealing)."""
    op.execute(f"CREATE POLICY open_to_{role} ON {table} TO {role} USING (true) WITH CHECK (true)")
    grant(op, table, privileges, role)


def create_append_only_guard(op: Operations) -> None:
    """The function behind ``append_only``: privileges are the first wall, this is the second."""
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'table % is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )


def append_only(op: Operations, table: str) -> None:
    """Refuses UPDATE, DELETE and TRUNCATE. On a partitioned table call ``guard_truncate`` for every partition too."""
    op.execute(f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    op.execute(guard_truncate(table))


def guard_truncate(table: str) -> str:
    """A child's TRUNCATE bypasses its parent's trigger, so each partition gets its own."""
    return f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"


def months_between(first: date, until: date) -> Iterable[tuple[date, date]]:
    """Half-open months [first day, next first day) from ``first`` up to, not including, ``until``."""
    month = first.replace(day=1)
    while month < until:
        following = (month.replace(day=28) + _FOUR_DAYS).replace(day=1)
        yield month, following
        month = following


_FOUR_DAYS = date(2000, 1, 5) - date(2000, 1, 1)


def partition_statements(table: str, first: date, until: date, *, guarded: bool) -> list[str]:
    """Statements that create the missing monthly partitions of ``table``; idempotent.

    A new partition has no grants of its own: rows are reached through the parent only.
    """
    statements = []
    for month, following in months_between(first, until):
        name = f"{table}_{month:%Y%m}"
        create = f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{month}') TO ('{following}')"
        after = f" EXECUTE $q${guard_truncate(name)}$q$;" if guarded else ""
        statements.append(
            f"DO $$ BEGIN IF to_regclass('{name}') IS NULL THEN {create};"
            f" ALTER TABLE {name} ENABLE ROW LEVEL SECURITY; ALTER TABLE {name} FORCE ROW LEVEL SECURITY;{after} END IF; END $$"
        )
    return statements
