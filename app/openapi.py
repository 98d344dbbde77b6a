"""The OpenAPI document: duties, the common problems of every operation, and one stable text form for the repository."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from app.routers.route import duty_guards
from app.routers.v1.examples import EXAMPLES

DESCRIPTION = """基层民政业务接口：登记、申请审核、资金发放、在保状态查询。

金额一律为整数分（`_fen`），月份 `YYYY-MM`，日期 `YYYY-MM-DD`，时刻带时区，编号为 UUIDv7。
错误为 `application/problem+json`：`detail` 说明下一步怎么办，`code` 稳定不变，全部代码见 `GET /api/v1/codes`。
`404` 表示不存在或不在您的辖区内；`403` 表示在辖区内但不属您的职责。
"""
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "trace_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "中文说明，含下一步怎么办"},
        "code": {"type": "string", "description": "稳定的错误代码，见 /api/v1/codes"},
        "trace_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message"],
                "properties": {"pointer": {"type": "string"}, "code": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
COMMON = {
    "400": "请求有误（未知查询参数、缺少幂等键）",
    "401": "未登录或登录已失效",
    "403": "在辖区内但不属您的职责",
    "404": "不存在或不在您的辖区内",
    "409": "业务规则此刻不允许",
    "412": "If-Match 已过期",
    "413": "内容过大",
    "415": "不支持的内容类型",
    "422": "填写内容有误",
    "428": "缺少 If-Match",
    "429": "过于频繁，见 Retry-After",
    "503": "暂时不可用，请重试",
}


def install_openapi(app: FastAPI) -> None:
    """Replaces FastAPI's generator, so that the served and the committed document are the same."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def build(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM_SCHEMA
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for route in api_routes(app):
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            _complete(operation, route, method)
            _show_example(operation, EXAMPLES.get((method, route.path_format)))
    return document


def _show_example(operation: dict[str, Any], example: Any) -> None:
    """A body to start from, in whatever form the operation takes it."""
    if example is not None:
        for content in operation["requestBody"]["content"].values():
            content["example"] = example


def api_routes(app: FastAPI) -> list[APIRoute]:
    """Every documented route with its full path, whatever routers it came through."""
    routes = (context.original_route for context in iter_route_contexts(app.routes))
    return [route for route in routes if isinstance(route, APIRoute) and route.include_in_schema]


def _complete(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    guards = duty_guards(route)
    if guards:
        duties = frozenset.intersection(*(guard.duties for guard in guards))
        operation["x-duties"] = sorted(duties)
    responses = operation["responses"]
    if not route.path_format.startswith("/api/"):
        responses.pop("422", None)
        return
    for status in _statuses(method, guarded=bool(guards)):
        described = responses.get(status, {}).get("description") if status != "422" else None
        responses[status] = {
            "description": described or COMMON[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }


def _statuses(method: str, *, guarded: bool) -> list[str]:
    """A caller may meet any of these; none is promised never to come."""
    statuses = ["400", "422", "429", "503"]
    if guarded:
        statuses += ["401", "403", "404"]
    if method in ("POST", "PUT", "DELETE"):
        statuses += ["401", "404", "409", "412", "413", "415", "428"]
    return sorted(set(statuses))


def text_of(document: dict[str, Any]) -> str:
    """The committed form: stable order, readable Chinese, a line break at the end."""
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
