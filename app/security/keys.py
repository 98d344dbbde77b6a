"""The key file: signing, data and index keys, versioned, in one JSON file that only its owner may read.

Rotation keeps the former key alive beside the new one, so that nothing read or looked up during a rotation fails:

* signing keys (ES256): a retiring key keeps only its public half; it goes on verifying attestations and, for as long as
  a token can live, access tokens;
* data keys (field encryption) and index keys (blind index): at most two versions live at once. The older one is retired
  by hand when everything was re-encrypted or re-indexed under the newer one.

Every process notices a changed file by itself: it looks at the file's stamp when it meets a key id or version that it
doesn't know, and otherwise every few seconds. Keys are parsed once per change of the file, never per call.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import logging
import os
import secrets
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives import hmac as openssl_hmac
from cryptography.hazmat.primitives.asymmetric import ec

log = logging.getLogger(__name__)

Profile = Literal["aes-256-gcm-siv", "sm4-gcm"]
KeyKind = Literal["signing", "data", "index"]

DATA_KEY_BYTES: dict[Profile, int] = {"aes-256-gcm-siv": 32, "sm4-gcm": 16}
MAC_KEY_BYTES = 32
LIVE_VERSIONS = 2
REFRESH_SECONDS = 5.0
FORMAT = 1


class KeyFileRefused(Exception):
    """The key file is missing, readable by others, damaged, or not meant for this mode. The message is for the operator."""


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


@dataclass(frozen=True, slots=True, eq=False)
class _Versions:
    """The live versions of one kind; ``current`` is the one that new values are written under."""

    current: SecretKey
    by_version: dict[int, SecretKey]


@dataclass(frozen=True, slots=True, eq=False)
class _Contents:
    """A key file, parsed."""

    demo: bool
    active: SigningKey
    signing: dict[str, SigningKey]
    data: _Versions
    index: _Versions
    fingerprint: SecretKey


class KeyRing:
    """The keys of a running process, following the file. Safe to share between threads."""

    def __init__(self, path: Path, contents: _Contents, stamp: tuple[int, ...], *, demo: bool) -> None:
        self.path = path
        self._demo_allowed = demo
        self._contents = contents
        self._stamp = stamp
        self._look_again_at = time.monotonic() + REFRESH_SECONDS

    @classmethod
    def load(cls, path: Path, *, demo: bool = False) -> KeyRing:
        """Read the key file. Raises `KeyFileRefused`; ``demo`` says whether keys marked as demo keys are allowed."""
        text, stamp = _read_private(path)
        return cls(path, _parse(text, demo=demo), stamp, demo=demo)

    @classmethod
    def create(cls, path: Path, profile: Profile, *, demo: bool = False) -> KeyRing:
        """Make a new key file (mode 0600). Raises `KeyFileRefused` when there is one already: keys are never overwritten."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(path):
            if path.exists():
                raise KeyFileRefused(f"密钥文件 {path} 已存在，不会覆盖；如需换新请运行 minzheng keys rotate。")
            _write_private(path, _new_document(profile, demo=demo))
        return cls.load(path, demo=demo)

    # what the file says

    @property
    def demo(self) -> bool:
        """Whether these are demo keys, which anybody may know."""
        return self._fresh().demo

    @property
    def profile(self) -> Profile:
        """The algorithms new values are encrypted with."""
        return self._fresh().data.current.profile

    @property
    def active_signing_key(self) -> SigningKey:
        """The one key that signs; it has its private half."""
        return self._fresh().active

    def signing_keys(self) -> tuple[SigningKey, ...]:
        """Active and retiring keys, the active one first."""
        contents = self._fresh()
        return tuple(sorted(contents.signing.values(), key=lambda key: key.retired_at is not None))

    def find_signing_key(self, kid: str) -> SigningKey | None:
        """The live key of this id, looking at the file again before saying that there is none."""
        found = self._fresh().signing.get(kid)
        if found is None and self.refresh():
            found = self._contents.signing.get(kid)
        return found

    @property
    def current_data_key(self) -> SecretKey:
        return self._fresh().data.current

    def data_keys(self) -> tuple[SecretKey, ...]:
        """Live data keys, the newest first."""
        return _newest_first(self._fresh().data)

    def find_data_key(self, version: int) -> SecretKey | None:
        """The live data key of this version, looking at the file again before saying that there is none."""
        found = self._fresh().data.by_version.get(version)
        if found is None and self.refresh():
            found = self._contents.data.by_version.get(version)
        return found

    @property
    def current_index_key(self) -> SecretKey:
        return self._fresh().index.current

    def index_keys(self) -> tuple[SecretKey, ...]:
        """Live index keys, the newest first: a look-up tries them all, a new row gets one entry for each."""
        return _newest_first(self._fresh().index)

    def fingerprint(self, purpose: str, message: bytes) -> bytes:
        """32 bytes that say "the same as before" without saying what; ``purpose`` keeps uses apart.

        Its key isn't rotated: idempotency records of money are kept for ever and must go on matching.
        """
        return self._fresh().fingerprint.mac(purpose.encode() + b"\x00" + message)

    # change

    def refresh(self) -> bool:
        """Read the file again if it changed; says whether it did. A damaged file is logged and the old keys stay."""
        self._look_again_at = time.monotonic() + REFRESH_SECONDS
        try:
            if _stamp(self.path.stat()) == self._stamp:
                return False
            text, stamp = _read_private(self.path)
            self._contents, self._stamp = _parse(text, demo=self._demo_allowed), stamp
        except (KeyFileRefused, OSError):
            log.exception("key file changed but cannot be used; keeping the keys read before")
            return False
        return True

    def rotate(self, kind: KeyKind, *, profile: Profile | None = None) -> str:
        """Make a new current key of this kind; the former one stays live. Answers the new kid or version.

        ``profile`` moves data or index keys to other algorithms from this version on. Raises `KeyFileRefused` when two
        versions are live already.
        """
        if kind == "signing" and profile is not None:
            raise KeyFileRefused("签名密钥固定为 ES256，不能指定算法；请去掉 --profile。")
        with _locked(self.path):
            document = self._document()
            new = _rotated_signing(document) if kind == "signing" else _rotated_secret(document, kind, profile)
            _write_private(self.path, document)
        self.refresh()
        return new

    def retire(self, kind: KeyKind, name: str) -> None:
        """Forget a retiring key for good (``name``: its kid or version). Raises `KeyFileRefused` for a current or unknown one.

        For a data key: only after every value was re-encrypted; for an index key: only after re-indexing.
        """
        with _locked(self.path):
            document = self._document()
            kept = [entry for entry in document[kind] if _name(entry) != name or entry["retired_at"] is None]
            if len(kept) == len(document[kind]):
                raise KeyFileRefused(f"没有可删除的旧密钥 {kind} {name}；正在使用的密钥须先轮换。")
            document[kind] = kept
            _write_private(self.path, document)
        self.refresh()

    def _document(self) -> dict[str, Any]:
        text, _ = _read_private(self.path)
        _parse(text, demo=self._demo_allowed)
        document: dict[str, Any] = json.loads(text)
        return document

    def _fresh(self) -> _Contents:
        if time.monotonic() >= self._look_again_at:
            self.refresh()
        return self._contents


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
    pkcs8 = private.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {"kid": thumbprint(private.public_key()), "private": _encode(pkcs8), "created_at": _now(), "retired_at": None}


