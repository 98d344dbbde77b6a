"""Text tables (CSV, tabs, semicolons), streamed: memory doesn't grow with the file.

A quote that is opened and not closed would swallow the rows after it. Such a record is given up: its first line alone becomes a
faulty row, and reading goes on with the next line, so that every other row is still read.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from statistics import median
from typing import BinaryIO, Final

from app.domain.imports.formulas import plain_texts
from app.domain.imports.model import Cell, RowFault
from app.sheets.encoding import decoded, encoding_of
from app.sheets.model import Fits, Merged, SheetFacts, SheetFault

_DELIMITERS: Final = ",\t;|"
_NOTHING: Final = ' \t\r\n"\ufeff\u3000' + _DELIMITERS
_LOOK_AHEAD: Final = 1 << 16
_HEAD_LINES: Final = 40
_LONGEST_LINE: Final = 1 << 22  # without any line break it is no table
_RECORD_LINES: Final = 300  # a cell with more line breaks is an unclosed quote
_TELLING_CELLS: Final = 4
_UNBALANCED: Final = RowFault(None, "quotes_unbalanced", "该行的引号不成对；请补全或删去多余的英文双引号，再导入。")


class _Runaway(Exception):
    """A record that goes on and on: its quote was never closed."""


class DelimitedSheet:
    """A text table. ``rows`` may be called once."""

    def __init__(self, source: BinaryIO, fits: Fits | None = None) -> None:
        self._source = source
        self._codec = encoding_of(source)
        beginning = next(decoded(source, self._codec), "")
        if not beginning.strip(_NOTHING):
            raise SheetFault("file_empty", "文件没有内容，请核对是否选错文件或没有保存。")
        self._delimiter = _delimiter_of(beginning, fits)
        self._apostrophes = False
        self.faults: dict[int, RowFault] = {}
        self.merged: Merged = {}
        self.facts = SheetFacts("csv", encoding=_published(self._codec), delimiter=self._delimiter)

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """Every record by number, from 1."""
        number = 0
        feed = _Feed(self._lines())
        while not feed.exhausted:
            try:
                for record in csv.reader(feed, delimiter=self._delimiter, strict=True):
                    number += 1
                    if len(feed.taken) > 1 and _swallowed(record, self._delimiter):
                        self.faults[number] = _UNBALANCED
                    feed.taken.clear()
                    yield number, plain_texts(record) if self._apostrophes else record  # type: ignore[misc]
            except (csv.Error, _Runaway):
                number += 1
                line = feed.give_up_record().rstrip("\r\n")
                if '"' in line:  # otherwise a cell was too long for the reader, which its column says
                    self.faults[number] = _UNBALANCED
                cells: list[Cell] = [*line.split(self._delimiter)]
                yield number, cells

    def _lines(self) -> Iterator[str]:
        """Physical lines with their ends, whichever of the three kinds they are."""
        rest = ""
        for text in decoded(self._source, self._codec):
            self._apostrophes = self._apostrophes or "'" in text
            lines = io.StringIO(rest + text, newline="").readlines()
            rest = "" if lines[-1].endswith("\n") else lines.pop()  # a lone \r may be half of \r\n
            if len(rest) > _LONGEST_LINE:
                raise SheetFault("line_too_long", "文件中有一行长达数百万字而没有换行，不是表格；请核对是否选错文件。")
            yield from lines
        if rest:
            yield rest


class _Feed:
    """Lines for a csv reader, with a way back: ``taken`` holds those of the record being read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.exhausted = False

    def __iter__(self) -> Iterator[str]:
        taken, again = self.taken, self._again
        while True:
            line = again.popleft() if again else next(self._lines, None)
            if line is None:
                self.exhausted = True
                return
            taken.append(line)
            if len(taken) > _RECORD_LINES:
                raise _Runaway
            yield line

    def give_up_record(self) -> str:
        """The first line of the record that failed; the others will be read again."""
        first, *others = self.taken
        self._again.extendleft(reversed(others))
        self.taken.clear()
        self.exhausted = False
        return first


def _swallowed(record: list[str], delimiter: str) -> bool:
    """Whether two stray quotes, one below the other, have made one cell of what lies between them: a row's worth of cells."""
    between = len(record) - 1
    return between >= _TELLING_CELLS and any("\n" in cell and cell.count(delimiter) >= between for cell in record)


def _delimiter_of(text: str, fits: Fits | None) -> str:
    """The one under which the header appears; else the one that makes the most columns; a comma when nothing is clearer."""
    lines = io.StringIO(text[:_LOOK_AHEAD], newline="").readlines()[:_HEAD_LINES]
    if lines and lines[0].lower().startswith("sep=") and len(lines[0].strip()) == len("sep=;"):
        return lines[0][4]
    heads = {delimiter: _head(lines, delimiter) for delimiter in _DELIMITERS}
    ranked = sorted(_DELIMITERS, key=lambda delimiter: -_columns(heads[delimiter]))
    return next((delimiter for delimiter in ranked if fits is not None and fits(heads[delimiter])), ranked[0])


def _head(lines: Iterable[str], delimiter: str) -> list[tuple[int, list[Cell]]]:
    head: list[tuple[int, list[Cell]]] = []
    with suppress(csv.Error):
        head.extend((number, [*record]) for number, record in enumerate(csv.reader(lines, delimiter=delimiter), start=1))
    return head


def _columns(head: Sequence[tuple[int, Sequence[Cell]]]) -> float:
    counts = [len(record) for _, record in head if len(record) > 1]
    return median(counts) * len(counts) if counts else 0


def _published(codec: str) -> str:
    return {"utf-8-sig": "UTF-8（带 BOM）", "utf-8": "UTF-8", "gb18030": "GB18030", "utf-16": "UTF-16"}[codec]
