"""Reading a file in parts as if it were one file on disk."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PART_BYTES = 1 << 20
PARTS_IN_HAND = 4  # an archive's directory stands at its end: readers jump between there and where they are


class PartsReader(io.RawIOBase):
    """A seekable, read-only file over numbered parts of ``PART_BYTES`` each (the last may be shorter).

    ``fetch`` gets a part's plain content by number; a few parts are kept. For synchronous readers in a thread of their own.
    """

    def __init__(self, size_bytes: int, fetch: Callable[[int], bytes]) -> None:
        super().__init__()
        self._size = size_bytes
        self._fetch = fetch
        self._place = 0
        self._kept: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("before the beginning of the file")
        self._place = base + offset
        return self._place

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        target = memoryview(buffer).cast("B")
        if self._place >= self._size or not target:
            return 0
        number, begin = divmod(self._place, PART_BYTES)
        piece = self._part(number)[begin : begin + len(target)]
        target[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    def _part(self, number: int) -> bytes:
        if number not in self._kept:
            self._kept[number] = self._fetch(number)
            if len(self._kept) > PARTS_IN_HAND:
                self._kept.popitem(last=False)
        self._kept.move_to_end(number)
        return self._kept[number]
