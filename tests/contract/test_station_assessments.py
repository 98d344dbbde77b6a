"""Contract §7: the stateless twin of the station assessment, as an outside caller sends it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.contract.kit import CHINESE, V1, Json, ok, problem
from tests.demo_world import Demo

pytestmark = [pytest.mark.db, pytest.mark.xdist_group("demo")]
PATH = f"{V1}/stations/assessments"

# The vocabulary as the contract prints it.
RULES = [
    "station_head_duties",
    "officer_duties",
    "service_objects",
    "finance",
    "visitor_reception",
    "study_training",
    "appraisal",
    "integrity",
    "convenience_measures",
    "service_pledge",
    "emergency_plan",
]
SIGNAGE = [
    "station_plate",
    "social_affairs_office_plate",
    "community_service_centre_plate",
    "rules_board",
    "duties_board",
    "process_board",
    "conduct_board",
    "informant_badge",
]


def staff(institutional: int) -> list[Json]:
    """One administrative post, so many institutional ones, and the two who lead beside their own office."""
    common = {"full_time": True, "position": "民政助理员", "since": "2020-03-01", "education": "大专", "leader": False}
    officer = {"name": "甲", "establishment": "administrative", **common}
    leaders = [
        {**officer, "name": name, "position": position, "leader": True} for name, position in (("丙", "站长"), ("丁", "副站长"))
    ]
    return [officer, *({**officer, "name": f"乙{n}", "establishment": "institutional"} for n in range(institutional)), *leaders]


FACTS: Json = {
    "staff": staff(4),
    "premises": {"area_m2": 80, "independent": True, "accessible": True, "service_window": True, "archive_room": True},
    "budget": {"in_fiscal_budget": True, "monthly_disbursed": True, "amount_fen": 12000000},
    "equipment": {"computer": 3, "telephone": 1, "fax": 1, "printer": 1, "camera": 1, "vehicle": 1},
    "rules": RULES,
    "signage": SIGNAGE,
    "archives": {"total": 1000, "bound": 1000, "digitised": 1000, "confidential": True},
    "communities": [
        {"area_code": "350702001001", "kind": "community", "population": 2499, "informants": 1},
        {"area_code": "350702001201", "kind": "village", "population": 2500, "informants": 2},
    ],
    "population": 4999,
    "trainings": {"assistants_this_year": 2, "coordinators_this_year": 3},
    "meetings": {"monthly_held_12m": 12, "quarterly_checks_12m": 4},
    "volunteers": 12,
    "emergency_plan": True,
    "community_office": {"area_m2": 300, "kind": "township", "rooms": ["reading_room"]},
}


async def answered(demo: Demo, standard: str = "sanyou_siquan", *, without: tuple[str, ...] = (), **facts: Any) -> Json:
    told = {key: value for key, value in {**copy.deepcopy(FACTS), **facts}.items() if key not in without}
    body = {"standard": standard, "as_of": "2026-11-15", "facts": told}
    return await ok(await demo.callers["s001.clerk"].http.post(PATH, json=body))


def failed(body: Json) -> list[Json]:
    return [criterion for criterion in body["criteria"] if criterion["met"] is False]


def warned(body: Json) -> list[Json]:
    return [criterion for criterion in body["criteria"] if criterion["warning"]]


@pytest.mark.parametrize("standard", ["sanyou_siquan", "wuyige", "wuyou_yichuang", "staffing_a", "staffing_b", "staffing_c"])
async def test_the_answer_has_the_printed_shape(demo: Demo, standard: str) -> None:
    body = await answered(demo, standard)
    assert set(body) == {"standard", "version", "criteria", "dimensions", "grade"}
    assert body["standard"] == standard
    assert body["grade"] in ("qualified", "unqualified", "undetermined")
    assert body["criteria"]
    assert body["dimensions"]
    for criterion in body["criteria"]:
        assert {"code", "dimension", "met", "warning", "measured", "required", "article", "evidence"} <= set(criterion)
        assert criterion["met"] in (True, False, None)
        assert isinstance(criterion["evidence"], list)
        assert CHINESE.search(criterion["article"])
    assert len({criterion["dimension"] for criterion in body["criteria"]}) == len(body["dimensions"]) <= 6


async def test_a_good_station_qualifies_in_all_six_aspects(demo: Demo) -> None:
    body = await answered(demo)
    assert (body["grade"], len(body["dimensions"]), warned(body)) == ("qualified", 6, [])
    assert {row["met"] for row in body["dimensions"]} == {True}


@pytest.mark.parametrize(
    ("population", "informants", "grade"),
    [(2499, 1, "qualified"), (2500, 1, "unqualified"), (2501, 1, "unqualified"), (2500, 2, "qualified")],
)
async def test_zd_01(demo: Demo, population: int, informants: int, grade: str) -> None:
    village = {"area_code": "350702001201", "kind": "village", "population": population, "informants": informants}
    assert (await answered(demo, communities=[village], population=population))["grade"] == grade


@pytest.mark.parametrize(
    ("established", "grade", "warns"),
    [(4, "unqualified", False), (5, "qualified", False), (7, "qualified", False), (8, "qualified", True)],
)
async def test_zd_02_leaders_are_not_counted(demo: Demo, established: int, grade: str, warns: bool) -> None:
    body = await answered(demo, staff=staff(established - 1))
    assert (body["grade"], bool(warned(body))) == (grade, warns)


async def test_zd_07_below_ten_thousand_scheme_b_has_no_rule(demo: Demo) -> None:
    body = await answered(demo, "staffing_b", without=("communities",), population=9999)
    (criterion,) = body["criteria"]
    assert (criterion["met"], criterion["reason"]) == (None, "not_defined")
    assert body["grade"] != "undetermined"
    assert (await answered(demo, "staffing_b", without=("communities",), population=10000))["criteria"][0]["met"] is not None


async def test_zd_11_one_aspect_decides(demo: Demo) -> None:
    body = await answered(demo, premises={**FACTS["premises"], "independent": False})
    assert body["grade"] == "unqualified"
    assert [row["met"] for row in body["dimensions"]].count(False) == 1
    assert {criterion["dimension"] for criterion in failed(body)} == {
        row["dimension"] for row in body["dimensions"] if row["met"] is False
    }


async def test_a_mandatory_criterion_without_its_fact_leaves_the_grade_open(demo: Demo) -> None:
    body = await answered(demo, without=("archives",))
    assert body["grade"] == "undetermined"
    assert not failed(body)
    assert [criterion for criterion in body["criteria"] if criterion["met"] is None]


@pytest.mark.parametrize(
    ("facts", "sums"),
    [
        ({"population": 5000}, ("2499", "2500", "4999", "5000")),
        ({"archives": {"total": 10, "bound": 11, "digitised": 10, "confidential": True}}, ("11", "10")),
        ({"archives": {"total": 10, "bound": 10, "digitised": 12, "confidential": True}}, ("12", "10")),
    ],
)
async def test_a_sheet_that_contradicts_itself_is_refused_with_the_sums(demo: Demo, facts: Json, sums: tuple[str, ...]) -> None:
    body = {"standard": "sanyou_siquan", "as_of": "2026-11-15", "facts": {**FACTS, **facts}}
    refused = problem(await demo.callers["s001.clerk"].http.post(PATH, json=body), 422, "contradictory_facts")
    shown = refused["detail"] + "".join(error["message"] for error in refused["errors"])
    assert all(number in shown for number in sums)


@pytest.mark.parametrize("key", ["rules", "signage"])
async def test_a_word_outside_the_vocabulary_is_malformed(demo: Demo, key: str) -> None:
    body = {"standard": "sanyou_siquan", "as_of": "2026-11-15", "facts": {**FACTS, key: ["siesta"]}}
    refused = problem(await demo.callers["s001.clerk"].http.post(PATH, json=body), 422)
    assert refused["errors"][0]["pointer"] == f"/facts/{key}/0"


async def test_every_staff_duty_but_admin_may_ask_and_nobody_is_bound_to_an_area(demo: Demo) -> None:
    body = {"standard": "wuyige", "as_of": "2026-11-15", "facts": FACTS}
    for name in ("c002001.worker", "s002.head", "district.reviewer", "district.treasury", "district.auditor"):
        await ok(await demo.callers[name].http.post(PATH, json=body))
    problem(await demo.callers["district.admin"].http.post(PATH, json=body), 403)


async def test_the_standards_are_published_with_their_versions(demo: Demo) -> None:
    http = demo.callers["s001.clerk"].http
    listed = await ok(await http.get(f"{V1}/station-standards"))
    codes = {item["code"] for item in listed["items"]}
    assert {"sanyou_siquan", "wuyige", "wuyou_yichuang", "staffing_a", "staffing_b", "staffing_c"} <= codes
    for code in codes:
        detail = await ok(await http.get(f"{V1}/station-standards/{code}"))
        assert detail["versions"]
        assert all(criterion["sentence"] for version in detail["versions"] for criterion in version["criteria"])
