"""The seal chain: complete when left alone, and it names the first record that somebody touched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.repositories.audit import AuditEntry, write_audit
from app.db.session import transaction
from app.runtime import Runtime
from app.sealing import head_path, seal_once, verify
from tests.conftest import build_database, running

pytestmark = pytest.mark.db
DISABLE = "ALTER TABLE audit_record DISABLE TRIGGER ALL; ALTER TABLE audit_link DISABLE TRIGGER ALL"


@pytest_asyncio.fixture(loop_scope="session")
async def trail(cluster: URL, worker_name: str, tmp_path: Path) -> AsyncIterator[tuple[Runtime, AsyncEngine]]:
    """A database of its own with ten sealed records, and a connection of the owner (whom no trigger stops)."""
    settings = await build_database(cluster, f"audit_{worker_name}", tmp_path)
    owner = create_async_engine(cluster.set(database=f"audit_{worker_name}"))
    async with running(settings) as runtime:
        await write(runtime, 10)
        assert await seal_once(runtime) == 10
        yield runtime, owner
    await owner.dispose()


async def write(runtime: Runtime, count: int) -> None:
    entries = [AuditEntry("person.register", "person", f"p{n}", "350702001001", ["name"]) for n in range(count)]
    async with transaction(runtime.engine) as session:
        await write_audit(session, entries, None, actor_name="tester", district="350702")


async def tamper(owner: AsyncEngine, statement: str) -> None:
    async with owner.begin() as connection:
        for part in (*DISABLE.split(";"), *statement.split(";")):
            await connection.execute(text(part))


async def test_an_untouched_trail_verifies_and_grows(trail: tuple[Runtime, AsyncEngine]) -> None:
    runtime, _ = trail
    assert (await verify(runtime)).finding is None
    await write(runtime, 5)
    assert (await verify(runtime)).finding is None, "waiting for its link is no fault"
    assert await seal_once(runtime) == 5
    assert (await verify(runtime)).links == 15


TAMPERINGS = {
    "record_changed": "UPDATE audit_record SET reason = 'x' WHERE id = (SELECT audit_id FROM audit_link WHERE position = 4)",
    "record_removed": "DELETE FROM audit_record WHERE id = (SELECT audit_id FROM audit_link WHERE position = 4)",
    "link_removed": "DELETE FROM audit_link WHERE position = 4",
    "chain_cut": "DELETE FROM audit_record WHERE id = (SELECT audit_id FROM audit_link WHERE position = 10);"
    "DELETE FROM audit_link WHERE position = 10",
    "never_queued": "INSERT INTO audit_record (id, at, actor_name, action, subject_kind, fields, outcome)"
    " VALUES ('01900000-0000-7000-8000-000000000001', now(), 'nobody', 'x', 'y', '{}', 'done')",
    "queued_too_long": "INSERT INTO audit_unsealed VALUES ('01900000-0000-7000-8000-000000000002', now() - interval '6 minutes')",
}


@pytest.mark.parametrize("finding", TAMPERINGS)
async def test_tampering_is_found_and_named(trail: tuple[Runtime, AsyncEngine], finding: str) -> None:
    runtime, owner = trail
    await tamper(owner, TAMPERINGS[finding])
    outcome = await verify(runtime)
    assert outcome.finding is not None
    assert outcome.finding.code == finding
    assert finding == "chain_cut" or outcome.finding.record


async def test_two_records_exchanged_are_found(trail: tuple[Runtime, AsyncEngine]) -> None:
    runtime, owner = trail
    await tamper(
        owner,
        "UPDATE audit_link SET position = -1 WHERE position = 3; UPDATE audit_link SET position = 3 WHERE position = 5;"
        "UPDATE audit_link SET position = 5 WHERE position = -1",
    )
    outcome = await verify(runtime)
    assert outcome.finding is not None
    assert outcome.finding.code == "record_changed"


async def test_a_chain_made_anew_without_the_key_is_found(trail: tuple[Runtime, AsyncEngine]) -> None:
    runtime, owner = trail
    await tamper(owner, "UPDATE audit_link SET digest = sha256(digest), record_digest = sha256(record_digest)")
    finding = (await verify(runtime)).finding
    assert finding is not None
    assert finding.code == "record_changed"


async def test_the_head_is_exported(trail: tuple[Runtime, AsyncEngine]) -> None:
    runtime, _ = trail
    assert '"position": 10' in head_path(runtime).read_text()


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_record SET reason = 'x'", "DELETE FROM audit_record", "TRUNCATE audit_record"]
)
async def test_the_application_can_only_add(trail: tuple[Runtime, AsyncEngine], statement: str) -> None:
    runtime, owner = trail
    with pytest.raises(DBAPIError, match="permission denied"):
        async with transaction(runtime.engine) as session:
            await session.execute(text(statement))
    with pytest.raises(DBAPIError, match="append-only"):
        async with owner.begin() as connection:
            await connection.execute(text(statement))
