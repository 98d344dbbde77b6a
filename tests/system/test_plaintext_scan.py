"""Canary numbers go in through the interface; nowhere on disk, in dumps or in logs do they stand in plain (scorecard 18)."""

from __future__ import annotations

import base64
import io
import logging
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.commands._database import DATABASE
from app.db.engine import normalise_url
from app.db.session import transaction
from app.embedded import EmbeddedPostgres
from app.jobs.runner import run_job
from app.main import create_app
from app.observability import JsonFormatter
from app.runtime import Runtime
from app.sealing import seal_once
from tests.conftest import build_database, running
from tests.integration.bureau_world import BureauWorld, Terms
from tests.integration.import_world import csv_of, work
from tests.integration.payment_roll import DISTRICT, Roll
from tests.integration.registry_world import MEISHAN, card, fresh_number
from tests.world import World, seed_world

pytestmark = pytest.mark.db
NAME = "陈金丝雀"  # a name is stored in plain: finding it shows that the scan finds what is there
ADDRESS = "金丝雀里四千七百十一号"
PHONE = "16947114711"
MONTH = "2026-11"


@dataclass(frozen=True)
class Site:
    """A cluster of its own, the application on it, and what it logged."""

    postgres: EmbeddedPostgres
    runtime: Runtime
    app: FastAPI
    world: World
    log: io.StringIO

    def sign_in(self, username: str) -> httpx.AsyncClient:
        account = self.world.accounts[username]
        token = self.runtime.tokens.issue_access_token(
            subject=account.id, level=account.level, area=account.area, duties=account.duties
        )
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


@pytest.fixture(scope="module")
def postgres() -> Iterator[EmbeddedPostgres]:
    folder = Path(tempfile.mkdtemp(prefix="mz-scan-"))
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder, settings={"full_page_writes": "on"}, sync_initdb=False) as cluster:
            yield cluster
            cluster.remove()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def logging_to(written: io.StringIO) -> Iterator[None]:
    """Everything that the application logs at any level, in the form in which it is written."""
    root, handler = logging.getLogger(), logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    settings = await build_database(normalise_url(postgres.admin_dsn()), DATABASE, tmp_path_factory.mktemp("scan"))
    async with running(settings) as runtime:
        world, app, written = await seed_world(runtime), create_app(runtime=runtime), io.StringIO()
        with logging_to(written):  # the application has set up its own logging by now
            yield Site(postgres, runtime, app, world, written)


@dataclass(frozen=True)
class Canaries:
    """What must not stand anywhere."""

    values: tuple[str, ...]

    def found_in(self, content: bytes) -> list[str]:
        return [value for value in self.values if any(form in content for form in forms(value))]


