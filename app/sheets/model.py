"""What a readable file offers, and the refusal of those that aren't."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, TypeAlias

from app.domain.errors import Malformed
from app.domain.imports.model import Cell, RowFault

#: Says whether the first rows of a sheet hold what is looked for.
Fits: TypeAlias = Callable[[Sequence[tuple[int, list[Cell]]]], bool]

#: Vertically merged cells: row number → (position of the cell, number of the row that holds its content).
Merged: TypeAlias = dict[int, list[tuple[int, int]]]

#: A header stands among the first rows or nowhere.
HEAD_ROWS = 40


class SheetFault(Malformed):
    """The file as a whole can't be read; ``code`` is published, ``detail`` is Chinese and says what to do."""


@dataclass(frozen=True, slots=True)
class SheetLimits:
    """How much of a workbook is read. Text files have no limit of their own."""

    xlsx_rows: int = 200_000
    xlsx_columns: int = 512
    xlsx_cells: int = 6_000_000  # of the rectangle that holds all content: it is held in memory
    xlsx_content_bytes: int = 384 << 20  # of the texts, and of those parts of a sheet that hold content
    package_bytes: int = 128 << 20
    unzipped_bytes: int = 1 << 30
    ratio: int = 200  # unzipped to zipped, of parts beyond 16 MiB


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """What the reader found out about a file."""

    format: Literal["csv", "xlsx"]
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    other_sheets: tuple[str, ...] = ()  # visible ones that were not read
    hidden_sheets: tuple[str, ...] = ()
    date_1904: bool = False

    def as_json(self) -> dict[str, Any]:
        """For the record of an import."""
        return asdict(self)


class Sheet(Protocol):
    """An opened table. ``faults`` grows while the rows are read: rows that are not what was meant, each with its cells as far
    as they could be told apart.
    """

    facts: SheetFacts
    faults: dict[int, RowFault]
    merged: Merged

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """Row numbers as a spreadsheet shows them (records, in text files) with all cells, empty rows included. Once only."""
        ...
