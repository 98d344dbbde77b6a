"""Phases, days, and who may enter what when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from app.appraisal_schemes import shipped_schemes
from app.domain.appraisals import workflow
from app.domain.appraisals.measures import DEDUCTIONS, MEASURES, RATES
from app.domain.appraisals.model import FIVE, Phase, Span
from app.domain.appraisals.scheme import Direction, Kind, Line, Part, Round, Shelf
from app.domain.appraisals.scheme_document import hundredths, scheme_of, value_text
from app.domain.errors import Malformed
from app.domain.stations.operating import JUDGED
from app.routers.v1.appraisal_scheme_models import SchemeIn
from tests.unit.appraisals.years import (
    OTHER,
    SCHEDULE,
    SIGNED,
    YEAR,
    adjustment,
    appraisal,
    document,
    indicator,
    refusal,
    report,
    scheme,
    target,
)

DAY = timedelta(days=1)
FIRST = {phase: span.first for phase, span in SCHEDULE.items()}


def test_the_days_of_the_source_are_in_order() -> None:
    """Reports come in until the end of December while the review begins in the middle of November (S003 L281, L289)."""
    workflow.check_schedule(SCHEDULE, YEAR)
    assert SCHEDULE[Phase.REVIEW].first < SCHEDULE[Phase.REPORTING].last


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({Phase.OPERATION: Span(FIRST[Phase.PREPARATION] - DAY, date(2026, 6, 1))}, "schedule_out_of_order"),
        ({Phase.MID_YEAR: Span(date(2026, 7, 1), date(2026, 6, 30))}, "schedule_out_of_order"),
        ({Phase.PREPARATION: Span(date(2025, 12, 31), date(2026, 4, 30))}, "schedule_outside_year"),
        ({Phase.REVIEW: Span(date(2026, 11, 11), date(2028, 1, 1))}, "schedule_outside_year"),
    ],
)
def test_days_that_make_no_sense(change: dict[Phase, Span], code: str) -> None:
    assert refusal(workflow.check_schedule, {**SCHEDULE, **change}, YEAR) == code


def test_every_phase_has_its_days() -> None:
    assert refusal(workflow.check_schedule, {Phase.REVIEW: SCHEDULE[Phase.REVIEW]}, YEAR) == "phase_missing"


@pytest.mark.parametrize(("before", "after"), list(pairwise(FIVE)))
def test_one_phase_at_a_time_and_not_before_its_first_day(before: Phase, after: Phase) -> None:
    year = appraisal(before)
    assert workflow.advanced(year, FIRST[after]).phase is after
    assert refusal(workflow.advanced, year, FIRST[after] - DAY) == "appraisal_phase_too_early"


@pytest.mark.parametrize("phase", [Phase.REVIEW, Phase.PUBLISHED, Phase.CANCELLED])
def test_nothing_follows_by_itself(phase: Phase) -> None:
    assert refusal(workflow.advanced, appraisal(phase), date(2030, 1, 1)) == "appraisal_phase"


@pytest.mark.parametrize("phase", list(Phase))
def test_what_is_over_is_over(phase: Phase) -> None:
    if phase in FIVE:
        assert workflow.cancelled(appraisal(phase)).phase is Phase.CANCELLED
    else:
        assert refusal(workflow.cancelled, appraisal(phase)) == "appraisal_phase"


@pytest.mark.parametrize(("day", "early"), [(date(2026, 12, 31), True), (date(2027, 1, 1), False)])
def test_published_once_reports_are_closed(day: date, early: bool) -> None:
    if early:
        assert refusal(workflow.published, appraisal(), SIGNED, day) == "publication_too_early"
        return
    published = workflow.published(appraisal(), SIGNED, day)
    assert (published.phase, published.published) == (Phase.PUBLISHED, SIGNED)


def test_published_from_the_review_only() -> None:
    assert refusal(workflow.published, appraisal(Phase.REPORTING), SIGNED, date(2027, 1, 1)) == "appraisal_phase"


@pytest.mark.parametrize(
    ("phase", "given", "code"),
    [
        (Phase.PREPARATION, target("up", 100), None),
        (Phase.PREPARATION, target("up", None), "note_required"),
        (Phase.PREPARATION, target("up", None, "本站无此业务"), None),
        (Phase.MID_YEAR, target("up", 100), "note_required"),
        (Phase.MID_YEAR, target("up", 100, "下半年任务调整"), None),
        (Phase.OPERATION, target("up", 100), "appraisal_phase"),
        (Phase.REVIEW, target("up", 100, "x"), "appraisal_phase"),
    ],
)
def test_targets_are_set_at_the_start_and_adjusted_in_the_middle(phase: Phase, given: Any, code: str | None) -> None:
    if code is None:
        workflow.check_target(phase, given, "")
    else:
        assert refusal(workflow.check_target, phase, given, "") == code


@pytest.mark.parametrize(
    ("direction", "actual", "next_step", "refused"),
    [
        (Direction.HIGHER, 100_00, None, False),
        (Direction.HIGHER, 99_99, None, True),
        (Direction.HIGHER, 99_99, "明年补齐", False),
        (Direction.LOWER, 100_00, None, False),
        (Direction.LOWER, 100_01, None, True),
    ],
)
def test_what_falls_short_says_what_comes_next(direction: Direction, actual: int, next_step: str | None, refused: bool) -> None:
    given = scheme(indicators=[indicator("up", direction=direction.value)]).indicators[0]
    arguments = (given, target("up", 100_00), report("up", actual, next_step=next_step), "")
    if refused:
        assert refusal(workflow.check_report, *arguments) == "next_step_required"
    else:
        workflow.check_report(*arguments)


def test_what_the_system_measures_nobody_reports() -> None:
    given = scheme(indicators=[indicator("up", measure="monthly_meetings")]).indicators[0]
    assert refusal(workflow.check_report, given, target("up", 1), report("up", 1), "") == "indicator_measured"


@pytest.mark.parametrize(
    ("sample", "satisfied", "code"),
    [(30, 30, None), (30, 0, None), (29, 10, "sample_too_small"), (30, 31, "satisfied_over_sample")],
)
def test_a_survey_needs_its_sample(sample: int, satisfied: int, code: str | None) -> None:
    if code is None:
        workflow.check_survey(sample, satisfied, 30)
    else:
        assert refusal(workflow.check_survey, sample, satisfied, 30) == code


@pytest.mark.parametrize(
    ("kind", "code", "points", "refused"),
    [
        (Kind.BONUS, "honour", 200, None),
        (Kind.BONUS, "honour", 201, "points_over_rule"),
        (Kind.BONUS, "honour", 0, "points_over_rule"),
        (Kind.DEDUCTION, "criticism", 1, None),
        (Kind.DEDUCTION, "acceptance", 1, "adjustment_measured"),
        (Kind.VETO, "integrity", 0, None),
        (Kind.VETO, "integrity", 1, "veto_without_points"),
    ],
)
def test_what_a_rule_allows(kind: Kind, code: str, points: int, refused: str | None) -> None:
    rule = scheme().rule(kind, code)
    assert rule is not None
    if refused is None:
        workflow.check_adjustment(rule, points)
    else:
        assert refusal(workflow.check_adjustment, rule, points) == refused


def test_withdrawn_once() -> None:
    once = workflow.withdrawn(adjustment(Kind.BONUS, "honour", 1), "有误", OTHER)
    assert (once.withdrawn, once.withdrawn_reason) == (OTHER, "有误")
    assert refusal(workflow.withdrawn, once, "有误", OTHER) == "adjustment_withdrawn"


@pytest.mark.parametrize(
    ("staff", "refused"),
    [
        ([], False),
        ([(UUID(int=5), "局领导")], False),  # another account of the same name
        ([(UUID(int=2), "别名")], True),
        ([(None, "局领导")], True),
        ([(None, "局·领导")], False),
    ],
)
def test_nobody_scores_his_own_station(staff: list[tuple[UUID | None, str]], refused: bool) -> None:
    if refused:
        assert refusal(workflow.require_independent, UUID(int=2), "局领导", staff) == "own_station"
    else:
        workflow.require_independent(UUID(int=2), "局领导", staff)


# --- schemes ---------------------------------------------------------------------------------------------------------------


def errors_of(**changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(Malformed) as refused:
        scheme_of(document(**changes))
    return [(error.pointer, error.code) for error in refused.value.errors]


WEIGHTS = document()["weights"]


@pytest.mark.parametrize("change", [-1, 1, 50])
def test_weights_make_a_hundred(change: int) -> None:
    assert errors_of(weights=[WEIGHTS[0] | {"weight": 20 + change}, *WEIGHTS[1:]]) == [("/weights", "weights_sum")]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"weights": [*WEIGHTS[:2], WEIGHTS[2] | {"round": "mid_year"}]}, ("/weights/2/round", "unknown_value")),
        ({"weights": [*WEIGHTS[:2], WEIGHTS[2] | {"weight": 25}, WEIGHTS[2] | {"weight": 25}]}, ("/weights/3", "entered_twice")),
        ({"indicators": [indicator("a"), indicator("a")]}, ("/indicators/1", "entered_twice")),
        ({"indicators": [indicator("a", measure="no_such")]}, ("/indicators/0/measure", "measure_unknown")),
        ({"indicators": [indicator("a", business="救助")]}, ("/indicators/0/business", "business_line")),
        ({"indicators": [indicator("a", line=Line.BUSINESS.value)]}, ("/indicators/0/business", "business_line")),
        ({"grades": document()["grades"][:2]}, ("/grades", "grades_order")),
        ({"grades": document()["grades"][::-1]}, ("/grades", "grades_order")),
        ({"personnel": document()["personnel"] | {"meeting_weight": 0, "check_weight": 0}}, ("/personnel", "weights_sum")),
        ({"deductions": [document()["deductions"][1] | {"measure": "x"}]}, ("/deductions/0/measure", "measure_unknown")),
    ],
)
def test_a_scheme_that_contradicts_itself(change: dict[str, Any], found: tuple[str, str]) -> None:
    assert found in errors_of(**change)


@pytest.mark.parametrize(("written", "kept"), [("0", 0), ("0.01", 1), ("98.5", 9850), ("98.50", 9850), ("100", 10000)])
def test_values_are_kept_in_hundredths(written: str, kept: int) -> None:
    assert hundredths(written) == kept
    assert value_text(kept) == (written.rstrip("0").rstrip(".") if "." in written else written)


def test_the_latest_version_for_a_year_is_taken() -> None:
    shelf = Shelf([scheme(version="a", from_year=2020), scheme(version="b", from_year=2025), scheme(version="c", from_year=2027)])
    assert [getattr(shelf.find("small", None, year), "version", None) for year in (2019, 2020, 2024, 2025, 2026, 2027)] == [
        *(None, "a", "a"),
        *("b", "b", "c"),
    ]
    assert getattr(shelf.find("small", "a", 2026), "version", None) == "a"
    assert shelf.find("small", "c", 2026) is None
    assert scheme().weight(Part.LEADER, Round.MID_YEAR) == 0


def test_who_owes_what() -> None:
    given = scheme(indicators=[indicator("up"), indicator("other"), indicator("measured", measure="monthly_meetings")]).indicators
    targets = {"up": target("up", 1), "other": target("other", None, "无此业务")}
    assert [one.code for one in workflow.owed_reports(given, targets, {})] == ["up"]
    handed_in = {(Round.YEAR_END, "up"): report("up", 1)}
    assert workflow.owed_reports(given, targets, handed_in) == []
    early = {(Round.MID_YEAR, "up"): replace(report("up", 1), round=Round.MID_YEAR)}
    assert [one.code for one in workflow.owed_reports(given, targets, early)] == ["up"]


def test_the_shipped_scheme_is_one_that_a_district_could_lay_down() -> None:
    """Every number of it passes the same doors; every indicator names its source."""
    for one in shipped_schemes():
        assert SchemeIn.model_validate(one.document).document()["code"] == one.code
        assert all([each.source for each in one.indicators] + [each.source for each in one.rules])
        assert one.measures <= {*MEASURES, *DEDUCTIONS}


def test_rates_are_those_of_the_operating_data() -> None:
    assert set(RATES) <= set(MEASURES)
    assert set(RATES) <= set(JUDGED)
