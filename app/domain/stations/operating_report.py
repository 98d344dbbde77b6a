"""How a station works, with three sources side by side: the data, the station's own word, what inspectors found. Pure.

None of the three changes another. Where the station's own word is against the data, the row says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domain.stations.dashboard import hundredths
from app.domain.stations.model import Assessment, Verdict
from app.domain.stations.operating import OperatingReading, Period
from app.domain.stations.scoring import score_of


@dataclass(frozen=True, slots=True)
class Words:
    """What was said about a station's criteria, by code; the latest word of each source."""

    self_met: Mapping[str, bool]
    found: Mapping[str, bool]


NO_WORDS = Words({}, {})


@dataclass(frozen=True, slots=True)
class SourcesRow:
    """One criterion: ``verdict`` from the data, ``self_met`` as the station says, ``found`` as confirmed by an inspection."""

    verdict: Verdict
    self_met: bool | None
    found: bool | None

    @property
    def disagrees(self) -> bool:
        """The station's own word against the data; open data contradict nobody."""
        return None not in (self.self_met, self.verdict.met) and self.self_met is not self.verdict.met


@dataclass(frozen=True, slots=True)
class StationOperations:
    """One station in the report; ``points`` in hundredths, None where nothing can be said."""

    station_id: UUID
    area_code: str
    name: str
    grade: str
    points: int | None
    readings: tuple[OperatingReading, ...]
    rows: tuple[SourcesRow, ...]


@dataclass(frozen=True, slots=True)
class OperationsReport:
    """The stations of a scope by a standard, over a period."""

    standard: str
    version: str
    as_of: date
    period: Period
    stations: tuple[StationOperations, ...]


def rows_of(assessment: Assessment, words: Words) -> tuple[SourcesRow, ...]:
    """In the order of the standard."""
    return tuple(
        SourcesRow(verdict, words.self_met.get(verdict.criterion.code), words.found.get(verdict.criterion.code))
        for verdict in assessment.criteria
    )


def points_of(assessment: Assessment) -> int | None:
    return hundredths(score_of(assessment.criteria).points)
