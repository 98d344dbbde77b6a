"""Several at once with real connections: imports of the same people, imports in two districts, imports against the counter."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.errors import Unavailable
from app.domain.imports.model import Applied
from app.jobs.import_running import hold_kind
from app.runtime import Runtime
from tests.integration.kind_kit import CLERK, Bench, counts, parsed
from tests.integration.registry_world import MEISHAN, QIANSHAN, SignIn, fresh_number
from tests.integration.test_import_people import number, row
from tests.world import World

pytestmark = [pytest.mark.db, pytest.mark.asyncio(loop_scope="session")]

QIANSHAN_SCOPE = AreaScope("340882", "340882")
TRIES = 10


async def write(runtime: Runtime, rows: list[dict[str, Any]], scope: AreaScope = CLERK) -> Applied:
    """As a worker does: a block again from the beginning when it was raced."""
    bench = Bench.of(runtime, "people", scope)
    block, verdicts = parsed(bench.kind, rows, scope)
    assert {fault.code for faults in verdicts.values() for fault in faults} <= {"area_unknown"}
    block.columns["area_code"] = [one["区划代码"] for one in rows]  # the areas of the kit are those of one district
    run = await bench.start()
    for _ in range(TRIES):
        try:
            async with transaction(runtime.engine, scope) as session:
                await hold_kind(session, scope, bench.kind, beside_others=True)
                return await bench.writer.write(scope, session, block, run)
        except Unavailable:
            await asyncio.sleep(0.02)
    raise AssertionError("raced for ever")


async def homes(runtime: Runtime, id_numbers: list[str]) -> int:
    """How many people are registered under these numbers, in all districts."""
    digests = [runtime.blind_index.current(1, one)[1] for one in id_numbers]  # type: ignore[arg-type]
    async with transaction(runtime.engine, CLERK) as session:
        query = "SELECT count(*) FROM identity_key k JOIN identity_home h USING (person_uid) WHERE k.bidx = ANY(:digests)"
        return int((await session.execute(text(query), {"digests": digests})).scalar_one())


async def test_two_imports_of_the_same_people(runtime: Runtime, world: World) -> None:
    rows = [row(number()) for _ in range(200)]
    first, second, third = await asyncio.gather(
        write(runtime, rows), write(runtime, rows[::-1]), write(runtime, rows[100:] + rows[:100])
    )
    assert sorted(map(counts, (first, second, third))) == [(0, 0, 200, 0), (0, 0, 200, 0), (200, 0, 0, 0)]
    assert await homes(runtime, [one["身份证号"] for one in rows]) == 200


async def test_two_districts_import_the_same_people(runtime: Runtime, world: World) -> None:
    here = [row(number()) for _ in range(150)]
    there = [row(number(), 身份证号=one["身份证号"], 区划代码=QIANSHAN) for one in reversed(here)]
    ours, theirs = await asyncio.gather(write(runtime, here), write(runtime, there, QIANSHAN_SCOPE))
    assert ours.created + theirs.created == 150
    refused = {fault.code for applied in (ours, theirs) for faults in applied.refused.values() for fault in faults}
    assert refused == {"person_already_registered"}
    assert await homes(runtime, [one["身份证号"] for one in here]) == 150


async def test_an_import_against_the_counter(runtime: Runtime, world: World, sign_in: SignIn) -> None:
    id_numbers = [fresh_number() for _ in range(24)]
    rows = [row(number(), 身份证号=one, 姓名="陈测试") for one in id_numbers]
    entry = {"name": "陈测试", "area_code": MEISHAN, "residence": "rural"}
    sent = [sign_in("s001.clerk").post("/api/v1/persons", json=entry | {"id_number": one}) for one in id_numbers[::-1]]
    applied, answers = await asyncio.gather(write(runtime, rows), asyncio.gather(*sent))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert not applied.refused
    assert applied.created + applied.updated == 24
    assert applied.created == sum(answer.status_code == 409 for answer in answers)
    assert await homes(runtime, id_numbers) == 24
