"""Cutting a file into parts, and knowing its rows again by their digests."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.jobs.import_reading as reading
from app.db.import_writers.row_digests import RowDigests
from app.domain.imports.consistency_setwise import HouseholdsOfFile
from app.domain.imports.model import Block
from app.domain.imports.reading import RawRow
from app.jobs.import_reading import Cutter
from app.security.key_document import Profile
from app.security.keys import KeyRing

PART, MORE = 4, 3
NO_NUMBER = "-"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PART_ROWS", PART)
    monkeypatch.setattr(reading, "MOST_MORE_ROWS", MORE)


def cut(households: str) -> list[str]:
    """The letters of the parts, one letter a row's household."""
    rows: list[RawRow] = list(enumerate([[letter] for letter in households], start=2))
    cutter, parts = Cutter(iter(rows), 0), []
    while part := cutter.next():
        parts.append(part)
    assert [row for part in parts for row in part] == rows, "no row lost, none twice, all in order"
    return ["".join(str(cells[0]) for _, cells in part) for part in parts]


@pytest.mark.parametrize(
    ("households", "parts"),
    [
        ("", []),
        ("AAB", ["AAB"]),
        ("AABB", ["AABB"]),
        ("AABBB", ["AABBB"]),
        ("AAABBBCC", ["AAABBB", "CC"]),
        ("AAABCCCD", ["AAAB", "CCCD"]),
        ("AAABBBBBBB", ["AAABBBB", "BBB"]),  # more rows of one household than a part may grow by
        ("ABABCABAB", ["ABAB", "CABA", "B"]),
    ],
)
def test_rows_of_a_household_stay_together_as_long_as_they_stand_together(households: str, parts: list[str]) -> None:
    assert cut(households) == parts


@given(st.lists(st.sampled_from("ABCDEF-"), max_size=40).map("".join))
def test_what_was_cut_apart_is_found_household_by_household(households: str) -> None:
    parts, check = cut(households), HouseholdsOfFile()
    assert all(PART <= len(part) <= PART + MORE for part in parts[:-1])
    row, first_rows, rows_of = 2, [], dict[str, list[int]]()
    for part in parts:
        first_rows.append(row)
        check.add(block_of(part, row))
        for letter in part:
            rows_of.setdefault(letter, []).append(row)
            row += 1
    apart = {letter for letter in households if letter != NO_NUMBER and sum(letter in part for part in parts) > 1}
    found = [group.tolist() for group in check.scattered(first_rows, ()).groups()]
    assert sorted(found) == sorted(rows_of[letter] for letter in apart)


def block_of(part: str, first: int) -> Block:
    """Rows of these households; ``NO_NUMBER`` has none."""
    empty = ("area_code", "id_number", "relation", "bank_name", "account_number", "account_holder", "account_kind")
    columns: dict[str, list[Any]] = {name: [None] * len(part) for name in empty}
    columns["household_no"] = [None if letter == NO_NUMBER else letter for letter in part]
    return Block(list(range(first, first + len(part))), columns)


def test_without_anything_that_belongs_together_parts_have_one_size() -> None:
    cutter = Cutter(iter([(n, ["A"]) for n in range(10)]), None)
    assert [len(cutter.next()) for _ in range(4)] == [4, 4, 2, 0]


def digests_of(numbers: list[int]) -> RowDigests:
    each = [hashlib.sha256(str(number).encode()).digest() for number in numbers]
    return RowDigests.of(numbers, each, each[::-1])


@given(st.lists(st.integers(1, 2**31), unique=True, max_size=30), st.data())
def test_digests_come_back_as_they_were_packed_and_by_their_rows(numbers: list[int], data: st.DataObject) -> None:
    whole = digests_of(numbers)
    again = RowDigests.unpack(whole.pack())
    assert (list(again.numbers), again.digests) == (numbers, whole.digests)
    assert (again.subjects, again.fingerprints[::-1]) == (again.fingerprints[::-1], again.subjects)
    dropped = data.draw(st.sets(st.sampled_from(numbers))) if numbers else set()
    kept = again.without(dropped)
    of = dict(zip(numbers, zip(whole.subjects, whole.fingerprints, strict=True), strict=True))
    assert list(kept.numbers) == [number for number in numbers if number not in dropped]
    assert list(zip(kept.subjects, kept.fingerprints, strict=True)) == [of[number] for number in kept.numbers]


@pytest.mark.parametrize("profile", ["aes-256-gcm-siv", "sm4-gcm"])
def test_digests_made_together_are_those_made_one_by_one(tmp_path: Path, profile: Profile) -> None:
    ring = KeyRing.create(tmp_path / "keys.json", profile, demo=True)
    messages = [b"", b"a", "王".encode() * 100]
    assert ring.fingerprint_many("row", messages) == [ring.fingerprint("row", message) for message in messages]
