"""Counting the attempts to register somebody who stands elsewhere, so that registering isn't a way to ask for it.

The refusal rolls the request's transaction back, so it is counted in a second, short one, committed before the answer is sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from fastapi import Depends, Request

from app.db.repositories.identity import add_attempt_elsewhere
from app.db.session import transaction
from app.dependencies import RuntimeDep
from app.domain.registry.refusals import ELSEWHERE_WINDOW, DuplicateRegistration, refuse_over_limit


async def count_elsewhere(request: Request, runtime: RuntimeDep) -> AsyncIterator[None]:
    """Stands before the session among a route's dependencies, and so sees the refusal after the rollback.

    Of many attempts at once those over the limit are answered 429 like the ones after them, whatever they would have learnt.
    """
    try:
        yield
    except DuplicateRegistration as refusal:
        if refusal.elsewhere:
            now = datetime.now(UTC)
            async with transaction(runtime.engine) as session:
                earlier = await add_attempt_elsewhere(session, request.state.actor.id, now, now - ELSEWHERE_WINDOW)
            refuse_over_limit(earlier, now)
        raise


THROTTLED = Depends(count_elsewhere, scope="function")
