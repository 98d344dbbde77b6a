"""What all cells have in common: a column is read once per distinct content, and what a spreadsheet has spoilt is found out."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final

from app.domain.imports.model import Cell, CellFault

_HALF_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0xA0: " "}
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u202d\u2060\ufeff"))
_NARROW: Final = _HALF_WIDTH | _INVISIBLE
_SCIENTIFIC: Final = re.compile(r"[+-]?[0-9](\.[0-9]+)?[Ee]\+[0-9]{1,3}")
_BROKEN: Final = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!|CALC!|#+)")
_FORCED_TEXT: Final = re.compile(r"'[0-9]{5,19}[Xx]?")
#: What the XLSX reader puts where a formula was saved without its result.
NOT_CALCULATED: Final = "#公式未计算!"
#: What a profile puts where a column in fen holds something else.
NOT_FEN: Final = "#不是整数分!"
_BLANK_MARKS: Final = frozenset({"-", "--", "—", "——", "/", "\\", "无", "NULL", "null", "N/A", "n/a", "空"})
_EXACT_DIGITS: Final = 15  # a spreadsheet keeps no more in a number
_LIKE_NUMBERS: Final = {bool, int, Decimal}  # equal across types: 1, True and Decimal(1) must not share an entry
_TEXT_OR_NOTHING: Final = {str, type(None)}

DIGITS_LOST: Final = "表格软件已把该号码改成数值，末几位已经丢失；请把该列设为文本后重新填写。"


class ColumnReader(ABC):
    """Base of the cell types: ``read`` says what one cell means."""

    #: Whether a dash, a slash or 无 stands for an empty cell.
    marks_are_blank: ClassVar[bool] = True
    #: Longer text can't be such content; it is not even looked at.
    longest: ClassVar[int] = 120
    #: Whether a cell merged downwards holds for each of its rows; an amount might belong to any one of them.
    fills_down: ClassVar[bool] = True

    @abstractmethod
    def read(self, cell: Any) -> Any:
        """The value of one cell that is neither None nor the empty text; None when it only looks filled. Raises CellFault."""

    def write(self, value: Any) -> str:
        """Most values are their own text."""
        return str(value)

    def quick(self, texts: Iterable[str]) -> dict[Any, Any]:  # noqa: ARG002 - for those that know a short way
        """The values of those among ``texts`` that are in perfect order; the others go through `read`."""
        return {}

    def parse(self, cells: Sequence[Cell]) -> tuple[list[Any], dict[int, CellFault]]:
        """As the protocol has it: values by position, faults by position."""
        types = set(map(type, cells))
        if len(types & _LIKE_NUMBERS) > 1:
            return self._parse_each(cells)
        distinct: set[Any] = set(cells)
        distinct -= {None, ""}
        if not distinct:
            return [None] * len(cells), {}
        values, faults = self._read_distinct(distinct, only_text=types <= _TEXT_OR_NOTHING)
        values[None] = values[""] = None
        if not faults:
            return list(map(values.__getitem__, cells)), {}
        return list(map(values.get, cells)), {place: faults[cell] for place, cell in enumerate(cells) if cell in faults}

    def _read_distinct(self, cells: set[Any], *, only_text: bool) -> tuple[dict[Any, Any], dict[Any, CellFault]]:
        """Values and faults by content."""
        values = self.quick(cells if only_text else [cell for cell in cells if type(cell) is str])
        faults: dict[Any, CellFault] = {}
        for cell in cells.difference(values) if len(values) < len(cells) else ():
            try:
                values[cell] = self._read(cell)
            except CellFault as fault:
                faults[cell] = fault
        return values, faults

    def _parse_each(self, cells: Sequence[Cell]) -> tuple[list[Any], dict[int, CellFault]]:
        values: list[Any] = []
        faults: dict[int, CellFault] = {}
        for place, cell in enumerate(cells):
            value = None
            if cell is not None and cell != "":
                try:
                    value = self._read(cell)
                except CellFault as fault:
                    faults[place] = fault
            values.append(value)
        return values, faults

    def _read(self, cell: Any) -> Any:
        if not isinstance(cell, str):
            return self.read(cell)
        text = unwrapped(cell)
        if not text or (self.marks_are_blank and text in _BLANK_MARKS):
            return None
        refuse_broken(text)
        if len(text) > self.longest:
            raise CellFault("text_too_long", "内容过长，不像是这一列的内容；请核对是否填错列，或引号是否成对。")
        return self.read(text)


def unwrapped(text: str) -> str:
    """Without blanks around, and without the two tricks that keep a spreadsheet from changing a number: ="…" and a leading '."""
    text = text.strip().strip("\ufeff\u200b").strip()
    if text[:2] == '="' and text[-1] == '"' and len(text) > 2:  # noqa: PLR2004 - the mark itself
        text = text[2:-1].strip()
    return text[1:] if _FORCED_TEXT.fullmatch(text) else text


def half_width(text: str) -> str:
    """Half-width characters, nothing invisible, no blanks around; blanks inside stay."""
    return text if text.isascii() else text.translate(_NARROW).strip()


def refuse_broken(text: str) -> None:
    """A formula's error, or a number shown as #### because its column was too narrow, is no content."""
    if text[0] != "#":
        return
    if text == NOT_CALCULATED:
        raise CellFault("cell_not_calculated", "该格是公式，文件里没有计算结果；请用 Excel 或 WPS 打开、保存后再导入。")
    if text == NOT_FEN:
        raise CellFault("amount_format", "这一列以分为单位，请填写整数，例如 62000（即 620 元）；不要带单位和小数。")
    if _BROKEN.fullmatch(text):
        raise CellFault("cell_broken", "该格是公式错误，或因列宽不足显示为 #；请改正公式或加宽该列后重新保存。")


def looks_scientific(text: str) -> bool:
    """Whether a spreadsheet has turned a long number into the form 3.50702E+17."""
    return _SCIENTIFIC.fullmatch(half_width(text)) is not None


def exact_digits(cell: object) -> str | None:
    """The digits of a numeric cell that is whole and not negative; None when a spreadsheet has lost some."""
    if isinstance(cell, bool) or not isinstance(cell, int) or cell < 0:
        return None
    text = str(cell)
    return text if len(text) <= _EXACT_DIGITS else None


def refuse_date(cell: object) -> None:
    """A date where text belongs: typed as 2026-1 or 1/2, changed by the spreadsheet."""
    if isinstance(cell, date):
        raise CellFault("cell_became_date", "表格软件已把该格改成日期；请把该列设为文本后重新填写。")
