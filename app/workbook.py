"""Tables as an XLSX file. Text stays text: nothing that begins with = + - @ is ever a formula, no number becomes a link."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import xlsxwriter  # type: ignore[import-untyped]

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its heading; whole numbers become numbers, everything else text."""

    title: str
    heading: Sequence[str]
    rows: Iterable[Sequence[str | int]]


def workbook(sheets: Iterable[Sheet]) -> bytes:
    """The file, with the heading of each sheet held in place."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, OPTIONS) as book:
        bold = book.add_format({"bold": True})
        for sheet in sheets:
            page = book.add_worksheet(sheet.title)
            page.write_row(0, 0, sheet.heading, bold)
            page.freeze_panes(1, 0)
            page.set_column(0, len(sheet.heading) - 1, 18)
            for number, row in enumerate(sheet.rows, start=1):
                page.write_row(number, 0, row)
    return content.getvalue()
