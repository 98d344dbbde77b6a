"""How a batch moves: every state × act × duty, own batch or another's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from uuid import UUID

import pytest

from app.domain.access import Actor, Duty, Level, Signature
from app.domain.calendar import Month
from app.domain.errors import Conflict, Forbidden
from app.domain.payments.codes import ACTS, CAUSES, ERRORS, HELD_REASONS, STATES
from app.domain.payments.model import Batch, BatchAct, BatchRequest, BatchState, Cause, HeldReason
from app.domain.payments.workflow import RULES, next_acts, require

NOW = datetime(2026, 9, 1, tzinfo=UTC)
PREPARER, SUBMITTER, OTHER = (Signature(UUID(int=n), f"u{n}", NOW) for n in (1, 2, 3))
MONTH = Month(2026, 9)
DRAFT = Batch(
    UUID(int=9), "350702-202609-001", BatchRequest("350702", MONTH, MONTH, MONTH, ("dibao",)), BatchState.DRAFT, PREPARER
)

#: state → act → (duty, state after); written out by hand, so that a slip in the rules shows.
TABLE: dict[str, dict[str, tuple[set[str], str]]] = {
    "draft": {"compute": ({"finance"}, "computing"), "cancel": ({"finance"}, "cancelled")},
    "computing": {"cancel": ({"finance"}, "cancelled")},
    "computed": {"submit": ({"finance"}, "submitted"), "cancel": ({"finance"}, "cancelled")},
    "submitted": {
        "approve": ({"approver"}, "approved"),
        "reject": ({"approver"}, "rejected"),
        "cancel": ({"finance"}, "cancelled"),
    },
    "approved": {
        "release": ({"approver"}, "released"),
        "reject": ({"approver"}, "rejected"),
        "send-to-treasury": ({"finance", "approver"}, "with_treasury"),
        "cancel": ({"finance"}, "cancelled"),
    },
    "with_treasury": {
        "treasury-accept": ({"treasury"}, "treasury_accepted"),
        "treasury-return": ({"treasury"}, "treasury_returned"),
        "cancel": ({"finance"}, "cancelled"),
    },
    "treasury_accepted": {"release": ({"approver"}, "released"), "cancel": ({"finance"}, "cancelled")},
    "treasury_returned": {
        "send-to-treasury": ({"finance", "approver"}, "with_treasury"),
        "cancel": ({"finance"}, "cancelled"),
    },
    "released": {},
    "rejected": {},
    "cancelled": {},
}
NEVER_ONES_OWN = {"approve", "release", "treasury-accept"}


def actor(duty: Duty, signature: Signature = OTHER) -> Actor:
    return Actor(signature.by, signature.name, Level.DISTRICT, "350702", "350702", frozenset({duty}))


def outcome(batch: Batch, act: BatchAct, who: Actor) -> str:
    try:
        return require(batch, act, who).value
    except (Forbidden, Conflict) as refusal:
        return refusal.code


def expected(state: BatchState, act: BatchAct, duty: Duty, own: bool) -> str:
    duties = set().union(*(row[act][0] for row in TABLE.values() if act in row))
    if duty not in duties:
        return "duty_required"
    if own and act in NEVER_ONES_OWN:
        return "own_batch"
    return TABLE[state][act][1] if act in TABLE[state] else "batch_wrong_state"


@pytest.mark.parametrize("state", BatchState)
def test_every_act_by_every_duty(state: BatchState) -> None:
    for act, duty, who in product(BatchAct, Duty, (PREPARER, SUBMITTER, OTHER)):
        batch = replace(DRAFT, state=state, submitted=SUBMITTER)
        assert outcome(batch, act, actor(duty, who)) == expected(state, act, duty, who is not OTHER), (act, duty, who)


@pytest.mark.parametrize("state", BatchState)
def test_the_next_acts_are_exactly_those_that_would_be_let_through(state: BatchState) -> None:
    for duty, who in product(Duty, (PREPARER, OTHER)):
        batch = replace(DRAFT, state=state)
        allowed = {act for act in BatchAct if outcome(batch, act, actor(duty, who)) in set(BatchState)}
        assert set(next_acts(batch, actor(duty, who))) == allowed


def test_every_act_has_a_rule_and_every_code_a_text() -> None:
    assert set(RULES) == set(BatchAct) == {act for row in TABLE.values() for act in row}
    assert (set(STATES), set(ACTS), set(CAUSES), set(HELD_REASONS)) == (
        set(BatchState),
        set(BatchAct),
        set(Cause),
        set(HeldReason),
    )
    assert {"own_batch", "batch_wrong_state", "batch_empty"} <= set(ERRORS)


def test_a_refusal_says_where_the_batch_stands_and_what_it_takes() -> None:
    with pytest.raises(Conflict) as refused:
        require(DRAFT, BatchAct.RELEASE, actor(Duty.APPROVER))
    assert refused.value.detail.startswith("批次现为“待计算”，不能发放；须在“已审批、财政已通过”状态办理")
