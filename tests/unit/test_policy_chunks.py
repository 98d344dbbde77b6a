"""How whole-population jobs are cut: few enough pieces that each is worth its overhead, small enough for one transaction."""

from __future__ import annotations

from app.jobs.policy_discovery import HOUSEHOLDS_AT_ONCE, chunked
from app.jobs.policy_simulation import CASES_AT_ONCE, packed


def test_communities_go_together_until_they_have_enough_cases() -> None:
    many = [(f"c{number}", CASES_AT_ONCE // 4) for number in range(6)]
    assert packed(many) == [["c0", "c1", "c2", "c3"], ["c4", "c5"]]
    assert packed([]) == []


def test_a_community_is_never_cut() -> None:
    assert packed([("a", 1), ("b", CASES_AT_ONCE * 3), ("c", 1)]) == [["a"], ["b"], ["c"]]
    assert packed([("a", CASES_AT_ONCE), ("b", 1)]) == [["a"], ["b"]]


def test_nobody_is_left_out_and_nobody_is_taken_twice() -> None:
    communities = [(f"{number:04}", number * 37 % 900) for number in range(400)]
    chunks = packed(communities)
    assert [code for chunk in chunks for code in chunk] == [code for code, _ in communities]
    sizes = dict(communities)
    assert all(sum(sizes[code] for code in chunk) <= CASES_AT_ONCE for chunk in chunks)


def test_a_small_population_is_searched_in_one_piece() -> None:
    stations = {"350702002": 1, "350702001": HOUSEHOLDS_AT_ONCE - 1}
    assert chunked("350702", stations) == [{"area_code": "350702", "area_codes": ["350702001", "350702002"]}]
    assert chunked("350702", {}) == []


def test_a_large_one_station_by_station() -> None:
    stations = {"350702002": 2, "350702001": HOUSEHOLDS_AT_ONCE - 1}
    assert chunked("350702", stations) == [
        {"area_code": "350702001", "area_codes": ["350702001"]},
        {"area_code": "350702002", "area_codes": ["350702002"]},
    ]
