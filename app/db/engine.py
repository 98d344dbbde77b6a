"""Engines: one per database role, each with its own small pool."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.settings import Settings

DRIVER = "postgresql+asyncpg"
CLIENT_GRACE_SECONDS = 3.0  # a server that is frozen does not keep its own time limits


def normalise_url(raw: str) -> URL:
    """Accepts ``postgres://`` and ``postgresql://`` as people write them."""
    url = make_url(raw.replace("postgres://", "postgresql://", 1) if raw.startswith("postgres://") else raw)
    return url.set(drivername=DRIVER)


def derived_url(application: URL, role: str) -> URL:
    """The login of a narrower role, derived from the application's own login, so that one setting is enough."""
    secret = (application.password or "").encode()
    password = hmac.new(secret, role.encode(), hashlib.sha256).hexdigest()
    return application.set(username=f"{application.username}_{role}", password=password)


def application_url(settings: Settings) -> URL:
    if settings.database_url is None:
        raise RuntimeError("DATABASE_URL is not set and no embedded database was started")
    return normalise_url(settings.database_url.get_secret_value())


def status_url(settings: Settings) -> URL:
    if settings.database_status_url is not None:
        return normalise_url(settings.database_status_url.get_secret_value())
    return derived_url(application_url(settings), "status")


def seal_url(settings: Settings) -> URL:
    if settings.database_seal_url is not None:
        return normalise_url(settings.database_seal_url.get_secret_value())
    return derived_url(application_url(settings), "seal")


def create_engine(
    url: URL, settings: Settings, *, pool_size: int | None = None, name: str = "minzheng", fixed_plans: bool = False
) -> AsyncEngine:
    """An engine whose sessions speak UTC, give up in bounded time, and never hand out more than ``pool_size`` connections.

    ``fixed_plans``: plan a statement once per connection, for few statements that are run over and over.
    """
    engine = create_async_engine(
        url,
        hide_parameters=True,  # an error's text is logged, and parameters are people's data
        pool_size=pool_size or settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.pool_timeout_seconds,
        pool_recycle=1800,
        connect_args=_connect_args(settings, name, fixed_plans=fixed_plans),
    )
    event.listen(engine.sync_engine, "do_connect", _connect)
    return engine


class DatabaseUnreachable(ConnectionError):
    """No connection to be had: a missing socket, an unknown host, a refusal. Passes by itself; answered 503."""


def _connect(dialect: Dialect, _record: object, arguments: list[Any], options: dict[str, Any]) -> DBAPIConnection:
    try:
        return dialect.connect(*arguments, **options)
    except OSError as error:
        raise DatabaseUnreachable(f"no connection to the database: {type(error).__name__}") from error


def _connect_args(settings: Settings, name: str, *, fixed_plans: bool) -> dict[str, Any]:
    return {
        "timeout": 5,
        "command_timeout": settings.statement_timeout_ms / 1000 + CLIENT_GRACE_SECONDS,
        "server_settings": {
            "application_name": name,
            "timezone": "UTC",
            "jit": "off",
            "plan_cache_mode": "force_generic_plan" if fixed_plans else "auto",
            "statement_timeout": str(settings.statement_timeout_ms),
            "idle_in_transaction_session_timeout": str(settings.idle_in_transaction_timeout_ms),
            "lock_timeout": "5000",
        },
    }
