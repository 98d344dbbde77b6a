"""Receiving a file: sealed as it comes, so that nothing plain reaches a disk, and held within bounded memory."""

from __future__ import annotations

import errno
import hashlib
import tempfile
from collections.abc import Iterator
from uuid import UUID

from app.domain.errors import TooLarge, Unavailable
from app.files.parts import PART_BYTES
from app.security.fields import Field, FieldCipher

HEAD_BYTES = 16
FULL = (errno.ENOSPC, errno.EDQUOT)
IN_MEMORY_BYTES = 4 << 20  # of sealed parts; more go to an unnamed temporary file


class SealedSpool:
    """The sealed parts of one file on their way into the database. Close it; nothing is left behind, not even after a kill."""

    def __init__(self, cipher: FieldCipher, file_id: UUID, *, max_bytes: int) -> None:
        self.file_id = file_id
        self.size_bytes = 0
        self.head = b""  # the first bytes, which tell what kind of file it is
        self._cipher = cipher
        self._max_bytes = max_bytes
        self._digest = hashlib.sha256()
        self._waiting = bytearray()
        self._lengths: list[int] = []
        self._sealed = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  (closed by close)

    def add(self, piece: bytes | memoryview) -> None:
        """Takes a piece of any length; seals nothing yet. Raises TooLarge."""
        self.size_bytes += len(piece)
        if self.size_bytes > self._max_bytes:
            raise TooLarge("body_too_large", f"文件超过上限（{self._max_bytes >> 20} MB），请拆分后分批提交。")
        if len(self.head) < HEAD_BYTES:
            self.head += bytes(piece[: HEAD_BYTES - len(self.head)])
        self._waiting += piece

    @property
    def is_full(self) -> bool:
        """Whether there is at least one whole part to seal."""
        return len(self._waiting) >= PART_BYTES

    def seal(self) -> None:
        """Seals what makes whole parts: some milliseconds of work for each."""
        while self.is_full:
            self._seal(bytes(self._waiting[:PART_BYTES]))
            del self._waiting[:PART_BYTES]

    def end(self) -> None:
        """No more is to come. An empty file has no parts."""
        self.seal()
        if self._waiting:
            self._seal(bytes(self._waiting))
            self._waiting.clear()

    def _seal(self, part: bytes) -> None:
        self._digest.update(part)
        sealed = self._cipher.seal_bytes(Field.FILE, self.file_id, part, part=len(self._lengths))
        try:
            self._sealed.write(sealed)
        except OSError as error:
            if error.errno not in FULL:
                raise
            detail = "服务器暂存空间不足（可能有多个大文件同时上传），请稍后重试。"
            raise Unavailable("temporarily_unavailable", detail, retry_after_seconds=30) from error
        self._lengths.append(len(sealed))

    @property
    def sha256(self) -> str:
        """Of the plain content, in hexadecimal; after ``end``."""
        return self._digest.hexdigest()

    @property
    def parts(self) -> int:
        return len(self._lengths)

    def sealed_parts(self) -> Iterator[bytes]:
        """In order; after ``end``."""
        self._sealed.seek(0)
        for length in self._lengths:
            yield self._sealed.read(length)

    def close(self) -> None:
        self._sealed.close()
