"""Which handler does which kind of job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.access import AreaScope
from app.runtime import Runtime


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as its handler sees it."""

    id: UUID
    scope: AreaScope
    kind: str
    subject_id: UUID | None
    arguments: dict[str, Any]
    requested_by: UUID

    @property
    def subject(self) -> UUID:
        """What the job is about, for kinds that always name it."""
        if self.subject_id is None:
            raise ValueError(f"job {self.id} names no subject")
        return self.subject_id


@dataclass(frozen=True, slots=True)
class ChunkView:
    """One chunk of a job."""

    id: UUID
    number: int
    arguments: dict[str, Any]
    attempts: int


class JobHandler(Protocol):
    """Both methods run inside a transaction whose walls are the job's scope; they neither commit nor call out."""

    async def run_chunk(
        self, runtime: Runtime, session: AsyncSession, job: JobView, chunk: ChunkView, *, now: datetime
    ) -> dict[str, Any] | None:
        """Does the chunk; what it returns is kept as the chunk's result."""
        ...

    async def finish(self, runtime: Runtime, session: AsyncSession, job: JobView, *, now: datetime) -> None:
        """Runs once, after the last chunk, in the transaction that marks the job succeeded."""
        ...

    async def give_up(
        self, runtime: Runtime, session: AsyncSession, job: JobView, problem: dict[str, Any], *, now: datetime
    ) -> None:
        """Runs once when the job failed for good, in the transaction that marks it failed."""
        ...


_HANDLERS: dict[str, JobHandler] = {}
_LANES: dict[str, int] = {}


def register_handler(kind: str, handler: JobHandler, *, lanes: int = 1) -> None:
    """Called once per kind when the area of the domain is imported. ``lanes``: how many chunks of a job a worker does at once, at
    most: a job whose argument ``lanes`` is less has so many.
    """
    _HANDLERS[kind], _LANES[kind] = handler, lanes


def lanes_of(job: JobView) -> int:
    """How many chunks of this job a worker does at once."""
    return min(_LANES[job.kind], int(job.arguments.get("lanes", _LANES[job.kind])))


def knows(kind: str) -> bool:
    """False for a kind of a newer release, met while releases change."""
    return kind in _HANDLERS


def handler_of(kind: str) -> JobHandler:
    return _HANDLERS[kind]
