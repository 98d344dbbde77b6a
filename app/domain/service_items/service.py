"""Publishing lists, and the acts on requests, each told in order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.domain.access import Actor, Duty, Signature
from app.domain.errors import PreconditionFailed
from app.domain.identity import IdentityFault, mentions_number, parse_phone
from app.domain.service_items import clocks, publishing, refusals
from app.domain.service_items import requests as acts
from app.domain.service_items.model import Item, ItemList, ListEntry, Party, Supply
from app.domain.service_items.ports import Happening, Lists, Requests, Surroundings, Trail
from app.domain.service_items.requests import (
    Applicant,
    Ground,
    HandOverReason,
    LinkedApplication,
    Missing,
    Request,
    RequestEntry,
    RequestState,
)


@dataclass(frozen=True)
class Publishing:
    """The district's desk for lists. ``by_application``: programmes whose applications are kept in this system."""

    actor: Actor
    today: date
    now: datetime
    lists: Lists
    programmes: Collection[str]
    by_application: Collection[str]
    trail: Trail

    async def publish(self, list_id: UUID, entry: ListEntry) -> ItemList:
        """For good: a published version never changes. ``Malformed`` and ``Conflict`` as ``publishing.check_list`` says."""
        publishing.check_list(entry, self.today, programmes=self.programmes, by_application=self.by_application)
        scope, signed = self.actor.scope, Signature.of(self.actor, self.now)
        await self.lists.publish(scope, list_id, entry, by_application=self.by_application, signed=signed)
        await self.trail.note("service_list.publish", "service_list", list_id, self.actor.area)
        return await self.lists.get(scope, list_id)


