"""Sets up the desk of casework over one transaction."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories import reference
from app.db.repositories.applications import ApplicationRepository
from app.db.repositories.entitlements import EntitlementRepository
from app.db.repositories.policy import ParameterBooks
from app.db.repositories.registry import HouseholdRepository
from app.domain.access import Actor
from app.domain.calendar import Calendar
from app.domain.casework.desk import Desk
from app.domain.eligibility import ParameterBook
from app.ids import new_id
from app.security.fields import FieldCipher


class DatedRules:
    """The reference data that one act asks for: each read at most once, and only when needed."""

    def __init__(self, session: AsyncSession, books: ParameterBooks) -> None:
        self._session = session
        self._books = books
        self._book: ParameterBook | None = None

    async def book(self) -> ParameterBook:
        if self._book is None:
            self._book = await self._books.current(self._session)
        return self._book

    async def calendar(self) -> Calendar:
        return await reference.get_calendar(self._session)

    async def area_name(self, area_code: str) -> str:
        return await reference.area_name(self._session, area_code)


def open_casework_desk(
    session: AsyncSession, books: ParameterBooks, cipher: FieldCipher, actor: Actor, *, now: datetime, today: date
) -> Desk:
    """The walls of the session must stand at the actor's scope."""
    return Desk(
        actor=actor,
        now=now,
        today=today,
        applications=ApplicationRepository(session, actor, now, today),
        entitlements=EntitlementRepository(session, actor, now, today),
        households=HouseholdRepository(session, cipher),
        rules=DatedRules(session, books),
        new_id=new_id,
    )
