"""Stored files and their sealed parts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.entitlements import within
from app.db.tables.imports import StoredFile, StoredFilePart
from app.domain.access import AreaScope
from app.domain.errors import NotFound

FILE, PART = columns(StoredFile), columns(StoredFilePart)


async def add_file(scope: AreaScope, session: AsyncSession, **values: Any) -> None:
    """The file's row; its parts follow in the same transaction."""
    row = {"district": scope.district, "area_code": scope.prefix, **values}
    await session.execute(sa.insert(StoredFile).values(**row))


async def add_part(scope: AreaScope, session: AsyncSession, file_id: UUID, number: int, sealed: bytes) -> None:
    row = {
        "district": scope.district,
        "file_id": file_id,
        "number": number,
        "area_code": scope.prefix,
        "content_sealed": sealed,
    }
    await session.execute(sa.insert(StoredFilePart).values(**row))


async def set_facts(scope: AreaScope, session: AsyncSession, file_id: UUID, *, size_bytes: int, sha256: str, parts: int) -> None:
    """What is known only when the last part is in."""
    changed = sa.update(StoredFile).where(*_visible(scope), FILE.id == file_id)
    await session.execute(changed.values(size_bytes=size_bytes, sha256=sha256, parts=parts))


async def get_file(scope: AreaScope, session: AsyncSession, file_id: UUID) -> sa.RowMapping:
    """The file's facts. Raises NotFound."""
    chosen = (FILE.id, FILE.purpose, FILE.name, FILE.media_type, FILE.size_bytes, FILE.sha256, FILE.parts, FILE.created_at)
    statement = sa.select(*chosen).where(*_visible(scope), FILE.id == file_id)
    found = (await session.execute(statement)).mappings().one_or_none()
    if found is None:
        raise NotFound("file_missing", "该文件已不再保存，或不在您的辖区内。")
    return found


async def get_part(scope: AreaScope, session: AsyncSession, file_id: UUID, number: int) -> bytes:
    """A part as sealed. Raises NotFound."""
    statement = sa.select(PART.content_sealed).where(
        PART.district == scope.district, within(PART.area_code, scope), PART.file_id == file_id, PART.number == number
    )
    sealed = (await session.execute(statement)).scalar_one_or_none()
    if sealed is None:
        raise NotFound("file_missing", "该文件已不再保存，或不在您的辖区内。")
    return bytes(sealed)


async def drop_parts(scope: AreaScope, session: AsyncSession, file_id: UUID) -> None:
    """Forgets the content; the file's facts stay on record."""
    await session.execute(sa.delete(StoredFilePart).where(PART.district == scope.district, PART.file_id == file_id))


async def delete_file(scope: AreaScope, session: AsyncSession, file_id: UUID) -> None:
    """Forgets the file with its parts."""
    await session.execute(sa.delete(StoredFile).where(*_visible(scope), FILE.id == file_id))


def _visible(scope: AreaScope) -> list[sa.ColumnElement[bool]]:
    return [FILE.district == scope.district, within(FILE.area_code, scope)]
