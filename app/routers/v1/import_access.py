"""Who may send and see imports: a kind names its importers, an import is seen within the area it was sent from."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

import app.db.import_writers.everything  # noqa: F401  (the kinds say who may send them)
from app.db.repositories.imports import ImportRepository
from app.dependencies import allow
from app.domain.access import Actor, Duty
from app.domain.imports import service
from app.domain.imports.ports import ImportRun
from app.domain.imports.registry import KINDS, kind_of

IMPORTERS = frozenset({Duty.STATION_CLERK, Duty.REVIEWER, Duty.FINANCE}).union(*(kind.importers for kind in KINDS.values()))

Importer = Annotated[Actor, allow(*sorted(IMPORTERS))]
Reader = Annotated[Actor, allow(*sorted(IMPORTERS | {Duty.AUDITOR}))]


async def visible_run(session: AsyncSession, actor: Actor, import_id: UUID, *, lock: bool = False) -> ImportRun:
    """An import of the caller's area. Raises NotFound."""
    return await ImportRepository(session).get(actor.scope, import_id, lock=lock)


def require_sight_of_rows(run: ImportRun, actor: Actor) -> None:
    """Rows, even masked, are for those who may send such rows, and for auditors. Raises Forbidden."""
    if not actor.has(Duty.AUDITOR):
        service.require_importer(kind_of(run.order.kind), actor)
