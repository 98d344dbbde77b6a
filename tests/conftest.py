"""Real Postgres for every database test: one cluster per run, one migrated and seeded database per worker.

Tests commit for real, as the application does, and create what they need under numbers of their own; nothing is mocked and no
outer transaction hides a forgotten scope.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.engine import application_url, normalise_url, seal_url, status_url
from app.db.migrate import provision_logins, upgrade
from app.demo.whole import load_demo
from app.embedded import EmbeddedPostgres
from app.main import create_app
from app.runtime import Runtime, open_runtime
from app.security.keys import KeyRing
from app.settings import Settings
from tests.demo_world import Demo, callers_of
from tests.system.serving import Served
from tests.world import World, seed_world

# The programs that tests start, some fifty, find their modules compiled; nothing is written into the checkout.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(tempfile.gettempdir()) / f"minzheng-pycache-{os.getuid()}"))

#: Fixture that takes long → xdist group: whoever uses it runs on one worker.
SHARED = {"demo": "demo", "demo_data": "serve"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        names = getattr(item, "fixturenames", ())
        for fixture, group in SHARED.items():
            if fixture in names and item.get_closest_marker("xdist_group") is None:
                item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def worker_name() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def cluster(worker_name: str) -> Iterator[URL]:
    """A throw-away cluster; yields the owner's URL. ``TEST_DATABASE_ADMIN_URL`` names a server to use instead."""
    if given := os.environ.get("TEST_DATABASE_ADMIN_URL"):
        yield normalise_url(given)
        return
    folder = Path(tempfile.mkdtemp(prefix=f"mz-{worker_name}-"))
    folder.chmod(0o711)  # the server's user must pass through when the tests run as root
    speed = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "120"}
    try:
        with EmbeddedPostgres(folder, settings=speed, sync_initdb=False) as postgres:
            yield normalise_url(postgres.admin_dsn())
            postgres.remove()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def settings_for(admin: URL, database: str, folder: Path, **overrides: Any) -> Settings:
    url = admin.set(database=database, username=f"mz_app_{database}", password="test-only")
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    admin_plain = admin.set(database=database, drivername="postgresql").render_as_string(hide_password=False)
    values: dict[str, Any] = {
        "data_dir": folder,
        "database_url": SecretStr(plain),
        "database_admin_url": SecretStr(admin_plain),
        "demo": True,
        "log_level": "WARNING",
    }
    return Settings(**(values | overrides))


async def _create_database(admin: URL, name: str) -> None:
    engine = create_async_engine(admin, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        await connection.execute(text(f"CREATE DATABASE {name} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"))
    await engine.dispose()


async def build_database(admin: URL, name: str, folder: Path, **overrides: Any) -> Settings:
    """A migrated, empty database with its login roles."""
    await _create_database(admin, name)
    settings = settings_for(admin, name, folder, **overrides)
    await upgrade(admin.set(database=name))
    await provision_logins(admin.set(database=name), application_url(settings), status_url(settings), seal_url(settings))
    return settings


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Runtime]:
    if not settings.keys_path.exists():
        KeyRing.create(settings.keys_path, settings.field_cipher, demo=True)
    async with open_runtime(settings) as runtime:
        yield runtime


@pytest.fixture(scope="session")
def data_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mz-data-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def runtime(cluster: URL, worker_name: str, data_folder: Path) -> AsyncIterator[Runtime]:
    """The runtime over this worker's database, seeded with the areas, accounts and policy of the demo (no population)."""
    settings = await build_database(cluster, f"world_{worker_name}", data_folder)
    async with running(settings) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(runtime: Runtime) -> World:
    return await seed_world(runtime)


@pytest.fixture(scope="session")
def app(runtime: Runtime, world: World) -> FastAPI:
    return create_app(runtime=runtime)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def anonymous(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sign_in(app: FastAPI, runtime: Runtime, world: World) -> AsyncIterator[Callable[[str], httpx.AsyncClient]]:
    """``sign_in("s001.clerk")`` gives a client that carries a fresh token of that demo account."""
    opened: list[httpx.AsyncClient] = []

    def open_client(username: str) -> httpx.AsyncClient:
        account = world.accounts[username]
        token = runtime.tokens.issue_access_token(
            subject=account.id, level=account.level, area=account.area, duties=account.duties
        )
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {token}"})
        opened.append(client)
        return client

    yield open_client
    await asyncio.gather(*(client.aclose() for client in opened))


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def demo(cluster: URL, worker_name: str, demo_folder: Path) -> AsyncIterator[Demo]:
    """The whole demo in a database of its own. Tests that use it are of the xdist group ``demo``: it takes a while to load."""
    name = f"demo_{worker_name}"
    settings = await build_database(cluster, name, demo_folder)
    owner = create_async_engine(cluster.set(database=name))
    async with running(settings) as runtime:
        await load_demo(runtime)
        app = create_app(runtime=runtime)
        callers = callers_of(app, runtime)
        yield Demo(app, runtime, owner, callers)
        await asyncio.gather(*(caller.http.aclose() for caller in callers.values()))
    await owner.dispose()


@pytest.fixture(scope="session")
def demo_data() -> Iterator[Path]:
    """What `minzheng serve --demo` has made of an empty folder, ended again. Tests that serve the demo are of the xdist group
    ``serve`` and start from copies: loading it takes longer than most of what they do.
    """
    first = Served()
    first.wait_until_ready()
    first.end()
    yield first.data_dir
    first.forget()
