"""The dated table of points off that comes with the application, checked when it is read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.domain.inspections.consequences import Consequence, PointsTable, consequence_of
from app.domain.inspections.model import Result

DOCUMENT = Path(__file__).parent / "data" / "acceptance-points.yaml"
HUNDREDTHS = 100


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid")

    failed: int = Field(ge=1)
    points: Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    effective_from: date
    source: str = Field(min_length=1)
    steps: list[_Step] = Field(min_length=1)


def read_points(text: str) -> tuple[PointsTable, ...]:
    """The tables of a document, by their first day. Raises ``ValueError`` (pydantic's) naming the place."""
    tables = TypeAdapter(list[_Table]).validate_python(yaml.safe_load(text))
    return tuple(
        PointsTable(
            table.effective_from,
            table.source,
            tuple(sorted((step.failed, int(step.points * HUNDREDTHS)) for step in table.steps)),
        )
        for table in sorted(tables, key=lambda table: table.effective_from)
    )


@cache
def points_tables() -> tuple[PointsTable, ...]:
    return read_points(DOCUMENT.read_text("utf-8"))


def consequence_on(result: Result, on: date) -> Consequence:
    """What follows from a result by the table in force on the day."""
    return consequence_of(result, points_tables(), on)
