"""Requests to start from, shown in the OpenAPI document; a test sends every one of them.

Ids stand for those of the caller's own records; everything else can be sent as it is. The people are invented.
"""

from __future__ import annotations

from typing import Any

from app.domain.stations.vocabulary import RULES, SIGNAGE

PERSON = "01a201c1-60c6-70d4-beef-fff42253abf7"
SPOUSE = "01a201c1-62f2-767e-8fbe-4aeb765fea79"
HOUSEHOLD = "01a201c1-701f-76dd-8b92-8ce68b3a9ed8"

_FACTS: dict[str, Any] = {
    "members": [
        {
            "ref": PERSON,
            "relation": "head",
            "birth_date": "1978-03-16",
            "gender": "male",
            "employment": "employed",
            "employable": True,
            "incomes": [{"kind": "wage", "monthly_fen": 60000}],
        },
        {
            "ref": SPOUSE,
            "relation": "spouse",
            "birth_date": "1980-09-22",
            "gender": "female",
            "employment": "none",
            "incomes": [],
        },
    ],
    "assets": [{"kind": "deposit", "value_fen": 2000000, "exempt_fen": 0}],
    "expenses": [],
    "authorised_verification": True,
}
_ASSESSMENT: dict[str, Any] = {
    "business_date": "2026-08-15",
    "area_code": "350702001001",
    "residence": "urban",
    "programmes": ["dibao", "dibao_edge"],
    "household": {
        "members": [
            {
                "ref": "m1",
                "relation": "head",
                "birth_date": "1972-03-01",
                "gender": "male",
                "employment": "unemployed",
                "employable": True,
                "disability": {"category": "physical", "grade": 2, "needs_care": True},
                "incomes": [{"kind": "wage", "monthly_fen": 60000}],
            },
            {"ref": "m2", "relation": "spouse", "birth_date": "1975-05-20", "employment": "none", "incomes": []},
        ],
        "assets": [{"kind": "deposit", "value_fen": 2000000, "exempt_fen": 0}],
        "expenses": [{"kind": "medical", "amount_fen": 5000000, "reimbursed_fen": 3800000, "paid_on": "2026-03-02"}],
        "deductible_monthly_fen": 0,
        "authorised_verification": True,
    },
    "context": {},
}
_STATION_ASSESSMENT: dict[str, Any] = {
    "standard": "sanyou_siquan",
    "as_of": "2026-11-15",
    "facts": {
        "staff": [
            {
                "name": "陈示范",
                "establishment": "administrative",
                "full_time": True,
                "position": "民政助理员",
                "education": "本科",
            },
            *(
                {"establishment": "institutional", "full_time": True, "position": "民政助理员", "education": "大专"}
                for _ in range(4)
            ),
            {"establishment": "administrative", "position": "分管领导兼站长", "leader": True},
            {"establishment": "administrative", "position": "社会事务科科长兼副站长", "leader": True},
        ],
        "premises": {"area_m2": 80, "independent": True, "accessible": True, "service_window": True, "archive_room": True},
        "budget": {"in_fiscal_budget": True, "monthly_disbursed": True, "amount_fen": 12000000},
        "equipment": {"computer": 3, "telephone": 1, "fax": 1, "printer": 1, "camera": 1, "vehicle": 1},
        "rules": list(RULES),
        "signage": list(SIGNAGE),
        "archives": {"total": 1200, "bound": 1200, "digitised": 1200, "confidential": True},
        "communities": [
            {"area_code": "350702001001", "kind": "community", "population": 2500, "informants": 2},
            {"area_code": "350702001002", "kind": "community", "population": 2499, "informants": 1},
        ],
        "population": 4999,
        "trainings": {"assistants_this_year": 2, "coordinators_this_year": 3},
        "meetings": {"monthly_held_12m": 12, "quarterly_checks_12m": 4},
        "volunteers": 20,
        "emergency_plan": True,
    },
}

#: method and path → body
EXAMPLES: dict[tuple[str, str], Any] = {
    ("POST", "/api/v1/auth/token"): {"grant_type": "password", "username": "s001.clerk", "password": "demo-Pass-2026"},
    ("POST", "/api/v1/persons"): {
        "name": "陈示范",
        "id_number": "350702197803169831",
        "area_code": "350702001001",
        "residence": "urban",
        "phone": "16900010001",
        "address": "示例路1号",
        "employment": "employed",
    },
    ("POST", "/api/v1/persons/search"): {"id_number": "350702197803169831"},
    ("PUT", "/api/v1/persons/{person_id}"): {"phone": "16900010002", "employment": "unemployed"},
    ("POST", "/api/v1/households"): {
        "area_code": "350702001001",
        "residence": "urban",
        "address": "示例路1号",
        "members": [{"person_id": PERSON, "relation": "head"}, {"person_id": SPOUSE, "relation": "spouse"}],
        "account": {"bank_name": "示例邮储银行", "account_number": "7000003507020000018", "account_holder": "陈示范"},
    },
    ("POST", "/api/v1/households/{household_id}/members"): {"person_id": PERSON, "relation": "child"},
    ("POST", "/api/v1/applications"): {"household_id": HOUSEHOLD, "programme": "dibao", "facts": _FACTS},
    ("PUT", "/api/v1/applications/{application_id}/facts"): _FACTS,
    ("POST", "/api/v1/applications/{application_id}/submit"): {},
    ("POST", "/api/v1/applications/{application_id}/accept"): {},
    ("POST", "/api/v1/applications/{application_id}/return-for-supplement"): {
        "missing_items": ["户主身份证复印件", "近六个月工资流水"]
    },
    ("POST", "/api/v1/applications/{application_id}/give-opinion"): {"note": "已入户核实"},
    ("POST", "/api/v1/applications/{application_id}/refuse"): {},
    ("POST", "/api/v1/eligibility/assessments"): _ASSESSMENT,
    ("POST", "/api/v1/stations/assessments"): _STATION_ASSESSMENT,
    ("POST", "/api/v1/payment-batches"): {
        "period_from": "2026-11",
        "period_to": "2026-11",
        "pay_month": "2026-11",
        "programmes": ["dibao"],
        "area_code": "350702",
    },
    ("POST", "/api/v1/status-queries"): {
        "id_number": "350702197803169831",
        "name": "陈示范",
        "as_of": "2026-11-15",
        "programmes": ["dibao"],
        "purpose": "公租房资格审核",
        "legal_basis": "公共租赁住房管理办法",
        "case_no": "GZF-2026-0001",
        "attest": True,
    },
}
