"""How a batch moves: which act, from where to where, by whom. The database holds the same steps in a trigger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.domain.access import Actor, Duty
from app.domain.errors import Conflict, Forbidden
from app.domain.payments.codes import ACTS, STATES
from app.domain.payments.model import Batch, BatchAct, BatchState

S = BatchState


@dataclass(frozen=True, slots=True)
class Rule:
    """``duties``: any one of them suffices. ``others_only``: never by who prepared or submitted the batch."""

    duties: frozenset[Duty]
    before: frozenset[BatchState]
    after: BatchState
    others_only: bool = False


def _rule(duties: set[Duty], before: set[BatchState], after: BatchState, *, others_only: bool = False) -> Rule:
    return Rule(frozenset(duties), frozenset(before), after, others_only)


UNRELEASED = frozenset(BatchState) - {S.RELEASED, S.REJECTED, S.CANCELLED}
RULES: Mapping[BatchAct, Rule] = MappingProxyType(
    {
        BatchAct.COMPUTE: _rule({Duty.FINANCE}, {S.DRAFT}, S.COMPUTING),
        BatchAct.SUBMIT: _rule({Duty.FINANCE}, {S.COMPUTED}, S.SUBMITTED),
        BatchAct.APPROVE: _rule({Duty.APPROVER}, {S.SUBMITTED}, S.APPROVED, others_only=True),
        BatchAct.REJECT: _rule({Duty.APPROVER}, {S.SUBMITTED, S.APPROVED}, S.REJECTED),
        BatchAct.SEND_TO_TREASURY: _rule({Duty.FINANCE, Duty.APPROVER}, {S.APPROVED, S.TREASURY_RETURNED}, S.WITH_TREASURY),
        BatchAct.TREASURY_ACCEPT: _rule({Duty.TREASURY}, {S.WITH_TREASURY}, S.TREASURY_ACCEPTED, others_only=True),
        BatchAct.TREASURY_RETURN: _rule({Duty.TREASURY}, {S.WITH_TREASURY}, S.TREASURY_RETURNED),
        BatchAct.RELEASE: _rule({Duty.APPROVER}, {S.APPROVED, S.TREASURY_ACCEPTED}, S.RELEASED, others_only=True),
        BatchAct.CANCEL: _rule({Duty.FINANCE}, set(UNRELEASED), S.CANCELLED),
    }
)


def require(batch: Batch, act: BatchAct, actor: Actor) -> BatchState:
    """The state that ``act`` leads to.

    ``Forbidden`` duty_required, own_batch; ``Conflict`` batch_wrong_state: the batch doesn't stand where the act begins.
    """
    rule = RULES[act]
    if not actor.has(*rule.duties):
        raise Forbidden("duty_required", "您的岗位不能办理此事项，请转交相应岗位办理。")
    if rule.others_only and batch.is_own(actor.id):
        raise Forbidden("own_batch", f"不能{ACTS[act]}自己编制或提交的批次，请由其他审批人办理。")
    if batch.state not in rule.before:
        needed = "、".join(STATES[state] for state in BatchState if state in rule.before)
        raise Conflict(
            "batch_wrong_state",
            f"批次现为“{STATES[batch.state]}”，不能{ACTS[act]}；须在“{needed}”状态办理。请刷新后核对。",
        )
    return rule.after


def next_acts(batch: Batch, actor: Actor) -> tuple[BatchAct, ...]:
    """What this actor may do with the batch now."""
    return tuple(act for act, rule in RULES.items() if _may(batch, rule, actor))


def _may(batch: Batch, rule: Rule, actor: Actor) -> bool:
    return actor.has(*rule.duties) and batch.state in rule.before and not (rule.others_only and batch.is_own(actor.id))
