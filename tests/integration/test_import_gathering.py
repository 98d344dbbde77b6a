"""Files whose households are scattered: gathered into parts of their own, applied, rejected, undone, and sent again."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import pytest
from sqlalchemy import select, text

import app.jobs.import_applying as applying
import app.jobs.import_gathering as gathering
import app.jobs.import_reading as reading
from app.db.repositories.imports import RUN, ImportRepository
from app.db.repositories.jobs import JOB
from app.db.session import transaction
from app.db.tables.imports import ImportRun
from app.domain.access import AreaScope
from app.jobs.runner import run_job
from app.routers.v1.import_models import progress_of
from app.runtime import Runtime
from tests.integration.import_world import IMPORTS, imported, rows_of, started
from tests.integration.import_world import shown as shown_run
from tests.integration.kind_kit import DISTRICT, Bench
from tests.integration.registry_world import SignIn
from tests.integration.test_import_people import number, row
from tests.integration.test_import_people_files import as_csv

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("world")]
ELSEWHERE = AreaScope("350702", "350702002")


async def sum_of_parts(runtime: Runtime, import_id: str) -> tuple[int, int, int]:
    """Rows, rejected ones, applied ones."""
    statement = "SELECT sum(rows), sum(rejected), sum(created + updated + unchanged) FROM import_part WHERE import_id = :i"
    async with transaction(runtime.engine, DISTRICT) as session:
        rows, rejected, applied = (await session.execute(text(statement), {"i": import_id})).one()
    return int(rows), int(rejected), int(applied)


async def test_progress_of_a_scattered_file(runtime: Runtime, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PART_ROWS", 6)
    seen: list[float] = []
    real = applying.ApplyHandler.finish

    async def finish(self: Any, runtime: Any, session: Any, job: Any, *, now: Any) -> None:
        seen.append(progress_of(await ImportRepository(session).get(job.scope, job.subject)))
        await real(self, runtime, session, job, now=now)

    monkeypatch.setattr(applying.ApplyHandler, "finish", finish)
    numbers = [number() for _ in range(12)]
    rows = [row(no, relation) for relation in ("户主", "配偶", "子女") for no in numbers]
    await imported(runtime, sign_in("s001.clerk"), as_csv(rows), kind="people", name="people.csv")
    assert seen == [1.0]


async def test_two_workers_on_one_gathered_import(runtime: Runtime, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PART_ROWS", 6)
    clerk = sign_in("s001.clerk")
    elsewhere = Bench.of(runtime, "people", ELSEWHERE)
    scattered = [number() for _ in range(3)]
    rows = [row(no) for no in scattered] + [row(number()) for _ in range(3)]  # part 0
    rows += [row(no, "配偶") for no in scattered] + [row(number()) for _ in range(3)]  # part 1: the last home
    for place in (4, 9):  # a row that is refused of the home part itself
        await elsewhere.write(row(number(), 身份证号=rows[place]["身份证号"], 区划代码="350702002001"))
    await elsewhere.write(row(number(), 身份证号=rows[7]["身份证号"], 区划代码="350702002001"))  # a scattered spouse
    real = applying._block_of

    def slow(plan: Any, seals: Any, part: Any) -> Any:
        if part.number == 1:
            time.sleep(2)
        return real(plan, seals, part)

    monkeypatch.setattr(applying, "_block_of", slow)
    import_id = await started(clerk, as_csv(rows), kind="people", name="people.csv")

    async def job_of() -> tuple[Any, str]:
        async with transaction(runtime.engine, DISTRICT) as session:
            statement = select(JOB.id, JOB.area_code).join(ImportRun, JOB.id == RUN.job_id).where(RUN.id == import_id)
            return tuple((await session.execute(statement)).one())

    job_id, area = await job_of()
    await run_job(runtime, AreaScope(DISTRICT.district, area), job_id)  # reads
    job_id, area = await job_of()
    await asyncio.gather(*(run_job(runtime, AreaScope(DISTRICT.district, area), job_id) for _ in range(2)))
    found = await shown_run(clerk, import_id)
    assert {name: found[f"rows_{name}"] for name in ("total", "ok", "rejected")} == {"total": 12, "ok": 8, "rejected": 4}
    csv_rows = [int(one["行号"]) for one in rows_of((await clerk.get(f"{IMPORTS}/{found['id']}/errors.csv")).content)]
    assert csv_rows == [3, 6, 9, 11]


@pytest.mark.parametrize("dry_run", ["true", "false"])
async def test_sums_after_gathering_and_a_retry(
    runtime: Runtime, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, dry_run: str
) -> None:
    monkeypatch.setattr(reading, "PART_ROWS", 5)
    monkeypatch.setattr(gathering, "MOST_ROWS_HELD", 12)
    clerk = sign_in("s001.clerk")
    elsewhere = Bench.of(runtime, "people", ELSEWHERE)
    numbers = [number() for _ in range(11)]
    rows = [row(no, relation) for relation in ("户主", "配偶", "子女") for no in numbers]
    for place in (0, 13, 24, 30):
        await elsewhere.write(row(number(), 身份证号=rows[place]["身份证号"], 区划代码="350702002001"))
    rows[20]["姓名"] = ""
    real, failed = gathering.Gathering._give_back, list[int]()

    async def once(*args: Any) -> None:
        await real(*args)
        if not failed:
            failed.append(1)
            raise RuntimeError("killed")

    monkeypatch.setattr(gathering.Gathering, "_give_back", once)
    found = await imported(runtime, clerk, as_csv(rows), kind="people", name="people.csv", dry_run=dry_run)
    bad = {numbers[place % 11] for place in (0, 13, 24, 30, 20)}
    expected = [2 + at for at, one in enumerate(rows) if one["户编号"] in bad]
    assert (found["rows_total"], found["rows_rejected"], found["rows_ok"]) == (33, len(expected), 33 - len(expected))
    assert await sum_of_parts(runtime, found["id"]) == (33, len(expected), 33 - len(expected))
    csv_rows = [int(one["行号"]) for one in rows_of((await clerk.get(f"{IMPORTS}/{found['id']}/errors.csv")).content)]
    assert csv_rows == expected


async def test_the_same_scattered_file_again(runtime: Runtime, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PART_ROWS", 5)
    clerk = sign_in("s001.clerk")
    numbers = [number() for _ in range(11)]
    rows = [row(no, relation) for relation in ("户主", "配偶", "子女") for no in numbers]
    first = await imported(runtime, clerk, as_csv(rows), kind="people", name="people.csv")
    assert first["rows_created"] == 33
    for _ in range(2):
        again = await imported(runtime, clerk, as_csv(rows), kind="people", name="people.csv")
        assert (again["rows_total"], again["rows_unchanged"], again["rows_ok"]) == (33, 33, 33)
        assert await sum_of_parts(runtime, again["id"]) == (33, 0, 33)
    assert (await clerk.post(f"{IMPORTS}/{first['id']}/undo")).json()["status"] == "undone"
    third = await imported(runtime, clerk, as_csv(rows), kind="people", name="people.csv")
    assert third["rows_created"] == 33


@pytest.mark.parametrize("seed", [2, 3])
async def test_any_scattered_file_comes_in_household_by_household(
    runtime: Runtime, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    r = random.Random(seed)
    monkeypatch.setattr(reading, "PART_ROWS", r.choice([7, 20]))
    monkeypatch.setattr(reading, "FIRST_PART_ROWS", 5)
    monkeypatch.setattr(reading, "MOST_MORE_ROWS", 3)
    monkeypatch.setattr(gathering, "MOST_ROWS_HELD", r.choice([30, 60]))
    clerk = sign_in("s001.clerk")
    elsewhere = Bench.of(runtime, "people", ELSEWHERE)
    rows = []
    for _ in range(60):
        no, size = number(), r.choice([1, 2, 3, 4])
        rows += [row(no, relation) for relation in ("户主", "配偶", "子女", "子女")[:size]]
    if seed != 3:
        r.shuffle(rows)
    else:
        rows = rows[:70] + r.sample(rows[70:], len(rows) - 70)
    bad = set()
    for one in r.sample(rows, 8):
        await elsewhere.write(row(number(), 身份证号=one["身份证号"], 区划代码="350702002001"))
        bad.add(one["户编号"])
    for one in r.sample(rows, 5):
        one["姓名"] = ""
        bad.add(one["户编号"])
    expected = [2 + at for at, one in enumerate(rows) if one["户编号"] in bad]
    for dry_run in ("true", "false"):
        found = await imported(runtime, clerk, as_csv(rows), kind="people", name="people.csv", dry_run=dry_run)
        told = (found["rows_total"], found["rows_rejected"], found["rows_ok"], found["rows_created"])
        assert told == (len(rows), len(expected), len(rows) - len(expected), len(rows) - len(expected))
        assert await sum_of_parts(runtime, found["id"]) == (len(rows), len(expected), len(rows) - len(expected))
        errors = rows_of((await clerk.get(f"{IMPORTS}/{found['id']}/errors.csv")).content)
        assert [int(one["行号"]) for one in errors] == expected
        assert [{name: one[name].lstrip("\t'") for name in rows[0]} for one in errors] == [rows[at - 2] for at in expected]
    again = await imported(runtime, clerk, as_csv(rows), kind="people", name="people.csv")
    assert (again["rows_unchanged"], again["rows_rejected"]) == (len(rows) - len(expected), len(expected))
    good = [one for one in rows if one["户编号"] not in bad]
    clean = await imported(runtime, clerk, as_csv(good), kind="people", name="people.csv")
    cleaner = await imported(runtime, clerk, as_csv(good), kind="people", name="people.csv")
    assert clean["rows_unchanged"] == cleaner["rows_unchanged"] == len(good)
    assert (await clerk.post(f"{IMPORTS}/{found['id']}/undo")).json()["status"] == "undone"
