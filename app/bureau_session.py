"""The way in for other bureaus' systems: their own database role and pool, and the agreement read with the token check."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.sharing import find_client
from app.dependencies import ClaimsDep, Clock, ClockDep, DutyGuard, RuntimeDep, open_session
from app.domain.access import Actor, Duty
from app.domain.errors import Unauthenticated
from app.domain.sharing import Agreement
from app.security.tokens import Claims


@dataclass(frozen=True, slots=True)
class BureauCall:
    """A client's call: its transaction, its moment, and its agreement of the business date (None is for the domain to refuse)."""

    client: Actor
    session: AsyncSession
    agreement: Agreement | None
    clock: Clock


async def open_bureau_session(
    request: Request, claims: ClaimsDep, runtime: RuntimeDep, clock: ClockDep
) -> AsyncIterator[BureauCall]:
    """The request's one transaction, on the status-query role: committed before the answer is sent."""
    if Duty.BUREAU not in claims.duties:
        await _refuse_staff(request, claims)
    async with AsyncSession(runtime.status_engine, expire_on_commit=False) as session, session.begin():
        client = await find_client(session, claims, clock.today)
        if client is None:
            raise Unauthenticated("token_revoked", "登录已失效（已退出、停用或重置密码），请重新登录。")
        actor = Actor(claims.subject, client.name, claims.level, claims.area, client.district, claims.duties)
        request.state.actor = actor
        request.state.session = session
        yield BureauCall(actor, session, client.agreement, clock)


async def _refuse_staff(request: Request, claims: Claims) -> None:
    """The ordinary way in tells who it is, so that the refusal is recorded by name; this path's role can't see staff."""
    async with asynccontextmanager(open_session)(request, claims):
        BUREAU_DUTY.check(request.state.actor)


Opened = Annotated[BureauCall, Depends(open_bureau_session, scope="function")]


class BureauGuard(DutyGuard):
    """The duty declaration of a route for bureaus; like every other, but the caller comes in by this module's way."""

    async def __call__(self, call: Opened) -> BureauCall:  # type: ignore[override]  # only FastAPI calls it, by this signature
        self.check(call.client)
        return call


BUREAU_DUTY = BureauGuard(Duty.BUREAU)
BureauCallDep = Annotated[BureauCall, Depends(BUREAU_DUTY)]
