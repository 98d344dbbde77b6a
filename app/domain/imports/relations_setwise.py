"""The registry's rule on relations for all households of a file at once: the set-wise twin of ``registry.contradictions``.

Of each row five bytes are kept: what its relation asks for, and the birth date in the digits of the ID number.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.imports.model import Block
from app.domain.registry import OLDER, YOUNGER, Contradiction

_FREE, _HEAD, _SPOUSE, _YOUNGER, _OLDER = range(5)
_ASKS: Final[dict[str | None, int]] = {
    "head": _HEAD,
    "spouse": _SPOUSE,
    **dict.fromkeys(YOUNGER, _YOUNGER),
    **dict.fromkeys(OLDER, _OLDER),
}
Numbers = NDArray[np.int64]


class RelationsOfFile:
    """Relations and birth dates of the rows. ``order`` and ``starts``: the rows by household, and where each household begins."""

    def __init__(self) -> None:
        self._relations = array("b")
        self._births = array("i")  # as 19491231; 0: not known

    def add(self, block: Block) -> None:
        self._relations.extend([_ASKS.get(relation, _FREE) for relation in block.columns["relation"]])
        self._births.extend([0 if number is None else int(number[6:14]) for number in block.columns["id_number"]])

    def heads(self, order: Numbers, starts: Numbers) -> Numbers:
        """How many heads each household has."""
        return np.add.reduceat(self._asking(order) == _HEAD, starts, dtype=np.int64)

    def contradictions(self, order: Numbers, starts: Numbers) -> Iterator[tuple[int, Contradiction]]:
        """The places in the file whose relation contradicts the head. Nothing in households without exactly one head."""
        asking = self._asking(order)
        sizes = np.diff(starts, append=len(order))
        alone = self.heads(order, starts) == 1
        spouses = np.add.reduceat(asking == _SPOUSE, starts, dtype=np.int64)
        twice = np.repeat(alone & (spouses > 1), sizes) & (asking == _SPOUSE)
        yield from ((place, Contradiction.TWO_SPOUSES) for place in order[twice].tolist())
        births = np.frombuffer(self._births, np.int32)[order]
        head_births = np.where(alone, np.maximum.reduceat(np.where(asking == _HEAD, births, 0), starts), 0)
        than = np.repeat(head_births, sizes)
        known = (births != 0) & (than != 0)
        not_younger = known & (asking == _YOUNGER) & (births < than)
        yield from ((place, Contradiction.NOT_YOUNGER) for place in order[not_younger].tolist())
        not_older = known & (asking == _OLDER) & (births > than)
        yield from ((place, Contradiction.NOT_OLDER) for place in order[not_older].tolist())

    def _asking(self, order: Numbers) -> NDArray[np.int8]:
        return np.frombuffer(self._relations, np.int8)[order]
