"""What follows from a result: 通报表扬 or 通报批评, and points off the year-end target (区对基层民政组织意见 三（三）).

The document leaves the points to the district ("酌情扣分"): they come from a dated table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from app.domain.errors import Conflict
from app.domain.inspections.imprint import Imprint
from app.domain.inspections.judging import final
from app.domain.inspections.model import Result


class Notice(StrEnum):
    COMMENDATION = "commendation"  # 通报表扬
    CRITICISM = "criticism"  # 通报批评


@dataclass(frozen=True, slots=True)
class PointsTable:
    """Points off the year-end target, from a day on. ``steps``: from so many failed mandatory criteria on, so many hundredths
    of a point; ascending, the last one reached counts.
    """

    effective_from: date
    source: str
    steps: tuple[tuple[int, int], ...]

    def points_off(self, failed: int) -> int:
        """Hundredths of a point."""
        reached = [points for at_least, points in self.steps if failed >= at_least]
        return reached[-1] if reached else 0


@dataclass(frozen=True, slots=True)
class Consequence:
    """``points_off`` in hundredths of a point."""

    notice: Notice
    points_off: int
    source: str


def consequence_of(result: Result, tables: Sequence[PointsTable], on: date) -> Consequence:
    """Raises ``Conflict`` no_points_table for a day before the first table: never a fallback."""
    table = max((one for one in tables if one.effective_from <= on), key=lambda one: one.effective_from, default=None)
    if table is None:
        raise Conflict("no_points_table", f"{on} 尚无生效的验收扣分表，请先维护扣分表再公布。")
    failed = sum(1 for row in result.rows if row.mandatory and final(row) is False)
    if result.passed is True:
        return Consequence(Notice.COMMENDATION, 0, table.source)
    return Consequence(Notice.CRITICISM, table.points_off(failed), table.source)


@dataclass(frozen=True, slots=True)
class Frozen:
    """What is published about a station: its result, what follows from it, the facts it rests on, and what its documents name."""

    result: Result
    consequence: Consequence
    facts: Mapping[str, Any]
    standard: str
    standard_version: str
    as_of: date
    imprint: Imprint
