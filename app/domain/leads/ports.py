"""What leads need of the outside. Implemented in ``app/db``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol
from uuid import UUID

from app.domain.access import AreaScope
from app.domain.calendar import Calendar
from app.domain.leads.model import Lead, Party


class Leads(Protocol):
    async def add(self, scope: AreaScope, lead: Lead) -> None: ...

    async def get(self, scope: AreaScope, lead_id: UUID, *, lock: bool = False) -> Lead: ...

    async def save(self, scope: AreaScope, lead: Lead) -> Lead:
        """One version more."""


class Surroundings(Protocol):
    """Communities, informants, households and colleagues as leads name them."""

    async def is_community(self, scope: AreaScope, area_code: str, on: date) -> bool: ...

    async def informant_serves(self, scope: AreaScope, informant_id: UUID, area_code: str, on: date) -> bool: ...

    async def household_lives(self, scope: AreaScope, household_id: UUID, area_code: str) -> bool: ...

    async def find_colleague(self, scope: AreaScope, account_id: UUID, area_code: str) -> Party | None:
        """An active clerk or head of the station that serves the community."""

    async def calendar(self) -> Calendar: ...


class Trail(Protocol):
    async def note(self, action: str, kind: str, subject: UUID, area_code: str, fields: Iterable[str] = ()) -> None: ...
