"""Encrypted fields and the blind index: vectors of the standards, tampering of every byte, two key versions at once."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import hmac as openssl_hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.ids import new_id
from app.security.fields import (
    INDEX_BYTES,
    OVERHEAD_BYTES,
    BlindIndex,
    Field,
    FieldCipher,
    SealBroken,
    _aead,
    _Sm4Gcm,
    version_of,
)
from app.security.keys import KeyRing, Profile
from tests.unit.security.conftest import retire_later

NUMBER = "11010519491231002X"
PERSON = new_id()


@pytest.fixture
def ring(key_file: Path, profile: Profile) -> KeyRing:
    """Both profiles for every test of this file."""
    return KeyRing.create(key_file, profile)


@pytest.fixture
def cipher(ring: KeyRing) -> FieldCipher:
    return FieldCipher(ring)


@pytest.fixture
def index(ring: KeyRing) -> BlindIndex:
    return BlindIndex(ring)


# the algorithms are the standards'


def test_sm3_of_the_standard() -> None:
    digest = hashes.Hash(hashes.SM3())
    digest.update(b"abc")
    assert digest.finalize().hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_sm4_of_the_standard() -> None:
    """One block without a mode: the vector of GB/T 32907, nothing that the application uses."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    encryptor = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()  # noqa: S305
    assert (encryptor.update(key) + encryptor.finalize()).hex() == "681edf34d206965e86b3e94f536e4246"


def test_sm4_gcm_of_rfc_8998() -> None:
    plain = bytes.fromhex("aa" * 8 + "bb" * 8 + "cc" * 8 + "dd" * 8 + "ee" * 8 + "ff" * 8 + "ee" * 8 + "aa" * 8)
    associated = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    nonce = bytes.fromhex("00001234567800000000abcd")
    sm4 = _Sm4Gcm(bytes.fromhex("0123456789abcdeffedcba9876543210"))
    sealed = sm4.encrypt(nonce, plain, associated)
    assert sealed.hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert sm4.decrypt(nonce, sealed, associated) == plain


def test_aes_256_gcm_siv_of_rfc_8452() -> None:
    key = bytes.fromhex("01" + "00" * 31)
    sealed = AESGCMSIV(key).encrypt(bytes.fromhex("03" + "00" * 11), bytes.fromhex("0100000000000000"), b"")
    assert sealed.hex() == "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"


def test_hmac_sm3_is_the_construction_of_rfc_2104() -> None:
    def sm3(data: bytes) -> bytes:
        digest = hashes.Hash(hashes.SM3())
        digest.update(data)
        return digest.finalize()

    key, message = bytes(range(32)).ljust(64, b"\x00"), b"message"
    inner = sm3(bytes(byte ^ 0x36 for byte in key) + message)
    expected = sm3(bytes(byte ^ 0x5C for byte in key) + inner)
    context = openssl_hmac.HMAC(bytes(range(32)), hashes.SM3())
    context.update(message)
    assert context.finalize() == expected


def test_the_index_is_the_keyed_digest_of_field_and_value(ring: KeyRing, index: BlindIndex) -> None:
    key, message = ring.current_index_key, b"\x00\x01" + NUMBER.encode()
    if key.profile == "aes-256-gcm-siv":
        expected = hmac.digest(key.secret, message, hashlib.sha256)
    else:
        context = openssl_hmac.HMAC(key.secret, hashes.SM3())
        context.update(message)
        expected = context.finalize()
    assert index.current(Field.ID_NUMBER, NUMBER) == (1, expected[:INDEX_BYTES])


def test_field_numbers_are_fixed_for_ever() -> None:
    assert {field.name: field.value for field in Field} == {
        "ID_NUMBER": 1,
        "BANK_ACCOUNT": 2,
        "PHONE": 3,
        "ADDRESS": 4,
        "STORED_ANSWER": 5,
        "FILE": 6,
        "JOB_PAYLOAD": 7,
        "REJECTED_ROW": 8,
        "DISABILITY_CERTIFICATE": 9,
        "WEBHOOK_SECRET": 10,
        "NAME": 11,
        "LEAD": 12,
        "SERVICE_REQUEST": 13,
    }


# sealing


