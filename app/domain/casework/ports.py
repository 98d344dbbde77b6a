"""What casework asks of storage and of the reference data. ``app/db/repositories`` answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Protocol
from uuid import UUID

from app.domain.access import AreaScope
from app.domain.calendar import Calendar
from app.domain.casework.clocks import Clock, ClockKind
from app.domain.casework.model import (
    Application,
    Decision,
    FrozenAssessment,
    Grant,
    Happening,
    Holding,
    PublicNotice,
    RunningClock,
)
from app.domain.casework.workflow import State
from app.domain.eligibility import ParameterBook
from app.domain.registry import HouseholdSnapshot

NewId = Callable[[], UUID]


class Households(Protocol):
    async def snapshot(self, scope: AreaScope, household_id: UUID, on: date) -> HouseholdSnapshot: ...


class Rules(Protocol):
    """The dated reference data of the day."""

    async def book(self) -> ParameterBook: ...

    async def calendar(self) -> Calendar: ...

    async def area_name(self, area_code: str) -> str: ...


class Applications(Protocol):
    """Applications with all that hangs on them. Every writing method leaves an event and an audit record."""

    async def add(self, scope: AreaScope, application: Application) -> Application:
        """Numbers the application and puts its creation on the timeline; ``Conflict`` when one is open already."""

    async def get_locked(self, scope: AreaScope, application_id: UUID) -> Application:
        """``NotFound`` application_not_found; holds the row until the transaction ends."""

    async def save(self, scope: AreaScope, application: Application, came_from: State, happening: Happening) -> Application:
        """Writes the changed application under its next version, and the event."""

    async def start_clocks(self, scope: AreaScope, application: Application, clocks: Iterable[Clock]) -> None:
        """A clock of a kind that ran before starts anew."""

    async def stop_clocks(self, scope: AreaScope, application: Application, kinds: Iterable[ClockKind], on: date) -> None: ...

    async def list_clocks(self, scope: AreaScope, application_id: UUID) -> Sequence[RunningClock]: ...

    async def add_decision(
        self, scope: AreaScope, application: Application, assessment: FrozenAssessment, decision: Decision
    ) -> None:
        """Freezes both; there is no way to change them."""

    async def get_assessment_of(self, scope: AreaScope, decision_id: UUID) -> FrozenAssessment: ...

    async def open_notice(self, scope: AreaScope, notice: PublicNotice) -> None: ...

    async def find_notice(self, scope: AreaScope, application_id: UUID) -> PublicNotice | None:
        """The latest notice of an application, open or closed."""

    async def close_notice(self, scope: AreaScope, notice: PublicNotice, on: date) -> None: ...


class Entitlements(Protocol):
    async def in_force(self, scope: AreaScope, household_id: UUID, programme: str) -> bool:
        """Whether the household already has an entitlement to the programme that hasn't ended."""

    async def list_holdings(self, scope: AreaScope, person_ids: Iterable[UUID], household_id: UUID) -> Sequence[Holding]:
        """What these people draw by entitlements of other households, as far as the scope sees."""

    async def grant(self, scope: AreaScope, application: Application, grant: Grant) -> UUID:
        """Entitlement, members, amounts and enrolments together; ``Conflict`` when somebody is covered already."""
