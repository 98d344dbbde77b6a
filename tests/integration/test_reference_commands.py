"""`minzheng areas load` and `minzheng calendar load` against the real database."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from app.calendar_seed import seeded_days
from app.cli import main
from app.db.engine import application_url, create_engine
from app.runtime import Runtime
from tests.world import World

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("reference")]  # the tests of one year build on each other
AREAS = "code,name,level,parent_code,kind\n"


@pytest.fixture(autouse=True)
def reached_by_setting(runtime: Runtime, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", application_url(runtime.settings).render_as_string(hide_password=False))


async def rows(runtime: Runtime, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(application_url(runtime.settings), runtime.settings, pool_size=1)
    try:
        async with engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(statement))]
    finally:
        await engine.dispose()


def load(kind: str, folder: Path, content: str | bytes) -> int:
    file = folder / "file.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return main([kind, "load", str(file)])


def test_areas_are_loaded_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = AREAS + "650100,示例区,district,,市辖区\n650100001,示例街道,subdistrict,650100,街道\n"
    assert load("areas", tmp_path, content) == 0
    assert "2 个区划，其中 2 个新增" in capsys.readouterr().out
    assert load("areas", tmp_path, content.encode("gb18030")) == 0
    assert "2 个区划，其中 0 个新增" in capsys.readouterr().out
    below = AREAS + "650100001001,示例社区居委会,community,650100001,社区居委会\n"
    assert load("areas", tmp_path, below) == 0, "a parent loaded before is known"


def test_a_wrong_areas_file_is_refused_by_row_and_loads_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = (
        AREAS
        + "640200,好区,district,,市辖区\n"
        + "".join(f"64020{n},x,district,,x\n64020{n},x,district,,x\n" for n in range(1, 10))
    )
    assert load("areas", tmp_path, content + "640100001001,x,community,640100001,x\n") == 1
    told = capsys.readouterr().err
    assert "10 处错误" in told
    assert "第 4 行" in told
    assert "上级 640100001" in told


@pytest.mark.asyncio(loop_scope="session")
async def test_nothing_of_the_refused_file_is_there(runtime: Runtime) -> None:
    assert await rows(runtime, "SELECT code FROM area WHERE code LIKE '64%'") == []


def test_a_calendar_year_is_loaded_once(runtime: Runtime, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = "date,kind,name\n" + "".join(f"{day},{kind},{name}\n" for day, kind, name in seeded_days(2005))
    assert load("calendar", tmp_path, content) == 0
    assert "已导入 2005 年日历" in capsys.readouterr().out
    assert load("calendar", tmp_path, content) == 0
    assert "未作改动" in capsys.readouterr().out
    found = asyncio.run(rows(runtime, "SELECT day, kind FROM calendar_day WHERE day BETWEEN '2005-01-01' AND '2005-12-31'"))
    assert (date(2005, 10, 1), "holiday") in found
    assert len(found) == len(seeded_days(2005))


@pytest.mark.parametrize(
    "content", [b"date,kind,name\n\xff\xff\n", b"date,kind,name\n2005-01-01,holiday,x\n2005-99-01,holiday,x\n"]
)
def test_an_unreadable_or_wrong_calendar_is_refused(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert load("calendar", tmp_path, content) == 1
    assert capsys.readouterr().err


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["areas", "load", str(tmp_path / "nowhere.csv")]) == 1
    assert "nowhere.csv" in capsys.readouterr().err
