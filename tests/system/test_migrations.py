"""Migrations: one chain, equal to the tables, up and down on empty and on populated, and the protections that they leave behind.

What the database itself enforces (walls, grants, triggers, exclusions) is compared with `catalogue.json`, so that none is lost
unnoticed. After an intended change: ``UPDATE_CATALOGUE=1 pytest tests/system/test_migrations.py`` and read the difference.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from alembic.script import ScriptDirectory
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db import backup
from app.db.ddl import ROLES
from app.db.maintenance import create_partitions
from app.db.migrate import MIGRATIONS, alembic_config, check, downgrade, head_revision, upgrade
from tests.conftest import _create_database
from tests.system.conftest import Demo

CATALOGUE = Path(__file__).with_name("catalogue.json")


def chain() -> list[str]:
    """Revisions from base to head."""
    return [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()][::-1]


def test_there_is_one_head() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [head_revision()]


def test_files_are_named_after_their_revisions() -> None:
    files = sorted(path.name for path in (MIGRATIONS / "versions").glob("*.py"))
    assert [name.partition("_")[0] for name in files] == chain()
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.py", name) for name in files)


def test_every_revision_says_what_it_is_for() -> None:
    for script in ScriptDirectory.from_config(alembic_config()).walk_revisions():
        assert re.match(r"[A-Z].{10,}\.", script.doc), f"{script.revision}: {script.doc!r}"
        assert "def downgrade" in Path(script.path).read_text()


# -- in a database of their own ------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture(loop_scope="session")
async def empty(cluster: URL, worker_name: str) -> URL:
    await _create_database(cluster, f"migrations_{worker_name}")
    return cluster.set(database=f"migrations_{worker_name}")


@pytest_asyncio.fixture(loop_scope="session")
async def populated(cluster: URL, worker_name: str, demo: Demo, tmp_path: Path) -> AsyncIterator[URL]:
    """A copy of the demo."""
    name = f"populated_{worker_name}"
    await _create_database(cluster, name)
    backup.backup(demo.owner.url, tmp_path / "demo.dump")
    backup.restore(cluster.set(database=name), tmp_path / "demo.dump", replace=False)
    yield cluster.set(database=name)
    await rows(cluster, f"DROP DATABASE {name} WITH (FORCE)", autocommit=True)


async def rows(url: URL, statement: str, *, autocommit: bool = False) -> list[Any]:
    engine = create_async_engine(url, **({"isolation_level": "AUTOCOMMIT"} if autocommit else {}))
    try:
        async with engine.connect() as connection:
            result = await connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        await engine.dispose()


TABLES = (
    "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
    " AND relnamespace = 'public'::regnamespace ORDER BY 1"
)
LEFT_BEHIND = """
    SELECT 'type', typname::text FROM pg_type t WHERE typnamespace = 'public'::regnamespace
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e') AND typrelid = 0 AND typelem = 0
    UNION ALL
    SELECT 'function', proname::text FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'relation', relname::text FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'alembic_version%'
