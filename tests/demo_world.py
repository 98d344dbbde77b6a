"""The whole demo with a client for every one of its accounts, for the tests that walk over everything."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app.demo.accounts import ACCOUNTS, CLIENTS, DISTRICT, SECOND_ACCOUNTS
from app.domain.access import Duty, Level
from app.runtime import Runtime


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


class FreshToken(httpx.Auth):
    """A token of its own for each request: a run may take longer than one is good for."""

    def __init__(self, issue: Callable[[], str]) -> None:
        self._issue = issue

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if "authorization" not in request.headers:
            request.headers["authorization"] = f"Bearer {self._issue()}"
        yield request


def callers_of(app: FastAPI, runtime: Runtime) -> dict[str, Caller]:
    staff = [(a.username, a.id, a.level, a.area, a.duties) for a in (*ACCOUNTS, *SECOND_ACCOUNTS)]
    bureaus = [(c.client_id, c.id, Level.DISTRICT, DISTRICT, (Duty.BUREAU,)) for c in CLIENTS]
    callers = {}
    for name, identifier, level, area, duties in [*staff, *bureaus]:
        issue = partial(runtime.tokens.issue_access_token, subject=identifier, level=level, area=area, duties=duties)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        http = httpx.AsyncClient(transport=transport, base_url="http://test", auth=FreshToken(issue))
        callers[name] = Caller(name, area, frozenset(duty.value for duty in duties), http)
    return callers
