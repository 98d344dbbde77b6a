"""Weights to points, exactly."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from app.domain.stations.model import Dimension, Grade
from app.domain.stations.scoring import Score, score_of, scores_by_dimension
from tests.unit.station_sheets import GOOD, Sheet, assessed, changed


def scored(sheet: Sheet, standard: str = "sanyou_siquan") -> Score:
    return score_of(assessed(standard, sheet).criteria)


def test_a_good_sheet_has_every_point() -> None:
    score = scored(GOOD)
    assert (score.earned, score.unknown, score.total, score.points, score.shown) == (100, 0, 100, Fraction(100), "100")


@pytest.mark.parametrize(
    ("path", "value", "earned"),
    [("equipment.camera", 0, 99), ("communities.1.informants", 0, 92), ("archives.bound", 1199, 95), ("signage", [], 91)],
)
def test_what_fails_costs_its_weight(path: str, value: Any, earned: int) -> None:
    assert scored(changed(path, value)).earned == earned


def test_what_is_not_known_earns_nothing_and_is_told_apart() -> None:
    score = scored(changed("archives.bound", None))
    assert (score.points, score.points_at_best, score.unknown) == (Fraction(95), Fraction(100), 5)


def test_what_the_standard_does_not_define_is_not_in_the_score() -> None:
    urban = scored(changed("community_office", {"kind": "urban", "area_m2": 500, "rooms": []}), "wuyou_yichuang")
    assert (urban.earned, urban.total, urban.shown) == (40, 60, "66.66")
    small = scored(changed("communities", None) | {"population": 9_999}, "staffing_b")
    assert (small.points, small.points_at_best, small.shown) == (None, None, None)


def test_points_never_decide_the_grade() -> None:
    worse = changed("equipment.camera", 0, changed("equipment.printer", 0, changed("signage", GOOD["signage"][:-1])))
    result = assessed("sanyou_siquan", worse)
    assert (score_of(result.criteria).earned, result.grade) == (97, Grade.QUALIFIED)
    failed = assessed("sanyou_siquan", changed("equipment.fax", 0))
    assert (score_of(failed.criteria).earned, failed.grade) == (98, Grade.UNQUALIFIED)


def test_the_dimensions_make_up_the_whole() -> None:
    result = assessed("sanyou_siquan", changed("equipment.fax", 0))
    parts = scores_by_dimension(result.criteria)
    assert list(parts) == list(Dimension)
    assert sum(part.earned for part in parts.values()) == score_of(result.criteria).earned == 98
    assert sum(part.total for part in parts.values()) == 100
    assert parts[Dimension.FACILITIES].points == Fraction(11 * 100, 13)
    assert list(scores_by_dimension(assessed("staffing_c", GOOD).criteria)) == [Dimension.STAFF]
