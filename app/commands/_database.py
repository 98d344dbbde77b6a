"""The database that a command works on: the one of DATABASE_URL, or the embedded one, running or started for the occasion."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import asyncpg
from pydantic import SecretStr
from sqlalchemy import URL

from app.db.engine import application_url, normalise_url, seal_url, status_url
from app.db.maintenance import create_partitions
from app.db.migrate import provision_logins, upgrade
from app.embedded import EmbeddedPostgres
from app.security.keys import KeyRing
from app.settings import Settings

DATABASE = "minzheng"
APPLICATION_ROLE = "minzheng_app"


@contextmanager
def opened_database(settings: Settings) -> Iterator[Settings]:
    """Settings whose database can be reached: as given, or filled with the embedded one's addresses.

    Attaches to the embedded Postgres that ``minzheng serve`` runs on the same data folder, else runs it for the duration.
    """
    if settings.database_url is not None:
        yield settings
        return
    settings = settings.model_copy(update={"demo": settings.demo or _holds_demo(settings)})
    if (running := EmbeddedPostgres.find_running(settings.data_dir)) is not None:
        yield with_embedded(settings, running)
        return
    with EmbeddedPostgres(settings.data_dir) as postgres:
        create_database(postgres)
        yield with_embedded(settings, postgres)


def _holds_demo(settings: Settings) -> bool:
    """A data folder with demo keys is a demo's: commands beside ``make run`` needn't be told."""
    return settings.keys_path.exists() and KeyRing.load(settings.keys_path, demo=True).demo


def with_embedded(settings: Settings, postgres: EmbeddedPostgres) -> Settings:
    """``settings`` with the addresses of the embedded database: the application's role and the owner."""
    addresses = {
        "database_url": SecretStr(postgres.dsn(APPLICATION_ROLE, DATABASE)),
        "database_admin_url": SecretStr(postgres.admin_dsn(DATABASE)),
    }
    return settings.model_copy(update=addresses)


def create_database(postgres: EmbeddedPostgres) -> None:
    """The application's database in the embedded cluster, unless it is there."""

    async def create() -> None:
        connection = await asyncpg.connect(postgres.admin_dsn())
        try:
            with suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()

    asyncio.run(create())


def admin_url(settings: Settings) -> URL | None:
    """The owner's address, for migrations; None when only the application's was given."""
    if settings.database_admin_url is None:
        return None
    return normalise_url(settings.database_admin_url.get_secret_value())


async def migrate(settings: Settings, admin: URL, revision: str = "head") -> None:
    """The schema up to ``revision``, its partitions, and the login roles with the passwords that ``settings`` gives them."""
    await upgrade(admin, revision)
    await create_partitions(admin)
    await provision_logins(admin, application_url(settings), status_url(settings), seal_url(settings))
