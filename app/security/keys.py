"""The key file: signing, data and index keys, versioned, in one JSON file that only its owner may read.

Rotation keeps the former key alive beside the new one, so that nothing read or looked up during a rotation fails:

* signing keys (ES256): a retiring key keeps only its public half; it goes on verifying attestations and, for as long as
  a token can live, access tokens;
* index keys (blind index): at most two versions live at once; the older one is retired when everybody was re-indexed;
* data keys (field encryption): an older one is retired by hand when nothing is sealed under it any more. Records that may
  not change (payment lines, files) keep theirs, so that key stays, readable, beside the newer ones.

Every process notices a changed file by itself: it looks at the file's stamp when it meets a key id or version that it
doesn't know, and otherwise every few seconds. Keys are parsed once per change of the file, never per call.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from app.security.key_document import (
    Contents,
    KeyKind,
    Profile,
    SecretKey,
    SigningKey,
    entry_name,
    new_document,
    parse,
    refuse_early,
    rotated_secret,
    rotated_signing,
)
from app.security.key_file import KeyFileRefused, locked, read_private, stamp_of, write_private

__all__ = ["KeyFileRefused", "KeyKind", "KeyRing", "Profile", "SecretKey", "SigningKey"]

log = logging.getLogger(__name__)

REFRESH_SECONDS = 5.0


class KeyRing:
    """The keys of a running process, following the file. Safe to share between threads."""

    def __init__(self, path: Path, contents: Contents, stamp: tuple[int, ...], *, demo: bool) -> None:
        self.path = path
        self._demo_allowed = demo
        self._contents = contents
        self._stamp = stamp
        self._look_again_at = time.monotonic() + REFRESH_SECONDS

    @classmethod
    def load(cls, path: Path, *, demo: bool = False) -> KeyRing:
        """Read the key file. Raises `KeyFileRefused`; ``demo`` says whether keys marked as demo keys are allowed."""
        text, stamp = read_private(path)
        return cls(path, parse(text, demo=demo), stamp, demo=demo)

    @classmethod
    def create(cls, path: Path, profile: Profile, *, demo: bool = False) -> KeyRing:
        """Make a new key file (mode 0600). Raises `KeyFileRefused` when there is one already: keys are never overwritten."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(path):
            if path.exists():
                raise KeyFileRefused(f"密钥文件 {path} 已存在，不会覆盖；如需换新请运行 minzheng keys rotate。")
            write_private(path, new_document(profile, demo=demo))
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
        return self._fresh().data.newest_first()

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
        return self._fresh().index.newest_first()

    def fingerprint(self, purpose: str, message: bytes) -> bytes:
        """32 bytes that say "the same as before" without saying what; ``purpose`` keeps uses apart.

        Its key isn't rotated: idempotency records of money are kept for ever and must go on matching.
        """
        return self._fresh().fingerprint.mac(purpose.encode() + b"\x00" + message)

    def fingerprint_many(self, purpose: str, messages: Iterable[bytes]) -> list[bytes]:
        """Like `fingerprint` for one message after another."""
        head = purpose.encode() + b"\x00"
        return self._fresh().fingerprint.mac_many(head + message for message in messages)

    # change

    def refresh(self) -> bool:
        """Read the file again if it changed; says whether it did. A damaged file is logged and the old keys stay."""
        self._look_again_at = time.monotonic() + REFRESH_SECONDS
        try:
            if stamp_of(self.path.stat()) == self._stamp:
                return False
            text, stamp = read_private(self.path)
            self._contents, self._stamp = parse(text, demo=self._demo_allowed), stamp
        except (KeyFileRefused, OSError):
            log.exception("key file changed but cannot be used; keeping the keys read before")
            return False
        return True

    def rotate(self, kind: KeyKind, *, profile: Profile | None = None) -> str:
        """Make a new current key of this kind; the former one stays live. Answers the new kid or version.

        ``profile`` moves data or index keys to other algorithms from this version on. Raises `KeyFileRefused` at the
        limit of live versions.
        """
        if kind == "signing" and profile is not None:
            raise KeyFileRefused("签名密钥固定为 ES256，不能指定算法；请去掉 --profile。")
        with locked(self.path):
            document = self._document()
            new = rotated_signing(document) if kind == "signing" else rotated_secret(document, kind, profile)
            write_private(self.path, document)
        self.refresh()
        return new

    def retire(self, kind: KeyKind, name: str) -> None:
        """Forget a retiring key for good (``name``: its kid or version). Raises `KeyFileRefused` for a current or unknown one.

        For a data key: only after every value was re-encrypted; for an index key: only after re-indexing. Both no sooner
        than every process has noticed the rotation: one that hasn't still writes under the former key.
        """
        with locked(self.path):
            document = self._document()
            kept = [entry for entry in document[kind] if entry_name(entry) != name or entry["retired_at"] is None]
            if len(kept) == len(document[kind]):
                raise KeyFileRefused(f"没有可删除的旧密钥 {kind} {name}；正在使用的密钥须先轮换。")
            if kind != "signing":
                refuse_early(document[kind])
            document[kind] = kept
            write_private(self.path, document)
        self.refresh()

    def _document(self) -> dict[str, Any]:
        text, _ = read_private(self.path)
        parse(text, demo=self._demo_allowed)
        document: dict[str, Any] = json.loads(text)
        return document

    def _fresh(self) -> Contents:
        if time.monotonic() >= self._look_again_at:
            self.refresh()
        return self._contents
