"""Asking for an export, doing the worker's part, reading the file that comes out."""

from __future__ import annotations

import csv
import io
from typing import Any
from uuid import UUID, uuid4

import httpx
from openpyxl import load_workbook  # type: ignore[import-untyped]
from sqlalchemy import select

from app.db.repositories.jobs import JOB
from app.db.session import transaction
from app.domain.access import AreaScope
from app.jobs.runner import run_job
from app.runtime import Runtime

EXPORTS = "/api/v1/exports"
PURPOSE = "季度核对"
WHOLE = AreaScope("350702", "350702")


async def ask(client: httpx.AsyncClient, kind: str, **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": str(uuid4())}
    return await client.post(EXPORTS, json={"kind": kind, "format": "csv", "purpose": PURPOSE} | body, headers=headers)


async def work(runtime: Runtime, export_id: str) -> None:
    """What a worker does, in this process."""
    async with transaction(runtime.engine, WHOLE) as session:
        job_id, area = (await session.execute(select(JOB.id, JOB.area_code).where(JOB.subject_id == UUID(export_id)))).one()
    assert await run_job(runtime, AreaScope(WHOLE.district, area), job_id)


async def exported(runtime: Runtime, client: httpx.AsyncClient, kind: str, **body: Any) -> dict[str, Any]:
    """The export on record once it is done."""
    answer = await ask(client, kind, **body)
    assert answer.status_code == 202, answer.text
    await work(runtime, answer.json()["id"])
    found: dict[str, Any] = (await client.get(answer.headers["Location"])).json()
    return found


async def content(client: httpx.AsyncClient, export: dict[str, Any]) -> bytes:
    answer = await client.get(f"{EXPORTS}/{export['id']}/content")
    assert answer.status_code == 200, answer.text
    assert len(answer.content) == export["size_bytes"]
    return answer.content


async def file_of(runtime: Runtime, client: httpx.AsyncClient, kind: str, **body: Any) -> bytes:
    export = await exported(runtime, client, kind, **body)
    assert export["status"] == "succeeded", export
    return await content(client, export)


def csv_rows(file: bytes) -> tuple[list[str], list[dict[str, str]]]:
    """What stands above the header, and the rows by their header."""
    assert file.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))
    return [row[0] for row in rows[:2]], [dict(zip(rows[2], row, strict=True)) for row in rows[3:]]


def sheet_rows(file: bytes) -> list[tuple[Any, ...]]:
    return list(load_workbook(io.BytesIO(file)).active.iter_rows(values_only=True))


async def refused_rows(client: httpx.AsyncClient, run: dict[str, Any]) -> list[str]:
    """The rows of an import that were refused, without what only tests make: rolls that cover nobody, posts of years to come."""
    if not run["rows_rejected"]:
        return []
    answer = await client.get(f"/api/v1/imports/{run['id']}/errors.csv")
    lines = answer.content.decode("utf-8-sig").splitlines()[1:]
    return [line for line in lines if "PAY-" not in line and "日期晚于今天" not in line]
