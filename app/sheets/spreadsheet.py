"""XLSX workbooks: values only, visible sheets only."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO, Final, TypeVar

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from app.domain.imports.model import Cell, RowFault
from app.sheets.extents import Extent, extent_of
from app.sheets.model import HEAD_ROWS, Fits, Merged, SheetFacts, SheetFault, SheetLimits
from app.sheets.packages import DAMAGED, Package, SheetPart, open_package

_EXACT: Final = 10**15  # a spreadsheet shows fifteen digits; what lies beyond is the binary number's noise
_SAVE: Final = "另存为“CSV UTF-8”后再导入"
_AS_CSV: Final = f"请拆分为几个文件，或{_SAVE}（CSV 没有行数限制）。"
Loaded = TypeVar("Loaded")
_MOST_MERGED: Final = 1_000_000
_PANIC: Final = "PanicException"


class SpreadsheetSheet:
    """One worksheet of a workbook. ``rows`` may be called once."""

    def __init__(self, loaded: CalamineSheet, extent: Extent, facts: SheetFacts) -> None:
        self.facts = facts
        self.faults: dict[int, RowFault] = {}
        self._loaded = loaded
        self._broken = extent.broken
        self._first_column = (loaded.start or (0, 0))[1]
        self.merged = _merged(loaded)

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """Every row by its number in the sheet, from 1; positions count from column A."""
        lead: list[Cell] = [None] * self._first_column
        for number, row in enumerate(self._loaded.iter_rows(), start=1):
            cells = [cell if type(cell) is str else _cell(cell) for cell in row]
            if lead:
                cells = lead + cells
            if number in self._broken:
                _show_broken(cells, self._broken[number])
            yield number, cells


def _cell(cell: Any) -> Cell:
    """Numbers as a spreadsheet shows them: fifteen digits, exact."""
    if isinstance(cell, bool | date):
        return cell
    if isinstance(cell, float):
        if not math.isfinite(cell):
            return "#NUM!"
        return int(cell) if cell.is_integer() and abs(cell) < _EXACT else Decimal(format(cell, ".15g"))
    if isinstance(cell, time | timedelta):
        return str(cell)
    return cell if isinstance(cell, int) else str(cell)


def _show_broken(cells: list[Cell], broken: dict[int, str]) -> None:
    missing = max(broken) + 1 - len(cells)
    cells += [None] * missing
    for place, shown in broken.items():
        cells[place] = shown


def _merged(loaded: CalamineSheet) -> Merged:
    """Cells below the first of a vertical merge, by row number."""
    merged: Merged = {}
    last, count = loaded.total_height, 0
    for (top, left), (bottom, _) in loaded.merged_cell_ranges or ():
        rows = range(top + 1, min(bottom, last) + 1)
        count += len(rows)
        if count > _MOST_MERGED:
            raise SheetFault("file_damaged", DAMAGED)  # merges can't overlap, so that many can't be
        for row in rows:
            merged.setdefault(row + 1, []).append((left, top + 1))
    return merged


def open_workbook(source: BinaryIO, limits: SheetLimits, fits: Fits | None) -> SpreadsheetSheet:
    """The sheet to read (see `open_sheet`). Raises SheetFault."""
    source.seek(0)
    content = source.read(limits.package_bytes + 1)
    if len(content) > limits.package_bytes:
        raise SheetFault("file_too_large", f"工作簿超过 {limits.package_bytes >> 20} MB；{_AS_CSV}")
    package = open_package(io.BytesIO(content), limits)
    visible = [part for part in package.sheets if part.visible]
    filled = [(part, extent) for part in visible if (extent := _extent(package, part, limits)).last_row]
    if not filled:
        hidden = "只有隐藏的工作表里有内容；请取消隐藏后再导入。" if len(visible) < len(package.sheets) else ""
        raise SheetFault("file_empty", hidden or "工作簿里没有内容，请核对是否选错文件或没有保存。")
    workbook = _loaded(content)
    part, extent = filled[0] if fits is None or len(filled) == 1 else _fitting(workbook, filled, fits)
    facts = SheetFacts(
        "xlsx",
        sheet=part.name,
        other_sheets=tuple(other.name for other, _ in filled if other is not part),
        hidden_sheets=tuple(other.name for other in package.sheets if not other.visible),
        date_1904=package.date_1904,
    )
    return SpreadsheetSheet(_sheet(workbook, part), extent, facts)


def _extent(package: Package, part: SheetPart, limits: SheetLimits) -> Extent:
    extent = extent_of(lambda: package.chunks(part.path), limits)
    if extent.last_row > limits.xlsx_rows:
        raise SheetFault(
            "sheet_too_long", f"工作表“{part.name}”有 {extent.last_row} 行，.xlsx 最多读 {limits.xlsx_rows} 行；{_AS_CSV}"
        )
    if not extent.within(limits):
        raise SheetFault(
            "sheet_too_wide",
            f"工作表“{part.name}”的内容一直到第 {extent.last_column} 列，过大；请删去表格右侧多余的内容，或{_SAVE}。",
        )
    return extent


def _fitting(workbook: CalamineWorkbook, filled: Sequence[tuple[SheetPart, Extent]], fits: Fits) -> tuple[SheetPart, Extent]:
    """The only sheet with the header looked for, or the first sheet when none has it."""
    found = [(part, extent) for part, extent in filled if fits(_head(workbook, part, extent))]
    if len(found) > 1:
        names = "、".join(f"“{part.name}”" for part, _ in found)
        raise SheetFault("several_sheets", f"工作表{names}都有可导入的表头；请只留一张，或把其余的隐藏，或分成几个文件导入。")
    return found[0] if found else filled[0]


def _head(workbook: CalamineWorkbook, part: SheetPart, extent: Extent) -> list[tuple[int, list[Cell]]]:
    return list(islice(SpreadsheetSheet(_sheet(workbook, part), extent, SheetFacts("xlsx")).rows(), HEAD_ROWS))


def _loaded(content: bytes) -> CalamineWorkbook:
    return _guarded(lambda: CalamineWorkbook.from_filelike(io.BytesIO(content)))


def _sheet(workbook: CalamineWorkbook, part: SheetPart) -> CalamineSheet:
    return _guarded(lambda: workbook.get_sheet_by_name(part.name))


def _guarded(load: Callable[[], Loaded]) -> Loaded:
    """What the reading library says of damaged files comes as several kinds; its panics aren't even an Exception."""
    try:
        return load()
    except (CalamineError, OSError, ValueError) as wrong:
        raise SheetFault("file_damaged", DAMAGED) from wrong
    except BaseException as wrong:
        if type(wrong).__name__ != _PANIC:
            raise
        raise SheetFault("file_damaged", DAMAGED) from wrong
