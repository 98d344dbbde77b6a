"""Text that a spreadsheet would take for a formula when it opens a text file, and how it is kept from becoming one.

A leading apostrophe keeps it text; reading takes the apostrophe off again, so that a file sent back says what it said. Cells of a
workbook say by themselves that they are text and need none of this.
"""

from __future__ import annotations

import re
from typing import Final

#: What begins so may be worked out, full-width forms included; an apostrophe because reading would take it off.
_MARKS: Final = "=+-@＝＋－＠'\t\r\n"
_FIRST: Final = tuple(_MARKS)
_KEPT: Final = tuple(f"'{mark}" for mark in _MARKS)
_PLAIN_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


def kept_text(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula; plain numbers stay numbers."""
    if text.startswith(_FIRST) and not _PLAIN_NUMBER.fullmatch(text):
        return "'" + text
    return text


def plain_texts(cells: list[str]) -> list[str]:
    """The cells of a row as they were before `kept_text`."""
    return [cell[1:] if cell.startswith(_KEPT) else cell for cell in cells]
