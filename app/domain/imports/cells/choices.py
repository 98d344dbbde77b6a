"""Answers out of a fixed list: 是 or 否, and the words of the regulations with what offices write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from app.domain.imports.cells.column import ColumnReader, exact_digits, half_width
from app.domain.imports.model import CellFault

_YES: Final = "是 有 √ ✓ ✔ ☑ Y YES TRUE T 1 对 有的 是的"
_NO: Final = "否 无 × ✗ ✘ X N NO FALSE F 0 没有 不是 非 错"
_SHOWN: Final = 12
_SEPARATORS: Final = re.compile(r"[\s、，,;；/|]+")


def word_key(text: str) -> str:
    """The form in which words are compared: half width, capitals, no blanks."""
    return "".join(half_width(text).split()).upper()


class YesNo(ColumnReader):
    """是/否 in the ways that offices write it."""

    marks_are_blank: ClassVar[bool] = False
    _words: ClassVar[dict[str, bool]] = dict.fromkeys(_YES.split(), True) | dict.fromkeys(_NO.split(), False)

    def read(self, cell: Any) -> bool:
        if isinstance(cell, bool):
            return cell
        found = self._words.get(word_key(cell if isinstance(cell, str) else str(cell)))
        if found is None:
            raise CellFault("yes_no_unknown", "请填写“是”或“否”。")
        return found

    def write(self, value: Any) -> str:
        """是 or 否."""
        return "是" if value else "否"


class Choice(ColumnReader):
    """One of a list: ``words`` has for each code its Chinese words, the published one first. Codes are read too."""

    def __init__(self, words: Mapping[str, tuple[str, ...]]) -> None:
        self._titles = {code: titles[0] for code, titles in words.items()}
        self._codes = {word_key(word): code for code, titles in words.items() for word in (code, *titles)}

    marks_are_blank: ClassVar[bool] = False

    @property
    def titles(self) -> tuple[str, ...]:
        """The published words, for templates."""
        return tuple(self._titles.values())

    def read(self, cell: Any) -> str | None:
        key = word_key(cell) if isinstance(cell, str) else exact_digits(cell) or ""
        found = self._codes.get(key)
        if found is None and key not in ("-", "--", "—", "——", "/", "无", "NULL"):
            raise CellFault("choice_unknown", f"请填写以下之一：{self._listed()}。")
        return found

    def write(self, value: Any) -> str:
        """The published word."""
        return self._titles[value]

    def _listed(self) -> str:
        titles = self.titles
        return "、".join(titles[:_SHOWN]) + (f" 等 {len(titles)} 种，见模板" if len(titles) > _SHOWN else "")


class Choices(Choice):
    """Several of a list in one cell, as a tuple of codes in the order written."""

    longest: ClassVar[int] = 1_000

    def read(self, cell: Any) -> tuple[str, ...] | None:  # type: ignore[override]
        parts = [part for part in _SEPARATORS.split(cell) if part] if isinstance(cell, str) else [cell]
        found = (super(Choices, self).read(part) for part in parts)
        return tuple(dict.fromkeys(code for code in found if code is not None)) or None

    def write(self, value: Any) -> str:
        """The published words joined by 、."""
        return "、".join(self._titles[code] for code in value)
