"""From raw rows to checked blocks: the same function for reading, for a dry run and for applying, so that all say the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, TypeAlias, runtime_checkable

from app.domain.access import AreaScope
from app.domain.imports.duplicates_setwise import KeysSeen
from app.domain.imports.model import Block, Cell, Column, FileCheck, Kind, RowFault, Verdicts
from app.domain.imports.profiles import Profile
from app.domain.imports.scattered_setwise import Scattered

#: A row of the file: its number as a spreadsheet shows it, and its cells by position.
RawRow: TypeAlias = tuple[int, Sequence[Cell]]


class Positions(Protocol):
    """Where in a row the columns of a kind stand."""

    def columns(self, kind: Kind) -> Sequence[tuple[int, Column]]: ...


@runtime_checkable
class HoldsBack(Protocol):
    """A ``FileCheck`` whose rows stand or fall together: given all faulty rows of the file, the faults of the others."""

    def held_back(self, faulty: Collection[int]) -> Verdicts: ...


@runtime_checkable
class StandsTogether(Protocol):
    """A ``FileCheck`` that knows which rows belong together."""

    def scattered(self, first_rows: Sequence[int], faulty: Collection[int]) -> Scattered:
        """Over parts that begin with these rows; groups with faulty rows, which are held back whole, are left out."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows of one import are read: nothing that changes between its two phases.

    ``areas`` are the codes in force on ``today`` within ``scope``.
    """

    kind: Kind
    positions: Positions
    scope: AreaScope
    areas: frozenset[str]
    today: date
    profile: Profile | None = None


def parse_block(plan: Plan, rows: Sequence[RawRow]) -> tuple[Block, Verdicts]:
    """The rows by column, and what is wrong with single ones. Faulty cells are None in the block."""
    block = Block([number for number, _ in rows], {})
    verdicts: Verdicts = {}
    cells = list(zip(*(row for _, row in rows), strict=True))
    for column, given in _given(plan, cells, len(rows)):
        block.columns[column.name] = _parse_column(column, given, block.numbers, verdicts)
    _check_areas(plan, block, verdicts)
    _check_rows(plan, block, verdicts)
    return block, verdicts


def _given(plan: Plan, cells: Sequence[Sequence[Cell]], rows: int) -> Iterable[tuple[Column, Sequence[Cell]]]:
    """Every column of the kind with its cells: from the file, filled in by the profile, or empty."""
    there = {column.name: (position, column) for position, column in plan.positions.columns(plan.kind)}
    fixed: Mapping[str, str] = plan.profile.fixed if plan.profile else {}
    for column in plan.kind.columns:
        if column.name in there:
            position, adapted = there[column.name]
            given: Sequence[Cell] = cells[position] if cells else ()
            yield adapted, plan.profile.read(column.name, given) if plan.profile else given
        else:
            yield column, [fixed.get(column.name)] * rows


def _parse_column(column: Column, cells: Sequence[Cell], numbers: Sequence[int], verdicts: Verdicts) -> list[Any]:
    values, faults = column.cell.parse(cells)
    for place, fault in faults.items():
        values[place] = None
        _blame(verdicts, numbers[place], RowFault(column.title, fault.code, fault.message))
    if column.required and None in values:
        for place, value in enumerate(values):
            if value is None and place not in faults:
                _blame(verdicts, numbers[place], RowFault(column.title, "required", "必填，请补充。"))
    return values


def _check_areas(plan: Plan, block: Block, verdicts: Verdicts) -> None:
    """Each row must lie in the sender's area, and its division must exist."""
    if plan.kind.area_field is None:
        return
    title = plan.kind.column(plan.kind.area_field).title
    codes = block.columns[plan.kind.area_field]
    bad = {code: _area_fault(plan, title, code) for code in set(codes) - plan.areas - {None}}
    if bad:
        for number, code in zip(block.numbers, codes, strict=True):
            if code in bad:
                _blame(verdicts, number, bad[code])
        block.columns[plan.kind.area_field] = [None if code in bad else code for code in codes]


def _area_fault(plan: Plan, title: str, code: str) -> RowFault:
    if not plan.scope.covers(code):
        text = f"不在您的辖区（{plan.scope.prefix}）内，请核对区划代码；确属其他辖区的，请转交当地导入。"
        return RowFault(title, "area_outside_scope", text)
    return RowFault(title, "area_unknown", "没有这个区划，或已撤销、合并，请填写现行的区划代码。")


def _check_rows(plan: Plan, block: Block, verdicts: Verdicts) -> None:
    """Only rows whose cells are right by themselves: what is missing can't contradict anything."""
    check_row = plan.kind.check_row
    if check_row is None:
        return
    places = plan.kind.suspects(block, plan.today) if plan.kind.suspects else range(len(block))
    for place in places:
        number = block.numbers[place]
        if number not in verdicts:
            for fault in check_row({name: values[place] for name, values in block.columns.items()}, plan.today):
                _blame(verdicts, number, fault)


def _blame(verdicts: Verdicts, number: int, fault: RowFault) -> None:
    verdicts.setdefault(number, []).append(fault)


# --- the file as a whole -----------------------------------------------------------------------------------------------


@dataclass
class WholeFile:
    """What holds between rows however far apart, fed block by block: the key once, the kind's own check, sums."""

    plan: Plan
    rows: int = 0
    faulty: set[int] = field(default_factory=set)
    sums: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._keys = KeysSeen(self.plan.kind.key)
        self._check: FileCheck | None = self.plan.kind.file_check() if self.plan.kind.file_check else None
        self.sums = dict.fromkeys(self.plan.kind.totals, 0)

    def add(self, block: Block, verdicts: Verdicts) -> None:
        self.rows += len(block)
        self.faulty.update(verdicts)
        self._keys.add(block.without(self._in_doubt(verdicts)))
        for name in self.sums:
            self.sums[name] += sum(value for value in block.columns[name] if value is not None)
        if self._check is not None:
            self._check.add(block)

    def _in_doubt(self, verdicts: Verdicts) -> list[int]:
        """Rows with a fault in their key: what they are about is unknown."""
        titles = {self.plan.kind.column(name).title for name in self.plan.kind.key}
        return [number for number, faults in verdicts.items() if any(fault.column in titles for fault in faults)]

    def verdicts(self) -> Verdicts:
        """Asked once, after the last block. What is faulty here joins ``faulty``."""
        found: Verdicts = {}
        for number, first in self._keys.repeated():
            _blame(found, number, self._repeated(first))
        if self._check is not None:
            _join(found, self._check.verdicts())
        self.faulty.update(found)
        if isinstance(self._check, HoldsBack) and self.faulty:
            held = self._check.held_back(self.faulty)
            _join(found, held)
            self.faulty.update(held)
        return found

    def scattered(self, first_rows: Sequence[int]) -> Scattered | None:
        """What belongs together and lies in several of the parts that begin with these rows; asked after ``verdicts``."""
        return self._check.scattered(first_rows, self.faulty) if isinstance(self._check, StandsTogether) else None

    def _repeated(self, first: int) -> RowFault:
        titles = "、".join(self.plan.kind.column(name).title for name in self.plan.kind.key)
        return RowFault(None, "duplicate_in_file", f"与第 {first} 行重复（{titles}相同），请只保留一行。")


def _join(into: Verdicts, more: Verdicts) -> None:
    for number, faults in more.items():
        into.setdefault(number, []).extend(faults)
