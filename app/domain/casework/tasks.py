"""What waits for whom: each state in which an application waits for an act, and whose duty that act is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from app.domain.access import Duty
from app.domain.casework.workflow import Act, State, duties_of

WAITING: Mapping[State, Act] = {
    State.DRAFT: Act.SUBMIT,
    State.RETURNED: Act.SUBMIT,
    State.SUBMITTED: Act.ACCEPT,
    State.ACCEPTED: Act.GIVE_OPINION,
    State.OPINION_GIVEN: Act.OPEN_NOTICE,
    State.NOTICE_OPEN: Act.CLOSE_NOTICE,
    State.NOTICE_CLOSED: Act.CONFIRM,
    State.REFUSAL_PROPOSED: Act.REFUSE,
}

TASK_NAMES: Mapping[Act, str] = {
    Act.SUBMIT: "填报并提交申请",
    Act.ACCEPT: "受理或退回补正",
    Act.GIVE_OPINION: "调查核实并提出初审意见",
    Act.OPEN_NOTICE: "张贴公示",
    Act.CLOSE_NOTICE: "结束公示并报送确认",
    Act.CONFIRM: "确认",
    Act.REFUSE: "作出不予确认决定",
}


@dataclass(frozen=True, slots=True)
class Task:
    """An act that waits for this caller; ``clock`` and ``due_on`` are those of the nearest running time limit."""

    act: Act
    application_id: UUID
    number: str
    programme: str
    state: State
    area_code: str
    household_id: UUID
    waiting_since: datetime
    clock: str | None
    due_on: date | None
    provisional: bool


def awaited_states(duties: Collection[Duty], *, confirmation_delegated: bool) -> frozenset[State]:
    """The states in which an application waits for somebody with these duties."""
    return frozenset(
        state
        for state, act in WAITING.items()
        if not duties_of(act, confirmation_delegated=confirmation_delegated).isdisjoint(duties)
    )
