"""Which user of the machine the server runs as. Postgres refuses root, so root hands it to an unprivileged account."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from app.embedded.errors import EmbeddedPostgresError

# In this order: the account made for it, then those that every system has. It must be in passwd: initdb looks itself up.
UNPRIVILEGED = ("postgres", "nobody", "daemon")


@dataclass(frozen=True, slots=True)
class Account:
    """The user that runs the server. ``uid`` and ``gid`` are None when it is simply ourselves."""

    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path) -> None:
        """Give ``path`` to this account (nothing to do when it is ourselves)."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a short command as this account in ``/`` with a clean environment; never raises for its exit code."""
        return subprocess.run(  # noqa: S603  (programs of our own, no shell)
            [str(part) for part in command],
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            cwd="/",
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def can_write_into(self, folder: Path) -> bool:
        """Tried by executing as the account: parents that it may not traverse, ACLs and read-only mounts all count."""
        return self.run("/bin/sh", "-c", 'cd "$1" && test -w .', "sh", folder).returncode == 0

    def can_execute(self, program: Path) -> bool:
        """Tried by executing ``program --version`` as the account: a noexec mount or an unreadable library counts too."""
        try:
            return self.run(program, "--version").returncode == 0
        except OSError:
            return False


def choose_account(data_dir: Path, cluster: Path | None) -> Account:
    """Ourselves, unless we are root: then the owner of the existing cluster, of the data folder, or an account of the system."""
    if os.geteuid() != 0:
        return Account()
    for path in (cluster, data_dir):
        if path is not None and path.exists() and (entry := _passwd_entry(path.stat().st_uid)):
            return Account(entry.pw_uid, entry.pw_gid)
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError(
        "以 root 运行时需要一个普通系统用户（postgres 或 nobody）来运行数据库，请先建立，或改用普通用户运行。"
    )


def _passwd_entry(uid: int) -> pwd.struct_passwd | None:
    """The account of ``uid`` when it exists and isn't root."""
    if uid == 0:
        return None
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return None


def clean_environment() -> dict[str, str]:
    """PG* variables, locale and HOME of the caller must not reach the server."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}
