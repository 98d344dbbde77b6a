"""The passwords of the cluster's roles: random, made on first demand, in one 0600 file of the data folder."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path


class PasswordFile:
    """``data_dir/postgres.passwords``: role → password (url-safe, 256 bits)."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "postgres.passwords"

    def exists(self) -> bool:
        return self._path.exists()

    def password(self, role: str) -> str:
        """The kept password of ``role``, or a new one."""
        kept = self._read()
        if role not in kept:
            kept[role] = secrets.token_urlsafe(32)
            self._write(kept)
        return kept[role]

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)

    def _read(self) -> dict[str, str]:
        try:
            kept: dict[str, str] = json.loads(self._path.read_text())
        except FileNotFoundError:
            return {}
        return kept

    def _write(self, kept: dict[str, str]) -> None:
        """Written beside and renamed, so that a kill in between loses no password."""
        beside = self._path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(kept, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
