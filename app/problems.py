"""The one table from domain errors to RFC 9457 problems, and the handlers that use it."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from asyncpg import InterfaceError, InvalidCachedStatementError, PostgresError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import exc
from starlette.exceptions import HTTPException

from app.db.constraints import conflict_of
from app.domain import errors
from app.domain.errors import DomainError, FieldError
from app.observability import SEALS_BROKEN, trace_id
from app.security.fields import SealBroken
from app.validation_text import field_error

log = logging.getLogger("minzheng.problems")

STATUS: dict[type[DomainError], tuple[int, str]] = {
    errors.BadRequest: (400, "请求有误"),
    errors.Unauthenticated: (401, "未登录或登录已失效"),
    errors.Forbidden: (403, "没有办理此事项的职责"),
    errors.NotFound: (404, "未找到"),
    errors.Conflict: (409, "当前不能办理"),
    errors.PreconditionFailed: (412, "内容已被他人更新"),
    errors.TooLarge: (413, "内容过大"),
    errors.UnsupportedMedia: (415, "不支持的内容类型"),
    errors.Malformed: (422, "填写内容有误"),
    errors.PreconditionRequired: (428, "缺少版本号"),
    errors.TooManyRequests: (429, "操作过于频繁"),
    errors.Unavailable: (503, "服务暂时不可用"),
}
FRAMEWORK: dict[int, tuple[str, str]] = {
    404: ("route_not_found", "没有这个地址，请核对接口路径。"),
    405: ("method_not_allowed", "此地址不支持该请求方法，请查看接口文档。"),
}
# What passes by itself or is the operator's to mend: serialisation failures, deadlocks, resources, lock and statement timeouts,
# lost connections, a standby that was asked to write during a failover, an idle session that was ended, a login being changed.
RETRYABLE_SQLSTATES = ("40", "53", "55P03", "57", "58", "08", "25006", "25P03", "28", "3D000")
MAX_FINDINGS = 100


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    field_errors: Sequence[FieldError] = (),
    headers: dict[str, str] | None = None,
    members: dict[str, Any] | None = None,
) -> Response:
    """An ``application/problem+json`` answer; ``type`` names the code's entry in the registry."""
    body: dict[str, Any] = {
        "type": f"/api/v1/codes#{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "trace_id": trace_id(),
    }
    if field_errors:
        body["errors"] = [{"pointer": e.pointer, "code": e.code, "message": e.message} for e in field_errors]
    body.update(members or {})
    return Response(_json(body), status, headers, media_type="application/problem+json")


def _json(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # a lone surrogate, echoed from what was sent
        return json.dumps(body, ensure_ascii=False, default=str).encode("utf-8", "replace")


def problem_of(error: DomainError) -> Response:
    status, title = next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)
    headers = {}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(status, error.code, title, error.detail, field_errors=error.errors, headers=headers, members=error.members)


def domain_error_of(error: BaseException) -> DomainError | None:
    """What a database failure means in the domain; None if it means nothing to a caller."""
    if isinstance(error, exc.TimeoutError):
        return _unavailable("当前访问人数较多，请稍后重试。")
    if isinstance(error, exc.DBAPIError):
        return conflict_of(error) or _lost_connection(error)
    if isinstance(error, (ConnectionError, TimeoutError)) or _died_while_connecting(error):
        return _unavailable("数据库暂时无法连接，请稍后重试。")
    return None


def _died_while_connecting(error: BaseException) -> bool:
    """Between connecting and the first statement the pool sets codecs through the driver itself: its errors come unwrapped."""
    if isinstance(error, PostgresError):
        return str(error.sqlstate or "").startswith(RETRYABLE_SQLSTATES)
    return isinstance(error, InterfaceError)


def _lost_connection(error: exc.DBAPIError) -> DomainError | None:
    sqlstate = str(getattr(error.orig, "sqlstate", "") or "")
    passing = sqlstate.startswith(RETRYABLE_SQLSTATES) or _is_stale_plan(error)
    if error.connection_invalidated or passing or isinstance(error, exc.InterfaceError):
        return _unavailable("数据库繁忙或连接中断，请稍后重试；重试时请沿用同一 Idempotency-Key，以免重复办理。")
    return None


def _is_stale_plan(error: exc.DBAPIError) -> bool:
    """A table changed under a prepared statement (an upgrade under traffic); it is prepared anew the next time."""
    return isinstance(getattr(error.orig, "__cause__", None), InvalidCachedStatementError)


def _unavailable(detail: str) -> DomainError:
    return errors.Unavailable("temporarily_unavailable", detail, retry_after_seconds=2)


async def _on_domain_error(request: Request, error: DomainError) -> Response:
    if error.audit:
        await request.app.state.refusals.record(request, error)
    return problem_of(error)


async def _on_validation_error(_request: Request, error: RequestValidationError) -> Response:
    found = error.errors()
    details = [field_error(item) for item in found[:MAX_FINDINGS]]
    text = f"有 {len(found)} 处内容填写有误，请按 errors 中的提示逐项更正后重新提交。"
    return problem(422, "malformed_request", "填写内容有误", text, field_errors=details)


async def _on_http_exception(request: Request, error: HTTPException) -> Response:
    """What the framework refuses by itself. It also turns whatever reading a form raises into a 400: ours is the cause."""
    if isinstance(error.__cause__, DomainError):
        return await _on_domain_error(request, error.__cause__)
    status, headers = error.status_code, dict(error.headers or {})
    if status == HTTPStatus.BAD_REQUEST:
        return problem(422, "malformed_request", "填写内容有误", "提交的内容无法解析，请检查格式后重新提交。")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods_at(request))
    code, detail = FRAMEWORK.get(status, ("request_refused", "请求被拒绝，请核对请求地址和方法。"))
    return problem(status, code, "请求有误", detail, headers=headers)


def _methods_at(request: Request) -> list[str]:
    """Every method of the address; the framework names those of one route only."""
    routes = (context.original_route for context in iter_route_contexts(request.app.routes))
    matching = (route for route in routes if isinstance(route, APIRoute) and route.path_regex.match(request.url.path))
    return sorted({method for route in matching for method in route.methods or ()})


def problem_of_unknown(path: str, error: Exception) -> Response:
    """The answer to an exception that nobody foresaw; said in the log, and counted when stored personal data didn't open."""
    known = domain_error_of(error)
    if known is not None:
        log.warning("refused by the database", extra={"path": path, "error": type(error).__name__, "code": known.code})
        return problem_of(known)
    if isinstance(error, SealBroken):
        SEALS_BROKEN.inc()
        log.critical("a sealed value did not open", exc_info=error, extra={"path": path, "alarm": "seal_broken"})
    else:
        log.error("unhandled error", exc_info=error, extra={"path": path})
    return problem(
        500, "internal_error", "系统内部错误", "系统出现意外错误，已记录。请稍后重试；若仍失败，请将 trace_id 告知管理员。"
    )


async def _on_database_error(request: Request, error: Exception) -> Response:
    return problem_of_unknown(request.url.path, error)


def install_problem_handlers(app: FastAPI) -> None:
    handlers: dict[type[Exception], Any] = {
        DomainError: _on_domain_error,
        RequestValidationError: _on_validation_error,
        HTTPException: _on_http_exception,
    }
    handlers |= dict.fromkeys((exc.DBAPIError, exc.TimeoutError, ConnectionError, TimeoutError), _on_database_error)
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
