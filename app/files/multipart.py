"""Reading an upload (multipart/form-data, RFC 7578) as it comes: small fields into memory, the one file into a sealed spool.

The framework's own reading writes files over one megabyte to disk in the clear, and holds a connection of the pool while a
slow caller sends.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.domain.errors import FieldError, Malformed
from app.files.spool import SealedSpool
from app.request_body import UNSTORABLE, storable

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_FIELDS = 20
MAX_FIELD_BYTES = 4096
MAX_NAME_CHARACTERS = 200
_TURNS_OR_HIDES = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")  # fdp.exe as exe.pdf
BROKEN = "上传内容不是合法的 multipart/form-data，请检查后重新提交。"


@dataclass
class Upload:
    """What came with an upload: text fields, and one file under ``file_field``; closed by whoever received it."""

    spool: SealedSpool
    fields: dict[str, str] = field(default_factory=dict)
    file_field: str | None = None
    file_name: str = ""
    media_type: str = ""

    def fingerprint(self) -> list[str]:
        """The texts that say whether two uploads are the same: every field, and the file by its name and digest."""
        texts = [text for pair in sorted(self.fields.items()) for text in pair]
        return [*texts, self.file_field or "", self.file_name, self.spool.sha256]

    def close(self) -> None:
        self.spool.close()


class NotReceived:
    """Stands where an upload would, for a caller who is about to be refused: nothing of his is read."""

    def fingerprint(self) -> list[str]:
        return []

    def close(self) -> None:
        return


async def receive(content_type: str, stream: AsyncIterable[bytes], spool: SealedSpool) -> Upload:
    """Reads the whole body. Raises Malformed, TooLarge."""
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise _malformed("", "invalid", "Content-Type 缺少 boundary，请用标准的 multipart/form-data 客户端提交。")
    reading = _Reading(Upload(spool))
    try:
        parser = MultipartParser(boundary, reading.callbacks())
        async for piece in stream:
            parser.write(piece)
            if spool.is_full:
                await asyncio.to_thread(spool.seal)
        parser.finalize()
    except FormParserError:
        raise _malformed("", "invalid", BROKEN) from None
    if not reading.complete:
        raise _malformed("", "invalid", "上传内容不完整，请重新提交。")
    await asyncio.to_thread(spool.end)
    return reading.upload


class _Reading:
    """The parser's callbacks: one part after the other."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self.complete = False
        self._headers: dict[bytes, bytes] = {}
        self._field = b""
        self._text = b""
        self._name = ""
        self._is_file = False
        self._value = bytearray()

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def _part_begin(self) -> None:
        self._headers = {}

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._text += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._field.lower()] = self._text
        self._field = self._text = b""

    def _headers_finished(self) -> None:
        options = parse_options_header(self._headers.get(b"content-disposition", b""))[1]
        if b"name" not in options:
            raise _malformed("", "invalid", BROKEN)
        self._name, self._value = _text(options[b"name"], ""), bytearray()
        pointer = "/" + self._name.replace("~", "~0").replace("/", "~1")
        self._is_file = b"filename" in options
        taken = {*self.upload.fields, self.upload.file_field}
        if self._name in taken:
            raise _malformed(pointer, "duplicate_field", f"字段“{self._name[:50]}”重复出现，请只保留一个。")
        if self._is_file:
            self._begin_file(_text(options[b"filename"], pointer, "文件名"), pointer)
        elif len(self.upload.fields) >= MAX_FIELDS:
            raise _malformed("", "too_many", f"字段过多，至多 {MAX_FIELDS} 个。")

    def _begin_file(self, name: str, pointer: str) -> None:
        if self.upload.file_field is not None:
            raise _malformed(pointer, "too_many", "一次只能上传一个文件，请分别提交。")
        self.upload.file_field, self.upload.file_name = self._name, _plain_name(name)
        self.upload.media_type = self._headers.get(b"content-type", b"")[:100].decode("latin-1").split(";")[0].strip().lower()

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self.upload.spool.add(memoryview(data)[start:end])
            return
        self._value += data[start:end]
        if len(self._value) > MAX_FIELD_BYTES:
            raise _malformed(f"/{self._name}", "too_long", f"内容过长，至多 {MAX_FIELD_BYTES} 个字节。")

    def _part_end(self) -> None:
        if not self._is_file:
            self.upload.fields[self._name] = _text(bytes(self._value), f"/{self._name}")

    def _end(self) -> None:
        self.complete = True


def _text(raw: bytes, pointer: str, what: str = "") -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _malformed(pointer, "invalid_encoding", f"{what}须为 UTF-8 编码，请更正。") from None
    if not storable(text):
        raise _malformed(UNSTORABLE.sub("", pointer), "invalid_characters", f"{what}含有无法保存的字符（空字符），请删除后重试。")
    return text


def _plain_name(name: str) -> str:
    """The last part of a path, whatever system it comes from, without what makes it read as another name."""
    return PureWindowsPath(PurePosixPath(_TURNS_OR_HIDES.sub("", name)).name).name[-MAX_NAME_CHARACTERS:]


def _malformed(pointer: str, code: str, message: str) -> Malformed:
    return Malformed("malformed_request", "上传内容有误，请按 errors 更正。", errors=[FieldError(pointer, code, message)])
