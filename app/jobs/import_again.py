"""A file that was imported before, byte for byte: what was read of it then still holds, and when nothing has been written over it
since, that is all there is to do. Scripts send a file again whenever they have lost the answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app import __version__
from app.db.import_writers import RunContext, writer_of
from app.db.import_writers.row_digests import KnowsRows, RowDigests
from app.db.repositories.import_parts import ImportPartRepository
from app.db.repositories.imports import ImportRepository
from app.domain.access import AreaScope
from app.domain.imports.ports import ImportRun
from app.files import KeptFile


def read_under(name: str, areas: Iterable[str]) -> str:
    """What else decides how a file is read, beside its content: the release, the form its name says, the divisions in force."""
    divisions = hashlib.sha256("\n".join(sorted(areas)).encode()).hexdigest()[:16]
    return f"{__version__} {PurePath(name).suffix.lower()} {divisions}"


async def settle_as_before(
    scope: AreaScope, session: AsyncSession, run: ImportRun, kept: KeptFile, context: RunContext, under: str
) -> dict[str, Any] | None:
    """The columns of an import of which nothing need be read; None when it has to be.

    Asks for a former import of the same content by the same area, in the same way, without a rejected row, and then of every part
    whether its rows still say what they said.
    """
    imports, parts, writer = ImportRepository(session), ImportPartRepository(session), writer_of(context.kind)
    if not isinstance(writer, KnowsRows):
        return None
    former = await imports.find_former(scope, run, kept.sha256, under)
    if former is None:
        return None
    for number, _ in await parts.list_first_rows(scope, former.id):
        digests = await parts.find_digests(scope, former.id, number)
        if digests is None or not await writer.says_nothing_new(scope, session, RowDigests.unpack(digests)):
            return None
    await parts.add_unchanged(scope, former.id, run.id)
    told = {"layout": former.layout, "notices": list(former.notices)}
    return told | {"rows_total": former.rows_total, "bytes_read": kept.size_bytes}
