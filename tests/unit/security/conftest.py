"""Real key files in a folder of the test; nothing here is mocked."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.security.keys import KeyRing, Profile
from app.security.tokens import Tokens

ISSUER = "https://minzheng.example"
AUDIENCE = "minzheng"


@pytest.fixture(params=["aes-256-gcm-siv", "sm4-gcm"])
def profile(request: pytest.FixtureRequest) -> Profile:
    chosen: Profile = request.param
    return chosen


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def ring(key_file: Path) -> KeyRing:
    return KeyRing.create(key_file, "aes-256-gcm-siv")


@pytest.fixture
def tokens(ring: KeyRing) -> Tokens:
    return Tokens(ring, issuer=ISSUER, audience=AUDIENCE)
