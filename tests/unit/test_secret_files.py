"""Secrets from files, as orchestrators mount them."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import Settings


def test_a_secret_comes_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "database_url"
    file.write_text("postgresql://app:secret@db/minzheng\n")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL_FILE", str(file))
    url = Settings().database_url
    assert url is not None
    assert url.get_secret_value() == "postgresql://app:secret@db/minzheng"
    assert "secret" not in repr(Settings())


def test_the_variable_itself_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "database_url"
    file.write_text("postgresql://from/file")
    monkeypatch.setenv("DATABASE_URL_FILE", str(file))
    monkeypatch.setenv("DATABASE_URL", "postgresql://from/variable")
    url = Settings().database_url
    assert url is not None
    assert url.get_secret_value() == "postgresql://from/variable"


def test_a_file_that_is_missing_is_an_error_and_not_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "missing"))
    with pytest.raises(FileNotFoundError):
        Settings()


def test_key_file_is_a_setting_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_FILE", "/srv/keys.json")
    assert Settings().keys_path == Path("/srv/keys.json")
