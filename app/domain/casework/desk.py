"""The desk at which an act is done, and what all acts have in common: taking, saving, clocks, the real assessment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from app.domain.access import Actor, AreaScope
from app.domain.casework import clocks
from app.domain.casework.assessing import freeze, household_of, question_of, require_unchanged, result_of
from app.domain.casework.clocks import ClockKind, TimeLimits
from app.domain.casework.model import (
    Application,
    Decision,
    DecisionKind,
    FrozenAssessment,
    Happening,
    PublicNotice,
    RunningClock,
)
from app.domain.casework.ports import Applications, Entitlements, Households, NewId, Rules
from app.domain.casework.workflow import FINAL, Act, Caller, next_acts, require_allowed, wrong_state
from app.domain.eligibility import Outcome, ParameterBook, ProgrammeResult, assess
from app.domain.errors import PreconditionFailed

_FINAL_OUTCOMES = {"confirmation": "confirmed", "refusal": "refused"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an application stands after an act, as this caller sees it. ``clocks``: those still running."""

    application: Application
    clocks: tuple[RunningClock, ...]
    next_acts: tuple[Act, ...]
    notice: PublicNotice | None = None
    entitlement_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Where an act is done: by whom, at what moment, on which business date, over which files."""

    actor: Actor
    now: datetime
    today: date
    applications: Applications
    entitlements: Entitlements
    households: Households
    rules: Rules
    new_id: NewId

    @property
    def scope(self) -> AreaScope:
        return self.actor.scope

    # --- taking and putting back ------------------------------------------------------------------------------------

    async def take(self, application_id: UUID, expected: int | None) -> Application:
        """The application, locked until the transaction ends.

        Raises NotFound application_not_found, PreconditionFailed stale_version.
        """
        application = await self.applications.get_locked(self.scope, application_id)
        if expected is not None and expected != application.version:
            raise PreconditionFailed("stale_version", "内容已被他人更新，请重新读取后再提交。")
        return application

    async def take_for(self, act: Act, application_id: UUID, expected: int | None) -> Application:
        """``take``, and the act is allowed to this caller in this state (see ``workflow.require_allowed``)."""
        application = await self.take(application_id, expected)
        require_allowed(act, application.state, await self._caller(application))
        return application

    async def save(self, changed: Application, before: Application, happening: Happening) -> Application:
        return await self.applications.save(self.scope, replace(changed, updated_at=self.now), before.state, happening)

    async def standing(
        self, application: Application, *, notice: PublicNotice | None = None, entitlement_id: UUID | None = None
    ) -> Standing:
        stored = await self.applications.list_clocks(self.scope, application.id)
        running = tuple(clock for clock in stored if clock.met_on is None)
        return Standing(application, running, await self.next_acts(application), notice, entitlement_id)

    async def next_acts(self, application: Application) -> tuple[Act, ...]:
        """What this caller may do with it now."""
        if application.state in FINAL:
            return ()
        return next_acts(application.state, await self._caller(application))

    async def _caller(self, application: Application) -> Caller:
        delegated = self._delegated(await self.rules.book(), application)
        return Caller(self.actor.duties, delegated, application.opinion_by == self.actor.id)

    # --- clocks -----------------------------------------------------------------------------------------------------

    async def start(self, application: Application, *kinds: ClockKind) -> None:
        limits, calendar = await self.limits(application), await self.rules.calendar()
        delegated = self._delegated(await self.rules.book(), application)
        started = [clocks.start(kind, self.today, limits, calendar, delegated=delegated) for kind in kinds]
        await self.applications.start_clocks(self.scope, application, started)

    async def stop(self, application: Application, *kinds: ClockKind) -> None:
        await self.applications.stop_clocks(self.scope, application, kinds, self.today)

    async def limits(self, application: Application) -> TimeLimits:
        book = await self.rules.book()
        return TimeLimits.of(book.policy(application.area_code, self.today).find("dibao.time_limits"))

    def _delegated(self, book: ParameterBook, application: Application) -> bool:
        return book.policy(application.area_code, self.today).flag("dibao.confirmation_delegated")

    # --- assessing and deciding -------------------------------------------------------------------------------------

    async def assess(self, application: Application) -> tuple[FrozenAssessment, ProgrammeResult]:
        """The real assessment of this day: the facts, if they still fit the registry, under today's parameters.

        Raises Conflict needs_evidence (no facts yet), household_changed, no_policy_in_force.
        """
        household = household_of(application)
        require_unchanged(household, await self.households.snapshot(self.scope, application.household_id, self.today))
        people = [UUID(member.ref) for member in household.members]
        holdings = await self.entitlements.list_holdings(self.scope, people, application.household_id)
        question = question_of(application, household, holdings, self.today)
        assessment = assess(question, await self.rules.book())
        return freeze(self.new_id(), question, assessment), result_of(question, assessment)

    async def opinion_of(self, application: Application) -> FrozenAssessment:
        """What the standing opinion rests on."""
        if application.opinion_id is None:
            raise wrong_state(Act.GIVE_OPINION, application.state)
        return await self.applications.get_assessment_of(self.scope, application.opinion_id)

    def decision(self, frozen: FrozenAssessment, kind: DecisionKind, text: str | None) -> Decision:
        opinion = "positive" if frozen.outcome == Outcome.ELIGIBLE.value else "negative"
        return Decision(
            id=self.new_id(),
            assessment_id=frozen.id,
            kind=kind,
            outcome=_FINAL_OUTCOMES.get(kind, opinion),
            reasons=tuple(frozen.result["reasons"]),
            text=text,
            business_date=self.today,
            decided_at=self.now,
            decided_by=self.actor.id,
            decided_by_name=self.actor.name,
        )
