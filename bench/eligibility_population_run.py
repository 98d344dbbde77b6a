"""Whole populations: the set-wise kernel, the way from table to stored differences, and how both grow.

``python bench/eligibility_population_run.py [--rounds 5] [--households 400000] [--only kernel|table|growth] [--json FILE]``
Every comparison runs in the same process turn by turn; medians of the rounds; about three minutes in all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from math import log
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID, uuid4

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import asyncpg  # noqa: E402  (the checkout comes first on the path)
import numpy as np  # noqa: E402
import yaml  # noqa: E402
from sqlalchemy.ext.asyncio import create_async_engine  # noqa: E402

from app.db.copy_columns import EPOCH_ORDINAL, FixedRows, copy_in  # noqa: E402
from app.db.engine import normalise_url  # noqa: E402
from app.db.migrate import upgrade  # noqa: E402
from app.db.population_runs import RunOrder, run_population  # noqa: E402
from app.db.session import enter_scope, raw_connection, transaction  # noqa: E402
from app.domain.access import AreaScope  # noqa: E402
from app.domain.eligibility import ParameterBook, rows_of  # noqa: E402
from app.domain.eligibility.columns_setwise import Population, held_bit  # noqa: E402
from app.domain.eligibility.engine_setwise import assess_population  # noqa: E402
from app.domain.eligibility.rules_setwise import Rules  # noqa: E402
from app.embedded import EmbeddedPostgres  # noqa: E402
from bench.eligibility_handwritten import WITH_SQL, with_numpy  # noqa: E402
from bench.eligibility_population import AREA, ON, make_population  # noqa: E402
from bench.openfisca_env import openfisca_python  # noqa: E402

NUMPY_TARGET, OPENFISCA_TARGET, SQL_TARGET, GROWTH_TARGET = 0.7, 8.0, 0.5, 1.1
SCOPE = AreaScope(AREA, AREA)
COMMUNITIES = 200
URBAN, RURAL = 55_200, 44_200
AMOUNTS = ["wage_fen", "business_fen", "basic_pension_fen", "other_income_fen"]
STANDINGS = ["absence", "study", "relation", "disability_grade", "serious_illness", "employable", "job_offers_refused"]
PERSON_FACTS = [*AMOUNTS, *STANDINGS, "member_authorised"]
CURRENT = ["current_programme", "current_fen", "current_by_employment"]
HOUSEHOLD_FACTS = ["residence", "deductible_fen", "authorised", "financial_fen", "vehicles", "homes", *CURRENT]
Results = list[tuple[str, float, str, float]]
"""What was compared, the ratio, how it relates to the target, the target."""


def demo_book() -> ParameterBook:
    return ParameterBook(rows_of(yaml.safe_load((ROOT / "app/data/demo-policy.yaml").read_text("utf-8"))), demo=True)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def kernel(population: Population, rules: Rules) -> Callable[[], object]:
    """Each time on a population that has computed nothing yet."""

    def work() -> object:
        fresh = Population(**{name: getattr(population, name) for name in Population.__dataclass_fields__})
        return assess_population(fresh, rules, ["dibao"])

    return work


# --- the kernel against hand-written numpy and OpenFisca ------------------------------------------------------------


def save_for_openfisca(population: Population, folder: Path) -> None:
    """The same facts as OpenFisca takes them in: 32-bit floats for amounts, dates for births."""
    for name in (*PERSON_FACTS, *HOUSEHOLD_FACTS):
        column = getattr(population, name)
        kind = np.float32 if name.endswith("_fen") else np.bool_ if column.dtype == np.bool_ else np.int32
        np.save(folder / f"{name}.npy", column.astype(kind))
    np.save(folder / "birth.npy", (population.birth - np.datetime64(0, "D").item().toordinal()).astype("datetime64[D]"))
    for name in ("tekun", "dibao"):
        np.save(folder / f"in_{name}.npy", (population.holds & held_bit(name)) != 0)
    np.save(folder / "owners.npy", np.repeat(np.arange(population.households), population.size))


@contextmanager
def openfisca(folder: Path) -> Iterator[Callable[[], float]]:
    """Seconds of one build + calculate, each time it is called."""
    command = [str(openfisca_python()), str(ROOT / "bench" / "openfisca_rules.py"), "compute", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def turn() -> float:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("again\n")
            process.stdin.flush()
            return float(process.stdout.readline().split()[0])

        yield turn
        assert process.stdin is not None
        process.stdin.close()


def measure_kernel(households: int, rounds: int) -> Results:
    population, rules = make_population(households), Rules(demo_book(), AREA, ON)
    answers = assess_population(population, rules, ["dibao"])["dibao"]
    outcome, amount = with_numpy(population, URBAN, RURAL)
    assert (outcome == answers.outcome).all()
    assert (amount == answers.monthly_fen).all()
    times: dict[str, list[float]] = {"kernel": [], "numpy": [], "openfisca": []}
    folder = Path(tempfile.mkdtemp(prefix="mz-bench-"))
    try:
        save_for_openfisca(population, folder)
        with openfisca(folder) as turn:
            turn()
            for _ in range(rounds):
                times["kernel"].append(seconds(kernel(population, rules)))
                times["numpy"].append(seconds(lambda: with_numpy(population, URBAN, RURAL)))
                times["openfisca"].append(turn())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    middle = {name: median(found) for name, found in times.items()}
    print(f"{households} households, {population.members} people; milliseconds (median of {rounds})")
    for name, found in middle.items():
        print(f"  {name:12} {found * 1000:9.1f}")
    return [
        ("kernel / hand-written numpy", middle["numpy"] / middle["kernel"], "≥", NUMPY_TARGET),
        ("kernel / OpenFisca build + calculate", middle["openfisca"] / middle["kernel"], "≥", OPENFISCA_TARGET),
    ]


# --- from table to stored differences ------------------------------------------------------------

_HOUSEHOLD = {
    "household_id": "uuid",
    "area_code": "text(12)",
    "size": "int2",
    "residence": "int2",
    "deductible_fen": "int8",
    "authorised": "int2",
    "financial_fen": "int8",
    "vehicles": "int2",
    "homes": "int2",
    "current_programme": "int2",
    "current_fen": "int8",
    "current_by_employment": "bool",
}
_MEMBER = {
    "household_id": "uuid",
    "area_code": "text(12)",
    "person_id": "uuid",
    "birth_date": "date",
    **dict.fromkeys(("relation", "absence", "study", "employment", "job_offers_refused"), "int2"),
    **dict.fromkeys(("disability_category", "disability_grade"), "int2"),
    **dict.fromkeys(("employable", "needs_care", "serious_illness"), "bool"),
    "member_authorised": "int2",
    "holds": "int4",
    **dict.fromkeys(("wage_fen", "business_fen", "basic_pension_fen", "old_age_allowance_fen", "other_income_fen"), "int8"),
}
# What is NULL in the tables comes as -1.
_KNOWN = {"authorised", "member_authorised", "financial_fen", "current_fen"}
_RENAMED = {"member_authorised": "authorised"}


def _expression(name: str) -> str:
    if name not in _KNOWN:
        return name
    return f"nullif({name}, -1)" + ("::int::boolean" if name.endswith("authorised") else "")


async def fill(driver: Any, population: Population) -> None:
    """The population as the tables hold it, in 200 communities."""
    number = np.arange(population.households)
    households = {name: getattr(population, name) for name in _HOUSEHOLD if hasattr(population, name)}
    codes = np.array([f"{AREA}{1 + place // 20:03}{1 + place % 20:03}" for place in range(COMMUNITIES)], dtype="S12")
    households["area_code"] = codes[number * COMMUNITIES // population.households]
    households["household_id"] = _ids(number, 0)
    owners = np.repeat(number, population.size)
    members = {name: getattr(population, name) for name in _MEMBER if hasattr(population, name)}
    members |= {name: households[name][owners] for name in ("household_id", "area_code")}
    members |= {"person_id": _ids(np.arange(population.members), 1), "birth_date": population.birth - EPOCH_ORDINAL}
    await _load(driver, "population_household", _HOUSEHOLD, households, {"refreshed_at": "now()"})
    await _load(driver, "population_member", _MEMBER, members, {})


def _ids(number: Any, kind: int) -> Any:
    """Ids in ascending order, like those made one after the other."""
    raw = np.zeros((len(number), 2), dtype=">u8")
    raw[:, 0] = 0x0199_0000_0000_7000 + kind
    raw[:, 1] = number.astype(np.uint64) | np.uint64(1 << 63)
    return np.ascontiguousarray(raw).view("V16").reshape(-1)


async def _load(driver: Any, table: str, kinds: dict[str, str], columns: dict[str, Any], more: dict[str, str]) -> None:
    listed = ", ".join(f"{name} {kind.partition('(')[0]}" for name, kind in kinds.items())
    await driver.execute(f"CREATE TEMP TABLE filling ({listed})")
    await copy_in(driver, "filling", columns, FixedRows(kinds))
    targets = ", ".join(["district", *(_RENAMED.get(name, name) for name in kinds), *more])
    values = ", ".join([f"'{AREA}'", *(_expression(name) for name in kinds), *more.values()])
    await driver.execute(f"INSERT INTO {table} ({targets}) SELECT {values} FROM filling", timeout=300)
    await driver.execute("DROP TABLE filling")


async def prepare(postgres: EmbeddedPostgres, population: Population) -> str:
    """A migrated database with the population, and a role that the walls bind; its address."""
    connection = await asyncpg.connect(postgres.admin_dsn())
    await connection.execute("CREATE DATABASE bench ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    await connection.close()
    admin, password = normalise_url(postgres.admin_dsn("bench")), secrets.token_hex(16)
    await upgrade(admin)
    connection = await asyncpg.connect(postgres.admin_dsn("bench"))
    await connection.execute(f"CREATE ROLE bench_api LOGIN PASSWORD '{password}' IN ROLE minzheng_api")
    await fill(connection, population)
    await connection.execute("VACUUM ANALYZE population_household, population_member")
    await connection.close()
    return admin.set(username="bench_api", password=password).render_as_string(hide_password=False)


async def measure_table(url: str, rounds: int) -> Results:
    engine, book = create_async_engine(url, connect_args={"server_settings": {"jit": "off"}}), demo_book()
    order = RunOrder(AREA, book, ON, ("dibao",), UUID(int=1))
    times: dict[str, list[float]] = {"set-wise run": [], "INSERT … SELECT": []}
    stored: list[int] = []
    for turn in range(-1, rounds):
        started = time.perf_counter()
        async with transaction(engine, SCOPE) as session:
            run_id = await run_population(SCOPE, session, order, now=datetime.now(UTC), refresh=False)
        middle = time.perf_counter()
        other = uuid4()
        async with transaction(engine, SCOPE) as session:
            await enter_scope(session, SCOPE)
            driver = await raw_connection(session)
            await driver.execute(WITH_SQL, AREA, other, URBAN, RURAL, timeout=300)
        ended = time.perf_counter()
        if turn >= 0:
            times["set-wise run"].append(middle - started)
            times["INSERT … SELECT"].append(ended - middle)
        else:
            stored = await _same(engine, run_id, other)
    await engine.dispose()
    print(f"from table to {stored[0]} stored differences; milliseconds (median of {rounds})")
    for name, found in times.items():
        print(f"  {name:16} {median(found) * 1000:9.1f}")
    ratio = median(times["INSERT … SELECT"]) / median(times["set-wise run"])
    return [("table to stored differences / INSERT … SELECT", ratio, "≥", SQL_TARGET)]


async def _same(engine: Any, one: UUID, other: UUID) -> list[int]:
    """Both stored the same differences, else one of them would measure another formula."""
    columns = "area_code, programme, household_id, old_outcome, new_outcome, old_fen, new_fen"
    async with transaction(engine, SCOPE) as session:
        driver = await raw_connection(session)
        query = f"SELECT {columns} FROM population_difference WHERE run_id ="
        missing = await driver.fetchval(f"SELECT count(*) FROM ({query} $1 EXCEPT {query} $2) AS gone", one, other)
        counts = [
            await driver.fetchval("SELECT count(*) FROM population_difference WHERE run_id = $1", run) for run in (one, other)
        ]
    assert missing == 0, missing
    assert counts[0] == counts[1] > 0, counts
    return counts


def with_database(population: Population, work: Callable[[str], Any]) -> Any:
    folder = Path(tempfile.mkdtemp(prefix="mz-bench-"))
    try:
        with EmbeddedPostgres(folder) as postgres:
            url = asyncio.run(prepare(postgres, population))
            result = work(url)
            postgres.remove()
            return result
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# --- growth ------------------------------------------------------------


async def time_run(url: str, rounds: int) -> float:
    engine, book = create_async_engine(url, connect_args={"server_settings": {"jit": "off"}}), demo_book()
    order, times = RunOrder(AREA, book, ON, ("dibao",), UUID(int=1)), []
    for _ in range(rounds):
        started = time.perf_counter()
        async with transaction(engine, SCOPE) as session:
            await run_population(SCOPE, session, order, now=datetime.now(UTC), refresh=False)
        times.append(time.perf_counter() - started)
    await engine.dispose()
    return median(times)


def measure_growth(rounds: int) -> Results:
    """The exponent of time over people, from 10 thousand to 1 million, between the ends."""
    rules, found = Rules(demo_book(), AREA, ON), {}
    for households in (4_000, 40_000, 400_000):
        population = make_population(households)
        alone = median(seconds(kernel(population, rules)) for _ in range(rounds))
        whole = with_database(population, lambda url: asyncio.run(time_run(url, rounds)))
        found[population.members] = (alone, whole)
        print(f"  {population.members:8} people: kernel {alone * 1000:8.1f} ms, table to differences {whole * 1000:8.1f} ms")
    (small, first), (large, last) = min(found.items()), max(found.items())
    exponents = [log(after / before) / log(large / small) for before, after in zip(first, last, strict=True)]
    return [
        ("growth exponent, kernel", exponents[0], "≤", GROWTH_TARGET),
        ("growth exponent, table to differences", exponents[1], "≤", GROWTH_TARGET),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--households", type=int, default=400_000)
    parser.add_argument("--only", choices=["kernel", "table", "growth"])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results: Results = []
    if options.only in (None, "kernel"):
        results += measure_kernel(options.households, options.rounds)
    if options.only in (None, "table"):
        population = make_population(options.households)
        results += with_database(population, lambda url: asyncio.run(measure_table(url, options.rounds)))
    if options.only in (None, "growth"):
        results += measure_growth(3)
    print(f"\n{'':46} {'ratio':>8} {'target':>8}")
    for name, ratio, relation, target in results:
        met = ratio >= target if relation == "≥" else ratio <= target
        print(f"{name:46} {ratio:8.2f} {relation:>3} {target:4.1f}  {'met' if met else 'NOT MET'}")
    if options.json:
        fields = ("name", "ratio", "relation", "target")
        options.json.write_text(json.dumps([dict(zip(fields, one, strict=True)) for one in results], indent=1) + "\n")


if __name__ == "__main__":
    main()
