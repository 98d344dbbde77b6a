"""Throughput of ``POST /api/v1/status-queries`` against a bare FastAPI + asyncpg point select, in the same run.

``python bench/status_query.py [--rounds 7] [--seconds 3] [--people 100000] [--json FILE]``: rounds are interleaved, medians
compared; the ratio travels between machines, the numbers don't. About a minute and a half.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import asyncpg  # noqa: E402  (the checkout comes first on the path)
import httpx  # noqa: E402

from app.db.engine import application_url, normalise_url, seal_url, status_url  # noqa: E402
from app.db.migrate import provision_logins, upgrade  # noqa: E402
from app.domain.access import Duty, Level  # noqa: E402
from app.domain.identity import checksum_character  # noqa: E402
from app.embedded import EmbeddedPostgres  # noqa: E402
from app.ids import new_id  # noqa: E402
from app.runtime import open_runtime  # noqa: E402
from app.security.fields import BlindIndex, Field  # noqa: E402
from app.security.keys import KeyRing  # noqa: E402
from app.settings import Settings  # noqa: E402
from bench.load import Round, http_request, run_load, run_round  # noqa: E402

DISTRICT, COMMUNITY = "350702", "350702001001"
CLIENT = UUID("0199ffff-0000-7000-8000-000000000001")
SERVERS = ("bare", "status", "unsigned")
QUOTA = 2_000_000_000
TITLES = {"bare": "bare FastAPI + asyncpg point select", "status": "status query", "unsigned": "status query, attest=false"}


@dataclass(frozen=True)
class Person:
    number: str
    name: str
    uid: UUID


def people(count: int) -> list[Person]:
    """Synthetic people: sequence numbers that are never given out, like those of the demo."""
    found = []
    for place in range(count):
        born = date(1900, 1, 1) + timedelta(days=place % 40_000)
        digits = f"{DISTRICT}{born:%Y%m%d}{990 + place // 40_000}"
        found.append(Person(digits + checksum_character(digits), f"测试{place}", uuid4()))
    return found


async def fill(dsn: str, index: BlindIndex, everybody: list[Person]) -> None:
    """The read model of the status queries for everybody, the bare table, one client with an agreement."""
    now, since = datetime.now(UTC), date(2026, 1, 1)
    connection = await asyncpg.connect(dsn)
    keys = [(*index.current(Field.ID_NUMBER, person.number), person.uid) for person in everybody]
    await connection.copy_records_to_table("identity_key", records=keys, columns=["index_version", "bidx", "person_uid"])
    columns = ["district", "id", "area_code", "person_uid", "name_key", "programme", "category", "entitlement_id", "since_month"]
    rows = [(DISTRICT, new_id(), COMMUNITY, p.uid, p.name, "dibao", "A", uuid4(), since) for p in everybody]
    await connection.copy_records_to_table("enrolment", records=rows, columns=columns)
    await connection.execute("CREATE TABLE bench_point (number text PRIMARY KEY, programme text, category text, since text)")
    await connection.execute("GRANT SELECT ON bench_point TO minzheng_api")
    bare = [(person.number, "dibao", "A", "2026-01") for person in everybody]
    await connection.copy_records_to_table("bench_point", records=bare)
    await connection.execute(
        "INSERT INTO client (id, client_id, name, area_code, district, demo, created_at, created_by, tokens_valid_from, version)"
        " VALUES ($1, 'bench', 'bench', $2, $2, false, $3, 'bench', $3, 1)",
        CLIENT,
        DISTRICT,
        now - timedelta(days=1),
    )
    await connection.execute(
        "INSERT INTO sharing_agreement (district, id, area_code, client_id, programmes, purposes, fields, quota_per_day,"
        " valid_from, created_at, created_by)"
        " VALUES ($1, $2, $1, $3, '{dibao}', '{bench}', '{category,since,valid_until}', $4, '2026-01-01', $5, 'bench')",
        DISTRICT,
        uuid4(),
        CLIENT,
        QUOTA,
        now,
    )
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def requests_of(everybody: list[Person], token: str) -> dict[str, list[bytes]]:
    """The same random people for each; of ten, seven are enrolled, one under another name, two not known."""
    chosen = random.Random(1).sample(everybody, min(5_000, len(everybody)))  # noqa: S311  (a fixed choice is the point)
    headers = {"Authorization": f"Bearer {token}"}
    made: dict[str, list[bytes]] = {name: [] for name in SERVERS}
    for place, person in enumerate(chosen):
        made["bare"].append(http_request("/status", json.dumps({"id_number": person.number}).encode(), {}))
        body = {
            "id_number": person.number if place % 10 < 8 else unknown_number(place),
            "name": person.name if place % 10 != 7 else "另有其人",
            "as_of": "2026-08-15",
            "programmes": ["dibao"],
            "purpose": "bench",
            "legal_basis": "政务数据共享条例 第二十条",
            "case_no": f"BENCH-{place}",
        }
        for name, attest in (("status", True), ("unsigned", False)):
            made[name].append(http_request("/api/v1/status-queries", json.dumps(body | {"attest": attest}).encode(), headers))
    return made


def unknown_number(place: int) -> str:
    digits = f"340882{date(1900, 1, 1) + timedelta(days=place):%Y%m%d}990"
    return digits + checksum_character(digits)


@contextmanager
def server(app: str, environment: dict[str, str]) -> Iterator[int]:
    """One uvicorn process on a free port of the loopback; yields the port once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--factory"] if app.endswith("create_app") else []
    command = [sys.executable, "-m", "uvicorn", app, *options, "--port", str(port), "--no-access-log", "--log-level", "warning"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment)
    try:
        _wait(process, port)
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/openapi.json", timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("a server did not start")


