"""Reading an uploaded file: some thousand rows at a time, in a thread of its own, checked and sealed for staging."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any, BinaryIO

from app.db.import_writers.row_digests import RowDigests
from app.db.repositories.import_parts import PartSeals, StagedPart, rejections
from app.domain.errors import Malformed
from app.domain.imports.exporting import INSTRUCTIONS, is_export
from app.domain.imports.header import Layout, Sifter, find_layout, fits, listed
from app.domain.imports.model import Block, Kind, Verdicts
from app.domain.imports.profiles import Profile
from app.domain.imports.reading import Plan, RawRow, WholeFile, parse_block
from app.domain.imports.scattered_setwise import Scattered
from app.sheets import Sheet, open_sheet

PART_ROWS = 5_000
#: After the first part the tables that it filled are looked at (`app.db.statistics`), so that the others find their way.
FIRST_PART_ROWS = 500
MOST_MORE_ROWS = 500  # of rows that belong together
ROWS_TO_FIND_THE_HEADER = 40
OUR_OWN = ("行号", "错误原因")  # of the file of rejected rows, which comes back corrected
SKIPPED = {"header": "重复的表头", "totals": "合计", "note": "说明或签字"}


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file whose header has been found; its data rows are still to come."""

    sheet: Sheet
    layout: Layout
    sifter: Sifter
    rows: Iterator[RawRow]
    is_export: bool  # of ours, which may be empty


def open_file(source: BinaryIO, name: str, kind: Kind, profile: Profile | None) -> OpenFile:
    """Finds out what the file is and which column is which. Raises SheetFault, HeaderFault."""
    mapping = profile.headers() if profile else None
    sheet = open_sheet(source, name, fits=fits(kind, mapping))
    rows = sheet.rows()
    first = list(islice(rows, ROWS_TO_FIND_THE_HEADER))
    supplied = profile.fixed if profile else ()
    layout = find_layout(kind, first, mapping, supplied=supplied, date_1904=sheet.facts.date_1904)
    sifter = Sifter(kind, layout, sheet.merged, profile.read if profile else None)
    return OpenFile(sheet, layout, sifter, iter(sifter.sift(chain(first, rows))), is_export(first))


class Cutter:
    """Cuts rows into parts, between those that belong together (the members of a household), as long as they stand together."""

    def __init__(self, rows: Iterator[RawRow], together: int | None) -> None:
        self._rows = rows
        self._together = together
        self._held: list[RawRow] = []
        self._part_rows = min(FIRST_PART_ROWS, PART_ROWS)

    def next(self) -> list[RawRow]:
        rows = [*self._held, *islice(self._rows, self._part_rows - len(self._held))]
        self._held, self._part_rows = [], PART_ROWS
        if self._together is None or not rows:
            return rows
        last = rows[-1][1][self._together]
        for row in islice(self._rows, MOST_MORE_ROWS):
            if row[1][self._together] != last:
                self._held = [row]
                break
            rows.append(row)
        return rows


