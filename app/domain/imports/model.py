"""What an import is made of: kinds with their columns, blocks of parsed rows, faults and verdicts.

A kind is a declaration (its columns, its natural key, who may send it) and a row model; reading, checking, staging, applying,
undoing, templates and exports are the same for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, Protocol, TypeAlias

from app.domain.access import Duty

#: A cell as a reader hands it over. CSV knows only text; XLSX also numbers (exact, as a spreadsheet shows them), dates and truth
#: values. None is an empty cell.
Cell: TypeAlias = str | int | Decimal | bool | date | datetime | None

Mode = Literal["upsert", "insert"]


class ImportStatus(StrEnum):
    """``failed``: the file as a whole couldn't be read or applied, ``problem`` says why."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    COMPLETED_WITH_ERRORS = "completed_with_errors"
    FAILED = "failed"
    UNDONE = "undone"


class CellFault(ValueError):
    """A cell that can't be right; ``code`` is stable and published, ``message`` is Chinese, says what to do, and never
    repeats the value.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class RowFault:
    """One thing wrong with one row. ``column`` is the header it stands under, None when it is about the row as a whole."""

    column: str | None
    code: str
    message: str


class CellType(Protocol):
    """How the cells of a column are read: a whole column at once, so that a million cells cost no million calls where values
    repeat.
    """

    def parse(self, cells: Sequence[Cell]) -> tuple[list[Any], dict[int, CellFault]]:
        """A value for each cell (None for an empty or faulty one), and the faults by position."""
        ...

    def write(self, value: Any) -> str:
        """The text that reads back as the same value (exports, templates)."""
        ...


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a kind: its field name, its header as published, how its cells are read."""

    name: str
    title: str
    cell: CellType
    required: bool = False
    aliases: tuple[str, ...] = ()  # other headers that offices write for it
    note: str = ""  # for templates and the description of the kind
    example: str = ""
    sensitive: bool = False  # masked in lists of faults and in exports without a purpose


@dataclass(slots=True)
class Block:
    """Parsed rows of one part of a file, by column: ``columns[name][i]`` belongs to row ``numbers[i]`` of the file (from 1,
    counted as a spreadsheet shows it).
    """

    numbers: list[int]
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.numbers)

    def rows(self) -> Iterable[tuple[int, dict[str, Any]]]:
        """Row number and values, for kinds that work row by row."""
        names = list(self.columns)
        for number, values in zip(self.numbers, zip(*self.columns.values(), strict=True), strict=True):
            yield number, dict(zip(names, values, strict=True))

    def without(self, dropped: Iterable[int]) -> Block:
        """The block without the rows of these numbers."""
        gone = set(dropped)
        if not gone:
            return self
        kept = [place for place, number in enumerate(self.numbers) if number not in gone]
        return Block(
            [self.numbers[place] for place in kept],
            {name: [values[place] for place in kept] for name, values in self.columns.items()},
        )


#: Faults by row number.
Verdicts: TypeAlias = dict[int, list[RowFault]]

#: Looks at one parsed row (by field name) and says what doesn't fit together in it.
RowCheck: TypeAlias = Callable[[Mapping[str, Any], date], Iterable[RowFault]]


class FileCheck(Protocol):
    """What has to hold between rows of one file, however far apart: fed part by part, asked once at the end."""

    def add(self, block: Block) -> None: ...

    def verdicts(self) -> Verdicts: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of import."""

    code: str
    title: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]  # the fields that say which thing a row is about: twice in one file is a fault of the later row
    importers: frozenset[Duty]
    exporters: frozenset[Duty]
    area_field: str | None = "area_code"  # must lie in the sender's area; None when the writer finds the area itself
    check_row: RowCheck | None = None
    suspects: Callable[[Block, date], Iterable[int]] | None = None  # places that alone need ``check_row``; None: all of them
    file_check: Callable[[], FileCheck] | None = None
    together: str | None = None  # rows that follow one another with the same value in this field are written together
    totals: tuple[str, ...] = ()  # numeric fields whose claimed total (a trailing 合计 row) is compared with the sum
    description: str = ""

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the rows of one block."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: Verdicts = field(default_factory=dict)
