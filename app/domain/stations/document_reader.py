"""Reading a parsed document key by key: every finding is kept with its JSON pointer, and reading goes on."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from app.domain.errors import FieldError

CODE = re.compile(r"[a-z][a-z0-9_]{1,59}")


class Reader:
    """Collects findings; whoever uses it throws the result away when there are any."""

    def __init__(self) -> None:
        self.findings: list[FieldError] = []

    def refuse(self, pointer: str, code: str, message: str) -> None:
        self.findings.append(FieldError(pointer, code, f"{message}（位置：{pointer or '/'}）"))

    def mapping(self, value: object, pointer: str, keys: Collection[str]) -> dict[str, object] | None:
        """A mapping with no other keys than these; None when it is none."""
        if not isinstance(value, Mapping):
            self.refuse(pointer, "not_an_object", "应为映射（键: 值）。")
            return None
        fields = {str(key): entry for key, entry in value.items()}
        for key in fields.keys() - set(keys):
            known = "、".join(keys) or "无"
            self.refuse(f"{pointer}/{key}", "unknown_field", f"不认识“{key}”，可用：{known}。")
        return fields

    def items(self, fields: Mapping[str, object], key: str, pointer: str) -> Sequence[object]:
        """A list with something in it."""
        value = fields.get(key)
        if not isinstance(value, list) or not value:
            self.refuse(f"{pointer}/{key}", "not_a_list", f"“{key}”应为至少一项的列表。")
            return ()
        return value

    def text(self, fields: Mapping[str, object], key: str, pointer: str) -> str:
        value = fields.get(key)
        if not isinstance(value, str) or not value.strip():
            self.refuse(f"{pointer}/{key}", "not_a_string", f"“{key}”应为非空文本。")
            return ""
        return value.strip()

    def texts(self, fields: Mapping[str, object], key: str, pointer: str) -> tuple[str, ...]:
        values = self.items(fields, key, pointer)
        if not all(isinstance(value, str) and value.strip() for value in values):
            self.refuse(f"{pointer}/{key}", "not_a_string", f"“{key}”的每一项应为非空文本。")
        return tuple(str(value).strip() for value in values)

    def code(self, fields: Mapping[str, object], key: str, pointer: str) -> str:
        value = self.text(fields, key, pointer)
        if value and not CODE.fullmatch(value):
            self.refuse(f"{pointer}/{key}", "wrong_format", f"“{key}”应为小写字母、数字和下划线，以字母开头。")
        return value

    def choice(self, fields: Mapping[str, object], key: str, pointer: str, known: Collection[str], what: str) -> str | None:
        """One of the known words; None when it isn't."""
        value = fields.get(key)
        if not isinstance(value, str) or value not in known:
            self.refuse(f"{pointer}/{key}", "unknown_value", f"没有{what}“{value}”，可用：{'、'.join(known)}。")
            return None
        return value

    def number(self, fields: Mapping[str, object], key: str, pointer: str, least: int, most: int) -> int:
        value = fields.get(key)
        if type(value) is not int or not least <= value <= most:
            self.refuse(f"{pointer}/{key}", "out_of_range", f"“{key}”应为 {least} 至 {most} 的整数。")
            return least
        return value

    def flag(self, fields: Mapping[str, object], key: str, pointer: str) -> bool:
        value = fields.get(key)
        if not isinstance(value, bool):
            self.refuse(f"{pointer}/{key}", "not_a_boolean", f"“{key}”应为 true 或 false。")
            return False
        return value

    def day(self, fields: Mapping[str, object], key: str, pointer: str) -> date:
        value = fields.get(key)
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.refuse(f"{pointer}/{key}", "not_a_date", f"“{key}”应为日期，写作 YYYY-MM-DD。")
            return date.min
