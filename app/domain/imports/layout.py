"""Finding the header of a table that people have made: under titles and notes, over two rows, in their own words.

A header is recognised by the published titles, the aliases that offices use and, in files of other systems, by a profile's
headers. Only what is known to say nothing (units, 必填, asterisks) is left out of a comparison: 身份证号（户主） is not 身份证号.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Final, TypeAlias

from app.domain.errors import Malformed
from app.domain.imports.cells import Date
from app.domain.imports.cells.column import half_width
from app.domain.imports.model import Cell, Column, Kind

#: A row of a file: its number as a spreadsheet shows it, and its cells by position.
NumberedRow: TypeAlias = tuple[int, Sequence[Cell]]

SEARCHED_ROWS: Final = 30
_LEAST_MATCHES: Final = 2
_LONGEST_HEADER: Final = 200
_MARKS: Final = str.maketrans("", "", "*★●▲△※#\"'“”")
_NUMBERING: Final = re.compile(r"^(?:[0-9]{1,2}[.、)]|\([0-9]{1,2}\))")
_SAYS_NOTHING: Final = re.compile(
    r"""[(\[【〔{](?:
        元|人民币|人民币元|单位[:]?元|元/月|元/人|人|口|户|岁|年|月|日|年月日|年月|
        必填|必填项|选填|可选|可空|可不填|非必填|
        (?:共)?[0-9]+位(?:数|数字|以内)?|[0-9]+个?字(?:以内)?|文本|文本格式|数字|下拉|下拉选择|可多选|
        是[/、或,]?否|有[/、或,]?无|城镇[/、或,]?农村|农村[/、或,]?城镇|
        (?:格式|如|例|例如|示例|请|填|选择|注).*|Y{4}.*
    )[)\]】〕}]""",
    re.VERBOSE,
)


_NAMED: Final = 10
_LONGEST_NAMED: Final = 30


def listed(names: Collection[str], what: str = "列") -> str:
    """The first ten, shortened, and how many there are: a file may have as many as it likes, a message may not."""
    shown = [name if len(name) <= _LONGEST_NAMED else f"{name[:_LONGEST_NAMED]}…" for name in list(names)[:_NAMED]]
    return "、".join(shown) + (f" 等 {len(names)} {what}" if len(names) > _NAMED else "")


class HeaderFault(Malformed):
    """The table's header can't be used; ``detail`` says which columns are wanted."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns of a kind stand in a file; by position from 0. Rows up to ``header_row`` are not data."""

    header_row: int
    fields: tuple[str | None, ...]  # the kind's field of each position, None for columns that aren't known
    headers: tuple[str, ...]  # as written, line breaks as blanks
    date_1904: bool = False

    @property
    def unknown(self) -> tuple[str, ...]:
        """Headers that belong to no column of the kind: reported, not imported."""
        return tuple(header for header, field in zip(self.headers, self.fields, strict=True) if header and field is None)

    def missing(self, kind: Kind) -> tuple[str, ...]:
        """Titles of the kind's columns that the file doesn't have; all of them may be left out."""
        return tuple(column.title for column in kind.columns if column.name not in self.fields)

    def columns(self, kind: Kind) -> list[tuple[int, Column]]:
        """Position and column of all that is known, dates as this workbook counts them."""
        by_name = {column.name: column for column in kind.columns}
        found = [(place, by_name[field]) for place, field in enumerate(self.fields) if field is not None]
        return [(place, _from_1904(column)) for place, column in found] if self.date_1904 else found

    def as_json(self) -> dict[str, Any]:
        """For the record of an import; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Layout:
        """The layout that was put on record."""
        return cls(stored["header_row"], tuple(stored["fields"]), tuple(stored["headers"]), stored["date_1904"])


def _from_1904(column: Column) -> Column:
    return replace(column, cell=column.cell.in_1904_books()) if isinstance(column.cell, Date) else column


def find_layout(
    kind: Kind,
    first_rows: Sequence[NumberedRow],
    mapping: Mapping[str, str] | None = None,
    *,
    supplied: Collection[str] = (),
    date_1904: bool = False,
) -> Layout:
    """The header among the first rows, which should be all rows before row 40 or so.

    ``mapping``: headers of a foreign file → field names, looked up before our own; ``supplied``: fields that need no column
    because something else fills them. Raises `HeaderFault` when there is no header, a required column is missing, or a column
    stands there twice.
    """
    found = _best(_Words(kind, mapping or {}), first_rows)
    if found is None:
        theirs = {field: header for header, field in reversed([*(mapping or {}).items()])}
        needed = [column for column in kind.columns if column.required and column.name not in supplied] or kind.columns[:1]
        wanted = "、".join(theirs.get(column.name, column.title) for column in needed)
        raise HeaderFault("header_not_found", f"前 {SEARCHED_ROWS} 行里没有找到表头。表头应包括：{wanted}；可下载模板对照。")
    layout = Layout(found.last_row, tuple(found.fields), tuple(found.headers), date_1904)
    _refuse_repeated(kind, layout)
    _refuse_missing(kind, layout, supplied)
    return layout


def fits(kind: Kind, mapping: Mapping[str, str] | None = None) -> Callable[[Sequence[NumberedRow]], bool]:
    """Whether the first rows of a sheet hold a header of this kind: more than half of what is required."""
    words = _Words(kind, mapping or {})
    required = {column.name for column in kind.columns if column.required}

    def asked(first_rows: Sequence[NumberedRow]) -> bool:
        found = _best(words, first_rows)
        return found is not None and 2 * len(required & set(found.fields)) > len(required)

    return asked


def header_key(cell: Cell) -> str:
    """A header for comparing: half width, capitals, no blanks and line breaks, no asterisks and numbering."""
    if not isinstance(cell, str):
        return ""
    text = "".join(half_width(cell[:_LONGEST_HEADER]).split()).translate(_MARKS).upper()
    return _NUMBERING.sub("", text).rstrip(":")


def bare_key(key: str) -> str:
    """A header's key without remarks in brackets that say nothing about what the column holds."""
    return _SAYS_NOTHING.sub("", key)


