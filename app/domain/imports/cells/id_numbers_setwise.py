"""The checks of GB 11643 over a whole column at once; the same verdict as `app.domain.identity.parse_id_number`."""

from __future__ import annotations

from typing import Final

import numpy as np

_WEIGHTS: Final = np.array((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), dtype=np.int32)
_CHECKS: Final = np.frombuffer(b"10X98765432", dtype=np.uint8)
_DAYS: Final = np.array((0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0) + (0,) * 84, dtype=np.int32)
_FIRST_YEAR: Final = 1850
_FEBRUARY: Final = 2
_ZERO: Final = ord("0")
_NINE: Final = 9


def genuine(candidates: list[str]) -> list[str]:
    """Those of ``candidates`` (18 ASCII characters each) that are ID numbers exactly as written."""
    if not candidates:
        return []
    characters = np.frombuffer("".join(candidates).encode("ascii"), dtype=np.uint8).reshape(-1, 18)
    digits = characters[:, :17] - np.uint8(_ZERO)  # letters wrap round beyond nine
    sound = (digits <= _NINE).all(axis=1) & (digits[:, 0] != 0)
    wide = np.minimum(digits, _NINE).astype(np.int32)
    sound &= _born(wide) & (_CHECKS[wide @ _WEIGHTS % 11] == characters[:, 17])
    return candidates if sound.all() else [text for text, right in zip(candidates, sound.tolist(), strict=True) if right]


def _born(digits: np.ndarray) -> np.ndarray:
    """Whether the seventh to fourteenth digits are a day of the calendar."""
    year = digits[:, 6:10] @ np.array((1000, 100, 10, 1), dtype=np.int32)
    month = digits[:, 10] * 10 + digits[:, 11]
    day = digits[:, 12] * 10 + digits[:, 13]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = _DAYS[month] + (leap & (month == _FEBRUARY))
    good: np.ndarray = (year >= _FIRST_YEAR) & (day >= 1) & (day <= last)
    return good
