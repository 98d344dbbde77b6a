"""How an application moves: which act leads from which state to which, and whose duty it is. Data first, nothing else decides.

The shorter path of 民发〔2021〕57号: application, acceptance, opinion of the station, public notice, confirmation.
Where the province has delegated confirmation (社会救助法 第四十四条第二款), the head of the station confirms too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.access import Duty
from app.domain.errors import Conflict, Forbidden


class State(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    OPINION_GIVEN = "opinion_given"
    REFUSAL_PROPOSED = "refusal_proposed"
    NOTICE_OPEN = "notice_open"
    NOTICE_CLOSED = "notice_closed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Act(StrEnum):
    """Named as in the path of the request."""

    SUBMIT = "submit"
    ACCEPT = "accept"
    RETURN_FOR_SUPPLEMENT = "return-for-supplement"
    GIVE_OPINION = "give-opinion"
    OPEN_NOTICE = "open-notice"
    CLOSE_NOTICE = "close-notice"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


FINAL = frozenset({State.CONFIRMED, State.REFUSED, State.WITHDRAWN})
OPEN = frozenset(State) - FINAL

#: Facts are put before the opinion (contract §5).
FACTS_EDITABLE = frozenset({State.DRAFT, State.SUBMITTED, State.RETURNED, State.ACCEPTED})

_APPLICANTS_SIDE = frozenset({Duty.COMMUNITY_WORKER, Duty.STATION_CLERK})
_CLERK = frozenset({Duty.STATION_CLERK})
_HEAD = frozenset({Duty.STATION_HEAD})
_REVIEWER = frozenset({Duty.REVIEWER})
_AFTER_OPINION = frozenset({State.OPINION_GIVEN, State.REFUSAL_PROPOSED, State.NOTICE_CLOSED})


@dataclass(frozen=True, slots=True)
class Transition:
    """From any of ``sources`` to one of ``targets``, by holders of ``duties``; ``decides``: the head's too where delegated."""

    sources: frozenset[State]
    targets: tuple[State, ...]
    duties: frozenset[Duty]
    decides: bool = False


