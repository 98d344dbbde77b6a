"""Reading what a caller sends, before anything else looks at it: media type, strict JSON (RFC 8259, I-JSON of RFC 7493).

The framework's own reading is lenient in ways that end in a 500 or in data nobody meant: it takes UTF-16, lone surrogates, NaN,
1e400, the last of two equal keys, and runs out of stack on deep nesting.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from math import isfinite
from typing import Any

from fastapi import Request
from starlette.requests import Request as PlainRequest

from app.domain.errors import FieldError, Malformed, UnsupportedMedia

MAX_DEPTH = 32
MAX_DIGITS = 18  # of a number, so that it fits 64 bits everywhere
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
BYTE_ORDER_MARK = "\ufeff"
BROKEN_JSON = "内容不是合法的 JSON，请更正后重新提交。"


class Media(StrEnum):
    """What a route takes as its body."""

    JSON = "application/json"
    FORM = "application/x-www-form-urlencoded"
    UPLOAD = "multipart/form-data"


def storable(text: str) -> bool:
    """Postgres text holds neither NUL nor lone surrogates."""
    return UNSTORABLE.search(text) is None


class ApiRequest(PlainRequest):
    """A request whose JSON has been read strictly."""

    parsed: Any = None

    async def json(self) -> Any:
        """What ``read_body`` has parsed; FastAPI asks for it."""
        return self.parsed


async def read_body(request: Request, taken: Media | None) -> ApiRequest:
    """The request with its JSON parsed. Raises ``UnsupportedMedia`` (415) or ``Malformed`` (422) with a pointer."""
    ours = ApiRequest(request.scope, request.receive)
    sent = media_type(request.headers)
    if sent and not _fits(sent, taken):
        raise _unsupported(sent, taken)
    if taken is Media.JSON and (body := await ours.body()):
        if not sent:
            raise _unsupported("", taken)
        ours.parsed = parse_json(body)
    return ours


def media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").split(";")[0].strip().lower()


def _fits(sent: str, taken: Media | None) -> bool:
    """Only uploads may be large, so the type that lifts the limit is refused everywhere else."""
    if taken is None:
        return sent != Media.UPLOAD
    return sent == taken or (taken is Media.JSON and sent.startswith("application/") and sent.endswith("+json"))


def _unsupported(sent: str, taken: Media | None) -> UnsupportedMedia:
    wanted = f"请以 {taken.value} 提交" if taken else "此操作不接受上传内容，请去掉后重新提交"
    given = f"不支持内容类型 {sent[:50]!r}，" if sent else "缺少 Content-Type，"
    return UnsupportedMedia("unsupported_media_type", f"{given}{wanted}。")


# --- JSON --------------------------------------------------------------------------------------------------------------


class _Refused(Exception):
    """Carries a finding out of the parser."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.finding = FieldError("", code, message)


def parse_json(body: bytes) -> Any:
    """The value, with every text storable and every number within 64 bits. Raises ``Malformed`` with what is wrong where."""
    try:
        text = body.decode("utf-8").removeprefix(BYTE_ORDER_MARK)
        value = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise _malformed("invalid_encoding", f"须为 UTF-8 编码，第 {error.start + 1} 个字节不合法。") from None
    except json.JSONDecodeError as error:
        place = f"第 {error.lineno} 行第 {error.colno} 列"
        raise _malformed("invalid_json", f"不是合法的 JSON（{place}），请检查括号、引号和逗号。") from None
    except RecursionError:
        raise _too_deep() from None
    except _Refused as refused:
        raise Malformed("malformed_request", BROKEN_JSON, errors=[refused.finding]) from None
    if "\\u" in text or text.count("[") + text.count("{") > MAX_DEPTH:
        _check(value)
    return value


def _check(value: Any) -> None:
    findings = [
        FieldError(place, "invalid_characters", "含有无法保存的字符（空字符或不成对的代理字符），请删除后重试。")
        for place, text in _texts(value)
        if not storable(text)
    ]
    if findings:
        raise Malformed("malformed_request", "内容含有无法保存的字符，请按 errors 更正。", errors=findings[:20])


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """Every text and key with its pointer; without recursion, since depth is what is checked here too."""
    waiting: list[tuple[int, str, Any]] = [(0, "", value)]
    while waiting:
        depth, place, found = waiting.pop()
        if isinstance(found, str):
            yield place, found
            continue
        if isinstance(found, dict | list) and depth >= MAX_DEPTH:
            raise _too_deep()
        if isinstance(found, dict):
            yield from ((place, key) for key in found)
            waiting += [(depth + 1, f"{place}/{_escaped(key)}", part) for key, part in found.items()]
        elif isinstance(found, list):
            waiting += [(depth + 1, f"{place}/{number}", part) for number, part in enumerate(found)]


def _escaped(key: str) -> str:
    return UNSTORABLE.sub("\ufffd", key).replace("~", "~0").replace("/", "~1")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _Refused("duplicate_field", f"字段“{UNSTORABLE.sub('', key)[:50]}”重复出现，请只保留一个。")
    return found


def _integer(digits: str) -> int:
    if len(digits.removeprefix("-")) > MAX_DIGITS:
        raise _Refused("too_large", "数值过大，请核对。")
    return int(digits)


def _decimal(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise _Refused("too_large", "数值过大，请核对。")
    return number


def _constant(name: str) -> None:
    raise _Refused("invalid_json", f"{name} 不是合法的 JSON 数值，请更正。")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_integer, parse_float=_decimal, parse_constant=_constant)


def _malformed(code: str, message: str) -> Malformed:
    return Malformed("malformed_request", BROKEN_JSON, errors=[FieldError("", code, message)])


def _too_deep() -> Malformed:
    return _malformed("too_deep", f"嵌套过深，至多 {MAX_DEPTH} 层。")