def _new_secret(version: int, profile: Profile, length: int) -> dict[str, Any]:
    secret = _encode(secrets.token_bytes(length))
    return {"version": version, "profile": profile, "secret": secret, "created_at": _now(), "retired_at": None}


def _new_document(profile: Profile, *, demo: bool) -> dict[str, Any]:
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


def _name(entry: dict[str, Any]) -> str:
    return str(entry.get("kid", entry.get("version")))


def _rotated_signing(document: dict[str, Any]) -> str:
    """The former key loses its private half at once: it only has to verify from here on."""
    former, new = _current(document["signing"]), _new_signing()
    public = _private_key(former["private"]).public_key()
    encoded = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    del former["private"]
    former.update(public=_encode(encoded), retired_at=_now())
    document["signing"].append(new)
    return str(new["kid"])


def _rotated_secret(document: dict[str, Any], kind: KeyKind, profile: Profile | None) -> str:
    entries = document[kind]
    if len(entries) >= LIVE_VERSIONS:
        raise KeyFileRefused(f"{kind} 密钥已有 {LIVE_VERSIONS} 个版本在用；请先完成重新加密或重建索引，再删除旧版本。")
    former = _current(entries)
    chosen: Profile = profile or former["profile"]
    length = DATA_KEY_BYTES[chosen] if kind == "data" else MAC_KEY_BYTES
    new = _new_secret(former["version"] + 1, chosen, length)
    former["retired_at"] = _now()
    entries.append(new)
    return str(new["version"])