class _Words:
    """The headers by which a kind's columns are known."""

    def __init__(self, kind: Kind, mapping: Mapping[str, str]) -> None:
        self._foreign = {header_key(header): field for header, field in mapping.items()}
        self._own: dict[str, str] = {}
        for column in kind.columns:
            for word in (column.title, *column.aliases, column.name):
                self._own.setdefault(header_key(word), column.name)
        for key, field in list(self._own.items()):
            self._own.setdefault(bare_key(key), field)
        self._mapped = set(mapping.values())

    def field_of(self, cell: Cell) -> str | None:
        """The field that a header names. Fields of a profile are known by the profile's headers alone."""
        key = header_key(cell)
        if not key:
            return None
        bare = bare_key(key)
        foreign = self._foreign.get(key) or self._foreign.get(bare)
        if foreign is not None:
            return foreign
        own = self._own.get(key) or self._own.get(bare)
        return None if own in self._mapped else own


@dataclass(slots=True)
class _Candidate:
    last_row: int
    headers: list[str]
    fields: list[str | None]

    @property
    def matches(self) -> int:
        return len(set(self.fields) - {None})


def _best(words: _Words, first_rows: Sequence[NumberedRow]) -> _Candidate | None:
    """The row, or the pair of rows, that names the most columns; the first of equals."""
    rows = [row for row in first_rows if row[0] <= SEARCHED_ROWS]
    singles = [_single(words, number, cells) for number, cells in rows]
    pairs = [pair for upper, lower in pairwise(singles) if (pair := _pair(upper, lower)) is not None]
    best = max([*singles, *pairs], key=lambda candidate: candidate.matches, default=None)
    return best if best is not None and best.matches >= _LEAST_MATCHES else None


def _single(words: _Words, number: int, cells: Sequence[Cell]) -> _Candidate:
    headers = [_shown(cell) for cell in cells]
    return _Candidate(number, headers, [words.field_of(cell) for cell in cells])


def _pair(upper: _Candidate, lower: _Candidate) -> _Candidate | None:
    """Two rows as one header: names merged downwards above, parts of a group below. None when the rows contradict each other."""
    if not upper.matches or not lower.matches:
        return None
    width = max(len(upper.fields), len(lower.fields))
    above, below = (_padded(one, width) for one in (upper, lower))
    fields: list[str | None] = []
    headers: list[str] = []
    for (high, high_text), (low, low_text) in zip(above, below, strict=True):
        if high is not None and low_text and low_text != high_text:
            return None  # something stands under a complete name: that is data
        fields.append(high or low)
        headers.append(high_text if high is not None else low_text or high_text)
    return _Candidate(lower.last_row, headers, fields)


def _padded(candidate: _Candidate, width: int) -> list[tuple[str | None, str]]:
    missing = width - len(candidate.fields)
    return [*zip(candidate.fields, candidate.headers, strict=True), *[(None, "")] * missing]


def _shown(cell: Cell) -> str:
    return "" if cell is None else " ".join(str(cell).split())[:_LONGEST_HEADER]


def _refuse_repeated(kind: Kind, layout: Layout) -> None:
    places: dict[str, list[int]] = {}
    for place, name in enumerate(layout.fields, start=1):
        if name is not None:
            places.setdefault(name, []).append(place)
    for name, found in places.items():
        if len(found) > 1:
            where = "、".join(map(str, found[:_NAMED])) + ("……" if len(found) > _NAMED else "")
            raise HeaderFault("header_repeated", f"“{kind.column(name).title}”在表头中重复（第 {where} 列），请只留一列。")


def _refuse_missing(kind: Kind, layout: Layout, supplied: Collection[str]) -> None:
    there = {*layout.fields, *supplied}
    missing = [column.title for column in kind.columns if column.required and column.name not in there]
    if missing:
        unknown = f"没有认出的列：{listed(layout.unknown)}。" if layout.unknown else ""
        raise HeaderFault(
            "header_columns_missing",
            f"第 {layout.header_row} 行的表头缺少必填列：{'、'.join(missing)}。请按模板补上，或改用模板的列名。{unknown}",
        )