TRANSITIONS: Mapping[Act, Transition] = {
    Act.SUBMIT: Transition(frozenset({State.DRAFT, State.RETURNED}), (State.SUBMITTED,), _APPLICANTS_SIDE),
    Act.ACCEPT: Transition(frozenset({State.SUBMITTED}), (State.ACCEPTED,), _CLERK),
    # After the opinion too: a birth or a death in the family needs new facts. The clocks of the first acceptance run on.
    Act.RETURN_FOR_SUPPLEMENT: Transition(
        frozenset({State.SUBMITTED, State.ACCEPTED}) | _AFTER_OPINION, (State.RETURNED,), _CLERK
    ),
    # Again after an opinion, when its assessment no longer holds: 重新提出初审意见 (57号 第十九条).
    Act.GIVE_OPINION: Transition(
        frozenset({State.ACCEPTED}) | _AFTER_OPINION, (State.OPINION_GIVEN, State.REFUSAL_PROPOSED), _HEAD
    ),
    Act.OPEN_NOTICE: Transition(frozenset({State.OPINION_GIVEN}), (State.NOTICE_OPEN,), _APPLICANTS_SIDE),
    Act.CLOSE_NOTICE: Transition(frozenset({State.NOTICE_OPEN}), (State.NOTICE_CLOSED,), _APPLICANTS_SIDE),
    Act.CONFIRM: Transition(frozenset({State.NOTICE_CLOSED}), (State.CONFIRMED,), _REVIEWER, decides=True),
    # A proposed refusal isn't posted: there is nothing to grant that neighbours could object to (57号 第十九条、第二十一条).
    Act.REFUSE: Transition(frozenset({State.REFUSAL_PROPOSED, State.NOTICE_CLOSED}), (State.REFUSED,), _REVIEWER, decides=True),
    Act.WITHDRAW: Transition(OPEN, (State.WITHDRAWN,), _APPLICANTS_SIDE),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who would act: his duties, whether his area confirms itself, and whether the standing opinion is his."""

    duties: frozenset[Duty]
    confirmation_delegated: bool = False
    gave_opinion: bool = False


class OpinionGiverMayNotDecide(Conflict):
    """Whoever gave the opinion doesn't decide on it (人情保); attempts go on record."""

    audit = True

    def __init__(self) -> None:
        super().__init__("opinion_giver_may_not_decide", "提出初审意见的账号不能再作确认决定，请由另一名有权人员办理。")


def duties_of(act: Act, *, confirmation_delegated: bool = False) -> frozenset[Duty]:
    """Whose duty an act is."""
    transition = TRANSITIONS[act]
    return transition.duties | _HEAD if transition.decides and confirmation_delegated else transition.duties


def possible_acts(state: State) -> tuple[Act, ...]:
    """What may happen to an application in this state, whoever does it."""
    return tuple(act for act, transition in TRANSITIONS.items() if state in transition.sources)


def next_acts(state: State, caller: Caller) -> tuple[Act, ...]:
    """What this caller may do now."""
    return tuple(act for act in possible_acts(state) if _may(act, caller))


def _may(act: Act, caller: Caller) -> bool:
    his_duty = not caller.duties.isdisjoint(duties_of(act, confirmation_delegated=caller.confirmation_delegated))
    return his_duty and not (TRANSITIONS[act].decides and caller.gave_opinion)


def require_allowed(act: Act, state: State, caller: Caller) -> None:
    """Whether ``caller`` may do ``act`` in ``state``.

    Raises:
        Forbidden: ``duty_required``: confirming isn't delegated to the caller's station.
        Conflict: ``wrong_state``, naming the state and what is possible in it; ``opinion_giver_may_not_decide``.

    """
    if caller.duties.isdisjoint(duties_of(act, confirmation_delegated=caller.confirmation_delegated)):
        raise Forbidden("duty_required", "本地未将该事项下放，您的岗位不能办理，请报区民政局审核员办理。")
    if state not in TRANSITIONS[act].sources:
        raise wrong_state(act.value, state)
    if TRANSITIONS[act].decides and caller.gave_opinion:
        raise OpinionGiverMayNotDecide


def wrong_state(act: str, state: State) -> Conflict:
    allowed = [possible.value for possible in possible_acts(state)]
    names = "、".join(f"{ACT_NAMES[Act(value)]}（{value}）" for value in allowed) or "无（已办结）"
    detail = f"申请目前为“{STATE_NAMES[state]}”，不能办理此事项。此状态下可办理：{names}。"
    return Conflict("wrong_state", detail, members={"act": act, "state": state.value, "allowed_acts": allowed})


STATE_NAMES: Mapping[State, str] = {
    State.DRAFT: "草稿",
    State.SUBMITTED: "已提交待受理",
    State.RETURNED: "退回补正",
    State.ACCEPTED: "已受理",
    State.OPINION_GIVEN: "初审拟予保障",
    State.REFUSAL_PROPOSED: "初审拟不予保障",
    State.NOTICE_OPEN: "公示中",
    State.NOTICE_CLOSED: "公示期满待确认",
    State.CONFIRMED: "已确认",
    State.REFUSED: "不予确认",
    State.WITHDRAWN: "已撤回",
}
ACT_NAMES: Mapping[Act, str] = {
    Act.SUBMIT: "提交",
    Act.ACCEPT: "受理",
    Act.RETURN_FOR_SUPPLEMENT: "退回补正（一次性告知）",
    Act.GIVE_OPINION: "提出初审意见",
    Act.OPEN_NOTICE: "开始公示",
    Act.CLOSE_NOTICE: "结束公示",
    Act.CONFIRM: "确认",
    Act.REFUSE: "不予确认",
    Act.WITHDRAW: "撤回",
}
