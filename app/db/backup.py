"""Backup and restore with Postgres' own programs; a restore happens whole or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import IO

from sqlalchemy import URL

from app.db.ddl import ROLES
from app.embedded.binaries import find_bindir
from app.embedded.errors import EmbeddedPostgresError

GROUP_ROLES = "\n".join(
    f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"
    for role in ROLES
)
EMPTY_SCHEMA = """
DROP SCHEMA public CASCADE;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""
PREAMBLE_BYTES = 4096
UNKNOWN_BEFORE_17 = b"SET transaction_timeout = 0;\n"  # written by newer programs whatever the server is
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"


class BackupError(RuntimeError):
    """A backup or restore failed and changed nothing; the text (Chinese) says why."""


def backup(admin: URL, file: Path) -> None:
    """A consistent copy of the database in Postgres' custom format, readable by its owner only. Raises BackupError."""
    beside = file.with_name(f"{file.name}.part")
    beside.unlink(missing_ok=True)
    beside.touch(mode=0o600)
    try:
        _run(admin, "pg_dump", "--format=custom", "--no-owner", f"--file={beside}", _address(admin))
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def restore(admin: URL, file: Path, *, replace: bool) -> None:
    """The database as it was in ``file``. Raises BackupError, among others when it isn't empty and ``replace`` isn't given."""
    if not file.is_file():
        raise BackupError(f"找不到备份文件 {file}。")
    tables = int(_run(admin, "psql", "-XAtc", TABLES, _address(admin)))
    if tables and not replace:
        raise BackupError(f"数据库中已有 {tables} 张表；确认要用备份替换全部现有数据，请加 --replace。")
    refusal = _feed(admin, file)
    if refusal:
        raise BackupError(f"恢复失败，数据库保持原样：{refusal[-500:]}")


def _feed(admin: URL, file: Path) -> str:
    """Everything in one transaction, committed only after the whole file was read without an error; answers the error."""
    into = [_program("psql"), "-X", "-q", "-o", os.devnull, "-v", "ON_ERROR_STOP=1", _address(admin)]
    out_of = [_program("pg_restore"), "--no-owner", "--file=-", str(file)]
    with (
        subprocess.Popen(out_of, stdin=DEVNULL, stdout=PIPE, stderr=PIPE) as dump,  # noqa: S603  (no shell, names of our own)
        subprocess.Popen(into, env=_environment(admin), stdin=PIPE, stdout=DEVNULL, stderr=PIPE) as psql,  # noqa: S603
    ):
        unread = ""
        try:
            _write(psql, "BEGIN;", GROUP_ROLES, EMPTY_SCHEMA)
            _pipe(psql.stdin).write(_pipe(dump.stdout).read(PREAMBLE_BYTES).replace(UNKNOWN_BEFORE_17, b""))
            shutil.copyfileobj(_pipe(dump.stdout), _pipe(psql.stdin))
            unread = _pipe(dump.stderr).read().decode(errors="replace")
            _write(psql, "COMMIT;" if dump.wait() == 0 else "ROLLBACK;")
        except BrokenPipeError:  # psql has stopped at an error and tells it below
            dump.kill()
        _, told = psql.communicate()
    return unread or (told.decode(errors="replace") if psql.returncode else "")


def _write(psql: subprocess.Popen[bytes], *statements: str) -> None:
    stdin = _pipe(psql.stdin)
    stdin.write("\n".join([*statements, ""]).encode())
    stdin.flush()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise BackupError("内部错误：进程没有管道。")
    return stream


def _run(admin: URL, program: str, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603  (no shell, names of our own)
        [_program(program), *arguments],
        env=_environment(admin),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BackupError(f"{program} 失败：{done.stderr.strip()[-500:]}")
    return done.stdout


def _program(name: str) -> str:
    """From the folder of the embedded Postgres, else from the PATH."""
    try:
        found: Path | str | None = find_bindir(None) / name
    except EmbeddedPostgresError:
        found = None
    if found is None or not Path(found).exists():
        found = shutil.which(name)
    if found is None:
        raise BackupError(f"找不到程序 {name}：请安装 Postgres 客户端，或用 MINZHENG_PG_BINDIR 指明其目录。")
    return str(found)


def _address(admin: URL) -> str:
    """Without the password: command lines are public on a machine."""
    return admin.set(drivername="postgresql")._replace(password=None).render_as_string()


def _environment(admin: URL) -> dict[str, str]:
    quiet = {"PGOPTIONS": "-c client_min_messages=warning"}
    return os.environ | quiet | ({"PGPASSWORD": str(admin.password)} if admin.password else {})
