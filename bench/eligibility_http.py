"""One assessment over HTTP with its full trace, against OpenFisca's ``/calculate`` on an equivalent tiny rule set.

``python bench/eligibility_http.py [--rounds 7] [--seconds 3] [--connections 1] [--json FILE]``: one worker process each, the same
households, interleaved rounds, medians. About a minute.
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
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import asyncpg  # noqa: E402  (the checkout comes first on the path)
import psutil  # noqa: E402

from app.db.engine import application_url, normalise_url, seal_url, status_url  # noqa: E402
from app.db.migrate import provision_logins, upgrade  # noqa: E402
from app.demo.load import load_accounts, load_reference  # noqa: E402
from app.embedded import EmbeddedPostgres  # noqa: E402
from app.runtime import open_runtime  # noqa: E402
from app.security.keys import KeyRing  # noqa: E402
from app.settings import Settings  # noqa: E402
from bench.load import Round, Used, http_request, run_load, run_round  # noqa: E402
from bench.openfisca_env import openfisca_python  # noqa: E402

COMMUNITY = "350702001001"
PERIOD = "2026-11"
SERVERS = ("openfisca", "minzheng")
TARGET = 4.0
# What our answer tells too: each condition, the outcome, the parts of the amount.
ASKED = (
    *("dibao", "outcome", "base", "cut", "income", "counted_members", "agreed", "not_in_tekun", "not_in_other_dibao"),
    *("assets_within_limit", "things_within_limit", "income_below"),
)
Member = dict[str, Any]


def families(count: int = 200) -> list[list[Member]]:
    """Households of three: two adults with incomes and a child, some of them in hardship."""
    chance = random.Random(1)  # noqa: S311  (fixed households are the point)
    return [
        [
            {"relation": "head", "birth_date": f"{chance.randint(1945, 1990)}-03-16", "wage": chance.randrange(0, 120_000)},
            {"relation": "spouse", "birth_date": f"{chance.randint(1945, 1995)}-09-22", "wage": chance.randrange(0, 60_000)},
            {"relation": "child", "birth_date": f"{chance.randint(2005, 2024)}-05-10", "ill": chance.random() < 0.3, "wage": 0},
        ]
        for _ in range(count)
    ]


def ours(family: list[Member]) -> bytes:
    members = [
        {
            "ref": f"m{place}",
            "relation": one["relation"],
            "birth_date": one["birth_date"],
            "serious_illness": one.get("ill", False),
            "incomes": [{"kind": "wage", "monthly_fen": one["wage"]}],
        }
        for place, one in enumerate(family)
    ]
    household = {
        "members": members,
        "assets": [{"kind": "deposit", "value_fen": 2_000_000}],
        "expenses": [],
        "authorised_verification": True,
    }
    asked = {"business_date": "2026-11-20", "area_code": COMMUNITY, "residence": "urban", "programmes": ["dibao"]}
    return json.dumps(asked | {"household": household}).encode()


def theirs(family: list[Member]) -> bytes:
    codes = {"head": 1, "spouse": 2, "child": 3}
    persons = {
        f"m{place}": {
            "birth": {"ETERNITY": one["birth_date"]},
            "relation": {PERIOD: codes[one["relation"]]},
            "serious_illness": {PERIOD: one.get("ill", False)},
            "wage_fen": {PERIOD: one["wage"]},
            "counted": {PERIOD: None},
            "uplift": {PERIOD: None},
        }
        for place, one in enumerate(family)
    }
    household = {
        "heads": ["m0"],
        "members": ["m1", "m2"],
        "residence": {PERIOD: 1},
        "authorised": {PERIOD: 1},
        "financial_fen": {PERIOD: 2_000_000},
        **{name: {PERIOD: None} for name in ASKED},
    }
    return json.dumps({"persons": persons, "households": {"h": household}}).encode()


# --- the two servers ------------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """Where it answers, and the processes that work for it."""

    port: int
    pids: tuple[int, ...]


@contextmanager
def started(
    command: list[str], port: int, path: str, environment: dict[str, str], helpers: Sequence[int] = ()
) -> Iterator[Server]:
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stderr=subprocess.DEVNULL)
    try:
        _wait(process, f"http://127.0.0.1:{port}{path}")
        yield Server(port, (process.pid, *helpers))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310  (the loopback)
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("a server did not start")


async def prepare(postgres: EmbeddedPostgres, folder: Path) -> tuple[str, dict[str, str]]:
    """A migrated database with areas, policy and accounts; a clerk's token, and the environment of the server."""
    connection = await asyncpg.connect(postgres.admin_dsn())
    await connection.execute("CREATE DATABASE bench ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    await connection.close()
    admin = normalise_url(postgres.admin_dsn("bench"))
    dsn = admin.set(username="bench_app", password=secrets.token_hex(16), drivername="postgresql")
    plain = dsn.render_as_string(hide_password=False)
    environment = {"DATABASE_URL": plain, "DATA_DIR": str(folder), "LOG_LEVEL": "WARNING", "DEMO": "true"}
    os.environ |= environment
    settings = Settings()
    await upgrade(admin)
    await provision_logins(admin, application_url(settings), status_url(settings), seal_url(settings))
    KeyRing.create(settings.keys_path, settings.field_cipher, demo=True)
    async with open_runtime(settings) as runtime:
        await load_reference(runtime)
        clerk = next(one for one in await load_accounts(runtime) if one.username == "s001.clerk")
        token = runtime.tokens.issue_access_token(subject=clerk.id, level=clerk.level, area=clerk.area, duties=clerk.duties)
    return token, environment


# --- measuring ------------------------------------------------------------------------------------------------------------------


async def measure(
    servers: dict[str, Server], made: dict[str, list[bytes]], options: argparse.Namespace
) -> dict[str, list[Round]]:
    """Interleaved rounds after one that warms up; who begins changes with every round."""
    measured: dict[str, list[Round]] = {name: [] for name in SERVERS}
    used = {name: Used(server.pids) for name, server in servers.items()}
    for turn in range(-1, options.rounds):
        for name in SERVERS if turn % 2 else reversed(SERVERS):
            seconds = options.seconds if turn >= 0 else 1.0
            used[name].seconds()
            found = await run_round(servers[name].port, made[name], seconds=seconds, connections=options.connections)
            if turn >= 0:
                measured[name].append(replace(found, cpu_seconds=used[name].seconds()))
    return measured


def same_amounts(servers: dict[str, Server], token: str) -> None:
    """Both give the same amount to every household; else one would measure another formula."""
    for family in families():
        answer = _post(
            servers["minzheng"].port, "/api/v1/eligibility/assessments", ours(family), {"Authorization": f"Bearer {token}"}
        )
        other = _post(servers["openfisca"].port, "/calculate", theirs(family), {})
        (result,) = answer["results"]
        assert result["trace"]
        assert (result["monthly_fen"] or 0) == round(other["households"]["h"]["dibao"][PERIOD]), (family, result)


def _post(port: int, path: str, body: bytes, headers: dict[str, str]) -> Any:
    url = f"http://127.0.0.1:{port}{path}"
    asked = urllib.request.Request(url, body, {"Content-Type": "application/json"} | headers)
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


def run(options: argparse.Namespace) -> dict[str, list[Round]]:
    folder, python = Path(tempfile.mkdtemp(prefix="mz-bench-")), openfisca_python()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = stack.enter_context(EmbeddedPostgres(folder))
        stack.callback(postgres.remove)
        token, environment = asyncio.run(prepare(postgres, folder))
        port, other = free_port(), free_port()
        uvicorn = [sys.executable, "-m", "uvicorn", "app.main:create_app", "--factory", "--port", str(port)]
        command = [*uvicorn, "--no-access-log", "--log-level", "warning"]
        database = [child.pid for child in psutil.Process().children() if "postgres" in child.name()]
        servers = {
            "minzheng": stack.enter_context(started(command, port, "/livez", environment, database)),
            "openfisca": stack.enter_context(
                started([str(python), str(ROOT / "bench" / "openfisca_rules.py"), "serve", str(other)], other, "/spec", {})
            ),
        }
        same_amounts(servers, token)
        headers = {"Authorization": f"Bearer {token}"}
        made = {
            "minzheng": [http_request("/api/v1/eligibility/assessments", ours(one), headers) for one in families()],
            "openfisca": [http_request("/calculate", theirs(one), {}) for one in families()],
        }
        return run_load(measure(servers, made, options))


def report(measured: dict[str, list[Round]]) -> float:
    titles = {"openfisca": "OpenFisca /calculate", "minzheng": "one assessment, full trace"}
    rates = {name: median(one.per_second for one in rounds) for name, rounds in measured.items()}
    cpu = {name: median(one.cpu_ms for one in rounds) for name, rounds in measured.items()}
    heads = ("requests/s", "min", "max", "p50 ms", "p99 ms", "cpu ms", "ratio", "target")
    print(f"\n{'':30}" + "".join(f" {head:>10}" for head in heads))
    for name, rounds in measured.items():
        each = [one.per_second for one in rounds]
        p50, p99 = median(one.p50_ms for one in rounds), median(one.p99_ms for one in rounds)
        line = (
            f"{titles[name]:30} {rates[name]:10.0f} {min(each):10.0f} {max(each):10.0f} {p50:10.2f} {p99:10.2f} {cpu[name]:10.2f}"
        )
        print(line + (f" {rates[name] / rates['openfisca']:10.2f} {TARGET:10.1f}" if name == "minzheng" else ""))
    print(f"processor time for one answer, servers and database: ratio {cpu['openfisca'] / cpu['minzheng']:.2f}")
    return rates["minzheng"] / rates["openfisca"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    measured = run(options)
    ratio = report(measured)
    if options.json:
        rounds = {name: [asdict(one) | {"per_second": one.per_second} for one in found] for name, found in measured.items()}
        result = {"name": "one assessment over HTTP / OpenFisca /calculate", "ratio": ratio, "relation": "≥", "target": TARGET}
        options.json.write_text(json.dumps({"results": [result], "rounds": rounds}, indent=1) + "\n")


if __name__ == "__main__":
    main()
