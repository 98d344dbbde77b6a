"""The published interface: committed, not drifting, not breaking anybody, every route with its duty, every code registered."""

from __future__ import annotations

import ast
import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.codes import REGISTRY
from app.dependencies import DUTY_NAMES
from app.domain.access import Duty
from app.main import create_app
from app.openapi import api_routes, build, text_of
from app.routers.route import ApiRoute, duty_guards
from app.settings import Settings
from tests.system.breaking import breaking_changes

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "openapi" / "v1.json"
RELEASED = ROOT / "openapi" / "released" / "v1.json"
PUBLIC = {
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/api/v1/codes"),
    ("POST", "/api/v1/auth/token"),
}
MONEY = re.compile(r"/payment-batches")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return build(create_app(Settings(log_level="WARNING")))


def test_the_committed_document_is_the_served_one(document: dict[str, Any]) -> None:
    assert COMMITTED.read_text("utf-8") == text_of(document), "run `make openapi` and commit the result"


def test_nothing_breaks_callers_of_the_last_release(document: dict[str, Any]) -> None:
    assert breaking_changes(json.loads(RELEASED.read_text("utf-8")), document) == []


def _drop_operation(document: dict[str, Any]) -> None:
    del document["paths"]["/api/v1/applications/{application_id}/submit"]


def _require_a_field(document: dict[str, Any]) -> None:
    body = document["paths"]["/api/v1/persons"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema = document["components"]["schemas"][body["$ref"].rsplit("/", 1)[1]]
    schema["properties"]["shoe_size"] = {"type": "integer"}
    schema["required"] = [*schema["required"], "shoe_size"]


def _rename_an_answer(document: dict[str, Any]) -> None:
    answer = document["paths"]["/api/v1/areas"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    schema = document["components"]["schemas"][answer["$ref"].rsplit("/", 1)[1]]
    schema["properties"]["rows"] = schema["properties"].pop("items")


def _require_a_parameter(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/api/v1/areas"]["get"]["parameters"]
    next(p for p in parameters if p["name"] == "limit")["required"] = True


def _take_a_duty_away(document: dict[str, Any]) -> None:
    document["paths"]["/api/v1/areas"]["get"]["x-duties"].remove("auditor")


@pytest.mark.parametrize(
    "change", [_drop_operation, _require_a_field, _rename_an_answer, _require_a_parameter, _take_a_duty_away]
)
def test_a_breaking_change_is_noticed(document: dict[str, Any], change: Callable[[dict[str, Any]], None]) -> None:
    changed = copy.deepcopy(document)
    change(changed)
    assert breaking_changes(document, changed) != []
    assert breaking_changes(changed, changed) == []


def test_every_route_declares_a_duty_or_is_public() -> None:
    app = create_app(Settings(log_level="WARNING"))
    open_routes = {
        (method, route.path_format) for route in api_routes(app) for method in route.methods or () if not duty_guards(route)
    }
    assert open_routes == PUBLIC


def test_every_api_route_is_of_our_class_and_uses_plain_methods() -> None:
    app = create_app(Settings(log_level="WARNING"))
    for route in api_routes(app):
        if route.path_format.startswith("/api/"):
            assert isinstance(route, ApiRoute), route.path_format
            assert set(route.methods or ()) <= {"GET", "POST", "PUT", "DELETE"}


def _headers(operation: dict[str, Any]) -> set[str]:
    return {p["name"].lower() for p in operation.get("parameters", ()) if p["in"] == "header"}


STORES_NOTHING = {
    "/api/v1/auth/token",
    "/api/v1/auth/logout",
    "/api/v1/persons/search",
    "/api/v1/eligibility/assessments",
    "/api/v1/stations/assessments",
}


def test_every_post_that_stores_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    missing = [
        path
        for path, item in document["paths"].items()
        if "post" in item and path not in STORES_NOTHING and "idempotency-key" not in _headers(item["post"])
    ]
    assert missing == []


def test_every_put_takes_if_match(document: dict[str, Any]) -> None:
    missing = [path for path, item in document["paths"].items() if "put" in item and "if-match" not in _headers(item["put"])]
    assert missing == []


def test_operations_are_described_in_chinese(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            text = operation.get("summary", "")
            assert any("\u4e00" <= character <= "\u9fff" for character in text), f"{method} {path}: {text!r}"


def test_id_numbers_never_stand_in_a_url(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for operation in item.values():
            names = {p["name"] for p in operation.get("parameters", ()) if p["in"] in ("query", "path")}
            assert not names & {"id_number", "bank_account", "phone"}, path


def test_every_duty_has_a_chinese_name() -> None:
    assert set(DUTY_NAMES) == set(Duty)


ERRORS = {
    "BadRequest",
    "Unauthenticated",
    "Forbidden",
    "NotFound",
    "Conflict",
    "PreconditionFailed",
    "TooLarge",
    "Malformed",
    "PreconditionRequired",
    "TooManyRequests",
    "Unavailable",
}


def raised_codes() -> dict[str, set[str]]:
    """Codes written as literals where a refusal or a field error is made."""
    found: dict[str, set[str]] = {"error": set(), "field_error": set()}
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            kind, position = ("error", 0) if node.func.id in ERRORS else ("field_error", 1)
            if node.func.id in ERRORS | {"FieldError"} and len(node.args) > position:
                argument = node.args[position]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    found[kind].add(argument.value)
    return found


@pytest.mark.parametrize("kind", ["error", "field_error"])
def test_every_code_is_published(kind: str) -> None:
    create_app(Settings(log_level="WARNING"))
    assert raised_codes()[kind] - set(REGISTRY[kind]) == set()