@pytest.mark.parametrize("plain", ["", NUMBER, "福建省南平市延平区", "𡗗䶮", "x" * 100_000, "\x00"])
def test_what_is_sealed_opens(cipher: FieldCipher, plain: str) -> None:
    sealed = cipher.seal(Field.ADDRESS, PERSON, plain)
    assert len(sealed) == len(plain.encode()) + OVERHEAD_BYTES
    assert cipher.open(Field.ADDRESS, PERSON, sealed) == plain
    assert not plain or plain == "\x00" or plain.encode() not in sealed


def test_equal_values_look_different(cipher: FieldCipher) -> None:
    assert len({cipher.seal(Field.PHONE, PERSON, "13812345678") for _ in range(50)}) == 50


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(plain=st.binary(max_size=300), part=st.none() | st.integers(0, 2**32 - 1))
def test_any_bytes_survive(cipher: FieldCipher, plain: bytes, part: int | None) -> None:
    assert cipher.open_bytes(Field.FILE, PERSON, cipher.seal_bytes(Field.FILE, PERSON, plain, part=part), part=part) == plain


# tampering (every byte; another person; another field; another place)


def test_every_flipped_bit_is_found(cipher: FieldCipher) -> None:
    sealed = cipher.seal(Field.ID_NUMBER, PERSON, NUMBER)
    for place in range(len(sealed)):
        for bit in range(8):
            altered = bytearray(sealed)
            altered[place] ^= 1 << bit
            with pytest.raises(SealBroken):
                cipher.open(Field.ID_NUMBER, PERSON, bytes(altered))


def test_every_flipped_bit_is_found_with_two_versions_alive(ring: KeyRing, cipher: FieldCipher) -> None:
    """A flipped version byte now names a living key."""
    old = cipher.seal(Field.ID_NUMBER, PERSON, NUMBER)
    ring.rotate("data")
    new = cipher.seal(Field.ID_NUMBER, PERSON, NUMBER)
    assert (version_of(old), version_of(new)) == (1, 2)
    for wrong in (new[:2] + old[2:], old[:2] + new[2:]):
        with pytest.raises(SealBroken, match="altered"):
            cipher.open(Field.ID_NUMBER, PERSON, wrong)


@pytest.mark.parametrize("change", ["shorter", "longer", "empty", "head only", "swapped halves"])
def test_cut_and_lengthened_values_are_found(cipher: FieldCipher, change: str) -> None:
    sealed = cipher.seal(Field.ID_NUMBER, PERSON, NUMBER)
    altered = {
        "shorter": sealed[:-1],
        "longer": sealed + b"\x00",
        "empty": b"",
        "head only": sealed[:14],
        "swapped halves": sealed[:14] + sealed[31:] + sealed[14:31],
    }[change]
    with pytest.raises(SealBroken):
        cipher.open(Field.ID_NUMBER, PERSON, altered)


def test_a_value_moved_to_another_person_or_field_is_found(cipher: FieldCipher) -> None:
    sealed = cipher.seal(Field.ID_NUMBER, PERSON, NUMBER)
    with pytest.raises(SealBroken):
        cipher.open(Field.ID_NUMBER, new_id(), sealed)
    for field in Field:
        if field is not Field.ID_NUMBER:
            with pytest.raises(SealBroken):
                cipher.open(field, PERSON, sealed)


def test_parts_of_a_file_can_not_change_places(cipher: FieldCipher) -> None:
    sealed = cipher.seal_bytes(Field.FILE, PERSON, b"first", part=0)
    for part in (1, None):
        with pytest.raises(SealBroken):
            cipher.open_bytes(Field.FILE, PERSON, sealed, part=part)


def test_a_broken_seal_shows_nothing_of_the_value(cipher: FieldCipher) -> None:
    sealed = bytearray(cipher.seal(Field.ID_NUMBER, PERSON, NUMBER))
    sealed[-1] ^= 1
    with pytest.raises(SealBroken) as caught:
        cipher.open(Field.ID_NUMBER, PERSON, bytes(sealed))
    assert NUMBER not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_key_file_of_another_installation_opens_nothing(cipher: FieldCipher, tmp_path: Path, profile: Profile) -> None:
    other = FieldCipher(KeyRing.create(tmp_path / "other.json", profile))
    with pytest.raises(SealBroken):
        other.open(Field.ID_NUMBER, PERSON, cipher.seal(Field.ID_NUMBER, PERSON, NUMBER))


