"""The law's local numbers as dated data with a source.

A ``ParameterBook`` is built once from rows and never changes. A ``Policy`` is the book seen from one area on one day: it looks a
key up along the chain of areas (community, sub-district, district, city, province, nation; the nearest wins) and remembers what
it was asked, so that a decision can cite exactly what it stands on. A key asked for on a day with nothing in force is an error.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

from app.domain.eligibility.law import latest_change
from app.domain.errors import Conflict
from app.domain.money import TO_THE_FEN, Rounding, RoundingMode, exact

NATIONAL_ROOT = "00"
_PREFIXES = (12, 9, 6, 4, 2)
_VERSIONS_KEPT = 10_000


class NoPolicyInForce(Conflict):
    """Nothing is in force for a key that the question needs (409 ``no_policy_in_force``)."""

    def __init__(self, key: str, area_code: str, on: date) -> None:
        super().__init__(
            "no_policy_in_force",
            f"{on.isoformat()} 在 {area_code} 没有生效的政策参数“{key}”，请核对业务日期和区划，或请政策管理员补录该参数后重试。",
            members={"key": key, "area_code": area_code, "date": on.isoformat()},
        )
        self.key = key


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One value of one key in one area, in force in ``[valid_from, valid_until)``; ``valid_until`` None = open."""

    area_code: str
    key: str
    valid_from: date
    valid_until: date | None
    value: Any
    source: str | None = None

    def in_force(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_until is None or on < self.valid_until)


@dataclass(frozen=True, slots=True)
class _Series:
    """The versions of one key in one area, by start."""

    starts: tuple[date, ...]
    rows: tuple[ParameterRow, ...]

    def on(self, day: date) -> ParameterRow | None:
        index = bisect_right(self.starts, day) - 1
        return self.rows[index] if index >= 0 and self.rows[index].in_force(day) else None


@lru_cache(maxsize=10_000)
def area_chain(area_code: str) -> tuple[str, ...]:
    """The areas whose parameters hold in an area, nearest first: 12, 9, 6, 4, 2 digits, then the nation ("00")."""
    own = [area_code[:digits] for digits in _PREFIXES if len(area_code) >= digits]
    return (*own, NATIONAL_ROOT)


@dataclass(slots=True)
class ParameterBook:
    """Every parameter of every loaded area. Treat as immutable; the dictionaries below it are caches of pure results.

    Args:
        rows: in any order; two rows of one key and area may not overlap.
        demo: all values are test values; answers then carry the notice 演示参数.
        demo_areas: the areas whose values are test values, where others' are not.

    Raises:
        ValueError: two rows of one key and area overlap (the database's exclusion constraint forbids the same).

    """

    rows: tuple[ParameterRow, ...]
    demo: bool = False
    demo_areas: frozenset[str] = frozenset()
    _series: dict[tuple[str, str], _Series] = field(init=False, repr=False)
    _versions: dict[tuple[str, date], str] = field(init=False, repr=False, default_factory=dict)
    _found: dict[tuple[str, str, date], ParameterRow | None] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        grouped: dict[tuple[str, str], list[ParameterRow]] = {}
        for row in sorted(self.rows, key=lambda row: row.valid_from):
            grouped.setdefault((row.area_code, row.key), []).append(row)
        for versions in grouped.values():
            _refuse_overlap(versions)
        self._series = {name: _Series(tuple(row.valid_from for row in rows), tuple(rows)) for name, rows in grouped.items()}

    def find(self, area_code: str, key: str, on: date) -> ParameterRow | None:
        """The row in force for ``key`` on ``on``; the nearest area that has one wins."""
        place = area_code, key, on
        try:
            return self._found[place]
        except KeyError:
            if len(self._found) > _VERSIONS_KEPT:
                self._found.clear()
            row = self._found[place] = self._look(area_code, key, on)
            return row

    def _look(self, area_code: str, key: str, on: date) -> ParameterRow | None:
        for area in area_chain(area_code):
            series = self._series.get((area, key))
            row = series.on(on) if series else None
            if row is not None:
                return row
        return None

    def policy(self, area_code: str, on: date) -> Policy:
        """The book seen from one area on one day."""
        return Policy(self, area_code, on)

    def keys(self, prefix: str) -> tuple[str, ...]:
        """All keys that begin with ``prefix``, in any area, at any time."""
        return tuple(sorted({key for _, key in self._series if key.startswith(prefix)}))

    def is_demo(self, area_code: str) -> bool:
        """Whether an answer for this area stands on test values."""
        return self.demo or not self.demo_areas.isdisjoint(area_chain(area_code))

    def version(self, area_code: str, on: date) -> str:
        """``district/date/hash``: the day of the last change in law or parameters, and a hash of all values in force then."""
        district = area_code[:6]
        cached = self._versions.get((district, on))
        if cached is None:
            if len(self._versions) > _VERSIONS_KEPT:
                self._versions.clear()
            cached = self._versions[(district, on)] = self._describe(district, on)
        return cached

    def _describe(self, district: str, on: date) -> str:
        chain = area_chain(district)
        in_force = [
            row for row in self.rows if row.in_force(on) and (row.area_code in chain or row.area_code.startswith(district))
        ]
        changed = max((row.valid_from for row in in_force), default=date.min)
        digest = content_hash(in_force)
        return f"{district}/{max(changed, latest_change(on)).isoformat()}/{digest[:16]}"


