"""Money in yuan, whole numbers and rates. Exact throughout; nothing is rounded on the way in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar, Final

from app.domain.imports.cells.column import ColumnReader, half_width
from app.domain.imports.model import CellFault
from app.domain.money import FEN_PER_YUAN, yuan_text

_NUMBER: Final = re.compile(r"(-?)([0-9]{1,3}(?:[, ][0-9]{3})+|[0-9]{1,15})(?:\.([0-9]{1,15}))?")
_PLAIN: Final = re.compile(r"[0-9]{1,9}").fullmatch
_PLAIN_WITH_FEN: Final = re.compile(r"[0-9]{1,9}\.[0-9]{2}").fullmatch
_MONEY_MARKS: Final = re.compile(r"^(?:人民币|RMB|CNY|[¥￥])\s*|\s*(?:元整|元/月|元|圆|圆整)$", re.IGNORECASE)
_UNITS: Final = re.compile(r"\s*[人户个岁元次项名位口天月年小时]+$")
_YUAN_FORMAT: Final = "请填写以元为单位的数字，例如 1234.50；没有请填 0 或留空。"


def exact_number(text: str) -> Decimal | None:
    """The number that a text writes, thousands separators in their places or absent; None when it isn't one."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    whole = found[2].replace(",", "").replace(" ", "")
    return Decimal(f"{found[1]}{whole}.{found[3] or 0}")


class Yuan(ColumnReader):
    """An amount written in yuan, as integer fen: at most two decimals, nothing rounded."""

    marks_are_blank: ClassVar[bool] = False
    fills_down: ClassVar[bool] = False

    def __init__(self, minimum_fen: int = 0, maximum_fen: int = 10**11) -> None:
        self._minimum = minimum_fen
        self._maximum = maximum_fen

    def quick(self, texts: Iterable[str]) -> dict[Any, Any]:
        """Up to nine digits with or without two decimals."""
        amounts = {text: int(text) * FEN_PER_YUAN for text in texts if _PLAIN(text)}
        amounts |= {text: int(text.replace(".", "")) for text in texts if _PLAIN_WITH_FEN(text)}
        if amounts and (min(amounts.values()) < self._minimum or max(amounts.values()) > self._maximum):
            return {text: fen for text, fen in amounts.items() if self._minimum <= fen <= self._maximum}
        return amounts

    def read(self, cell: Any) -> int:
        if isinstance(cell, str):
            amount = self._from_text(half_width(cell))
        elif isinstance(cell, int | Decimal) and not isinstance(cell, bool):
            amount = Decimal(cell)
        else:
            raise CellFault("amount_format", _YUAN_FORMAT)
        fen = amount * FEN_PER_YUAN
        if fen != fen.to_integral_value():
            raise CellFault("amount_decimals", "金额最多两位小数；请先四舍五入到分（公式请用 ROUND 取两位）。")
        return self._bounded(int(fen))

    def write(self, value: Any) -> str:
        """Decimal yuan with two places."""
        return yuan_text(value)

    def _from_text(self, text: str) -> Decimal:
        if text.rstrip("元").endswith("万"):
            raise CellFault("amount_format", "金额请以元为单位填写，不用万元。")
        bare = _MONEY_MARKS.sub("", _MONEY_MARKS.sub("", text))
        amount = exact_number(bare)
        if amount is None:
            raise CellFault("amount_format", _YUAN_FORMAT)
        return amount

    def _bounded(self, fen: int) -> int:
        if fen < self._minimum:
            negative = "金额不能为负数，请核对。"
            raise CellFault("amount_range", negative if self._minimum == 0 else f"金额不能少于 {yuan_text(self._minimum)} 元。")
        if fen > self._maximum:
            raise CellFault("amount_range", f"金额超过 {yuan_text(self._maximum)} 元，请核对单位和小数点。")
        return fen


class Whole(ColumnReader):
    """A whole number; a unit after it (人, 户, 岁 …) is left out."""

    marks_are_blank: ClassVar[bool] = False
    fills_down: ClassVar[bool] = False

    def __init__(self, minimum: int = 0, maximum: int = 1_000_000) -> None:
        self._minimum = minimum
        self._maximum = maximum

    def read(self, cell: Any) -> int:
        number = _number(cell)
        if number != number.to_integral_value():
            raise CellFault("number_format", "请填写整数。")
        if not self._minimum <= number <= self._maximum:
            raise CellFault("number_range", f"应在 {self._minimum} 至 {self._maximum} 之间，请核对。")
        return int(number)


class Number(ColumnReader):
    """A number with up to ``places`` decimals, as Decimal."""

    marks_are_blank: ClassVar[bool] = False
    fills_down: ClassVar[bool] = False

    def __init__(self, places: int = 2, minimum: int = 0, maximum: int = 1_000_000) -> None:
        self._unit = Decimal(1).scaleb(-places)
        self._places = places
        self._minimum = minimum
        self._maximum = maximum

    def read(self, cell: Any) -> Decimal:
        number = _number(cell)
        if not self._minimum <= number <= self._maximum:
            raise CellFault("number_range", f"应在 {self._minimum} 至 {self._maximum} 之间，请核对。")
        kept = number.quantize(self._unit)
        if kept != number:
            raise CellFault("number_format", f"最多 {self._places} 位小数。")
        return kept

    def write(self, value: Any) -> str:
        """Without an exponent."""
        return format(value, "f")


def _number(cell: object) -> Decimal:
    if isinstance(cell, int | Decimal) and not isinstance(cell, bool):
        return Decimal(cell)
    number = exact_number(_UNITS.sub("", half_width(cell))) if isinstance(cell, str) else None
    if number is None:
        raise CellFault("number_format", "请填写数字。")
    return number
