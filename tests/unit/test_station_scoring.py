"""Weights to points, points to ranks with ties, grades to praise, criticism and points off."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Malformed
from app.domain.stations.consequence_document import consequences_of
from app.domain.stations.model import Dimension, Grade
from app.domain.stations.scoring import (
    Announcement,
    NoConsequencesInForce,
    Place,
    Standing,
    consequence_of,
    ranking,
    score_of,
    scores_by_dimension,
)
from app.station_standards import consequences
from tests.unit.station_sheets import AS_OF, GOOD, assessed, changed

# --- the score -------------------------------------------------------------------------------------------------------------


def test_a_good_sheet_has_every_point() -> None:
    score = score_of(assessed("sanyou_siquan", GOOD))
    assert (score.earned, score.unknown, score.total, score.points, score.shown) == (100, 0, 100, Fraction(100), "100")


@pytest.mark.parametrize(
    ("path", "value", "earned"),
    [("equipment.camera", 0, 99), ("communities.1.informants", 0, 92), ("archives.bound", 1199, 95), ("signage", [], 91)],
)
def test_what_fails_costs_its_weight(path: str, value: Any, earned: int) -> None:
    assert score_of(assessed("sanyou_siquan", changed(path, value))).earned == earned


def test_what_is_not_known_earns_nothing_and_is_told_apart() -> None:
    score = score_of(assessed("sanyou_siquan", changed("archives.bound", None)))
    assert (score.points, score.points_at_best, score.unknown) == (Fraction(95), Fraction(100), 5)


def test_what_the_standard_does_not_define_is_not_in_the_score() -> None:
    urban = assessed("wuyou_yichuang", changed("community_office", {"kind": "urban", "area_m2": 500, "rooms": []}))
    score = score_of(urban)
    assert (score.earned, score.total, score.shown) == (40, 60, "66.66")
    small = assessed("staffing_b", changed("communities", None) | {"population": 9_999})
    assert (score_of(small).points, score_of(small).shown) == (None, None)


def test_the_dimensions_make_up_the_whole() -> None:
    result = assessed("sanyou_siquan", changed("equipment.fax", 0))
    parts = scores_by_dimension(result)
    assert list(parts) == list(Dimension)
    assert sum(part.earned for part in parts.values()) == score_of(result).earned == 98
    assert sum(part.total for part in parts.values()) == 100
    assert parts[Dimension.FACILITIES].points == Fraction(11 * 100, 13)


# --- the ranking -----------------------------------------------------------------------------------------------------------


def standing(station: str, points: int, grade: Grade = Grade.QUALIFIED) -> Standing:
    return Standing(station, grade, Fraction(points))


def ranks(*standings: Standing) -> list[tuple[str, int | None, bool]]:
    return [(place.station, place.rank, place.shared) for place in ranking(standings)]


def test_equals_share_a_rank_and_the_next_one_is_skipped() -> None:
    assert ranks(standing("d", 80), standing("c", 90), standing("a", 100), standing("b", 90)) == [
        ("a", 1, False),
        ("b", 2, True),
        ("c", 2, True),
        ("d", 4, False),
    ]


def test_who_fails_stands_behind_whatever_the_points() -> None:
    failed, open_grade = standing("a", 99, Grade.UNQUALIFIED), standing("b", 100, Grade.UNDETERMINED)
    assert ranks(open_grade, failed, standing("c", 60)) == [("c", 1, False), ("a", 2, False), ("b", None, False)]


def test_a_third_is_no_tie_with_its_decimals() -> None:
    third, decimals = Standing("a", Grade.QUALIFIED, Fraction(200, 3)), Standing("b", Grade.QUALIFIED, Fraction("66.66"))
    assert ranks(decimals, third) == [("a", 1, False), ("b", 2, False)]


def test_nobody_to_rank() -> None:
    assert ranking(()) == ()


STANDINGS = st.lists(
    st.builds(Standing, st.uuids().map(str), st.sampled_from(list(Grade)), st.integers(0, 6).map(Fraction)),
    max_size=12,
    unique_by=lambda each: each.station,
)


def better(one: Place, other: Place) -> bool:
    order = {Grade.QUALIFIED: 1, Grade.UNQUALIFIED: 0}
    return (order[one.grade], one.points) > (order[other.grade], other.points)


@given(STANDINGS, st.randoms(use_true_random=False))
def test_a_rank_is_one_more_than_those_who_are_better(standings: list[Standing], random: Any) -> None:
    places = ranking(standings)
    shuffled = list(standings)
    random.shuffle(shuffled)
    assert ranking(shuffled) == places
    ranked = [place for place in places if place.rank is not None]
    assert {place.station for place in places} == {each.station for each in standings}
    assert all(place.grade is Grade.UNDETERMINED for place in places if place.rank is None)
    for place in ranked:
        assert place.rank == 1 + sum(better(other, place) for other in ranked)
        assert place.shared == any(other.rank == place.rank for other in ranked if other.station != place.station)


@given(STANDINGS.filter(bool))
def test_a_point_more_never_costs_a_rank(standings: list[Standing]) -> None:
    first = standings[0]
    improved = Standing(first.station, first.grade, first.points + 1)
    before, after = (
        {place.station: place.rank for place in ranking(each)}[first.station] for each in (standings, [improved, *standings[1:]])
    )
    assert (before is None and after is None) or (before is not None and after is not None and after <= before)


# --- what follows ----------------------------------------------------------------------------------------------------------


def row(**more: Any) -> dict[str, Any]:
    return {
        "grade": "unqualified",
        "announcement": "public_criticism",
        "effective_from": "2026-01-01",
        "source": "示范文件",
    } | more


def table(*rows: dict[str, Any]) -> Any:
    return consequences_of({"consequences": list(rows)})


def test_zd_11_one_aspect_fails() -> None:
    """六方面一项不合格 → 通报批评，扣分按当地规定。"""
    failed = assessed("sanyou_siquan", changed("premises.independent", False))
    found = consequence_of(failed, table(row(points_off="1.5", points_off_each="0.5")), AS_OF)
    assert found is not None
    assert (found.announcement, found.points_off, found.failed) == (
        Announcement.CRITICISM,
        Decimal("2.0"),
        ("premises_independent",),
    )


def test_who_passes_is_praised_and_loses_nothing() -> None:
    found = consequence_of(assessed("sanyou_siquan", changed("equipment.camera", 0)), consequences(), AS_OF)
    assert found is not None
    assert (found.announcement, found.points_off, found.failed) == (Announcement.PRAISE, Decimal(0), ())


def test_an_open_grade_has_no_consequence() -> None:
    assert consequence_of(assessed("sanyou_siquan", {}), consequences(), AS_OF) is None


def test_points_off_have_an_end() -> None:
    worst = assessed("sanyou_siquan", {**GOOD, "rules": [], "signage": [], "staff": [], "equipment": {"fax": 0, "computer": 0}})
    found = consequence_of(worst, table(row(points_off=1, points_off_each=1, points_off_most=3)), AS_OF)
    assert found is not None
    assert (found.points_off, len(found.failed) > 3) == (Decimal(3), True)


def test_the_table_is_that_of_the_day() -> None:
    rules = table(
        row(points_off=1, effective_to="2026-06-30"), row(points_off=2, effective_from="2026-07-01", effective_to="2026-12-31")
    )
    failed = assessed("sanyou_siquan", changed("equipment.fax", 0))
    for on, points in [(date(2026, 6, 30), 1), (date(2026, 7, 1), 2), (date(2026, 12, 31), 2)]:
        found = consequence_of(failed, rules, on)
        assert found is not None
        assert found.points_off == points
    for on in (date(2025, 12, 31), date(2026, 12, 31) + timedelta(days=1)):
        with pytest.raises(NoConsequencesInForce, match="no_consequences_in_force"):
            consequence_of(failed, rules, on)


@pytest.mark.parametrize(
    ("rows", "at", "code"),
    [
        ([row(points_off=1.5)], "/consequences/0/points_off", "out_of_range"),
        ([row(points_off=-1)], "/consequences/0/points_off", "out_of_range"),
        ([row(points_off="much")], "/consequences/0/points_off", "out_of_range"),
        ([row(points_off="NaN")], "/consequences/0/points_off", "out_of_range"),
        ([row(points_off=True)], "/consequences/0/points_off", "out_of_range"),
        ([row(grade="undetermined")], "/consequences/0/grade", "unknown_value"),
        ([row(announcement="fireworks")], "/consequences/0/announcement", "unknown_value"),
        ([row(effective_to="2025-12-31")], "/consequences/0/effective_to", "period_empty"),
        ([row(colour="red")], "/consequences/0/colour", "unknown_field"),
        ([row(), row(effective_from="2027-01-01")], "/consequences", "periods_overlap"),
        ([], "/consequences", "not_a_list"),
    ],
)
def test_a_wrong_table_is_refused(rows: list[dict[str, Any]], at: str, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        table(*rows)
    assert (at, code) in {(error.pointer, error.code) for error in caught.value.errors}
