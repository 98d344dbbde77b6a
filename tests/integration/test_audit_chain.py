"""The seal chain: complete when left alone, and it names the first record that somebody touched."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app import sealing
from app.db.engine import application_url
from app.db.repositories.audit import AuditEntry, write_audit
from app.db.repositories.audit_chain import linked_records
from app.db.session import transaction
from app.runtime import Runtime
from app.sealing import Finding, head_path, read_head, seal_forever, seal_once, verify, write_head
from app.settings import Settings
from tests.conftest import build_database, running

pytestmark = pytest.mark.db
DISABLE = "ALTER TABLE audit_record DISABLE TRIGGER ALL; ALTER TABLE audit_link DISABLE TRIGGER ALL"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def empty(cluster: URL, worker_name: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The database that each test's own is copied from."""
    return await build_database(cluster, f"audit_{worker_name}", tmp_path_factory.mktemp("audit"))


@pytest_asyncio.fixture(loop_scope="session")
async def trail(cluster: URL, empty: Settings, worker_name: str, tmp_path: Path) -> AsyncIterator[tuple[Runtime, AsyncEngine]]:
    """A database of its own with ten sealed records, and a connection of the owner (whom no trigger stops)."""
    template, name = f"audit_{worker_name}", f"audit_copy_{worker_name}"
    admin = create_async_engine(cluster, isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        await connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    await admin.dispose()
    url = application_url(empty).set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    owner = create_async_engine(cluster.set(database=name))
    async with running(empty.model_copy(update={"database_url": SecretStr(url), "data_dir": tmp_path})) as runtime:
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


async def test_two_sealers_and_a_verification_do_not_disturb_each_other(trail: tuple[Runtime, AsyncEngine]) -> None:
    """What is written, sealed and verified all at once is one chain, and no snapshot of it looks broken."""
    runtime, _ = trail
    stop = asyncio.Event()

    async def writing() -> None:
        for _ in range(40):
            await write(runtime, 7)
        stop.set()

    async def sealing() -> None:
        while not stop.is_set():
            await seal_once(runtime)

    async def verifying() -> list[Finding | None]:
        found = []
        while not stop.is_set():
            found.append((await verify(runtime)).finding)
        return found

    *_, findings = await asyncio.gather(writing(), sealing(), sealing(), verifying())
    assert findings
    assert set(findings) == {None}
    while await seal_once(runtime):
        pass
    outcome = await verify(runtime)
    assert (outcome.links, outcome.finding) == (10 + 40 * 7, None)


async def test_the_walk_goes_on_over_the_end_of_a_batch(trail: tuple[Runtime, AsyncEngine]) -> None:
    runtime, _ = trail
    async with transaction(runtime.seal_engine) as session:
        walked = [link.position async for link in linked_records(session, batch=3)]
    assert walked == list(range(1, 11))


async def test_the_head_never_goes_back(trail: tuple[Runtime, AsyncEngine], tmp_path: Path) -> None:
    """Of two sealers the one that committed first may write its head second."""
    path = tmp_path / "heads" / "audit-head.json"
    write_head(path, 20, b"b" * 32)
    write_head(path, 10, b"a" * 32)
    assert read_head(path) == (20, b"b" * 32)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"position": 1}', '{"position": "x", "digest": "00"}'])
async def test_a_damaged_head_is_said_and_mended_by_the_next(trail: tuple[Runtime, AsyncEngine], content: str) -> None:
    runtime, _ = trail
    head_path(runtime).write_text(content)
    finding = (await verify(runtime)).finding
    assert finding is not None
    assert finding.code == "head_unreadable"
    await write(runtime, 1)
    await seal_once(runtime)
    assert (await verify(runtime)).finding is None


async def test_a_rewritten_chain_differs_from_the_exported_head(trail: tuple[Runtime, AsyncEngine]) -> None:
    runtime, _ = trail
    write_head(head_path(runtime), 11, b"x" * 32)
    finding = (await verify(runtime)).finding
    assert finding is not None
    assert finding.code == "chain_cut"
    await write(runtime, 1)
    await seal_once(runtime)
    finding = (await verify(runtime)).finding
    assert finding is not None
    assert finding.code == "chain_rewritten"


@pytest.mark.parametrize("position", [0, -5, 4_000_000_000])
async def test_a_link_put_anywhere_is_found(trail: tuple[Runtime, AsyncEngine], position: int) -> None:
    runtime, owner = trail
    await tamper(
        owner,
        "INSERT INTO audit_link (position, audit_id, record_digest, digest, sealed_at)"
        f" VALUES ({position}, '01900000-0000-7000-8000-000000000009', '', '', now())",
    )
    finding = (await verify(runtime)).finding
    assert finding is not None


async def test_a_record_that_cannot_be_sealed_stops_nobody(
    trail: tuple[Runtime, AsyncEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, _ = trail
    calls = 0

    async def broken(_runtime: Runtime) -> int:
        nonlocal calls
        calls += 1
        raise TypeError("a value without a canonical form")

    monkeypatch.setattr(sealing, "seal_once", broken)
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.2, stop.set)
    await seal_forever(replace(runtime, settings=runtime.settings.model_copy(update={"seal_interval_seconds": 0.01})), stop)
    assert calls > 1


@pytest.mark.long
async def test_a_million_records_are_verified_in_flat_memory(trail: tuple[Runtime, AsyncEngine]) -> None:
    runtime, owner = trail
    many = """
        WITH made AS (
            INSERT INTO audit_record (id, at, actor_name, action, subject_kind, fields, outcome)
            SELECT gen_random_uuid(), now(), 'tester', 'person.register', 'person', '{name}', 'done'
            FROM generate_series(1, 1000000) RETURNING id)
        INSERT INTO audit_unsealed SELECT id, now() FROM made
    """
    async with owner.begin() as connection:
        await connection.execute(text(many))
    while await seal_once(runtime):
        pass
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = await verify(runtime)
    assert (outcome.links, outcome.finding) == (1_000_010, None)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10
