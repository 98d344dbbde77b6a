"""What the register of officials needs of the outside. Implemented in ``app/db``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from app.domain.access import AreaScope
from app.domain.officials.model import OfficialRecord, Post, RelativeEntry


class Officials(Protocol):
    async def lock_numbers(self, scope: AreaScope, id_numbers: Iterable[str]) -> None:
        """Takes these numbers for this transaction."""

    async def get(self, scope: AreaScope, official_id: UUID) -> OfficialRecord: ...

    async def find_by_number(self, scope: AreaScope, id_number: str) -> UUID | None:
        """The official himself with this number, within the scope."""

    async def add(self, scope: AreaScope, post: Post, id_number: str, *, by: UUID, now: datetime) -> UUID: ...

    async def change(self, scope: AreaScope, official_id: UUID, post: Post, now: datetime) -> None: ...

    async def remove(self, scope: AreaScope, official_id: UUID) -> None:
        """With everything that he has declared."""

    async def numbers_of(self, scope: AreaScope, official_id: UUID) -> Sequence[str]:
        """His own plain number, and those of the relatives he has declared."""

    async def add_relatives(
        self, scope: AreaScope, official_id: UUID, area_code: str, entries: Sequence[RelativeEntry], now: datetime
    ) -> None: ...

    async def remove_relative(self, scope: AreaScope, official_id: UUID, relative_id: UUID, now: datetime) -> bool:
        """Whether there was one."""


class Areas(Protocol):
    async def is_area(self, scope: AreaScope, code: str, on: date) -> bool:
        """Whether it is a division in force on the day, within the scope."""


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
