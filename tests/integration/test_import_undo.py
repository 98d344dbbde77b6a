"""Taking imports back: whatever refers to what an import made stands in the way by name, or goes along; nothing ends in a 500."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

import app.db.import_writers.everything  # noqa: F401  (registers the writers)
from app.db.import_writers import writer_of
from app.db.import_writers.people_undo import BLOCKERS, REMOVALS
from app.db.import_writers.table import TableWriter
from app.db.session import transaction
from app.domain.imports.codes import BLOCKERS as BLOCKER_NAMES
from app.domain.imports.registry import KINDS
from app.ids import new_id
from app.runtime import Runtime
from tests.integration.import_world import HOME, IMPORTS, PEOPLE_HEADERS, csv_of, imported, work
from tests.integration.import_world import people as people_rows
from tests.integration.import_world import shown as shown_import
from tests.integration.kind_kit import DISTRICT
from tests.integration.registry_world import SignIn, fresh_number
from tests.integration.service_world import MONDAY, REQUESTS, at, published

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("world")]

REFERENCES = """
    SELECT c.conrelid::regclass::text AS table, a.attname AS column, c.confdeltype::text AS on_delete
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
    WHERE c.contype = 'f' AND c.confrelid = to_regclass(:target) AND c.conparentid = 0 AND a.attname <> 'district'
