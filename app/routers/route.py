"""The route class of the API: refuses unknown parameters, replays stored answers, stores new ones before the commit."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.dependencies import DutyGuard
from app.domain.errors import BadRequest, FieldError, Malformed
from app.idempotency import ReplayStored, store_answer
from app.routers.models import storable


class ApiRoute(APIRoute):
    """Every route under ``/api/v1`` is one of these."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        known = {parameter.alias for dependant in whole(self.dependant) for parameter in dependant.query_params}
        guards = duty_guards(self)

        async def answer(request: Request) -> Response:
            _check_query(request, known)
            try:
                response = await handler(request)
            except ReplayStored as replay:
                for guard in guards:  # the duty may have been taken away since the first answer
                    guard.check(request.state.actor)
                return replay.response
            await store_answer(request, response)
            return response

        return answer


def duty_guards(route: APIRoute) -> list[DutyGuard]:
    """The duty declarations found among a route's dependencies."""
    return [dependant.call for dependant in whole(route.dependant) if isinstance(dependant.call, DutyGuard)]


def whole(dependant: Dependant) -> Iterator[Dependant]:
    """A dependant with all that it depends on."""
    yield dependant
    for part in dependant.dependencies:
        yield from whole(part)


def _check_query(request: Request, known: set[str]) -> None:
    for name, value in request.query_params.multi_items():
        if name not in known:
            allowed = "、".join(sorted(known)) or "无"
            raise BadRequest("unknown_parameter", f"不认识的查询参数 {name[:50]!r}，请删除或核对。可用参数：{allowed}。")
        if not storable(value):
            finding = FieldError(f"/query/{name}", "invalid_characters", "含有无法处理的字符，请删除。")
            raise Malformed("malformed_request", "查询参数含有无法处理的字符。", errors=[finding])


def api_router(tag: str, prefix: str = "") -> APIRouter:
    """A router of version 1. Its routes carry their whole path, so that logs, metrics and the audit trail name it."""
    return APIRouter(prefix="/api/v1" + prefix, tags=[tag], route_class=ApiRoute)
