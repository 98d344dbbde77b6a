"""Workers killed in the middle of imports: every row takes effect once, and the import ends."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import URL, text

from app.db.session import transaction
from app.domain.identity import checksum_character
from app.main import create_app
from app.runtime import Runtime
from tests.conftest import build_database, running
from tests.integration.import_world import DISTRICT, PEOPLE_HEADERS, csv_of, marks, people, shown, started, things
from tests.world import seed_world

pytestmark = pytest.mark.db
ROOT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 1
Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(
    cluster: URL, worker_name: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Runtime, httpx.AsyncClient]]:
    """A database of its own, and a clerk's client for it."""
    folder = tmp_path_factory.mktemp("import-kill")
    settings = await build_database(cluster, f"import_kill_{worker_name}", folder, job_lease_seconds=LEASE_SECONDS)
    async with running(settings) as runtime:
        account = (await seed_world(runtime)).accounts["district.reviewer"]
        token = runtime.tokens.issue_access_token(
            subject=account.id, level=account.level, area=account.area, duties=account.duties
        )
        transport = httpx.ASGITransport(app=create_app(runtime=runtime), raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            yield runtime, client


@pytest.fixture
def start(place: tuple[Runtime, httpx.AsyncClient]) -> Iterator[Start]:
    settings, opened = place[0].settings, []
    assert settings.database_url is not None
    environment = os.environ | {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "DATA_DIR": str(settings.data_dir),
        "DEMO": "true",
        "JOB_LEASE_SECONDS": str(LEASE_SECONDS),
        "LOG_LEVEL": "ERROR",
    }

    def open_worker() -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-m", "tests.integration.import_worker"], cwd=ROOT, env=environment)
        opened.append(process)
        return process

    yield open_worker
    for process in opened:
        process.kill()
        process.wait()


async def ended(client: httpx.AsyncClient, import_id: UUID, seconds: float) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while (run := await shown(client, import_id))["status"] in ("queued", "running"):
        assert time.monotonic() < deadline, (run["phase"], run["progress"], run["rows_total"])
        await asyncio.sleep(0.1)
    return run


async def moved_on(client: httpx.AsyncClient, import_id: UUID, seconds: float = 300) -> None:
    """Until the worker has done something that can be seen, or has come to the end."""
    first, deadline = await shown(client, import_id), time.monotonic() + seconds
    while (run := await shown(client, import_id)) == first and run["status"] in ("queued", "running"):
        assert time.monotonic() < deadline, (run["phase"], run["progress"], run["rows_total"])
        await asyncio.sleep(0.05)


async def killed_and_ended(
    client: httpx.AsyncClient,
    start: Start,
    import_id: UUID,
    kills: int,
    record: Callable[[str, object], None],
    *,
    seconds: float = 1.0,
) -> dict[str, Any]:
    """Kills so many workers, each up to ``seconds`` after it has begun to do something, then lets one finish."""
    seed = random.randrange(1 << 32)
    record("seed", seed)
    chance = random.Random(seed)
    for _ in range(kills):
        worker = start()
        await moved_on(client, import_id)
        await asyncio.sleep(chance.random() * seconds)
        worker.kill()
        worker.wait()
    start()
    return await ended(client, import_id, 900)


async def test_killed_workers_lose_and_repeat_no_row(
    place: tuple[Runtime, httpx.AsyncClient], start: Start, record_property: Callable[[str, object], None]
) -> None:
    (runtime, client), rows = place, 15_000
    import_id = await started(client, csv_of(things(rows)))
    run = await killed_and_ended(client, start, import_id, 2, record_property)
    assert (run["status"], run["rows_total"], run["rows_ok"], run["rows_created"]) == ("succeeded", rows, rows, rows)
    assert len(await marks(runtime, import_id)) == rows
    async with transaction(runtime.engine, DISTRICT) as session:
        applied = text("SELECT count(*), sum(rows), bool_and(done) FROM import_part WHERE import_id = :i")
        assert tuple((await session.execute(applied, {"i": import_id})).one()) == (4, rows, True)


def numbers(count: int) -> Iterator[str]:
    """Valid ID numbers, ten to a birthday; of three that follow one another each is born a day later."""
    for n in range(count):
        digits = f"350702{date(1950, 1, 1) + timedelta(days=n % 20_001):%Y%m%d}{n // 20_001:03d}"
        yield digits + checksum_character(digits)


@pytest.mark.parametrize(
    ("count", "kills", "seconds"), [(6_000, 1, 1.0), pytest.param(200_000, 20, 20.0, marks=pytest.mark.long)]
)
async def test_killed_workers_register_everybody_once(
    place: tuple[Runtime, httpx.AsyncClient],
    start: Start,
    count: int,
    kills: int,
    seconds: float,
    record_property: Callable[[str, object], None],
) -> None:
    """The longer waits let kills fall into the writing as well, which goes on from where it was."""
    runtime, client = place
    file = csv_of(people(numbers(count), f"K{count}-"), PEOPLE_HEADERS)
    import_id = await started(client, file, kind="people")
    run = await killed_and_ended(client, start, import_id, kills, record_property, seconds=seconds)
    assert (run["status"], run["rows_total"], run["rows_ok"]) == ("succeeded", count, count), run
    counted = text(
        "SELECT count(*), count(DISTINCT m.person_id), count(DISTINCT h.id) FROM household h"
        " JOIN household_member m ON m.district = h.district AND m.household_id = h.id WHERE h.household_no LIKE :p"
    )
    async with transaction(runtime.engine, DISTRICT) as session:
        found = (await session.execute(counted, {"p": f"K{count}-%"})).one()
    assert tuple(found) == (count, count, -(-count // 3))
    again = await started(client, file, kind="people")
    start()
    run = await ended(client, again, 900)
    assert (run["rows_unchanged"], run["rows_created"], run["rows_updated"]) == (count, 0, 0)
