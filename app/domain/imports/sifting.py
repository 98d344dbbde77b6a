"""Telling the rows of a table that are data from those that people have put around them.

Empty rows, numbered rows that nobody filled in, headers repeated for printing, totals and signatures are no data. Everything else
is, however odd: its own cells will say what is wrong with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.imports.cells.column import half_width
from app.domain.imports.layout import Layout, NumberedRow, header_key
from app.domain.imports.model import Cell, Column, Kind, RowFault

_TOTALS: Final = re.compile(
    r"(?:本页|本表|本村|全部|全|共|以上)?(合计|总计|共计|小计|累计|总合计|合计数|总数|计|TOTAL|Total|total)(?:\(.{0,12}\))?[:]?(?:[0-9]+[户人].{0,20})?"
)
_PARTIAL: Final = ("小计", "累计")
_OFFICE: Final = (
    "填表|制表|审核|复核|审批|经办|单位负责|主要负责|负责|分管|主管|填报|上报|报送|编制|会计|出纳|打印|导出|统计|联系"
)
_ROLE: Final = "人|员|单位|日期|时间|部门|机构|负责人|领导|签字|签章|签名|盖章|电话|主任|意见"
_SIGNED: Final = re.compile(
    rf"(?:(?:{_OFFICE})(?:{_ROLE})?|(?:领导|村|社区|街道|乡镇)?(?:{_ROLE}))(?:\(.{{0,12}}\))?:.*", re.DOTALL
)
_REMARKS: Final = re.compile(
    r"(?:备注|说明|填表说明|填写说明|注|附注)[0-9]?[:.、].*|以下空白.*|\(?(?:盖章|公章|签章)\)?", re.DOTALL
)
_WATCHED: Final = frozenset(
    "合总小共本全以累计填制审复经负单主分主报上编会出打导统联领村社街乡备说注附（( \t\r\n\u3000以盖公签人员日时部机意电*＊★"
)
_EXTRA_CELLS: Final = RowFault(
    None, "too_many_cells", "该行的格数多于表头，后面的内容可能错位；含英文逗号的内容请加英文双引号，或删去多余的格。"
)
_MERGED_AMOUNT: Final = "该格与上面的行合并，不知道数额归哪一行；请取消合并后逐行填写。"


@dataclass(frozen=True, slots=True)
class Claim:
    """A totals row: what the file says its rows add up to. ``final`` is False for 小计 and 累计.

    ``amounts`` has, for each of the kind's ``totals`` that is filled in, the value as the column reads it; None when the cell
    can't be read.
    """

    row: int
    label: str
    amounts: Mapping[str, int | None]
    final: bool


class Sifter:
    """One pass over the rows of a file. ``claims``, ``skipped``, ``stray`` and ``faults`` grow while it runs.

    ``skipped`` counts rows that are no data by reason (empty, header, totals, note); ``stray`` holds positions without a header
    where something stands; ``faults`` are the rows with more cells than the header, and merged amounts.
    """

    def __init__(
        self,
        kind: Kind,
        layout: Layout,
        merged: Mapping[int, Sequence[tuple[int, int]]] | None = None,
        read: Callable[[str, Sequence[Cell]], Sequence[Cell]] | None = None,
    ) -> None:
        """``read`` translates the cells of a column, where a profile says how the file writes them."""
        self.claims: list[Claim] = []
        self.skipped: Counter[str] = Counter()
        self.stray: set[int] = set()
        self.faults: dict[int, RowFault] = {}
        self._kind = kind
        self._read = read
        self._layout = layout
        self._columns = layout.columns(kind)
        self._nameless = [place for place, header in enumerate(layout.headers) if not header]
        self._lead = self._leading()
        self._watched = _WATCHED | {layout.headers[self._lead][:1]}
        self._merges = _Merges(kind, layout, merged or {})

    def sift(self, rows: Iterable[NumberedRow]) -> Iterator[tuple[int, list[Cell]]]:
        """The rows of data, each with exactly as many cells as the header."""
        width, lead, watched, header_row = len(self._layout.fields), self._lead, self._watched, self._layout.header_row
        merges, nameless = self._merges, self._nameless
        for number, given in rows:
            if number <= header_row:
                continue
            cells = given if len(given) == width else self._fitted(number, given)
            if merges.there and merges.concern(number):
                cells = merges.filled(number, cells)
            first, head = cells[lead], cells[0]
            if not first or (type(first) is str and first[0] in watched) or (type(head) is str and head[:1] in watched):
                reason = self._no_data(number, cells)
                if reason is not None:
                    self.skipped[reason] += 1
                    self.faults.pop(number, None)
                    continue
            if merges.unclear:
                self.faults[number] = merges.unclear_fault()
            if nameless:
                self.stray.update(place for place in nameless if cells[place] not in (None, ""))
            yield number, cells  # type: ignore[misc]

    def _leading(self) -> int:
        """The position to look at first: the last one of what every row has and no totals row does."""
        key = self._kind.key
        places = [
            place
            for place, column in self._columns
            if (column.required or column.name in key) and _is_telling(column) and column.name not in self._kind.totals
        ]
        return max(places, default=self._columns[0][0])

    def _fitted(self, number: int, cells: Sequence[Cell]) -> list[Cell]:
        width = len(self._layout.fields)
        if len(cells) > width and any(cell not in (None, "") for cell in cells[width:]):
            self.faults[number] = _EXTRA_CELLS
        return [*cells[:width], *[None] * (width - len(cells))]

    def _no_data(self, number: int, cells: Sequence[Cell]) -> str | None:
        """Why a row is no data; None when it is."""
        filled = [(place, cell) for place, cell in enumerate(cells) if not _is_blank(cell)]
        if not any(self._layout.fields[place] is not None for place, _ in filled):
            texts = [half_width(cell) for _, cell in filled if isinstance(cell, str)]
            return "note" if any(_is_note(text) for text in texts) else "empty"
        if self._repeats_header(filled):
            return "header"
        place, first = next(((place, cell) for place, cell in filled if isinstance(cell, str)), filled[0])
        if not isinstance(first, str) or self._has_keys(cells, place):
            return None
        text = "".join(half_width(first).split())
        if totals := _TOTALS.fullmatch(text):
            self.claims.append(self._claim(number, totals[1], cells))
            return "totals"
        return "note" if _is_note(half_width(first)) else None

    def _repeats_header(self, filled: Sequence[tuple[int, Cell]]) -> bool:
        known = [(place, cell) for place, cell in filled if self._layout.fields[place] is not None]
        return len(known) > 1 and all(header_key(cell) == header_key(self._layout.headers[place]) for place, cell in known)

    def _has_keys(self, cells: Sequence[Cell], except_at: int) -> bool:
        """Whether a row says what it is about, apart from the cell that may be the word 合计 or a signature."""
        others = [(place, column) for place, column in self._columns if place != except_at]
        keys = [column.cell.parse([cells[place]])[0][0] for place, column in others if column.name in self._kind.key]
        if keys:
            return any(value is not None for value in keys)
        told = [not _is_blank(cells[place]) for place, column in others if column.required]
        return 2 * sum(told) > len(told)

    def _claim(self, number: int, label: str, cells: Sequence[Cell]) -> Claim:
        amounts: dict[str, int | None] = {}
        for place, column in self._columns:
            if column.name in self._kind.totals and not _is_blank(cells[place]):
                given = [cells[place]]
                values, _ = column.cell.parse(self._read(column.name, given) if self._read else given)
                amounts[column.name] = values[0]
        return Claim(number, label, amounts, final=label not in _PARTIAL)


class _Merges:
    """Cells merged downwards: words hold for every row they span, amounts can't be divided among them."""

    def __init__(self, kind: Kind, layout: Layout, merged: Mapping[int, Sequence[tuple[int, int]]]) -> None:
        columns = dict(layout.columns(kind))
        self._merged = {
            number: [(place, top) for place, top in cells if place in columns and top > layout.header_row]
            for number, cells in merged.items()
        }
        self._tops = {top for cells in self._merged.values() for _, top in cells}
        self.there = bool(self._tops)
        self._counted = {place for place, column in columns.items() if not _is_telling(column)}
        self._titles = {place: column.title for place, column in columns.items()}
        self._above: dict[int, Sequence[Cell]] = {}
        self.unclear: set[int] = set()

    def concern(self, number: int) -> bool:
        """Whether a row takes part in a merge."""
        self.unclear = set()
        return number in self._tops or number in self._merged

    def filled(self, number: int, cells: Sequence[Cell]) -> list[Cell]:
        """The row with what is merged into it from above."""
        filled = list(cells)
        for place, top in self._merged.get(number, ()):
            value = self._above[top][place] if top in self._above else None
            if place in self._counted:
                self.unclear |= {place} if not _is_blank(value) else set()
            else:
                filled[place] = value
        if number in self._tops:
            self._above[number] = filled
        return filled

    def unclear_fault(self) -> RowFault:
        """The fault of a row that shares a merged amount."""
        return RowFault(self._titles[min(self.unclear)], "cell_merged", _MERGED_AMOUNT)


def _is_telling(column: Column) -> bool:
    """Whether a cell says what its row is about; an amount may as well be a sum."""
    return bool(getattr(column.cell, "fills_down", True))


def _is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _is_note(text: str) -> bool:
    bare = "".join(text.split())
    return bool(_SIGNED.fullmatch(bare) or _REMARKS.fullmatch(bare))
