"""The route class of the API: reads the body strictly, refuses unknown parameters, replays stored answers, stores new ones
before the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.dependencies import DutyGuard
from app.domain.calendar import iso_date
from app.domain.errors import BadRequest, FieldError, Malformed
from app.idempotency import ReplayStored, store_answer
from app.request_body import Media, read_body, storable
from app.routers.models import is_date, is_list
from app.validation_text import DATE_TEXT


class ApiRoute(APIRoute):
    """Every route under ``/api/v1`` is one of these."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        parameters = _parameters(self)
        receive = self.receiver()
        guards = duty_guards(self)

        async def answer(request: Request) -> Response:
            _check_path(request)
            _check_query(request, parameters)
            request = await receive(request)
            try:
                response = await handler(request)
            except ReplayStored as replay:
                for guard in guards:  # the duty may have been taken away since the first answer
                    guard.check(request.state.actor)
                return replay.response
            await store_answer(request, response)
            return response

        return answer

    def receiver(self) -> Callable[[Request], Coroutine[Any, Any, Request]]:
        """How the route takes its body in."""
        taken = media_of(self)

        async def receive(request: Request) -> Request:
            return await read_body(request, taken)

        return receive


def media_of(route: APIRoute) -> Media | None:
    """What the route takes as its body; None when it takes none."""
    if route.body_field is None:
        return None
    parts = [parameter.field_info for dependant in whole(route.dependant) for parameter in dependant.body_params]
    if any(isinstance(part, params.File) for part in parts):
        return Media.UPLOAD
    return Media.FORM if any(isinstance(part, params.Form) for part in parts) else Media.JSON


def duty_guards(route: APIRoute) -> list[DutyGuard]:
    """The duty declarations found among a route's dependencies."""
    return [dependant.call for dependant in whole(route.dependant) if isinstance(dependant.call, DutyGuard)]


def whole(dependant: Dependant) -> Iterator[Dependant]:
    """A dependant with all that it depends on."""
    yield dependant
    for part in dependant.dependencies:
        yield from whole(part)


@dataclass(frozen=True)
class Parameters:
    """The query parameters that a route knows: all, those that may come more than once, those that are dates."""

    known: frozenset[str]
    repeatable: frozenset[str]
    dates: frozenset[str]


def _parameters(route: APIRoute) -> Parameters:
    found = {p.alias: p.field_info.annotation for part in whole(route.dependant) for p in part.query_params}
    return Parameters(
        frozenset(found),
        frozenset(name for name, annotation in found.items() if is_list(annotation)),
        frozenset(name for name, annotation in found.items() if is_date(annotation)),
    )


def _check_path(request: Request) -> None:
    for name, value in request.path_params.items():
        if not storable(str(value)):
            raise _malformed(f"/path/{name}", "invalid_characters", "地址含有无法处理的字符，请核对。")


def _check_query(request: Request, parameters: Parameters) -> None:
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name not in parameters.known:
            allowed = "、".join(sorted(parameters.known)) or "无"
            raise BadRequest("unknown_parameter", f"不认识的查询参数 {name[:50]!r}，请删除或核对。可用参数：{allowed}。")
        if name in seen - parameters.repeatable:
            raise BadRequest("repeated_parameter", f"查询参数 {name} 重复出现，请只保留一个。")
        if not storable(value):
            raise _malformed(f"/query/{name}", "invalid_characters", "含有无法处理的字符，请删除。")
        if name in parameters.dates and iso_date(value) is None:
            raise _malformed(f"/query/{name}", *DATE_TEXT)
        seen.add(name)


def _malformed(pointer: str, code: str, text: str) -> Malformed:
    return Malformed("malformed_request", "地址或查询参数有误，请按 errors 更正。", errors=[FieldError(pointer, code, text)])


def api_router(tag: str, prefix: str = "") -> APIRouter:
    """A router of version 1. Its routes carry their whole path, so that logs, metrics and the audit trail name it."""
    return APIRouter(prefix="/api/v1" + prefix, tags=[tag], route_class=ApiRoute)
