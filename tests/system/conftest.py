"""The whole demo in a database of its own, for the tests that walk over everything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.demo.accounts import ACCOUNTS, CLIENTS, DISTRICT, SECOND_ACCOUNTS
from app.demo.whole import load_demo
from app.domain.access import Duty, Level
from app.main import create_app
from app.runtime import Runtime
from tests.conftest import build_database, running


@dataclass(frozen=True)
class Caller:
    """A demo account or bureau client with a client that carries its token."""

    name: str
    area: str
    duties: frozenset[str]
    http: httpx.AsyncClient


@dataclass(frozen=True)
class Demo:
    app: FastAPI
    runtime: Runtime
    owner: AsyncEngine
    callers: dict[str, Caller]


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def demo(cluster: URL, worker_name: str, demo_folder: Path) -> AsyncIterator[Demo]:
    name = f"demo_{worker_name}"
    settings = await build_database(cluster, name, demo_folder)
    owner = create_async_engine(cluster.set(database=name))
    async with running(settings) as runtime:
        await load_demo(runtime)
        app = create_app(runtime=runtime)
        callers = {caller.name: caller for caller in _callers(app, runtime)}
        yield Demo(app, runtime, owner, callers)
        for caller in callers.values():
            await caller.http.aclose()
    await owner.dispose()


def _callers(app: FastAPI, runtime: Runtime) -> list[Caller]:
    staff = [(a.username, a.id, a.level, a.area, a.duties) for a in (*ACCOUNTS, *SECOND_ACCOUNTS)]
    bureaus = [(c.client_id, c.id, Level.DISTRICT, DISTRICT, (Duty.BUREAU,)) for c in CLIENTS]
    callers = []
    for name, identifier, level, area, duties in [*staff, *bureaus]:
        token = runtime.tokens.issue_access_token(subject=identifier, level=level, area=area, duties=duties)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        http = httpx.AsyncClient(transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {token}"})
        callers.append(Caller(name, area, frozenset(duty.value for duty in duties), http))
    return callers
