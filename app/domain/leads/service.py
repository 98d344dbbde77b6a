"""The acts on leads, each told in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domain.access import Actor, Duty
from app.domain.errors import NotFound, PreconditionFailed
from app.domain.identity import mentions_number
from app.domain.leads import model, refusals
from app.domain.leads.model import Lead, LeadEntry, LeadOutcome, LeadState, Party
from app.domain.leads.ports import Leads, Surroundings, Trail


@dataclass(frozen=True)
class LeadDesk:
    """Leads at one caller's desk, in one transaction. ``today`` is the business date."""

    actor: Actor
    today: date
    leads: Leads
    around: Surroundings
    trail: Trail

    async def report(self, lead_id: UUID, entry: LeadEntry) -> Lead:
        """A new lead with its clock. ``NotFound`` area_not_found; ``Malformed`` number_in_text, informant_elsewhere, …"""
        for pointer, text in (("/about", entry.about), ("/description", entry.description)):
            _refuse_numbers(pointer, text)
        scope = self.actor.scope
        if not await self.around.is_community(scope, entry.area_code, self.today):
            raise NotFound("area_not_found", "没有该村（社区），或不在您的辖区内，请核对 12 位区划代码。")
        if entry.informant_id is not None and not await self.around.informant_serves(
            scope, entry.informant_id, entry.area_code, self.today
        ):
            raise refusals.informant_elsewhere()
        if entry.household_id is not None and not await self.around.household_lives(scope, entry.household_id, entry.area_code):
            raise refusals.household_elsewhere()
        lead = Lead(
            id=lead_id,
            entry=entry,
            state=LeadState.REPORTED,
            reported_by=self._me(),
            reported_on=self.today,
            due=model.due_of(entry.kind, self.today, await self.around.calendar()),
            handler=None,
            outcome=None,
            note=None,
            settled_on=None,
            version=1,
        )
        await self.leads.add(scope, lead)
        await self.trail.note("lead.report", "lead", lead.id, entry.area_code)
        return await self.leads.get(scope, lead_id)

    async def take(self, lead_id: UUID, expected: int | None) -> Lead:
        return await self._save("lead.take", model.taken(await self._locked(lead_id, expected), self._me()))

    async def hand_over(self, lead_id: UUID, to: UUID, expected: int | None) -> Lead:
        lead = await self._locked(lead_id, expected)
        colleague = await self.around.find_colleague(self.actor.scope, to, lead.entry.area_code)
        if colleague is None:
            raise refusals.handler_unknown()
        handed_over = model.handed_over(lead, self._me(), colleague, assigns=self.actor.has(Duty.STATION_HEAD))
        return await self._save("lead.hand_over", handed_over)

    async def settle(self, lead_id: UUID, outcome: LeadOutcome, note: str, expected: int | None) -> Lead:
        _refuse_numbers("/note", note)
        lead = await self._locked(lead_id, expected)
        return await self._save("lead.settle", model.settled(lead, self._me(), outcome, note, self.today))

    async def feed_back(self, lead_id: UUID, expected: int | None) -> Lead:
        """The informant who noticed it has been told what became of it."""
        return await self._save("lead.feed_back", model.fed_back(await self._locked(lead_id, expected), self.today))

    async def withdraw(self, lead_id: UUID, note: str, expected: int | None) -> Lead:
        _refuse_numbers("/note", note)
        lead = await self._locked(lead_id, expected)
        return await self._save("lead.withdraw", model.withdrawn(lead, self._me(), note, self.today))

    def _me(self) -> Party:
        return Party(self.actor.id, self.actor.name)

    async def _locked(self, lead_id: UUID, expected: int | None) -> Lead:
        lead = await self.leads.get(self.actor.scope, lead_id, lock=True)
        if expected is not None and expected != lead.version:
            raise PreconditionFailed("stale_version", "内容已被他人更新，请重新读取后再提交。")
        return lead

    async def _save(self, action: str, lead: Lead) -> Lead:
        await self.trail.note(action, "lead", lead.id, lead.entry.area_code)
        return await self.leads.save(self.actor.scope, lead)


def _refuse_numbers(pointer: str, text: str) -> None:
    """Numbers of people belong into sealed fields, not into free text."""
    if mentions_number(text):
        raise refusals.number_in_text(pointer)
