"""Writing rows of any kind straight through its writer: no file, no queue, the same parsing, transactions of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import insert

import app.db.import_writers.everything  # noqa: F401  (registers the kinds and their writers)
from app.db.import_writers import RunContext, Writer, writer_of
from app.db.session import transaction
from app.db.tables.imports import ImportRun, StoredFile
from app.domain.access import AreaScope
from app.domain.imports.model import Applied, Block, Cell, Column, Kind, Mode, Verdicts
from app.domain.imports.reading import Plan, parse_block
from app.domain.imports.registry import KINDS
from app.ids import new_id
from app.runtime import Runtime

TODAY = date(2026, 11, 20)
CLERK = AreaScope("350702", "350702001")
DISTRICT = AreaScope("350702", "350702")
#: Codes that tests make rows for; whether they exist is another test's question.
AREAS = frozenset({"350702", *(f"35070200{number}" for number in (1, 2, 3, 4)), "350702001001", "350702001002", "350702002001"})


@dataclass(frozen=True)
class Titles:
    """Columns as a header names them, in its order."""

    header: Sequence[str]

    def columns(self, kind: Kind) -> Sequence[tuple[int, Column]]:
        titles = {column.title: column for column in kind.columns}
        return [(place, titles[title]) for place, title in enumerate(self.header)]


def parsed(kind: Kind, rows: Sequence[Mapping[str, Cell]], scope: AreaScope = CLERK) -> tuple[Block, Verdicts]:
    """Rows as header → cell; row numbers begin at 2, below the header."""
    header = list(rows[0])
    plan = Plan(kind, Titles(header), scope, AREAS, TODAY)
    return parse_block(plan, [(number, [row[title] for title in header]) for number, row in enumerate(rows, 2)])


@dataclass(frozen=True)
class Bench:
    """One kind, one sender."""

    runtime: Runtime
    kind: Kind
    scope: AreaScope = CLERK

    @classmethod
    def of(cls, runtime: Runtime, code: str, scope: AreaScope = CLERK) -> Bench:
        return cls(runtime, KINDS[code], scope)

    @property
    def writer(self) -> Writer:
        return writer_of(self.kind)

    async def start(self, mode: Mode = "upsert", now: datetime | None = None) -> RunContext:
        """An import on record, without rows."""
        import_id, file_id, now = new_id(), new_id(), now or datetime.now(UTC)
        walled = {"district": self.scope.district, "area_code": self.scope.prefix}
        file = {"purpose": "import", "name": "x.csv", "media_type": "text/csv", "size_bytes": 0, "sha256": "", "parts": 0}
        run = {"kind": self.kind.code, "mode": mode, "dry_run": False, "status": "running", "phase": "applying"}
        by = {"requested_by": file_id, "requested_by_name": "s001.clerk", "requested_at": now}
        async with transaction(self.runtime.engine, self.scope) as session:
            await session.execute(insert(StoredFile).values(**walled, id=file_id, created_at=now, created_by=file_id, **file))
            await session.execute(insert(ImportRun).values(**walled, id=import_id, file_id=file_id, **run, **by))
        return RunContext(
            import_id=import_id,
            kind=self.kind,
            mode=mode,
            today=TODAY,
            now=now,
            actor_id=file_id,
            actor_name="s001.clerk",
            keys=self.runtime.keys,
            cipher=self.runtime.cipher,
            blind_index=self.runtime.blind_index,
        )

    async def write(self, *rows: Mapping[str, Cell], mode: Mode = "upsert") -> tuple[Applied, RunContext]:
        """Rows without a fault, in an import of their own."""
        block, verdicts = parsed(self.kind, rows, self.scope)
        assert verdicts == {}
        run = await self.start(mode)
        async with transaction(self.runtime.engine, self.scope) as session:
            return await self.writer.write(self.scope, session, block, run), run

    async def built_on(self, run: RunContext) -> dict[str, int]:
        async with transaction(self.runtime.engine, self.scope) as session:
            return await self.writer.what_built_on(self.scope, session, run.import_id, run)

    async def undo(self, run: RunContext) -> None:
        async with transaction(self.runtime.engine, self.scope) as session:
            await self.writer.undo(self.scope, session, run.import_id, run)


def counts(applied: Applied) -> tuple[int, int, int, int]:
    """Created, updated, unchanged, refused."""
    return applied.created, applied.updated, applied.unchanged, len(applied.refused)


__all__ = ["CLERK", "DISTRICT", "TODAY", "Bench", "counts", "parsed"]
