"""A file of people into the registry: our pipeline against ``psql COPY`` of the raw file and against the usual row-by-row way.

``python bench/imports.py [--rows 1000000] [--usual-rows 20000] [--growth-rows 100000] [--json FILE]``, five minutes in full.
Everything runs against one embedded Postgres with default durability; our import runs in a process of its own, as a worker does,
through the functions of the jobs themselves: store the file, read and check it, apply it part by part, then the same file again,
and then the same rows in a file that differs by a line break, so that it has to be read.
COPY goes before and after and the mean counts; the row-by-row way takes a part of the rows, its time is scaled up linearly.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from math import log
from pathlib import Path
from statistics import mean
from typing import Any
from uuid import UUID

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pydantic import SecretStr  # noqa: E402  (the checkout comes first on the path)
from sqlalchemy import URL, text  # noqa: E402
from sqlalchemy.ext.asyncio import create_async_engine  # noqa: E402

from app.db.engine import application_url, normalise_url, seal_url, status_url  # noqa: E402
from app.db.migrate import provision_logins, upgrade  # noqa: E402
from app.db.repositories.imports import ImportRepository  # noqa: E402
from app.db.session import transaction  # noqa: E402
from app.demo.accounts import ACCOUNTS  # noqa: E402
from app.demo.load import load_accounts, load_reference  # noqa: E402
from app.domain.access import Actor, AreaScope, Duty  # noqa: E402
from app.domain.imports import service  # noqa: E402
from app.domain.imports.ports import ImportOrder, ImportRun  # noqa: E402
from app.embedded import EmbeddedPostgres  # noqa: E402
from app.files import FileStore  # noqa: E402
from app.ids import new_id  # noqa: E402
from app.jobs.imports import ImportQueue  # noqa: E402
from app.jobs.runner import run_job  # noqa: E402
from app.jobs.worker import collect_seldom  # noqa: E402
from app.runtime import Runtime, open_runtime  # noqa: E402
from app.security.keys import KeyRing  # noqa: E402
from app.settings import Settings  # noqa: E402
from bench.imports_people import HEADER, spoil_one, write_people  # noqa: E402
from bench.imports_rowwise import TODAY, load  # noqa: E402

SCOPE = AreaScope("350702", "350702")
#: Measurement → what it is, and what it has to be.
TARGETS = {
    "usual": ("import of people / row by row", "≥", 2.5),
    "first": ("import of people, first load / COPY of the file", "≥", 0.08),
    "again": ("import of people, the same file again / COPY", "≥", 0.10),
    "resaved": ("import of people, the same rows in another file / COPY", None, None),
    "memory_mib": ("import of people, peak memory / 400 MiB", "≤", 1.0),
    "growth": ("import of people, growth exponent", "≤", 1.1),
    "one_wrong_cell": ("import of people, one wrong cell / none", "≤", 1.1),
}
MEMORY_MIB = 400
PIECE = 1 << 20


# --- in a process of its own ----------------------------------------------------------------------------------------


async def import_file(runtime: Runtime, path: Path, kind: str = "people") -> ImportRun:
    """As the API and the worker do it, without the network."""
    account = next(one for one in ACCOUNTS if Duty.REVIEWER in one.duties and one.area == SCOPE.prefix)
    actor = Actor(account.id, account.username, account.level, account.area, SCOPE.district, frozenset(account.duties))
    now = datetime.now(UTC)
    async with transaction(runtime.engine, SCOPE) as session:
        kept = await FileStore(runtime.cipher).put(
            SCOPE,
            session,
            _pieces(path),
            purpose="import",
            name=path.name,
            media_type="text/csv",
            by=actor.id,
            now=now,
            max_bytes=1 << 30,
        )
        order = ImportOrder(kind, "upsert", dry_run=False, profile=None, file_id=kept.id)
        run = await service.start(ImportRepository(session), ImportQueue(session), SCOPE, new_id(), order, actor, now, TODAY)
    while not run.is_finished:
        await run_job(runtime, SCOPE, await _job_of(runtime, run.id))
        async with transaction(runtime.engine, SCOPE) as session:
            run = await ImportRepository(session).get(SCOPE, run.id)
    return run


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


async def _job_of(runtime: Runtime, import_id: UUID) -> UUID:
    async with transaction(runtime.engine, SCOPE) as session:
        query = text("SELECT job_id FROM import_run WHERE district = :district AND id = :id")
        found: UUID = (await session.execute(query, {"district": SCOPE.district, "id": import_id})).scalar_one()
        return found


async def as_worker(settings: Settings, what: str, path: Path, rows: int, kind: str) -> dict[str, Any]:
    collect_seldom()
    async with open_runtime(settings) as runtime:
        started = time.perf_counter()
        if what == "usual":
            await load(runtime, SCOPE, path, rows)
            return {"seconds": time.perf_counter() - started}
        run = await import_file(runtime, path, kind)
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        counts = run.counts
        told = [counts.created, counts.updated, counts.unchanged, counts.rejected]
        return {"seconds": seconds, "mib": peak, "counts": told, "status": run.status.value, "problem": run.problem}


# --- the comparison -------------------------------------------------------------------------------------------------


class Contest:
    """One server, one file after another."""

    def __init__(self, admin: URL, folder: Path) -> None:
        self._admin = admin
        self._folder = folder

    def settings(self, database: str) -> Settings:
        url = self._admin.set(database=database, username=f"mz_{database}", password="bench-only")
        return Settings(
            data_dir=self._folder / database,
            database_url=SecretStr(url.set(drivername="postgresql").render_as_string(hide_password=False)),
            database_admin_url=SecretStr(self._dsn(database)),
            demo=True,
            log_level="WARNING",
        )

    def _dsn(self, database: str) -> str:
        return self._admin.set(database=database, drivername="postgresql").render_as_string(hide_password=False)

    async def prepare(self, database: str) -> None:
        """A migrated database with the areas and accounts of the demo."""
        engine = create_async_engine(self._admin, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
            await connection.execute(
                text(f"CREATE DATABASE {database} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
            )
        await engine.dispose()
        settings = self.settings(database)
        settings.data_dir.mkdir(exist_ok=True)
        owner = self._admin.set(database=database)
        await upgrade(owner)
        await provision_logins(owner, application_url(settings), status_url(settings), seal_url(settings))
        if not settings.keys_path.exists():
            KeyRing.create(settings.keys_path, settings.field_cipher, demo=True)
        async with open_runtime(settings) as runtime:
            await load_reference(runtime)
            await load_accounts(runtime)

    def ours(self, database: str, path: Path, kind: str = "people") -> dict[str, Any]:
        return self._worker("ours", database, path, 0, kind)

    def usual(self, database: str, path: Path, rows: int) -> float:
        return float(self._worker("usual", database, path, rows, "people")["seconds"])

    def _worker(self, what: str, database: str, path: Path, rows: int, kind: str) -> dict[str, Any]:
        plain = self.settings(database).model_dump(mode="json")
        plain |= {
            name: getattr(self.settings(database), name).get_secret_value() for name in ("database_url", "database_admin_url")
        }
        order = json.dumps({"what": what, "settings": plain, "path": str(path), "rows": rows, "kind": kind})
        command = [sys.executable, __file__, "--worker"]
        answer: dict[str, Any] = json.loads(
            subprocess.run(command, input=order, stdout=subprocess.PIPE, text=True, check=True).stdout
        )
        return answer

    def copy(self, path: Path) -> float:
        """``psql COPY`` of the raw file into a plain table of text columns."""
        columns = ", ".join(f'"{title}" text' for title in HEADER)
        self._psql(f"DROP TABLE IF EXISTS raw; CREATE TABLE raw ({columns})")
        started = time.perf_counter()
        self._psql(f"\\copy raw FROM '{path}' WITH (FORMAT csv, HEADER true)")
        seconds = time.perf_counter() - started
        self._psql("DROP TABLE raw")
        return seconds

    def _psql(self, command: str) -> None:
        subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-c", command, self._dsn("postgres")], check=True)


def run_contest(contest: Contest, folder: Path, sizes: argparse.Namespace) -> dict[str, Any]:
    path, small, spoilt = folder / "people.csv", folder / "small.csv", folder / "spoilt.csv"
    areas = communities()
    write_people(path, sizes.rows, areas)
    write_people(small, sizes.growth_rows, areas)
    spoil_one(small, spoilt)
    for database in ("ours", "small", "spoilt", "usual"):
        asyncio.run(contest.prepare(database))
    few = _shown("first load, fewer rows", lambda: contest.ours("small", small))
    wrong = _shown("the same with one wrong cell", lambda: contest.ours("spoilt", spoilt))
    before = _shown("COPY", lambda: contest.copy(path))
    first = _shown("first load", lambda: contest.ours("ours", path))
    between = _shown("COPY", lambda: contest.copy(path))
    again = _shown("the same file again", lambda: contest.ours("ours", path))
    after = _shown("COPY", lambda: contest.copy(path))
    with path.open("ab") as file:
        file.write(b"\r\n")  # no row more, but another file: it has to be read
    resaved = _shown("the same rows in another file", lambda: contest.ours("ours", path))
    usual = _shown("row by row, a part", lambda: contest.usual("usual", path, sizes.usual_rows)) * sizes.rows / sizes.usual_rows
    assert first["counts"][0] == sizes.rows, first
    assert again["counts"][2] == resaved["counts"][2] == sizes.rows, (again, resaved)
    assert 1 <= wrong["counts"][3] <= 8, wrong
    growth = (
        log(first["seconds"] / few["seconds"]) / log(sizes.rows / sizes.growth_rows) if sizes.rows != sizes.growth_rows else 0.0
    )
    return {
        "rows": sizes.rows,
        "file_mib": path.stat().st_size / 2**20,
        "copy_seconds": [before, between, after],
        "first_seconds": first["seconds"],
        "again_seconds": again["seconds"],
        "resaved_seconds": resaved["seconds"],
        "usual_seconds": usual,
        "usual": usual / first["seconds"],
        "first": mean((before, between)) / first["seconds"],
        "again": mean((between, after)) / again["seconds"],
        "resaved": mean((between, after)) / resaved["seconds"],
        "memory_mib": max(first["mib"], again["mib"], resaved["mib"]),
        "growth": growth,
        "one_wrong_cell": wrong["seconds"] / few["seconds"],
    }


def _shown(what: str, work: Callable[[], Any]) -> Any:
    started = time.perf_counter()
    result = work()
    print(f"{what}: {time.perf_counter() - started:.1f} s {result if isinstance(result, dict) else ''}", file=sys.stderr)
    return result


def communities() -> list[str]:
    lines = (ROOT / "app/data/areas-350702.csv").read_text("utf-8").splitlines()
    return [line.split(",")[0] for line in lines if ",community," in line]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--usual-rows", type=int, default=20_000)
    parser.add_argument("--growth-rows", type=int, default=100_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    sizes = arguments()
    if sizes.worker:
        order = json.load(sys.stdin)
        settings = Settings(**order.pop("settings"))
        result = asyncio.run(as_worker(settings, order["what"], Path(order["path"]), order["rows"], order["kind"]))
        print(json.dumps(result))
        return
    folder = Path(tempfile.mkdtemp(prefix="mz-bench-"))
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder / "server", sync_initdb=False) as postgres:
            contest = Contest(normalise_url(postgres.admin_dsn()), folder)
            results = run_contest(contest, folder, sizes)
            postgres.remove()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    ratios = results | {"memory_mib": results["memory_mib"] / MEMORY_MIB}
    told = [
        {"name": name, "ratio": ratios[what], "relation": relation, "target": target}
        for what, (name, relation, target) in TARGETS.items()
    ]
    for one in told:
        print(f"{one['name']}: {one['ratio']:.3f}" + (f" (target {one['relation']} {one['target']})" if one["target"] else ""))
    print(json.dumps(results))
    if sizes.json:
        sizes.json.write_text(json.dumps({"results": told, "measured": results}, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