# rotation


def test_values_of_two_versions_open_side_by_side(ring: KeyRing, cipher: FieldCipher) -> None:
    reader = FieldCipher(KeyRing.load(ring.path))
    old = cipher.seal(Field.ID_NUMBER, PERSON, NUMBER)
    ring.rotate("data")
    new = cipher.seal(Field.ID_NUMBER, PERSON, NUMBER)
    assert [cipher.is_current(sealed) for sealed in (old, new)] == [False, True]
    for each in (cipher, reader):
        assert [each.open(Field.ID_NUMBER, PERSON, sealed) for sealed in (old, new)] == [NUMBER, NUMBER]
    retire_later(ring, "data", "1")
    assert cipher.open(Field.ID_NUMBER, PERSON, new) == NUMBER
    with pytest.raises(SealBroken, match="version 1"):
        cipher.open(Field.ID_NUMBER, PERSON, old)


def test_the_algorithm_may_change_with_the_version(ring: KeyRing, cipher: FieldCipher, profile: Profile) -> None:
    old = cipher.seal(Field.ID_NUMBER, PERSON, NUMBER)
    ring.rotate("data", profile="sm4-gcm" if profile == "aes-256-gcm-siv" else "aes-256-gcm-siv")
    new = cipher.seal(Field.ID_NUMBER, PERSON, NUMBER)
    assert [cipher.open(Field.ID_NUMBER, PERSON, sealed) for sealed in (old, new)] == [NUMBER, NUMBER]


def test_cipher_objects_are_made_once(ring: KeyRing) -> None:
    assert _aead(ring.current_data_key) is _aead(ring.current_data_key)


# blind index


def test_equal_people_have_equal_digests_however_written(index: BlindIndex) -> None:
    expected = index.digest(Field.ID_NUMBER, NUMBER)
    for spelling in ("11010519491231002x", "110105 19491231 002X", "１１０１０５１９４９１２３１００２Ｘ"):
        assert index.digest(Field.ID_NUMBER, spelling) == expected
    assert index.digest(Field.BANK_ACCOUNT, "6228 4804-0256 4890 018") == index.digest(Field.BANK_ACCOUNT, "6228480402564890018")
    assert index.digest(Field.PHONE, "+86 138-1234-5678") == index.digest(Field.PHONE, "13812345678")
    assert index.digest(Field.NAME, "买买提．吐尔逊") == index.digest(Field.NAME, "买买提·吐尔逊")


def test_other_values_fields_and_keys_have_other_digests(index: BlindIndex, tmp_path: Path, profile: Profile) -> None:
    other = BlindIndex(KeyRing.create(tmp_path / "other.json", profile))
    digests = {
        index.current(Field.ID_NUMBER, NUMBER)[1],
        index.current(Field.ID_NUMBER, "34052419800101001X")[1],
        index.current(Field.BANK_ACCOUNT, NUMBER)[1],
        index.current(Field.DISABILITY_CERTIFICATE, NUMBER)[1],
        other.current(Field.ID_NUMBER, NUMBER)[1],
    }
    assert len(digests) == 5
    assert {len(digest) for digest in digests} == {INDEX_BYTES} == {16}


def test_every_live_version_is_looked_up(ring: KeyRing, index: BlindIndex) -> None:
    before = index.digest(Field.ID_NUMBER, NUMBER)
    ring.rotate("index")
    after = index.digest(Field.ID_NUMBER, NUMBER)
    assert list(after) == [2, 1] == list(index.versions)
    assert after[1] == before[1] != after[2]
    assert index.current(Field.ID_NUMBER, NUMBER) == (2, after[2])
    retire_later(ring, "index", "1")
    assert index.digest(Field.ID_NUMBER, NUMBER) == {2: after[2]}


@pytest.mark.parametrize("field", [Field.ADDRESS, Field.FILE, Field.STORED_ANSWER])
def test_what_nobody_may_search_has_no_index(index: BlindIndex, field: Field) -> None:
    with pytest.raises(ValueError, match="not searchable"):
        index.digest(field, "x")