def _refuse_overlap(versions: list[ParameterRow]) -> None:
    for earlier, later in pairwise(versions):
        if earlier.valid_until is None or earlier.valid_until > later.valid_from:
            raise ValueError(f"{later.key} of {later.area_code}: two values in force on {later.valid_from}")


def content_hash(rows: Iterable[ParameterRow]) -> str:
    """SHA-256 (hex) over the values and periods, independent of the order of rows and of mapping keys."""
    lines = sorted(
        json.dumps(
            [row.area_code, row.key, row.valid_from.isoformat(), row.valid_until and row.valid_until.isoformat(), row.value],
            ensure_ascii=False,
            sort_keys=True,
        )
        for row in rows
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


class Policy:
    """The parameters in force in one area on one day; ``used`` lists every row that an answer was computed from."""

    def __init__(self, book: ParameterBook, area_code: str, on: date) -> None:
        self._book = book
        self.area_code = area_code
        self.on = on
        self._used: dict[str, ParameterRow] = {}

    @property
    def used(self) -> tuple[ParameterRow, ...]:
        return tuple(self._used[key] for key in sorted(self._used))

    @property
    def version(self) -> str:
        return self._book.version(self.area_code, self.on)

    def find(self, key: str) -> Any | None:
        """The value of an optional rule, or None where the area doesn't have the rule."""
        row = self._used.get(key)
        if row is None:
            row = self._book.find(self.area_code, key, self.on)
            if row is None:
                return None
            self._used[key] = row
        return row.value

    def get(self, key: str) -> Any:
        """The value in force.

        Raises:
            NoPolicyInForce: nothing is in force on that day (409).

        """
        value = self.find(key)
        if value is None:
            raise NoPolicyInForce(key, self.area_code, self.on)
        return value

    def money(self, key: str) -> int:
        """An amount in fen."""
        return int(self.get(key))

    def ratio(self, key: str) -> Fraction:
        """An exact ratio, written as decimal text."""
        return exact(self.get(key))

    def find_ratio(self, key: str) -> Fraction | None:
        value = self.find(key)
        return None if value is None else exact(value)

    def mapping(self, key: str) -> Mapping[str, Any]:
        value: Mapping[str, Any] = self.get(key)
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """A yes/no choice of the locality; where it hasn't made it, the national default."""
        value = self.find(key)
        return default if value is None else bool(value)

    def keys_in_force(self, prefix: str) -> tuple[str, ...]:
        return tuple(key for key in self._book.keys(prefix) if self._book.find(self.area_code, key, self.on) is not None)

    def rounding(self, programme: str) -> Rounding:
        """The programme's rounding; to the fen, half up, where the locality hasn't set one."""
        value = self.find(f"{programme}.rounding")
        return TO_THE_FEN if value is None else Rounding(int(value["unit_fen"]), RoundingMode(value["mode"]))
