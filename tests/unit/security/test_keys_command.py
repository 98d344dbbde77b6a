"""`minzheng keys` as an operator types it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from app.commands.keys import register
from app.security.keys import KeyRing


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers(required=True))
    args = parser.parse_args(["keys", *words])
    code: int = args.run(args)
    return code


def test_init_rotate_retire_list(key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    option = f"--key-file={key_file}"
    assert run("init", option, "--profile=sm4-gcm") == 0
    former = KeyRing.load(key_file).active_signing_key.kid
    assert run("rotate", option) == 0
    assert run("rotate", "data", option, "--profile=aes-256-gcm-siv") == 0
    assert run("list", option) == 0
    assert run("retire", "signing", former, option, "--yes") == 0
    ring = KeyRing.load(key_file)
    assert ring.find_signing_key(former) is None
    assert ring.profile == "aes-256-gcm-siv"
    printed = capsys.readouterr()
    document = json.loads(key_file.read_text())
    secrets = [entry["secret"] for entry in (*document["data"], *document["index"], document["fingerprint"])]
    assert not any(secret in printed.out + printed.err for secret in [*secrets, document["signing"][0]["private"]])


def test_refusals_are_told_in_chinese_with_exit_code_1(key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    option = f"--key-file={key_file}"
    assert run("list", option) == 1
    assert "minzheng keys init" in capsys.readouterr().err
    assert run("init", option) == 0
    assert run("init", option) == 1
    assert "不会覆盖" in capsys.readouterr().err
    assert run("rotate", "data", option) == 0
    assert run("retire", "data", "1", option) == 1
    assert "--yes" in capsys.readouterr().err
    assert len(KeyRing.load(key_file).data_keys()) == 2


def test_settings_say_where_the_file_is(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_FILE", str(key_file))
    monkeypatch.setenv("FIELD_CIPHER", "sm4-gcm")
    assert run("init", "--demo") == 0
    assert run("list") == 1, "demo keys are no keys outside demo mode"
    assert run("list", "--demo") == 0
    assert KeyRing.load(key_file, demo=True).profile == "sm4-gcm"


def test_no_key_is_named_like_an_option(key_file: Path) -> None:
    """One in 64 thumbprints begins with a dash, and could not be retired."""
    run("init", f"--key-file={key_file}", "--profile=sm4-gcm")
    for _ in range(200):
        run("rotate", f"--key-file={key_file}")
    kids = json.loads(key_file.read_text())["signing"]
    assert not [one["kid"] for one in kids if one["kid"].startswith("-")]
