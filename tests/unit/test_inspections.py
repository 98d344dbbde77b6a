"""Acceptance of stations: phases, independence, findings, signatures, rectifications, results (区对基层民政组织意见 三)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.access import Signature
from app.domain.errors import DomainError
from app.domain.inspections import judging, workflow
from app.domain.inspections.model import (
    Campaign,
    Colleague,
    Escalation,
    Inspection,
    InspectionState,
    Inspector,
    Mark,
    Phase,
    Rectification,
    RectificationState,
    Result,
    Schedule,
    Source,
)
from app.domain.stations import Assessment, Criterion, Grade, Undecided, Verdict
from app.domain.stations.model import Comparator, Dimension, Limit

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
INSPECTOR, SECOND, HEAD = UUID(int=1), UUID(int=2), UUID(int=3)
SCHEDULE = Schedule(date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 20))
PHOTO = (UUID(int=9),)


def signature(by: UUID = INSPECTOR) -> Signature:
    return Signature(by, "检查员", NOW)


def campaign(phase: Phase = Phase.INSPECTION) -> Campaign:
    return Campaign(
        id=UUID(int=100),
        area_code="350702",
        title="年度验收",
        standard="sanyou_siquan",
        standard_version="1",
        as_of=DAY,
        schedule=SCHEDULE,
        seed=7,
        sample_size=3,
        phase=phase,
        opened=signature(),
        published=None,
        version=1,
    )


def inspection(**changes: object) -> Inspection:
    made = Inspection(
        id=UUID(int=200),
        campaign_id=UUID(int=100),
        title="年度验收",
        standard="sanyou_siquan",
        standard_version="1",
        as_of=DAY,
        phase=Phase.INSPECTION,
        station_id=UUID(int=300),
        area_code="350702001",
        station_name="梅山街道民政工作站",
        inspectors=(INSPECTOR, SECOND),
        sample=(),
        state=InspectionState.PLANNED,
        signatures=(),
        countersigned=None,
        version=1,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def mark(code: str = "a", *, met: bool = True, source: Source = Source.FOUND, **changes: object) -> Mark:
    made = Mark(code, source, met, None, (), None, signature())
    return replace(made, **changes)  # type: ignore[arg-type]


def rectification(**changes: object) -> Rectification:
    made = Rectification(
        id=UUID(int=400),
        inspection_id=UUID(int=200),
        station_id=UUID(int=300),
        area_code="350702001",
        criterion="a",
        requirement="配齐电脑",
        due_on=DAY,
        owner=None,
        state=RectificationState.OPEN,
        submissions=(),
        closed=None,
        version=1,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def refusal(act: object, *arguments: object, **named: object) -> str:
    with pytest.raises(DomainError) as refused:
        act(*arguments, **named)  # type: ignore[operator]
    found = [refused.value.code, *(error.code for error in refused.value.errors)]
    return found[-1]


# --- phases ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "today", "following"),
    [
        (Phase.DRAFT, date(2026, 9, 1), Phase.PREPARATION),
        (Phase.PREPARATION, date(2026, 10, 1), Phase.IMPLEMENTATION),
        (Phase.IMPLEMENTATION, date(2026, 11, 1), Phase.INSPECTION),
        (Phase.INSPECTION, date(2026, 11, 1), Phase.CLOSED),
    ],
)
def test_a_campaign_goes_one_phase_at_a_time(phase: Phase, today: date, following: Phase) -> None:
    assert workflow.advanced(campaign(phase), today).phase is following


@pytest.mark.parametrize(
    ("phase", "first"),
    [
        (Phase.DRAFT, SCHEDULE.preparation_from),
        (Phase.PREPARATION, SCHEDULE.implementation_from),
        (Phase.IMPLEMENTATION, SCHEDULE.inspection_from),
    ],
)
def test_no_phase_begins_before_its_day(phase: Phase, first: date) -> None:
    assert refusal(workflow.advanced, campaign(phase), first - timedelta(days=1)) == "phase_too_early"


@pytest.mark.parametrize("phase", [Phase.CLOSED, Phase.PUBLISHED, Phase.CANCELLED])
def test_what_has_ended_goes_no_further(phase: Phase) -> None:
    assert refusal(workflow.advanced, campaign(phase), DAY) == "campaign_phase"
    assert refusal(workflow.cancelled, campaign(phase)) == "campaign_phase"


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.CLOSED])
def test_only_what_is_closed_is_published(phase: Phase) -> None:
    assert refusal(workflow.published, campaign(phase), signature()) == "campaign_phase"
    assert workflow.published(campaign(Phase.CLOSED), signature()).phase is Phase.PUBLISHED


@pytest.mark.parametrize("field", ["implementation_from", "inspection_from", "conclude_by"])
def test_a_schedule_is_in_order(field: str) -> None:
    early = replace(SCHEDULE, **{field: date(2026, 8, 31)})
    assert refusal(workflow.check_schedule, early, DAY) == "schedule_out_of_order"
    same_day = Schedule(DAY, DAY, DAY, DAY)
    workflow.check_schedule(same_day, same_day.conclude_by)
    after = same_day.conclude_by + timedelta(days=1)
    assert refusal(workflow.check_schedule, same_day, after) == "as_of_after_end"


@given(st.lists(st.integers(0, 999).map("{:012d}".format), unique=True, max_size=30), st.integers(0, 2**63), st.integers(0, 40))
def test_a_sample_is_drawn_again_from_its_seed(communities: list[str], seed: int, size: int) -> None:
    drawn = workflow.drawn(seed, "350702001", communities, size)
    assert drawn == workflow.drawn(seed, "350702001", list(reversed(communities)), size)
    assert len(set(drawn)) == len(drawn) == min(size, len(communities))
    assert set(drawn) <= set(communities)


# --- the team -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("staff", "refused"),
    [
        ([], False),
        ([Colleague(None, "另一人")], False),
        ([Colleague(SECOND, "另一人", "另一人")], False),
        ([Colleague(INSPECTOR, "旧名", "检查员")], True),
        ([Colleague(None, "检查员")], True),
        ([Colleague(None, " 检 查 员 ")], True),
        ([Colleague(SECOND, "检查员", "经办人")], True),  # his second account, or a namesake: another one is sent
        ([Colleague(SECOND, "旧名", "检查员")], True),
        ([Colleague(SECOND, "另一人"), Colleague(INSPECTOR, "检查员")], True),
    ],
)
def test_nobody_inspects_where_he_worked(staff: list[Colleague], refused: bool) -> None:
    inspector = Inspector(INSPECTOR, "检查员", "350702")
    if refused:
        assert refusal(workflow.require_independent, inspector, "350702001", staff) == "inspector_worked_there"
    else:
        workflow.require_independent(inspector, "350702001", staff)


@pytest.mark.parametrize(
    ("area", "refused"), [("350702", False), ("350702001", True), ("350702001003", True), ("350702002", False)]
)
def test_nobody_inspects_the_station_of_his_own_area(area: str, refused: bool) -> None:
    inspector = Inspector(INSPECTOR, "检查员", area)
    if refused:
        assert refusal(workflow.require_independent, inspector, "350702001", []) == "inspector_worked_there"
    else:
        workflow.require_independent(inspector, "350702001", [])


@pytest.mark.parametrize(
    ("finding", "derived", "code"),
    [
        (mark(met=True), None, None),
        (mark(met=True), True, None),
        (mark(met=True), False, "evidence_missing"),
        (mark(met=True, evidence=PHOTO), False, None),
        (mark(met=False, evidence=PHOTO), False, "rectify_by_required"),
        (mark(met=False, evidence=PHOTO, rectify_by=DAY), False, "rectify_by_required"),
        (mark(met=False, evidence=PHOTO, rectify_by=DAY + timedelta(days=1)), False, None),
        (mark(met=False, rectify_by=DAY + timedelta(days=1)), None, "evidence_missing"),
    ],
)
def test_a_finding_says_by_when_and_shows_why(finding: Mark, derived: bool | None, code: str | None) -> None:
    if code is None:
        workflow.check_finding(finding, derived, DAY)
    else:
        assert refusal(workflow.check_finding, finding, derived, DAY) == code


def test_everybody_of_the_team_signs_once_then_the_head() -> None:
    assert refusal(workflow.signed, inspection(), signature(), ["在编人数"]) == "findings_missing"
    assert refusal(workflow.signed, inspection(), signature(HEAD), []) == "not_on_the_team"
    once = workflow.signed(inspection(), signature(), [])
    assert once.state is InspectionState.PLANNED
    assert refusal(workflow.signed, once, signature(), []) == "already_signed"
    assert refusal(workflow.countersigned, once, signature(HEAD)) == "inspection_state"
    both = workflow.signed(once, signature(SECOND), [])
    assert both.state is InspectionState.SIGNED
    assert refusal(workflow.require_editable, both) == "inspection_state"
    assert workflow.countersigned(both, signature(HEAD)).state is InspectionState.CONFIRMED


# --- rectifications -------------------------------------------------------------------------------------------------------


def test_a_rectification_goes_to_and_fro_until_it_is_closed() -> None:
    found = rectification()
    assert refusal(workflow.submitted, found, "已配齐", (), signature()) == "evidence_missing"
    sent = workflow.submitted(found, "已配齐", PHOTO, signature(HEAD))
    assert refusal(workflow.submitted, sent, "再交", PHOTO, signature(HEAD)) == "rectification_state"
    again = {"passed": False, "note": "仍缺一台", "signature": signature(), "today": DAY}
    assert refusal(workflow.reinspected, sent, due_on=DAY, **again) == "due_date_past"
    back = workflow.reinspected(sent, due_on=DAY + timedelta(days=5), **again)  # type: ignore[arg-type]
    assert (back.state, back.due_on) == (RectificationState.OPEN, DAY + timedelta(days=5))
    sent_again = workflow.submitted(back, "已补", PHOTO, signature(HEAD))
    closed = workflow.reinspected(sent_again, passed=True, note="齐", due_on=None, signature=signature(), today=DAY)
    assert closed.state is RectificationState.CLOSED
    assert [one["reinspection"]["passed"] for one in closed.submissions] == [False, True]
    assert refusal(workflow.submitted, closed, "又交", PHOTO, signature()) == "rectification_state"


@pytest.mark.parametrize(
    ("late", "expected"),
    [(-1, None), (0, None), (1, Escalation.STATION_HEAD), (15, Escalation.STATION_HEAD), (16, Escalation.DISTRICT)],
)
def test_overdue_ones_escalate(late: int, expected: Escalation | None) -> None:
    assert workflow.escalation_of(rectification(), DAY + timedelta(days=late)) is expected
    waiting = rectification(state=RectificationState.SUBMITTED)
    assert workflow.escalation_of(waiting, DAY + timedelta(days=late)) is None


@given(st.integers(-5, 60))
def test_each_overdue_one_is_on_exactly_the_list_it_is_brought_to(late: int) -> None:
    found, today = rectification(), DAY + timedelta(days=late)
    on = []
    for escalation in Escalation:
        first, last = workflow.overdue_since(escalation, today)
        if (first is None or first <= found.due_on) and found.due_on <= last:
            on.append(escalation)
    before = workflow.escalation_of(found, today)
    assert on == ([] if before is None else [before])


# --- results --------------------------------------------------------------------------------------------------------------


def criterion(code: str, *, weight: int = 10, mandatory: bool = True) -> Criterion:
    return Criterion(
        code=code,
        name=f"指标{code}",
        dimension=Dimension.STAFF,
        measure="staff_members",
        comparator=Comparator.AT_LEAST,
        limits=(Limit(lower=1),),
        article="S001",
        sentence="原文",
        evidence=(),
        weight=weight,
        mandatory=mandatory,
        valid_from=date(2020, 1, 1),
    )


def derived(*verdicts: Verdict) -> Assessment:
    return Assessment("sanyou_siquan", "1", DAY, verdicts, (), Grade.UNDETERMINED)


def verdict(code: str, met: bool | None = True, *, reason: Undecided | None = None, **changes: object) -> Verdict:
    return Verdict(criterion(code, **changes), met, None, None, None, reason)  # type: ignore[arg-type]


def result(marks: list[Mark], *verdicts: Verdict, rectified: tuple[str, ...] = ()) -> Result:
    closed = [rectification(criterion=code, state=RectificationState.CLOSED) for code in rectified]
    return judging.result_of(inspection(), derived(*verdicts), marks, closed)


def test_what_the_inspectors_found_decides_and_nothing_else() -> None:
    marks = [mark("a", met=False), mark("a", met=True, source=Source.SELF)]
    found = result(marks, verdict("a", True))
    assert found.passed is False
    assert found.score_points == 0
    row = found.rows[0]
    assert (row.derived, row.self_met, row.found, row.disagrees) == (True, True, False, False)


def test_the_stations_own_word_against_the_data_is_flagged() -> None:
    row = result([mark("a", source=Source.SELF, met=True)], verdict("a", False)).rows[0]
    assert row.disagrees
    assert not result([mark("a", source=Source.SELF, met=True)], verdict("a", None)).rows[0].disagrees


def test_what_was_put_right_counts_as_met() -> None:
    found = result([mark("a", met=False)], verdict("a", False), rectified=("a",))
    assert (found.passed, found.score_points) == (True, 10000)


@pytest.mark.parametrize(
    ("marks", "passed", "points"),
    [
        ([mark("a"), mark("b"), mark("c")], True, 10000),
        ([mark("a"), mark("b"), mark("c", met=False)], True, 7500),  # c is scored, not mandatory
        ([mark("a"), mark("b", met=False), mark("c")], False, 5000),  # one mandatory failure fails all (ZD-11)
        ([mark("a"), mark("b")], True, None),
        ([mark("a")], None, None),
        ([mark("a", met=False)], False, None),
    ],
)
def test_passing_and_scoring(marks: list[Mark], passed: bool | None, points: int | None) -> None:
    verdicts = (verdict("a", weight=5), verdict("b", weight=10), verdict("c", weight=5, mandatory=False))
    found = result(marks, *verdicts)
    assert (found.passed, found.score_points) == (passed, points)


def test_what_the_standard_has_no_rule_for_is_not_asked() -> None:
    nothing = verdict("b", None, reason=Undecided.NOT_DEFINED)
    assert judging.unmarked(derived(verdict("a"), nothing), []) == ["指标a"]
    found = result([mark("a")], verdict("a"), nothing)
    assert (found.passed, found.score_points) == (True, 10000)


def test_what_was_found_counts_whatever_is_entered_since() -> None:
    """Signed as failed; then the station's facts were changed so that the standard would have no rule for it."""
    since = verdict("b", None, reason=Undecided.NOT_DEFINED)
    found = result([mark("a"), mark("b", met=False)], verdict("a"), since)
    assert (found.passed, found.score_points) == (False, 5000)


