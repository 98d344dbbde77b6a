"""After `minzheng keys rotate`: everybody found under the current index key, everything sealed under the current data key.

Works beside the running service, in small transactions of one district each, under the application's own role. Whatever is done
is done: a second run takes up only what is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories import key_versions, rekeying
from app.db.repositories.official_index import count_unindexed_officials, index_officials
from app.db.repositories.reference import list_districts
from app.db.session import transaction
from app.domain.access import AreaScope
from app.runtime import Runtime

CHUNK_ROWS = 200
INDEX_CHUNK_ROWS = 100  # each takes a lock of its own
PASSES = 3  # a pass leaves out what a request holds; what is left after three is for the next run
FIRST = UUID(int=0)

Tell = Callable[[str], None]
Step = Callable[[AreaScope, AsyncSession, UUID], Awaitable[tuple[int, UUID | None]]]


@dataclass(frozen=True, slots=True)
class Status:
    """Where values stand: sealed column → key version → count; index version → count; who the current index doesn't find."""

    sealed: dict[str, Counter[int]]
    index: Counter[int]
    unindexed: int
    data_version: int
    index_version: int

    def under(self, version: int) -> dict[str, int]:
        """Sealed column → values under this data key, where there are any."""
        return {name: counts[version] for name, counts in self.sealed.items() if counts[version]}

    def not_under(self, version: int) -> dict[str, int]:
        """Sealed column → values under any other data key."""
        others = {name: counts.total() - counts[version] for name, counts in self.sealed.items()}
        return {name: count for name, count in others.items() if count}


async def status(runtime: Runtime) -> Status:
    """Counts everything; reads every sealed row's first bytes once."""
    sealed: dict[str, Counter[int]] = {}
    current, unindexed = runtime.keys.current_index_key.version, 0
    async for scope in _districts(runtime):
        async with transaction(runtime.engine, scope) as session:
            for name, counts in (await rekeying.count_sealed(scope, session)).items():
                sealed.setdefault(name, Counter()).update(counts)
            unindexed += await count_unindexed_officials(scope, session, current)
    async with transaction(runtime.engine) as session:
        sealed[key_versions.ANSWERS] = await key_versions.count_answers(session)
        index = await key_versions.count_index(session)
        unindexed += await key_versions.count_unindexed(session, current)
    return Status(sealed, index, unindexed, runtime.keys.current_data_key.version, current)


async def reindex(runtime: Runtime, tell: Tell) -> int:
    """A row of the current index key for everybody; how many were missing."""
    cipher, blind_index = runtime.cipher, runtime.blind_index

    async def step(scope: AreaScope, session: AsyncSession, after: UUID) -> tuple[int, UUID | None]:
        return await rekeying.index_people(scope, session, cipher, blind_index, after=after, limit=INDEX_CHUNK_ROWS)

    async def officials(scope: AreaScope, session: AsyncSession, after: UUID) -> tuple[int, UUID | None]:
        return await index_officials(scope, session, cipher, blind_index, after=after, limit=INDEX_CHUNK_ROWS)

    return await _everywhere(runtime, "索引", step, tell) + await _everywhere(runtime, "备案索引", officials, tell)


async def reencrypt(runtime: Runtime, tell: Tell) -> int:
    """Every value that may change sealed under the current data key; how many rows were moved."""
    cipher, current = runtime.cipher, runtime.keys.current_data_key.version

    def rows_of(table: str) -> Step:
        async def step(scope: AreaScope, session: AsyncSession, after: UUID) -> tuple[int, UUID | None]:
            return await rekeying.reseal_rows(scope, session, cipher, table, current=current, after=after, limit=CHUNK_ROWS)

        return step

    async def certificates(scope: AreaScope, session: AsyncSession, after: UUID) -> tuple[int, UUID | None]:
        return await rekeying.reseal_certificates(scope, session, cipher, current=current, after=after, limit=CHUNK_ROWS)

    moved = 0
    for table in rekeying.CHANGEABLE:
        moved += await _everywhere(runtime, table, rows_of(table), tell)
    moved += await _everywhere(runtime, "person_fact", certificates, tell)
    return moved + await _answers(runtime, tell)


async def _everywhere(runtime: Runtime, what: str, step: Step, tell: Tell) -> int:
    total = 0
    async for scope in _districts(runtime):
        for _ in range(PASSES):
            done = await _one_pass(runtime, scope, what, step, tell)
            total += done
            if not done:
                break
    return total


async def _one_pass(runtime: Runtime, scope: AreaScope, what: str, step: Step, tell: Tell) -> int:
    done, after = 0, FIRST
    while True:
        async with transaction(runtime.engine, scope) as session:
            rows, last = await step(scope, session, after)
        if last is None:
            return done
        done, after = done + rows, last
        tell(f"{scope.prefix} {what}：{done}")


async def _answers(runtime: Runtime, tell: Tell) -> int:
    done, current = 0, runtime.keys.current_data_key.version
    while True:
        async with transaction(runtime.engine) as session:
            rows = await key_versions.reseal_answers(session, runtime.cipher, current=current, limit=CHUNK_ROWS)
        if not rows:
            return done
        done += rows
        tell(f"stored_answer：{done}")


async def _districts(runtime: Runtime) -> AsyncIterator[AreaScope]:
    async with transaction(runtime.engine) as session:
        districts = await list_districts(session)
    for scope in districts:
        yield scope
