"""Certificates and the lists of people around them, in every order in which they come and go."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from app.db.import_writers import marks
from app.db.import_writers.marks import Before
from app.db.import_writers.number_lookup import find_people
from app.db.session import transaction
from app.ids import new_id
from app.runtime import Runtime
from tests.integration.kind_kit import DISTRICT, Bench
from tests.integration.registry_world import MEISHAN, SignIn
from tests.integration.test_import_kinds import LISTED, certificate, shown, stated
from tests.integration.test_import_people import number, row

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("world")]


async def listed(runtime: Runtime, row_: Any, **more: str) -> Any:
    given = row(number(), 姓名=row_["姓名"], 身份证号=row_["身份证号"]) | LISTED | more
    return await Bench.of(runtime, "people", DISTRICT).write(given)


async def test_a_later_regrading_after_a_completed_list_is_not_hidden(runtime: Runtime, sign_in: SignIn) -> None:
    """List of today says grade 3; 2020 certificate of grade 3 completes it; then the 2025 certificate of grade 2 comes."""
    clerk = sign_in("s001.clerk")
    bench, new = Bench.of(runtime, "disability_certificates", DISTRICT), await certificate(clerk)
    old = new | {"发证日期": "2020-02-03"}
    new = new | {"残疾人证号": str(new["身份证号"]) + "42", "发证日期": "2025-02-03"}
    await listed(runtime, new)
    await bench.write(old)
    applied, _ = await bench.write(new)
    told = [fault.code for faults in applied.refused.values() for fault in faults]
    assert told == ["later_record_differs"] or await shown(clerk, new) == ("physical", 2)


async def test_a_renewed_certificate_after_a_completed_list_gets_its_number_in(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    bench, old = Bench.of(runtime, "disability_certificates", DISTRICT), await certificate(clerk)
    old = old | {"发证日期": "2020-02-03"}
    renewed = old | {"残疾人证号": str(old["残疾人证号"]) + "B1", "发证日期": "2025-02-03"}
    await listed(runtime, old)
    await bench.write(old)
    await bench.write(renewed)
    facts = await stated(runtime, old)
    assert facts[-1][1]["certificate_no_masked"].endswith("B1")


@pytest.mark.parametrize(("first", "left"), [({}, []), (LISTED | {"残疾等级": "二级"}, [2])])
async def test_undo_of_a_certificate_and_then_of_the_list(
    runtime: Runtime, sign_in: SignIn, first: dict[str, str], left: list[int]
) -> None:
    """A list that stated the disability, or corrected what another had said of the same day."""
    people, certs = Bench.of(runtime, "people", DISTRICT), Bench.of(runtime, "disability_certificates", DISTRICT)
    plain = row(number())
    cert = {name: plain[name] for name in ("姓名", "身份证号")}
    cert |= {"残疾人证号": plain["身份证号"] + "43", "发证日期": "2025-02-03"}
    await people.write(plain | first)
    _, second = await people.write(plain | LISTED)
    _, third = await certs.write(cert)
    await certs.undo(third)
    assert await people.built_on(second) == {}
    await people.undo(second)
    assert [value["grade"] for _, value in await stated(runtime, cert)] == left


async def test_the_advice_of_a_contradicted_certificate_works(runtime: Runtime, sign_in: SignIn) -> None:
    """「以此证为准的先更正人员登记再导入」: corrected at the desk as the form comes, without a day."""
    clerk = sign_in("s001.clerk")
    bench, cert = Bench.of(runtime, "disability_certificates", DISTRICT), await certificate(clerk)
    await listed(runtime, cert, 残疾等级="一级")
    found = (await clerk.post("/api/v1/persons/search", json={"id_number": cert["身份证号"]})).json()["items"][0]
    change = {"disability": {"category": "physical", "grade": 3}}
    etag = (await clerk.get(f"/api/v1/persons/{found['id']}")).headers["ETag"]
    answer = await clerk.put(f"/api/v1/persons/{found['id']}", json=change, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.text
    assert await shown(clerk, cert) == ("physical", 3)
    applied, _ = await bench.write(cert)
    assert {n: [f.code for f in faults] for n, faults in applied.refused.items()} == {}


async def test_edits_are_counted_by_people(runtime: Runtime, sign_in: SignIn) -> None:
    """One person, one edit of the day of issue, one of the list's day: how many later edits is the clerk told?"""
    bench, cert = Bench.of(runtime, "disability_certificates", DISTRICT), await certificate(sign_in("s001.clerk"))
    await listed(runtime, cert)
    _, run = await bench.write(cert)
    async with transaction(runtime.engine, DISTRICT) as session:
        found = await find_people(DISTRICT, session, runtime.blind_index, [str(cert["身份证号"])])
        gone = text("UPDATE person_fact SET superseded_at = now() WHERE person_id = :id AND kind = 'disability'")
        await session.execute(gone, {"id": found[str(cert["身份证号"])]["id"]})
    assert await bench.built_on(run) == {"later_edits": 1}


async def test_a_large_list_of_certificates_can_be_undone(runtime: Runtime, sign_in: SignIn) -> None:
    """17,000 people, each with the day of issue and one later day: 34,000 facts."""
    bench, cert = Bench.of(runtime, "disability_certificates", DISTRICT), await certificate(sign_in("s001.clerk"))
    _, run = await bench.write(cert)
    image = {"fact_ids": [str(new_id()) for _ in range(2)], "person_uid": str(new_id()), "replaced": []}
    async with transaction(runtime.engine, DISTRICT) as session:
        befores = [
            Before(new_id().bytes, new_id(), MEISHAN, image | {"written": [str(new_id()), str(new_id())]}, None)
            for _ in range(17_000)
        ]
        await marks.keep_before(DISTRICT, session, run, befores)
    await bench.built_on(run)
