"""The one-shot assessment by the short way: one look into the database, and the pure rules beside it."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from pydantic import ValidationError
from sqlalchemy import text

from app.db.statements import DATABASE_FAILURES, Statement
from app.dependencies import CALLER, NOT_REVOKED
from app.domain.eligibility import AssessmentQuestion, ParameterBook, assess
from app.domain.errors import DomainError
from app.quick_way import QuickAnswer
from app.request_body import parse_json
from app.routers.v1 import eligibility
from app.routers.v1.eligibility_facts import AssessmentRequest
from app.runtime import Runtime
from app.security.tokens import Claims

YIELDS_UNTIL_SENT = 2  # the first starts the look, the second lets the loop write it out

# The caller's check is the one that opens every session; beside it the two things that the route looks up.
_LOOK = Statement.of(
    text(
        f"""
    WITH caller AS ({CALLER})
    SELECT (SELECT array_agg(id ORDER BY id) FROM policy_set WHERE status = 'active') AS sets
    FROM caller
    WHERE NOT must_change_password AND {NOT_REVOKED}
      AND EXISTS (SELECT 1 FROM area WHERE code = :code AND valid_from <= :day AND (valid_until IS NULL OR valid_until > :day))
    """
    )
)


async def answer(runtime: Runtime, claims: Claims, body: bytes) -> bytes | None:
    """The answer to a question without any objection; None for every other."""
    try:
        question = AssessmentRequest.model_validate(parse_json(body)).to_domain()
        return await _compute(runtime, claims, question)
    except (DomainError, ValidationError, *DATABASE_FAILURES):
        return None  # the ordinary way says what is wrong, or that it can't say


async def _compute(runtime: Runtime, claims: Claims, question: AssessmentQuestion) -> bytes | None:
    """Computes while the database is still looking; what it finds decides whether the answer may be given."""
    book = runtime.parameter_books.latest
    look = asyncio.create_task(_look(runtime, claims, question))
    try:
        for _ in range(YIELDS_UNTIL_SENT):
            await asyncio.sleep(0)
        computed = orjson.dumps(eligibility.body_of(assess(question, book)))
    finally:
        in_force = await look
    return computed if in_force is book else None


async def _look(runtime: Runtime, claims: Claims, question: AssessmentQuestion) -> ParameterBook | None:
    """The parameters in force, where the token still counts and the area exists on the day."""
    values: dict[str, Any] = {
        "sub": claims.subject,
        "area": claims.area,
        "iat": float(claims.issued_at),
        "jti": str(claims.jti),
        "session": str(claims.session or claims.jti),
        "code": question.area_code,
        "day": question.business_date,
    }
    rows = await runtime.lookups.fetch(_LOOK, values)
    return runtime.parameter_books.kept(rows[0]["sets"] or ()) if rows else None


ASSESSMENT = QuickAnswer(eligibility.PATH, eligibility.ROUTE, frozenset(eligibility.ASSESSORS), answer)
