"""Attacks on the building blocks together: rotation under load, secrets in places where they don't belong, shortcuts."""

from __future__ import annotations

import ast
import logging
import pickle
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

import app
from app.domain.access import Duty, Level
from app.domain.identity import checksum_character
from app.ids import new_id
from app.security.fields import BlindIndex, Field, FieldCipher, SealBroken
from app.security.keys import KeyFileRefused, KeyRing
from app.security.tokens import Tokens
from tests.unit.security.conftest import AUDIENCE, ISSUER, retire_later

NUMBER = "11010519491231002X"
SOURCES = Path(app.__file__).parent


class Process:
    """What one server process holds; several share the key file only."""

    def __init__(self, path: Path) -> None:
        self.ring = KeyRing.load(path)
        self.cipher = FieldCipher(self.ring)
        self.index = BlindIndex(self.ring)
        self.tokens = Tokens(self.ring, issuer=ISSUER, audience=AUDIENCE)


def hand_over(writer: Process, reader: Process) -> None:
    """What one process wrote the other must read, find and accept."""
    person = new_id()
    assert reader.cipher.open(Field.ID_NUMBER, person, writer.cipher.seal(Field.ID_NUMBER, person, NUMBER)) == NUMBER
    stored, sought = writer.index.digest(Field.ID_NUMBER, NUMBER), reader.index.digest(Field.ID_NUMBER, NUMBER)
    assert any(stored.get(version) == digest for version, digest in sought.items())
    token = writer.tokens.issue_access_token(subject=person, level=Level.DISTRICT, area="350702", duties=[Duty.REVIEWER])
    assert reader.tokens.verify_access_token(token).subject == person
    reader.tokens.verify_attestation(writer.tokens.sign_attestation({"enrolled": True}))


def test_nothing_fails_while_every_kind_rotates_under_load(ring: KeyRing) -> None:
    processes = [Process(ring.path) for _ in range(4)]
    failures: list[str] = []
    rounds = [0] * len(processes)
    stop = threading.Event()

    def serve(number: int) -> None:
        while not stop.is_set():
            try:
                hand_over(processes[number], processes[number - 1])
            except Exception:  # noqa: BLE001  (whatever it is, it is the finding)
                failures.append(traceback.format_exc())
            rounds[number] += 1

    threads = [threading.Thread(target=serve, args=(number,)) for number in range(len(processes))]
    for thread in threads:
        thread.start()
    for step in range(6):
        time.sleep(0.05)
        ring.rotate("signing")
        if step == 2:
            ring.rotate("data", profile="sm4-gcm")
            ring.rotate("index", profile="sm4-gcm")
        processes[step % 4].ring.refresh()  # some notice at once, others when they must
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    assert min(rounds) > 3


def test_a_process_that_missed_the_rotation_still_reads_and_is_read(ring: KeyRing) -> None:
    late, early = Process(ring.path), Process(ring.path)
    for kind in ("data", "index", "signing"):
        early.ring.rotate(kind)
    hand_over(early, late)
    hand_over(late, early)


def test_an_old_key_file_put_back_opens_nothing_new(ring: KeyRing, tmp_path: Path) -> None:
    """A restore of the data without the keys must be loud, never an empty value."""
    person, cipher = new_id(), FieldCipher(ring)
    before = ring.path.read_bytes()
    ring.rotate("data")
    retire_later(ring, "data", "1")
    sealed = cipher.seal(Field.ID_NUMBER, person, NUMBER)
    old = tmp_path / "old.json"
    old.write_bytes(before)
    old.chmod(0o600)
    with pytest.raises(SealBroken, match="version 2"):
        FieldCipher(KeyRing.load(old)).open(Field.ID_NUMBER, person, sealed)


def test_the_same_versions_from_another_file_do_not_mix(ring: KeyRing, tmp_path: Path) -> None:
    """A key file replaced under a running process: the cached ciphers of the old one must not be used."""
    cipher, person = FieldCipher(ring), new_id()
    sealed = cipher.seal(Field.ID_NUMBER, person, NUMBER)
    other = KeyRing.create(tmp_path / "other" / "keys.json", "aes-256-gcm-siv")
    other.path.replace(ring.path)
    assert ring.refresh()
    with pytest.raises(SealBroken):
        cipher.open(Field.ID_NUMBER, person, sealed)
    again = cipher.seal(Field.ID_NUMBER, person, NUMBER)
    assert FieldCipher(KeyRing.load(ring.path)).open(Field.ID_NUMBER, person, again) == NUMBER


