"""Progress on a terminal as a bar, elsewhere as plain lines; and tables whose Chinese lines up."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from typing import TextIO

BAR_CELLS = 30
LINE_EVERY = 10  # per cent


class Progress:
    """One line that is written over and over, or one line for every tenth."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._bar = self._stream.isatty()
        self._said: tuple[str, int] = ("", -LINE_EVERY)
        self._open = False

    def show(self, title: str, share: float, text: str = "") -> None:
        """``share`` from 0 to 1."""
        percent = int(min(max(share, 0.0), 1.0) * 100)
        if self._bar:
            done = BAR_CELLS * percent // 100
            line = f"{title} [{'█' * done}{'·' * (BAR_CELLS - done)}] {percent:3d}%  {text}"
            self._stream.write(f"\r\x1b[2K{line}")
            self._open = True
        elif title != self._said[0] or percent >= self._said[1] + LINE_EVERY:
            self._stream.write(f"{title} {percent}%  {text}".rstrip() + "\n")
            self._said = (title, percent // LINE_EVERY * LINE_EVERY)
        self._stream.flush()

    def say(self, text: str) -> None:
        self.end()
        self._stream.write(text + "\n")
        self._stream.flush()

    def end(self) -> None:
        """Leaves the line that is being written over."""
        if self._open:
            self._stream.write("\n")
            self._open = False


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side; the last one may be as long as it likes."""
    widths = [max(map(width, column)) for column in zip(heading, *rows, strict=True)]
    lines = [heading, ["-" * found for found in widths], *rows]
    return "\n".join("  ".join(_padded(cell, to) for cell, to in zip(line, widths, strict=True)).rstrip() for line in lines)


def _padded(text: str, to: int) -> str:
    return text + " " * (to - width(text))


def width(text: str) -> int:
    """In cells of a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
