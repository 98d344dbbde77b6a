"""Starting, stopping, starting twice."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from app.embedded import OWNER, AlreadyRunning, EmbeddedPostgres, EmbeddedPostgresError
from tests.embedded.conftest import Holding, Sql, lives, wait_for

pytestmark = pytest.mark.db


def test_data_is_there_after_stop_and_start(data_dir: Path, sql: Sql) -> None:
    with EmbeddedPostgres(data_dir) as postgres:
        sql(postgres.admin_dsn(), "CREATE TABLE kept AS SELECT 42 AS answer")
        pid = postgres.pid
    assert pid is not None
    assert not lives(pid)
    with EmbeddedPostgres(data_dir) as postgres:
        assert sql(postgres.admin_dsn(), "SELECT answer FROM kept") == 42


def test_the_cluster_is_utf8_with_locale_c_checksums_and_scram(postgres: EmbeddedPostgres, sql: Sql) -> None:
    dsn = postgres.admin_dsn()
    assert sql(dsn, "SHOW server_encoding") == "UTF8"
    assert sql(dsn, "SELECT datcollate FROM pg_database WHERE datname = 'postgres'") == "C"
    assert sql(dsn, "SHOW data_checksums") == "on"
    assert sql(dsn, "SELECT bool_and(auth_method = 'scram-sha-256') FROM pg_hba_file_rules")
    assert sql(dsn, "SELECT current_user") == OWNER


def test_it_listens_on_no_tcp_port_and_its_socket_is_private(postgres: EmbeddedPostgres, sql: Sql) -> None:
    assert sql(postgres.admin_dsn(), "SHOW listen_addresses") == ""
    folder = Path(sql(postgres.admin_dsn(), "SHOW unix_socket_directories"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_wrong_password_is_refused(postgres: EmbeddedPostgres, sql: Sql) -> None:
    wrong = postgres.admin_dsn().replace(postgres.password(OWNER), "wrong")
    with pytest.raises(asyncpg.InvalidPasswordError):
        sql(wrong, "SELECT 1")


def test_passwords_are_kept_private_and_differ_by_role(data_dir: Path, postgres: EmbeddedPostgres) -> None:
    first = postgres.password("minzheng_app")
    assert EmbeddedPostgres(data_dir).password("minzheng_app") == first != postgres.password(OWNER)
    assert stat.S_IMODE((data_dir / "postgres.passwords").stat().st_mode) == 0o600


def test_a_second_start_names_the_running_url(data_dir: Path, hold: Callable[..., Holding]) -> None:
    first = hold(data_dir, "http://127.0.0.1:8123")
    second = hold(data_dir, "http://127.0.0.1:8124")
    assert second.process.wait(10) == 1
    assert "http://127.0.0.1:8123" in second.told["refused"]
    assert str(first.process.pid) in second.told["refused"]
    assert lives(first.pid)


def test_a_second_start_in_the_same_process_is_refused_too(data_dir: Path, postgres: EmbeddedPostgres) -> None:
    with pytest.raises(AlreadyRunning):
        EmbeddedPostgres(data_dir).start()
    assert postgres.is_running()


def test_another_process_finds_the_running_one(data_dir: Path, hold: Callable[..., Holding], sql: Sql) -> None:
    assert EmbeddedPostgres.find_running(data_dir) is None
    holding = hold(data_dir)
    found = EmbeddedPostgres.find_running(data_dir)
    assert found is not None
    assert found.admin_dsn() == holding.told["dsn"]
    assert sql(found.admin_dsn(), "SELECT 1") == 1
    found.stop()
    assert lives(holding.pid), "who only found it doesn't stop it"


def test_the_second_start_takes_less_than_half_a_second(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, sync_initdb=False):
        pass
    assert any(_seconds_to_start(data_dir) < 0.5 for _ in range(10)), "not once, on however busy a machine"


def _seconds_to_start(data_dir: Path) -> float:
    began = time.monotonic()
    with EmbeddedPostgres(data_dir):
        return time.monotonic() - began


def test_a_thread_that_would_end_before_the_server_is_refused(data_dir: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="主线程"):
        asyncio.run(asyncio.to_thread(EmbeddedPostgres(data_dir, sync_initdb=False).start))


def test_it_starts_inside_a_running_event_loop(data_dir: Path) -> None:
    async def inside() -> int:
        with EmbeddedPostgres(data_dir, sync_initdb=False) as postgres:
            connection = await asyncpg.connect(postgres.admin_dsn())
            try:
                answer: int = await connection.fetchval("SELECT 7")
            finally:
                await connection.close()
        return answer

    assert asyncio.run(inside()) == 7


def test_remove_forgets_cluster_and_passwords(data_dir: Path, sql: Sql) -> None:
    with EmbeddedPostgres(data_dir, sync_initdb=False) as postgres:
        sql(postgres.admin_dsn(), "CREATE TABLE gone (n int)")
        before = postgres.password(OWNER)
    EmbeddedPostgres(data_dir).remove()
    with EmbeddedPostgres(data_dir, sync_initdb=False) as postgres:
        assert sql(postgres.admin_dsn(), "SELECT to_regclass('gone')") is None
        assert postgres.password(OWNER) != before


def test_remove_is_refused_while_another_process_runs_it(data_dir: Path, hold: Callable[..., Holding]) -> None:
    holding = hold(data_dir)
    with pytest.raises(AlreadyRunning):
        EmbeddedPostgres(data_dir).remove()
    assert lives(holding.pid)


@pytest.mark.parametrize("name", ["长名目录" * 12, "a b,c'd", "民政"])
def test_folders_whose_name_no_socket_path_could_carry(data_dir: Path, sql: Sql, name: str) -> None:
    with EmbeddedPostgres(data_dir / name, sync_initdb=False) as postgres:
        assert sql(postgres.admin_dsn(), "SELECT 1") == 1
        folder = Path(sql(postgres.admin_dsn(), "SHOW unix_socket_directories"))
    assert not folder.exists(), "the socket's folder goes with the server"
    EmbeddedPostgres(data_dir / name).remove()


def test_a_cluster_of_another_major_version_is_refused_with_what_to_do(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, sync_initdb=False) as postgres:
        version = postgres.log_path.parent / "data" / "PG_VERSION"
    version.write_text("13\n")
    with pytest.raises(EmbeddedPostgresError, match="Postgres 13"):
        EmbeddedPostgres(data_dir).start()


def test_a_lost_password_file_is_told(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, sync_initdb=False):
        pass
    (data_dir / "postgres.passwords").unlink()
    with pytest.raises(EmbeddedPostgresError, match=r"postgres\.passwords"):
        EmbeddedPostgres(data_dir).start()


def test_missing_programs_are_told(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="MINZHENG_PG_BINDIR"):
        EmbeddedPostgres(data_dir, bindir=tmp_path).start()


def test_a_forked_child_does_not_stop_the_server(postgres: EmbeddedPostgres) -> None:
    child = os.fork()
    if child == 0:
        postgres.stop()
        os._exit(0)
    os.waitpid(child, 0)
    assert postgres.pid is not None
    assert not wait_for(lambda: not lives(postgres.pid or 0), seconds=0.5)
