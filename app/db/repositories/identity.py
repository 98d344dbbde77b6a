"""Who a number belongs to, across districts. The only repository that looks over the walls; it answers with opaque ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.locks import lock_subjects
from app.db.tables.identity import ElsewhereAttempt, FoundElsewhere, IdentityHome, IdentityKey
from app.domain.access import AreaScope
from app.domain.registry.ports import Claim
from app.ids import new_id
from app.security.fields import BlindIndex, Field

KEY = columns(IdentityKey)
HOME = columns(IdentityHome)
ATTEMPT = columns(ElsewhereAttempt)
FOUND = columns(FoundElsewhere)
STOPPED = b"stopped"  # no digest of a number: those have sixteen bytes


class IdentityRepository:
    """Identities of one transaction."""

    def __init__(self, session: AsyncSession, blind_index: BlindIndex) -> None:
        self._session = session
        self._blind_index = blind_index

    async def claim(self, id_number: str) -> Claim:
        """Takes the number for this transaction and says whose it is; a number never seen gets a new ``person_uid``.

        Whoever else registers the same number at this moment waits here until our transaction has ended.
        """
        digests = self._blind_index.digest(Field.ID_NUMBER, id_number)
        await lock_subjects(self._session, digests.values())
        known = await self._known(digests)
        person_uid = next(iter(known.values()), None) or new_id()
        missing = [
            {"index_version": version, "bidx": digest, "person_uid": person_uid}
            for version, digest in digests.items()
            if version not in known
        ]
        if missing:
            await self._session.execute(insert(IdentityKey), missing)
        return Claim(person_uid, await self._home(person_uid))

    async def settle(self, scope: AreaScope, person_uid: UUID, area_code: str, now: datetime) -> None:
        """Writes down where the person is registered now; only a home in the same district is moved."""
        values: dict[str, Any] = {"district": scope.district, "area_code": area_code, "since": now}
        statement = upsert(IdentityHome).values(person_uid=person_uid, **values)
        statement = statement.on_conflict_do_update(
            index_elements=["person_uid"], set_=values, where=HOME.district == scope.district
        )
        if (await self._session.execute(statement.returning(HOME.person_uid))).first() is None:
            raise RuntimeError("an identity at home in another district can't be settled here")

    async def find_uid(self, id_number: str) -> UUID | None:
        """Whose number it is; the caller must look the person up in his own scope before saying anything about him."""
        known = await self._known(self._blind_index.digest(Field.ID_NUMBER, id_number))
        return next(iter(known.values()), None)

    async def attempts_elsewhere(self, caller: UUID, since: datetime) -> Sequence[datetime]:
        statement = select(ATTEMPT.at).where(ATTEMPT.caller == caller, ATTEMPT.at > since)
        return (await self._session.execute(statement)).scalars().all()

    async def _known(self, digests: dict[int, bytes]) -> dict[int, UUID]:
        statement = select(KEY.index_version, KEY.person_uid).where(
            tuple_(KEY.index_version, KEY.bidx).in_(list(digests.items()))
        )
        return {row.index_version: row.person_uid for row in await self._session.execute(statement)}

    async def _home(self, person_uid: UUID) -> tuple[str, str] | None:
        row = (await self._session.execute(select(HOME.district, HOME.area_code).where(HOME.person_uid == person_uid))).first()
        return (row.district, row.area_code) if row else None


async def add_found_elsewhere(
    session: AsyncSession, account_id: UUID, subjects: Sequence[bytes], now: datetime, since: datetime
) -> int:
    """How many people, these among them, the account's imports have found registered elsewhere since then."""
    await lock_subjects(session, [b"found elsewhere " + account_id.bytes])
    statement = upsert(FoundElsewhere).on_conflict_do_update(index_elements=["account_id", "subject_key"], set_={"at": now})
    rows = [{"account_id": account_id, "subject_key": subject, "at": now} for subject in subjects]
    await session.execute(statement, rows)
    counted = select(func.count()).select_from(FoundElsewhere).where(FOUND.account_id == account_id, FOUND.at > since)
    return (await session.execute(counted)).scalar_one()


async def add_stop(session: AsyncSession, account_id: UUID, now: datetime) -> None:
    """An import of the account was stopped for having found too many."""
    statement = upsert(FoundElsewhere).on_conflict_do_update(index_elements=["account_id", "subject_key"], set_={"at": now})
    await session.execute(statement.values(account_id=account_id, subject_key=STOPPED, at=now))


async def was_stopped(session: AsyncSession, account_id: UUID, since: datetime) -> bool:
    stop = select(FOUND.at).where(FOUND.account_id == account_id, FOUND.subject_key == STOPPED, FOUND.at > since)
    return (await session.execute(stop)).first() is not None


async def add_attempt_elsewhere(
    session: AsyncSession, caller: UUID, now: datetime, forget_before: datetime
) -> Sequence[datetime]:
    """Counts one more attempt of the caller; answers those before it. Old ones are forgotten on the way."""
    await lock_subjects(session, [caller.bytes])
    await session.execute(delete(ElsewhereAttempt).where(ATTEMPT.caller == caller, ATTEMPT.at <= forget_before))
    earlier = (await session.execute(select(ATTEMPT.at).where(ATTEMPT.caller == caller))).scalars().all()
    await session.execute(insert(ElsewhereAttempt).values(id=new_id(), caller=caller, at=now))
    return earlier
