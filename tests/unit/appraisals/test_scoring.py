"""From inputs to a total, at each boundary; and what holds for any inputs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.appraisals import scoring
from app.domain.appraisals.model import Adjustment, Inputs, Measured
from app.domain.appraisals.scheme import FULL_POINTS, Direction, Kind, Round
from app.domain.appraisals.scoring import IndicatorRow, Standing, StationResult, attainment, half_up, ranked, result_of
from tests.unit.appraisals.years import OTHER, adjustment, indicator, inputs, report, scheme, station, target

HIGHER, LOWER = Direction.HIGHER, Direction.LOWER


@pytest.mark.parametrize(
    ("numerator", "denominator", "nearest"),
    [(0, 3, 0), (1, 3, 0), (1, 2, 1), (2, 3, 1), (3, 2, 2), (4, 3, 1), (5, 2, 3), (10**20 + 1, 2, 5 * 10**19 + 1)],
)
def test_halves_go_up(numerator: int, denominator: int, nearest: int) -> None:
    assert half_up(numerator, denominator) == nearest


@pytest.mark.parametrize(
    ("direction", "goal", "actual", "points"),
    [
        (HIGHER, 100_00, 100_00, 10000),  # reached: "不少于" includes the number itself
        (HIGHER, 100_00, 99_99, 9999),
        (HIGHER, 100_00, 100_01, 10000),  # more than reached isn't more than full
        (HIGHER, 100_00, 0, 0),
        (HIGHER, 0, 0, 10000),  # nothing asked
        (HIGHER, 2_00, 1_00, 5000),  # one of two trainings (S002 L32)
        (HIGHER, 3_00, 2_00, 6667),  # 66.666… is rounded once
        (LOWER, 2_00, 2_00, 10000),
        (LOWER, 2_00, 0, 10000),
        (LOWER, 2_00, 2_01, 9950),
        (LOWER, 2_00, 4_00, 5000),
        (LOWER, 0, 0, 10000),
        (LOWER, 0, 1, 0),  # none allowed, one had
    ],
)
def test_how_far_a_target_is_reached(direction: Direction, goal: int, actual: int, points: int) -> None:
    assert attainment(direction, goal, actual) == points


@pytest.mark.parametrize(("satisfied", "sample", "points"), [(0, 30, 0), (30, 30, 10000), (2, 3, 6667), (1, 3, 3333)])
def test_a_surveys_points(satisfied: int, sample: int, points: int) -> None:
    assert scoring.survey_points(satisfied, sample) == points


def test_a_total_by_hand() -> None:
    """20 % of 85, 30 % of 92.5, 50 % of (3·80 + 1·100) / 4 = 85; plus 1.5, minus 2."""
    entered = (adjustment(Kind.BONUS, "honour", 150), adjustment(Kind.DEDUCTION, "criticism", 200))
    found = result_of(station(), inputs(own=8500, leader=9250, up=80_00, adjustments=entered))
    assert [row.points for row in found.indicators] == [8000, 10000]
    assert [row.points for row in found.parts] == [8500, 9250, 8500]
    assert (found.base, found.bonus, found.deduction, found.total, found.grade) == (8725, 150, 200, 8675, "good")


@pytest.mark.parametrize(
    ("entered", "bonus", "deduction"),
    [
        ([(Kind.BONUS, "honour", 200), (Kind.BONUS, "honour", 49)], 249, 0),
        ([(Kind.BONUS, "honour", 200), (Kind.BONUS, "honour", 200)], 250, 0),  # 300 of the rule, 250 of the scheme
        ([(Kind.DEDUCTION, "criticism", 200), (Kind.DEDUCTION, "criticism", 50)], 0, 250),
        ([(Kind.DEDUCTION, "criticism", 200), (Kind.DEDUCTION, "criticism", 51)], 0, 250),
    ],
)
def test_bonuses_and_deductions_stop_at_their_caps(entered: list[tuple[Kind, str, int]], bonus: int, deduction: int) -> None:
    found = result_of(station(), inputs(adjustments=tuple(adjustment(*one) for one in entered)))
    assert (found.bonus, found.deduction) == (bonus, deduction)


@pytest.mark.parametrize(("points_off", "counted"), [(0, 0), (200, 200), (350, 350), (351, 350)])
def test_the_acceptance_takes_points_off_up_to_its_cap(points_off: int, counted: int) -> None:
    measured = {"acceptance_points_off": Measured(points_off, "验收结果")}
    found = result_of(station(), inputs(measured=measured))
    row = next(row for row in found.adjustments if row.code == "acceptance")
    assert (row.entered, row.counted, row.source, found.deduction) == (points_off, counted, "验收结果", counted)


def test_without_an_acceptance_nothing_is_taken_off() -> None:
    row = next(row for row in result_of(station(), inputs()).adjustments if row.code == "acceptance")
    assert (row.counted, row.source) == (0, "没有数据，不扣分")


def test_both_deductions_together_stop_at_the_schemes_cap() -> None:
    entered = (adjustment(Kind.DEDUCTION, "criticism", 200),)
    found = result_of(station(), inputs(adjustments=entered, measured={"acceptance_points_off": Measured(350, "x")}))
    assert found.deduction == 500


def test_what_was_withdrawn_counts_no_longer() -> None:
    entered = (adjustment(Kind.BONUS, "honour", 150, OTHER), adjustment(Kind.VETO, "integrity", 0, OTHER))
    found = result_of(station(), inputs(adjustments=entered))
    assert (found.bonus, found.vetoed, found.grade) == (0, (), "good")


def test_a_total_is_never_below_zero() -> None:
    entered = (adjustment(Kind.DEDUCTION, "criticism", 200),)
    found = result_of(station(), inputs(own=0, leader=0, up=0, down=10**9, adjustments=entered))
    assert (found.base, found.total, found.grade) == (0, 0, "unqualified")


@pytest.mark.parametrize(
    ("points", "grade"),
    [(10000, "good"), (8000, "good"), (7999, "qualified"), (6000, "qualified"), (5999, "unqualified"), (0, "unqualified")],
)
def test_grades_begin_at_their_points(points: int, grade: str) -> None:
    assert scheme().grade_of(points).grade == grade


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        (inputs(own=None), "年中自评"),
        (inputs(leader=None), "年终主要领导评分"),
        (inputs(up=None), "指标“up”"),
    ],
    ids=["self-review", "leader", "indicator"],
)
def test_what_is_missing_is_named_and_there_is_no_total(missing: Inputs, named: str) -> None:
    found = result_of(station(), missing)
    assert (found.missing, found.total, found.grade) == ((named,), None, None)


def test_a_measure_without_data_is_left_out_and_not_a_zero() -> None:
    given = scheme(indicators=[indicator("up"), indicator("measured", measure="monthly_meetings", target="12")])
    entered = inputs(up=50_00)
    entered = replace(entered, targets={**entered.targets, "measured": target("measured", 12_00)})
    found = result_of(station(given=given), entered)
    assert [(row.standing, row.points) for row in found.indicators] == [(Standing.SCORED, 5000), (Standing.NO_DATA, None)]
    assert scoring.indicator_points(found.indicators) == 5000
    counted = replace(entered, measured={"monthly_meetings": Measured(0, "例会记录覆盖 0 个月")})
    assert result_of(station(given=given), counted).indicators[1].points == 0


def test_what_isnt_asked_of_a_station_is_left_out_with_its_reason() -> None:
    entered = inputs(up=None)
    entered = replace(entered, targets={**entered.targets, "up": target("up", None, "本站无此业务")})
    row = result_of(station(), entered).indicators[0]
    assert (row.standing, row.points, row.source) == (Standing.NOT_APPLICABLE, None, "本站无此业务")
    assert result_of(station(), entered).missing == ()


def test_what_was_never_handed_in_is_a_zero() -> None:
    entered = inputs(up=None)
    entered = replace(entered, reports={**entered.reports, (Round.YEAR_END, "up"): replace(report("up", None), note="已催报")})
    row = result_of(station(), entered).indicators[0]
    assert (row.standing, row.points, row.source) == (Standing.OVERDUE, 0, "已催报")


def test_the_middle_of_the_year_doesnt_count_for_indicators() -> None:
    entered = inputs(up=None)
    entered = replace(entered, reports={**entered.reports, (Round.MID_YEAR, "up"): report("up", 100_00, Round.MID_YEAR)})
    assert result_of(station(), entered).missing == ("指标“up”",)


# --- ranking ---------------------------------------------------------------------------------------------------------------


def total(number: int, points: int | None, *, vetoed: bool = False) -> StationResult:
    made = result_of(station(number), inputs(own=None))
    return replace(made, total=points, vetoed=("integrity",) if vetoed else ())


@pytest.mark.parametrize(
    ("totals", "ranks"),
    [
        ([9000, 8000, 7000], [1, 2, 3]),
        ([9000, 9000, 7000], [1, 1, 3]),
        ([7000, 9000, 9000], [3, 1, 1]),
        ([9000, 9000, 9000], [1, 1, 1]),
        ([None, 9000, 0], [None, 1, 2]),  # not complete: no rank
    ],
)
def test_equals_share_a_rank_and_the_next_one_counts_them_all(totals: list[int | None], ranks: list[int | None]) -> None:
    found = ranked(total(number, points) for number, points in enumerate(totals, start=1))
    assert [one.rank for one in sorted(found, key=lambda one: one.area_code)] == ranks


def test_who_was_vetoed_comes_after_everybody_else() -> None:
    found = ranked([total(1, 9900, vetoed=True), total(2, 10), total(3, 5, vetoed=True)])
    assert [(one.area_code[-1], one.rank) for one in found] == [("2", 1), ("1", 2), ("3", 2)]


def test_a_veto_is_the_lowest_grade_whatever_the_points() -> None:
    found = result_of(station(), inputs(adjustments=(adjustment(Kind.VETO, "integrity"),)))
    assert (found.total, found.grade, found.vetoed) == (9500, "unqualified", ("integrity",))


# --- for any inputs --------------------------------------------------------------------------------------------------------

points = st.integers(0, FULL_POINTS)
values = st.integers(0, 10**9)


@given(st.sampled_from(Direction), values, values, values)
def test_doing_better_never_costs_anything(direction: Direction, goal: int, one: int, other: int) -> None:
    worse, better = sorted((one, other), reverse=direction is LOWER)
    assert 0 <= attainment(direction, goal, worse) <= attainment(direction, goal, better) <= FULL_POINTS


@given(values, values, points, points, points)
def test_a_better_part_never_lowers_the_total(up: int, down: int, own: int, leader: int, more: int) -> None:
    def reached(*, up: int = up, down: int = down, own: int = own, leader: int = leader) -> int:
        return result_of(station(), inputs(up=up, down=down, own=own, leader=leader)).total or 0

    better = [
        reached(own=max(own, more)),
        reached(leader=max(leader, more)),
        reached(up=up + more),
        reached(down=max(down - more, 0)),
    ]
    assert min(better) >= reached()


@given(values, values, points, points)
def test_the_weighted_sum_is_exact_to_one_rounding(up: int, down: int, own: int, leader: int) -> None:
    found = result_of(station(), inputs(up=up, down=down, own=own, leader=leader))
    exact = sum((Fraction(row.weight * (row.points or 0), 100) for row in found.parts), Fraction())
    assert found.base is not None
    assert abs(found.base - exact) <= Fraction(1, 2)
    assert min(row.points or 0 for row in found.parts) <= found.base <= max(row.points or 0 for row in found.parts)


@given(points)
def test_the_same_everywhere_stays_the_same(same: int) -> None:
    rows = result_of(station(), inputs()).parts
    assert scoring.weighted([replace(row, points=same) for row in rows]) == same


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 30)), st.booleans()), min_size=1, max_size=12), st.randoms())
def test_the_ranking_doesnt_depend_on_the_order(given_totals: list[tuple[int | None, bool]], shuffler: object) -> None:
    results = [total(number, one, vetoed=veto) for number, (one, veto) in enumerate(given_totals, start=1)]
    shuffled = list(results)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]
    assert ranked(results) == ranked(shuffled)
    counted = [one for one in ranked(results) if one.total is not None]
    for one in counted:
        ahead = [other for other in counted if (other.rank or 0) < (one.rank or 0)]
        assert one.rank == len(ahead) + 1
        assert all((bool(other.vetoed), -(other.total or 0)) <= (bool(one.vetoed), 0) or one.vetoed for other in ahead)


@given(st.lists(st.tuples(st.integers(1, 1000), points), min_size=1, max_size=20))
def test_indicators_together_lie_between_the_worst_and_the_best(rows: list[tuple[int, int]]) -> None:
    made = [_row(weight, each) for weight, each in rows]
    found = scoring.indicator_points(made)
    assert found is not None
    assert min(each for _, each in rows) <= found <= max(each for _, each in rows)
    assert scoring.indicator_points([*made, _row(500, None)]) == found


def _row(weight: int, each: int | None) -> IndicatorRow:
    return IndicatorRow("a", "a", "common", None, "次", weight, 1, 1, None, None, Standing.SCORED, each)


@given(st.lists(st.integers(1, 200), max_size=8))
def test_entries_never_count_for_more_than_the_cap(entered: list[int]) -> None:
    made: tuple[Adjustment, ...] = tuple(adjustment(Kind.BONUS, "honour", one) for one in entered)
    found = result_of(station(), inputs(adjustments=made))
    assert found.bonus == min(sum(entered), 250)
    assert found.total == (found.base or 0) + found.bonus