def forms(value: str) -> list[bytes]:
    """As it is, in hexadecimal and base64 as a dump would show it, and inside JSON with escapes."""
    plain = value.encode()
    inner = base64.b64encode(plain)[: len(plain) // 3 * 4]
    return [plain, plain.lower(), plain.hex().encode(), inner, value.encode("unicode_escape"), value.encode("utf-16-le")]


async def put_in(site: Site) -> Canaries:
    """Canaries through every door that takes them, good and bad."""
    number, other, account = fresh_number(), fresh_number(), card()
    wrong = number[:-1] + ("1" if number[-1] != "1" else "2")
    worker = site.sign_in("c001001.worker")
    person: dict[str, Any] = {"name": NAME, "id_number": number, "area_code": MEISHAN, "residence": "urban"}
    person |= {
        "phone": PHONE,
        "address": ADDRESS,
        "disability": {"category": "vision", "grade": 1, "certificate_no": f"{number}11"},
    }
    registered = await twice(worker, "/api/v1/persons", person)
    person_id = registered["id"]
    for refused in (
        person,
        person | {"id_number": wrong},
        person | {"id_number": other, "phone": f"{PHONE}{PHONE}"},
        person | {"id_number": {"value": other}},
        person | {"unknown": number},
        person | {"area_code": number},
        person | {"id_number": other, "name": other},
    ):
        assert (await worker.post("/api/v1/persons", json=refused)).status_code in (409, 422)
    elsewhere = await site.sign_in("qs.c100002.worker").post("/api/v1/persons", json=person | {"area_code": "340882100002"})
    assert elsewhere.status_code == 409, elsewhere.text
    assert (await worker.post("/api/v1/persons/search", json={"id_number": number})).json()["items"]
    assert not (await worker.post("/api/v1/persons/search", json={"id_number": other})).json()["items"]
    await worker.get(f"/api/v1/persons/{number}")
    await worker.get("/api/v1/persons", params={"name": number, "cursor": number})
    plain = await worker.get(f"/api/v1/persons/{person_id}", params={"reveal": "id_number,phone,address", "purpose": "电话核实"})
    assert number in plain.text
    household = await open_household(worker, person_id, account)
    await worker.get(f"/api/v1/households/{household}", params={"reveal": "account_number,address", "purpose": "核对账户"})
    await ask(site, number, other)
    await pay(site, household)
    sent = await send_file(site)
    return Canaries((number, other, wrong, account, PHONE, ADDRESS, f"{number}11", *sent))


async def twice(http: httpx.AsyncClient, path: str, body: Any) -> Any:
    """Stored under its key, and answered from there."""
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    first = await http.post(path, json=body, headers=headers)
    assert first.is_success, first.text
    assert (await http.post(path, json=body, headers=headers)).headers["idempotency-replayed"] == "true"
    await http.post(path, json={**body, "note": "another body"}, headers=headers)
    return first.json()


async def open_household(worker: httpx.AsyncClient, person: str, account: str) -> str:
    body: dict[str, Any] = {"area_code": MEISHAN, "residence": "urban", "address": ADDRESS}
    body["members"] = [{"person_id": person, "relation": "head"}]
    body["account"] = {"bank_name": "示例银行", "account_number": account, "account_holder": NAME, "account_kind": "card"}
    wrong = body | {"account": body["account"] | {"account_number": account[:-1] + ("1" if account[-1] != "1" else "2")}}
    assert (await worker.post("/api/v1/households", json=wrong)).status_code == 422
    return str((await twice(worker, "/api/v1/households", body))["id"])


async def ask(site: Site, number: str, other: str) -> None:
    bureau = await BureauWorld(site.runtime, site.app).client(Terms())
    for asked in (number, other):
        answer = await bureau.ask(asked, NAME, {"Idempotency-Key": str(uuid.uuid4())})
        assert answer.status_code == 200, answer.text
    assert (await bureau.ask(number[:-1] + "Q", NAME)).status_code == 422


async def pay(site: Site, household: str) -> None:
    """The account on a frozen line, computed by a job, released, and taken out as the bank's file."""
    roll = Roll(site.runtime, MEISHAN)
    async with transaction(site.runtime.engine, DISTRICT) as session:
        await roll.entitlement(session, UUID(household), {"standard": 45600})
    finance, approver = site.sign_in("district.finance"), site.sign_in("district.approver")
    body: dict[str, Any] = {"period_from": MONTH, "period_to": MONTH, "pay_month": MONTH, "programmes": ["dibao"]}
    batch = (await twice(finance, "/api/v1/payment-batches", body | {"area_code": "350702"}))["id"]
    path = f"/api/v1/payment-batches/{batch}"
    keys = {"Idempotency-Key": str(uuid.uuid4()), "Prefer": "respond-async"}
    assert (await finance.post(f"{path}/compute", json={}, headers=keys)).status_code == 202
    async with transaction(site.runtime.engine, DISTRICT) as session:
        job = (await session.execute(text("SELECT id FROM job WHERE subject_id = CAST(:id AS uuid)"), {"id": batch})).scalar_one()
    await run_job(site.runtime, DISTRICT, job)
    for caller, act in ((finance, "submit"), (approver, "approve"), (approver, "release")):
        done = await caller.post(f"{path}/{act}", json={}, headers={"Idempotency-Key": str(uuid.uuid4())})
        assert done.status_code == 200, done.text
    assert (await finance.get(f"{path}/bank-file", params={"profile": "generic"})).status_code == 200


async def send_file(site: Site) -> tuple[str, ...]:
    """A file of people of whom one goes in and one is rejected, read, applied and answered."""
    good, wrong, account = fresh_number(), fresh_number(), card()
    wrong = wrong[:-1] + ("1" if wrong[-1] != "1" else "2")
    headers = [
        "户编号",
        "姓名",
        "身份证号",
        "与户主关系",
        "户口性质",
        "区划代码",
        "住址",
        "手机号",
        "开户银行",
        "银行账号",
        "户名",
    ]
    rows = [
        [f"DR{n}", NAME, number, "户主", "农村", MEISHAN, ADDRESS, PHONE, "示例银行", account, NAME]
        for n, number in enumerate((good, wrong))
    ]
    clerk = site.sign_in("s001.clerk")
    keys = {"Idempotency-Key": str(uuid.uuid4())}
    files = {"file": ("people.csv", csv_of(rows, headers))}
    answer = await clerk.post("/api/v1/imports", data={"kind": "people"}, files=files, headers=keys)
    assert answer.status_code == 202, answer.text
    await work(site.runtime, UUID(answer.json()["id"]))
    path = f"/api/v1/imports/{answer.json()['id']}"
    run = (await clerk.get(path)).json()
    assert (run["rows_ok"], run["rows_rejected"]) == (1, 1), run
    assert wrong not in (await clerk.get(f"{path}/errors")).text
    for download in ("errors.csv", "errors.xlsx"):
        assert (await clerk.get(f"{path}/{download}")).status_code == 200
    return good, wrong, account


# -- where to look -----------------------------------------------------------------------------------------------------------


def files_of(site: Site) -> Iterator[Path]:
    """Tables, indexes, WAL, temporary files and the server's own log."""
    home = site.postgres.log_path.parent
    yield from (path for path in home.rglob("*") if path.is_file())


def dumped(site: Site) -> bytes:
    command = [str(site.postgres.bindir / "pg_dump"), "--inserts", site.postgres.admin_dsn(DATABASE)]
    return subprocess.run(command, capture_output=True, check=True).stdout


async def settled(site: Site) -> None:
    """Everything chained, and everything on disk."""
    while await seal_once(site.runtime):
        pass
    engine = create_async_engine(normalise_url(site.postgres.admin_dsn(DATABASE)), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in ("ANALYZE", "CHECKPOINT", "SELECT pg_switch_wal()"):
            await connection.execute(text(statement))
    await engine.dispose()


async def test_no_canary_stands_anywhere_in_plain(site: Site) -> None:
    canaries = await put_in(site)
    await settled(site)
    hits = [f"{path}: {found}" for path in files_of(site) if (found := canaries.found_in(path.read_bytes()))]
    dump, logged = dumped(site), site.log.getvalue()
    hits += [f"dump: {found}" for found in canaries.found_in(dump)]
    hits += [f"log: {line}" for line in logged.splitlines() if canaries.found_in(line.encode())]
    assert hits == []
    assert '"route":"/api/v1/persons/search"' in logged
    name = Canaries((NAME,))
    assert name.found_in(dump), "the scan finds what stands in plain"
    assert any("/data/base/" in str(path) and name.found_in(path.read_bytes()) for path in files_of(site))
    assert any("/pg_wal/" in str(path) and name.found_in(path.read_bytes()) for path in files_of(site))


async def test_a_planted_number_is_found(site: Site) -> None:
    """The defect that this guards against, put there on purpose: a number as bytes."""
    planted = fresh_number()
    engine = create_async_engine(normalise_url(site.postgres.admin_dsn(DATABASE)))
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE planted AS SELECT CAST(:n AS bytea) AS body"), {"n": planted.encode()})
    await settled(site)
    assert Canaries((planted,)).found_in(dumped(site))
    assert any(Canaries((planted,)).found_in(path.read_bytes()) for path in files_of(site))
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE planted"))
    await engine.dispose()
