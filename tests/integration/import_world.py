"""A kind of import of its own for the tests of imports as such: its things exist only as marks, so that nothing else moves."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.import_writers import RunContext, register_writer
from app.db.import_writers.marks import (
    Before,
    Mark,
    befores_of,
    find_marks,
    fingerprint,
    keep_before,
    later_imports,
    marks_of,
    put_marks,
    subject_key,
    take_back,
)
from app.db.repositories.imports import RUN
from app.db.repositories.jobs import JOB
from app.db.session import transaction
from app.db.tables.imports import ImportRun
from app.domain.access import AreaScope, Duty
from app.domain.imports.cells import AreaCode, IdNumber, Text, Yuan
from app.domain.imports.model import Applied, Block, Column, Kind, RowFault, Verdicts
from app.domain.imports.registry import register_kind
from app.ids import new_id
from app.jobs.runner import run_job
from app.runtime import Runtime

KIND = "test_things"
IMPORTS = "/api/v1/imports"
HEADERS = ("编号*", "名称*", "金额(元)", "身份证号", "区划代码*")
HOME = "350702001001"
UNWANTED, BROKEN = "不收", "坏"
DISTRICT = AreaScope("350702", "350702")


def _check(row: Mapping[str, Any], _today: date) -> Iterator[RowFault]:
    if row["name"] == BROKEN:
        yield RowFault("名称", "required", "名称不能是“坏”，请更正。")


THINGS = Kind(
    code=KIND,
    title="测试用物品",
    columns=(
        Column("code", "编号", Text(50), required=True),
        Column("name", "名称", Text(50), required=True, note="怎么称呼", example="某物"),
        Column("amount_fen", "金额(元)", Yuan(), aliases=("金额",)),
        Column("id_number", "身份证号", IdNumber(), sensitive=True),
        Column("area_code", "区划代码", AreaCode(), required=True),
    ),
    key=("code",),
    importers=frozenset({Duty.STATION_CLERK, Duty.REVIEWER}),
    exporters=frozenset({Duty.REVIEWER}),
    check_row=_check,
    totals=("amount_fen",),
)


class ThingWriter:
    """Writes marks only; refuses things called 不收."""

    async def write(self, scope: AreaScope, session: AsyncSession, block: Block, run: RunContext) -> Applied:
        refused: Verdicts = {}
        rows = {}
        for number, row in block.rows():
            if row["name"] == UNWANTED:
                refused[number] = [RowFault("名称", "already_there", "不收此物，请换一个名称。")]
            else:
                rows[number] = (subject_key(run, row["code"]), fingerprint(run, row), row["area_code"])
        known = await find_marks(scope, session, KIND, [key for key, _, _ in rows.values()])
        created, updated, unchanged, marks, befores = 0, 0, 0, [], []
        for number, (key, print_, area) in rows.items():
            before = known.get(key)
            if before is None:
                created += 1
                marks.append(Mark(key, new_id(), area, print_, run.import_id, created=True))
            elif before.fingerprint == print_:
                unchanged += 1
            elif run.mode == "insert":
                refused[number] = [RowFault(None, "already_there", "已有此物，请改为更新。")]
            else:
                updated += 1
                befores.append(Before(key, before.subject_id, area, {}, before))
                marks.append(Mark(key, before.subject_id, area, print_, run.import_id, created=False))
        await keep_before(scope, session, run, befores)
        await put_marks(scope, session, KIND, marks)
        return Applied(created, updated, unchanged, refused)

    async def what_built_on(self, scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> dict[str, int]:
        later = await later_imports(scope, session, import_id)
        return {"later_imports": later} if later else {}

    async def undo(self, scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> None:
        await take_back(scope, session, KIND, import_id, await befores_of(scope, session, run, import_id))


register_kind(THINGS)
register_writer(KIND, ThingWriter())


def things(count: int, prefix: str | None = None, *, area: str = HOME, name: str = "物") -> list[list[str]]:
    """Rows under numbers of their own."""
    prefix = prefix or uuid4().hex[:12]
    return [[f"{prefix}-{number}", f"{name}{number}", "12.50", "", area] for number in range(count)]


PEOPLE_HEADERS = ("户编号", "姓名", "身份证号", "与户主关系", "户口性质", "区划代码", "手机号", "月收入(元)")


def people(numbers: Iterable[str], prefix: str, *, area: str = HOME) -> list[list[str]]:
    """Rows of people in households of three, in the order of their births; the last household may be smaller."""
    relations, in_order = ("户主", "配偶", "子"), sorted(numbers, key=lambda number: number[6:14])
    return [
        [f"{prefix}{n // 3:06d}", "陈批量", number, relations[n % 3], "农村", area, f"169{n:08d}", f"{n % 3000}.50"]
        for n, number in enumerate(in_order)
    ]


def csv_of(rows: Iterable[Sequence[str]], headers: Sequence[str] = HEADERS, encoding: str = "utf-8-sig") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([headers, *rows])
    return text.getvalue().encode(encoding)


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


async def send(
    client: httpx.AsyncClient,
    content: bytes,
    *,
    kind: str = KIND,
    name: str = "things.csv",
    key: str | None = None,
    **fields: str,
) -> httpx.Response:
    headers = {"Idempotency-Key": key or str(uuid4())}
    return await client.post(IMPORTS, data={"kind": kind, **fields}, files={"file": (name, content)}, headers=headers)


async def started(client: httpx.AsyncClient, content: bytes, **more: str) -> UUID:
    answer = await send(client, content, **more)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"{IMPORTS}/{answer.json()['id']}"
    return UUID(answer.json()["id"])


async def work(runtime: Runtime, import_id: UUID) -> None:
    """What a worker does, in this process, until the import stands still."""
    done: set[UUID] = set()
    while True:
        async with transaction(runtime.engine, DISTRICT) as session:
            statement = select(JOB.id, JOB.area_code).join(ImportRun, JOB.id == RUN.job_id).where(RUN.id == import_id)
            job_id, area = (await session.execute(statement)).one()
        if job_id in done:
            return
        done.add(job_id)
        assert await run_job(runtime, AreaScope(DISTRICT.district, area), job_id)


async def imported(runtime: Runtime, client: httpx.AsyncClient, content: bytes, **more: str) -> dict[str, Any]:
    """Sends and works; answers the import as it stands then."""
    import_id = await started(client, content, **more)
    await work(runtime, import_id)
    return await shown(client, import_id)


async def shown(client: httpx.AsyncClient, import_id: UUID | str) -> dict[str, Any]:
    answer = await client.get(f"{IMPORTS}/{import_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def marks(runtime: Runtime, import_id: UUID | str) -> list[Mark]:
    async with transaction(runtime.engine, DISTRICT) as session:
        return await marks_of(DISTRICT, session, UUID(str(import_id)))
