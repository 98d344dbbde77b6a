"""``minzheng db`` on an embedded cluster of its own."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from app import cli
from app.commands._database import DATABASE
from app.embedded import EmbeddedPostgres
from tests.embedded.conftest import Sql

pytestmark = pytest.mark.db

Run = Callable[..., int]
CATALOGUE = """
    SELECT array_agg(line ORDER BY line) FROM (
        SELECT format('%s %s %s %s', tablename, policyname, roles, qual) FROM pg_policies
        UNION ALL SELECT format('%s %s %s', relname, relforcerowsecurity, array(SELECT unnest(relacl)::text ORDER BY 1))
            FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT format('%s %s', conname, CASE contype WHEN 'c' THEN '' ELSE pg_get_constraintdef(oid) END)
            FROM pg_constraint
        UNION ALL SELECT format('%s %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE NOT tgisinternal
    ) AS everything(line)
"""


@pytest.fixture
def db(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``db("upgrade")`` runs ``minzheng db upgrade`` on the test's folder."""
    for name in ("DATABASE_URL", "DATABASE_ADMIN_URL", "DATABASE_STATUS_URL", "DATABASE_SEAL_URL"):
        monkeypatch.delenv(name, raising=False)
    return lambda *arguments: cli.main(["db", *map(str, arguments), "--data-dir", str(data_dir)])


def test_a_backup_restores_data_walls_and_grants(db: Run, data_dir: Path, sql: Sql, tmp_path: Path) -> None:
    assert db("upgrade") == 0
    with EmbeddedPostgres(data_dir) as postgres:
        dsn = postgres.admin_dsn(DATABASE)
        sql(dsn, "INSERT INTO calendar_year VALUES (2026, 1, 'test', now())")
        before = sql(dsn, CATALOGUE)
    file = tmp_path / "minzheng.dump"
    assert db("backup", file) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    EmbeddedPostgres(data_dir).remove()
    assert db("restore", file) == 0
    with EmbeddedPostgres(data_dir) as postgres:
        dsn = postgres.admin_dsn(DATABASE)
        assert sql(dsn, "SELECT source FROM calendar_year WHERE year = 2026") == "test"
        assert sql(dsn, CATALOGUE) == before
    assert db("check") == 0


def test_a_restore_that_fails_changes_nothing(
    db: Run, data_dir: Path, sql: Sql, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert db("upgrade") == 0
    file = tmp_path / "minzheng.dump"
    assert db("backup", file) == 0
    assert db("restore", file) == 1
    assert "--replace" in capsys.readouterr().err
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with EmbeddedPostgres(data_dir) as postgres:
        sql(postgres.admin_dsn(DATABASE), "INSERT INTO calendar_year VALUES (2026, 1, 'kept', now())")
    assert db("restore", file, "--replace") == 1
    assert "保持原样" in capsys.readouterr().err
    with EmbeddedPostgres(data_dir) as postgres:
        assert sql(postgres.admin_dsn(DATABASE), "SELECT source FROM calendar_year WHERE year = 2026") == "kept"


def test_check_sees_drift(db: Run, data_dir: Path, sql: Sql, capsys: pytest.CaptureFixture[str]) -> None:
    assert db("upgrade") == 0
    assert db("check") == 0
    with EmbeddedPostgres(data_dir) as postgres:
        sql(postgres.admin_dsn(DATABASE), "ALTER TABLE calendar_year ADD COLUMN stray int")
    assert db("check") == 1
    assert "stray" in capsys.readouterr().err


def test_maintain_makes_partitions_three_months_ahead_once(
    db: Run, data_dir: Path, sql: Sql, capsys: pytest.CaptureFixture[str]
) -> None:
    assert db("upgrade") == 0
    with EmbeddedPostgres(data_dir) as postgres:
        dsn = postgres.admin_dsn(DATABASE)
        sql(dsn, "CREATE TABLE monthly (month date NOT NULL) PARTITION BY RANGE (month)")
        capsys.readouterr()
        assert db("maintain") == 0
        assert "monthly_" in capsys.readouterr().out
        covered = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'monthly'::regclass"
        assert sql(dsn, covered) >= 4
        sql(dsn, "INSERT INTO monthly SELECT now()::date + make_interval(months => ahead) FROM generate_series(0, 3) AS ahead")
        assert db("maintain") == 0
        assert "0 个" in capsys.readouterr().out


def test_down_to_nothing_and_up_again(db: Run) -> None:
    assert db("upgrade") == 0
    assert db("downgrade", "base") == 0
    assert db("upgrade") == 0
    assert db("check") == 0


def test_reset_asks_first(db: Run, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert db("upgrade") == 0
    monkeypatch.setattr("builtins.input", lambda _question: "no")
    assert db("reset") == 1
    assert (data_dir / "postgres.passwords").exists()
    monkeypatch.setattr("builtins.input", lambda _question: "yes")
    assert db("reset") == 0
    assert not (data_dir / "postgres.passwords").exists()


def test_an_external_database_without_its_owner_is_told(
    db: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:secret@db.example/minzheng")
    assert db("upgrade") == 1
    assert "DATABASE_ADMIN_URL" in capsys.readouterr().err
