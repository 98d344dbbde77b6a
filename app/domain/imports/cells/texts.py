"""Plain text and names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar, Final

from app.domain.identity import find_name_fault
from app.domain.imports.cells.column import DIGITS_LOST, ColumnReader, exact_digits, looks_scientific, refuse_date
from app.domain.imports.model import CellFault

_LINE_BREAKS: Final = re.compile(r"[\t\r\n\v\f\u0085\u2028\u2029]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_LOST: Final = "\ufffd"  # what other programs leave where they couldn't read a character


class Text(ColumnReader):
    """Text as written, without blanks around; a line break inside becomes a blank. Numbers are taken as their digits."""

    marks_are_blank: ClassVar[bool] = False
    longest: ClassVar[int] = 1 << 20  # each column has its own limit

    def __init__(self, max_length: int = 200) -> None:
        self._max_length = max_length

    def quick(self, texts: Iterable[str]) -> dict[Any, Any]:
        """Short enough, nothing invisible, no blanks around, none of the marks that need a closer look."""
        longest = self._max_length
        return {
            text: text
            for text in texts
            if text.isprintable()
            and len(text) <= longest
            and text[0] not in " #='"
            and text[-1] != " "
            and not ("+" in text or "＋" in text or _LOST in text)  # may be 3.50702E+17
        }

    def read(self, cell: Any) -> str | None:
        text = cell if isinstance(cell, str) else _number_text(cell)
        text = _LINE_BREAKS.sub(" ", text).strip()
        if _CONTROL.search(text) or _LOST in text:
            raise CellFault("text_characters", "含有无法识别或不可见的控制字符，请删除后重新填写。")
        if looks_scientific(text):
            raise CellFault("digits_lost", DIGITS_LOST)
        if len(text) > self._max_length:
            raise CellFault(
                "text_too_long", f"内容超过 {self._max_length} 个字，请缩短；若混入了其他行的内容，请检查引号是否成对。"
            )
        return text or None


def _number_text(cell: object) -> str:
    refuse_date(cell)
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, Decimal) and cell != cell.to_integral_value():
        return format(cell.normalize(), "f")
    digits = exact_digits(cell)
    if digits is None:
        raise CellFault("digits_lost", DIGITS_LOST)
    return digits


class Name(Text):
    """A name, kept as written; neither blank nor masked. ``of_one_person``: not of a body."""

    def __init__(self, max_length: int = 100, *, of_one_person: bool = True) -> None:
        super().__init__(max_length)
        self._of_one_person = of_one_person

    def quick(self, texts: Iterable[str]) -> dict[Any, Any]:
        """Letters only."""
        longest = self._max_length
        return {text: text for text in texts if text.isalpha() and len(text) <= longest}

    def read(self, cell: Any) -> str | None:
        if not isinstance(cell, str):
            raise CellFault("name_wrong", "姓名应为文字，不能是数值或日期，请核对是否填错列。")
        text = super().read(cell)
        fault = None if text is None else find_name_fault(text, of_one_person=self._of_one_person)
        if fault is not None:
            raise CellFault("name_wrong", fault)
        return text
