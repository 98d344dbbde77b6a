"""What the year-end assessment needs of the outside. Implemented in ``app/db``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from app.domain.access import AreaScope
from app.domain.appraisals.model import Adjustment, Appraisal, Inputs, Measured, Report, Score, StationYear, Target
from app.domain.appraisals.personnel import Person, PersonRecord, PersonYear
from app.domain.appraisals.scheme import Scheme, Shelf
from app.domain.appraisals.scoring import StationResult


@dataclass(frozen=True, slots=True)
class StationTaken:
    """A station that a year takes in."""

    station_id: UUID
    area_code: str
    name: str


@dataclass(frozen=True, slots=True)
class FrozenYear:
    """What is published about a station: its result and everything that it was computed from."""

    station: StationYear
    result: StationResult
    inputs: Inputs
    people: Sequence[PersonYear]


class Schemes(Protocol):
    """The schemes that come with the application, and those that the district has laid down."""

    async def shelf(self, scope: AreaScope) -> Shelf: ...

    async def add(self, scope: AreaScope, scheme: Scheme) -> None: ...


class Years(Protocol):
    """The years and the stations in them, of one transaction."""

    async def add(self, scope: AreaScope, appraisal: Appraisal, stations: Iterable[StationYear]) -> None: ...

    async def get(self, scope: AreaScope, appraisal_id: UUID, *, lock: bool = False) -> Appraisal: ...

    async def find_of_year(self, scope: AreaScope, area_code: str, year: int) -> Appraisal | None:
        """The one that wasn't cancelled."""

    async def save(self, scope: AreaScope, appraisal: Appraisal) -> Appraisal:
        """One version more; the phase stands on its stations too."""

    async def list_stations(self, scope: AreaScope, appraisal_id: UUID, *, lock: bool = False) -> Sequence[StationYear]:
        """By area. ``lock``: nobody enters anything until this transaction ends."""

    async def get_station(self, scope: AreaScope, station_appraisal_id: UUID, *, lock: bool = False) -> StationYear: ...

    async def find_station_year(self, scope: AreaScope, station_id: UUID, year: int, *, lock: bool = False) -> StationYear | None:
        """A station in the year's appraisal that wasn't cancelled."""

    async def touch(self, scope: AreaScope, station: StationYear) -> StationYear:
        """One version more."""

    async def freeze(self, scope: AreaScope, appraisal: Appraisal, years: Iterable[FrozenYear], now: datetime) -> None:
        """Writes what is published, for good."""

    async def list_frozen(self, scope: AreaScope, appraisal_id: UUID) -> Sequence[StationResult]:
        """What was published, by rank."""


class Entries(Protocol):
    """What was entered about stations; the latest word on each thing."""

    async def add_targets(self, scope: AreaScope, station: StationYear, targets: Iterable[Target]) -> None: ...

    async def add_reports(self, scope: AreaScope, station: StationYear, reports: Iterable[Report]) -> None: ...

    async def add_scores(self, scope: AreaScope, station: StationYear, scores: Iterable[Score]) -> None: ...

    async def add_adjustment(self, scope: AreaScope, station: StationYear, adjustment: Adjustment) -> None: ...

    async def save_adjustment(self, scope: AreaScope, adjustment: Adjustment) -> None: ...

    async def list_inputs(self, scope: AreaScope, stations: Sequence[StationYear]) -> Mapping[UUID, Inputs]:
        """Station appraisal → its inputs without what is measured, for all of them at once."""


class Measurements(Protocol):
    """What the operating data say about stations in a year up to a day: the one way in which other areas count here.

    A measure that has no data for a station is left out of its mapping.
    """

    async def measure(
        self, scope: AreaScope, stations: Sequence[UUID], year: int, as_of: date, scheme: Scheme
    ) -> Mapping[UUID, Mapping[str, Measured]]:
        """Station → measure or deduction (``measures``) → value; those that the scheme asks for."""


class People(Protocol):
    """Assistants and informants, and what was put on record about them."""

    async def list_people(self, scope: AreaScope, stations: Sequence[UUID], first: date, last: date) -> Sequence[Person]:
        """Who was there on any day of the period."""

    async def list_records(self, scope: AreaScope, stations: Sequence[UUID], year: int) -> Sequence[PersonRecord]:
        """The latest word on each person and period."""

    async def add_records(self, scope: AreaScope, records: Iterable[PersonRecord]) -> None: ...


class Stations(Protocol):
    async def taken(self, scope: AreaScope, area_code: str, wanted: Sequence[UUID], on: date) -> Sequence[StationTaken]:
        """Those that stand on the day; ``wanted`` empty: all of the area. ``NotFound`` station_not_found."""

    async def area_of(self, scope: AreaScope, station_id: UUID) -> str:
        """``NotFound`` station_not_found."""

    async def staff_of(self, scope: AreaScope, station_id: UUID, first: date, last: date) -> Sequence[tuple[UUID | None, str]]:
        """Account (where there is one) and name of everybody who held a post in the period."""

    async def name_of(self, scope: AreaScope, account_id: UUID) -> str:
        """The display name of an account."""


class Evidence(Protocol):
    async def there(self, scope: AreaScope, area_code: str, files: AbstractSet[UUID]) -> AbstractSet[UUID]:
        """Which of the files are evidence about the station of this sub-district."""


class Trail(Protocol):
    async def note(self, action: str, kind: str, subject: UUID, area_code: str, fields: Iterable[str] = ()) -> None: ...
