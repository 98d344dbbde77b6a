"""Figures for charts: a heat table, a radar for each station, a trend for each dimension. Pure, over assessments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from uuid import UUID

from app.domain.calendar import Month
from app.domain.stations.model import Assessment, Criterion, Dimension
from app.domain.stations.operating import OperatingReading, Period
from app.domain.stations.scoring import score_of, scores_by_dimension

HUNDREDTHS = 100


@dataclass(frozen=True, slots=True)
class StationOnShow:
    """A station and how it stands; the points in hundredths, None where nothing can be said."""

    station_id: UUID
    area_code: str
    name: str
    grade: str
    points: int | None
    cells: tuple[bool | None, ...]  # one for each criterion, in the order of the heat table
    radar: Mapping[str, int | None]  # dimension → points


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The mean of all stations at one day, by dimension, in hundredths of a point."""

    as_of: date
    points: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Subject:
    """A station with its assessment."""

    station_id: UUID
    area_code: str
    name: str
    assessment: Assessment


def shown(subject: Subject) -> StationOnShow:
    verdicts = subject.assessment.criteria
    return StationOnShow(
        station_id=subject.station_id,
        area_code=subject.area_code,
        name=subject.name,
        grade=subject.assessment.grade.value,
        points=hundredths(score_of(verdicts).points),
        cells=tuple(verdict.met for verdict in verdicts),
        radar={dimension.value: hundredths(score.points) for dimension, score in scores_by_dimension(verdicts).items()},
    )


def trend_point(as_of: date, assessments: Sequence[Assessment]) -> TrendPoint:
    """The mean over the stations that stood on the day."""
    points: dict[Dimension, list[Fraction]] = {}
    for assessment in assessments:
        for dimension, score in scores_by_dimension(assessment.criteria).items():
            if score.points is not None:
                points.setdefault(dimension, []).append(score.points)
    means = {dimension.value: hundredths(sum(found, Fraction()) / len(found)) for dimension, found in points.items()}
    return TrendPoint(as_of, means)


def hundredths(points: Fraction | None) -> int | None:
    """Truncated, never rounded up."""
    return None if points is None else points.numerator * HUNDREDTHS // points.denominator


@dataclass(frozen=True, slots=True)
class Funnel:
    """Rectifications: all that were listed, handed in, closed, and open after their day."""

    found: int
    submitted: int
    closed: int
    overdue: int


@dataclass(frozen=True, slots=True)
class StationFigures:
    """How a station worked over the period, in the order of ``operating.OPERATING``."""

    station_id: UUID
    name: str
    readings: tuple[OperatingReading, ...]


@dataclass(frozen=True, slots=True)
class Operations:
    """How all of them worked, whatever the standard of the page."""

    period: Period
    stations: tuple[StationFigures, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything on one page."""

    standard: str
    as_of: date
    criteria: tuple[Criterion, ...]
    stations: tuple[StationOnShow, ...]
    trend: tuple[TrendPoint, ...]
    rectifications: Funnel
    operations: Operations


def month_ends(as_of: date, months: int) -> list[date]:
    """The last days of the months before, the oldest first."""
    return [Month.of(as_of).shift(-back).last_day for back in range(months, 0, -1)]