"""
SET_NULL = "n"
WORDS = str.maketrans("0123456789abcdef", "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳")
#: References that no statement of the undo names, with the reason why they can't be in the way.
ACCOUNTED = {
    ("household_member", "household_id"): "stays of those it made go by person, of those it changed by id; others are later edits"
}


async def references(runtime: Runtime, target: str) -> list[Any]:
    async with transaction(runtime.engine, DISTRICT) as session:
        return list(await session.execute(text(REFERENCES), {"target": target}))


async def one(runtime: Runtime, query: str, **parameters: Any) -> Any:
    async with transaction(runtime.engine, DISTRICT) as session:
        return (await session.execute(text(query), parameters)).scalar_one()


async def do(runtime: Runtime, statement: str, **parameters: Any) -> None:
    async with transaction(runtime.engine, DISTRICT) as session:
        await session.execute(text(statement), parameters)


async def people_import(runtime: Runtime, clerk: httpx.AsyncClient, count: int = 1) -> tuple[dict[str, Any], UUID, UUID]:
    """An import of people; it, the first household and its head."""
    prefix = f"UN{new_id().hex[-10:]}"
    rows = people_rows([fresh_number() for _ in range(count)], prefix)
    run = await imported(runtime, clerk, csv_of(rows, PEOPLE_HEADERS), kind="people")
    assert (run["status"], run["rows_created"]) == ("succeeded", count), run
    household = await one(runtime, "SELECT id FROM household WHERE household_no = :no", no=rows[0][0])
    head = "SELECT person_id FROM household_member WHERE household_id = :id AND relation = 'head'"
    return run, household, await one(runtime, head, id=household)


async def undo(client: httpx.AsyncClient, run: dict[str, Any]) -> httpx.Response:
    return await client.post(f"{IMPORTS}/{run['id']}/undo")


def refused_for(answer: httpx.Response) -> list[dict[str, Any]]:
    assert (answer.status_code, answer.json()["code"]) == (409, "import_cannot_be_undone"), answer.text
    assert not re.search("[a-z]_[a-z]", answer.json()["detail"]), "codes are named in words"
    found: list[dict[str, Any]] = answer.json()["built_on"]
    return found


async def report(sign_in: SignIn, **about: Any) -> None:
    body = {"area_code": HOME, "kind": "hardship", "about": "三组某户", "description": "屋顶漏雨", **about}
    answer = await sign_in("c001001.worker").post("/api/v1/leads", json=body)
    assert answer.status_code == 201, answer.text


async def found_about(runtime: Runtime, household: UUID, person: UUID, state: str = "open") -> UUID:
    """A finding of a search."""
    ids = {"id": new_id(), "run": new_id(), "job": new_id(), "by": new_id()}
    walled = {"district": DISTRICT.district, "area": HOME}
    by = ids["by"] if state in ("taken_up", "dismissed") else None
    job = {name: ids[name] for name in ("job", "by")}
    await do(
        runtime,
        "INSERT INTO job (district, id, area_code, kind, arguments, status, chunks_total, chunks_done, requested_by,"
        " requested_at) VALUES (:district, :job, :area, 'discovery', '{}', 'succeeded', 0, 0, :by, now())",
        **walled,
        **job,
    )
    await do(
        runtime,
        "INSERT INTO discovery_run (district, id, area_code, on_date, job_id, requested_by, requested_by_name, requested_at)"
        " VALUES (:district, :run, :area, '2026-11-20', :job, :by, 'x', now())",
        **walled,
        **job,
        run=ids["run"],
    )
    await do(
        runtime,
        "INSERT INTO discovery_finding (district, id, area_code, run_id, household_id, person_id, kind, programme, reasons,"
        " found_on, state, settled_by, note, version) VALUES (:district, :id, :area, :run, :household, :person, 'entitled',"
        " 'dibao', '[]', '2026-11-20', :state, :settled_by, 'x', 1)",
        **walled,
        id=ids["id"],
        run=ids["run"],
        household=household,
        person=person,
        state=state,
        settled_by=by,
    )
    return ids["id"]


# -- what refers to what an import makes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["person", "household"])
async def test_every_reference_to_people_and_households_is_accounted_for(runtime: Runtime, target: str) -> None:
    """A new foreign key has to become a blocker, go with the undo, or be set to null."""
    statements = [*BLOCKERS.values(), *REMOVALS]
    for table, column, on_delete in await references(runtime, target):
        named = any(re.search(rf"FROM {table}\b", one) and re.search(rf"\b{column}\b", one) for one in statements)
        assert on_delete == SET_NULL or named or (table, column) in ACCOUNTED, f"{table}.{column} refers to {target}"


def table_kinds() -> Iterable[Any]:
    return [
        pytest.param(code, id=code)
        for code in KINDS
        if not code.startswith("test_") and isinstance(writer_of(KINDS[code]), TableWriter)
    ]


@pytest.mark.parametrize("code", table_kinds())
async def test_every_reference_to_rows_of_a_table_is_accounted_for(runtime: Runtime, code: str) -> None:
    writer = writer_of(KINDS[code])
    assert isinstance(writer, TableWriter)
    known = {(one.table.__tablename__, one.column) for one in writer.target.dependents}
    known.add(("official_number", "official_id"))  # goes along: OfficialWriter.deleting
    target = str(writer.target.table.__tablename__)
    found = {(table, column) for table, column, on_delete in await references(runtime, target) if on_delete != SET_NULL}
    assert found <= known


def test_every_blocker_has_a_name() -> None:
    assert BLOCKERS.keys() <= BLOCKER_NAMES.keys()
    assert "dependent_records" in BLOCKER_NAMES


# -- people ----------------------------------------------------------------------------------------------------------------------


async def test_a_lead_stands_in_the_way(runtime: Runtime, sign_in: SignIn) -> None:
    clerk = sign_in("s001.clerk")
    run, household, _ = await people_import(runtime, clerk)
    await report(sign_in, household_id=str(household))
    assert refused_for(await undo(clerk, run)) == [{"code": "leads", "count": 1}]


async def test_a_service_request_stands_in_the_way(runtime: Runtime, sign_in: SignIn) -> None:
    await published(sign_in)
    clerk = sign_in("s001.clerk")
    run, _, person = await people_import(runtime, clerk)
    body = {"item_code": "review", "person_id": str(person)}
    answer = await sign_in("c001001.worker").post(REQUESTS, json=body, headers=at(MONDAY))
    assert answer.status_code == 201, answer.text
    assert refused_for(await undo(clerk, run)) == [{"code": "service_requests", "count": 1}]


@pytest.mark.parametrize("state", ["open", "resolved"])
async def test_a_finding_nobody_has_dealt_with_goes_along(runtime: Runtime, sign_in: SignIn, state: str) -> None:
    clerk = sign_in("s001.clerk")
    run, household, person = await people_import(runtime, clerk)
    finding = await found_about(runtime, household, person, state)
    answer = await undo(clerk, run)
    assert (answer.status_code, answer.json()["status"]) == (200, "undone"), answer.text
    assert await one(runtime, "SELECT count(*) FROM discovery_finding WHERE id = :id", id=finding) == 0


@pytest.mark.parametrize("state", ["taken_up", "dismissed"])
async def test_a_finding_somebody_has_dealt_with_stands_in_the_way(runtime: Runtime, sign_in: SignIn, state: str) -> None:
    clerk = sign_in("s001.clerk")
    run, household, person = await people_import(runtime, clerk)
    finding = await found_about(runtime, household, person, state)
    assert refused_for(await undo(clerk, run)) == [{"code": "discovery_findings", "count": 1}]
    async with transaction(runtime.engine, DISTRICT) as session:
        await session.execute(text("SELECT set_config('app.undoing', :id, true)"), {"id": run["id"]})
        await session.execute(text("DELETE FROM discovery_finding WHERE id = :id"), {"id": finding})
    assert await one(runtime, "SELECT count(*) FROM discovery_finding WHERE id = :id", id=finding) == 1


async def test_findings_cannot_be_deleted_otherwise(runtime: Runtime, sign_in: SignIn) -> None:
    _, household, person = await people_import(runtime, sign_in("s001.clerk"))
    finding = await found_about(runtime, household, person)
    await do(runtime, "DELETE FROM discovery_finding WHERE id = :id", id=finding)
    assert await one(runtime, "SELECT count(*) FROM discovery_finding WHERE id = :id", id=finding) == 1


@pytest.mark.parametrize("large", [False, True])
async def test_what_no_check_sees_is_a_refusal_still(
    runtime: Runtime, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    clerk = sign_in("s001.clerk")
    run, household, _ = await people_import(runtime, clerk)
    await report(sign_in, household_id=str(household))
    monkeypatch.setitem(BLOCKERS, "leads", "SELECT 0 WHERE $1 = $1::text AND $2::uuid IS NOT NULL")
    if large:
        monkeypatch.setattr("app.routers.v1.imports.writes_much", lambda *_: True)
    answer = await undo(clerk, run)
    if large:
        assert (answer.status_code, answer.json()["phase"]) == (200, "undoing")
        await work(runtime, UUID(run["id"]))
        left = await shown_import(clerk, run["id"])
        assert (left["status"], left["phase"], left["problem"]["code"]) == ("succeeded", "finished", "import_cannot_be_undone")
    else:
        assert refused_for(answer) == [{"code": "dependent_records", "count": 1}]
    assert await one(runtime, "SELECT count(*) FROM household WHERE id = :id", id=household) == 1


async def test_a_large_undo_is_refused_at_once(runtime: Runtime, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk = sign_in("s001.clerk")
    run, household, _ = await people_import(runtime, clerk)
    await report(sign_in, household_id=str(household))
    monkeypatch.setattr("app.routers.v1.imports.writes_much", lambda *_: True)
    assert refused_for(await undo(clerk, run)) == [{"code": "leads", "count": 1}]
    assert (await shown_import(clerk, run["id"]))["phase"] == "finished"


# -- certificates of people who were imported -----------------------------------------------------------------------------------

CERTIFICATE_HEADERS = ("姓名", "身份证号", "残疾人证号", "发证日期")
LATER = [{"code": "later_imports", "count": 1}]


class Registered:
    """Somebody imported, and lists of certificates that name him."""

    def __init__(self, runtime: Runtime, sign_in: SignIn) -> None:
        self.runtime, self.clerk, self.worker = runtime, sign_in("s001.clerk"), sign_in("district.reviewer")
        self.number, self.prefix = fresh_number(), f"UC{new_id().hex[-10:]}"

    async def listed(self, **changes: str) -> dict[str, Any]:
        [row] = people_rows([self.number], self.prefix)
        cells = dict(zip(PEOPLE_HEADERS, row, strict=True)) | changes
        return await imported(self.runtime, self.clerk, csv_of([list(cells.values())], list(cells)), kind="people")

    async def certified(self, grade: int = 1, day: str = "2026-01-05") -> dict[str, Any]:
        row = ["陈批量", self.number, f"{self.number}1{grade}", day]
        return await imported(self.runtime, self.worker, csv_of([row], CERTIFICATE_HEADERS), kind="disability_certificates")

    async def edited(self) -> None:
        query = (
            "SELECT m.person_id FROM household h JOIN household_member m ON m.household_id = h.id WHERE h.household_no LIKE :no"
        )
        person = await one(self.runtime, query, no=f"{self.prefix}%")
        url = f"/api/v1/persons/{person}"
        etag = (await self.clerk.get(url)).headers["etag"]
        change = {"phone": "13900139000", "valid_from": "2026-11-20"}
        answer = await self.clerk.put(url, json=change, headers={"If-Match": etag, "X-Demo-Date": "2026-11-20"})
        assert answer.status_code == 200, answer.text

    async def undo(self, run: dict[str, Any]) -> httpx.Response:
        return await undo(self.clerk if run["kind"] == "people" else self.worker, run)

    async def taken_back(self, run: dict[str, Any]) -> None:
        answer = await self.undo(run)
        assert (answer.status_code, answer.json().get("status")) == (200, "undone"), answer.text


@pytest.fixture
def registered(runtime: Runtime, sign_in: SignIn) -> Registered:
    return Registered(runtime, sign_in)


async def test_people_can_be_taken_back_again_once_their_certificates_are(registered: Registered) -> None:
    people, certificates = await registered.listed(), await registered.certified()
    assert certificates["rows_created"] == 1, certificates
    assert refused_for(await registered.undo(people)) == LATER
    await registered.taken_back(certificates)
    assert (await registered.listed())["rows_unchanged"] == 1
    await registered.taken_back(people)


async def test_several_lists_of_certificates_go_back_in_turn(registered: Registered) -> None:
    people = await registered.listed()
    first, second = await registered.certified(), await registered.certified(2, "2026-02-05")
    assert refused_for(await registered.undo(first)) == LATER
    await registered.taken_back(second)
    assert refused_for(await registered.undo(people)) == LATER
    await registered.taken_back(first)
    await registered.taken_back(people)


@pytest.mark.parametrize("edited_first", [True, False])
async def test_an_edit_outlives_the_certificates(registered: Registered, edited_first: bool) -> None:
    people = await registered.listed()
    if edited_first:
        await registered.edited()
    certificates = await registered.certified()
    if not edited_first:
        await registered.edited()
    await registered.taken_back(certificates)
    assert refused_for(await registered.undo(people)) == [{"code": "later_edits", "count": 1}]


async def test_a_list_of_people_in_between_keeps_the_order(registered: Registered) -> None:
    people, certificates = await registered.listed(), await registered.certified()
    again = await registered.listed(姓名="陈改名")
    assert again["rows_updated"] == 1, again
    assert refused_for(await registered.undo(certificates)) == LATER
    for run in (again, certificates, people):
        await registered.taken_back(run)


async def test_an_edit_outlives_a_later_list_of_people(registered: Registered) -> None:
    """Taking the second list back made the first one say that the edit was its own."""
    people = await registered.listed()
    await registered.edited()
    again = await registered.listed(姓名="陈改名")
    await registered.taken_back(again)
    assert refused_for(await registered.undo(people)) == [{"code": "later_edits", "count": 1}]


# -- tables ----------------------------------------------------------------------------------------------------------------------


async def test_an_informant_who_has_reported_a_lead_is_not_taken_away(runtime: Runtime, sign_in: SignIn) -> None:
    clerk, name = sign_in("s001.clerk"), f"复现{new_id().hex[-10:].translate(WORDS)}"
    run = await imported(
        runtime, clerk, csv_of([[HOME, name, "2026-02-01"]], ("区划代码", "姓名", "聘任日期")), kind="informants"
    )
    informant = await one(runtime, "SELECT id FROM informant WHERE name = :name", name=name)
    await report(sign_in, informant_id=str(informant))
    assert refused_for(await undo(clerk, run)) == [{"code": "dependent_records", "count": 1}]
