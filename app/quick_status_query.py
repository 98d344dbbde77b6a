"""The status query by the short way: the same two statements, the same use case, the same answer."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import ValidationError

from app.bureau_session import admit_client
from app.db.statements import DATABASE_FAILURES
from app.dependencies import Clock
from app.domain.access import Duty
from app.domain.errors import DomainError
from app.domain.sharing import admit, in_force
from app.quick_way import QuickAnswer
from app.request_body import parse_json
from app.routers.v1 import status_queries
from app.routers.v1.status_queries import Asked, StatusQueryBody, query_of
from app.runtime import Runtime
from app.security.tokens import Claims


async def answer(runtime: Runtime, claims: Claims, body: bytes) -> bytes | None:
    """The answer to a question that the client's agreement covers; None for every other, then neither counted nor logged.

    Once it may have been counted nothing falls back to the ordinary way, which would count it again: a database that fails there
    is told to the caller.
    """
    asked = await _covered(runtime, claims, body)
    if asked is None:
        return None
    try:
        view = await status_queries.answer_of(asked, runtime)
    except DomainError:  # over the quota: nothing was counted, and the ordinary way refuses, records and raises the alarm
        return None
    return view.model_dump_json().encode()


async def _covered(runtime: Runtime, claims: Claims, body: bytes) -> Asked | None:
    try:
        question = StatusQueryBody.model_validate(parse_json(body))
        call = await admit_client(runtime.status_lookups, claims, Clock(datetime.now(UTC)))
        query = query_of(question, call, runtime)
        admit(in_force(call.agreement, query.today), query)
    except (DomainError, ValidationError, *DATABASE_FAILURES):
        return None
    return Asked(query, call)


STATUS_QUERY = QuickAnswer(status_queries.PATH, status_queries.ROUTE, frozenset({Duty.BUREAU}), answer)
