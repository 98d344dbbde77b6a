"""How far the filled cells of a worksheet reach, and which of them hold no usable content, without loading it.

What loads a sheet keeps the whole rectangle up to the last filled cell in memory. A single cell in the far corner would make that
rectangle as large as a sheet can be, so it is measured first. Formulas saved without a result and formulas with an error would
come out as empty cells; they are noted, so that nobody takes them for empty.

Cells as every known program writes them are found by patterns; a sheet that spells them otherwise is parsed, which is slower.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from xml.parsers import expat

from app.domain.imports.cells.column import NOT_CALCULATED
from app.sheets.model import SheetFault, SheetLimits
from app.sheets.packages import DAMAGED, TOO_MUCH

Chunks: TypeAlias = Callable[[], Iterator[bytes]]

_UNUSUAL: Final = re.compile(rb'<(?:[^\s<>/:]+:c[\s/>]|c(?: (?!r="[A-Z]{1,3}[0-9]{1,7}")|[\t\r\n/>]))')
_FILLED: Final = re.compile(rb'<c r="([A-Z]+)([0-9]+)"[^>/]*>(?!</c>)')
_FAR: Final = re.compile(rb'<c r="(?:[A-Z]{2,3}[0-9]+|[A-Z][0-9]{6,})"[^>/]*>(?!</c>)')
_NEAR_ROWS: Final = 99_999  # what isn't far lies within
_NEAR_COLUMNS: Final = 26
_FORMULA: Final = rb"(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)"
_ERROR: Final = re.compile(rb'<c r="([A-Z]+)([0-9]+)"[^>]*? t="e"[^>]*>' + _FORMULA + rb"?<v>([^<]*)</v>")
_UNCALCULATED: Final = re.compile(rb'<c r="([A-Z]+)([0-9]+)"(?![^>]* t="str")[^>/]*>' + _FORMULA + rb"(?:<v\s*/>|<v></v>)?</c>")
_MOST_BROKEN_ROWS: Final = 10_000
_LONGEST_CELL: Final = 4 << 20
_BROKEN: Final = "#VALUE!"


@dataclass(slots=True)
class Extent:
    """Rows and columns (counted from 1) beyond which nothing is filled; 0 for an empty sheet."""

    last_row: int = 0
    last_column: int = 0
    content_bytes: int = 0
    broken: dict[int, dict[int, str]] = field(default_factory=dict)  # row (from 1) → column (from 0) → what to show

    def reach(self, row: int, column: int) -> None:
        """A filled cell, both counted from 1."""
        self.last_row = max(self.last_row, row)
        self.last_column = max(self.last_column, column)

    def note(self, row: int, column: int, shown: str) -> None:
        """A cell, both counted from 1, whose formula has no usable result."""
        self.broken.setdefault(row, {})[column - 1] = shown
        if len(self.broken) > _MOST_BROKEN_ROWS:
            raise SheetFault("formulas_broken", "工作簿中有大量公式没有结果或出错；请用 Excel 或 WPS 打开、改正并保存后再导入。")

    def within(self, limits: SheetLimits) -> bool:
        """Whether the rectangle may be loaded."""
        return (
            self.last_row <= limits.xlsx_rows
            and self.last_column <= limits.xlsx_columns
            and self.last_row * self.last_column <= limits.xlsx_cells
        )

    def add_content(self, size: int, limits: SheetLimits) -> None:
        """Raises SheetFault for more than can be held in memory."""
        self.content_bytes += size
        if self.content_bytes > limits.xlsx_content_bytes:
            raise SheetFault("file_unzips_too_large", TOO_MUCH)


def extent_of(chunks: Chunks, limits: SheetLimits) -> Extent:
    """The extent of a worksheet's XML; exact where it matters for the limits. Raises SheetFault for XML that is damaged."""
    extent = _quick(chunks, limits)
    if extent is None:
        return _parsed(chunks, limits)
    if not extent.within(limits):
        extent.last_row = extent.last_column = 0
        for piece in _pieces(chunks()):
            if found := _FILLED.findall(piece):
                letters, digits = map(set, zip(*found, strict=True))
                extent.reach(max(map(int, digits)), max(map(column_number, letters)))
    return extent


def column_number(letters: bytes) -> int:
    """A = 1, Z = 26, AA = 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _quick(chunks: Chunks, limits: SheetLimits) -> Extent | None:
    """By patterns, bounds instead of exact numbers; None when the sheet spells its cells unusually."""
    extent = Extent()
    far = False
    for piece in _pieces(chunks()):
        if _UNUSUAL.search(piece):
            return None
        far = far or _FAR.search(piece) is not None
        if _FILLED.search(piece):
            extent.reach(_NEAR_ROWS, _NEAR_COLUMNS)
            extent.add_content(len(piece), limits)
        _note_broken(piece, extent)
    if far:
        extent.reach(1 << 20, 1 << 14)
    return extent


def _note_broken(piece: bytes, extent: Extent) -> None:
    if b't="e"' in piece:
        for letters, digits, shown in _ERROR.findall(piece):
            extent.note(int(digits), column_number(letters), shown.decode("utf-8", "ignore"))
    if b"<f" in piece:
        for letters, digits in _UNCALCULATED.findall(piece):
            extent.note(int(digits), column_number(letters), NOT_CALCULATED)


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut before a cell begins, so that no cell's start is torn."""
    rest = b""
    for chunk in chunks:
        buffer = rest + chunk
        cut = buffer.rfind(b"<c ")
        if cut < 0:
            cut = max(0, len(buffer) - 64)
        if len(buffer) - cut > _LONGEST_CELL:
            raise SheetFault("file_damaged", DAMAGED)
        yield buffer[:cut]
        rest = buffer[cut:]
    yield rest


def _parsed(chunks: Chunks, limits: SheetLimits) -> Extent:
    reader = _CellParser()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        for chunk in chunks():
            reader.extent.add_content(len(chunk), limits)
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as wrong:
        raise SheetFault("file_damaged", DAMAGED) from wrong
    return reader.extent


def _refuse_doctype(*_: object) -> None:
    raise SheetFault("file_damaged", DAMAGED)


class _CellParser:
    """Follows rows and cells, with or without their references."""

    def __init__(self) -> None:
        self.extent = Extent()
        self._row = self._column = 0
        self._kind: str | None = None
        self._formula = self._content = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                self._row = _number(attributes.get("r"), self._row + 1)
                self._column = 0
            case "c":
                self._place(attributes.get("r"))
                self._kind = attributes.get("t")
                self._formula = self._content = False
            case "f":
                self._formula = True

    def text(self, content: str) -> None:
        self._content = self._content or not content.isspace()

    def end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local == "f":
            self._content = False
        elif local == "c":
            self._finish()

    def _place(self, reference: str | None) -> None:
        found = re.fullmatch(r"([A-Z]{1,3})([0-9]{1,7})", reference or "")
        if found:
            self._column, self._row = column_number(found[1].encode()), int(found[2])
        else:
            self._column += 1

    def _finish(self) -> None:
        if self._content:
            self.extent.reach(self._row, self._column)
        if self._kind == "e":
            self.extent.note(self._row, self._column, _BROKEN)
        elif self._formula and not self._content and self._kind != "str":
            self.extent.note(self._row, self._column, NOT_CALCULATED)


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 8 else otherwise  # noqa: PLR2004