def test_nobody_undecided_is_ranked() -> None:
    failed = Result(uuid4(), "350702001", "站", False, 100, None, ())
    open_one = Result(uuid4(), "350702002", "站", None, None, None, ())
    half = Result(uuid4(), "350702003", "站", False, None, None, ())
    ranks = {one.area_code: one.rank for one in judging.ranked([open_one, half, failed])}
    assert ranks == {"350702001": 1, "350702002": None, "350702003": None}


def test_equals_share_a_rank() -> None:
    def of(passed: bool, points: int) -> Result:
        return Result(uuid4(), "350702001", "站", passed, points, None, ())

    ranks = [
        one.rank for one in judging.ranked([of(True, 9000), of(True, 9500), of(True, 9000), of(False, 9900), of(True, 8000)])
    ]
    assert ranks == [1, 2, 2, 4, 5]


@given(st.permutations([("a", 9500), ("b", 9000), ("c", 9000), ("d", 100)]))
def test_ranking_does_not_depend_on_the_order(entries: list[tuple[str, int]]) -> None:
    results = [Result(UUID(int=ord(name)), name, name, True, points, None, ()) for name, points in entries]
    assert [(one.station_name, one.rank) for one in judging.ranked(results)] == [("a", 1), ("b", 2), ("c", 2), ("d", 4)]
