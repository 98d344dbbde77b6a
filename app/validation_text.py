"""Pydantic's findings in Chinese, each with a JSON pointer and what to do."""

from __future__ import annotations

import re
from typing import Any

from app.domain.errors import FieldError

TEXT: dict[str, tuple[str, str]] = {
    "missing": ("required", "必填，请补充。"),
    "extra_forbidden": ("unknown_field", "接口没有这个字段，请删除或核对字段名。"),
    "json_invalid": ("invalid_json", "不是合法的 JSON，请检查括号、引号和逗号。"),
    "string_unicode": ("invalid_characters", "含有无法保存的字符，请删除后重试。"),
    "string_type": ("not_a_string", "应为文本。"),
    "string_too_short": ("too_short", "内容过短，至少 {min_length} 个字符。"),
    "string_too_long": ("too_long", "内容过长，至多 {max_length} 个字符。"),
    "string_pattern_mismatch": ("wrong_format", "格式不正确，请按接口文档的格式填写。"),
    "int_type": ("not_an_integer", "应为整数（金额以分为单位）。"),
    "int_parsing": ("not_an_integer", "应为整数（金额以分为单位）。"),
    "int_from_float": ("not_an_integer", "应为整数，不能带小数（金额以分为单位）。"),
    "int_parsing_size": ("too_large", "数值过大，请核对。"),
    "float_type": ("not_a_number", "应为数值。"),
    "float_parsing": ("not_a_number", "应为数值。"),
    "finite_number": ("not_a_number", "应为有限的数值。"),
    "decimal_type": ("not_a_number", "应为数值。"),
    "decimal_parsing": ("not_a_number", "应为数值。"),
    "decimal_max_places": ("too_precise", "最多保留 {decimal_places} 位小数。"),
    "decimal_max_digits": ("too_large", "数值过大，请核对。"),
    "decimal_whole_digits": ("too_large", "数值过大，请核对。"),
    "multiple_of": ("wrong_format", "应为 {multiple_of} 的倍数。"),
    "bool_type": ("not_a_boolean", "应为 true 或 false。"),
    "bool_parsing": ("not_a_boolean", "应为 true 或 false。"),
    "greater_than_equal": ("too_small", "不能小于 {ge}。"),
    "greater_than": ("too_small", "应大于 {gt}。"),
    "less_than_equal": ("too_large", "不能大于 {le}。"),
    "less_than": ("too_large", "应小于 {lt}。"),
    "enum": ("unknown_value", "取值不在允许范围内，可选：{expected}。"),
    "literal_error": ("unknown_value", "取值不在允许范围内，可选：{expected}。"),
    "uuid_parsing": ("not_an_id", "编号格式不正确，应为 UUID。"),
    "uuid_type": ("not_an_id", "编号格式不正确，应为 UUID。"),
    "too_short": ("too_few", "至少需要 {min_length} 项。"),
    "too_long": ("too_many", "至多 {max_length} 项。"),
    "set_type": ("not_a_list", "应为数组。"),
    "tuple_type": ("not_a_list", "应为数组。"),
    "list_type": ("not_a_list", "应为数组。"),
    "dict_type": ("not_an_object", "应为对象。"),
    "union_tag_not_found": ("required", "缺少区分类型的字段，请按接口文档补充。"),
    "union_tag_invalid": ("unknown_value", "类型不在允许范围内，可选：{expected_tags}。"),
    "model_type": ("not_an_object", "应为对象。"),
    "model_attributes_type": ("not_an_object", "应为对象。"),
}
DATE_TEXT = ("invalid_date", "日期不正确，应为真实存在的日期，格式 YYYY-MM-DD。")
QUOTED = re.compile(r"'([^']+)'")
FALLBACK = ("invalid", "内容不正确，请按接口文档更正。")


def pointer_of(location: tuple[Any, ...]) -> str:
    """RFC 6901; body fields from the body's root, others under /query, /path or /header."""
    parts = location[1:] if location and location[0] == "body" else location
    if location and location[0] == "body" and len(parts) == 1 and isinstance(parts[0], int):
        return ""  # position of a JSON syntax error
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def field_error(item: dict[str, Any]) -> FieldError:
    """One finding of pydantic as a ``FieldError``. Our own validators raise ``PydanticCustomError`` with Chinese text."""
    kind = item["type"]
    pointer = pointer_of(tuple(item["loc"]))
    cause = (item.get("ctx") or {}).get("error")
    if kind in ("value_error", "assertion_error") and _is_chinese(str(cause)):
        return FieldError(pointer, "invalid", str(cause))
    if kind.startswith(("date_", "datetime_", "time_")):
        return FieldError(pointer, *DATE_TEXT)
    if kind not in TEXT and _is_chinese(item["msg"]):
        return FieldError(pointer, kind, item["msg"])
    code, text = TEXT.get(kind, FALLBACK)
    return FieldError(pointer, code, text.format_map(_Context(_in_chinese(item.get("ctx") or {}))))


def _in_chinese(context: dict[str, Any]) -> dict[str, Any]:
    """The values to choose from as a Chinese enumeration: pydantic writes 'a', 'b' or 'c'."""
    said = context.get("expected")
    return context | {"expected": "、".join(QUOTED.findall(said))} if isinstance(said, str) and QUOTED.search(said) else context


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


class _Context(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"
