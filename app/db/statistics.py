"""The planner's statistics after a heap of rows has been written.

Autovacuum renews them too, up to a minute later. Until then Postgres knows nothing of a table that has just been filled, and
takes the whole district for a row or two: of two indexes it may then as well walk the one by area, for each of thousands of keys,
and so does the check of a foreign key, whose plan is kept. A list of 4,000 payees, sent a moment after the people, ran into the
time limit of a statement.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

#: How many times as many pages as when it was last looked at make a table worth another look: while a job goes on, at its end.
MEANWHILE: Final = 20.0
AT_THE_END: Final = 1.5
_RENEW: Final = text("SELECT public.renew_grown_statistics(CAST(:growth AS real))")


async def renew_grown_statistics(session: AsyncSession, growth: float) -> int:
    """Looks at every table that has grown so much since it was last looked at; how many. A millisecond if there is none."""
    renewed: int = (await session.execute(_RENEW, {"growth": growth})).scalar_one()
    return renewed


__all__ = ["AT_THE_END", "MEANWHILE", "renew_grown_statistics"]
