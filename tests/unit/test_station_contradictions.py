"""A sheet that contradicts itself is refused with the sums shown; one that doesn't, isn't."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Malformed
from app.domain.stations.facts import CommunityFact, Facts
from app.domain.stations.validation import check_facts
from tests.unit.station_sheets import AS_OF, GOOD, Sheet, changed, facts_of


def refusal(sheet: Sheet) -> Malformed:
    with pytest.raises(Malformed) as caught:
        check_facts(facts_of(sheet), AS_OF)
    assert caught.value.code == "contradictory_facts"
    return caught.value


def test_the_good_sheet_is_accepted_with_and_without_its_total() -> None:
    check_facts(facts_of(GOOD), AS_OF)
    check_facts(facts_of(GOOD | {"population": 4999}), AS_OF)


def test_659_is_not_461_and_188() -> None:
    """规则 A6 第 17 项: the seed's own figures."""
    communities = [{"population": 461}, {"population": 188}]
    refused = refusal({"population": 659, "communities": communities})
    (error,) = refused.errors
    assert (error.pointer, error.code) == ("/facts/population", "sum_differs")
    assert "659" in error.message
    assert "461 + 188 = 649" in error.message
    assert "相差 10" in error.message
    assert error.message in refused.detail


@pytest.mark.parametrize("population", [4998, 5000, 0])
def test_the_population_is_the_sum_of_its_communities(population: int) -> None:
    assert [error.code for error in refusal(GOOD | {"population": population}).errors] == ["sum_differs"]


def test_an_unknown_community_leaves_room_but_not_for_less() -> None:
    one_open = changed("communities.1.population", None)
    check_facts(facts_of(one_open | {"population": 9999}), AS_OF)
    check_facts(facts_of(one_open | {"population": 2500}), AS_OF)
    assert [error.code for error in refusal(one_open | {"population": 2499}).errors] == ["sum_differs"]


@pytest.mark.parametrize(("part", "text"), [("bound", "已装订 1201 份"), ("digitised", "已数字化 1201 份")])
def test_no_more_archives_are_bound_or_digitised_than_there_are(part: str, text: str) -> None:
    (error,) = refusal(changed(f"archives.{part}", 1201)).errors
    assert (error.pointer, error.code) == (f"/facts/archives/{part}", "more_than_total")
    assert text in error.message
    assert "总数 1200 份" in error.message


def test_all_contradictions_are_told_at_once() -> None:
    sheet = changed("archives.bound", 1300, changed("archives.digitised", 1400)) | {"population": 1}
    assert [error.pointer for error in refusal(sheet).errors] == [
        "/facts/population",
        "/facts/archives/bound",
        "/facts/archives/digitised",
    ]


def test_a_community_stands_once() -> None:
    (error,) = refusal(changed("communities.1.area_code", "350702001001")).errors
    assert (error.pointer, error.code) == ("/facts/communities/1/area_code", "repeated_community")


def test_nobody_has_held_a_post_since_tomorrow() -> None:
    check_facts(facts_of(changed("staff.0.since", AS_OF.isoformat())), AS_OF)
    (error,) = refusal(changed("staff.0.since", date(2026, 11, 16).isoformat())).errors
    assert (error.pointer, error.code) == ("/facts/staff/0/since", "after_as_of")


@pytest.mark.parametrize(("claimed", "true"), [("staff", 7), ("established_staff", 7), ("communities", 2), ("informants", 3)])
def test_totals_that_the_form_carries_are_checked(claimed: str, true: int) -> None:
    check_facts(facts_of(GOOD | {"claimed": {claimed: true}}), AS_OF)
    for wrong in (true - 1, true + 1):
        (error,) = refusal(GOOD | {"claimed": {claimed: wrong}}).errors
        assert (error.pointer, error.code) == (f"/facts/claimed/{claimed}", "sum_differs")
        assert str(wrong) in error.message


def test_the_claimed_establishment_shows_its_parts() -> None:
    (error,) = refusal(GOOD | {"claimed": {"established_staff": 9}}).errors
    assert "3 + 4 = 7" in error.message


@pytest.mark.parametrize(("claimed", "fine"), [(6, True), (7, True), (5, False)])
def test_a_claimed_total_with_open_parts(claimed: int, fine: bool) -> None:
    sheet: dict[str, Any] = changed("staff.1.establishment", None) | {"claimed": {"established_staff": claimed}}
    if fine:
        check_facts(facts_of(sheet), AS_OF)
    else:
        assert [error.code for error in refusal(sheet).errors] == ["sum_differs"]


@given(st.lists(st.integers(0, 10_000), max_size=30), st.integers(-3, 3))
def test_only_the_exact_sum_is_accepted(populations: list[int], off: int) -> None:
    total = max(0, sum(populations) + off)
    facts = Facts(population=total, communities=tuple(CommunityFact(population=each) for each in populations))
    if total == sum(populations):
        check_facts(facts, AS_OF)
    else:
        with pytest.raises(Malformed):
            check_facts(facts, AS_OF)
