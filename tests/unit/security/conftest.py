"""Real key files in a folder of the test; nothing here is mocked."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import time_machine

from app.security.keys import KeyKind, KeyRing, Profile
from app.security.tokens import Tokens

LATER = 3600.0
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


def retire_later(ring: KeyRing, kind: KeyKind, name: str) -> None:
    """Retire a key when every process had time to notice the rotation."""
    with time_machine.travel(time.time() + LATER, tick=False):
        ring.retire(kind, name)


@pytest.fixture
def tokens(ring: KeyRing) -> Tokens:
    return Tokens(ring, issuer=ISSUER, audience=AUDIENCE)
