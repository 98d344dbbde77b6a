"""The figures behind the charts of stations: what isn't known is never drawn as a zero."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from app.domain.stations import Assessment, Criterion, Grade, Undecided, Verdict
from app.domain.stations.dashboard import Subject, month_ends, shown, trend_point
from app.domain.stations.model import Comparator, Dimension, Limit

DAY = date(2026, 11, 20)


def verdict(
    code: str, met: bool | None, dimension: Dimension = Dimension.STAFF, *, weight: int = 10, reason: Undecided | None = None
) -> Verdict:
    criterion = Criterion(
        code=code,
        name=code,
        dimension=dimension,
        measure="staff_members",
        comparator=Comparator.AT_LEAST,
        limits=(Limit(lower=1),),
        article="S001",
        sentence="原文",
        evidence=(),
        weight=weight,
        mandatory=True,
        valid_from=date(2020, 1, 1),
    )
    return Verdict(criterion, met, None, None, None, reason)


def assessment(*verdicts: Verdict) -> Assessment:
    return Assessment("sanyou_siquan", "1", DAY, verdicts, (), Grade.UNDETERMINED)


def test_a_station_on_show() -> None:
    found = assessment(
        verdict("a", True, weight=5),
        verdict("b", False, weight=10),
        verdict("c", None, Dimension.PREMISES, reason=Undecided.FACT_MISSING),
        verdict("d", None, Dimension.RULES, reason=Undecided.NOT_DEFINED),
    )
    on_show = shown(Subject(UUID(int=1), "350702001", "站", found))
    assert on_show.cells == (True, False, None, None)
    assert on_show.points == 2000  # 5 of 25; what isn't known earns nothing, what isn't asked isn't counted
    assert on_show.radar == {"staff": 3333, "premises": 0, "rules": None}


def test_the_trend_is_the_mean_of_those_that_stood() -> None:
    good, bad = assessment(verdict("a", True)), assessment(verdict("a", False))
    assert trend_point(DAY, [good, bad, good]).points == {"staff": 6666}
    assert trend_point(DAY, []).points == {}


@pytest.mark.parametrize(
    ("as_of", "months", "expected"),
    [
        (DAY, 0, []),
        (DAY, 2, [date(2026, 9, 30), date(2026, 10, 31)]),
        (date(2026, 3, 31), 2, [date(2026, 1, 31), date(2026, 2, 28)]),
        (date(2026, 1, 1), 1, [date(2025, 12, 31)]),
    ],
)
def test_the_trend_looks_back_at_month_ends(as_of: date, months: int, expected: list[date]) -> None:
    assert month_ends(as_of, months) == expected
