"""The acts on a district's own standards, each told in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from app.domain.access import Actor, AreaScope, Signature
from app.domain.stations.local_standards import (
    DraftState,
    StandardDraft,
    checked,
    require_draft,
    signed,
    with_local,
)
from app.domain.stations.model import Standards
from app.domain.stations.ports import Trail
from app.domain.stations.refusals import check_version


class StandardDrafts(Protocol):
    async def lock(self, scope: AreaScope) -> None:
        """Takes the district's standards for this transaction."""

    async def list_signed(self, scope: AreaScope) -> list[str]:
        """The documents in force, as JSON text, in the order of their first days."""

    async def get(self, scope: AreaScope, draft_id: UUID) -> StandardDraft: ...

    async def add(self, scope: AreaScope, draft: StandardDraft) -> None: ...

    async def save(self, scope: AreaScope, draft: StandardDraft) -> StandardDraft:
        """One version more."""


@dataclass(frozen=True)
class StandardDesk:
    """A district's own standards at one caller's desk, in one transaction. ``shipped``: those of the application."""

    actor: Actor
    today: date
    now: datetime
    shipped: Standards
    drafts: StandardDrafts
    trail: Trail

    async def draft(self, draft_id: UUID, document: Mapping[str, Any]) -> StandardDraft:
        """A new draft, checked as the files of the application are."""
        checked(document, await self._known())
        draft = StandardDraft(draft_id, document, DraftState.DRAFT, Signature.of(self.actor, self.now))
        await self.drafts.add(self.actor.scope, draft)
        await self._note("draft", draft_id)
        return await self.drafts.get(self.actor.scope, draft_id)

    async def change(self, draft_id: UUID, document: Mapping[str, Any], expected: int | None) -> StandardDraft:
        """Another text of a draft; whoever writes it is its author from then on, and may not sign it."""
        draft = await self._locked(draft_id, expected)
        require_draft(draft)
        checked(document, await self._known())
        changed = replace(draft, document=document, drafted=Signature.of(self.actor, self.now))
        await self._note("change", draft_id)
        return await self.drafts.save(self.actor.scope, changed)

    async def sign_off(self, draft_id: UUID, expected: int | None) -> StandardDraft:
        """In force from its first day on, by the signature of somebody else."""
        draft = await self._locked(draft_id, expected)
        done = signed(draft, self.actor, await self._known(), self.today, self.now)
        await self._note("sign_off", draft_id)
        return await self.drafts.save(self.actor.scope, done)

    async def withdraw(self, draft_id: UUID, expected: int | None) -> StandardDraft:
        draft = await self._locked(draft_id, expected)
        require_draft(draft)
        await self._note("withdraw", draft_id)
        return await self.drafts.save(self.actor.scope, replace(draft, state=DraftState.WITHDRAWN))

    async def _locked(self, draft_id: UUID, expected: int | None) -> StandardDraft:
        await self.drafts.lock(self.actor.scope)
        draft = await self.drafts.get(self.actor.scope, draft_id)
        check_version(expected, draft.version)
        return draft

    async def _known(self) -> Standards:
        return with_local(self.shipped, await self.drafts.list_signed(self.actor.scope))

    async def _note(self, act: str, draft_id: UUID) -> None:
        await self.trail.note(f"station_standard.{act}", "station_standard", draft_id, self.actor.area)
