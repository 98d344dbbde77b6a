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

import xlsxwriter  # type: ignore[import-untyped]

from app.domain.errors import Conflict

CSV_TYPE: Final = "text/csv; charset=utf-8"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BOM: Final = b"\xef\xbb\xbf"
#: A workbook is built in memory, because a file on disk would be in the clear.
XLSX_ROWS: Final = 50_000
_HEADER_LENGTH: Final = 200  # of 255 that a page header may have
_OPTIONS: Final = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_TEXT: Final = {"num_format": "@", "quote_prefix": True}  # text even after somebody has edited the cell
_FORBIDDEN_IN_TITLES: Final = str.maketrans("", "", "[]:*?/\\")
_TITLE_LENGTH: Final = 31


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


class XlsxWriting:
    """One sheet; the file is there at the end only."""

    def __init__(self, heading: Heading) -> None:
        self._content = io.BytesIO()
        self._book = xlsxwriter.Workbook(self._content, _OPTIONS)
        properties = {"title": heading.title, "author": heading.author, "subject": heading.purpose}
        self._book.set_properties(properties | {"comments": "\n".join(heading.notes)})
        self._page = self._book.add_worksheet(heading.title.translate(_FORBIDDEN_IN_TITLES)[:_TITLE_LENGTH])
        self._page.set_column(0, len(heading.columns) - 1, 18, self._book.add_format(_TEXT))
        bold = self._book.add_format({"bold": True, **_TEXT})
        for number, note in enumerate(heading.notes):
            self._page.write_string(number, 0, note)
        self._page.write_row(len(heading.notes), 0, heading.columns, bold)
        self._page.freeze_panes(len(heading.notes) + 1, 0)
        self._page.set_header("&L" + _on_page(" ".join(heading.notes[:1])))
        self._page.set_footer("&L" + _on_page(" ".join(heading.notes[1:])) + "&R&P/&N")
        self._rows = 0
        self._above = len(heading.notes) + 1

    def add(self, rows: Iterable[Sequence[str]]) -> bytes:
        """Nothing yet. Raises ``Conflict`` export_too_many_rows."""
        for row in rows:
            if self._rows == XLSX_ROWS:
                text = f"超过 {XLSX_ROWS} 行，XLSX 装不下；请改用 csv 格式，或按乡镇（街道）分别导出。"
                raise Conflict("export_too_many_rows", text)
            for place, cell in enumerate(row):
                if cell:
                    self._page.write_string(self._above + self._rows, place, cell)
            self._rows += 1
        return b""

    def end(self) -> bytes:
        self._book.close()
        return self._content.getvalue()


def _on_page(text: str) -> str:
    """Ampersands are commands in page headers."""
    return text[:_HEADER_LENGTH].replace("&", "&&")
