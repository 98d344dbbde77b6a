"""Every number of the standards at −1 / 0 / +1, each named by where it comes from (规则 A1, 例 ZD)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.domain.stations.model import Caution, Dimension, Grade, Undecided
from tests.unit.station_sheets import GOOD, LEADERS, Sheet, assessed, changed, post, posts


def staffed(*groups: list[Sheet]) -> Sheet:
    return changed("staff", [each for group in groups for each in group])


def peopled(population: int, *groups: list[Sheet]) -> Sheet:
    """A sheet of a township: its people and its staff, and no communities listed."""
    return changed("communities", None, staffed(*groups)) | {"population": population}


@pytest.mark.parametrize(
    ("population", "informants", "met", "required"),
    [
        (2499, 1, True, "1"),
        (2500, 1, False, "2"),
        (2501, 1, False, "2"),
        (2500, 2, True, "2"),
        (2499, 0, False, "1"),
        (0, 1, True, "1"),
    ],
)
def test_zd_01_informants_by_population(population: int, informants: int, met: bool, required: str) -> None:
    village = {"area_code": "350702001201", "kind": "village", "population": population, "informants": informants}
    verdict = assessed("sanyou_siquan", changed("communities", [village])).of("informants")
    assert (verdict.met, verdict.measured, verdict.required) == (met, str(informants), required)
    assert verdict.lacking == (() if met else ("350702001201",))


@pytest.mark.parametrize(
    ("count", "met", "warning"),
    [(4, False, None), (5, True, None), (7, True, None), (8, True, Caution.ABOVE_UPPER_END)],
)
def test_zd_02_established_staff(count: int, met: bool, warning: Caution | None) -> None:
    result = assessed("sanyou_siquan", staffed(posts(1, "administrative"), posts(count - 1), LEADERS))
    verdict = result.of("established_staff")
    assert (verdict.met, verdict.warning, verdict.measured, verdict.required) == (met, warning, str(count), "5-7")
    assert result.grade is (Grade.QUALIFIED if met else Grade.UNQUALIFIED)


def test_zd_02_others_and_leaders_are_not_counted() -> None:
    result = assessed("sanyou_siquan", staffed(posts(1, "administrative"), posts(3), posts(3, "other"), LEADERS))
    assert (result.of("established_staff").met, result.of("established_staff").measured) == (False, "4")
    assert result.of("others_institutional").met is False


@pytest.mark.parametrize("standard", ["staffing_b"])
def test_zd_07_no_rule_is_not_invented(standard: str) -> None:
    result = assessed(standard, peopled(9999, posts(1)))
    verdict = result.of("quota")
    assert (verdict.met, verdict.reason, verdict.required, verdict.measured) == (None, Undecided.NOT_DEFINED, None, "1")
    assert result.grade is not Grade.UNDETERMINED
    assert [(row.met, row.reason) for row in result.dimensions] == [(None, Undecided.NOT_DEFINED)]


SPOILED = {
    Dimension.PREMISES: ("premises.independent", False),
    Dimension.STAFF: ("budget.in_fiscal_budget", False),
    Dimension.FACILITIES: ("equipment.fax", 0),
    Dimension.RULES: ("rules", []),
    Dimension.ARCHIVES: ("archives.bound", 1199),
    Dimension.TEAM: ("communities.1.informants", 0),
}


@pytest.mark.parametrize("dimension", Dimension)
def test_zd_11_one_of_the_six_aspects_fails(dimension: Dimension) -> None:
    result = assessed("sanyou_siquan", changed(*SPOILED[dimension]))
    assert result.grade is Grade.UNQUALIFIED
    assert {row.dimension: row.met for row in result.dimensions} == {each: each is not dimension for each in Dimension}


def test_a_good_sheet_qualifies_by_every_standard() -> None:
    for standard in ("sanyou_siquan", "wuyige", "wuyou_yichuang", "minzhengsuo", "staffing_a", "staffing_c"):
        assert assessed(standard, GOOD).grade is Grade.QUALIFIED, standard


@pytest.mark.parametrize(
    ("standard", "path", "criterion", "unit", "values"),
    [
        ("wuyige", "premises.area_m2", "premises_area", "㎡", [(49, False), (49.99, False), (50, True), (51, True)]),
        ("minzhengsuo", "premises.area_m2", "premises_area", "㎡", [(149, False), (149.99, False), (150, True), (151, True)]),
        ("wuyou_yichuang", "community_office.area_m2", "office_area", "㎡", [(299, False), (299.99, False), (300, True)]),
        ("wuyige", "volunteers", "one_volunteer_team", "人", [(0, False), (1, True)]),
        ("sanyou_siquan", "trainings.assistants_this_year", "assistant_trainings", "次", [(1, False), (2, True), (3, True)]),
        ("sanyou_siquan", "trainings.coordinators_this_year", "coordinator_trainings", "次", [(2, False), (3, True), (4, True)]),
        ("sanyou_siquan", "meetings.monthly_held_12m", "monthly_meetings", "次", [(11, False), (12, True), (13, True)]),
        ("sanyou_siquan", "meetings.quarterly_checks_12m", "quarterly_checks", "次", [(3, False), (4, True), (5, True)]),
        ("sanyou_siquan", "equipment.computer", "computer", "台（部、辆）", [(0, False), (1, True)]),
        ("sanyou_siquan", "equipment.telephone", "telephone", "台（部、辆）", [(0, False), (1, True)]),
        ("sanyou_siquan", "equipment.fax", "fax", "台（部、辆）", [(0, False), (1, True)]),
        ("sanyou_siquan", "equipment.vehicle", "vehicle", "台（部、辆）", [(0, False), (1, True)]),
        ("sanyou_siquan", "archives.bound", "archives_bound", "%", [(1199, False), (1200, True)]),
        ("sanyou_siquan", "archives.digitised", "archives_digitised", "%", [(1199, False), (1200, True)]),
        ("sanyou_siquan", "budget.amount_fen", "funds_provided", "分", [(0, False), (1, True)]),
    ],
)
def test_limits_of_one_fact(standard: str, path: str, criterion: str, unit: str, values: list[tuple[Any, bool]]) -> None:
    for value, met in values:
        verdict = assessed(standard, changed(path, value)).of(criterion)
        assert (verdict.met, verdict.unit) == (met, unit), value


@pytest.mark.parametrize(("amount", "met"), [(10_999_999, False), (11_000_000, False), (11_000_001, True)])
def test_a_1_28_the_budget_grows_from_year_to_year(amount: int, met: bool) -> None:
    assert assessed("minzhengsuo", changed("budget.amount_fen", amount)).of("budget_grown").met is met


@pytest.mark.parametrize(
    ("standard", "path", "criterion"),
    [
        ("wuyige", "staff.1.filed", "examined_and_filed"),  # A1-15
        ("minzhengsuo", "staff.1.consulted", "consulted"),  # A1-25
        ("minzhengsuo", "staff.5.consulted", "consulted"),  # 所长的任命 too
    ],
)
def test_one_post_without_it_is_one_too_many(standard: str, path: str, criterion: str) -> None:
    verdict = assessed(standard, changed(path, False)).of(criterion)
    assert (verdict.met, verdict.measured, verdict.required) == (False, "1", "0")
    assert assessed(standard, changed(path, None)).of(criterion).met is None


@pytest.mark.parametrize(("area", "met"), [(499, False), (499.99, False), (500, True), (501, True)])
def test_a_1_20_an_urban_community_needs_500(area: float, met: bool) -> None:
    office = {"kind": "urban", "area_m2": area, "rooms": ["home_care_station"]}
    result = assessed("wuyou_yichuang", changed("community_office", office))
    assert (result.of("office_area").met, result.of("office_area").required) == (met, "500")
    assert result.of("home_care_station").met is True
    assert result.of("five_rooms").reason is Undecided.NOT_DEFINED


@pytest.mark.parametrize("missing", ["police_room", "health_station", "service_hall", "activity_ground"])
def test_a_1_20_five_rooms_two_stations_a_hall_and_a_ground(missing: str) -> None:
    rooms = [room for room in GOOD["community_office"]["rooms"] if room != missing]
    result = assessed("wuyou_yichuang", changed("community_office.rooms", rooms))
    failed = {verdict.criterion.code for verdict in result.criteria if verdict.met is False}
    assert failed == {
        {"police_room": "five_rooms", "health_station": "two_stations"}.get(missing, f"one_{missing.split('_')[1]}")
    }
    assert result.of("home_care_station").reason is Undecided.NOT_DEFINED


@pytest.mark.parametrize(("administrative", "met"), [(0, False), (1, True), (2, True)])
def test_a_1_7_an_administrative_post(administrative: int, met: bool) -> None:
    sheet = staffed(posts(administrative, "administrative"), posts(6 - administrative), LEADERS)
    assert assessed("sanyou_siquan", sheet).of("administrative_post").met is met


@pytest.mark.parametrize(("assistants", "met", "warns"), [(3, False, False), (4, True, False), (5, True, True)])
def test_a_1_15_a_head_and_four_assistants(assistants: int, met: bool, warns: bool) -> None:
    result = assessed("wuyige", staffed(posts(assistants), LEADERS[:1]))
    verdict = result.of("assistants")
    assert (verdict.met, verdict.required, verdict.warning is not None) == (met, "4", warns)
    assert result.of("station_head").met is True
    assert assessed("wuyige", staffed(posts(assistants))).of("station_head").met is False


@pytest.mark.parametrize(
    ("education", "met"),
    [
        ("中专", False),
        ("中等专科学校", False),
        ("高中", False),
        ("职高", False),
        ("初中文化", False),
        ("大专", True),
        ("大学专科", True),
        ("高职", True),
        ("本科", True),
        ("硕士研究生", True),
        ("自学", None),
    ],
)
def test_a_1_15_college_or_more(education: str, met: bool | None) -> None:
    sheet = staffed([*posts(3), post(education=education)], LEADERS)
    assert assessed("wuyige", sheet).of("college_education").met is met


def test_a_1_18_each_of_the_eleven_rules_counts() -> None:
    assert len(GOOD["rules"]) == 11
    for rule in GOOD["rules"]:
        without = changed("rules", [each for each in GOOD["rules"] if each != rule])
        verdict = assessed("wuyige", without).of("one_set_of_rules")
        assert (verdict.met, verdict.lacking, verdict.measured, verdict.required) == (False, (rule,), "10", "11")
        assert assessed("sanyou_siquan", without).grade is Grade.UNQUALIFIED


@pytest.mark.parametrize(
    ("population", "staff", "met", "required"),
    [
        (29_999, 1, False, "2-3"),
        (29_999, 2, True, "2-3"),
        (29_999, 3, True, "2-3"),
        (29_999, 4, True, "2-3"),
        (30_000, 2, False, "3-4"),
        (30_000, 3, True, "3-4"),
        (30_001, 3, True, "3-4"),
        (30_001, 5, True, "3-4"),
    ],
)
def test_a_1_21_scheme_a(population: int, staff: int, met: bool, required: str) -> None:
    verdict = assessed("staffing_a", peopled(population, posts(staff), LEADERS)).of("quota")
    assert (verdict.met, verdict.required) == (met, required)
    assert (verdict.assumption is not None) == (population >= 30_000)
    assert (verdict.warning is not None) == (staff > int(required[-1]))


@pytest.mark.parametrize(
    ("population", "staff", "met", "required"),
    [
        (10_000, 1, False, "2"),
        (10_000, 2, True, "2"),
        (19_999, 2, True, "2"),
        (19_999, 3, True, "2"),
        (20_000, 2, False, "3-4"),
        (20_000, 3, True, "3-4"),
        (20_001, 4, True, "3-4"),
    ],
)
def test_a_1_22_scheme_b(population: int, staff: int, met: bool, required: str) -> None:
    verdict = assessed("staffing_b", peopled(population, posts(staff))).of("quota")
    assert (verdict.met, verdict.required) == (met, required)


@pytest.mark.parametrize(("staff", "met", "warns"), [(1, False, False), (2, True, False), (3, True, False), (4, True, True)])
def test_a_1_23_scheme_c_whatever_the_population(staff: int, met: bool, warns: bool) -> None:
    for population in (1, 9_999, 50_000):
        verdict = assessed("staffing_c", peopled(population, posts(staff))).of("quota")
        assert (verdict.met, verdict.warning is not None) == (met, warns)


@pytest.mark.parametrize(("full_time", "met", "measured"), [(True, True, "0"), (False, False, "1"), (None, None, "0-1")])
def test_a_1_23_scheme_c_asks_for_full_time_posts(full_time: bool | None, met: bool | None, measured: str) -> None:
    verdict = assessed("staffing_c", staffed(posts(1), [post(full_time=full_time)])).of("full_time")
    assert (verdict.met, verdict.measured) == (met, measured)


def test_a_community_without_a_code_is_named_by_its_place() -> None:
    communities = [{"population": 100, "informants": 1}, {"population": 100, "informants": 0}]
    assert assessed("sanyou_siquan", changed("communities", communities)).of("informants").lacking == ("2",)


@pytest.mark.parametrize(
    ("since", "as_of", "met"),
    [
        (date(2023, 11, 15), date(2026, 11, 15), True),
        (date(2023, 11, 16), date(2026, 11, 15), False),
        (date(2024, 2, 29), date(2027, 2, 28), False),
        (date(2024, 2, 29), date(2027, 3, 1), True),
    ],
)
def test_a_1_24_three_years_to_the_day(since: date, as_of: date, met: bool) -> None:
    sheet = staffed(posts(2), [post(since=since.isoformat())])
    assert assessed("minzhengsuo", sheet, as_of).of("years_in_post").met is met


def test_a_population_left_out_is_the_sum_of_its_communities() -> None:
    communities = [{"population": 15_000, "informants": 2}, {"population": 15_000, "informants": 2}]
    sheet = changed("communities", communities, staffed(posts(2)))
    assert assessed("staffing_a", sheet).of("quota").required == "3-4"
    one_open = changed("communities", [communities[0], {"informants": 2}], sheet)
    verdict = assessed("staffing_a", one_open).of("quota")
    assert (verdict.met, verdict.reason, verdict.missing) == (None, Undecided.FACT_MISSING, ("/facts/population",))
