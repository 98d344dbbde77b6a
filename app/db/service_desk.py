"""Desks for service items over one session: the acts of ``app.domain.service_items`` with what they name and the audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.audit import AuditEntry, AuditTrail
from app.db.repositories.reference import find_area, get_calendar
from app.db.repositories.service_items import ServiceItemRepository
from app.db.repositories.service_requests import APPLICATION, LINKED, REQUEST, THE_TOTAL, ServiceRequestRepository, linked_of
from app.db.scoping import within
from app.db.tables.accounts import Account
from app.db.tables.casework import Application, ApplicationDeadline
from app.db.tables.registry import Person
from app.domain.access import AREA_DIGITS, Actor, AreaScope, Duty, Level
from app.domain.calendar import Calendar
from app.domain.eligibility import NATIONAL_CATALOGUE
from app.domain.errors import NotFound
from app.domain.service_items import ListLevel, Publishing, RequestDesk
from app.domain.service_items.model import Party
from app.domain.service_items.requests import LinkedApplication
from app.security.fields import FieldCipher

PERSON, ACCOUNT = columns(Person), columns(Account)
AT_COUNTERS = (Duty.COMMUNITY_WORKER, Duty.STATION_CLERK, Duty.STATION_HEAD)
VILLAGE = "村委会"
#: Programmes whose applications are kept in this system (contract §5): there the application is the request.
BY_APPLICATION = frozenset({"dibao"})
PROGRAMMES = frozenset(NATIONAL_CATALOGUE.codes)


class Surroundings:
    """What a request names, looked up in the caller's scope."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_level(self, scope: AreaScope, area_code: str, on: date) -> ListLevel:
        """Whose list applies at a counter of the area. ``NotFound`` area_not_found."""
        area = await find_area(self._session, area_code, on)
        if area is None or area.district != scope.district:
            raise NotFound("area_not_found", "没有该区划，或不在您的辖区内，请核对区划代码。")
        if len(area_code) == AREA_DIGITS[Level.SUBDISTRICT]:
            return ListLevel.SUBDISTRICT
        return ListLevel.VILLAGE if area.kind == VILLAGE else ListLevel.COMMUNITY

    async def is_registered(self, scope: AreaScope, person_id: UUID) -> bool:
        found = sa.select(sa.exists().where(within(scope, PERSON), PERSON.id == person_id))
        return bool((await self._session.execute(found)).scalar_one())

    async def find_colleague(self, scope: AreaScope, account_id: UUID, area_code: str) -> Party | None:
        """An active account with a counter in the area, or at the station above it."""
        statement = sa.select(ACCOUNT.id, ACCOUNT.username).where(
            ACCOUNT.id == account_id,
            ACCOUNT.district == scope.district,
            ACCOUNT.area_code.in_({area_code, area_code[: AREA_DIGITS[Level.SUBDISTRICT]]}),
            ACCOUNT.disabled_at.is_(None),
            ACCOUNT.duties.overlap([duty.value for duty in AT_COUNTERS]),
        )
        row = (await self._session.execute(statement)).one_or_none()
        return None if row is None else Party(row.id, row.username)

    async def find_application(self, scope: AreaScope, application_id: UUID) -> LinkedApplication | None:
        taken = sa.exists().where(REQUEST.district == scope.district, REQUEST.application_id == application_id)
        statement = (
            sa.select(*LINKED)
            .join_from(Application, ApplicationDeadline, THE_TOTAL, isouter=True)
            .where(within(scope, APPLICATION), APPLICATION.id == application_id, sa.not_(taken))
        )
        row = (await self._session.execute(statement)).one_or_none()
        return None if row is None else linked_of(row)

    async def calendar(self) -> Calendar:
        return await get_calendar(self._session)


class ServiceTrail:
    """Entries about service items in the audit trail."""

    def __init__(self, audit: AuditTrail) -> None:
        self._audit = audit

    async def note(
        self, action: str, kind: str, subject: UUID, area_code: str, fields: Iterable[str] = (), reason: str | None = None
    ) -> None:
        await self._audit.record(AuditEntry(action, kind, subject, area_code, tuple(fields), reason))


@dataclass(frozen=True)
class ServiceDesk:
    """One caller's desk: the acts, and the stores for plain reads."""

    publishing: Publishing
    acts: RequestDesk
    lists: ServiceItemRepository
    requests: ServiceRequestRepository
    trail: ServiceTrail


def open_service_desk(session: AsyncSession, cipher: FieldCipher, actor: Actor, *, today: date, now: datetime) -> ServiceDesk:
    """``today`` is the business date, ``now`` the moment; both go into what is written."""
    lists, requests = ServiceItemRepository(session), ServiceRequestRepository(session, cipher, now)
    trail = ServiceTrail(AuditTrail(session, actor))
    return ServiceDesk(
        publishing=Publishing(actor, today, now, lists, PROGRAMMES, BY_APPLICATION, trail),
        acts=RequestDesk(actor, today, lists, requests, Surroundings(session), trail),
        lists=lists,
        requests=requests,
        trail=trail,
    )
