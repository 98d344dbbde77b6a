"""Requests (办件) with their items and linked applications, and the acts that were done on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.service_items import ITEM, item_of
from app.db.scoping import at_or_below, within
from app.db.tables.casework import Application, ApplicationDeadline
from app.db.tables.service_items import ServiceItem, ServiceRequest, ServiceRequestEvent
from app.domain.access import AreaScope
from app.domain.calendar import Deadline, business_date
from app.domain.service_items import DayUnit, Request, RequestState, Supply, refusals
from app.domain.service_items.clocks import Clock
from app.domain.service_items.model import Party
from app.domain.service_items.ports import Happening
from app.domain.service_items.requests import (
    DISTRICT_AFTER,
    OPEN,
    Applicant,
    Ground,
    HandOverReason,
    LinkedApplication,
    Missing,
    MissingReason,
    Offer,
    RequestEscalation,
)
from app.ids import new_id
from app.security.fields import Field, FieldCipher
from app.security.masking import mask

REQUEST, EVENT = columns(ServiceRequest), columns(ServiceRequestEvent)
APPLICATION, DEADLINE = columns(Application), columns(ApplicationDeadline)
OPEN_STATES = [state.value for state in OPEN]
TOTAL = "total"
WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which requests; None asks for no condition. ``escalated``: overdue on ``today`` and brought before him."""

    area_code: str | None = None
    item_code: str | None = None
    state: RequestState | None = None
    responsible: UUID | None = None
    offered_to: UUID | None = None
    open_only: bool = False
    overdue_on: date | None = None
    escalated: tuple[RequestEscalation, date] | None = None


