"""The dated reference data of one transaction: parameters, calendar, names of areas."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories import reference
from app.db.repositories.policy import ParameterBooks
from app.domain.calendar import Calendar
from app.domain.eligibility import ParameterBook


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