class FileReading:
    """The data rows of an open file as parts, and at the end what is wrong with it as a whole."""

    def __init__(
        self, file: OpenFile, plan: Plan, seals: PartSeals, digests_of: Callable[[Block], RowDigests] | None = None
    ) -> None:
        """``digests_of``: for kinds whose rows are known by digests."""
        self._file = file
        self._plan = plan
        self._seals = seals
        self._digests_of = digests_of
        self._whole = WholeFile(plan)
        self._first_rows: list[int] = []
        self._last_row = 0
        places = {column.name: place for place, column in plan.positions.columns(plan.kind)}
        self._cutter = Cutter(file.rows, places.get(plan.kind.together) if plan.kind.together else None)

    @property
    def rows(self) -> int:
        return self._whole.rows

    def next_part(self) -> StagedPart | None:
        """The next rows, checked each by itself; None after the last."""
        rows = self._cutter.next()
        if not rows:
            return None
        block, verdicts = parse_block(self._plan, rows)
        self._add_unreadable(rows, verdicts)
        self._whole.add(block, verdicts)
        number = len(self._first_rows)
        self._first_rows.append(rows[0][0])
        self._last_row = rows[-1][0]
        rejected = rejections(rows, verdicts)
        return StagedPart(
            number=number,
            first_row=rows[0][0],
            rows=len(rows),
            rejected=len(rejected),
            rows_sealed=self._seals.seal_rows(number, rows),
            rejected_sealed=self._seals.seal_rejected(number, rejected),
            digests=self._digests_of(block.without(verdicts)).pack() if self._digests_of else None,
        )

    def _add_unreadable(self, rows: Sequence[RawRow], verdicts: Verdicts) -> None:
        """What the readers themselves found wrong with a row."""
        for faults in (self._file.sheet.faults, self._file.sifter.faults):
            if faults:
                for number, _ in rows:
                    if number in faults:
                        verdicts.setdefault(number, []).append(faults[number])

    def end(self) -> dict[int, Verdicts]:
        """What holds between rows, by the part that the rows are in. Raises Malformed for a file without rows."""
        if not self.rows and not self._file.is_export:
            raise Malformed("no_data_rows", "文件只有表头，没有数据行；请核对是否选错了文件或工作表。")
        found: dict[int, Verdicts] = defaultdict(dict)
        for number, faults in self._whole.verdicts().items():
            found[bisect_right(self._first_rows, number) - 1][number] = faults
        return found

    @cached_property
    def scattered(self) -> Scattered | None:
        """After the end: rows that belong together and have come into several parts."""
        return self._whole.scattered(self._first_rows)

    @property
    def behind(self) -> int:
        """A row number beyond the last one."""
        return self._last_row + 1

    def layout(self) -> dict[str, Any]:
        """Kept with the import: what applying and people need to know of the file."""
        return {
            "columns": self._file.layout.as_json(),
            "file": self._file.sheet.facts.as_json(),
            "gathered": bool(self.scattered),
        }

    def notices(self) -> list[dict[str, Any]]:
        """About the file as a whole, after the end: nothing is silently dropped."""
        return [*self._unread_columns(), *self._unread_sheets(), *self._skipped_rows(), *self._differing_totals()]

    def _unread_columns(self) -> Iterator[dict[str, Any]]:
        expected = {*OUR_OWN, *(self._plan.profile.only_written() if self._plan.profile else ())}
        unknown = [header for header in self._file.layout.unknown if header not in expected]
        if unknown:
            yield _notice("column_unknown", f"不认识的列，未导入：{listed(unknown)}。如需导入，请按模板更正列名。")
        if self._file.sifter.stray:
            places = listed([f"第 {place + 1} 列" for place in sorted(self._file.sifter.stray)])
            yield _notice("column_unknown", f"没有列名的列里有内容，未导入：{places}。如需导入，请补上列名。")

    def _unread_sheets(self) -> Iterator[dict[str, Any]]:
        facts = self._file.sheet.facts
        if others := [name for name in facts.other_sheets if name != INSTRUCTIONS]:
            unread = listed(others, "张")
            yield _notice("sheets_unread", f"只读取了工作表“{facts.sheet}”，未读取：{unread}。如需导入，请分别存为文件。")
        if facts.hidden_sheets:
            hidden = listed(facts.hidden_sheets, "张")
            yield _notice("sheets_unread", f"隐藏的工作表不读取：{hidden}。如需导入，请取消隐藏，并另存为单独的文件。")

    def _skipped_rows(self) -> Iterator[dict[str, Any]]:
        for reason, count in self._file.sifter.skipped.items():
            if reason in SKIPPED:
                yield _notice("rows_skipped", f"跳过 {count} 行（{SKIPPED[reason]}），不是数据。")

    def _differing_totals(self) -> Iterator[dict[str, Any]]:
        for claim in self._file.sifter.claims:
            for name, claimed in claim.amounts.items():
                found = self._whole.sums.get(name)
                if claim.final and None not in (found, claimed) and found != claimed:
                    title = self._plan.kind.column(name).title
                    sums = f"第 {claim.row} 行写的是 {self._said(name, claimed)}，各行之和是 {self._said(name, found)}"
                    yield _notice("totals_differ", f"“{title}”的合计不符：{sums}，请核对有无漏行。")

    def _said(self, name: str, value: int | None) -> str:
        return self._plan.kind.column(name).cell.write(value)


def _notice(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message}


def merged(seals: PartSeals, verdicts: Verdicts, part: StagedPart) -> dict[str, Any]:
    """A part's columns after more has been found wrong with its rows."""
    rejected = rejections(seals.open_rows(part), verdicts, seals.open_rejected(part))
    return {"rejected": len(rejected), "rejected_sealed": seals.seal_rejected(part.number, rejected)}
