"""提标, told in order: what a newly active set changes, put up by one and approved by another, for everybody at once.

A batch only raises amounts. Whoever would draw less, or nothing, is left out and counted: lowering and ending are decisions on
the single case, after hearing the household (社会救助法 第四十八条).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from app.domain.access import Actor, AreaScope, Signature
from app.domain.calendar import Month
from app.domain.casework import payable
from app.domain.eligibility import Answered, Answering, Outcome, ParameterBook
from app.domain.errors import Conflict, FieldError, Forbidden, Malformed, PreconditionFailed
from app.domain.policy import gate
from app.domain.policy.model import Adjustment, AdjustmentBatch, AdjustmentState, KnownAmount, PolicySet, SetStatus
from app.domain.policy.ports import PolicySets
from app.domain.policy.simulation import RunningCase, asked_on

NewId = Callable[[], UUID]
Amounts = Mapping[UUID, Sequence[KnownAmount]]


class Cases(Protocol):
    async def list_cases(self, scope: AreaScope, area_code: str, programmes: Sequence[str]) -> Sequence[RunningCase]: ...


class Batches(Protocol):
    async def known_amounts(self, scope: AreaScope, area_code: str) -> Amounts: ...

    async def add(self, scope: AreaScope, batch: AdjustmentBatch, items: Sequence[Adjustment]) -> AdjustmentBatch: ...

    async def get(self, scope: AreaScope, batch_id: UUID, *, lock: bool = False) -> AdjustmentBatch: ...

    async def count_changed(self, scope: AreaScope, batch: AdjustmentBatch) -> int:
        """Locks the batch's entitlements; how many of them are no longer as the batch found them."""

    async def write_amounts(self, scope: AreaScope, batch: AdjustmentBatch, now: datetime) -> None: ...

    async def save(self, scope: AreaScope, batch: AdjustmentBatch) -> AdjustmentBatch: ...


class Computing(Protocol):
    """Runs the whole computation beside the event loop."""

    async def __call__(
        self, plan: Plan, cases: Sequence[RunningCase], amounts: Amounts, book: ParameterBook
    ) -> tuple[list[Adjustment], int]: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """From which month on, known on which day, by values in force on which day."""

    effective_month: Month
    values_on: date
    business_date: date
    new_id: NewId

    @classmethod
    def of(cls, found: PolicySet, effective_month: Month, business_date: date, new_id: NewId) -> Plan:
        """``Malformed`` for a month before the set's effective date."""
        start = gate.effective_date(found)
        if effective_month < Month.of(start):
            finding = FieldError("/effective_month", "before_effective_date", f"不能早于参数集的施行日 {start.isoformat()}。")
            raise Malformed("malformed_request", "起算月份有误，请按 errors 更正。", errors=[finding])
        return cls(effective_month, max(start, effective_month.first_day), business_date, new_id)


# --- one entitlement ----------------------------------------------------------------------------------------------------


def first_month(plan: Plan, case: RunningCase) -> Month | None:
    """From when on the case would draw the new amount; None: it ends before."""
    first = max(plan.effective_month, Month.of(case.since_month))
    ended = case.until_month is not None and Month.of(case.until_month) <= first
    return None if ended else first


def adjustment_of(
    plan: Plan, case: RunningCase, first: Month, amounts: Sequence[KnownAmount], answered: Answered | None
) -> Adjustment | None:
    """The new amount from ``first`` on; None when nothing changes.

    Raises:
        Excluded: it can't be told, it would be less, or months after the first have amounts of their own.

    """
    if answered is None or answered.outcome is not Outcome.ELIGIBLE or any(one.from_month > first for one in amounts):
        raise Excluded
    due = [one for one in amounts if one.due_in(first)]
    components = payable(answered.components)
    old, new = sum(one.amount_fen for one in due), sum(one.amount_fen for one in components)
    if new < old:
        raise Excluded
    if new == old:
        return None
    return Adjustment(
        id=plan.new_id(),
        area_code=case.area_code,
        entitlement_id=case.entitlement_id,
        household_id=case.household_id,
        programme=case.programme,
        from_month=first,
        old_fen=old,
        new_fen=new,
        components=components,
        arrears=tuple(_arrears(plan, case, first, new - old)),
    )


class Excluded(Exception):
    """Not for a batch: a decision on the single case."""


