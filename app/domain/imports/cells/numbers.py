"""Numbers that are names: ID numbers, certificates, area codes, phones, accounts. Never calculated with, never repaired."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar, Final

from app.domain.areas import is_area_code
from app.domain.identity import (
    LENGTH,
    OLD_LENGTH,
    AccountKind,
    IdentityFault,
    normalise_bank_account,
    normalise_id_number,
    parse_bank_account,
    parse_disability_certificate,
    parse_id_number,
    parse_phone,
)
from app.domain.imports.cells.column import (
    DIGITS_LOST,
    ColumnReader,
    exact_digits,
    half_width,
    looks_scientific,
    refuse_date,
    unwrapped,
)
from app.domain.imports.cells.id_numbers_setwise import genuine
from app.domain.imports.model import CellFault

_SEPARATORS: Final = re.compile(r"[\s、，,;；/|]+")
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}").fullmatch
_ACCOUNT: Final = re.compile(r"[0-9]{5,32}").fullmatch
_UNTIDY: Final = 40  # with blanks and quotes around
_LOST_TAIL: Final = "000"  # the last three of eighteen digits, when a spreadsheet kept fifteen


class IdNumber(ColumnReader):
    """公民身份号码 of 18 characters, normalised. Fifteen digits are reported, numeric cells and 3.50702E+17 refused."""

    def quick(self, texts: Iterable[str]) -> dict[Any, Any]:
        """Numbers as they should be are checked all at once, then those that only need tidying."""
        ready = _genuine(texts)
        values = dict(zip(ready, ready, strict=True))
        tidied = {text: normalise_id_number(unwrapped(text)) for text in texts if text not in values and len(text) <= _UNTIDY}
        right = set(_genuine(tidied.values()))
        return values | {text: number for text, number in tidied.items() if number in right}

    def read(self, cell: Any) -> str:
        return _id_number(cell if isinstance(cell, str) else _numeric_id(cell))


def _genuine(texts: Iterable[str]) -> list[str]:
    return genuine([text for text in texts if len(text) == LENGTH and text.isascii()])


def _numeric_id(cell: object) -> str:
    refuse_date(cell)
    digits = exact_digits(cell)
    if digits is not None and len(digits) == OLD_LENGTH:
        return digits
    raise CellFault("digits_lost", DIGITS_LOST)


def _id_number(text: str) -> str:
    if looks_scientific(text):
        raise CellFault("digits_lost", DIGITS_LOST)
    try:
        return parse_id_number(text).value
    except IdentityFault as fault:
        if fault.code == "id_number_checksum" and text.endswith(_LOST_TAIL):
            raise CellFault("digits_lost", DIGITS_LOST) from None
        raise CellFault(fault.code, fault.message) from None


class IdNumbers(ColumnReader):
    """Several ID numbers in one cell, between 、 ， , ; ； / or blanks, as a tuple in the order written."""

    longest: ClassVar[int] = 2_000

    def read(self, cell: Any) -> tuple[str, ...] | None:
        texts = [text for text in _SEPARATORS.split(cell) if text] if isinstance(cell, str) else [_numeric_id(cell)]
        found: list[str] = []
        for place, text in enumerate(texts, start=1):
            try:
                found.append(_id_number(text))
            except CellFault as fault:
                where = f"第 {place} 个号码：" if len(texts) > 1 else ""
                raise CellFault(fault.code, where + fault.message) from None
        if len(set(found)) < len(found):
            raise CellFault("id_number_repeated", "同一格内有重复的身份证号，请删去重复的。")
        return tuple(found) or None

    def write(self, value: Any) -> str:
        """The numbers joined by 、."""
        return "、".join(value)


class Certificate(ColumnReader):
    """残疾人证号, normalised."""

    def read(self, cell: Any) -> str:
        if not isinstance(cell, str) or looks_scientific(cell):
            raise CellFault("digits_lost", DIGITS_LOST)
        try:
            return parse_disability_certificate(cell).value
        except IdentityFault as fault:
            raise CellFault(fault.code, fault.message) from None


class AreaCode(ColumnReader):
    """区划代码 of one of the given lengths. Twelve digits fit a number, so that numeric cells are exact."""

    def __init__(self, digits: tuple[int, ...] = (12,)) -> None:
        self._digits = digits

    def read(self, cell: Any) -> str:
        refuse_date(cell)
        text = exact_digits(cell) if not isinstance(cell, str) else "".join(half_width(cell).split())
        if text is None or looks_scientific(text):
            raise CellFault("digits_lost", DIGITS_LOST)
        if len(text) not in self._digits or not is_area_code(text):
            raise CellFault("area_code_malformed", self._advice(text))
        return text

    def _advice(self, text: str) -> str:
        lengths = "、".join(map(str, self._digits))
        if len(text) == max(self._digits) and text.endswith("000"):
            filled_up = "填到村（社区）" if self._digits == (12,) else "去掉补位的 0"
            return f"区划代码末尾的 0 是补位，请{filled_up}，应为 {lengths} 位数字。"
        return f"区划代码应为 {lengths} 位数字，请核对。"


class Phone(ColumnReader):
    """A mobile number, or a landline with its area code, normalised."""

    def quick(self, texts: Iterable[str]) -> dict[Any, Any]:
        """Mobile numbers as they should be."""
        return {text: text for text in texts if _MOBILE(text)}

    def read(self, cell: Any) -> str:
        refuse_date(cell)
        text = exact_digits(cell) if not isinstance(cell, str) else cell
        if text is None or looks_scientific(text):
            raise CellFault("digits_lost", DIGITS_LOST)
        if "*" in text:
            raise CellFault("phone_format", "电话含有星号，是脱敏后的号码；请填写完整号码。")
        try:
            return parse_phone(text)
        except IdentityFault as fault:
            several = "该格只填一个号码。" if len(_SEPARATORS.split(text.strip())) > 1 else ""
            raise CellFault(fault.code, fault.message + several) from None


class BankAccount(ColumnReader):
    """An account number, normalised. What kind of account it is stands in another column, so a card's check is the row's."""

    def quick(self, texts: Iterable[str]) -> dict[Any, Any]:
        """Digits only."""
        return {text: text for text in texts if _ACCOUNT(text)}

    def read(self, cell: Any) -> str:
        if isinstance(cell, date):
            refuse_date(cell)
        if not isinstance(cell, str) or looks_scientific(cell):
            raise CellFault("digits_lost", DIGITS_LOST)
        if "*" in cell:
            raise CellFault("bank_account_characters", "账号含有星号，是脱敏后的号码；请填写完整账号。")
        try:
            return parse_bank_account(normalise_bank_account(cell), AccountKind.PASSBOOK)
        except IdentityFault as fault:
            raise CellFault(fault.code, fault.message) from None
