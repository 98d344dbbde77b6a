"""Passwords: argon2id, off the event loop, the same work for known and unknown accounts; and the policy for new ones."""

from __future__ import annotations

import asyncio
import os
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from app.domain.errors import FieldError, Malformed, Unavailable

Result = TypeVar("Result")

DEMO_PASSWORD: Final = "demo-Pass-2026"  # noqa: S105  (published on purpose, refused outside demo mode)
DEMO_CLIENT_SECRET: Final = "demo-Secret-2026"  # noqa: S105  (published on purpose, refused outside demo mode)
PUBLISHED: Final = (DEMO_PASSWORD, DEMO_CLIENT_SECRET)
MIN_CHARACTERS: Final = 10
MAX_CHARACTERS: Final = 128
MIN_CLASSES: Final = 3
MIN_NAME_TO_LOOK_FOR: Final = 3  # a shorter name stands in too many words
THREADS: Final = 2
MAX_WAITING: Final = 200  # some seconds of work; beyond it waiting would only pile up


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """Work per hash. The default is the recommendation of the OWASP password storage cheat sheet for argon2id."""

    memory_kib: int = 19_456
    passes: int = 2
    lanes: int = 1


CHEAP: Final = Argon2Cost(memory_kib=8, passes=1)  # for tests: hashes in well under a millisecond


def _prepared(password: str) -> bytes:
    """One spelling for one password (NFC, RFC 8265); unpaired surrogates hash to something instead of failing."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


class Passwords:
    """Hashes and verifies; two threads of its own bound both the CPU and the memory that sign-ins can take.

    When too many wait for them, the next one is refused (``Unavailable``) at once.
    """

    def __init__(self, cost: Argon2Cost | None = None, *, demo: bool = False) -> None:
        cost = cost or Argon2Cost()
        self._hasher = PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes, type=Type.ID)
        self._demo = demo
        self._nobody = self._hasher.hash(os.urandom(16))
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="argon2")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """The PHC string to store."""
        return await self._off_the_loop(self.hash_blocking, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the password. ``stored`` None (no such account): as much work, then False."""
        return await self._off_the_loop(self.verify_blocking, stored, password)

    def needs_rehash(self, stored: str) -> bool:
        """Whether the hash was made at another cost: hash again after a successful sign-in."""
        return self._hasher.check_needs_rehash(stored)

    def hash_blocking(self, password: str) -> str:
        """For commands and demo data; never inside the event loop."""
        return self._hasher.hash(_prepared(password))

    def verify_blocking(self, stored: str | None, password: str) -> bool:
        """For commands; never inside the event loop."""
        if len(password) > MAX_CHARACTERS:
            return False
        if not self._demo and password in PUBLISHED:
            stored = None  # demo data in a real installation opens nothing
        try:
            self._hasher.verify(self._nobody if stored is None else stored, _prepared(password))
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    def check(self, password: str, *, username: str, pointer: str = "/password") -> None:
        """The policy for a new password. Raises `Malformed` with every fault at once."""
        faults = [FieldError(pointer, code, message) for code, message in self._faults(password, username)]
        if faults:
            raise Malformed("weak_password", "口令不符合要求：" + "".join(fault.message for fault in faults), errors=faults)

    def _faults(self, password: str, username: str) -> Iterator[tuple[str, str]]:
        if len(password) < MIN_CHARACTERS:
            yield "password_too_short", f"口令至少 {MIN_CHARACTERS} 个字符。"
        if len(password) > MAX_CHARACTERS:
            yield "password_too_long", f"口令最多 {MAX_CHARACTERS} 个字符。"
        if _classes(password) < MIN_CLASSES:
            yield "password_too_simple", "口令须包含大写字母、小写字母、数字、符号中的至少三类。"
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in password):
            yield "password_characters", "口令不能含有控制字符。"
        if len(username) >= MIN_NAME_TO_LOOK_FOR and username.casefold() in password.casefold():
            yield "password_contains_username", "口令不能包含用户名。"
        if not self._demo and any(known.casefold() in password.casefold() for known in PUBLISHED):
            yield "password_is_demo", "不能使用公开的演示口令。"

    async def _off_the_loop(self, work: Callable[..., Result], *arguments: object) -> Result:
        if self._waiting >= MAX_WAITING:
            raise Unavailable("temporarily_unavailable", "当前登录人数较多，请稍后重试。", retry_after_seconds=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1


def _classes(password: str) -> int:
    """How many of: capitals, small letters, digits, anything else (中文 counts as anything else)."""
    kinds = (str.isupper, str.islower, str.isdecimal)
    found = sum(any(kind(character) for character in password) for kind in kinds)
    return found + any(not any(kind(character) for kind in kinds) for character in password)
