"""Index and data keys rotated, everybody re-indexed and everything re-encrypted, while people work (scorecard 20)."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import time_machine
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import create_async_engine

from app import rekeying
from app.cli import main
from app.commands import keys as command
from app.db.session import transaction
from app.demo.accounts import DemoAccount
from app.main import create_app
from app.runtime import Runtime
from tests.conftest import build_database, running
from tests.integration.payment_roll import DISTRICT, Roll
from tests.integration.registry_world import MEISHAN, QIANSHAN, card, fresh_number
from tests.world import seed_world

pytestmark = pytest.mark.db


@dataclass
class Office:
    """A database with keys of its own, and people at work."""

    runtime: Runtime
    owner_url: URL
    callers: dict[str, httpx.AsyncClient]
    people: list[tuple[str, str, str, str]] = field(default_factory=list)  # username, id, ID number, phone
    households: list[tuple[str, str]] = field(default_factory=list)  # id, account number
    answered: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    async def register(self, username: str, area: str) -> str:
        number, phone = fresh_number(), f"169{uuid.uuid4().int % 10**8:08d}"
        body: dict[str, Any] = {"name": "陈测试", "id_number": number, "area_code": area, "residence": "urban", "phone": phone}
        body["address"] = "示例路1号"
        if len(self.people) % 3 == 0:
            body["disability"] = {"category": "vision", "grade": 2, "certificate_no": f"{number}12"}
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        answer = await self.callers[username].post("/api/v1/persons", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        again = await self.callers[username].post("/api/v1/persons", json=body, headers=headers)
        assert again.headers.get("idempotency-replayed") == "true", again.text
        self.people.append((username, answer.json()["id"], number, phone))
        return str(answer.json()["id"])

    async def open_household(self) -> None:
        person, account = await self.register("c001001.worker", MEISHAN), card()
        body: dict[str, Any] = {"area_code": MEISHAN, "residence": "urban", "address": "示例路1号"}
        body["members"] = [{"person_id": person, "relation": "head"}]
        body["account"] = {"bank_name": "示例银行", "account_number": account, "account_holder": "陈测试", "account_kind": "card"}
        answer = await self.callers["c001001.worker"].post("/api/v1/households", json=body)
        assert answer.status_code == 201, answer.text
        self.households.append((answer.json()["id"], account))

    async def look_up_everybody(self) -> None:
        """Found by number, and everything opens."""
        for username, person, number, phone in list(self.people):
            http = self.callers[username]
            found = await http.post("/api/v1/persons/search", json={"id_number": number})
            self._note("search", found, found.status_code == 200 and [p["id"] for p in found.json()["items"]] == [person])
            shown = await http.get(f"/api/v1/persons/{person}", params={"reveal": "id_number,phone", "purpose": "核对"})
            self._note("reveal", shown, number in shown.text and phone in shown.text)
        for household, account in list(self.households):
            params = {"reveal": "account_number", "purpose": "核对"}
            shown = await self.callers["c001001.worker"].get(f"/api/v1/households/{household}", params=params)
            self._note("account", shown, account in shown.text)

    def _note(self, kind: str, answer: httpx.Response, good: bool) -> None:
        self.answered[kind] += 1
        if not good:
            self.failed.append(f"{kind} {answer.status_code} {answer.text}")

    async def work(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.look_up_everybody()
            await self.register("c001001.worker", MEISHAN)


def signed_in(runtime: Runtime, account: DemoAccount) -> httpx.AsyncClient:
    token = runtime.tokens.issue_access_token(subject=account.id, level=account.level, area=account.area, duties=account.duties)
    transport = httpx.ASGITransport(app=create_app(runtime=runtime), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {token}"})


@pytest_asyncio.fixture(loop_scope="session")
async def office(cluster: URL, worker_name: str, tmp_path: Path) -> AsyncIterator[Office]:
    settings = await build_database(cluster, f"keys_{worker_name}", tmp_path)
    async with running(settings) as runtime:
        accounts = (await seed_world(runtime)).accounts
        callers = {
            name: signed_in(runtime, accounts[name]) for name in ("c001001.worker", "qs.c100002.worker", "district.finance")
        }
        office = Office(runtime, cluster.set(database=f"keys_{worker_name}"), callers)
        for _ in range(12):
            await office.register("c001001.worker", MEISHAN)
            await office.register("qs.c100002.worker", QIANSHAN)
        for _ in range(4):
            await office.open_household()
        yield office
        for caller in callers.values():
            await caller.aclose()


async def under_load(office: Office, act: Callable[[], Any]) -> Any:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(office.work(stop))
        await asyncio.sleep(0.2)
        done = await act()
        await asyncio.sleep(0.2)
        stop.set()
    return done


async def pay(office: Office) -> None:
    """A line whose account is frozen under today's key."""
    await Roll(office.runtime, "350702003001").household({"standard": 10000})
    finance = office.callers["district.finance"]
    body = {"period_from": "2026-11", "period_to": "2026-11", "pay_month": "2026-11", "programmes": ["dibao"]}
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    batch = await finance.post("/api/v1/payment-batches", json=body | {"area_code": "350702"}, headers=headers)
    assert batch.status_code == 201, batch.text
    done = await finance.post(f"/api/v1/payment-batches/{batch.json()['id']}/compute", json={}, headers=headers)
    assert done.json()["items"] == 1, done.text


