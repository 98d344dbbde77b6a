"""Who keeps dying right after the start is started ever later, and given up at last; an accident costs no time."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import cast

import pytest

from app.commands import _children
from app.commands._children import Child, Database, GaveUpError, Patience
from app.embedded import EmbeddedPostgres, EmbeddedPostgresError


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    return clock


def test_quick_deaths_are_answered_with_longer_pauses_and_then_given_up(now: list[float]) -> None:
    patience, pauses = Patience("后台任务"), []
    for _ in range(8):
        patience.started()
        now[0] += 1
        patience.died()
        pauses.append(patience.next_at - now[0])
        now[0] = patience.next_at
        assert patience.is_over()
    assert pauses == [0, 0.5, 1, 2, 4, 8, 15, 15]
    patience.started()
    with pytest.raises(GaveUpError, match="后台任务反复退出"):
        patience.died()


def test_an_accident_after_a_settled_life_is_forgotten(now: list[float]) -> None:
    patience = Patience("接口服务")
    for _ in range(50):
        patience.started()
        now[0] += 6
        patience.died()
        assert patience.is_over()


class Mortal:
    """A database that dies whenever it is looked at, and starts unless it is told not to."""

    running = False
    refuses = False
    starts = 0

    def is_running(self) -> bool:
        return self.running

    def restart_if_dead(self) -> bool:
        self.starts += 1
        if self.refuses:
            raise EmbeddedPostgresError("数据库启动失败")
        return True


def test_a_database_that_starts_each_time_is_never_given_up_and_one_that_does_not_is(
    now: list[float], capfd: pytest.CaptureFixture[str]
) -> None:
    mortal = Mortal()
    database = Database(cast(EmbeddedPostgres, mortal))
    for _ in range(30):
        database.keep_alive()
        assert not database.is_down
    assert mortal.starts == 30
    mortal.refuses = True
    with pytest.raises(GaveUpError, match="数据库反复退出"):
        for _ in range(10_000):
            database.keep_alive()
            now[0] += 0.2
    assert mortal.starts == 38
    assert "数据库启动失败" in capfd.readouterr().err


def test_a_child_that_cannot_start_is_tried_again_and_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_children, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(_children, "LONGEST_PAUSE_SECONDS", 0.01)
    tally = tmp_path / "starts"
    child = Child("后台任务", [sys.executable, "-Sc", f"open({str(tally)!r}, 'a').write('x')"], {})
    deadline = time.monotonic() + 20
    with pytest.raises(GaveUpError):
        while time.monotonic() < deadline:
            child.keep_alive()
            time.sleep(0.005)
    assert tally.read_text() == "x" * 9
    assert capfd.readouterr().err.count("后台任务意外退出") == 8
