"""XLSX as it is made, piece by piece: in bounded memory, and never on a disk, where it would lie in the clear.

One sheet whose cells are all text: an ID number is never a number and nothing is ever a formula, even after somebody has edited
it. The writers of the libraries keep a workbook in memory or in temporary files until its end.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from app.domain.errors import Conflict
from app.sheets.writing import Heading

#: All that a sheet holds, the rows above the header with it.
XLSX_ROWS: Final = 1 << 20
_MOST_BYTES: Final = 2_000_000_000  # beyond, the archive would need marks that spreadsheets complain about
_LEVEL: Final = 4
_HEADER_LENGTH: Final = 200  # of 255 that a page header may have
_TITLE_LENGTH: Final = 31
_FORBIDDEN_IN_TITLES: Final = str.maketrans("", "", "[]:*?/\\")
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TEXT, _BOLD = 1, 2  # styles
_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DECLARED: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_RELATION: Final = '<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
_FONT: Final = '<font>{bold}<sz val="11"/><name val="Calibri"/><family val="2"/></font>'
_STYLE: Final = '<xf numFmtId="49" fontId="{font}" fillId="0" borderId="0" xfId="0" quotePrefix="1" applyNumberFormat="1"/>'
_STYLES: Final = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2">{_FONT.format(bold="")}{_FONT.format(bold="<b/>")}</fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    f"{_STYLE.format(font=0)}{_STYLE.format(font=1)}</cellXfs>"
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


class _Tape:
    """What the archive writes, to be taken off as it comes."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """There is nothing to close."""

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


class XlsxWriting:
    """One sheet, handed over as it grows."""

    def __init__(self, heading: Heading) -> None:
        self._tape = _Tape()
        self._archive = zipfile.ZipFile(self._tape, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        for name, content in _parts(heading).items():
            self._archive.writestr(name, _DECLARED + content)
        self._heading = heading
        self._names = [_column(place) for place in range(len(heading.columns))]
        self._sheet = self._archive.open("xl/worksheets/sheet1.xml", "w")
        self._row = self._written = 0
        self._put(_DECLARED + _begin(len(heading.notes), len(heading.columns)))
        self._put("".join(self._next(row, _TEXT) for row in [[note] for note in heading.notes]))
        self._put(self._next(heading.columns, _BOLD))

    def add(self, rows: Iterable[Sequence[str]]) -> bytes:
        """The rows, and what stands before them. Raises ``Conflict`` export_too_many_rows."""
        self._put("".join(self._next(row, _TEXT) for row in rows))
        return self._tape.taken()

    def end(self) -> bytes:
        """The rest of the file."""
        notes = self._heading.notes
        header, footer = "&L" + _on_page(" ".join(notes[:1])), "&L" + _on_page(" ".join(notes[1:])) + "&R&P/&N"
        page = f"<headerFooter><oddHeader>{_text(header)}</oddHeader><oddFooter>{_text(footer)}</oddFooter></headerFooter>"
        margins = '<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/>'
        self._put(f"</sheetData>{margins}{page}</worksheet>")
        self._sheet.close()
        self._archive.close()
        return self._tape.taken()

    def _next(self, cells: Sequence[str], style: int) -> str:
        self._row += 1
        if self._row > XLSX_ROWS or self._written > _MOST_BYTES:
            raise Conflict("export_too_many_rows", "行数超过一张工作表的上限；请改用 csv 格式，或按乡镇（街道）分别导出。")
        row = self._row
        written = [
            f'<c r="{name}{row}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{_text(cell)}</t></is></c>'
            for name, cell in zip(self._names, cells, strict=False)
            if cell
        ]
        return f'<row r="{row}">{"".join(written)}</row>'

    def _put(self, text: str) -> None:
        content = text.encode()
        self._written += len(content)
        self._sheet.write(content)


def _column(place: int) -> str:
    """A for 0, Z for 25, AA for 26."""
    name = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, len(_LETTERS))
        name = _LETTERS[letter] + name
    return name


def _text(text: str) -> str:
    """Characters that XML can't hold as spreadsheets write them, and what looks like one written so."""
    if not text.isprintable() or "_x" in text:
        text = _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return escape(text)


def _on_page(text: str) -> str:
    """Ampersands are commands in page headers."""
    return text[:_HEADER_LENGTH].replace("&", "&&")


def _begin(notes: int, columns: int) -> str:
    """Up to the rows; the header stays in sight."""
    above = notes + 1
    pane = f'<pane ySplit="{above}" topLeftCell="A{above + 1}" activePane="bottomLeft" state="frozen"/>'
    return (
        f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView tabSelected="1" workbookViewId="0">{pane}</sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/><cols><col min="1" max="{columns}" width="18.7" style="{_TEXT}"'
        ' customWidth="1"/></cols><sheetData>'
    )


def _parts(heading: Heading) -> dict[str, str]:
    """Everything but the sheet."""
    title = heading.title.translate(_FORBIDDEN_IN_TITLES)[:_TITLE_LENGTH]
    types = {
        "/xl/workbook.xml": f"{_TYPE}.sheet.main+xml",
        "/xl/worksheets/sheet1.xml": f"{_TYPE}.worksheet+xml",
        "/xl/styles.xml": f"{_TYPE}.styles+xml",
        "/docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
    }
    overrides = "".join(f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in types.items())
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>',
        "_rels/.rels": _relations(
            (f"{_OFFICE}/officeDocument", "xl/workbook.xml"),
            (f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
        ),
        "docProps/core.xml": _properties(heading),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        f'<sheet name={quoteattr(title)} sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(
            (f"{_OFFICE}/worksheet", "worksheets/sheet1.xml"), (f"{_OFFICE}/styles", "styles.xml")
        ),
        "xl/styles.xml": _STYLES,
    }


def _relations(*targets: tuple[str, str]) -> str:
    rows = [_RELATION.format(number=number, kind=kind, target=target) for number, (kind, target) in enumerate(targets, start=1)]
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{"".join(rows)}</Relationships>'


def _properties(heading: Heading) -> str:
    notes = _text("\n".join(heading.notes))
    return (
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{_text(heading.title)}</dc:title><dc:subject>{_text(heading.purpose)}</dc:subject>"
        f"<dc:creator>{_text(heading.author)}</dc:creator><dc:description>{notes}</dc:description></cp:coreProperties>"
    )
