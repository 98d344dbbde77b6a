"""Tables as files that people open in WPS and Excel: CSV (UTF-8 with BOM) and XLSX.

Text stays text: an ID number is never a number, and nothing is ever a formula. Above the header stand the rows that say where the
file comes from; in a workbook they are in the page header and footer and in the document's properties too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

CSV_TYPE: Final = "text/csv; charset=utf-8"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Heading:
    """What a file says before its rows."""

    title: str
    notes: Sequence[str]
    columns: Sequence[str]
    author: str = ""
    purpose: str = ""


class TableWriting(Protocol):
    """A table on its way into a file: pieces of the file as they are ready."""

    def add(self, rows: Iterable[Sequence[str]]) -> bytes: ...

    def end(self) -> bytes: ...


class CsvWriting:
    """Comma-separated, CRLF, quoted where needed; streams."""

    def __init__(self, heading: Heading) -> None:
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text)
        self._begun = BOM
        self._writer.writerows([note] for note in heading.notes)
        self._writer.writerow(heading.columns)

    def add(self, rows: Iterable[Sequence[str]]) -> bytes:
        """The rows, with what stands before them the first time."""
        self._writer.writerows(rows)
        return self._taken()

    def end(self) -> bytes:
        return self._taken()

    def _taken(self) -> bytes:
        content, self._begun = self._begun + self._text.getvalue().encode(), b""
        self._text.seek(0)
        self._text.truncate()
        return content
