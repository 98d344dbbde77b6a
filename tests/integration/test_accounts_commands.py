"""`minzheng user …` and `minzheng client add` against the real database."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from app.cli import main
from app.db.engine import application_url, create_engine
from app.runtime import Runtime
from app.security.passwords import Passwords
from tests.integration.auth_kit import PASSWORD, jwk_of, unique
from tests.world import World

pytestmark = pytest.mark.db


@pytest.fixture(autouse=True)
def reached_by_setting(runtime: Runtime, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", application_url(runtime.settings).render_as_string(hide_password=False))


def row(runtime: Runtime, statement: str, **values: Any) -> Any:
    async def read() -> Any:
        engine = create_engine(application_url(runtime.settings), runtime.settings, pool_size=1)
        try:
            async with engine.connect() as connection:
                return (await connection.execute(text(statement), values)).one_or_none()
        finally:
            await engine.dispose()

    return asyncio.run(read())


def account(runtime: Runtime, username: str) -> Any:
    return row(runtime, "SELECT * FROM account WHERE username = :name", name=username)


def typed(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))


def add(username: str, *more: str, area: str = "350702", duty: str = "admin") -> int:
    return main(["user", "add", username, "--name", "首位管理员", "--area", area, "--duty", duty, *more])


def test_the_first_administrator(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    name = unique()
    typed(monkeypatch, PASSWORD)
    assert add(name, "--duty", "inspector") == 0
    told = capsys.readouterr().out
    assert name in told
    assert PASSWORD not in told
    found = account(runtime, name)
    assert (found.level, found.area_code, found.district) == ("district", "350702", "350702")
    assert (found.duties, found.must_change_password) == (["admin", "inspector"], False)
    assert Passwords().verify_blocking(found.password_hash, PASSWORD)


def test_a_one_time_password_is_shown_and_has_to_be_changed(runtime: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    name = unique()
    assert add(name, "--one-time", area="350702001", duty="station_head") == 0
    shown = capsys.readouterr().out.strip().rpartition("：")[2]
    found = account(runtime, name)
    assert found.must_change_password
    assert Passwords().verify_blocking(found.password_hash, shown)


@pytest.mark.parametrize(
    ("password", "area", "duty", "told"),
    [
        ("short", "350702", "admin", "至少 10 个字符"),
        ("demo-Pass-2026", "350702", "admin", "演示口令"),
        (PASSWORD, "350799", "admin", "350799"),
        (PASSWORD, "35", "admin", "35"),
        (PASSWORD, "350702001", "admin", "岗位与区划层级不符"),
    ],
)
def test_refused_accounts(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    runtime: Runtime,
    password: str,
    area: str,
    duty: str,
    told: str,
) -> None:
    name = unique()
    typed(monkeypatch, password)
    assert add(name, area=area, duty=duty) == 1
    assert told in capsys.readouterr().err
    assert account(runtime, name) is None


def test_a_taken_and_an_unfit_name(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    typed(monkeypatch, PASSWORD)
    assert add("district.admin") == 1
    assert "已被使用" in capsys.readouterr().err
    typed(monkeypatch, PASSWORD)
    assert add("Zhang San") == 1
    assert "小写字母" in capsys.readouterr().err


def test_no_password_can_be_given_as_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        add(unique(), "--password", PASSWORD)
    assert ended.value.code == 2
    assert "--password" in capsys.readouterr().err


def test_disable_enable_and_reset(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    name = unique()
    typed(monkeypatch, PASSWORD)
    assert add(name) == 0
    before = account(runtime, name)
    assert main(["user", "disable", name]) == 0
    disabled = account(runtime, name)
    assert disabled.disabled_at is not None
    assert disabled.tokens_valid_from > before.tokens_valid_from
    assert main(["user", "disable", name]) == 1
    assert main(["user", "enable", name]) == 0
    typed(monkeypatch, "Battery-Staple-8")
    assert main(["user", "reset-password", name]) == 0
    reset = account(runtime, name)
    assert reset.disabled_at is None
    assert Passwords().verify_blocking(reset.password_hash, "Battery-Staple-8")
    assert main(["user", "disable", unique()]) == 1
    assert "没有账号" in capsys.readouterr().err


def test_clients(runtime: Runtime, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, keyed = unique("bureau"), unique("bureau")
    assert main(["client", "add", name, "--name", "医保局", "--area", "350702"]) == 0
    secret = capsys.readouterr().out.strip().rpartition("：")[2]
    found = row(runtime, "SELECT * FROM client WHERE client_id = :name", name=name)
    assert Passwords().verify_blocking(found.secret_hash, secret)
    key = tmp_path / "key.json"
    key.write_text(json.dumps(jwk_of(ec.generate_private_key(ec.SECP256R1()))))
    given = ["client", "add", keyed, "--name", "教育局", "--area", "350702", "--public-jwk", str(key)]
    assert main(given) == 0
    found = row(runtime, "SELECT * FROM client WHERE client_id = :name", name=keyed)
    assert (found.secret_hash, found.public_jwk["crv"]) == (None, "P-256")
    key.write_text("[]")
    given[2] = unique("bureau")
    assert main(given) == 1
    assert main(["client", "add", unique("bureau"), "--name", "x", "--area", "350702001"]) == 1


def test_what_commands_do_is_on_record(runtime: Runtime) -> None:
    name = unique()
    assert add(name, "--one-time") == 0
    found = account(runtime, name)

    async def read() -> list[Any]:
        engine = create_engine(runtime.seal_engine.url, runtime.settings, pool_size=1)
        try:
            async with engine.connect() as connection:
                statement = text("SELECT action, actor_name, district, fields FROM audit_record WHERE subject_id = :id")
                return [tuple(found) for found in await connection.execute(statement, {"id": str(found.id)})]
        finally:
            await engine.dispose()

    fields = ["username", "display_name", "area_code", "duties"]
    assert asyncio.run(read()) == [("account_added", "minzheng", "350702", fields)]
