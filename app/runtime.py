"""What a running process holds: settings, engines, keys. Built once in the lifespan, reached through ``app.state.runtime``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from sqlalchemy import QueuePool, event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.engine import application_url, create_engine, seal_url, status_url
from app.db.kept_connections import KeptConnections
from app.db.repositories.policy import ParameterBooks
from app.observability import POOL_IN_USE, POOL_SIZE
from app.security.fields import BlindIndex, FieldCipher
from app.security.keys import KeyRing
from app.security.passwords import Passwords
from app.security.tokens import Tokens
from app.settings import Settings

KEPT_CONNECTIONS = 4


@dataclass(frozen=True)
class Runtime:
    """Immutable for the life of a process; tests build one by hand."""

    settings: Settings
    engine: AsyncEngine
    status_engine: AsyncEngine
    seal_engine: AsyncEngine
    lookups: KeptConnections
    status_lookups: KeptConnections
    keys: KeyRing
    tokens: Tokens
    passwords: Passwords
    cipher: FieldCipher
    blind_index: BlindIndex
    parameter_books: ParameterBooks


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Builds the runtime and disposes of its engines at the end."""
    keys = KeyRing.load(settings.keys_path, demo=settings.demo)
    engine = create_engine(application_url(settings), settings, name="minzheng-api")
    status_engine = create_engine(status_url(settings), settings, name="minzheng-status", fixed_plans=True)
    seal_engine = create_engine(seal_url(settings), settings, pool_size=2, name="minzheng-seal")
    for name, pool in (("api", engine), ("status", status_engine), ("seal", seal_engine)):
        _show_use(name, pool)
    patience = settings.pool_timeout_seconds
    lookups = KeptConnections(engine, most=KEPT_CONNECTIONS, patience_seconds=patience)
    status_lookups = KeptConnections(status_engine, most=settings.pool_size, patience_seconds=patience)
    try:
        yield Runtime(
            settings=settings,
            engine=engine,
            status_engine=status_engine,
            seal_engine=seal_engine,
            lookups=lookups,
            status_lookups=status_lookups,
            keys=keys,
            tokens=Tokens(
                keys,
                issuer=settings.issuer,
                audience=settings.audience,
                lifetime_seconds=settings.access_token_seconds,
            ),
            passwords=Passwords(demo=settings.demo),
            cipher=FieldCipher(keys),
            blind_index=BlindIndex(keys),
            parameter_books=ParameterBooks(),
        )
    finally:
        for kept in (lookups, status_lookups):
            await kept.close()
        for pool in (engine, status_engine, seal_engine):
            await pool.dispose()


def _show_use(name: str, engine: AsyncEngine) -> None:
    pool = cast(QueuePool, engine.sync_engine.pool)
    in_use = POOL_IN_USE.labels(name)
    in_use.set(0)
    POOL_SIZE.labels(name).set(pool.size())
    event.listen(pool, "checkout", lambda *_: in_use.inc())
    event.listen(pool, "checkin", lambda *_: in_use.dec())
    event.listen(pool, "detach", lambda *_: in_use.dec())
