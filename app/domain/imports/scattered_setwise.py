"""Rows that belong together and lie in several parts of a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Scattered:
    """Row numbers, group after group of rows that belong together, and where each group begins among them."""

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]

    def __bool__(self) -> bool:
        return len(self.rows) > 0

    def groups(self) -> Iterator[NDArray[np.int64]]:
        yield from np.split(self.rows, self.starts[1:]) if self else ()
