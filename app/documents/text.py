"""Lines of Chinese text: broken by the rules for punctuation, numbers kept whole, set flush on both sides.

The library's own paragraphs let a closing sign begin a line and tear numbers apart; and they read markup, which no name must be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from reportlab.lib.colors import Color, black
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from app.documents.face import FACE, characters, printable

NO_BEGINNING = frozenset("，。、；：？！）》」』】〕”’％‰…—～·,.;:?!)]}%※")
NO_END = frozenset("（《「『【〔“‘([{")
WORD = re.compile(r"[0-9A-Za-z][0-9A-Za-z.,:/+\-_]*|.", re.DOTALL)
STROKE = 0.028  # of the size: what makes a heading heavy without a second face
BASELINE = 0.14  # of the size: how far the middle of a character stands above half its height
# Characters' worth of space that a flush line may gain, or lose so that a closing sign still stands on it; a wider gap is left.
AT_MOST_STRETCHED, AT_MOST_SQUEEZED = 2.6, 1.01
SPACES = " 　"
FILLED: Final = 0
FILLED_AND_STROKED: Final = 2


class Align(StrEnum):
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"
    FLUSH = "flush"  # on both sides, but for the last line


@dataclass(frozen=True, slots=True)
class Style:
    """Points; ``indent`` is the first line's, ``left`` every line's. ``before`` and ``after`` are empty space."""

    size: float
    leading: float
    align: Align = Align.LEFT
    indent: float = 0
    left: float = 0
    before: float = 0
    after: float = 0
    heavy: bool = False
    colour: Color = black


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    width: float
    indent: float
    last: bool


class Text(Flowable):
    """A paragraph. ``lines`` when it is the part of one that stands on a page of its own."""

    def __init__(self, text: str, style: Style, lines: tuple[Line, ...] | None = None) -> None:
        super().__init__()
        characters()
        self._text, self._style = printable(text), style
        self._whole, self._broken_at = lines is None, 0.0
        self._lines: tuple[Line, ...] = lines or ()

    def wrap(self, available_width: float, _available_height: float) -> tuple[float, float]:
        style = self._style
        if self._whole and self._broken_at != available_width:  # the library asks often
            self._lines = broken(self._text, available_width - style.left, style)
            self._broken_at = available_width
        self.width = available_width
        self.height = style.before + style.leading * len(self._lines) + style.after
        return self.width, self.height

    def split(self, available_width: float, available_height: float) -> list[Flowable]:
        style = self._style
        self.wrap(available_width, available_height)
        fitting = int((available_height - style.before) // style.leading)
        if not 1 <= fitting < len(self._lines):
            return []
        first = Text("", replace(style, after=0), self._lines[:fitting])
        return [first, Text("", replace(style, before=0), self._lines[fitting:])]

    def draw(self) -> None:
        canvas: Canvas = self.canv
        style = self._style
        canvas.setFillColor(style.colour)
        canvas.setStrokeColor(style.colour)
        canvas.setLineWidth(style.size * STROKE)
        baseline = self.height - style.before - (style.leading + style.size) / 2 + style.size * BASELINE
        for line in self._lines:
            self._draw_line(canvas, line, baseline)
            baseline -= style.leading

    def _draw_line(self, canvas: Canvas, line: Line, baseline: float) -> None:
        style = self._style
        room = self.width - style.left - line.indent - line.width
        start = style.left + line.indent
        if style.align in (Align.CENTRE, Align.RIGHT):
            start += room / 2 if style.align is Align.CENTRE else room
        text = canvas.beginText(start, baseline)
        text.setFont(FACE, style.size)
        text.setTextRenderMode(FILLED_AND_STROKED if style.heavy else FILLED)
        text.setCharSpace(self._stretch(line, room))
        text.textOut(line.text)
        text.setCharSpace(0)
        text.setTextRenderMode(FILLED)
        canvas.drawText(text)

    def _stretch(self, line: Line, room: float) -> float:
        gaps = max(len(line.text) - 1, 1)
        if room < 0:
            return room / gaps
        flush = self._style.align is Align.FLUSH and not line.last
        return room / gaps if flush and room <= AT_MOST_STRETCHED * self._style.size else 0


def broken(text: str, width: float, style: Style) -> tuple[Line, ...]:
    """The lines that a text needs."""
    lines: list[Line] = []
    current, taken, indent = "", 0.0, style.indent
    for piece in _pieces(text, width - style.indent, style.size):
        wide = stringWidth(piece, FACE, style.size)
        room = width - indent + (AT_MOST_SQUEEZED * style.size if _squeezable(piece, style) else 0)
        if current and taken + wide > room:
            lines.append(_line(current, indent, style.size, last=False))
            current, taken, indent = "", 0.0, 0
            piece = piece.lstrip(SPACES)  # noqa: PLW2901
            wide = stringWidth(piece, FACE, style.size)
        current += piece
        taken += wide
    return (*lines, _line(current, indent, style.size, last=True))


def _squeezable(piece: str, style: Style) -> bool:
    return style.align is Align.FLUSH and piece[-1] in NO_BEGINNING


def _line(text: str, indent: float, size: float, *, last: bool) -> Line:
    kept = text.rstrip(SPACES)
    return Line(kept, stringWidth(kept, FACE, size), indent, last)


def _pieces(text: str, width: float, size: float) -> list[str]:
    """What isn't torn apart: a number, a character with the signs that must not stand without it. Too wide a piece is torn."""
    pieces: list[str] = []
    joined = False
    for token in WORD.findall(text):
        if pieces and (joined or token[0] in NO_BEGINNING):
            pieces[-1] += token
        else:
            pieces.append(token)
        joined = token in NO_END
    return [part for piece in pieces for part in _torn(piece, width, size)]


def _torn(piece: str, width: float, size: float) -> list[str]:
    return [piece] if stringWidth(piece, FACE, size) <= width else list(piece)
