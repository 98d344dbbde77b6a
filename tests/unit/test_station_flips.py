"""One fact changed at a time: exactly the criteria about that fact change, and less knowledge never turns an answer around."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.stations.assessing import assess
from app.domain.stations.facts import CommunityFact, Facts, StaffFact
from app.domain.stations.measures import LEADERS_COUNTED, LIMIT_BY, MEASURES
from app.domain.stations.model import Assessment, Criterion, Grade, Undecided, Verdict
from app.station_standards import standards
from tests.unit.station_sheets import AS_OF, GOOD, assessed, changed, facts_of

STANDARDS = standards().codes
# what nothing asks for: who it is and what it is called
NOT_ASKED = {"staff.name", "staff.position", "communities.area_code", "communities.kind"}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every single fact of a sheet with its path; codes are facts each."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from leaves(each, f"{path}.{place}")
    else:
        yield path, value


LEAVES = dict(leaves(GOOD))
CODES = {path: value for path, value in LEAVES.items() if path.split(".")[0] in ("rules", "signage") or ".rooms." in path}
FACTS = {path: value for path, value in LEAVES.items() if path not in CODES}


def fact_of(path: str) -> str:
    """``staff.0.since`` is the fact ``staff.since``."""
    return re.sub(r"\.\d+", "", path)


def facts_read_by(criterion: Criterion) -> set[str]:
    chosen_by = LIMIT_BY[criterion.limit_by].facts if criterion.limit_by else ()
    return {*MEASURES[criterion.measure].facts, *chosen_by}


def moved(before: Assessment, after: Assessment) -> set[str]:
    return {then.criterion.code for then, now in zip(before.criteria, after.criteria, strict=True) if told(then) != told(now)}


def told(verdict: Verdict) -> Verdict:
    """Without a rule what was measured decides nothing."""
    return replace(verdict, measured=None) if verdict.reason is Undecided.NOT_DEFINED else verdict


def about(before: Assessment, path: str) -> set[str]:
    """Criteria that ask about the fact; one for which the standard has no rule asks about nothing but what chooses its rule, and
    what is known of leaders only where they count.
    """
    return {
        verdict.criterion.code
        for verdict in before.criteria
        if fact_of(path) in facts_read_by(verdict.criterion)
        and (verdict.reason is not Undecided.NOT_DEFINED or chooses(verdict.criterion, path))
        and (not of_a_leader(path) or verdict.criterion.arguments.get(LEADERS_COUNTED))
    }


def of_a_leader(path: str) -> bool:
    way = path.split(".")
    return way[0] == "staff" and bool(GOOD["staff"][int(way[1])].get("leader"))


def chooses(criterion: Criterion, path: str) -> bool:
    return criterion.limit_by is not None and fact_of(path) in LIMIT_BY[criterion.limit_by].facts


@pytest.mark.parametrize("standard", STANDARDS)
def test_a_fact_taken_away_opens_exactly_the_criteria_about_it(standard: str) -> None:
    before = assessed(standard, GOOD)
    for path in FACTS:
        if fact_of(path) == "staff.leader":
            continue  # left out it means no leader: changed below
        after = assessed(standard, changed(path, None))
        assert moved(before, after) == about(before, path), path
        for verdict in after.criteria:
            if verdict.criterion.code in moved(before, after) and verdict.met is None:
                assert verdict.reason is Undecided.FACT_MISSING, path
                assert verdict.missing, path


def test_every_fact_of_the_sheet_is_asked_about_by_some_standard() -> None:
    asked = {fact for code in STANDARDS for v in standards().get(code).versions for c in v.criteria for fact in facts_read_by(c)}
    assert {fact_of(path) for path in FACTS} - asked == NOT_ASKED


@pytest.mark.parametrize("standard", STANDARDS)
def test_a_flag_turned_fails_exactly_the_criteria_about_it(standard: str) -> None:
    before = assessed(standard, GOOD)
    for path, value in FACTS.items():
        if isinstance(value, bool) and not path.startswith("staff"):
            after = assessed(standard, changed(path, not value))
            assert moved(before, after) == about(before, path), path
            assert all(after.of(code).met is False for code in moved(before, after)), path


@pytest.mark.parametrize("standard", STANDARDS)
def test_a_code_taken_away_fails_exactly_the_criteria_that_list_it(standard: str) -> None:
    before = assessed(standard, GOOD)
    for path, code in CODES.items():
        listing = path.rsplit(".", 1)[0]
        after = assessed(standard, changed(path, None))
        expected = {v.criterion.code for v in before.criteria if listing in facts_read_by(v.criterion) and lists(v, code)}
        assert moved(before, after) == expected, path
        assert all(after.of(each).met is False for each in expected), path


def lists(verdict: Verdict, code: str) -> bool:
    if verdict.reason is Undecided.NOT_DEFINED:
        return False
    endings = {
        "community_rooms": "_room",
        "community_stations": "_station",
        "community_halls": "_hall",
        "community_grounds": "_ground",
    }
    ending = endings.get(verdict.criterion.measure)
    return code.endswith(ending) if ending else any(code in limit.codes for limit in verdict.criterion.limits)


@pytest.mark.parametrize("standard", STANDARDS)
def test_a_number_at_zero_touches_only_the_criteria_about_it(standard: str) -> None:
    """The people of a community may also stand for those of the sub-district."""
    before = assessed(standard, GOOD)
    for path, value in FACTS.items():
        if type(value) is int and fact_of(path) != "archives.total":
            after = assessed(standard, changed(path, 0))
            assert moved(before, after) <= about(before, path), path


@pytest.mark.parametrize("establishment", ["administrative", "institutional", "other"])
def test_another_establishment_touches_only_what_counts_it(establishment: str) -> None:
    before = assessed("sanyou_siquan", GOOD)
    after = assessed("sanyou_siquan", changed("staff.1.establishment", establishment))
    expected = {
        "administrative": {"administrative_post"},
        "institutional": set(),
        "other": {"established_staff", "others_institutional"},
    }
    assert moved(before, after) == expected[establishment]


def test_a_leader_who_is_none_is_counted() -> None:
    before = assessed("sanyou_siquan", GOOD)
    after = assessed("sanyou_siquan", changed("staff.5.leader", False))
    assert moved(before, after) == {"established_staff", "administrative_post", "leaders_appointed"}


def test_nothing_known_leaves_everything_open() -> None:
    result = assessed("sanyou_siquan", {})
    assert result.grade is Grade.UNDETERMINED
    assert {(verdict.met, verdict.reason) for verdict in result.criteria} == {(None, Undecided.FACT_MISSING)}
    assert {row.met for row in result.dimensions} == {None}


def test_a_failure_decides_whatever_is_unknown() -> None:
    assert assessed("sanyou_siquan", {"emergency_plan": True, "equipment": {"fax": 0}}).grade is Grade.UNQUALIFIED


def test_a_failed_scored_criterion_leaves_the_grade_alone() -> None:
    result = assessed("sanyou_siquan", changed("equipment.camera", 0))
    assert (result.of("camera").met, result.grade) == (False, Grade.QUALIFIED)


def test_unknown_establishments_matter_only_where_they_decide() -> None:
    """Five are certain, one isn't: 5-6 is within 5-7 either way. Of four and one it can't be told."""
    open_one = [{"establishment": None}]
    six = changed("staff", [*GOOD["staff"][:5], *open_one])
    assert (assessed("sanyou_siquan", six).of("established_staff").met) is True
    five = assessed("sanyou_siquan", changed("staff", [*GOOD["staff"][:4], *open_one])).of("established_staff")
    assert (five.met, five.measured, five.missing) == (None, "4-5", ("/facts/staff/4/establishment",))


def test_no_archives_and_no_communities_are_nothing_to_measure() -> None:
    empty = {"total": 0, "bound": 0, "digitised": 0, "confidential": True}
    result = assessed("sanyou_siquan", changed("communities", [], changed("archives", empty)))
    for code in ("archives_bound", "archives_digitised", "informants"):
        assert (result.of(code).met, result.of(code).reason) == (None, Undecided.NOTHING_TO_MEASURE), code
    assert result.grade is Grade.UNDETERMINED


def test_only_facts_that_would_decide_are_missing() -> None:
    bare = {"communities": [{"area_code": "350702001001"}, {"informants": 1, "population": 1}]}
    assert assessed("wuyige", bare).of("survey_supervisors").missing == ("/facts/communities/0/informants",)
    assert assessed("sanyou_siquan", bare).of("informants").missing == (
        "/facts/communities/0/population",
        "/facts/communities/0/informants",
    )
    decided = {"communities": [{}, {"informants": 0, "population": 1}]}
    assert assessed("sanyou_siquan", decided).of("informants").missing == ()


# --- drawn sheets ----------------------------------------------------------------------------------------------------------

FLAG = st.none() | st.booleans()
STAFF = st.builds(
    StaffFact,
    establishment=st.sampled_from(["administrative", "institutional", "other", None]),
    full_time=FLAG,
    education=st.sampled_from(["大专", "中专", "自学", None]),
    leader=st.booleans(),
)
COMMUNITY = st.builds(
    CommunityFact,
    population=st.none() | st.sampled_from([0, 2499, 2500, 10_000, 20_000, 30_000]),
    informants=st.none() | st.integers(0, 3),
)


@st.composite
def drawn(draw: st.DrawFn) -> Facts:
    """A sheet around the boundaries, with holes."""
    base = facts_of(GOOD)
    count = st.none() | st.integers(0, 5)
    return replace(
        base,
        staff=draw(st.none() | st.lists(STAFF, max_size=9).map(tuple)),
        premises=replace(base.premises, area_m2=draw(st.sampled_from([None, 49, 50, 149, 150])), independent=draw(FLAG)),
        equipment=replace(base.equipment, fax=draw(count), computer=draw(count)),
        rules=draw(st.none() | st.frozensets(st.sampled_from(sorted(base.rules or ())))),
        communities=draw(st.none() | st.lists(COMMUNITY, max_size=4).map(tuple)),
        volunteers=draw(count),
        emergency_plan=draw(FLAG),
        community_office=replace(
            base.community_office,
            kind=draw(st.sampled_from(["urban", "township", None])),
            area_m2=draw(st.sampled_from([None, 299, 300, 499, 500])),
        ),
    )


def answers(facts: Facts, standard: str) -> Assessment:
    return assess(facts, standards().get(standard), AS_OF)


@given(drawn(), st.sampled_from(STANDARDS))
def test_the_grade_is_that_of_the_mandatory_criteria_and_of_the_dimensions(facts: Facts, standard: str) -> None:
    result = answers(facts, standard)
    mandatory = [v.met for v in result.criteria if v.criterion.mandatory and v.reason is not Undecided.NOT_DEFINED]
    failed = any(row.met is False for row in result.dimensions)
    assert (result.grade is Grade.UNQUALIFIED) == failed == (False in mandatory)
    assert (result.grade is Grade.QUALIFIED) == all(met is True for met in mandatory)
    for verdict in result.criteria:
        assert (verdict.met is None) == (verdict.reason is not None)
        assert bool(verdict.missing) <= (verdict.reason is Undecided.FACT_MISSING)


@given(drawn(), st.sampled_from(STANDARDS), st.data())
def test_less_knowledge_never_turns_an_answer_around(facts: Facts, standard: str, data: st.DataObject) -> None:
    """Forgetting an establishment, a head count or an area leaves an answer as it is or opens it."""
    less = copy.copy(facts)
    if facts.staff:
        place = data.draw(st.integers(0, len(facts.staff) - 1))
        unknown = replace(facts.staff[place], establishment=None, full_time=None, education=None, since=None)
        less = replace(less, staff=(*facts.staff[:place], unknown, *facts.staff[place + 1 :]))
    if facts.communities:
        place = data.draw(st.integers(0, len(facts.communities) - 1))
        hidden = data.draw(st.sampled_from([{"informants": None}, {"population": None}]))
        forgotten = replace(facts.communities[place], **hidden)
        less = replace(less, communities=(*facts.communities[:place], forgotten, *facts.communities[place + 1 :]))
    less = replace(less, premises=replace(less.premises, area_m2=None), rules=None)
    for then, now in zip(answers(facts, standard).criteria, answers(less, standard).criteria, strict=True):
        assert now.met in (then.met, None), then.criterion.code


@given(drawn(), st.sampled_from(STANDARDS))
def test_the_order_of_people_and_communities_says_nothing(facts: Facts, standard: str) -> None:
    turned = replace(
        facts,
        staff=None if facts.staff is None else facts.staff[::-1],
        communities=None if facts.communities is None else facts.communities[::-1],
    )
    for then, now in zip(answers(facts, standard).criteria, answers(turned, standard).criteria, strict=True):
        assert (then.met, then.measured, then.required, then.warning) == (now.met, now.measured, now.required, now.warning)


@given(drawn(), st.sampled_from(STANDARDS))
def test_an_informant_more_never_costs_a_criterion(facts: Facts, standard: str) -> None:
    if facts.communities is None or any(each.informants is None for each in facts.communities):
        return
    more = replace(facts, communities=tuple(replace(each, informants=(each.informants or 0) + 1) for each in facts.communities))
    for then, now in zip(answers(facts, standard).criteria, answers(more, standard).criteria, strict=True):
        assert not (then.met is True and now.met is not True)
