"""Passwords: argon2id off the loop, the same work for unknown accounts, and a policy that names every fault."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time

import pytest

from app.domain.errors import Malformed
from app.security.passwords import CHEAP, DEMO_CLIENT_SECRET, DEMO_PASSWORD, Argon2Cost, Passwords

GOOD = "Meishan-2026-jiedao"


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(CHEAP)


@pytest.fixture(scope="module")
def stored(passwords: Passwords) -> str:
    return passwords.hash_blocking(GOOD)


def test_a_hash_is_argon2id_at_the_recommended_cost() -> None:
    stored = Passwords().hash_blocking(GOOD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert GOOD not in stored


async def test_right_and_wrong(passwords: Passwords) -> None:
    stored = await passwords.hash(GOOD)
    assert stored != await passwords.hash(GOOD), "salted"
    assert await passwords.verify(stored, GOOD)
    for wrong in ("", GOOD.lower(), GOOD + " ", GOOD[:-1], GOOD + "\x00"):
        assert not await passwords.verify(stored, wrong)


async def test_an_unknown_account_is_never_right(passwords: Passwords) -> None:
    for guess in ("", "nobody", GOOD, DEMO_PASSWORD):
        assert not await passwords.verify(None, guess)


@pytest.mark.parametrize(
    "broken", ["", "x", "$argon2id$", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA", "\x00"]
)
def test_a_broken_hash_opens_nothing(passwords: Passwords, broken: str) -> None:
    for guess in ("", broken, GOOD):
        assert not passwords.verify_blocking(broken, guess)


def test_a_hash_of_another_cost_verifies_and_is_due(passwords: Passwords, stored: str) -> None:
    costlier = Passwords(Argon2Cost(memory_kib=16, passes=2))
    assert costlier.verify_blocking(stored, GOOD)
    assert costlier.needs_rehash(stored)
    assert not passwords.needs_rehash(stored)


def test_one_password_has_one_spelling(passwords: Passwords) -> None:
    assert passwords.verify_blocking(passwords.hash_blocking("Café-2026-xx"), "Cafe\u0301-2026-xx")


@pytest.mark.parametrize("odd", ["\ud800" * 12, "密码" * 10, "x\x00y" * 5, "🙂" * 12])
def test_any_text_hashes(passwords: Passwords, odd: str) -> None:
    assert passwords.verify_blocking(passwords.hash_blocking(odd), odd)


def test_an_endless_password_costs_nothing(passwords: Passwords, stored: str) -> None:
    begun = time.perf_counter()
    assert passwords.verify_blocking(stored, "x" * 10_000_000) is False
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize("published", [DEMO_PASSWORD, DEMO_CLIENT_SECRET])
def test_published_secrets_open_nothing_outside_demo_mode(passwords: Passwords, published: str) -> None:
    stored = passwords.hash_blocking(published)
    assert not passwords.verify_blocking(stored, published)
    assert Passwords(CHEAP, demo=True).verify_blocking(stored, published)


def test_unknown_accounts_take_as_long() -> None:
    passwords = Passwords(Argon2Cost(memory_kib=4096, passes=1))
    stored = passwords.hash_blocking(GOOD)

    def median(of: str | None) -> float:
        spent = []
        for _ in range(15):
            begun = time.thread_time()
            passwords.verify_blocking(of, "wrong-Guess-1")
            spent.append(time.thread_time() - begun)
        return statistics.median(spent)

    known, unknown = median(stored), median(None)
    assert 0.5 < known / unknown < 2, f"known {known}, unknown {unknown}"


async def test_the_loop_goes_on_meanwhile() -> None:
    passwords = Passwords()
    names: set[str] = set()
    hasher = passwords.hash_blocking

    def noting(password: str) -> str:
        names.add(threading.current_thread().name)
        return hasher(password)

    passwords.hash_blocking = noting  # type: ignore[method-assign]
    work = asyncio.gather(*(passwords.hash(GOOD) for _ in range(6)))
    turns = 0
    while not work.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 3
    assert len(names) <= 2, "memory and CPU of sign-ins are bounded"
    assert all(name.startswith("argon2") for name in names)


# policy


@pytest.mark.parametrize("good", [GOOD, "abcdefG123", "低保专干Zhang01", "aaaa-1111-bb"])
def test_good_passwords(passwords: Passwords, good: str) -> None:
    passwords.check(good, username="s001.clerk")


@pytest.mark.parametrize(
    ("bad", "codes"),
    [
        ("Abc-12345", {"password_too_short"}),
        ("abc", {"password_too_short", "password_too_simple"}),
        ("A1-" + "x" * 126, {"password_too_long"}),
        ("abcdefghijkl", {"password_too_simple"}),
        ("abcdefg12345", {"password_too_simple"}),
        ("ABCDEFG-----", {"password_too_simple"}),
        ("S001.Clerk-9", {"password_contains_username"}),
        ("xx-s001.clerk-X", {"password_contains_username"}),
        ("Abcdef-123\n", {"password_characters"}),
        (DEMO_PASSWORD, {"password_is_demo"}),
        ("Demo-pass-2026", {"password_is_demo"}),
        (f"{DEMO_CLIENT_SECRET}!", {"password_is_demo"}),
    ],
)
def test_bad_passwords_name_every_fault(passwords: Passwords, bad: str, codes: set[str]) -> None:
    with pytest.raises(Malformed) as caught:
        passwords.check(bad, username="s001.clerk", pointer="/new_password")
    assert {fault.code for fault in caught.value.errors} == codes
    assert {fault.pointer for fault in caught.value.errors} == {"/new_password"}
    assert bad not in str(caught.value)


def test_very_short_usernames_are_not_looked_for(passwords: Passwords) -> None:
    for username in ("", "a", "Me"):
        passwords.check(GOOD, username=username)
    with pytest.raises(Malformed):
        passwords.check(GOOD, username="mei")


def test_the_demo_password_is_good_in_demo_mode_only() -> None:
    Passwords(CHEAP, demo=True).check(DEMO_PASSWORD, username="district.admin")