class ServiceRequestRepository:
    """The requests of one transaction."""

    def __init__(self, session: AsyncSession, cipher: FieldCipher, now: datetime) -> None:
        self._session = session
        self._cipher = cipher
        self._now = now

    async def add(self, scope: AreaScope, request: Request, phone: str | None, happening: Happening) -> None:
        seal, name = self._cipher.seal, request.applicant.name
        values = {
            "district": scope.district,
            "id": request.id,
            "area_code": request.area_code,
            "item_id": request.item.id,
            "person_id": request.applicant.person_id,
            "applicant_sealed": seal(Field.NAME, request.id, name) if name else None,
            "phone_sealed": seal(Field.PHONE, request.id, phone) if phone else None,
            "phone_masked": mask(Field.PHONE, phone) if phone else None,
            "application_id": request.application.id if request.application else None,
            "taken_by": request.taken_by.id,
            "taken_by_name": request.taken_by.name,
            "taken_on": request.taken_on,
            "created_at": self._now,
            "version": 1,
            **self._changing(request),
        }
        await self._session.execute(sa.insert(ServiceRequest).values(**values))
        await self._add_event(scope, request, 1, happening)

    async def get(self, scope: AreaScope, request_id: UUID, *, lock: bool = False) -> Request:
        """``NotFound`` service_request_not_found."""
        statement = _whole().where(within(scope, REQUEST), REQUEST.id == request_id)
        statement = statement.with_for_update(of=ServiceRequest) if lock else statement
        found = await self._session.execute(statement.execution_options(populate_existing=True))
        row = found.one_or_none()
        if row is None:
            raise refusals.request_not_found()
        return self._request(row)

    async def save(self, scope: AreaScope, request: Request, happening: Happening) -> Request:
        mine = sa.update(ServiceRequest).where(within(scope, REQUEST), REQUEST.id == request.id)
        await self._session.execute(mine.values(**self._changing(request), version=request.version + 1))
        await self._add_event(scope, request, request.version + 1, happening)
        return await self.get(scope, request.id)

    async def list_requests(self, scope: AreaScope, wanted: RequestFilter, *, before: UUID | None, limit: int) -> list[Request]:
        """The latest taken first."""
        statement = _whole().where(*_conditions(scope, wanted)).order_by(REQUEST.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(REQUEST.id < before)
        return [self._request(row) for row in await self._session.execute(statement)]

    async def count_requests(self, scope: AreaScope, wanted: RequestFilter) -> int:
        matching = _whole().with_only_columns(REQUEST.id).where(*_conditions(scope, wanted)).subquery()
        return int((await self._session.execute(sa.select(sa.func.count()).select_from(matching))).scalar_one())

    async def list_events(self, scope: AreaScope, request_id: UUID) -> list[ServiceRequestEvent]:
        statement = sa.select(ServiceRequestEvent).where(within(scope, EVENT), EVENT.request_id == request_id)
        return list((await self._session.execute(statement.order_by(EVENT.number))).scalars())

    async def reveal_phone(self, scope: AreaScope, request_id: UUID) -> str | None:
        """The plain phone; the caller puts the reading on record."""
        statement = sa.select(REQUEST.phone_sealed).where(within(scope, REQUEST), REQUEST.id == request_id)
        sealed = (await self._session.execute(statement)).scalar_one()
        return None if sealed is None else self._cipher.open(Field.PHONE, request_id, sealed)

    async def _add_event(self, scope: AreaScope, request: Request, number: int, happening: Happening) -> None:
        offered = request.offer.to if request.offer else None
        values = {
            "district": scope.district,
            "id": new_id(),
            "area_code": request.area_code,
            "request_id": request.id,
            "number": number,
            "act": happening.act,
            "state": request.state.value,
            "business_date": happening.on,
            "at": self._now,
            "acted_by": happening.by.id,
            "acted_by_name": happening.by.name,
            "responsible_id": request.responsible.id,
            "responsible_name": request.responsible.name,
            "offered_to_id": offered.id if offered else None,
            "offered_to_name": offered.name if offered else None,
            "details": dict(happening.details),
        }
        await self._session.execute(sa.insert(ServiceRequestEvent).values(**values))

    def _changing(self, request: Request) -> dict[str, Any]:
        offer = request.offer
        return {
            "state": request.state.value,
            "responsible_id": request.responsible.id,
            "responsible_name": request.responsible.name,
            "offered_to_id": offer.to.id if offer else None,
            "offered_to_name": offer.to.name if offer else None,
            "offer_reason": offer.reason.value if offer else None,
            "offered_on": offer.on if offer else None,
            "materials": {code: supply.value for code, supply in request.materials.items()},
            "missing": [{"code": one.code, "reason": one.reason.value} for one in request.missing],
            "notified_on": request.notified_on,
            "objectionable": sorted(request.objectionable),
            **clock_values("legal", request.legal),
            **clock_values("promised", request.promised),
            "closed_on": request.closed_on,
            "ground": request.ground.value if request.ground else None,
            "note_sealed": self._cipher.seal(Field.SERVICE_REQUEST, request.id, request.note) if request.note else None,
        }

    def _request(self, row: sa.Row[Any]) -> Request:
        stored: ServiceRequest = row.ServiceRequest
        item = item_of(row.ServiceItem)
        opened = self._cipher.open
        name = stored.applicant_sealed and opened(Field.NAME, stored.id, stored.applicant_sealed)
        return Request(
            id=stored.id,
            area_code=stored.area_code,
            item=item,
            applicant=Applicant(stored.person_id, name or None, stored.phone_masked),
            state=RequestState(stored.state),
            taken_by=Party(stored.taken_by, stored.taken_by_name),
            taken_on=stored.taken_on,
            responsible=Party(stored.responsible_id, stored.responsible_name),
            offer=_offer(stored),
            materials={code: Supply(supply) for code, supply in stored.materials.items()},
            missing=tuple(Missing(one["code"], MissingReason(one["reason"])) for one in stored.missing),
            notified_on=stored.notified_on,
            objectionable=frozenset(stored.objectionable),
            legal=clock_of(item.entry.limit.unit, stored, "legal"),
            promised=clock_of(item.entry.limit.unit, stored, "promised"),
            application=linked_of(row),
            closed_on=stored.closed_on,
            ground=Ground(stored.ground) if stored.ground else None,
            note=opened(Field.SERVICE_REQUEST, stored.id, stored.note_sealed) if stored.note_sealed else None,
            version=stored.version,
        )


# --- statements ---------------------------------------------------------------------------------------------------------

LINKED = (
    APPLICATION.id.label("linked_id"),
    APPLICATION.number.label("linked_number"),
    APPLICATION.programme.label("linked_programme"),
    APPLICATION.state.label("linked_state"),
    APPLICATION.closed_at.label("linked_closed_at"),
    APPLICATION.accepted_on.label("linked_accepted_on"),
    DEADLINE.due_on.label("linked_due_on"),
    DEADLINE.provisional.label("linked_provisional"),
)
THE_TOTAL = sa.and_(DEADLINE.district == APPLICATION.district, DEADLINE.application_id == APPLICATION.id, DEADLINE.kind == TOTAL)


def _whole() -> sa.Select[Any]:
    """A request with its item, and the state and the total clock of the application that it stands for."""
    item = sa.and_(ITEM.district == REQUEST.district, ITEM.id == REQUEST.item_id)
    application = sa.and_(APPLICATION.district == REQUEST.district, APPLICATION.id == REQUEST.application_id)
    return (
        sa.select(ServiceRequest, ServiceItem, *LINKED)
        .join(ServiceItem, item)
        .outerjoin(Application, application)
        .outerjoin(ApplicationDeadline, THE_TOTAL)
    )


def _conditions(scope: AreaScope, wanted: RequestFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [within(scope, REQUEST)]
    if wanted.area_code is not None:
        conditions.append(at_or_below(REQUEST.area_code, wanted.area_code))
    if wanted.item_code is not None:
        conditions.append(ITEM.code == wanted.item_code)
    if wanted.state is not None:
        conditions.append(_standing() == wanted.state.value)
    if wanted.responsible is not None:
        conditions.append(REQUEST.responsible_id == wanted.responsible)
    if wanted.offered_to is not None:
        conditions.append(REQUEST.offered_to_id == wanted.offered_to)
    if wanted.open_only or wanted.overdue_on is not None or wanted.escalated is not None:
        conditions += [REQUEST.closed_on.is_(None), APPLICATION.closed_at.is_(None)]
    if wanted.overdue_on is not None:
        conditions.append(_late(wanted.overdue_on))
    if wanted.escalated is not None:
        conditions.append(_escalated(*wanted.escalated))
    return conditions


def _standing() -> sa.ColumnElement[str]:
    """As ``Request.standing``."""
    closed = sa.and_(APPLICATION.closed_at.is_not(None), REQUEST.closed_on.is_(None))
    ended = sa.case((APPLICATION.state == WITHDRAWN, WITHDRAWN), else_=RequestState.DONE.value)
    return sa.case((closed, ended), else_=REQUEST.state)


def _late(today: date) -> sa.ColumnElement[bool]:
    return sa.or_(REQUEST.legal_due_on < today, REQUEST.promised_due_on < today)


def _escalated(before: RequestEscalation, today: date) -> sa.ColumnElement[bool]:
    """As ``requests.escalation_of``."""
    unlimited = sa.and_(REQUEST.legal_from.is_(None), REQUEST.promised_due_on < today - DISTRICT_AFTER)
    district = sa.func.coalesce(sa.or_(REQUEST.legal_due_on < today, unlimited), sa.false())
    return district if before is RequestEscalation.DISTRICT else sa.and_(_late(today), sa.not_(district))


# --- rows ---------------------------------------------------------------------------------------------------------------


def clock_values(name: str, clock: Clock | None) -> dict[str, Any]:
    due = clock.due if clock else None
    return {
        f"{name}_from": clock.runs_from if clock else None,
        f"{name}_left": clock.days_left if clock else None,
        f"{name}_due_on": due.date if due else None,
        f"{name}_provisional": due.provisional if due else False,
    }


def clock_of(unit: DayUnit, row: ServiceRequest, name: str) -> Clock | None:
    """One of the two clocks of a row: ``legal`` or ``promised``."""
    runs_from, left, due_on, provisional = (getattr(row, f"{name}_{part}") for part in ("from", "left", "due_on", "provisional"))
    if runs_from is None:
        return None
    return Clock(unit, runs_from, left, None if due_on is None else Deadline(due_on, provisional))


def _offer(row: ServiceRequest) -> Offer | None:
    if row.offered_to_id is None or row.offered_to_name is None or row.offer_reason is None or row.offered_on is None:
        return None
    return Offer(Party(row.offered_to_id, row.offered_to_name), HandOverReason(row.offer_reason), row.offered_on)


def linked_of(row: Any) -> LinkedApplication | None:
    """Of a row that has the columns ``LINKED``."""
    if row.linked_id is None:
        return None
    return LinkedApplication(
        id=row.linked_id,
        number=row.linked_number,
        programme=row.linked_programme,
        closed_on=business_date(row.linked_closed_at) if row.linked_closed_at else None,
        withdrawn=row.linked_state == WITHDRAWN,
        accepted_on=row.linked_accepted_on,
        due=Deadline(row.linked_due_on, row.linked_provisional) if row.linked_due_on else None,
    )
