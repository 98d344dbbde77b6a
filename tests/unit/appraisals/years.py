"""A small scheme and a station in it, for the tests of this folder."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from app.domain.access import Signature
from app.domain.appraisals.model import Adjustment, Appraisal, Inputs, Measured, Phase, Report, Score, Span, StationYear, Target
from app.domain.appraisals.scheme import Kind, Part, Round, Scheme
from app.domain.appraisals.scheme_document import scheme_of
from app.domain.errors import DomainError

YEAR = 2026
SIGNED = Signature(UUID(int=1), "检查员", datetime(2026, 11, 20, 8, tzinfo=UTC))
OTHER = Signature(UUID(int=2), "局领导", datetime(2026, 11, 20, 9, tzinfo=UTC))
#: The days of S003 L255-L301: the review begins while reports still come in.
SCHEDULE = {
    Phase.PREPARATION: Span(date(2026, 3, 21), date(2026, 4, 30)),
    Phase.OPERATION: Span(date(2026, 5, 1), date(2026, 6, 10)),
    Phase.MID_YEAR: Span(date(2026, 6, 11), date(2026, 8, 10)),
    Phase.REPORTING: Span(date(2026, 8, 11), date(2026, 12, 31)),
    Phase.REVIEW: Span(date(2026, 11, 11), date(2027, 1, 15)),
}
SOURCE = {"source": "考核细则"}


def indicator(code: str, **more: Any) -> dict[str, Any]:
    given = {"code": code, "name": code, "line": "common", "unit": "次", "direction": "higher", "weight": 1, "target": "100"}
    return given | SOURCE | more


def document(**changes: Any) -> dict[str, Any]:
    """Self-review 20, leader 30, indicators 50; one indicator each way."""
    return {
        "code": "small",
        "version": "1",
        "title": "细则",
        "from_year": 2020,
        "weights": [
            {"part": "self_review", "round": "mid_year", "weight": 20},
            {"part": "leader", "round": "year_end", "weight": 30},
            {"part": "indicators", "round": "year_end", "weight": 50},
        ],
        "indicators": [indicator("up", weight=3), indicator("down", direction="lower", target="2")],
        "bonuses": [{"code": "honour", "name": "表彰", "most_points": 200, "cap_points": 300} | SOURCE],
        "deductions": [
            {"code": "criticism", "name": "批评", "most_points": 200, "cap_points": 250} | SOURCE,
            {"code": "acceptance", "name": "验收", "cap_points": 350, "measure": "acceptance_points_off"} | SOURCE,
        ],
        "vetoes": [{"code": "integrity", "name": "廉政"} | SOURCE],
        "bonus_cap_points": 250,
        "deduction_cap_points": 500,
        "survey_least_sample": 30,
        "grades": [
            {"grade": "good", "name": "良好", "at_least_points": 8000},
            {"grade": "qualified", "name": "合格", "at_least_points": 6000},
            {"grade": "unqualified", "name": "不合格", "at_least_points": 0},
        ],
        "personnel": {"meeting_weight": 50, "check_weight": 50, "excellent_from_points": 9000, "qualified_from_points": 6000}
        | SOURCE,
        **SOURCE,
        **changes,
    }


def scheme(**changes: Any) -> Scheme:
    return scheme_of(document(**changes))


def appraisal(phase: Phase = Phase.REVIEW) -> Appraisal:
    return Appraisal(UUID(int=9), "350702", YEAR, "年度考核", scheme(), "", SCHEDULE, phase, SIGNED, None, 1)


def station(number: int = 1, given: Scheme | None = None) -> StationYear:
    return StationYear(
        id=UUID(int=100 + number),
        appraisal_id=UUID(int=9),
        station_id=UUID(int=200 + number),
        area_code=f"350702{number:03}",
        station_name=f"{number} 号站",
        year=YEAR,
        title="年度考核",
        scheme=given or scheme(),
        schedule=SCHEDULE,
        phase=Phase.REVIEW,
        version=1,
    )


def target(code: str, value: int | None, note: str | None = None) -> Target:
    return Target(code, value, note, None, SIGNED)


def report(code: str, actual: int | None, round_: Round = Round.YEAR_END, next_step: str | None = None) -> Report:
    return Report(code, round_, actual, None, next_step, (), SIGNED)


def score(part: Part, round_: Round, points: int) -> Score:
    return Score(part, round_, points, None, None, None, None, (), SIGNED)


def adjustment(kind: Kind, code: str, points: int = 0, withdrawn: Signature | None = None) -> Adjustment:
    return Adjustment(UUID(int=7), kind, code, points, "见附件", (), SIGNED, withdrawn)


def inputs(
    *,
    up: int | None = 100_00,
    down: int | None = 2_00,
    own: int | None = 9000,
    leader: int | None = 9000,
    adjustments: tuple[Adjustment, ...] = (),
    measured: dict[str, Measured] | None = None,
) -> Inputs:
    """None: not handed in."""
    reports = [report(code, value) for code, value in (("up", up), ("down", down)) if value is not None]
    scores = [
        score(part, round_, points)
        for part, round_, points in ((Part.SELF_REVIEW, Round.MID_YEAR, own), (Part.LEADER, Round.YEAR_END, leader))
        if points is not None
    ]
    return Inputs(
        targets={"up": target("up", 100_00), "down": target("down", 2_00)},
        reports={(one.round, one.indicator): one for one in reports},
        scores={(one.part, one.round): one for one in scores},
        adjustments=adjustments,
        measured=measured or {},
    )


def refusal(act: object, *arguments: object) -> str:
    """The code that an act is refused with: that of its field, if it names one."""
    with pytest.raises(DomainError) as refused:
        act(*arguments)  # type: ignore[operator]
    return [refused.value.code, *(error.code for error in refused.value.errors)][-1]
