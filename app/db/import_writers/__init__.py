"""Writers of imported rows: one per kind, found by the kind's code.

A writer gets blocks of rows that are right in themselves, writes them set-wise in the caller's transaction and answers what
became of them; it neither commits nor knows where the rows came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, runtime_checkable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.access import AreaScope
from app.domain.imports.model import Applied, Block, Kind, Mode
from app.security.fields import BlindIndex, FieldCipher
from app.security.keys import KeyRing


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a writer knows of the import it writes for.

    ``today`` is the business date of the request. ``keys.fingerprint(purpose, message)`` makes the keyed digests of the marks.
    ``synthetic`` marks made-up people (the demo's own).
    """

    import_id: UUID
    kind: Kind
    mode: Mode
    today: date
    now: datetime
    actor_id: UUID
    actor_name: str
    keys: KeyRing
    cipher: FieldCipher
    blind_index: BlindIndex
    synthetic: bool = False


class Writer(Protocol):
    """Writes the rows of one kind, and takes a whole import back.

    Refuses rows (``Applied.refused``, by row number) rather than raising: one bad row never fails its block. All rows of a
    block that are not refused are written, or unchanged.
    """

    async def write(self, scope: AreaScope, session: AsyncSession, block: Block, run: RunContext) -> Applied: ...

    async def what_built_on(self, scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> dict[str, int]:
        """What would lose its ground if the import were undone, by what it is (a code of ``import_blocker``), zeros left out.

        ``run`` is the import's own: its keys tell whether a row still is as the import left it (later edits).
        """
        ...

    async def undo(self, scope: AreaScope, session: AsyncSession, import_id: UUID, run: RunContext) -> None:
        """Takes away what the import created and puts back what it changed; called only when nothing built on it."""
        ...


@runtime_checkable
class HoldsSubjects(Protocol):
    """A writer whose subjects are edited at the desk, too: nobody else may write them between looking and taking back."""

    async def hold(self, scope: AreaScope, session: AsyncSession, import_id: UUID) -> None:
        """Takes the rows of whatever the import wrote for this transaction."""
        ...


_WRITERS: dict[str, Writer] = {}


def register_writer(code: str, writer: Writer) -> None:
    """Called once per kind, by the module of its writer."""
    _WRITERS[code] = writer


def writer_of(kind: Kind) -> Writer:
    """Raises LookupError for a kind that nobody writes: a fault of the build, which a test looks for."""
    return _WRITERS[kind.code]
