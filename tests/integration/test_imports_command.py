"""`minzheng import` against a served app with a worker: exit codes, error file, trying again."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from sqlalchemy import text

from app.cli import main
from app.commands import _import_client
from app.db.session import transaction
from app.jobs.worker import run_worker
from app.runtime import Runtime
from app.security.passwords import DEMO_PASSWORD
from tests.integration.import_world import BROKEN, DISTRICT, HEADERS, KIND, csv_of, rows_of, things

pytestmark = pytest.mark.db
Command = Callable[..., "asyncio.Future[int]"]


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[int]:
    """The app on a port of its own, in this loop."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve([listener]))
    while not server.started:  # noqa: ASYNC110  (the server has no event for it)
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()


@pytest_asyncio.fixture(loop_scope="session")
async def port(app: FastAPI, runtime: Runtime) -> AsyncIterator[int]:
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(runtime.settings, stop))
    async with served(app) as number:
        yield number
    stop.set()
    await worker


@asynccontextmanager
async def flaky(port: int, *, losing: int) -> AsyncIterator[int]:
    """A way to the server on which the first ``losing`` answers to an upload get lost."""
    lost = 0

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: list[bool]) -> None:
        nonlocal lost
        while piece := await reader.read(65536):
            if b"POST /api/v1/imports" in piece:
                answers[0] = True
            if answers[0] and piece.startswith(b"HTTP/1.1") and lost < losing:
                lost += 1
                break
            writer.write(piece)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        uploading = [False]
        both = (pump(reader, back, answers=uploading), pump(there, writer, answers=uploading))
        await asyncio.gather(*both, return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    monkeypatch.setenv("MINZHENG_PASSWORD", DEMO_PASSWORD)
    monkeypatch.setattr(_import_client, "FIRST_PAUSE_SECONDS", 0.01)

    async def run(port: int, file: Path, *more: str, user: str = "s001.clerk", kind: str = KIND) -> int:
        login = ["--username", user] if user else []
        return await asyncio.to_thread(main, ["import", kind, str(file), "--base-url", f"http://127.0.0.1:{port}", *login, *more])

    return run


async def test_all_rows_in_is_zero(port: int, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "物品.csv"
    file.write_bytes(csv_of(things(6)))
    assert await command(port, file, "--dry-run") == 0
    assert "可以导入 6 行" in capsys.readouterr().out
    assert await command(port, file) == 0
    said = capsys.readouterr()
    assert "已导入 6 行（新增 6，更新 0，无变化 0），未导入 0 行" in said.out
    assert "上传 100%" in said.err
    assert await command(port, file) == 0
    assert "无变化 6" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["物品.csv"]


async def test_some_rejected_is_three_with_a_file_to_correct(
    port: int, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, rows = tmp_path / "things.csv", things(14)
    for row in rows[1:]:
        row[1] = BROKEN
    file.write_bytes(csv_of(rows, encoding="gb18030"))
    assert await command(port, file) == 3
    said = capsys.readouterr().out
    assert "未导入 13 行" in said
    assert said.count("名称不能是“坏”") == 10
    assert "……" in said
    errors = tmp_path / "things.errors.csv"
    assert errors.stat().st_mode & 0o077 == 0
    rejected = rows_of(errors.read_bytes())
    assert [row["编号*"] for row in rejected] == [row[0] for row in rows[1:]]
    assert list(rejected[0]) == ["行号", "错误原因", *HEADERS]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["things.csv", "things.errors.csv"]


async def test_failures_are_one_and_say_why(
    port: int, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "things.csv"
    file.write_bytes(csv_of([]))
    assert await command(port, file) == 1
    assert "没有数据行" in capsys.readouterr().err
    file.write_bytes(csv_of(things(1)))
    assert await command(port, file, kind="nothing") == 1
    assert "没有该类导入" in capsys.readouterr().err
    assert await command(port, file, user="district.auditor") == 1
    assert "岗位" in capsys.readouterr().err
    assert await command(port, tmp_path / "missing.csv") == 1
    assert "找不到文件" in capsys.readouterr().err
    assert await command(port, tmp_path) == 1
    assert "是文件夹" in capsys.readouterr().err
    for address in ("ftp://127.0.0.1", "http://"):
        assert await command(port, file, "--base-url", address) == 1
        assert "服务地址" in capsys.readouterr().err
    assert await command(port, file, "--token", "wrong", user="") == 1
    assert "重新登录" in capsys.readouterr().err
    monkeypatch.delenv("MINZHENG_TOKEN", raising=False)
    assert await command(port, file, user="") == 1
    assert "--username" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["127.0.0.1:{}", "http://127.0.0.1:{}/", "http://127.0.0.1:{}/api/v1"])
async def test_the_address_may_be_written_in_any_of_these_ways(port: int, command: Command, tmp_path: Path, address: str) -> None:
    file = tmp_path / "things.csv"
    file.write_bytes(csv_of(things(1)))
    assert await command(port, file, "--base-url", address.format(port)) == 0


async def test_an_error_file_that_cannot_be_written_is_said(
    port: int, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = things(2)
    rows[0][1] = BROKEN
    file = tmp_path / "things.csv"
    file.write_bytes(csv_of(rows))
    (tmp_path / "things.errors.csv").mkdir()
    assert await command(port, file) == 3
    said = capsys.readouterr().err
    assert "没能存入" in said
    assert "已有同名文件夹" in said


async def test_an_error_file_of_an_earlier_run_is_neither_overwritten_nor_taken_for_new(
    port: int, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = things(2)
    file, errors, right = tmp_path / "things.csv", tmp_path / "things.errors.csv", rows[0][1]
    rows[0][1] = BROKEN
    file.write_bytes(csv_of(rows))
    assert await command(port, file) == 3
    errors.write_text("更正到一半")
    capsys.readouterr()
    assert await command(port, file) == 3
    assert "没有覆盖" in capsys.readouterr().out
    assert (tmp_path / "things.errors.bak1.csv").read_text() == "更正到一半"
    rows[0][1] = right
    file.write_bytes(csv_of(rows))
    assert await command(port, file) == 0
    assert f"{errors} 是以前某次导入留下的，已过时" in capsys.readouterr().out
    assert errors.exists()


async def test_an_answer_that_gets_lost_is_asked_for_again(
    port: int, command: Command, tmp_path: Path, runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = things(5)
    file = tmp_path / f"{rows[0][0]}.csv"
    file.write_bytes(csv_of(rows))
    async with flaky(port, losing=2) as unsure:
        assert await command(unsure, file) == 0
    said = capsys.readouterr()
    assert said.err.count("后重试") == 2
    assert "新增 5" in said.out
    async with transaction(runtime.engine, DISTRICT) as session:
        sent = text("SELECT count(*) FROM stored_file WHERE name = :n")
        assert (await session.execute(sent, {"n": file.name})).scalar_one() == 1


async def test_nobody_there_is_given_up(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_import_client, "TRIES", 2)
    file = tmp_path / "things.csv"
    file.write_bytes(csv_of(things(1)))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert await command(port, file) == 1
    assert "多次重试未成功" in capsys.readouterr().err


# --- following by events ------------------------------------------------------------------------------------------------


async def test_events_tell_of_progress_until_the_end(port: int, runtime: Runtime, world: object) -> None:
    import httpx

    from tests.integration.import_world import IMPORTS, send

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        form = {"grant_type": "password", "username": "s001.clerk", "password": DEMO_PASSWORD}
        token = (await client.post("/api/v1/auth/token", data=form)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        import_id = (await send(client, csv_of(things(3)))).json()["id"]
        async with client.stream("GET", f"{IMPORTS}/{import_id}/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = [line async for line in answer.aiter_lines()]
        events = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
        ids = [line.removeprefix("id: ") for line in lines if line.startswith("id: ")]
        assert events[-1] == "finished"
        assert set(events[:-1]) <= {"progress"}
        assert len(set(ids)) == len(ids)
        assert '"rows_ok":3' in lines[-2]
        again = await client.get(f"{IMPORTS}/{import_id}/events", headers={"Last-Event-ID": ids[-1]})
        assert again.status_code == 204
        older = await client.get(f"{IMPORTS}/{import_id}/events", headers={"Last-Event-ID": ids[0] if len(ids) > 1 else "0"})
        assert older.text.count("event: ") == 1
