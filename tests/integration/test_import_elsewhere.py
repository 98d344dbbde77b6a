"""A file must not become a way to ask who is registered elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.imports.elsewhere import MOST
from app.runtime import Runtime
from tests.integration.import_world import IMPORTS, csv_of, imported, send
from tests.integration.kind_kit import Bench, counts
from tests.integration.registry_world import HUANGDUN, fresh_number
from tests.integration.test_import_people import number, row
from tests.world import World

pytestmark = pytest.mark.db
SignIn = Callable[[str], httpx.AsyncClient]
COMMUNITY = 12
MOST_OF_A_COMMUNITY = MOST[COMMUNITY]


async def neighbours(runtime: Runtime, count: int) -> list[str]:
    """The numbers of people registered in another sub-district."""
    rows = [row(number(), 区划代码=HUANGDUN, 身份证号=fresh_number()) for _ in range(count)]
    applied, _ = await Bench.of(runtime, "people", AreaScope("350702", "350702002")).write(*rows)
    assert counts(applied)[0] == count
    return [one["身份证号"] for one in rows]


async def sent(runtime: Runtime, client: httpx.AsyncClient, numbers: Sequence[str], **fields: str) -> dict[str, Any]:
    """An import of these people as residents of the sender's community, each a household, behind somebody of his own."""
    rows = [row(number(), 身份证号=one) for one in (fresh_number(), *numbers)]
    return await imported(runtime, client, csv_of([list(one.values()) for one in rows], list(rows[0])), kind="people", **fields)


@pytest.fixture
async def worker(runtime: Runtime, world: World, sign_in: SignIn) -> AsyncIterator[httpx.AsyncClient]:
    yield sign_in("c001001.worker")
    async with transaction(runtime.engine) as session:
        await session.execute(text("DELETE FROM found_elsewhere"))


async def test_so_many_are_told_in_a_day_and_no_more(runtime: Runtime, worker: httpx.AsyncClient) -> None:
    there = await neighbours(runtime, MOST_OF_A_COMMUNITY + 1)
    told = await sent(runtime, worker, there[1:], dry_run="true")
    assert (told["status"], told["rows_rejected"]) == ("completed_with_errors", MOST_OF_A_COMMUNITY)
    again = await sent(runtime, worker, there[1:])
    assert (again["rows_created"], again["rows_rejected"]) == (1, MOST_OF_A_COMMUNITY), "the same people count once"
    stopped = await sent(runtime, worker, there[:1], dry_run="true")
    assert (stopped["status"], stopped["problem"]["code"]) == ("failed", "import_too_many_elsewhere")
    assert (await worker.get(f"{IMPORTS}/{stopped['id']}/errors")).json()["items"] == []


async def test_after_a_stop_nothing_more_can_be_asked(runtime: Runtime, worker: httpx.AsyncClient) -> None:
    """Stopped or not would be the answer about one number at a time."""
    there = await neighbours(runtime, MOST_OF_A_COMMUNITY + 1)
    stopped = await sent(runtime, worker, there, dry_run="true")
    assert (stopped["status"], stopped["rows_created"]) == ("failed", 0)
    answer = await send(worker, b"x", kind="people", dry_run="true")
    assert (answer.status_code, answer.json()["code"]) == (429, "import_too_many_elsewhere")
    assert int(answer.headers["Retry-After"]) > 3600
