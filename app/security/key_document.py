"""What stands in the key file: keys as objects, how the document is made, changed by a rotation, and parsed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives import hmac as openssl_hmac
from cryptography.hazmat.primitives.asymmetric import ec

from app.security.key_file import KeyFileRefused

Profile = Literal["aes-256-gcm-siv", "sm4-gcm"]
KeyKind = Literal["signing", "data", "index"]

DATA_KEY_BYTES: dict[Profile, int] = {"aes-256-gcm-siv": 32, "sm4-gcm": 16}
MAC_KEY_BYTES = 32
MAX_VERSION = 0xFFFF  # two bytes in front of every sealed value
MIN_DISTINCT_BYTES = 5  # a placeholder such as all zeroes is no key
# Every live index version costs each identity a row, so there are two at most. Data keys only open what was sealed under them:
# frozen records (payment lines, files) keep theirs for as long as the records are kept, through any number of rotations.
LIVE_VERSIONS: dict[KeyKind, int] = {"index": 2, "data": 1000}
RETIRE_AFTER_SECONDS = 15  # three times as long as a process may take to notice a rotation
FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """An ES256 key pair, or only its public half once retiring. ``kid`` is its RFC 7638 thumbprint."""

    kid: str
    public: ec.EllipticCurvePublicKey
    private: ec.EllipticCurvePrivateKey | None
    created_at: datetime
    retired_at: datetime | None

    def public_jwk(self) -> dict[str, str]:
        """The public half as a JWK (RFC 7517)."""
        return {**_coordinates(self.public), "kid": self.kid, "use": "sig", "alg": "ES256"}


@dataclass(frozen=True, slots=True, eq=False)
class SecretKey:
    """One version of a data, index or fingerprint key; ``profile`` names the algorithms it is used with."""

    version: int
    profile: Profile
    secret: bytes = field(repr=False)
    created_at: datetime
    retired_at: datetime | None

    def mac(self, message: bytes) -> bytes:
        """32 bytes: HMAC-SHA256, or HMAC-SM3 under the 国密 profile (GB/T 32905)."""
        if self.profile == "aes-256-gcm-siv":
            return hmac.digest(self.secret, message, "sha256")
        context = openssl_hmac.HMAC(self.secret, hashes.SM3())
        context.update(message)
        return context.finalize()

    def mac_many(self, messages: Iterable[bytes]) -> list[bytes]:
        """Like `mac` for one message after another: the key is taken in once."""
        if self.profile != "aes-256-gcm-siv":
            return [self.mac(message) for message in messages]
        fresh, digests = hmac.new(self.secret, digestmod="sha256").copy, []
        for message in messages:
            context = fresh()
            context.update(message)
            digests.append(context.digest())
        return digests


@dataclass(frozen=True, slots=True, eq=False)
class Versions:
    """The live versions of one kind; ``current`` is the one that new values are written under."""

    current: SecretKey
    by_version: dict[int, SecretKey]

    def newest_first(self) -> tuple[SecretKey, ...]:
        return tuple(sorted(self.by_version.values(), key=lambda key: -key.version))


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """A key file, parsed."""

    demo: bool
    active: SigningKey
    signing: dict[str, SigningKey]
    data: Versions
    index: Versions
    fingerprint: SecretKey


# making keys


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _coordinates(public: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = public.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": _encode(numbers.x.to_bytes(32)), "y": _encode(numbers.y.to_bytes(32))}


def thumbprint(public: ec.EllipticCurvePublicKey) -> str:
    """The RFC 7638 thumbprint of a P-256 key: a name that can't belong to another key."""
    canonical = json.dumps(_coordinates(public), separators=(",", ":"), sort_keys=True)
    return _encode(hashlib.sha256(canonical.encode()).digest())


def _new_signing() -> dict[str, Any]:
    private = ec.generate_private_key(ec.SECP256R1())
    while thumbprint(private.public_key()).startswith(
        "-"
    ):  # an operator names a key on the command line, where that is an option
        private = ec.generate_private_key(ec.SECP256R1())
    pkcs8 = private.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {"kid": thumbprint(private.public_key()), "private": _encode(pkcs8), "created_at": _now(), "retired_at": None}


def _new_secret(version: int, profile: Profile, length: int) -> dict[str, Any]:
    secret = _encode(secrets.token_bytes(length))
    return {"version": version, "profile": profile, "secret": secret, "created_at": _now(), "retired_at": None}


def new_document(profile: Profile, *, demo: bool) -> dict[str, Any]:
    """A document with one new key of each kind."""
    return {
        "format": FORMAT,
        "demo": demo,
        "signing": [_new_signing()],
        "data": [_new_secret(1, profile, DATA_KEY_BYTES[profile])],
        "index": [_new_secret(1, profile, MAC_KEY_BYTES)],
        "fingerprint": _new_secret(1, profile, MAC_KEY_BYTES),
    }


