"""What stood before an import changed it: rows as they lay, sealed, with the mark that stood beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.import_writers import RunContext
from app.db.tables.imports import ImportBefore
from app.domain.access import AreaScope
from app.ids import new_id
from app.security.fields import Field


@dataclass(frozen=True, slots=True)
class BeforeImage:
    """One subject as it stood; ``mark`` is the row of its mark as the driver gave it, None when it had none."""

    kind: str
    subject_key: bytes
    subject_id: UUID
    area_code: str
    image: Mapping[str, Any]
    mark: Any


async def keep(scope: AreaScope, session: AsyncSession, run: RunContext, images: Sequence[BeforeImage]) -> None:
    """Seals them under the ids of their rows."""
    rows = [_row(scope, run, image) for image in images]
    if rows:
        await session.execute(insert(ImportBefore), rows)


def _row(scope: AreaScope, run: RunContext, image: BeforeImage) -> dict[str, Any]:
    before_id = new_id()
    plain = orjson.dumps(image.image, default=_plain)
    return {
        "district": scope.district,
        "id": before_id,
        "area_code": image.area_code,
        "import_id": run.import_id,
        "kind": image.kind,
        "subject_key": image.subject_key,
        "subject_id": image.subject_id,
        "before_sealed": run.cipher.seal_bytes(Field.JOB_PAYLOAD, before_id, plain),
        "mark_before": None if image.mark is None else pack_mark(image.mark),
    }


def pack_mark(mark: Any) -> dict[str, Any]:
    """A mark as JSON; the way back is ``unpack_mark``."""
    return {
        "subject_id": str(mark["subject_id"]),
        "area_code": mark["area_code"],
        "fingerprint": mark["fingerprint"].hex(),
        "import_id": str(mark["import_id"]),
        "created": mark["created"],
        "subject_version": mark["subject_version"],
    }


def unpack_mark(stored: Mapping[str, Any]) -> dict[str, Any]:
    return dict(stored) | {
        "subject_id": UUID(stored["subject_id"]),
        "fingerprint": bytes.fromhex(stored["fingerprint"]),
        "import_id": UUID(stored["import_id"]),
    }


def _plain(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)
