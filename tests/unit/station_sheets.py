"""A sheet that is good by every standard, and ways to change one thing in it."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

from app.domain.stations.assessing import assess
from app.domain.stations.facts import Facts
from app.domain.stations.model import Assessment
from app.domain.stations.vocabulary import RULES, SIGNAGE
from app.routers.v1.station_assessment_models import StationFacts
from app.station_standards import standards

Sheet = dict[str, Any]
AS_OF = date(2026, 11, 15)


def post(establishment: str = "institutional", **more: Any) -> Sheet:
    given = {"establishment": establishment, "full_time": True, "since": "2020-01-01", "education": "大专"}
    return {**given, "filed": True, "consulted": True, **more}


def posts(count: int, establishment: str = "institutional") -> list[Sheet]:
    return [post(establishment) for _ in range(count)]


LEADERS = [post("administrative", leader=True, position="分管领导"), post("administrative", leader=True, position="科长")]
GOOD: Sheet = {
    "staff": [post("administrative", name="甲", position="民政助理员"), *posts(4), *LEADERS],
    "premises": {"area_m2": 150, "independent": True, "accessible": True, "service_window": True, "archive_room": True},
    "budget": {"in_fiscal_budget": True, "monthly_disbursed": True, "amount_fen": 12_000_000, "last_year_fen": 11_000_000},
    "equipment": {"computer": 3, "telephone": 1, "fax": 1, "printer": 1, "camera": 1, "vehicle": 1},
    "rules": list(RULES),
    "signage": list(SIGNAGE),
    "archives": {"total": 1200, "bound": 1200, "digitised": 1200, "confidential": True},
    "communities": [
        {"area_code": "350702001001", "kind": "community", "population": 2500, "informants": 2},
        {"area_code": "350702001201", "kind": "village", "population": 2499, "informants": 1},
    ],
    "trainings": {"assistants_this_year": 2, "coordinators_this_year": 3},
    "meetings": {"monthly_held_12m": 12, "quarterly_checks_12m": 4},
    "volunteers": 20,
    "emergency_plan": True,
    "community_office": {
        "area_m2": 300,
        "kind": "township",
        "rooms": [
            *(f"{name}_room" for name in ("office", "meeting", "reading", "mediation", "police")),
            "health_station",
            "convenience_station",
            "service_hall",
            "activity_ground",
        ],
    },
}


def changed(path: str, value: Any, sheet: Sheet = GOOD) -> Sheet:
    """The sheet with one value put at ``premises.area_m2`` or ``staff.0.since``; None takes the fact away."""
    found = copy.deepcopy(sheet)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target: Any = found
    for part in way:
        target = target[part]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return found


def facts_of(sheet: Sheet) -> Facts:
    return StationFacts.model_validate(sheet).to_domain()


def assessed(standard: str, sheet: Sheet, as_of: date = AS_OF) -> Assessment:
    return assess(facts_of(sheet), standards().get(standard), as_of)