def _current(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return next(entry for entry in entries if entry["retired_at"] is None)


def entry_name(entry: dict[str, Any]) -> str:
    """How an operator names a key: its kid or its version."""
    return str(entry.get("kid", entry.get("version")))


def refuse_early(entries: list[dict[str, Any]]) -> None:
    """Raises `KeyFileRefused` while a process may still write under the former key."""
    rotated = max(_instant(entry["retired_at"]) for entry in entries if entry["retired_at"])
    if datetime.now(UTC) < rotated + timedelta(seconds=RETIRE_AFTER_SECONDS):
        raise KeyFileRefused(f"刚刚轮换，其他进程可能仍在使用旧密钥；请等待 {RETIRE_AFTER_SECONDS} 秒并确认迁移完成后再删除。")


def rotated_signing(document: dict[str, Any]) -> str:
    """Add a signing key to the document; answers its kid. The former one loses its private half: it only has to verify."""
    former, new = _current(document["signing"]), _new_signing()
    public = _private_key(former["private"]).public_key()
    encoded = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    del former["private"]
    former.update(public=_encode(encoded), retired_at=_now())
    document["signing"].append(new)
    return str(new["kid"])


def rotated_secret(document: dict[str, Any], kind: KeyKind, profile: Profile | None) -> str:
    """Add a version to the data or index keys of the document; answers it. Raises `KeyFileRefused` at the limit."""
    entries = document[kind]
    if len(entries) >= LIVE_VERSIONS[kind]:
        raise KeyFileRefused(f"{kind} 密钥已有 {LIVE_VERSIONS[kind]} 个版本在用；请先完成重新加密或重建索引，再删除旧版本。")
    former = _current(entries)
    chosen: Profile = profile or former["profile"]
    length = DATA_KEY_BYTES[chosen] if kind == "data" else MAC_KEY_BYTES
    new = _new_secret(former["version"] + 1, chosen, length)
    former["retired_at"] = _now()
    entries.append(new)
    return str(new["version"])


# reading the file


_DAMAGE = (KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError, UnsupportedAlgorithm)


def parse(text: str, *, demo: bool) -> Contents:
    """The checked contents. Raises `KeyFileRefused`, never showing what stands in the file."""
    try:
        contents = _contents(json.loads(text))
    except _DAMAGE as damage:
        raise KeyFileRefused(f"密钥文件内容损坏（{type(damage).__name__}）；请从备份恢复，切勿重新生成。") from None
    if contents.demo and not demo:
        raise KeyFileRefused("这是演示密钥，只能在演示模式（--demo）下使用；正式环境请运行 minzheng keys init。")
    return contents


def _contents(document: dict[str, Any]) -> Contents:
    _require(document["format"] == FORMAT)
    _require(isinstance(document["demo"], bool))
    signing = [_signing_key(entry) for entry in document["signing"]]
    active = [key for key in signing if key.private is not None]
    _require(len(active) == 1 and len({key.kid for key in signing}) == len(signing))
    return Contents(
        demo=document["demo"],
        active=active[0],
        signing={key.kid: key for key in signing},
        data=_versions("data", document["data"]),
        index=_versions("index", document["index"]),
        fingerprint=_secret_key(document["fingerprint"], data=False),
    )


def _versions(kind: KeyKind, entries: list[dict[str, Any]]) -> Versions:
    keys = [_secret_key(entry, data=kind == "data") for entry in entries]
    current = [key for key in keys if key.retired_at is None]
    _require(len(current) == 1 and len(keys) <= LIVE_VERSIONS[kind])
    _require(len({key.version for key in keys}) == len(keys) and current[0].version == max(key.version for key in keys))
    return Versions(current[0], {key.version: key for key in keys})


def _secret_key(entry: dict[str, Any], *, data: bool) -> SecretKey:
    profile: Profile = entry["profile"]
    secret = _decode(entry["secret"])
    _require(profile in get_args(Profile) and type(entry["version"]) is int and 1 <= entry["version"] <= MAX_VERSION)
    _require(len(secret) == (DATA_KEY_BYTES[profile] if data else MAC_KEY_BYTES))
    _require(len(set(secret)) >= MIN_DISTINCT_BYTES)
    return SecretKey(entry["version"], profile, secret, _instant(entry["created_at"]), _instant_or_none(entry["retired_at"]))


def _signing_key(entry: dict[str, Any]) -> SigningKey:
    private = _private_key(entry["private"]) if "private" in entry else None
    public = private.public_key() if private else serialization.load_der_public_key(_decode(entry["public"]))
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise TypeError("not a P-256 key")
    retired_at = _instant_or_none(entry["retired_at"])
    _require(thumbprint(public) == entry["kid"] and (retired_at is None) == (private is not None))
    return SigningKey(entry["kid"], public, private, _instant(entry["created_at"]), retired_at)


def _private_key(encoded: str) -> ec.EllipticCurvePrivateKey:
    private = serialization.load_der_private_key(_decode(encoded), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError("not an elliptic curve key")
    return private


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    _require(instant.tzinfo is not None)
    return instant


def _instant_or_none(text: str | None) -> datetime | None:
    return None if text is None else _instant(text)


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError("key file breaks its own rules")
