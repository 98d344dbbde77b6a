"""Which rows of a file are about the same thing: a million keys in sixteen megabytes."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

import numpy as np

from app.domain.imports.model import Block


class KeysSeen:
    """Digests of the keys of all rows, of 64 bits: two different keys among a million meet once in thirty-seven million files."""

    def __init__(self, key: Sequence[str]) -> None:
        self._key = tuple(key)
        self._digests = array("q")
        self._numbers = array("q")

    def add(self, block: Block) -> None:
        """Optional parts of a key may be None; rows whose key is in doubt are left out by the caller."""
        if self._key:
            self._digests.extend(map(hash, zip(*(block.columns[name] for name in self._key), strict=True)))
            self._numbers.extend(block.numbers)

    def repeated(self) -> Iterator[tuple[int, int]]:
        """Row number and the number of the first row with the same key, for every later row of a key."""
        digests = np.frombuffer(self._digests, dtype=np.int64)
        order = np.argsort(digests, kind="stable")  # among equals, in the order of the file
        ordered = digests[order]
        first = -1
        for place in (np.flatnonzero(ordered[1:] == ordered[:-1]) + 1).tolist():
            if first < 0 or ordered[first] != ordered[place]:
                first = place - 1
            yield self._numbers[int(order[place])], self._numbers[int(order[first])]