async def measure(ports: dict[str, int], made: dict[str, list[bytes]], options: argparse.Namespace) -> dict[str, list[Round]]:
    """Interleaved rounds, each in turn the first, after one round that warms up and isn't counted."""
    measured: dict[str, list[Round]] = {name: [] for name in SERVERS}
    for turn in range(-1, options.rounds):
        order = [*SERVERS[turn % 3 :], *SERVERS[: turn % 3]]
        for name in order:
            seconds = options.seconds if turn >= 0 else 1.0
            measured_round = await run_round(ports[name], made[name], seconds=seconds, connections=options.connections)
            if turn >= 0:
                measured[name].append(measured_round)
    return measured


async def prepare(postgres: EmbeddedPostgres, folder: Path, count: int) -> tuple[dict[str, list[bytes]], dict[str, str]]:
    """A migrated and filled database; the requests, and the environment that the servers need."""
    admin, password = postgres.admin_dsn("bench"), secrets.token_hex(16)
    connection = await asyncpg.connect(postgres.admin_dsn())
    await connection.execute("CREATE DATABASE bench ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    await connection.close()
    url = normalise_url(admin).set(username="bench_app", password=password, drivername="postgresql")
    dsn = url.render_as_string(hide_password=False)
    environment = {"DATABASE_URL": dsn, "DATA_DIR": str(folder), "LOG_LEVEL": "WARNING", "BENCH_DSN": dsn}
    os.environ |= environment
    settings = Settings()
    await upgrade(normalise_url(admin))
    await provision_logins(normalise_url(admin), application_url(settings), status_url(settings), seal_url(settings))
    KeyRing.create(settings.keys_path, settings.field_cipher)
    everybody = people(count)
    async with open_runtime(settings) as runtime:
        await fill(admin, runtime.blind_index, everybody)
        token = runtime.tokens.issue_access_token(subject=CLIENT, level=Level.DISTRICT, area=DISTRICT, duties=[Duty.BUREAU])
    return requests_of(everybody, token), environment


def run(options: argparse.Namespace) -> dict[str, list[Round]]:
    folder = Path(tempfile.mkdtemp(prefix="mz-bench-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = stack.enter_context(EmbeddedPostgres(folder))
        stack.callback(postgres.remove)
        made, environment = asyncio.run(prepare(postgres, folder, options.people))
        status = stack.enter_context(server("app.main:create_app", environment))
        bare = stack.enter_context(server("bench.bare_app:app", environment))
        measured = run_load(measure({"bare": bare, "status": status, "unsigned": status}, made, options))
        asyncio.run(check_log(postgres.admin_dsn("bench"), sum(r.requests for n in SERVERS[1:] for r in measured[n])))
    return measured


async def check_log(dsn: str, answered: int) -> None:
    """A fast answer that wasn't logged would not count."""
    connection = await asyncpg.connect(dsn)
    logged = await connection.fetchval("SELECT count(*) FROM status_query_log")
    used = await connection.fetchval("SELECT sum(used) FROM status_quota")
    await connection.close()
    assert logged == used >= answered, (logged, used, answered)


def report(measured: dict[str, list[Round]]) -> dict[str, float]:
    rates = {name: median(r.per_second for r in rounds) for name, rounds in measured.items()}
    print(f"\n{'':38} {'requests/s':>10} {'min':>8} {'max':>8} {'p50 ms':>8} {'p99 ms':>8} {'ratio':>7}")
    for name, rounds in measured.items():
        each = [r.per_second for r in rounds]
        p50, p99 = median(r.p50_ms for r in rounds), median(r.p99_ms for r in rounds)
        ratio = rates[name] / rates["bare"]
        print(f"{TITLES[name]:38} {rates[name]:10.0f} {min(each):8.0f} {max(each):8.0f} {p50:8.2f} {p99:8.2f} {ratio:7.3f}")
    return {name: rate / rates["bare"] for name, rate in rates.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    measured = run(options)
    ratios = report(measured)
    if options.json:
        rounds = {name: [asdict(r) | {"per_second": r.per_second} for r in found] for name, found in measured.items()}
        results = [{"name": f"{TITLES[name]} / point select", "ratio": ratios[name]} for name in SERVERS[1:]]
        options.json.write_text(json.dumps({"results": results, "rounds": rounds}, indent=1) + "\n")


if __name__ == "__main__":
    main()
