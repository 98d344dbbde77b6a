"""A published result as documents read it: from what was frozen at the publication, and from nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.domain.errors import Conflict
from app.domain.inspections.imprint import Failing
from app.domain.inspections.judging import final
from app.domain.inspections.model import Row


@dataclass(frozen=True, slots=True)
class PublishedStation:
    """``points_off`` and ``score_points`` in hundredths of a point; ``published_at`` in Shanghai's time."""

    station_id: UUID
    area_code: str
    name: str
    passed: bool
    score_points: int
    rank: int
    notice: str
    points_off: int
    points_source: str
    standard: str
    standard_name: str
    standard_version: str
    as_of: date
    title: str
    issuer: str
    conclude_by: date
    published_at: datetime
    inspectors: tuple[str, ...]
    station_head: str | None
    criteria: tuple[Row, ...]
    failing: tuple[Failing, ...]
    content_hash: str

    @property
    def failed_criteria(self) -> list[Row]:
        return [one for one in self.criteria if final(one) is False]

    def failing_of(self, criterion: str) -> Failing | None:
        return next((one for one in self.failing if one.criterion == criterion), None)


def read_published(content: Mapping[str, Any], *, rank: int, content_hash: str, published_at: datetime) -> PublishedStation:
    """``content`` as it was frozen. ``Conflict`` document_not_frozen: published before documents were frozen with it."""
    imprint = content.get("imprint")
    if imprint is None:
        text = "该结果由较早版本的系统公布，没有固定生成文件所需的内容，请以“验收结果（已公布）”的数据为准。"
        raise Conflict("document_not_frozen", text)
    result, consequence = content["result"], content["consequence"]
    return PublishedStation(
        station_id=UUID(result["station_id"]),
        area_code=result["area_code"],
        name=result["station_name"],
        passed=result["passed"] is True,
        score_points=result["score_points"] or 0,
        rank=rank,
        notice=consequence["notice"],
        points_off=consequence["points_off"],
        points_source=consequence["source"],
        standard=content["standard"],
        standard_name=imprint["standard_name"],
        standard_version=content["standard_version"],
        as_of=date.fromisoformat(content["as_of"]),
        title=imprint["title"],
        issuer=imprint["issuer"],
        conclude_by=date.fromisoformat(imprint["schedule"]["conclude_by"]),
        published_at=published_at,
        inspectors=tuple(imprint["inspectors"]),
        station_head=imprint["station_head"],
        criteria=tuple(_row(row) for row in result["rows"]),
        failing=tuple(_failing(one) for one in imprint["failing"]),
        content_hash=content_hash,
    )


def _row(row: Mapping[str, Any]) -> Row:
    kept: dict[str, Any] = {field.name: row.get(field.name) for field in fields(Row)}
    return Row(**kept)


def _failing(one: Mapping[str, Any]) -> Failing:
    until = one["rectify_by"]
    return Failing(one["criterion"], one["requirement"], date.fromisoformat(until) if until else None, one["closed"])


def by_rank(stations: Sequence[PublishedStation]) -> list[PublishedStation]:
    return sorted(stations, key=lambda one: (one.rank, one.area_code))
