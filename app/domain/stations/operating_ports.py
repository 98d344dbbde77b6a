"""One interface for each area of work that operating measures are read from. Implemented in ``app/db``.

An area that keeps nothing yet has nobody behind its interface, and its measures say ``no_data``. It becomes measured by an
implementation, without a change to a measure or a standard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.domain.access import AreaScope
from app.domain.stations.operating import OPERATING, Miss, Period, Tally, Work


class OperatingSource(Protocol):
    """What every area answers. Rows of sub-districts outside the scope are never counted."""

    @property
    def kept(self) -> frozenset[str]:
        """The measures it has data for; the others of its area have none."""

    async def tallies(self, scope: AreaScope, measure: str, period: Period) -> Mapping[str, Tally]:
        """Sub-district → its tally, for all of the scope at once: one query. Without a case it is left out."""

    async def list_misses(
        self, scope: AreaScope, measure: str, area_code: str, period: Period, *, after: UUID | None, limit: int
    ) -> Sequence[Miss]:
        """The cases of a sub-district that the tally didn't count as good: a page by id."""

    async def count_misses(self, scope: AreaScope, measure: str, area_code: str, period: Period) -> int: ...


class Casework(OperatingSource, Protocol):
    """Applications and entitlements: time limits, surveys and visits, notices, reviews, case files."""


class Payments(OperatingSource, Protocol):
    """Payments: what reached an account, what the bank returned and for how long it has lain."""


class Leads(OperatingSource, Protocol):
    """Leads of the informants: settled in time, and who reports."""


class StationFiles(OperatingSource, Protocol):
    """Trainings and meetings on file."""


class ServiceItems(OperatingSource, Protocol):
    """Requests by the three lists of service items: settled within the promised time."""


class Complaints(OperatingSource, Protocol):
    """Hotline, letters and visits."""


@dataclass(frozen=True)
class Sources:
    """Who answers for each area; None: nobody keeps it yet."""

    casework: Casework
    payments: Payments
    leads: Leads
    station_files: StationFiles
    service_items: ServiceItems | None = None
    complaints: Complaints | None = None

    def of(self, measure: str) -> OperatingSource | None:
        """Whoever has data for a measure."""
        sources: dict[Work, OperatingSource | None] = {
            Work.CASEWORK: self.casework,
            Work.PAYMENTS: self.payments,
            Work.LEADS: self.leads,
            Work.STATION_FILES: self.station_files,
            Work.SERVICE_ITEMS: self.service_items,
            Work.COMPLAINTS: self.complaints,
        }
        source = sources[OPERATING[measure].work]
        return source if source is not None and measure in source.kept else None

    def kept(self) -> Iterator[str]:
        """Every measure that has data."""
        return (measure for measure in OPERATING if self.of(measure) is not None)
