"""What the station files need of the outside: stores, divisions, the audit trail. Implemented in ``app/db``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from app.domain.access import AreaScope
from app.domain.stations.records import (
    C,
    CommunityOffice,
    E,
    Event,
    InformantDetails,
    InformantRecord,
    Sheet,
    StaffDetails,
    StaffRecord,
    StationContent,
    StationDetails,
    StationRecord,
)


class Stations(Protocol):
    """Stations, their staff and events."""

    async def lock(self, scope: AreaScope, area_code: str) -> None:
        """Takes the station files of a sub-district or community for this transaction."""

    async def get(self, scope: AreaScope, station_id: UUID) -> StationRecord: ...

    async def list_of_area(self, scope: AreaScope, area_code: str) -> Sequence[StationRecord]:
        """All stations that a sub-district ever had."""

    async def add(self, scope: AreaScope, area_code: str, details: StationDetails, *, by: UUID, now: datetime) -> UUID: ...

    async def change(self, scope: AreaScope, station: StationRecord, now: datetime) -> None:
        """Writes down the record as it now is; one version more."""

    async def get_staff(self, scope: AreaScope, station_id: UUID, staff_id: UUID) -> StaffRecord: ...

    async def list_everyone(self, scope: AreaScope, station_id: UUID) -> Sequence[StaffRecord]:
        """Everybody who ever held a post at the station."""

    async def add_staff(
        self, scope: AreaScope, station: StationRecord, details: StaffDetails, *, by: UUID, now: datetime
    ) -> UUID: ...

    async def change_staff(self, scope: AreaScope, staff: StaffRecord, now: datetime) -> None: ...

    async def has_account(self, scope: AreaScope, account_id: UUID, area_code: str) -> bool:
        """Whether it is an account of the area or below."""

    async def get_event(self, scope: AreaScope, station_id: UUID, kind: type[E], event_id: UUID) -> Event[E]: ...

    async def add_event(self, scope: AreaScope, station: StationRecord, content: E, *, by: UUID, now: datetime) -> UUID | None:
        """None when it is on file already."""

    async def change_event(self, scope: AreaScope, event: Event[E], now: datetime) -> None: ...

    async def remove_event(self, scope: AreaScope, event: Event[E]) -> None:
        """One that never took place; the audit trail keeps that it was on file."""


class Sheets(Protocol):
    async def put(
        self, scope: AreaScope, subject: StationRecord | str, content: C, valid_from: date, *, by: UUID, now: datetime
    ) -> Sheet[C]:
        """A new sheet of a station, or of a community by its code; one of the same day is superseded."""

    async def withdraw(
        self,
        scope: AreaScope,
        subject: StationRecord,
        kind: type[StationContent | CommunityOffice],
        sheet_id: UUID,
        now: datetime,
    ) -> str | None:
        """Takes a sheet of a station (or of one of its communities) out of force: its area, None when it isn't there."""


class Informants(Protocol):
    async def get(self, scope: AreaScope, informant_id: UUID) -> InformantRecord: ...

    async def list_of_community(self, scope: AreaScope, area_code: str) -> Sequence[InformantRecord]:
        """All informants that a community ever had."""

    async def add(self, scope: AreaScope, details: InformantDetails, *, by: UUID, now: datetime) -> UUID: ...

    async def change(self, scope: AreaScope, record: InformantRecord, now: datetime) -> None:
        """All but the phone."""

    async def change_phone(self, scope: AreaScope, informant_id: UUID, phone: str | None) -> None: ...


class Areas(Protocol):
    async def find_area(self, scope: AreaScope, code: str, digits: int, on: date) -> str | None:
        """The name of a division with so many digits, in force on the day and within the scope."""


class Trail(Protocol):
    """The audit trail: names of fields and opaque ids, never values."""

    async def note(
        self,
        action: str,
        kind: str,
        subject: UUID | None,
        area_code: str | None,
        fields: Iterable[str] = (),
        reason: str | None = None,
    ) -> None: ...