def _arrears(plan: Plan, case: RunningCase, first: Month, difference_fen: int) -> Iterator[tuple[Month, int]]:
    end = Month.of(plan.business_date)
    if case.until_month is not None:
        end = min(end, Month.of(case.until_month))
    month = first
    while month < end:
        yield month, difference_fen
        month = month.next()


def adjust_all(
    plan: Plan, cases: Sequence[RunningCase], amounts: Amounts, book: ParameterBook, answering: Answering
) -> tuple[list[Adjustment], int]:
    """All that change, and how many were left out."""
    open_ones = [(case, first) for case in cases if (first := first_month(plan, case)) is not None]
    asked = {
        case.entitlement_id: asked_on(case, case.question, max(plan.values_on, first.first_day))
        for case, first in open_ones
        if case.question is not None
    }
    answers = dict(zip(asked, answering(list(asked.values()), book), strict=True))
    changed, excluded = [], 0
    for case, first in open_ones:
        known = amounts.get(case.entitlement_id, ())
        try:
            found = adjustment_of(plan, case, first, known, answers.get(case.entitlement_id))
        except Excluded:
            excluded += 1
            continue
        if found is not None:
            changed.append(found)
    return changed, excluded


# --- the batch ----------------------------------------------------------------------------------------------------------


async def propose(
    sets: PolicySets,
    cases: Cases,
    batches: Batches,
    scope: AreaScope,
    set_id: UUID,
    effective_month: Month,
    book: ParameterBook,
    computing: Computing,
    *,
    actor: Actor,
    new_id: NewId,
    now: datetime,
    today: date,
) -> AdjustmentBatch:
    """``Conflict`` set_not_active, batch_has_no_items, adjustment_batch_open (one batch to a set)."""
    found = await sets.get(scope, set_id)
    if found.status is not SetStatus.ACTIVE:
        raise Conflict("set_not_active", "只能按现行参数集提标，请先启用该参数集。")
    plan = Plan.of(found, effective_month, today, new_id)
    running = await cases.list_cases(scope, found.area_code, ())
    items, excluded = await computing(plan, running, await batches.known_amounts(scope, found.area_code), book)
    if not items:
        raise Conflict("batch_has_no_items", "按该参数集没有需要提高的待遇，请核对参数集和起算月份。")
    batch = AdjustmentBatch(
        id=new_id(),
        area_code=found.area_code,
        set_id=found.id,
        effective_month=effective_month,
        state=AdjustmentState.PROPOSED,
        business_date=today,
        items=len(items),
        excluded=excluded,
        monthly_change_fen=sum(one.new_fen - one.old_fen for one in items),
        arrears_fen=sum(one.arrears_fen for one in items),
        made=Signature(actor.id, actor.name, now),
        approved=None,
        version=1,
    )
    return await batches.add(scope, batch, items)


async def approve(
    batches: Batches, scope: AreaScope, batch_id: UUID, actor: Actor, *, version: int | None, now: datetime
) -> AdjustmentBatch:
    """All new amounts at once, by somebody else than who made the batch; or none, when anything has changed since."""
    batch = await _proposed(batches, scope, batch_id, version)
    if batch.made.by == actor.id:
        raise Forbidden("own_adjustment_batch", "不能批准自己编制的提标批次，请由其他审核员批准。")
    if changed := await batches.count_changed(scope, batch):
        raise Conflict("amounts_changed_since", f"编制之后有 {changed} 户（人）的待遇已变动或终止，请作废本批次后重新编制。")
    await batches.write_amounts(scope, batch, now)
    approved = Signature(actor.id, actor.name, now)
    return await batches.save(scope, replace(batch, state=AdjustmentState.APPROVED, approved=approved))


async def cancel(batches: Batches, scope: AreaScope, batch_id: UUID, *, version: int | None) -> AdjustmentBatch:
    """The set may have another batch then; the items stay on record."""
    batch = await _proposed(batches, scope, batch_id, version)
    return await batches.save(scope, replace(batch, state=AdjustmentState.CANCELLED))


async def _proposed(batches: Batches, scope: AreaScope, batch_id: UUID, version: int | None) -> AdjustmentBatch:
    batch = await batches.get(scope, batch_id, lock=True)
    if version is not None and version != batch.version:
        raise PreconditionFailed("stale_version", "内容已被他人更新，请重新读取后再提交。")
    if batch.state is not AdjustmentState.PROPOSED:
        raise Conflict("adjustment_batch_settled", "该提标批次已批准或作废，不能再办理。")
    return batch
