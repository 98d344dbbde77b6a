"""The transition table of casework, exhaustively: every state × every act × every duty, delegated or not."""

from __future__ import annotations

from itertools import product

import pytest

from app.domain.access import Duty
from app.domain.casework.tasks import TASK_NAMES, WAITING, awaited_states
from app.domain.casework.workflow import (
    ACT_NAMES,
    FACTS_EDITABLE,
    FINAL,
    OPEN,
    STATE_NAMES,
    TRANSITIONS,
    Act,
    Caller,
    OpinionGiverMayNotDecide,
    State,
    next_acts,
    possible_acts,
    require_allowed,
    wrong_state,
)
from app.domain.errors import Conflict, Forbidden

S, A, D = State, Act, Duty

#: Written out by hand from 民发〔2021〕57号 and the duties of the contract: state → act → duties.
APPLICANT = {D.COMMUNITY_WORKER, D.STATION_CLERK}
CLERK, HEAD, REVIEWER = {D.STATION_CLERK}, {D.STATION_HEAD}, {D.REVIEWER}
EXPECTED: dict[State, dict[Act, set[Duty]]] = {
    S.DRAFT: {A.SUBMIT: APPLICANT, A.WITHDRAW: APPLICANT},
    S.SUBMITTED: {A.ACCEPT: CLERK, A.RETURN_FOR_SUPPLEMENT: CLERK, A.WITHDRAW: APPLICANT},
    S.RETURNED: {A.SUBMIT: APPLICANT, A.WITHDRAW: APPLICANT},
    S.ACCEPTED: {A.RETURN_FOR_SUPPLEMENT: CLERK, A.GIVE_OPINION: HEAD, A.WITHDRAW: APPLICANT},
    S.OPINION_GIVEN: {
        A.RETURN_FOR_SUPPLEMENT: CLERK,
        A.GIVE_OPINION: HEAD,
        A.OPEN_NOTICE: APPLICANT,
        A.WITHDRAW: APPLICANT,
    },
    S.REFUSAL_PROPOSED: {
        A.RETURN_FOR_SUPPLEMENT: CLERK,
        A.GIVE_OPINION: HEAD,
        A.REFUSE: REVIEWER,
        A.WITHDRAW: APPLICANT,
    },
    S.NOTICE_OPEN: {A.CLOSE_NOTICE: APPLICANT, A.WITHDRAW: APPLICANT},
    S.NOTICE_CLOSED: {
        A.RETURN_FOR_SUPPLEMENT: CLERK,
        A.GIVE_OPINION: HEAD,
        A.CONFIRM: REVIEWER,
        A.REFUSE: REVIEWER,
        A.WITHDRAW: APPLICANT,
    },
    S.CONFIRMED: {},
    S.REFUSED: {},
    S.WITHDRAWN: {},
}
TARGETS = {
    A.SUBMIT: {S.SUBMITTED},
    A.ACCEPT: {S.ACCEPTED},
    A.RETURN_FOR_SUPPLEMENT: {S.RETURNED},
    A.GIVE_OPINION: {S.OPINION_GIVEN, S.REFUSAL_PROPOSED},
    A.OPEN_NOTICE: {S.NOTICE_OPEN},
    A.CLOSE_NOTICE: {S.NOTICE_CLOSED},
    A.CONFIRM: {S.CONFIRMED},
    A.REFUSE: {S.REFUSED},
    A.WITHDRAW: {S.WITHDRAWN},
}


def expected(state: State, act: Act, *, delegated: bool) -> set[Duty]:
    duties = set(EXPECTED[state].get(act, set()))
    decides = act in (A.CONFIRM, A.REFUSE)
    return duties | HEAD if duties and decides and delegated else duties


def refusal(act: Act, state: State, caller: Caller) -> str | None:
    try:
        require_allowed(act, state, caller)
    except (Conflict, Forbidden) as error:
        return error.code
    return None


@pytest.mark.parametrize(("state", "act"), list(product(State, Act)), ids=lambda value: value.value)
def test_every_state_and_act_by_every_duty(state: State, act: Act) -> None:
    for duty, delegated in product(Duty, (False, True)):
        caller = Caller(frozenset({duty}), delegated)
        allowed = duty in expected(state, act, delegated=delegated)
        assert (refusal(act, state, caller) is None) == allowed, (duty, delegated)
        assert (act in next_acts(state, caller)) == allowed
    assert (act in possible_acts(state)) == (act in EXPECTED[state])


@pytest.mark.parametrize(("state", "act"), list(product(State, Act)), ids=lambda value: value.value)
def test_whoever_gave_the_opinion_decides_nothing(state: State, act: Act) -> None:
    giver = Caller(frozenset({D.STATION_HEAD, D.REVIEWER}), confirmation_delegated=True, gave_opinion=True)
    if act in (A.CONFIRM, A.REFUSE) and act in EXPECTED[state]:
        assert refusal(act, state, giver) == "opinion_giver_may_not_decide"
        assert act not in next_acts(state, giver)
    else:
        assert refusal(act, state, giver) == refusal(act, state, Caller(giver.duties, confirmation_delegated=True))


def test_attempts_of_the_opinion_giver_go_on_record() -> None:
    assert OpinionGiverMayNotDecide().audit


def test_a_wrong_duty_is_told_before_a_wrong_state() -> None:
    assert refusal(A.CONFIRM, S.DRAFT, Caller(frozenset(HEAD))) == "duty_required"
    assert refusal(A.CONFIRM, S.DRAFT, Caller(frozenset(REVIEWER))) == "wrong_state"


def test_targets_are_those_of_the_regulation_and_final_states_stay() -> None:
    assert {act: set(transition.targets) for act, transition in TRANSITIONS.items()} == TARGETS
    assert {state for state in State if not possible_acts(state)} == FINAL
    assert frozenset(State) == FINAL | OPEN
    assert {S.DRAFT, S.SUBMITTED, S.RETURNED, S.ACCEPTED} == FACTS_EDITABLE


def test_every_open_state_can_be_reached_and_left_for_a_final_one() -> None:
    reached = {S.DRAFT}
    while True:
        further = {target for state in reached for act in possible_acts(state) for target in TRANSITIONS[act].targets}
        if further <= reached:
            break
        reached |= further
    assert reached == set(State)


def test_wrong_state_names_the_state_and_what_is_possible() -> None:
    error = wrong_state("confirm", S.SUBMITTED)
    assert error.members == {
        "act": "confirm",
        "state": "submitted",
        "allowed_acts": ["accept", "return-for-supplement", "withdraw"],
    }
    assert "已提交待受理" in error.detail
    assert "受理（accept）" in error.detail
    assert "已办结" in wrong_state("confirm", S.CONFIRMED).detail


def test_every_code_has_its_chinese_name() -> None:
    assert set(STATE_NAMES) == set(State)
    assert set(ACT_NAMES) == set(Act)
    assert set(TASK_NAMES) == set(WAITING.values())


def test_every_open_state_waits_for_somebody_who_may_act_on_it() -> None:
    assert set(WAITING) == OPEN
    for state, act in WAITING.items():
        assert act in EXPECTED[state]
    assert awaited_states({D.STATION_HEAD}, confirmation_delegated=False) == {S.ACCEPTED}
    assert awaited_states({D.STATION_HEAD}, confirmation_delegated=True) == {S.ACCEPTED, S.NOTICE_CLOSED, S.REFUSAL_PROPOSED}
    assert awaited_states({D.AUDITOR}, confirmation_delegated=True) == frozenset()
