"""The store of files: sealed parts in Postgres, in the transaction of whoever keeps them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories import files
from app.domain.access import AreaScope
from app.files.parts import PartsReader
from app.files.spool import SealedSpool
from app.ids import new_id
from app.security.fields import Field, FieldCipher

Purpose = Literal["import", "export", "evidence"]
FETCH_SECONDS = 20  # longer than any statement may take
READ_AHEAD_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A stored file; ``sha256`` is of its plain content."""

    id: UUID
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    parts: int
    purpose: str


class FileStore:
    """Keeps, reads and forgets files. Every method works in the caller's transaction and needs the file to lie in ``scope``."""

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher

    async def put(
        self,
        scope: AreaScope,
        session: AsyncSession,
        stream: AsyncIterable[bytes],
        *,
        purpose: Purpose,
        name: str,
        media_type: str,
        by: UUID,
        now: datetime,
        max_bytes: int,
    ) -> KeptFile:
        """Keeps what ``stream`` brings, part by part as it comes. Raises TooLarge."""
        spool = SealedSpool(self._cipher, new_id(), max_bytes=max_bytes)
        try:
            async for piece in stream:
                spool.add(piece)
                if spool.is_full:
                    await asyncio.to_thread(spool.seal)
            await asyncio.to_thread(spool.end)
            return await self.keep(scope, session, spool, purpose=purpose, name=name, media_type=media_type, by=by, now=now)
        finally:
            spool.close()

    async def keep(
        self,
        scope: AreaScope,
        session: AsyncSession,
        spool: SealedSpool,
        *,
        purpose: Purpose,
        name: str,
        media_type: str,
        by: UUID,
        now: datetime,
    ) -> KeptFile:
        """Keeps a file that has been received in full."""
        kept = KeptFile(spool.file_id, name, media_type, spool.size_bytes, spool.sha256, spool.parts, purpose)
        facts = {"size_bytes": kept.size_bytes, "sha256": kept.sha256, "parts": kept.parts, "created_at": now, "created_by": by}
        await files.add_file(scope, session, id=kept.id, purpose=purpose, name=name, media_type=media_type, **facts)
        for number, sealed in enumerate(spool.sealed_parts()):
            await files.add_part(scope, session, kept.id, number, sealed)
        return kept

    async def get(self, scope: AreaScope, session: AsyncSession, file_id: UUID) -> KeptFile:
        """Raises NotFound."""
        row = await files.get_file(scope, session, file_id)
        return KeptFile(row["id"], row["name"], row["media_type"], row["size_bytes"], row["sha256"], row["parts"], row["purpose"])

    async def part(self, scope: AreaScope, session: AsyncSession, file_id: UUID, number: int) -> bytes:
        """The plain content of one part. Raises NotFound, SealBroken."""
        sealed = await files.get_part(scope, session, file_id, number)
        return self._cipher.open_bytes(Field.FILE, file_id, sealed, part=number)

    async def read(self, scope: AreaScope, session: AsyncSession, file_id: UUID) -> AsyncIterator[bytes]:
        """The plain content, a part at a time. Raises NotFound, SealBroken."""
        kept = await self.get(scope, session, file_id)
        for number in range(kept.parts):
            yield await self.part(scope, session, file_id, number)

    def reader(
        self, scope: AreaScope, session: AsyncSession, kept: KeptFile, turn: asyncio.Lock | None = None
    ) -> io.BufferedReader:
        """A seekable file for a reader in another thread. A session does one thing at a time: whoever uses it meanwhile holds
        ``turn``; without it the coroutine that calls this awaits the thread.
        """
        loop, held = asyncio.get_running_loop(), turn or asyncio.Lock()

        async def part(number: int) -> bytes:
            async with held:
                return await self.part(scope, session, kept.id, number)

        def fetch(number: int) -> bytes:
            return asyncio.run_coroutine_threadsafe(part(number), loop).result(FETCH_SECONDS)

        return io.BufferedReader(PartsReader(kept.size_bytes, fetch), READ_AHEAD_BYTES)

    async def delete(self, scope: AreaScope, session: AsyncSession, file_id: UUID) -> None:
        await files.delete_file(scope, session, file_id)
