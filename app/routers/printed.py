"""A printed document as an answer: named in Chinese, with the digest of its bytes, not sent again to whoever has it."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Header, Response, status

from app.documents.page import MEDIA_TYPE

KnownTag = Annotated[
    str | None,
    Header(alias="If-None-Match", max_length=1000, description="上次下载时得到的 ETag；内容未变时返回 304，不再传送文件。"),
]
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "PDF 文件", "content": {MEDIA_TYPE: {}}},
    304: {"description": "与上次下载的相同"},
}
UNFIT = re.compile(r'[\\/:*?"<>|\s]+')  # for a file's name, on any system


def digest(content: bytes) -> str:
    """SHA-256 of the file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def is_known(content: bytes, known: str | None) -> bool:
    """Whether the caller has these very bytes."""
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in (known or "").split(",")]
    return digest(content) in tags


def printed(content: bytes, name: str) -> Response:
    """The file; ``name`` without its ending."""
    file_name = UNFIT.sub("_", name)
    encoded = base64.b64encode(hashlib.sha256(content).digest()).decode()
    headers = {
        "Content-Disposition": f"attachment; filename=\"document.pdf\"; filename*=UTF-8''{quote(file_name)}.pdf",
        "Repr-Digest": f"sha-256=:{encoded}:",
        **_tag(content),
    }
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


def not_modified(content: bytes) -> Response:
    return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=_tag(content))


def _tag(content: bytes) -> dict[str, str]:
    return {"ETag": f'"{digest(content)}"', "Cache-Control": "private, no-cache"}
