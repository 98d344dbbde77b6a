"""`minzheng policy load` against the real database."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from app.cli import main
from app.db.engine import application_url
from app.db.session import transaction
from app.runtime import Runtime
from tests.world import World

pytestmark = pytest.mark.db

DOCUMENT = """
- area: "{area}"
  parameters:
    dibao.standard.urban:
      - {{effective_from: "2020-01-01", value: {value}, source: "测试"}}
"""


@pytest.fixture(autouse=True)
def reached_by_setting(runtime: Runtime, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", application_url(runtime.settings).render_as_string(hide_password=False))


def load(folder: Path, text: str) -> int:
    file = folder / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    return main(["policy", "load", str(file)])


def test_the_first_set_activates_and_the_next_waits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert load(tmp_path, DOCUMENT.format(area="650103", value=70000)) == 0
    assert "650103：1 项参数，已启用" in capsys.readouterr().out
    assert load(tmp_path, DOCUMENT.format(area="650103", value=70000)) == 0
    assert "未作改动" in capsys.readouterr().out
    assert load(tmp_path, DOCUMENT.format(area="650103", value=80000)) == 0
    assert "草案" in capsys.readouterr().out


async def test_a_loaded_set_is_read_at_once_and_is_no_demo(runtime: Runtime, tmp_path: Path) -> None:
    import asyncio

    assert await asyncio.to_thread(load, tmp_path, DOCUMENT.format(area="650104", value=70000)) == 0
    async with transaction(runtime.engine) as session:
        book = await runtime.parameter_books.current(session)
    policy = book.policy("650104", date(2026, 1, 1))
    assert (policy.money("dibao.standard.urban"), book.is_demo("650104"), book.is_demo("350702001001")) == (70000, False, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("area: x", "区划列表"),
        (DOCUMENT.format(area="650105", value="1.5"), "小数"),
        (DOCUMENT.format(area="650105", value=1).replace("2020-01-01", "2020-02-30"), "YYYY-MM-DD"),
        ("- [", "YAML"),
    ],
)
def test_a_wrong_document_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, told: str) -> None:
    assert load(tmp_path, text) == 1
    assert told in capsys.readouterr().err
