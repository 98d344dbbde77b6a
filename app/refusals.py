"""Putting refusals on record: the request's transaction has rolled back, so this is a second, short one."""

from __future__ import annotations

import logging
import re

from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError

from app.db.repositories.audit import AuditEntry, write_audit
from app.db.session import transaction
from app.domain.access import Actor
from app.domain.errors import DomainError
from app.observability import REFUSAL_RECORD_FAILURES, redact
from app.runtime import Runtime

OPAQUE = re.compile(r"[0-9A-Za-z_-]{1,64}")
AREA_CODE = re.compile(r"[0-9]{6}([0-9]{3}){0,2}")
log = logging.getLogger("minzheng.refusals")


class Refusals:
    """Writes refused attempts, committed before the error is sent."""

    def __init__(self, runtime: Runtime) -> None:
        self._engine = runtime.engine

    async def record(self, request: Request, error: DomainError) -> None:
        """Raises only when a consequence could not be written: a limit that isn't counted is no limit."""
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
            if error.consequence is not None:
                raise


def _route_of(request: Request) -> str:
    return getattr(request.scope.get("route"), "path_format", None) or "unmatched"


def _subject_of(request: Request) -> str | None:
    """The id in the path, if it is one: whatever else a caller writes there may be personal, or no text that can be stored."""
    first = next((str(value) for value in request.path_params.values()), "")
    harmless = AREA_CODE.fullmatch(first) or (OPAQUE.fullmatch(first) and redact(first) == first)
    return first if harmless else None
