"""Putting refusals on record: the request's transaction has rolled back, so this is a second, short one."""

from __future__ import annotations

import logging

from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError

from app.db.repositories.audit import AuditEntry, write_audit
from app.db.session import transaction
from app.domain.access import Actor
from app.domain.errors import DomainError
from app.observability import REFUSAL_RECORD_FAILURES
from app.runtime import Runtime

log = logging.getLogger("minzheng.refusals")


class Refusals:
    """Writes refused attempts, committed before the error is sent."""

    def __init__(self, runtime: Runtime) -> None:
        self._engine = runtime.engine

    async def record(self, request: Request, error: DomainError) -> None:
        actor: Actor | None = getattr(request.state, "actor", None)
        entry = AuditEntry(
            action=f"{request.method} {_route_of(request)}",
            subject_kind="request",
            subject_id=_subject_of(request),
            reason=error.code,
            outcome="refused",
        )
        try:
            async with transaction(self._engine) as session:
                await write_audit(session, [entry], actor, actor_name="anonymous")
                if error.consequence is not None:
                    await error.consequence(session)
        except (SQLAlchemyError, OSError):
            # The refusal itself stands whether or not it could be written down; the counter raises the alarm.
            REFUSAL_RECORD_FAILURES.inc()
            log.exception("refusal not recorded", extra={"code": error.code})


def _route_of(request: Request) -> str:
    return getattr(request.scope.get("route"), "path_format", None) or "unmatched"


def _subject_of(request: Request) -> str | None:
    return next((str(value) for value in request.path_params.values()), None)