"""


async def counts(url: URL) -> dict[str, int]:
    names = [name for (name,) in await rows(url, TABLES)]
    return {name: (await rows(url, f'SELECT count(*) FROM "{name}"'))[0][0] for name in names}


@pytest.mark.db
@pytest.mark.xdist_group("demo")
async def test_up_down_and_up_on_an_empty_database(empty: URL) -> None:
    await upgrade(empty)
    await check(empty)
    first = await catalogue(empty)
    await downgrade(empty, "base")
    assert await rows(empty, LEFT_BEHIND) == []
    await upgrade(empty)
    await check(empty)
    assert await catalogue(empty) == first


@pytest.mark.db
@pytest.mark.xdist_group("demo")
@pytest.mark.parametrize("steps", [2, pytest.param(None, marks=pytest.mark.long)])
async def test_step_by_step_down_and_up_again_on_a_populated_database(populated: URL, steps: int | None) -> None:
    """Each step down loses what it brought and nothing else. Every time the last steps, all of them in the long tests."""
    before = await counts(populated)
    assert before["person"] > 100
    assert before["payment_item"] > 0
    expected = names_in(await catalogue(populated))
    for target in chain()[-2::-1][:steps]:
        await downgrade(populated, target)
        kept = await counts(populated)
        changed = {name: (before[name], count) for name, count in kept.items() if count != before[name]}
        assert changed.keys() <= {"alembic_version"}, f"down to {target}: {changed}"
        await upgrade(populated)
        await check(populated)
        assert names_in(await catalogue(populated)) == expected, f"down to {target} and up again"
        before = await counts(populated)
    await downgrade(populated, "base")
    assert await rows(populated, LEFT_BEHIND) == []


# -- what the database enforces by itself ----------------------------------------------------------------------------------------

OWN = "relnamespace = 'public'::regnamespace AND NOT relispartition AND relname NOT LIKE 'pgqueuer%'"
OUR_ROLES = ", ".join(f"'{role}'" for role in ROLES)
SECTIONS = {
    "row_security": f"SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relkind IN ('r', 'p') AND {OWN}",
    "policies": "SELECT tablename, policyname, permissive, array_to_string(roles, ','), cmd, qual, with_check FROM pg_policies",
    "triggers": "SELECT relname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid"
    f" WHERE NOT tgisinternal AND {OWN}",
    "functions": "SELECT proname, md5(prosrc) FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND proname !~ 'queuer'"
    " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')",
    "constraints": "SELECT relname, conname, pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid"
    f" WHERE contype IN ('x', 'c', 'u', 'p', 'f') AND conparentid = 0 AND {OWN}",
    "unique_indexes": "SELECT relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
    f" WHERE indisunique AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid) AND {OWN}",
    "table_grants": "SELECT grantee, table_name, string_agg(privilege_type, ', ' ORDER BY privilege_type)"
    f" FROM information_schema.role_table_grants WHERE grantee IN ({OUR_ROLES}, 'PUBLIC') AND table_schema = 'public'"
    " GROUP BY 1, 2",
    "column_grants": "SELECT grantee, p.table_name, privilege_type, string_agg(column_name, ', ' ORDER BY column_name)"
    f" FROM information_schema.column_privileges p WHERE grantee IN ({OUR_ROLES}, 'PUBLIC') AND table_schema = 'public'"
    " AND NOT EXISTS (SELECT FROM information_schema.role_table_grants t WHERE t.grantee = p.grantee"
    " AND t.table_name = p.table_name AND t.privilege_type = p.privilege_type) GROUP BY 1, 2, 3",
    "roles": "SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolbypassrls FROM pg_roles"
    f" WHERE rolname IN ({OUR_ROLES})",
}


async def catalogue(url: URL) -> dict[str, list[str]]:
    """Section → sorted lines."""
    found = {name: await rows(url, statement) for name, statement in SECTIONS.items()}
    return {name: sorted(" | ".join(map(str, row)) for row in lines) for name, lines in found.items()}


def names_in(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Without the expressions: Postgres words them differently once they have been through a dump."""
    return {section: sorted(" | ".join(line.split(" | ")[:2]) for line in lines) for section, lines in found.items()}


@pytest.mark.db
@pytest.mark.xdist_group("demo")
async def test_the_protections_are_those_that_were_agreed_on(empty: URL) -> None:
    await upgrade(empty)
    found = await catalogue(empty)
    if os.environ.get("UPDATE_CATALOGUE"):
        CATALOGUE.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    agreed = json.loads(CATALOGUE.read_text("utf-8"))
    for section in SECTIONS:
        lost, new = set(agreed[section]) - set(found[section]), set(found[section]) - set(agreed[section])
        assert (lost, new) == (set(), set()), f"{section}: see the docstring of this file"


@pytest.mark.db
@pytest.mark.xdist_group("demo")
async def test_every_partition_is_as_protected_as_its_parent(empty: URL) -> None:
    """Also those that maintenance makes later. Reached through the parent only: no grants, row security without a policy."""
    await upgrade(empty)
    await create_partitions(empty)
    partitions = await rows(
        empty,
        "SELECT c.relname::text, p.relname::text, c.relrowsecurity AND c.relforcerowsecurity, c.relacl::text,"
        " array(SELECT tgname::text FROM pg_trigger WHERE tgrelid = p.oid AND NOT tgisinternal ORDER BY 1),"
        " array(SELECT tgname::text FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal ORDER BY 1)"
        " FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid JOIN pg_class p ON p.oid = i.inhparent WHERE c.relkind = 'r'",
    )
    assert len(partitions) > 10
    for name, parent, walled, grants, of_parent, own in partitions:
        assert walled, name
        assert grants is None, name
        assert own == of_parent, f"{name} lacks triggers of {parent}"
