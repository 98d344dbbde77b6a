"""What service items need of the outside. Implemented in ``app/db``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from app.domain.access import AreaScope, Signature
from app.domain.calendar import Calendar
from app.domain.service_items.model import Item, ItemList, ListEntry, ListLevel, Party
from app.domain.service_items.requests import LinkedApplication, Request


class Lists(Protocol):
    async def publish(
        self, scope: AreaScope, list_id: UUID, entry: ListEntry, *, by_application: Collection[str], signed: Signature
    ) -> None:
        """One number more than the last version of the level."""

    async def get(self, scope: AreaScope, list_id: UUID) -> ItemList: ...

    async def find_in_force(self, scope: AreaScope, level: ListLevel, on: date) -> ItemList | None: ...

    async def find_item(self, scope: AreaScope, list_id: UUID, code: str) -> Item | None: ...


@dataclass(frozen=True, slots=True)
class Happening:
    """One act, as it is kept for good beside the request. ``details``: codes only."""

    act: str
    by: Party
    on: date
    details: Mapping[str, Any] = field(default_factory=dict)


class Requests(Protocol):
    async def add(self, scope: AreaScope, request: Request, phone: str | None, happening: Happening) -> None: ...

    async def get(self, scope: AreaScope, request_id: UUID, *, lock: bool = False) -> Request: ...

    async def save(self, scope: AreaScope, request: Request, happening: Happening) -> Request:
        """One version and one event more."""


class Surroundings(Protocol):
    """Areas, people, colleagues and applications as requests name them."""

    async def list_level(self, scope: AreaScope, area_code: str, on: date) -> ListLevel: ...

    async def is_registered(self, scope: AreaScope, person_id: UUID) -> bool: ...

    async def find_colleague(self, scope: AreaScope, account_id: UUID, area_code: str) -> Party | None:
        """An active account with a counter in this area, or at the station that it belongs to."""

    async def find_application(self, scope: AreaScope, application_id: UUID) -> LinkedApplication | None:
        """One that no request is linked to yet."""

    async def calendar(self) -> Calendar: ...


class Trail(Protocol):
    async def note(self, action: str, kind: str, subject: UUID, area_code: str, fields: Iterable[str] = ()) -> None: ...
