"""What imports ask of storage and of the queue. ``app/db/repositories`` and ``app/jobs`` answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from app.domain.access import AreaScope
from app.domain.imports.model import ImportStatus, Mode


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What a caller asks for: a file that is in store already, as what, and how."""

    kind: str
    mode: Mode
    dry_run: bool
    profile: str | None
    file_id: UUID


@dataclass(frozen=True, slots=True)
class Counts:
    """Of rows. ``ok`` are those created, updated and unchanged."""

    rejected: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0

    @property
    def ok(self) -> int:
        return self.created + self.updated + self.unchanged


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One import on record. ``parts_done`` of ``parts`` have been applied, or have nothing to apply; ``file_bytes`` is the size
    of the file.
    """

    id: UUID
    area_code: str
    order: ImportOrder
    file_name: str
    file_bytes: int
    status: ImportStatus
    phase: str
    rows_total: int
    counts: Counts
    bytes_read: int
    parts: int
    parts_done: int
    layout: dict[str, Any] | None
    notices: Sequence[dict[str, Any]]
    problem: dict[str, Any] | None
    requested_by: UUID
    requested_by_name: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    undone_at: datetime | None
    version: int

    @property
    def is_finished(self) -> bool:
        return self.status not in (ImportStatus.QUEUED, ImportStatus.RUNNING)

    @property
    def has_written(self) -> bool:
        """Whether there is anything to take back."""
        return not self.order.dry_run and self.counts.created + self.counts.updated > 0


@dataclass(frozen=True, slots=True)
class ImportFilter:
    """What a list is narrowed to."""

    kind: str | None = None
    status: ImportStatus | None = None


class Imports(Protocol):
    """The imports sent from a scope."""

    async def get(self, scope: AreaScope, import_id: UUID, *, lock: bool = False) -> ImportRun:
        """``NotFound`` import_not_found."""

    async def add(self, scope: AreaScope, import_id: UUID, order: ImportOrder, by: UUID, name: str, now: datetime) -> None: ...

    async def set(self, scope: AreaScope, import_id: UUID, **values: Any) -> None:
        """Sets columns of the import under its next version."""

    async def drop_staged(self, scope: AreaScope, import_id: UUID) -> None:
        """Forgets the rows as sent; the rejected ones stay."""


class ImportJobs(Protocol):
    """Starts the phases of an import in the transaction of the caller."""

    async def read(self, scope: AreaScope, import_id: UUID, by: UUID, now: datetime, today: date) -> UUID: ...

    async def apply(
        self, scope: AreaScope, import_id: UUID, parts: Sequence[int], by: UUID, now: datetime, today: date
    ) -> UUID: ...

    async def undo(self, scope: AreaScope, import_id: UUID, by: UUID, now: datetime, today: date) -> UUID: ...
