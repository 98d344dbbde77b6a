"""What a first load of people can't fall below: Postgres writing rows that lie ready, Python reading and sealing, each by itself.

``python bench/imports_floor.py [--rows 200000]``, two minutes on a quiet machine. Everything in microseconds of a row of the
file, beside ``psql COPY`` of the file and the first load itself, so that a target can be weighed: two cores have twice the time.

- ``as it is``: ``INSERT … SELECT`` into the registry's tables under the application's role: walls, checks, foreign keys, indexes.
- ``no walls, checks, foreign keys``: the same rows into copies of the tables with all their indexes.
- ``keys only``: copies with nothing but a key each (who is who, who lives where, what holds since when) and the index by area.
- ``reading``: text to checked columns. ``sealing``: three digests and the sealed fields of a row, without anything around them.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sqlalchemy import text  # noqa: E402  (the checkout comes first on the path)
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine  # noqa: E402

import app.db.import_writers.everything  # noqa: E402, F401  (registers the kinds)
from app.db.engine import normalise_url  # noqa: E402
from app.domain.imports.reading import Plan, parse_block  # noqa: E402
from app.domain.imports.registry import kind_of  # noqa: E402
from app.embedded import EmbeddedPostgres  # noqa: E402
from app.ids import new_id  # noqa: E402
from app.jobs.import_reading import Cutter, open_file  # noqa: E402
from app.jobs.worker import collect_seldom  # noqa: E402
from app.security.fields import Field, FieldCipher  # noqa: E402
from app.security.keys import KeyRing  # noqa: E402
from bench.imports import SCOPE, TODAY, Contest, communities  # noqa: E402
from bench.imports_people import write_people  # noqa: E402

#: Parents first. Table → the keys of its leanest copy.
TABLES: Final = {
    "identity_key": ("index_version, bidx",),
    "identity_home": ("person_uid",),
    "household": ("district, id", "district, household_no", "district, area_code, id"),
    "person": ("district, id", "district, area_code, id", "district, name_key"),
    "household_member": ("district, person_id", "district, household_id"),
    "person_fact": ("district, person_id, kind, valid_from",),
    "import_mark": ("district, kind, subject_key",),
}
WALLS: Final = "SELECT set_config('app.district', '350702', true), set_config('app.scope', '350702', true)"


async def postgres_alone(dsn: str, rows: int) -> dict[str, float]:
    engine = create_async_engine(normalise_url(dsn))
    try:
        async with engine.begin() as connection:
            await _lay_ready(connection)
        return {
            "as it is": await _filled(engine.connect, "public", rows, role="minzheng_api"),
            "no walls, checks, foreign keys": await _filled(engine.connect, "whole", rows),
            "keys only": await _filled(engine.connect, "lean", rows),
        }
    finally:
        await engine.dispose()


async def _lay_ready(connection: AsyncConnection) -> None:
    """The rows of the first load in tables of their own, and the empty copies to fill."""
    for schema in ("ready", "whole", "lean"):
        await connection.execute(text(f"CREATE SCHEMA {schema}"))
    await connection.execute(text("GRANT USAGE ON SCHEMA ready TO minzheng_api"))
    await connection.execute(text("SET LOCAL session_replication_role = replica"))  # the guards against TRUNCATE
    for table, keys in TABLES.items():
        await connection.execute(text(f"CREATE TABLE ready.{table} AS SELECT * FROM public.{table} ORDER BY ctid"))
        await connection.execute(text(f"GRANT SELECT ON ready.{table} TO minzheng_api"))
        await connection.execute(text(f"CREATE TABLE whole.{table} (LIKE public.{table} INCLUDING INDEXES)"))
        await connection.execute(text(f"CREATE TABLE lean.{table} (LIKE public.{table})"))
        for key in keys:
            await connection.execute(text(f"CREATE INDEX ON lean.{table} ({key})"))
    await connection.execute(text(f"TRUNCATE {', '.join(TABLES)} CASCADE"))


async def _filled(connect: Callable[[], AsyncConnection], schema: str, rows: int, role: str | None = None) -> float:
    async with connect() as connection:
        if role is not None:
            await connection.execute(text(f"SET LOCAL ROLE {role}"))
            await connection.execute(text(WALLS))
        started = time.perf_counter()
        for table in TABLES:
            await connection.execute(text(f"INSERT INTO {schema}.{table} SELECT * FROM ready.{table}"))
        await connection.commit()
        return (time.perf_counter() - started) / rows * 1e6


def python_alone(path: Path, rows: int, folder: Path) -> dict[str, float]:
    areas = frozenset(line.split(",")[0] for line in (ROOT / "app/data/areas-350702.csv").read_text("utf-8").splitlines())
    collect_seldom()
    with path.open("rb") as source:
        file = open_file(source, path.name, kind_of("people"), None)
        plan = Plan(kind_of("people"), file.layout, SCOPE, areas, TODAY)
        cutter, blocks = Cutter(file.rows, 0), []
        started = time.perf_counter()
        while part := cutter.next():
            blocks.append(parse_block(plan, part)[0])
        reading = time.perf_counter() - started
    keys = KeyRing.create(folder / "floor-keys.json", "aes-256-gcm-siv", demo=True)
    started = time.perf_counter()
    for block in blocks:
        numbers = [number.encode() for number in block.columns["id_number"]]
        for purpose in ("import_person", "import_row", "index"):
            keys.fingerprint_many(purpose, numbers)
        _seal(FieldCipher(keys), block.columns)
    return {"reading": reading / rows * 1e6, "sealing": (time.perf_counter() - started) / rows * 1e6}


def _seal(cipher: FieldCipher, columns: dict[str, Sequence[str | None]]) -> None:
    owners = [new_id()] * len(columns["id_number"])
    for field, name in (
        (Field.ID_NUMBER, "id_number"),
        (Field.PHONE, "phone"),
        (Field.ADDRESS, "address"),
        (Field.BANK_ACCOUNT, "account_number"),
    ):
        cipher.seal_many(field, owners, columns[name])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows
    folder = Path(tempfile.mkdtemp(prefix="mz-bench-"))
    folder.chmod(0o711)
    try:
        path = folder / "people.csv"
        write_people(path, rows, communities())
        with EmbeddedPostgres(folder / "server", sync_initdb=False) as postgres:
            contest = Contest(normalise_url(postgres.admin_dsn()), folder)
            asyncio.run(contest.prepare("floor"))
            told = {"COPY of the file": contest.copy(path) / rows * 1e6}
            told["first load"] = contest.ours("floor", path)["seconds"] / rows * 1e6
            told |= asyncio.run(postgres_alone(postgres.admin_dsn("floor"), rows))
            postgres.remove()
        told |= python_alone(path, rows, folder)
        for what, microseconds in told.items():
            print(f"{what}: {microseconds:.1f} µs a row, {told['COPY of the file'] / microseconds:.3f} of COPY's rate")
        for tables in ("as it is", "keys only"):
            least = (told[tables] + told["reading"] + told["sealing"]) / 2
            rate = told["COPY of the file"] / least
            print(f"{tables}, reading and sealing side by side on two cores, nothing else: {rate:.3f} of COPY's rate at most")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
