"""The next part of an import made ready while Postgres writes the one before: one processor reads and seals, another writes.

Nothing is decided ahead. A part that isn't ready, or couldn't be made so, is simply made ready in its turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.import_writers import RunContext
from app.db.repositories.import_parts import StagedPart
from app.domain.access import AreaScope
from app.domain.imports.model import Applied, Block
from app.domain.imports.reading import RawRow

log = logging.getLogger("minzheng.imports")


@runtime_checkable
class LooksAhead(Protocol):
    """A writer that can make much of a block ready before its turn; ``write`` takes what ``look_ahead`` gave."""

    async def look_ahead(self, scope: AreaScope, session: AsyncSession, block: Block, run: RunContext) -> Any: ...

    async def write(
        self, scope: AreaScope, session: AsyncSession, block: Block, run: RunContext, ahead: Any = None
    ) -> Applied: ...


@dataclass(frozen=True, slots=True)
class ReadyPart:
    """A part with its rows as sent and parsed, and whatever its writer has made ready."""

    part: StagedPart
    rows: Sequence[RawRow]
    block: Block
    ahead: Any = None


class PartAhead:
    """Room for one part: whoever starts another gives up the one before."""

    def __init__(self) -> None:
        self._of: tuple[UUID, int] | None = None
        self._task: asyncio.Task[ReadyPart] | None = None

    def start(self, import_id: UUID, number: int, work: Coroutine[Any, Any, ReadyPart]) -> None:
        """Begins to make a part ready."""
        self.drop()
        self._of, self._task = (import_id, number), asyncio.create_task(work)

    async def take(self, import_id: UUID, number: int) -> ReadyPart | None:
        """The part, once it is ready; None when nobody has started it or it failed."""
        if self._of != (import_id, number) or self._task is None:
            return None
        task, self._of, self._task = self._task, None, None
        try:
            return await task
        except Exception:
            log.warning("a part could not be made ready ahead", exc_info=True, extra={"import": str(import_id), "part": number})
            return None

    def drop(self) -> None:
        """Gives up what is on its way."""
        if self._task is not None:
            self._task.add_done_callback(_ignored)
            self._task.cancel()
        self._of = self._task = None


def _ignored(task: asyncio.Task[ReadyPart]) -> None:
    """Nobody asks any more how it ended."""
    if not task.cancelled():
        task.exception()
