"""What the acceptance needs of the outside. Implemented in ``app/db`` and at the routers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from app.domain.access import AreaScope
from app.domain.inspections.consequences import Consequence, Frozen
from app.domain.inspections.model import Campaign, Colleague, Inspection, Inspector, Mark, Rectification, Result
from app.domain.stations import Assessment


class Campaigns(Protocol):
    """Campaigns, inspections, marks, rectifications of one transaction."""

    async def add(self, scope: AreaScope, campaign: Campaign) -> None: ...

    async def get(self, scope: AreaScope, campaign_id: UUID, *, lock: bool = False) -> Campaign: ...

    async def save(self, scope: AreaScope, campaign: Campaign) -> Campaign:
        """One version more; its phase stands on its inspections too."""

    async def add_inspections(self, scope: AreaScope, inspections: Iterable[Inspection]) -> None: ...

    async def get_inspection(self, scope: AreaScope, inspection_id: UUID, *, lock: bool = False) -> Inspection: ...

    async def save_inspection(self, scope: AreaScope, inspection: Inspection) -> Inspection: ...

    async def list_inspections(self, scope: AreaScope, campaign_id: UUID) -> Sequence[Inspection]: ...

    async def busy_stations(self, scope: AreaScope, stations: Sequence[UUID]) -> Sequence[str]:
        """Names of those that are in another campaign which hasn't ended."""

    async def put_marks(self, scope: AreaScope, inspection: Inspection, marks: Iterable[Mark]) -> None: ...

    async def list_marks(self, scope: AreaScope, inspections: Sequence[UUID]) -> Mapping[UUID, Sequence[Mark]]: ...

    async def add_rectifications(self, scope: AreaScope, rectifications: Iterable[Rectification]) -> None: ...

    async def get_rectification(self, scope: AreaScope, rectification_id: UUID, *, lock: bool = False) -> Rectification: ...

    async def save_rectification(self, scope: AreaScope, rectification: Rectification) -> Rectification: ...

    async def list_rectifications_of(self, scope: AreaScope, inspections: Sequence[UUID]) -> Sequence[Rectification]: ...

    async def freeze(self, scope: AreaScope, campaign: Campaign, results: Iterable[Frozen], now: datetime) -> None:
        """Writes what is published, for good."""


@dataclass(frozen=True, slots=True)
class StationInScope:
    """A station that a campaign takes in, with the communities it serves."""

    station_id: UUID
    area_code: str
    name: str
    communities: tuple[str, ...]


class Derivation(Protocol):
    """What the operating data say, through the standards of stations."""

    def version_on(self, standard: str, day: date) -> str:
        """The version in force. ``NotFound`` standard_not_found; ``Conflict`` no_standard_in_force."""

    def standard_name(self, standard: str) -> str: ...

    async def issuer(self, scope: AreaScope, on: date) -> str:
        """发文机关: the civil affairs bureau of the district, by the district's name on the day."""

    def consequence_of(self, result: Result, on: date) -> Consequence:
        """通报表扬 or 通报批评, and points off, by the table in force on the day."""

    async def stations_of(self, scope: AreaScope, area_code: str, wanted: Sequence[UUID], on: date) -> Sequence[StationInScope]:
        """Those open on the day; ``wanted`` empty: all of the area."""

    async def assessments(
        self, scope: AreaScope, standard: str, version: str, as_of: date, stations: Sequence[UUID]
    ) -> Mapping[UUID, Assessment]:
        """Every station against this very version."""

    async def facts_document(
        self, scope: AreaScope, station_id: UUID, standard: str, version: str, on: date
    ) -> Mapping[str, Any]:
        """The facts that a version of a standard was judged by."""


class People(Protocol):
    """Who inspects, who ever worked where."""

    async def find_inspector(self, scope: AreaScope, account_id: UUID) -> Inspector | None:
        """An active account with the duty; None otherwise."""

    async def everyone_at(self, scope: AreaScope, station_id: UUID) -> Sequence[Colleague]:
        """Everybody who ever held a post there, former ones too."""

    async def names_of(self, scope: AreaScope, accounts: AbstractSet[UUID]) -> Mapping[UUID, str]:
        """What the accounts are called; closed ones too."""


class Evidence(Protocol):
    async def there(self, scope: AreaScope, area_code: str, files: AbstractSet[UUID]) -> AbstractSet[UUID]:
        """Which of the files are evidence about the station of this sub-district."""


class Trail(Protocol):
    async def note(self, action: str, kind: str, subject: UUID, area_code: str, fields: Iterable[str] = ()) -> None: ...
