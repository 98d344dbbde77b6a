"""What `minzheng import` does by itself, with no server: passwords and the names of its error files."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.commands._error_file import error_file_of, keep_aside, reason


def test_without_a_terminal_it_says_where_the_password_goes(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(b"a\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith("MINZHENG_")} | {"PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "app.cli", "import", "people", str(file), "--username", "s001.clerk"]
    run = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env, start_new_session=True, check=False
    )
    assert run.returncode == 1
    assert "MINZHENG_PASSWORD" in run.stderr
    assert "--token" in run.stderr
    assert "Traceback" not in run.stderr
    assert "Warning" not in run.stderr


@pytest.mark.parametrize(
    ("source", "wanted"),
    [("bad.csv", "bad.errors.csv"), ("bad.xlsx", "bad.xlsx.errors.csv"), ("坏.1.xlsx", "坏.1.xlsx.errors.csv")],
)
def test_every_input_has_an_error_file_of_its_own(source: str, wanted: str) -> None:
    assert error_file_of(Path("/in") / source) == Path("/in") / wanted


def test_earlier_error_files_are_kept_under_numbers(tmp_path: Path) -> None:
    target = tmp_path / "bad.errors.csv"
    assert keep_aside(target) is None
    for number in (1, 2):
        target.write_text(str(number))
        assert keep_aside(target) == tmp_path / f"bad.errors.bak{number}.csv"
    assert (tmp_path / "bad.errors.bak1.csv").read_text() == "1"
    assert not target.exists()


def test_reasons_are_chinese() -> None:
    assert reason(PermissionError(errno.EACCES, "Permission denied")) == "没有权限"
    assert reason(OSError(errno.EMLINK, "Too many links")).startswith("系统错误")