def test_demo_keys_swapped_in_later_are_not_followed(ring: KeyRing, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kid = ring.active_signing_key.kid
    KeyRing.create(tmp_path / "demo.json", "aes-256-gcm-siv", demo=True).path.replace(ring.path)
    with caplog.at_level(logging.ERROR):
        assert not ring.refresh()
    assert ring.active_signing_key.kid == kid
    with pytest.raises(KeyFileRefused):
        KeyRing.load(ring.path)


def test_the_index_can_not_be_recomputed_without_the_key(ring: KeyRing) -> None:
    """The stored digest must not be a bare hash of anything an attacker can enumerate."""
    import hashlib

    _, digest = BlindIndex(ring).current(Field.ID_NUMBER, NUMBER)
    for name in ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b"):
        for message in (NUMBER, NUMBER.lower(), f"\x00\x01{NUMBER}", f"1{NUMBER}", f"ID_NUMBER{NUMBER}"):
            assert not hashlib.new(name, message.encode(), usedforsecurity=False).digest().startswith(digest)


def test_neighbouring_numbers_have_unrelated_digests(ring: KeyRing) -> None:
    index = BlindIndex(ring)
    numbers = (f"35070219800101{sequence:03}" for sequence in range(300))
    digests = [index.current(Field.ID_NUMBER, digits + checksum_character(digits))[1] for digits in numbers]
    assert len(set(digests)) == 300
    assert len({digest[:2] for digest in digests}) > 280


@pytest.mark.parametrize("show", [repr, str])
def test_printed_keys_show_no_secret(ring: KeyRing, show: Callable[[object], str]) -> None:
    for key in (ring.current_data_key, ring.current_index_key):
        printed = show([key])
        assert "version=1" in printed
        assert repr(key.secret)[2:-1] not in printed
        assert key.secret.hex() not in printed
    assert "secret" not in show(ring)


def test_signing_keys_do_not_travel_in_pickles(ring: KeyRing) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(ring.active_signing_key)


def test_a_verified_token_can_not_be_changed(ring: KeyRing) -> None:
    tokens = Tokens(ring, issuer=ISSUER, audience=AUDIENCE)
    token = tokens.issue_access_token(
        subject=new_id(), level=Level.COMMUNITY, area="350702001001", duties=[Duty.COMMUNITY_WORKER]
    )
    claims = tokens.verify_access_token(token)
    with pytest.raises(AttributeError):
        claims.level = Level.DISTRICT  # type: ignore[misc]
    with pytest.raises(AttributeError):
        claims.duties.add(Duty.ADMIN)  # type: ignore[attr-defined]


def test_two_installations_do_not_accept_each_other_s_tokens(ring: KeyRing, tmp_path: Path) -> None:
    from app.domain.errors import Unauthenticated

    ours = Tokens(ring, issuer=ISSUER, audience=AUDIENCE)
    theirs = Tokens(KeyRing.create(tmp_path / "t.json", "sm4-gcm"), issuer=ISSUER, audience=AUDIENCE)
    elsewhere = Tokens(ring, issuer="https://test.minzheng.example", audience=AUDIENCE)
    for other in (theirs, elsewhere):
        token = other.issue_access_token(subject=new_id(), level=Level.DISTRICT, area="350702", duties=[Duty.ADMIN])
        with pytest.raises(Unauthenticated):
            ours.verify_access_token(token)


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name.split(".")[0] for name in names}


def test_only_one_file_imports_jose() -> None:
    assert [path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*.py") if "jose" in _imports(path)] == [
        "security/tokens.py"
    ]


def test_no_key_or_identity_is_made_from_a_guessable_source() -> None:
    for path in [*(SOURCES / "security").rglob("*.py"), SOURCES / "ids.py"]:
        assert not _imports(path) & {"random", "uuid1", "time_uuid"}, path
