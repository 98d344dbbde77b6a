"""Encryption of personal data at rest and the blind index that finds it again (个人信息保护法 第五十一条).

A sealed value is ``version (2 bytes, big-endian) · nonce (12) · ciphertext and tag (16)``: 30 bytes more than the plain one.
The associated data is the stable field number and the person's ``person_uid``, never a table name, district or row id: a
value can be moved between rows and districts of the same person, and to nobody else and to no other field.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Final, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from app.domain.identity import normalise_bank_account, normalise_id_number, normalise_name, normalise_phone
from app.security.keys import KeyRing, SecretKey

VERSION_BYTES: Final = 2
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
INDEX_BYTES: Final = 16
OVERHEAD_BYTES: Final = VERSION_BYTES + NONCE_BYTES + TAG_BYTES


class Field(IntEnum):
    """Numbers that are bound into every ciphertext and index: never renumber, never reuse."""

    ID_NUMBER = 1
    BANK_ACCOUNT = 2
    PHONE = 3
    ADDRESS = 4
    STORED_ANSWER = 5
    FILE = 6
    JOB_PAYLOAD = 7
    REJECTED_ROW = 8
    DISABILITY_CERTIFICATE = 9
    WEBHOOK_SECRET = 10
    NAME = 11
    LEAD = 12
    SERVICE_REQUEST = 13


_NORMALISE: Final[dict[Field, Callable[[str], str]]] = {
    Field.ID_NUMBER: normalise_id_number,
    Field.BANK_ACCOUNT: normalise_bank_account,
    Field.PHONE: normalise_phone,
    Field.DISABILITY_CERTIFICATE: normalise_id_number,
    Field.NAME: normalise_name,
}


class SealBroken(Exception):
    """A stored value doesn't open: altered, moved to another person or field, or its key version was retired.

    Never the caller's fault and never to be answered with a default: it is an incident (500, alarm).
    """


class _Aead(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...


class _Sm4Gcm:
    """SM4-GCM (GB/T 32907, RFC 8998) with the interface of the library's AEAD classes; the tag comes last.

    Nonces are random, so one key is good for 2^32 values (NIST SP 800-38D 8.3): rotate before.
    """

    def __init__(self, secret: bytes) -> None:
        self._algorithm = algorithms.SM4(secret)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        encryptor = Cipher(self._algorithm, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated_data)
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        text, tag = data[:-TAG_BYTES], data[-TAG_BYTES:]
        decryptor = Cipher(self._algorithm, modes.GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(associated_data)
        return decryptor.update(text) + decryptor.finalize()


@lru_cache(maxsize=16)
def _aead(key: SecretKey) -> _Aead:
    """One cipher object per loaded key (keys compare by identity, so a reloaded file brings new ones)."""
    return AESGCMSIV(key.secret) if key.profile == "aes-256-gcm-siv" else _Sm4Gcm(key.secret)


def _associated(field: Field, person_uid: UUID, part: int | None) -> bytes:
    bound = struct.pack(">H", field) + person_uid.bytes
    return bound if part is None else bound + struct.pack(">I", part)


class FieldCipher:
    """Seals and opens single values. ``person_uid`` is whoever the value is about; for files, jobs and stored answers the id
    of that record.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def seal(self, field: Field, person_uid: UUID, plain: str) -> bytes:
        """Encrypt under the current data key; two seals of one value differ."""
        return self.seal_bytes(field, person_uid, plain.encode())

    def open(self, field: Field, person_uid: UUID, sealed: bytes) -> str:
        """The plain value. Raises `SealBroken`."""
        return self.open_bytes(field, person_uid, sealed).decode()

    def seal_bytes(self, field: Field, person_uid: UUID, plain: bytes, *, part: int | None = None) -> bytes:
        """Like `seal` for bytes; ``part`` (0 …) binds a chunk of a long file to its place."""
        key = self._ring.current_data_key
        nonce = os.urandom(NONCE_BYTES)
        head = key.version.to_bytes(VERSION_BYTES) + nonce
        return head + _aead(key).encrypt(nonce, plain, _associated(field, person_uid, part))

    def seal_many(self, field: Field, owners: Sequence[UUID], plains: Sequence[str | None]) -> list[bytes | None]:
        """Like `seal` for a column of values, each of its own owner; None stays None."""
        key = self._ring.current_data_key
        encrypt, bound = _aead(key).encrypt, struct.pack(">H", field)
        version, nonces = key.version.to_bytes(VERSION_BYTES), os.urandom(NONCE_BYTES * len(plains))
        sealed: list[bytes | None] = []
        for place, (owner, plain) in enumerate(zip(owners, plains, strict=True)):
            nonce = nonces[place * NONCE_BYTES : (place + 1) * NONCE_BYTES]
            text = None if plain is None else encrypt(nonce, plain.encode(), bound + owner.bytes)
            sealed.append(None if text is None else version + nonce + text)
        return sealed

    def open_bytes(self, field: Field, person_uid: UUID, sealed: bytes, *, part: int | None = None) -> bytes:
        """Like `open` for bytes. Raises `SealBroken`."""
        if len(sealed) < OVERHEAD_BYTES:
            raise SealBroken(f"{field.name}: too short")
        key = self._ring.find_data_key(version_of(sealed))
        if key is None:
            raise SealBroken(f"{field.name}: no data key of version {version_of(sealed)}")
        nonce, text = sealed[VERSION_BYTES : VERSION_BYTES + NONCE_BYTES], sealed[VERSION_BYTES + NONCE_BYTES :]
        try:
            return _aead(key).decrypt(nonce, text, _associated(field, person_uid, part))
        except InvalidTag:
            raise SealBroken(f"{field.name}: altered, or not of this person") from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether the value is sealed under the current key; if not, re-encryption is due."""
        return version_of(sealed) == self._ring.current_data_key.version

    def renewed(self, field: Field, person_uid: UUID, sealed: bytes) -> bytes:
        """The same value sealed under the current key: itself where it is already. Raises `SealBroken`."""
        return sealed if self.is_current(sealed) else self.seal(field, person_uid, self.open(field, person_uid, sealed))


def version_of(sealed: bytes) -> int:
    """The data key version a value says it was sealed under."""
    return int.from_bytes(sealed[:VERSION_BYTES])


class BlindIndex:
    """Finds equal values without storing them: a keyed digest of the normalised value (a bare hash of an ID number could be
    reversed by trying them all).
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def digest(self, field: Field, value: str) -> dict[int, bytes]:
        """Index key version → 16 bytes, for every live version, the newest first; normalises the value itself."""
        message = _index_message(field, value)
        return {key.version: key.mac(message)[:INDEX_BYTES] for key in self._ring.index_keys()}

    def current(self, field: Field, value: str) -> tuple[int, bytes]:
        """The current version and its 16 bytes."""
        key = self._ring.current_index_key
        return key.version, key.mac(_index_message(field, value))[:INDEX_BYTES]

    def digest_many(self, field: Field, normalised: Sequence[str]) -> dict[int, list[bytes]]:
        """Like `digest` for a column of values that are normalised already: index key version → the digests in their order."""
        if field not in _NORMALISE:
            raise ValueError(f"{field.name} is not searchable")
        head = struct.pack(">H", field)
        messages = [head + value.encode() for value in normalised]
        return {key.version: [digest[:INDEX_BYTES] for digest in key.mac_many(messages)] for key in self._ring.index_keys()}

    @property
    def versions(self) -> tuple[int, ...]:
        """Live index versions, the newest first; every identity must have a row for each."""
        return tuple(key.version for key in self._ring.index_keys())


def _index_message(field: Field, value: str) -> bytes:
    if field not in _NORMALISE:
        raise ValueError(f"{field.name} is not searchable")
    return struct.pack(">H", field) + _NORMALISE[field](value).encode()
