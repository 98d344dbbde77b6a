"""What documents are made of: headings, paragraphs, tables, the rule under the name of the issuing body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from reportlab.lib.colors import Color, HexColor, black
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, LongTable

from app.documents.face import printable
from app.documents.text import Align, Style, Text, broken

RED = HexColor("#C8102E")
GREY = HexColor("#595959")
SHADE = HexColor("#F2F2F2")
SIZE, LEADING = 16, 28.9  # 3号; 22 lines to 225 mm (GB/T 9704-2012 5.2.3)
HUNDREDTHS = 100

BODY = Style(SIZE, LEADING, Align.FLUSH, indent=2 * SIZE)
PLAIN = Style(SIZE, LEADING)
SECTION = Style(SIZE, LEADING, indent=2 * SIZE, heavy=True)  # 黑体 in the standard
NOTE = Style(9, 13, colour=GREY)
CELL_LEADING = 1.3  # of the size
SIDE_PADDING = 3
MANY_LINES, FEW_LINES = 12, 6


def day(on: date) -> str:
    """成文日期, without leading zeros (GB/T 9704 7.3.5.4)."""
    return f"{on.year}年{on.month}月{on.day}日"


def points(value: int) -> str:
    """Hundredths of a point as they are said."""
    return f"{value // HUNDREDTHS}.{value % HUNDREDTHS:02d}"


def heading(text: str, size: float, *, colour: Color = black, before: float = 0, after: float = 0) -> Text:
    """In the middle, heavy; ``before`` and ``after`` in millimetres."""
    style = Style(size, size * 1.5, Align.CENTRE, before=before * mm, after=after * mm, heavy=True, colour=colour)
    return Text(text, style)


def paragraph(text: str, style: Style = BODY) -> Text:
    return Text(text, style)


def section(text: str) -> list[Flowable]:
    """一、 … of the body, never at the foot of a page."""
    return [CondPageBreak(3 * LEADING), Text(text, SECTION)]


def closing(issuer: str, on: date, *, size: float = SIZE, left: float = 66) -> list[Flowable]:
    """Issuing body over the day, in the right half (GB/T 9704 7.3.5). ``left`` in millimetres."""
    style = Style(size, size * 1.8, Align.CENTRE, left=left * mm)
    return [Text(issuer, style), Text(day(on), style)]


class Rule(Flowable):
    """A line over the whole width; ``weight`` in points, ``after`` is empty space in millimetres."""

    def __init__(self, *, weight: float, colour: Color, after: float) -> None:
        super().__init__()
        self._weight, self._colour, self._after = weight, colour, after * mm

    def wrap(self, available_width: float, _available_height: float) -> tuple[float, float]:
        self.width, self.height = available_width, self._weight + self._after
        return self.width, self.height

    def draw(self) -> None:
        self.canv.setStrokeColor(self._colour)
        self.canv.setLineWidth(self._weight)
        self.canv.line(0, self._after, self.width, self._after)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; ``width`` in millimetres."""

    title: str
    width: float
    align: Align = Align.CENTRE


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, size: float = 10.5, padding: float = 3) -> LongTable:
    """A ruled table whose heading stands on every page; long texts run on over more lines, and over pages. Points."""
    head = Style(size, size * CELL_LEADING, Align.CENTRE, heavy=True)
    content, beginnings, tall = [[[Text(column.title, head)] for column in columns]], [0], []
    for row in rows:
        beginnings.append(len(content))
        parts = _parts(columns, row, size)
        if len(parts) > 1:
            tall.append((len(content), len(content) + len(parts) - 1))
        content += parts
    made = LongTable(content, colWidths=[column.width * mm for column in columns], repeatRows=1, hAlign="CENTER")
    made.setStyle(
        [
            ("BOX", (0, 0), (-1, -1), 1, black),
            ("LINEBEFORE", (1, 0), (-1, -1), 0.5, black),
            *(("LINEABOVE", (0, row), (-1, row), 0.5, black) for row in beginnings),
            ("LINEBELOW", (0, 0), (-1, 0), 0.5, black),
            ("BACKGROUND", (0, 0), (-1, 0), SHADE),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            *(("VALIGN", (0, first), (-1, last), "TOP") for first, last in tall),
            ("LEFTPADDING", (0, 0), (-1, -1), SIDE_PADDING),
            ("RIGHTPADDING", (0, 0), (-1, -1), SIDE_PADDING),
            ("TOPPADDING", (0, 0), (-1, -1), padding),
            ("BOTTOMPADDING", (0, 0), (-1, -1), padding),
            *(("TOPPADDING", (0, first + 1), (-1, last), 0) for first, last in tall),
            *(("BOTTOMPADDING", (0, first), (-1, last - 1), 0) for first, last in tall),
        ]
    )
    return made


def _parts(columns: Sequence[Column], row: Sequence[str], size: float) -> list[list[list[Text]]]:
    """A row; one of many lines as several of few, between which a page may end."""
    styles = [Style(size, size * CELL_LEADING, column.align) for column in columns]
    cells = [
        broken(printable(text), column.width * mm - 2 * SIDE_PADDING, style)
        for text, column, style in zip(row, columns, styles, strict=True)
    ]
    count = max(len(lines) for lines in cells)
    step = count if count <= MANY_LINES else FEW_LINES
    return [
        [[Text("", style, lines[first : first + step])] for lines, style in zip(cells, styles, strict=True)]
        for first in range(0, count, step)
    ]


def on_the_left(title: str, width: float) -> Column:
    return Column(title, width, Align.LEFT)
