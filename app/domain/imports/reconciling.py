"""Reconciliation: a file against what is on record. An empty cell states nothing, so it differs from nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.domain.imports.exporting import Mask
from app.domain.imports.model import Block, Kind

Finding = Literal["new", "differing", "missing"]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs, both sides as text that may be seen."""

    title: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Found:
    """A row of the file that is new or differs, or a record of ours that the file lacks (``row`` None)."""

    finding: Finding
    row: int | None
    key: Mapping[str, str]
    fields: tuple[Difference, ...] = ()


@dataclass(slots=True)
class Reconciliation:
    """What came out. ``found`` holds everything that isn't the same, the file's rows in their order, ours after them."""

    rows: int = 0
    same: int = 0
    new: int = 0
    differing: int = 0
    missing: int = 0
    found: list[Found] = field(default_factory=list)


class Reconciler:
    """Fed first with ours, then with the file."""

    def __init__(self, kind: Kind, mask: Mask) -> None:
        self._kind = kind
        self._mask = mask
        self._ours: dict[Key, dict[str, str]] = {}
        self._areas: dict[Key, Any] = {}
        self._named_areas: set[Any] = set()
        self._seen: set[Key] = set()
        self.result = Reconciliation()

    def add_ours(self, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            key = self._key(row)
            self._ours[key] = self._texts(row)
            if self._kind.area_field is not None:
                self._areas[key] = row.get(self._kind.area_field)

    def add_file(self, block: Block) -> None:
        """Rows without faults."""
        for number, row in block.rows():
            key, texts = self._key(row), self._texts(row)
            self._seen.add(key)
            if self._kind.area_field is not None:
                self._named_areas.add(row[self._kind.area_field] or self._areas.get(key))
            self.result.rows += 1
            self._compare(number, key, texts)

    def add_rejected(self, block: Block) -> None:
        """Rows that couldn't be imported: what they are about stands in the file, whatever else is wrong with them."""
        self._seen.update(self._key(row) for _, row in block.rows())

    def finish(self) -> Reconciliation:
        """Adds what the file lacks in the areas that it names."""
        for key, texts in self._ours.items():
            inside = self._kind.area_field is None or self._areas[key] in self._named_areas
            if inside and key not in self._seen:
                self.result.missing += 1
                self.result.found.append(Found("missing", None, self._shown(self._kind.key, texts)))
        return self.result

    def _compare(self, number: int, key: Key, texts: Mapping[str, str]) -> None:
        ours = self._ours.get(key)
        shown = self._shown(self._kind.key, texts)
        if ours is None:
            self.result.new += 1
            self.result.found.append(Found("new", number, shown))
            return
        names = [name for name, text in texts.items() if text and text != ours[name]]
        if not names:
            self.result.same += 1
            return
        self.result.differing += 1
        before, after = self._shown(names, ours), self._shown(names, texts)
        fields = tuple(Difference(title, before[title], after[title]) for title in before)
        self.result.found.append(Found("differing", number, shown, fields))

    def _key(self, row: Mapping[str, Any]) -> Key:
        return tuple(row[name] for name in self._kind.key)

    def _texts(self, row: Mapping[str, Any]) -> dict[str, str]:
        values = ((column, row.get(column.name)) for column in self._kind.columns)
        return {column.name: "" if value is None else column.cell.write(value) for column, value in values}

    def _shown(self, names: Sequence[str], texts: Mapping[str, str]) -> dict[str, str]:
        columns = [self._kind.column(name) for name in names]
        return {
            column.title: self._mask(column.name, texts[column.name]) if column.sensitive else texts[column.name]
            for column in columns
        }


__all__ = ["Difference", "Found", "Reconciler", "Reconciliation"]
