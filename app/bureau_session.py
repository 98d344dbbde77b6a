"""The way in for other bureaus' systems: their own database role and connections, and the agreement read with the token check."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.kept_connections import Fetches, WithinTransaction
from app.db.repositories.sharing import find_client
from app.dependencies import ClaimsDep, Clock, ClockDep, DutyGuard, get_runtime, open_session
from app.domain.access import Actor, Duty
from app.domain.errors import Unauthenticated
from app.domain.sharing import Agreement
from app.security.tokens import Claims

IDEMPOTENCY_KEY = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class BureauCall:
    """A client's call: where its statements run, its moment, and its agreement of the business date (None is for the domain to
    refuse).
    """

    client: Actor
    database: Fetches
    agreement: Agreement | None
    clock: Clock


async def open_bureau_call(request: Request, claims: ClaimsDep, clock: ClockDep) -> AsyncIterator[BureauCall]:
    """Lets in a client whose token still counts."""
    if Duty.BUREAU not in claims.duties:
        await _refuse_staff(request, claims)
    async with _database(request) as database:
        call = await admit_client(database, claims, clock)
        request.state.actor = call.client
        yield call


async def admit_client(database: Fetches, claims: Claims, clock: Clock) -> BureauCall:
    """The call of a client whose token still counts. Raises ``Unauthenticated`` token_revoked."""
    found = await find_client(database, claims, clock.today)
    if found is None:
        raise Unauthenticated("token_revoked", "登录已失效（已退出、停用或重置密码），请重新登录。")
    client = Actor(claims.subject, found.name, claims.level, claims.area, found.district, claims.duties)
    return BureauCall(client, database, found.agreement, clock)


@asynccontextmanager
async def _database(request: Request) -> AsyncIterator[Fetches]:
    """The status-query role. A question is one statement and so one transaction, committed before the answer is sent, and the
    client's quota row is locked no longer than that; only with a key must the stored answer join it in a wider one.
    """
    runtime = get_runtime(request)
    if IDEMPOTENCY_KEY not in request.headers:
        yield runtime.status_lookups
        return
    async with AsyncSession(runtime.status_engine, expire_on_commit=False) as session, session.begin():
        request.state.session = session
        yield WithinTransaction(await session.connection())


async def _refuse_staff(request: Request, claims: Claims) -> None:
    """The ordinary way in tells who it is, so that the refusal is recorded by name; this path's role can't see staff."""
    async with asynccontextmanager(open_session)(request, claims):
        BUREAU_DUTY.check(request.state.actor)


Opened = Annotated[BureauCall, Depends(open_bureau_call, scope="function")]


class BureauGuard(DutyGuard):
    """The duty declaration of a route for bureaus; like every other, but the caller comes in by this module's way."""

    async def __call__(self, call: Opened) -> BureauCall:  # type: ignore[override]  # only FastAPI calls it, by this signature
        self.check(call.client)
        return call


BUREAU_DUTY = BureauGuard(Duty.BUREAU)
BureauCallDep = Annotated[BureauCall, Depends(BUREAU_DUTY)]
