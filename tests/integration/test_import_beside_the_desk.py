"""An import and the desk at the same moment: whoever comes second waits, and sees what the first has written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.import_writers.number_lookup import find_people
from app.db.repositories.people import PeopleRepository
from app.db.session import transaction
from app.runtime import Runtime
from tests.integration.kind_kit import CLERK, DISTRICT, Bench, parsed
from tests.integration.registry_world import SignIn, registered
from tests.integration.test_import_people import number, person, row
from tests.world import World

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("world")]
PHONE = "13800138000"


@pytest.fixture
def people(runtime: Runtime, world: World) -> Bench:
    return Bench.of(runtime, "people")


@asynccontextmanager
async def written_but_not_committed(people: Bench, given: Mapping[str, Any]) -> AsyncIterator[None]:
    """What is begun inside waits for the row of the import, and is answered after its commit."""
    block, _ = parsed(people.kind, [given])
    run = await people.start()
    async with transaction(people.runtime.engine, CLERK) as session:
        await people.writer.write(CLERK, session, block, run)
        yield
        await asyncio.sleep(0.3)


async def test_an_edit_that_the_import_overtook_is_refused(people: Bench, sign_in: SignIn) -> None:
    clerk, given = sign_in("s001.clerk"), row(number(), 手机号=PHONE)
    await people.write(given)
    path = f"/api/v1/persons/{(await person(people, given['户编号'])).id}"
    etag = (await clerk.get(path)).headers["ETag"]
    async with written_but_not_committed(people, given | {"手机号": "13900139000"}):
        desk = asyncio.create_task(clerk.put(path, json={"phone": "13700137000"}, headers={"If-Match": etag}))
    assert (await desk).status_code == 412


async def test_of_two_spouses_one_is_refused(people: Bench, sign_in: SignIn) -> None:
    clerk, no = sign_in("s001.clerk"), number()
    await people.write(row(no))
    single = await registered(clerk)
    async with transaction(people.runtime.engine, DISTRICT) as session:
        query = text("SELECT id FROM household WHERE household_no = :no")
        household = (await session.execute(query, {"no": no})).scalar_one()
    members = f"/api/v1/households/{household}/members"
    since = (await clerk.get(f"/api/v1/households/{household}")).json()["members"][0]["since"]
    async with written_but_not_committed(people, row(no, "配偶")):
        body = {"person_id": single["id"], "relation": "spouse", "since": since}
        desk = asyncio.create_task(clerk.post(members, json=body))
    answer = await desk
    assert (answer.status_code, answer.json()["code"]) == (409, "head_has_two_spouses")


async def test_what_is_taken_back_is_held_from_looking_on(people: Bench) -> None:
    """A desk edit between looking and taking back was overwritten in silence."""
    given = row(number(), 手机号=PHONE)
    await people.write(given)
    _, run = await people.write(given | {"民族": "汉族"})
    record = await person(people, given["户编号"])
    edit = text("UPDATE person SET marital_status = 'married', version = version + 1 WHERE id = :id")
    async with transaction(people.runtime.engine, DISTRICT) as session:
        await people.writer.hold(DISTRICT, session, run.import_id)  # type: ignore[attr-defined]
        assert await people.writer.what_built_on(DISTRICT, session, run.import_id, run) == {}
        with pytest.raises(DBAPIError, match="lock timeout"):
            async with transaction(people.runtime.engine, DISTRICT) as desk:
                await desk.execute(text("SET LOCAL lock_timeout = '200ms'"))
                await desk.execute(edit, {"id": record.id})
        await people.writer.undo(DISTRICT, session, run.import_id, run)


async def test_the_desk_and_certificates_take_people_in_one_order(runtime: Runtime, world: World) -> None:
    """X was registered, taken back and registered again: his identity is older than Y's, his row younger."""
    people, certs = Bench.of(runtime, "people", DISTRICT), Bench.of(runtime, "disability_certificates", DISTRICT)
    x, y = row(number()), row(number())
    _, run = await people.write(x)
    await people.undo(run)
    await people.write(y)
    await people.write(x)
    rows = [
        {"姓名": o["姓名"], "身份证号": o["身份证号"], "残疾人证号": o["身份证号"] + "43", "发证日期": "2025-02-03"}
        for o in (x, y)
    ]
    async with transaction(runtime.engine, DISTRICT) as session:
        found = await find_people(DISTRICT, session, runtime.blind_index, [x["身份证号"], y["身份证号"]])
        px, py = found[x["身份证号"]], found[y["身份证号"]]
    assert (px["person_uid"] < py["person_uid"], px["id"] < py["id"]) == (True, False)
    held = text("SELECT id FROM person WHERE id = :id FOR UPDATE")

    async def desk() -> None:
        async with transaction(runtime.engine, DISTRICT) as mine:
            await PeopleRepository(mine, runtime.cipher).list_locked(DISTRICT, [px["id"], py["id"]])

    async with transaction(runtime.engine, DISTRICT) as holds_y:
        await holds_y.execute(held, {"id": py["id"]})
        async with transaction(runtime.engine, DISTRICT) as holds_x:
            await holds_x.execute(held, {"id": px["id"]})
            tasks: list[asyncio.Task[Any]] = [asyncio.create_task(desk())]
            await asyncio.sleep(0.5)
            tasks.append(asyncio.create_task(certs.write(*rows)))
            await asyncio.sleep(0.7)
        await asyncio.sleep(0.3)
    outcome = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one).__name__ + str(one)[:200] for one in outcome if isinstance(one, BaseException)] == []
