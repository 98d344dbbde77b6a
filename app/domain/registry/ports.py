"""What the registry needs of the outside: stores and the audit trail. Implemented in ``app/db/repositories``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from app.domain.access import AreaScope
from app.domain.registry.entry import HouseholdChange, HouseholdEntry, PersonChange, Registration
from app.domain.registry.model import HouseholdRecord, Membership, PersonRecord, Relation


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose number it is; ``home`` is the (district, area) where that person is registered now, None if nowhere."""

    person_uid: UUID
    home: tuple[str, str] | None


class Identities(Protocol):
    """The only store that looks across districts."""

    async def claim(self, id_number: str) -> Claim: ...

    async def settle(self, scope: AreaScope, person_uid: UUID, area_code: str, now: datetime) -> None: ...

    async def attempts_elsewhere(self, caller: UUID, since: datetime) -> Sequence[datetime]: ...


class People(Protocol):
    async def add(self, scope: AreaScope, person_uid: UUID, registration: Registration, *, by: UUID, now: datetime) -> UUID: ...

    async def get(self, scope: AreaScope, person_id: UUID, on: date) -> PersonRecord: ...

    async def get_locked(self, scope: AreaScope, person_id: UUID, on: date) -> PersonRecord: ...

    async def list_locked(self, scope: AreaScope, person_ids: Iterable[UUID]) -> Sequence[PersonRecord]: ...

    async def birth_dates(self, scope: AreaScope, person_ids: Iterable[UUID]) -> Mapping[UUID, date]:
        """Of those within the scope, without taking them."""

    async def find_id(self, scope: AreaScope, person_uid: UUID) -> UUID | None: ...

    async def id_number(self, scope: AreaScope, person_id: UUID) -> str: ...

    async def change(self, scope: AreaScope, person_id: UUID, change: PersonChange, *, by: UUID, now: datetime) -> None: ...

    async def relocate(self, scope: AreaScope, person_ids: Iterable[UUID], area_code: str, now: datetime) -> None: ...


class Households(Protocol):
    async def lock(self, scope: AreaScope, household_ids: Iterable[UUID]) -> None: ...

    async def add(self, scope: AreaScope, entry: HouseholdEntry, *, by: UUID, now: datetime) -> UUID: ...

    async def get(self, scope: AreaScope, household_id: UUID, on: date) -> HouseholdRecord: ...

    async def change(self, scope: AreaScope, household_id: UUID, change: HouseholdChange, *, now: datetime) -> None: ...

    async def stays_of_people(self, scope: AreaScope, person_ids: Iterable[UUID]) -> Sequence[Membership]: ...

    async def stays_in(self, scope: AreaScope, household_id: UUID) -> Sequence[Membership]: ...

    async def end_stay(self, scope: AreaScope, stay: Membership) -> None: ...

    async def add_stay(self, scope: AreaScope, stay: NewStay, *, by: UUID, now: datetime) -> Membership: ...

    async def touch(self, scope: AreaScope, household_ids: Iterable[UUID], now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class NewStay:
    """A membership to be written; ``area_code`` is the household's."""

    household_id: UUID
    area_code: str
    person_id: UUID
    relation: Relation
    valid_from: date


class Areas(Protocol):
    async def find_community(self, scope: AreaScope, code: str, on: date) -> str | None:
        """The name of a community in force on the day and within the scope."""

    async def name_of(self, code: str) -> str: ...


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
