"""The key file: who may read it, what is refused, and that rotation loses nothing in any process."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from app.security.key_document import thumbprint
from app.security.keys import KeyFileRefused, KeyKind, KeyRing, Profile
from tests.unit.security.conftest import retire_later

Document = dict[str, Any]


def document_of(path: Path) -> Document:
    document: Document = json.loads(path.read_text())
    return document


def store(path: Path, document: object) -> None:
    path.write_text(document if isinstance(document, str) else json.dumps(document))


def test_a_new_file_is_private_and_loads_again(key_file: Path, profile: Profile) -> None:
    ring = KeyRing.create(key_file, profile)
    again = KeyRing.load(key_file)
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert again.profile == ring.profile == profile
    assert again.active_signing_key.kid == ring.active_signing_key.kid
    assert len(again.current_data_key.secret) == (16 if profile == "sm4-gcm" else 32)
    assert not again.demo
    assert sorted(entry.name for entry in key_file.parent.iterdir()) == [".keys.json.lock", "keys.json"], (
        "no temporary file stays behind"
    )


def test_keys_are_never_overwritten(ring: KeyRing) -> None:
    before = ring.path.read_bytes()
    with pytest.raises(KeyFileRefused, match="已存在"):
        KeyRing.create(ring.path, "sm4-gcm")
    assert ring.path.read_bytes() == before


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KeyFileRefused, match="minzheng keys init"):
        KeyRing.load(tmp_path / "none.json")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666])
def test_a_file_open_to_others_is_refused(ring: KeyRing, mode: int) -> None:
    ring.path.chmod(mode)
    with pytest.raises(KeyFileRefused, match="chmod 600"):
        KeyRing.load(ring.path)


def test_a_folder_or_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileRefused):
        KeyRing.load(tmp_path)
    with pytest.raises(KeyFileRefused, match="普通文件"):
        KeyRing.load(Path(os.devnull))
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(KeyFileRefused, match="普通文件"):
        KeyRing.load(tmp_path / "pipe")


def test_demo_keys_work_in_demo_mode_only(key_file: Path) -> None:
    assert KeyRing.create(key_file, "aes-256-gcm-siv", demo=True).demo
    assert KeyRing.load(key_file, demo=True).demo
    with pytest.raises(KeyFileRefused, match="演示"):
        KeyRing.load(key_file)


def _set(*path: str | int, value: object) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        target: Any = document
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return change


def _repeat(kind: str) -> Callable[[Document], None]:
    return lambda document: document[kind].append(document[kind][0])


def _second_version(document: Document, retired_at: str | None, kind: str = "data") -> None:
    """One more version; the first one is current unless this one is."""
    newest = document[kind][-1]
    document[kind].append(newest | {"version": newest["version"] + 1, "retired_at": retired_at})


def _three_index_versions(document: Document) -> None:
    """In order but for their number."""
    for _ in range(2):
        document["index"][-1]["retired_at"] = "2026-01-01T00:00:00+00:00"
        _second_version(document, None, "index")


DAMAGES: dict[str, Callable[[Document], object]] = {
    "another format": _set("format", value=2),
    "demo unsaid": lambda document: document.pop("demo"),
    "demo not a boolean": _set("demo", value=0),
    "no signing key": _set("signing", value=[]),
    "two active signing keys": _repeat("signing"),
    "kid of another key": _set("signing", 0, "kid", value="A" * 43),
    "private key cut short": lambda d: _set("signing", 0, "private", value=d["signing"][0]["private"][:-8])(d),
    "retired with its private half": _set("signing", 0, "retired_at", value="2026-01-01T00:00:00+00:00"),
    "no data key": _set("data", value=[]),
    "two data keys of one version": _repeat("data"),
    "short data key": _set("data", 0, "secret", value="AAECAwQFBgc"),
    "data key of zeroes": _set("data", 0, "secret", value="A" * 43),
    "unknown profile": _set("data", 0, "profile", value="des"),
    "profile of another type": _set("data", 0, "profile", value=[]),
    "newest version retired": lambda d: _second_version(d, "2026-01-01T00:00:00+00:00"),
    "two current versions": lambda d: _second_version(d, None),
    "three index versions": _three_index_versions,
    "version zero": _set("data", 0, "version", value=0),
    "version too large": _set("index", 0, "version", value=65536),
    "version true": _set("index", 0, "version", value=True),
    "not base64": _set("index", 0, "secret", value="*" * 43),
    "instant without offset": _set("index", 0, "created_at", value="2026-01-01T00:00:00"),
    "no fingerprint key": lambda document: document.pop("fingerprint"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_refused(ring: KeyRing, damage: str) -> None:
    document = document_of(ring.path)
    DAMAGES[damage](document)
    store(ring.path, document)
    with pytest.raises(KeyFileRefused, match="损坏"):
        KeyRing.load(ring.path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "1", '"x"', "[" * 100_000, '{"format": 1e999}'])
def test_files_that_are_no_keys_are_refused(ring: KeyRing, text: str) -> None:
    store(ring.path, text)
    with pytest.raises(KeyFileRefused):
        KeyRing.load(ring.path)


def test_bytes_that_are_no_text_are_refused(ring: KeyRing) -> None:
    ring.path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KeyFileRefused, match="无法读取"):
        KeyRing.load(ring.path)


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.SECP384R1(), None])
def test_keys_of_other_kinds_are_refused(ring: KeyRing, curve: ec.EllipticCurve | None) -> None:
    private = ec.generate_private_key(curve) if curve else ed25519.Ed25519PrivateKey.generate()
    form = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    document = document_of(ring.path)
    kid = thumbprint(private.public_key()) if isinstance(curve, ec.SECP256K1) else "x"  # type: ignore[arg-type]
    encoded = base64.urlsafe_b64encode(private.private_bytes(*form)).rstrip(b"=").decode()
    document["signing"][0].update(private=encoded, kid=kid)
    store(ring.path, document)
    with pytest.raises(KeyFileRefused, match="损坏"):
        KeyRing.load(ring.path)


def test_a_file_of_another_user_is_refused(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        os.chown(ring.path, 4242, -1)
    owner = ring.path.stat().st_uid
    monkeypatch.setattr("app.security.key_file.os.geteuid", lambda: owner + 1)
    with pytest.raises(KeyFileRefused, match="其他用户"):
        KeyRing.load(ring.path)
    for reader in (owner, 0):
        monkeypatch.setattr("app.security.key_file.os.geteuid", lambda reader=reader: reader)
        KeyRing.load(ring.path)


def test_folder_and_lock_are_private_too(tmp_path: Path) -> None:
    path = tmp_path / "new" / "keys.json"
    KeyRing.create(path, "sm4-gcm")
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert (path.parent / ".keys.json.lock").stat().st_mode & 0o777 == 0o600


def test_an_unchanged_file_is_not_parsed_again(ring: KeyRing) -> None:
    key = ring.active_signing_key
    assert ring.refresh() is False
    assert ring.active_signing_key is key


def test_only_the_named_key_is_retired(ring: KeyRing) -> None:
    first = ring.active_signing_key.kid
    second, third = ring.rotate("signing"), ring.rotate("signing")
    ring.retire("signing", first)
    assert [key.kid for key in ring.signing_keys()] == [third, second]
    assert ring.find_signing_key(first) is None


def test_a_refusal_shows_no_secret(ring: KeyRing) -> None:
    document = document_of(ring.path)
    secret = document["data"][0]["secret"]
    document["index"] = []
    store(ring.path, document)
    with pytest.raises(KeyFileRefused) as caught:
        KeyRing.load(ring.path)
    assert secret not in str(caught.value)
    assert secret not in repr(ring.current_data_key)
    assert repr(ring.current_data_key.secret) not in repr(ring.current_data_key)


# rotation


def test_a_rotated_signing_key_keeps_its_public_half_only(ring: KeyRing) -> None:
    former = ring.active_signing_key
    new = ring.rotate("signing")
    assert ring.active_signing_key.kid == new != former.kid
    kept = ring.find_signing_key(former.kid)
    assert kept is not None
    assert (kept.private, kept.public) == (None, former.public)
    assert [key.kid for key in ring.signing_keys()] == [new, former.kid]
    assert "private" not in document_of(ring.path)["signing"][0]


def test_two_index_versions_live_at_once_and_no_more(ring: KeyRing) -> None:
    assert ring.rotate("index") == "2"
    assert [key.version for key in ring.index_keys()] == [2, 1]
    with pytest.raises(KeyFileRefused, match="2 个版本"):
        ring.rotate("index")
    with pytest.raises(KeyFileRefused, match="刚刚轮换"):
        ring.retire("index", "1")
    retire_later(ring, "index", "1")
    assert ring.rotate("index") == "3", "a version is never used twice"


def test_frozen_records_hold_no_data_key_rotation_up(ring: KeyRing) -> None:
    assert [ring.rotate("data") for _ in range(3)] == ["2", "3", "4"]
    assert [key.version for key in ring.data_keys()] == [4, 3, 2, 1]
    retire_later(ring, "data", "2")
    assert [key.version for key in KeyRing.load(ring.path).data_keys()] == [4, 3, 1]


def test_rotation_can_move_to_other_algorithms(ring: KeyRing) -> None:
    ring.rotate("data", profile="sm4-gcm")
    assert [key.profile for key in ring.data_keys()] == ["sm4-gcm", "aes-256-gcm-siv"]
    assert ring.profile == "sm4-gcm"
    with pytest.raises(KeyFileRefused, match="ES256"):
        ring.rotate("signing", profile="sm4-gcm")


@pytest.mark.parametrize("kind", get_args(KeyKind))
def test_a_key_in_use_or_unknown_is_not_retired(ring: KeyRing, kind: KeyKind) -> None:
    before = ring.path.read_bytes()
    for name in (ring.active_signing_key.kid, "1", "9", ""):
        with pytest.raises(KeyFileRefused):
            ring.retire(kind, name)
    assert ring.path.read_bytes() == before


def test_another_process_meets_new_keys_by_itself(ring: KeyRing) -> None:
    other = KeyRing.load(ring.path)
    kid = ring.rotate("signing")
    ring.rotate("data")
    found, data = other.find_signing_key(kid), other.find_data_key(2)
    assert found is not None
    assert data is not None
    assert other.find_signing_key("unknown") is None
    assert other.find_data_key(3) is None


def test_another_process_takes_to_the_new_key_after_a_while(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    other = KeyRing.load(ring.path)
    kid = ring.rotate("signing")
    assert other.active_signing_key.kid != kid
    monkeypatch.setattr(other, "_look_again_at", 0.0)
    assert other.active_signing_key.kid == kid


def test_a_file_damaged_later_leaves_the_old_keys(ring: KeyRing, caplog: pytest.LogCaptureFixture) -> None:
    kid = ring.active_signing_key.kid
    store(ring.path, "{")
    assert not ring.refresh()
    assert ring.active_signing_key.kid == kid
    assert "keeping the keys" in caplog.text
    with pytest.raises(KeyFileRefused):
        ring.rotate("signing")


def test_a_file_opened_to_others_later_is_not_followed(ring: KeyRing) -> None:
    other = KeyRing.load(ring.path)
    kid = ring.rotate("signing")
    ring.path.chmod(0o644)
    assert other.find_signing_key(kid) is None


def test_rotations_at_the_same_time_lose_none(ring: KeyRing) -> None:
    rings = [KeyRing.load(ring.path) for _ in range(6)]
    made: list[str] = []
    threads = [threading.Thread(target=lambda one=one: made.append(one.rotate("signing"))) for one in rings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ring.refresh()
    assert {key.kid for key in ring.signing_keys()} >= set(made)
    assert len(ring.signing_keys()) == 7


def test_an_interrupted_write_leaves_the_old_file(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ring.path.read_bytes()

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.security.key_file.os.fsync", fails)
    with pytest.raises(OSError, match="No space"):
        ring.rotate("signing")
    assert ring.path.read_bytes() == before
    assert sorted(entry.name for entry in ring.path.parent.iterdir()) == [".keys.json.lock", "keys.json"]


def test_fingerprints_keep_purposes_and_files_apart(ring: KeyRing, tmp_path: Path) -> None:
    mark = ring.fingerprint("body", b"x")
    assert len(mark) == 32
    assert mark == KeyRing.load(ring.path).fingerprint("body", b"x")
    others = {ring.fingerprint("row", b"x"), ring.fingerprint("body", b"y"), ring.fingerprint("bod", b"yx")}
    others.add(KeyRing.create(tmp_path / "other.json", "aes-256-gcm-siv").fingerprint("body", b"x"))
    assert len(others | {mark}) == 5
    ring.rotate("index")
    assert ring.fingerprint("body", b"x") == mark, "idempotency records of money outlive every rotation"


def test_instants_carry_their_offset(ring: KeyRing) -> None:
    created: datetime = ring.active_signing_key.created_at
    assert created.utcoffset() is not None