# reading the file


_DAMAGE = (KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError, UnsupportedAlgorithm)


def _parse(text: str, *, demo: bool) -> _Contents:
    try:
        contents = _contents(json.loads(text))
    except _DAMAGE as damage:
        raise KeyFileRefused(f"密钥文件内容损坏（{type(damage).__name__}）；请从备份恢复，切勿重新生成。") from None
    if contents.demo and not demo:
        raise KeyFileRefused("这是演示密钥，只能在演示模式（--demo）下使用；正式环境请运行 minzheng keys init。")
    return contents


def _contents(document: dict[str, Any]) -> _Contents:
    _require(document["format"] == FORMAT)
    _require(isinstance(document["demo"], bool))
    signing = [_signing_key(entry) for entry in document["signing"]]
    active = [key for key in signing if key.private is not None]
    _require(len(active) == 1 and len({key.kid for key in signing}) == len(signing))
    return _Contents(
        demo=document["demo"],
        active=active[0],
        signing={key.kid: key for key in signing},
        data=_versions([_secret_key(entry, data=True) for entry in document["data"]]),
        index=_versions([_secret_key(entry, data=False) for entry in document["index"]]),
        fingerprint=_secret_key(document["fingerprint"], data=False),
    )


def _versions(keys: list[SecretKey]) -> _Versions:
    current = [key for key in keys if key.retired_at is None]
    _require(len(current) == 1 and len(keys) <= LIVE_VERSIONS)
    _require(len({key.version for key in keys}) == len(keys) and current[0].version == max(key.version for key in keys))
    return _Versions(current[0], {key.version: key for key in keys})


def _secret_key(entry: dict[str, Any], *, data: bool) -> SecretKey:
    profile: Profile = entry["profile"]
    secret = _decode(entry["secret"])
    _require(profile in get_args(Profile) and type(entry["version"]) is int and 1 <= entry["version"] <= 0xFFFF)
    _require(len(secret) == (DATA_KEY_BYTES[profile] if data else MAC_KEY_BYTES))
    _require(len(set(secret)) > 4)  # a placeholder such as all zeroes is no key
    return SecretKey(entry["version"], profile, secret, _instant(entry["created_at"]), _instant_or_none(entry["retired_at"]))


def _signing_key(entry: dict[str, Any]) -> SigningKey:
    private = _private_key(entry["private"]) if "private" in entry else None
    public = private.public_key() if private else serialization.load_der_public_key(_decode(entry["public"]))
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise ValueError("not a P-256 key")
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


def _newest_first(versions: _Versions) -> tuple[SecretKey, ...]:
    return tuple(sorted(versions.by_version.values(), key=lambda key: -key.version))


# the file itself


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_ino, status.st_mtime_ns, status.st_size)


def _read_private(path: Path) -> tuple[str, tuple[int, ...]]:
    """The text and its stamp, both of the same opened file, so that a swap in between can't pass the check."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            _refuse_exposed(path, status)
            return file.read().decode(), _stamp(status)
    except FileNotFoundError:
        raise KeyFileRefused(f"找不到密钥文件 {path}；请先运行 minzheng keys init，或从备份恢复。") from None
    except (OSError, UnicodeDecodeError) as failure:
        raise KeyFileRefused(f"密钥文件 {path} 无法读取（{type(failure).__name__}）；请检查权限或从备份恢复。") from None


def _refuse_exposed(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileRefused(f"{path} 不是普通文件，不能作为密钥文件。")
    if sys.platform == "win32":
        return
    if status.st_mode & 0o077:
        raise KeyFileRefused(f"密钥文件 {path} 可被其他用户访问；请运行 chmod 600 {path}，并考虑轮换密钥。")
    if status.st_uid not in (os.geteuid(), 0) and os.geteuid() != 0:
        raise KeyFileRefused(f"密钥文件 {path} 属于其他用户；请核对来源后用 chown 改为运行账户。")


def _write_private(path: Path, document: dict[str, Any]) -> None:
    """Written beside and renamed over: a reader sees the old file or the new one, and a crash leaves one of them."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time across processes; the lock is the kernel's, so a killed writer leaves none behind."""
    if sys.platform == "win32":
        yield
        return
    import fcntl  # noqa: PLC0415  (doesn't exist on Windows)

    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