@dataclass(frozen=True)
class RequestDesk:
    """Requests at one caller's counter, in one transaction. ``today`` is the business date."""

    actor: Actor
    today: date
    lists: Lists
    requests: Requests
    around: Surroundings
    trail: Trail

    async def take(self, request_id: UUID, entry: RequestEntry) -> Request:
        """First come to, first responsible (首问负责). The item in force today governs the request to its end."""
        item = await self._item(entry.item_code)
        phone = await self._check_applicant(entry)
        acts.check_materials(item, entry.materials)
        request = await self._new(request_id, entry, item, await self._linked(item, entry.application_id))
        await self.requests.add(self.actor.scope, request, phone, self._happening("take", item=entry.item_code))
        await self.trail.note("service_request.take", "service_request", request_id, request.area_code)
        return await self.requests.get(self.actor.scope, request_id)

    async def hand_over(self, request_id: UUID, to: UUID, reason: HandOverReason, expected: int | None) -> Request:
        request = await self._locked(request_id, expected)
        colleague = await self.around.find_colleague(self.actor.scope, to, request.area_code)
        if colleague is None:
            raise refusals.colleague_unknown()
        changed = acts.offered(request, self._me(), colleague, reason, self.today)
        return await self._save("hand-over", changed, to=str(colleague.id), reason=reason.value)

    async def accept(self, request_id: UUID, expected: int | None) -> Request:
        changed = acts.accepted(await self._locked(request_id, expected), self._me())
        return await self._save("accept-handover", changed)

    async def decline(self, request_id: UUID, reason: HandOverReason, expected: int | None) -> Request:
        changed = acts.declined(await self._locked(request_id, expected), self._me())
        return await self._save("decline-handover", changed, reason=reason.value)

    async def recall(self, request_id: UUID, expected: int | None) -> Request:
        changed = acts.recalled(await self._locked(request_id, expected), self._me())
        return await self._save("recall-handover", changed)

    async def take_over(self, request_id: UUID, reason: HandOverReason, expected: int | None) -> Request:
        request = await self._locked(request_id, expected)
        scope, head = self.actor.scope, self.actor.has(Duty.STATION_HEAD)
        present = await self.around.find_colleague(scope, request.responsible.id, request.area_code)
        changed = acts.taken_over(request, self._me(), orphaned=present is None, is_head=head)
        return await self._save("take-over", changed, reason=reason.value)

    async def notify_missing(self, request_id: UUID, missing: Sequence[Missing], expected: int | None) -> Request:
        _refuse_repeated([one.code for one in missing])
        request = await self._locked(request_id, expected)
        changed = acts.notified(request, self._me(), missing, self.today, await self.around.calendar())
        return await self._save("notify-missing", changed, missing={one.code: one.reason.value for one in missing})

    async def supplement(self, request_id: UUID, brought: Mapping[str, Supply], expected: int | None) -> Request:
        request = await self._locked(request_id, expected)
        changed = acts.supplemented(request, self._me(), brought, self.today, await self.around.calendar())
        return await self._save("record-supplement", changed, brought=sorted(brought))

    async def finish(self, request_id: UUID, note: str, expected: int | None) -> Request:
        _refuse_numbers("/note", note)
        changed = acts.done(await self._locked(request_id, expected), self._me(), note, self.today)
        return await self._save("finish", changed)

    async def refuse(self, request_id: UUID, ground: Ground, note: str, expected: int | None) -> Request:
        _refuse_numbers("/note", note)
        request, calendar = await self._locked(request_id, expected), await self.around.calendar()
        changed = acts.not_accepted(request, self._me(), ground, note, self.today, calendar)
        return await self._save("refuse", changed, ground=ground.value)

    async def withdraw(self, request_id: UUID, note: str, expected: int | None) -> Request:
        _refuse_numbers("/note", note)
        request, calendar = await self._locked(request_id, expected), await self.around.calendar()
        return await self._save("withdraw", acts.withdrawn(request, self._me(), note, self.today, calendar))

    # --- taking in ----------------------------------------------------------------------------------------------------------

    async def _item(self, code: str) -> Item:
        scope = self.actor.scope
        level = await self.around.list_level(scope, self.actor.area, self.today)
        current = await self.lists.find_in_force(scope, level, self.today)
        if current is None:
            raise refusals.no_list(self.today)
        item = await self.lists.find_item(scope, current.id, code)
        if item is None:
            raise refusals.item_not_listed(code)
        return item

    async def _check_applicant(self, entry: RequestEntry) -> str | None:
        """The phone as it is kept."""
        if (entry.person_id is None) == (entry.name is None):
            raise refusals.applicant_wrong()
        if entry.name is not None:
            _refuse_numbers("/applicant_name", entry.name)
        if entry.person_id is not None and not await self.around.is_registered(self.actor.scope, entry.person_id):
            raise refusals.person_unknown()
        try:
            return None if entry.phone is None else parse_phone(entry.phone)
        except IdentityFault as fault:
            raise refusals.phone_malformed(str(fault)) from fault

    async def _linked(self, item: Item, application_id: UUID | None) -> LinkedApplication | None:
        if not item.by_application:
            if application_id is not None:
                raise refusals.application_unexpected()
            return None
        if application_id is None:
            raise refusals.application_required()
        found = await self.around.find_application(self.actor.scope, application_id)
        if found is None or found.programme != item.entry.programme or found.closed_on is not None:
            raise refusals.application_elsewhere()
        return found

    async def _new(self, request_id: UUID, entry: RequestEntry, item: Item, linked: LinkedApplication | None) -> Request:
        calendar, limit = await self.around.calendar(), item.entry.limit
        legal = None if limit.legal_days is None else clocks.started(limit.unit, limit.legal_days, self.today, calendar)
        promised = clocks.started(limit.unit, limit.promised_days, self.today, calendar)
        return Request(
            id=request_id,
            area_code=self.actor.area,
            item=item,
            applicant=Applicant(entry.person_id, entry.name, None),
            state=RequestState.IN_HAND,
            taken_by=self._me(),
            taken_on=self.today,
            responsible=self._me(),
            offer=None,
            materials=dict(entry.materials),
            missing=(),
            notified_on=None,
            objectionable=frozenset(),
            legal=None if linked else legal,
            promised=None if linked else promised,
            application=linked,
            closed_on=None,
            ground=None,
            note=None,
            version=1,
        )

    # --- every act ----------------------------------------------------------------------------------------------------------

    def _me(self) -> Party:
        return Party(self.actor.id, self.actor.name)

    def _happening(self, act: str, **details: Any) -> Happening:
        return Happening(act, self._me(), self.today, details)

    async def _locked(self, request_id: UUID, expected: int | None) -> Request:
        """Of two acts at once the second finds what the first has made of it."""
        request = await self.requests.get(self.actor.scope, request_id, lock=True)
        if expected is not None and expected != request.version:
            raise PreconditionFailed("stale_version", "内容已被他人更新，请重新读取后再提交。")
        return request

    async def _save(self, act: str, request: Request, **details: Any) -> Request:
        await self.trail.note(f"service_request.{act.replace('-', '_')}", "service_request", request.id, request.area_code)
        return await self.requests.save(self.actor.scope, request, self._happening(act, **details))


def _refuse_numbers(pointer: str, text: str) -> None:
    """Numbers of people belong into sealed fields, not into free text."""
    if mentions_number(text):
        raise refusals.number_in_text(pointer)


def _refuse_repeated(codes: Sequence[str]) -> None:
    if len(set(codes)) != len(codes):
        raise refusals.material_repeated()
