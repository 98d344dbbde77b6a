"""The whole slice of docs/tutorial.md over HTTP while the database and the worker are killed (scorecard 1, 4, 5).

A client keeps a log of what was acknowledged. Whatever isn't acknowledged it sends again with the same Idempotency-Key, as a
client should. Afterwards everything acknowledged is there, nothing is there twice, and the audit chain is whole.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.domain.calendar import business_date
from app.security.passwords import DEMO_PASSWORD
from tests.integration.registry_world import MEISHAN, card, entry, fresh_number
from tests.system.serving import Served

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("serve")]
PATIENCE_SECONDS = 60.0
WORKER, CLERK, HEAD = "c001001.worker", "s001.clerk", "s001.head"
REVIEWER, FINANCE, APPROVER = "district.reviewer", "district.finance", "district.approver"
LATER = {"X-Demo-Date": f"{business_date(datetime.now(UTC)) + timedelta(days=9)}"}
LEASE_SECONDS = 3


@dataclass(frozen=True)
class Acknowledged:
    """A write that was answered with success."""

    username: str
    path: str
    body: Any
    headers: dict[str, str]
    status: int
    answer: Any


@dataclass
class Client:
    """Sends again until it gets an answer; keeps what was acknowledged and counts what wasn't."""

    server: Served
    http: httpx.AsyncClient
    tokens: dict[str, str] = field(default_factory=dict)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    async def post(self, username: str, path: str, body: Any, **headers: str) -> Any:
        sent = {"Idempotency-Key": str(uuid.uuid4())} | headers
        answer = await self.send("POST", username, path, body, sent)
        assert answer.is_success, f"{path}: {answer.text}"
        self.acknowledged.append(Acknowledged(username, path, body, sent, answer.status_code, answer.json()))
        return answer.json()

    async def get(self, username: str, path: str) -> Any:
        answer = await self.send("GET", username, path, None, {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def send(self, method: str, username: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        """The first answer that isn't "try again"."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                signed = headers | {"Authorization": f"Bearer {await self._token(username)}"}
                answer = await self.http.request(method, f"/api/v1{path}", json=body, headers=signed)
            except httpx.TransportError as error:
                self.refused[type(error).__name__] += 1
            else:
                if answer.status_code == 401:  # a quarter of an hour has passed
                    self.tokens.pop(username, None)
                    continue
                if answer.status_code not in (409, 503) or "retry-after" not in answer.headers:
                    assert answer.status_code < 500, answer.text
                    return answer
                self.refused[str(answer.status_code)] += 1
            await asyncio.sleep(0.1)
        raise AssertionError(f"{path}: not answered in {PATIENCE_SECONDS:g} s: {self.server.log.read_text()[-4000:]}")

    async def _token(self, username: str) -> str:
        while username not in self.tokens:
            form = {"grant_type": "password", "username": username, "password": DEMO_PASSWORD}
            answer = await self.http.post("/api/v1/auth/token", data=form)
            if answer.status_code == 200:
                self.tokens[username] = answer.json()["access_token"]
            else:
                assert answer.status_code == 503, answer.text
                await asyncio.sleep(0.1)
        return self.tokens[username]


@pytest.fixture(scope="module")
def server(demo_data: Path) -> Iterator[Served]:
    served = Served({"JOB_LEASE_SECONDS": str(LEASE_SECONDS)}, data=demo_data)
    try:
        served.wait_until_ready()
        yield served
    finally:
        served.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def client(server: Served) -> AsyncIterator[Client]:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
        yield Client(server, http)


# -- the slice ---------------------------------------------------------------------------------------------------------------


@dataclass
class Slice:
    """One family's way to the bank file; ``act()`` does the next act."""

    client: Client
    people: list[str] = field(default_factory=list)
    household: str = ""
    application: str = ""
    batch: str = ""
    month: str = ""

    ACTS = (
        *("register", "register", "register", "open_household", "apply", "state_facts", "submit", "accept", "give_opinion"),
        *("open_notice", "close_notice", "confirm", "open_batch", "compute", "hand_in", "approve", "release"),
    )

    async def register(self) -> None:
        young = len(self.people) == 2
        body = entry(MEISHAN, id_number=fresh_number(date(2005, 5, 10) if young else None))
        self.people.append((await self.client.post(WORKER, "/persons", body))["id"])

    async def open_household(self) -> None:
        relations = zip(self.people, ("head", "spouse", "child"), strict=True)
        account = {"bank_name": "示例邮储银行", "account_number": card(), "account_holder": "陈测试", "account_kind": "card"}
        body = {"area_code": MEISHAN, "residence": "urban", "address": "示例路1号", "account": account}
        members = [{"person_id": person, "relation": relation} for person, relation in relations]
        self.household = (await self.client.post(WORKER, "/households", body | {"members": members}))["id"]

    async def apply(self) -> None:
        body = {"household_id": self.household, "programme": "dibao"}
        self.application = (await self.client.post(WORKER, "/applications", body))["id"]

    async def state_facts(self) -> None:
        """A PUT has no key: sent again with a fresh version it puts the same facts."""
        path = f"/applications/{self.application}"
        members: list[dict[str, Any]] = []
        for person, relation in zip(self.people, ("head", "spouse", "child"), strict=True):
            shown = await self.client.get(WORKER, f"/persons/{person}")
            members.append({"ref": person, "relation": relation} | {name: shown[name] for name in ("birth_date", "gender")})
        members[0]["incomes"] = [{"kind": "wage", "monthly_fen": 60000}]
        facts = {"members": members, "assets": [], "authorised_verification": True}
        while True:
            current = await self.client.send("GET", WORKER, path, None, {})
            put = await self.client.send("PUT", WORKER, f"{path}/facts", facts, {"If-Match": current.headers["etag"]})
            if put.status_code != 412:
                assert put.status_code == 200, put.text
                return

    async def submit(self) -> None:
        await self._case(WORKER, "submit")

    async def accept(self) -> None:
        await self._case(CLERK, "accept")

    async def give_opinion(self) -> None:
        await self._case(HEAD, "give-opinion")

    async def open_notice(self) -> None:
        await self._case(CLERK, "open-notice")

    async def close_notice(self) -> None:
        await self._case(CLERK, "close-notice", **LATER)

    async def confirm(self) -> None:
        confirmed = await self._case(REVIEWER, "confirm", **LATER)
        self.month = (await self.client.get(REVIEWER, f"/entitlements/{confirmed['entitlement_id']}"))["since_month"]

    async def open_batch(self) -> None:
        self.batch = await opened_batch(self.client, self.month, MEISHAN)

    async def compute(self) -> None:
        await self._money(FINANCE, "compute")

    async def hand_in(self) -> None:
        await self._money(FINANCE, "submit")

    async def approve(self) -> None:
        await self._money(APPROVER, "approve")

    async def release(self) -> None:
        await self._money(APPROVER, "release")

    async def _case(self, username: str, act: str, **headers: str) -> Any:
        return await self.client.post(username, f"/applications/{self.application}/{act}", {}, **headers)

    async def _money(self, username: str, act: str) -> None:
        await self.client.post(username, f"/payment-batches/{self.batch}/{act}", {})

    async def holds(self) -> None:
        """Every act happened exactly once and the money adds up."""
        case = await self.client.get(WORKER, f"/applications/{self.application}")
        assert case["state"] == "confirmed", case
        connection = await self.client.server.owner()
        try:
            events = await connection.fetch(
                "SELECT act, count(*) FROM application_event WHERE application_id = $1::uuid GROUP BY 1", self.application
            )
            assert {row["act"]: row["count"] for row in events if row["count"] != 1} == {}
            entitlements = "SELECT count(*) FROM entitlement WHERE household_id = $1::uuid"
            assert await connection.fetchval(entitlements, self.household) == 1
            await batch_adds_up(connection, self.batch, released=True)
        finally:
            await connection.close()


async def opened_batch(client: Client, month: str, area: str) -> str:
    body = {"period_from": month, "period_to": month, "pay_month": month, "programmes": ["dibao"], "area_code": area}
    return str((await client.post(FINANCE, "/payment-batches", body))["id"])


BATCH_SUMS = """
    SELECT b.total_fen, b.items, coalesce(sum(i.amount_fen), 0)::bigint AS lines_fen, count(i.id) AS lines,
           count(DISTINCT (i.benefit_month, i.programme, i.household_id, i.component, i.person_id, i.cause)) AS different,
           (SELECT coalesce(sum(t.amount_fen), 0)::bigint FROM ledger_transfer t WHERE t.batch_id = b.id) AS ledger_fen,
           (SELECT count(*) - count(DISTINCT (c.benefit_month, c.programme, c.subject_id))
              FROM benefit_claim c WHERE c.voided_at IS NULL) AS paid_twice
      FROM payment_batch b LEFT JOIN payment_item i ON i.batch_id = b.id AND i.held_reason IS NULL
     WHERE b.id = $1::uuid GROUP BY b.district, b.id
"""


async def batch_adds_up(connection: Any, batch: str, *, released: bool) -> None:
    sums = await connection.fetchrow(BATCH_SUMS, batch)
    assert sums["total_fen"] == sums["lines_fen"] > 0
    assert sums["items"] == sums["lines"] == sums["different"]
    assert sums["ledger_fen"] == (sums["total_fen"] if released else 0)
    assert sums["paid_twice"] == 0


# -- afterwards --------------------------------------------------------------------------------------------------------------


async def everything_acknowledged_is_there(client: Client) -> None:
    """The same key again: the first answer, word for word, and no second effect."""
    for first in range(0, len(client.acknowledged), 8):
        await asyncio.gather(*(replayed(client, write) for write in client.acknowledged[first : first + 8]))


async def replayed(client: Client, write: Acknowledged) -> None:
    again = await client.send("POST", write.username, write.path, write.body, write.headers)
    assert (again.status_code, again.json()) == (write.status, write.answer), write.path
    assert again.headers["idempotency-replayed"] == "true", write.path


async def registered_once(client: Client, entries: dict[str, str]) -> None:
    """``entries``: Idempotency-Key of a registration → the id that was acknowledged."""
    connection = await client.server.owner()
    try:
        found = await connection.fetchval("SELECT count(*) FROM person WHERE id = ANY($1::uuid[])", list(entries.values()))
        twice = await connection.fetchval("SELECT count(*) - count(DISTINCT person_uid) FROM person")
        homeless = await connection.fetchval(
            "SELECT count(*) FROM identity_home h WHERE NOT EXISTS (SELECT FROM person p WHERE p.person_uid = h.person_uid)"
        )
    finally:
        await connection.close()
    assert found == len(entries) == len(set(entries.values()))
    assert (twice, homeless) == (0, 0)


def audit_is_whole(server: Served) -> None:
    verified = server.command("audit", "verify", "--data-dir", str(server.data_dir))
    assert verified.returncode == 0, verified.stderr
    assert "审计链完整" in verified.stdout


# -- row 1 and 5: the database ------------------------------------------------------------------------------------------------


async def commit_loop(client: Client, entries: dict[str, str], until: asyncio.Event) -> None:
    while not until.is_set():
        key = str(uuid.uuid4())
        entries[key] = (await client.post(WORKER, "/persons", entry(MEISHAN), **{"Idempotency-Key": key}))["id"]


async def kill_database(server: Served) -> None:
    """Postmaster and backends at once; returns when a new one has taken over and the API is ready again."""
    killed = await asyncio.to_thread(server.kill, "postgres")
    await asyncio.to_thread(server.wait_for_successor, "postgres", killed)
    await asyncio.to_thread(server.wait_until_ready, 60)


SHORT = {"confirm": "during"}
LONG = dict.fromkeys(Slice.ACTS, "before") | dict.fromkeys(("apply", "submit", "confirm", "compute", "release"), "both")


@pytest.mark.parametrize("plan", [SHORT, pytest.param(LONG, marks=pytest.mark.long)], ids=["short", "long"])
async def test_the_slice_survives_kills_of_the_database(server: Served, client: Client, plan: dict[str, str]) -> None:
    """``plan``: act → kill before it, while it runs, or both (long: 22 kills). Four others register people all the time."""
    family, stop, entries = Slice(client), asyncio.Event(), dict[str, str]()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(commit_loop(client, entries, stop))
        for act in Slice.ACTS:
            await performed(server, getattr(family, act), plan.get(act))
        stop.set()
    assert len(entries) > 20
    assert client.refused
    await everything_acknowledged_is_there(client)
    await registered_once(client, entries)
    await family.holds()
    audit_is_whole(server)
    assert "数据库已重新启动" in server.log.read_text()


async def performed(server: Served, act: Callable[[], Awaitable[None]], kill: str | None) -> None:
    if kill in ("before", "both"):
        await kill_database(server)
    if kill in ("during", "both"):
        await asyncio.gather(act(), kill_after(server, random.uniform(0, 0.03)))
    else:
        await act()


async def kill_after(server: Served, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await kill_database(server)


async def test_meanwhile_the_api_answers_503_with_retry_after(server: Served, client: Client) -> None:
    token = await client._token(WORKER)
    headers = {"Authorization": f"Bearer {token}"}
    killing = asyncio.create_task(kill_database(server))
    statuses: Counter[int] = Counter()
    while not killing.done():
        answer = await client.http.get("/api/v1/persons", params={"limit": 1}, headers=headers)
        statuses[answer.status_code] += 1
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json()["code"] == "temporarily_unavailable"
    await killing
    assert set(statuses) == {200, 503}, statuses


# -- row 4: the worker ---------------------------------------------------------------------------------------------------------

CHUNKS = "SELECT status, count(*) FROM job_chunk WHERE job_id = $1::uuid GROUP BY 1"
JOB = "SELECT j.* FROM job j JOIN payment_batch b ON b.job_id = j.id WHERE b.id = $1::uuid"


async def computed(client: Client, batch: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := await client.get(FINANCE, f"/payment-batches/{batch}"))["state"] == "computing":
        assert time.monotonic() < deadline, client.server.log.read_text()[-4000:]
        await asyncio.sleep(0.2)
    assert found["state"] == "computed", found
    return dict(found)


async def start_computing(client: Client, month: str) -> str:
    batch = await opened_batch(client, month, "350702")
    answer = await client.post(FINANCE, f"/payment-batches/{batch}/compute", {}, Prefer="respond-async")
    assert (answer["state"], client.acknowledged[-1].status) == ("computing", 202)
    return batch


async def killed_while_writing(client: Client, month: str) -> str:
    """The worker stands in the middle of a chunk (its lines are locked out) when it is killed."""
    connection = await client.server.owner()
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE payment_item IN SHARE MODE")
            batch = await start_computing(client, month)
            blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'payment_item'::regclass"
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not await connection.fetchval(blocked):
                assert time.monotonic() < deadline, client.server.log.read_text()[-4000:]
                await connection.execute("SELECT pg_sleep(0.02)")
            killed = await asyncio.to_thread(client.server.kill, "worker")
    finally:
        await connection.close()
    await asyncio.to_thread(client.server.wait_for_successor, "worker", killed)
    return batch


async def killed_sometime(client: Client, month: str) -> str:
    batch = await start_computing(client, month)
    await asyncio.sleep(random.uniform(0, 0.6))
    killed = await asyncio.to_thread(client.server.kill, "worker")
    await asyncio.to_thread(client.server.wait_for_successor, "worker", killed)
    return batch


async def month_to_pay(client: Client) -> str:
    connection = await client.server.owner()
    try:
        last: date = await connection.fetchval("SELECT max(pay_month) FROM payment_batch")
    finally:
        await connection.close()
    return f"{(last + timedelta(days=32)):%Y-%m}"


async def test_a_killed_workers_batch_is_finished_by_the_next(server: Served, client: Client) -> None:
    await computed_in_spite_of_kills(server, client, [killed_while_writing])


@pytest.mark.long
async def test_twenty_killed_workers(server: Served, client: Client) -> None:
    await computed_in_spite_of_kills(server, client, [killed_while_writing, killed_sometime] * 10)


async def computed_in_spite_of_kills(server: Served, client: Client, kills: list[Any]) -> None:
    """Each time the same batch as without a kill comes out; then it is cancelled, and its claims are free again."""
    month = await month_to_pay(client)
    whole = await opened_batch(client, month, "350702")
    expected = await client.post(FINANCE, f"/payment-batches/{whole}/compute", {})
    await client.post(FINANCE, f"/payment-batches/{whole}/cancel", {"reason": "对照计算"})
    for kill in kills:
        began = time.monotonic()
        batch = await kill(client, month)
        found = await computed(client, batch)
        same = ("total_fen", "items", "households", "held_households", "held_fen", "already_claimed")
        assert {name: found[name] for name in same} == {name: expected[name] for name in same}
        connection = await server.owner()
        try:
            await batch_adds_up(connection, batch, released=False)
            [job] = await connection.fetch(JOB, batch)
            assert (job["status"], job["chunks_done"]) == ("succeeded", job["chunks_total"])
            assert {row["status"] for row in await connection.fetch(CHUNKS, job["id"])} == {"done"}
        finally:
            await connection.close()
        await everything_acknowledged_is_there(client)
        await client.post(FINANCE, f"/payment-batches/{batch}/cancel", {"reason": "演练结束"})
        await asyncio.sleep(max(0.0, 6 - (time.monotonic() - began)))  # the next worker has settled
    audit_is_whole(server)