async def test_rotation_under_load_fails_nobody(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    runtime, ring, told = office.runtime, office.runtime.keys, list[str]()
    await pay(office)

    async def rotate_everything() -> None:
        ring.rotate("index")
        await rekeying.reindex(runtime, told.append)
        ring.rotate("data")
        await rekeying.reencrypt(runtime, told.append)
        ring.rotate("signing")

    await under_load(office, rotate_everything)
    assert office.failed == []
    assert min(office.answered.values()) > 10
    assert told
    for run in (rekeying.reindex, rekeying.reencrypt):
        await run(runtime, told.append)  # a request that began before the rotation may have ended after its table's turn
        assert await run(runtime, told.append) == 0
    found = await rekeying.status(runtime)
    assert found.unindexed == 0
    assert found.not_under(2) == {"payment_item.account_sealed": 1}
    assert found.sealed["person_fact.certificate_no_sealed"][2] > 0
    assert found.sealed["stored_answer.body"][2] >= len(office.people)
    assert await command._refuse_in_use(runtime, "data", "1") == 1
    assert "payment_item.account_sealed 还有 1 条" in capsys.readouterr().err
    assert await command._refuse_in_use(runtime, "index", "1") == 0
    with time_machine.travel(timedelta(hours=1)):
        ring.retire("index", "1")
    await office.look_up_everybody()
    assert office.failed == []


async def test_an_interrupted_run_is_taken_up_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = office.runtime
    monkeypatch.setattr(rekeying, "CHUNK_ROWS", 5)
    monkeypatch.setattr(rekeying, "INDEX_CHUNK_ROWS", 5)
    runtime.keys.rotate("index")
    runtime.keys.rotate("data")
    assert await command._refuse_in_use(runtime, "index", "1") == 1
    for run in (rekeying.reindex, rekeying.reencrypt):
        with suppress(Killed):
            await run(runtime, interrupting(3))
    half = await rekeying.status(runtime)
    assert 0 < half.unindexed < len(office.people)
    assert 0 < half.not_under(2)["person.id_number_sealed"] < len(office.people)
    await rekeying.reindex(runtime, interrupting(1000))
    await rekeying.reencrypt(runtime, interrupting(1000))
    done = await rekeying.status(runtime)
    assert (done.unindexed, done.not_under(2)) == (0, {})
    await office.look_up_everybody()
    assert office.failed == []


class Killed(Exception):
    pass


def interrupting(after: int) -> Callable[[str], None]:
    told: list[str] = []

    def tell(progress: str) -> None:
        told.append(progress)
        if len(told) >= after:
            raise Killed

    return tell


async def test_a_row_that_was_changed_meanwhile_is_left_alone(office: Office) -> None:
    """Held by a request: skipped now, done by the next run, and the request's value stands."""
    runtime = office.runtime
    runtime.keys.rotate("data")
    engine = create_async_engine(office.owner_url)
    _, person, _, _ = office.people[0]
    async with engine.begin() as held:
        await held.execute(text("SELECT 1 FROM person WHERE id = CAST(:id AS uuid) FOR UPDATE"), {"id": person})
        await asyncio.wait_for(rekeying.reencrypt(runtime, lambda _: None), 20)
        assert (await rekeying.status(runtime)).not_under(2)["person.id_number_sealed"] == 1
    assert await rekeying.reencrypt(runtime, lambda _: None) == 1
    assert (await rekeying.status(runtime)).not_under(2) == {}
    await engine.dispose()


async def test_the_versions_of_rows_stay(office: Office) -> None:
    """An ETag in somebody's hand is still good afterwards."""
    versions = "SELECT array_agg((id, version, updated_at)::text ORDER BY id) FROM person"
    async with transaction(office.runtime.engine, DISTRICT) as session:
        before = (await session.execute(text(versions))).scalar_one()
    office.runtime.keys.rotate("data")
    await rekeying.reencrypt(office.runtime, lambda _: None)
    async with transaction(office.runtime.engine, DISTRICT) as session:
        assert (await session.execute(text(versions))).scalar_one() == before


def keys_command(office: Office, *words: str) -> int:
    """`minzheng keys …` as an operator types it, beside the running service."""
    settings = office.runtime.settings
    assert settings.database_url is not None
    environment = {"DATABASE_URL": settings.database_url.get_secret_value(), "DEMO": "true", "DATA_DIR": str(settings.data_dir)}
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        return main(["keys", *words])


async def test_the_commands_tell_what_they_did(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    async def run(*words: str) -> int:
        return await asyncio.to_thread(keys_command, office, *words)

    assert await run("rotate", "index") == 0
    assert await run("rotate", "data") == 0
    assert await run("retire", "index", "1", "--yes") == 1
    assert await run("retire", "data", "1", "--yes") == 1
    refused = capsys.readouterr().err
    assert "minzheng keys reindex" in refused
    assert "person.id_number_sealed" in refused
    assert await run("reindex") == 0
    assert await run("reencrypt") == 0
    assert await run("status") == 0
    told = capsys.readouterr().out
    assert f"已补建 {len(office.people)} 人的索引（版本 2）" in told
    assert f"person.id_number_sealed v2={len(office.people)}" in told
    assert "仍只能用旧索引查到的人：0" in told
    assert not any(number in told for _, _, number, _ in office.people)
