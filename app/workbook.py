"""Tables as an XLSX file. Text stays text: nothing that begins with = + - @ is ever a formula, no number becomes a link."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import xlsxwriter  # type: ignore[import-untyped]

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its heading; whole numbers become numbers, everything else text.

    ``text_columns``: positions whose cells are set to text, so that a long number typed into one stays as it was typed.
    """

    title: str
    heading: Sequence[str]
    rows: Iterable[Sequence[str | int]]
    text_columns: Collection[int] = ()


def workbook(sheets: Iterable[Sheet]) -> bytes:
    """The file, with the heading of each sheet held in place."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, OPTIONS) as book:
        bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        for sheet in sheets:
            page = book.add_worksheet(sheet.title)
            page.write_row(0, 0, sheet.heading, bold)
            page.freeze_panes(1, 0)
            for place in range(len(sheet.heading)):
                page.set_column(place, place, 18, text if place in sheet.text_columns else None)
            for number, row in enumerate(sheet.rows, start=1):
                page.write_row(number, 0, row)
    return content.getvalue()
