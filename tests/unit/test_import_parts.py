"""Cutting a file into parts, and knowing its rows again by their digests."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.jobs.import_reading as reading
from app.db.import_writers.row_digests import RowDigests
from app.domain.imports.reading import RawRow
from app.jobs.import_reading import Cutter
from app.security.key_document import Profile
from app.security.keys import KeyRing

PART, MORE = 4, 3


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PART_ROWS", PART)
    monkeypatch.setattr(reading, "MOST_MORE_ROWS", MORE)


def cut(households: str) -> tuple[list[str], bool]:
    """The letters of the parts, one letter a row's household."""
    rows: list[RawRow] = list(enumerate([[letter] for letter in households], start=2))
    cutter, parts = Cutter(iter(rows), 0), []
    while part := cutter.next():
        parts.append(part)
    assert [row for part in parts for row in part] == rows, "no row lost, none twice, all in order"
    return ["".join(str(cells[0]) for _, cells in part) for part in parts], cutter.stand_alone


@pytest.mark.parametrize(
    ("households", "parts", "stand_alone"),
    [
        ("", [], True),
        ("AAB", ["AAB"], True),
        ("AABB", ["AABB"], True),
        ("AABBB", ["AABBB"], True),
        ("AAABBBCC", ["AAABBB", "CC"], True),
        ("AAABCCCD", ["AAAB", "CCCD"], True),
        ("AAABBBBBBB", ["AAABBBB", "BBB"], False),  # more rows of one household than a part may grow by
        ("ABABCABAB", ["ABAB", "CABA", "B"], False),
    ],
)
def test_rows_of_a_household_stay_together_as_long_as_they_stand_together(
    households: str, parts: list[str], stand_alone: bool
) -> None:
    assert cut(households) == (parts, stand_alone)


@given(st.lists(st.sampled_from("ABCDEF"), max_size=40).map("".join))
def test_parts_stand_alone_exactly_when_no_household_is_in_two(households: str) -> None:
    parts, stand_alone = cut(households)
    assert stand_alone == (sum(len(set(part)) for part in parts) == len(set(households)))
    assert all(PART <= len(part) <= PART + MORE for part in parts[:-1])


def test_without_anything_that_belongs_together_parts_have_one_size() -> None:
    cutter = Cutter(iter([(n, ["A"]) for n in range(10)]), None)
    assert [len(cutter.next()) for _ in range(4)] == [4, 4, 2, 0]
    assert cutter.stand_alone


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
