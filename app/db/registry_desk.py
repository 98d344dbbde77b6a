"""A registry desk over one session: the acts of ``app.domain.registry`` with their stores and the audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.audit import AuditEntry, AuditTrail
from app.db.repositories.identity import IdentityRepository
from app.db.repositories.people import PeopleRepository
from app.db.repositories.reference import area_name, find_area
from app.db.repositories.registry import HouseholdRepository
from app.domain.access import Actor, AreaScope
from app.domain.registry.service import Registry
from app.security.fields import BlindIndex, FieldCipher

COMMUNITY_DIGITS = 12


class RegistryTrail:
    """The registry's entries in the audit trail."""

    def __init__(self, audit: AuditTrail) -> None:
        self._audit = audit

    async def note(
        self,
        action: str,
        kind: str,
        subject: UUID | None,
        area_code: str | None,
        fields: Iterable[str] = (),
        reason: str | None = None,
    ) -> None:
        await self._audit.record(AuditEntry(action, kind, subject, area_code, tuple(fields), reason))


class RegistryAreas:
    """Communities as the registry needs them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find_community(self, scope: AreaScope, code: str, on: date) -> str | None:
        if len(code) != COMMUNITY_DIGITS or not scope.covers(code):
            return None
        area = await find_area(self._session, code, on)
        return area.name if area is not None and area.district == scope.district else None

    async def name_of(self, code: str) -> str:
        return await area_name(self._session, code)


@dataclass(frozen=True)
class RegistryDesk:
    """One caller's desk: the acts, and the stores for plain reads."""

    registry: Registry
    identities: IdentityRepository
    people: PeopleRepository
    households: HouseholdRepository
    trail: RegistryTrail


def open_desk(
    session: AsyncSession, cipher: FieldCipher, blind_index: BlindIndex, actor: Actor, *, today: date, now: datetime
) -> RegistryDesk:
    """``today`` is the business date, ``now`` the moment; both go into what is written."""
    identities = IdentityRepository(session, blind_index)
    people = PeopleRepository(session, cipher)
    households = HouseholdRepository(session, cipher)
    trail = RegistryTrail(AuditTrail(session, actor))
    registry = Registry(
        scope=actor.scope,
        actor_id=actor.id,
        today=today,
        now=now,
        identities=identities,
        people=people,
        households=households,
        areas=RegistryAreas(session),
        trail=trail,
    )
    return RegistryDesk(registry, identities, people, households, trail)
