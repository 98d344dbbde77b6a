"""Stored decisions with what they were computed from, for the replay."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.entitlements import within
from app.db.tables.casework import Assessment, Decision
from app.domain.access import AreaScope
from app.domain.casework.frozen import value_of
from app.domain.eligibility import AssessmentQuestion, ParameterRow, StoredAnswer

DECISION, ASSESSMENT = columns(Decision), columns(Assessment)


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision (opinion, confirmation, refusal) with the answer that it rests on."""

    id: UUID
    policy_version: str
    engine_version: str
    answer: StoredAnswer


async def list_decisions(scope: AreaScope, session: AsyncSession, *, after: UUID | None, limit: int) -> list[StoredDecision]:
    """By id, from the one after ``after`` on."""
    same = sa.and_(ASSESSMENT.district == DECISION.district, ASSESSMENT.id == DECISION.assessment_id)
    statement = (
        sa.select(
            DECISION.id,
            ASSESSMENT.policy_version,
            ASSESSMENT.engine_version,
            ASSESSMENT.inputs,
            ASSESSMENT.parameters,
            ASSESSMENT.result,
        )
        .join_from(Decision, Assessment, same)
        .where(DECISION.district == scope.district, within(DECISION.area_code, scope))
    )
    if after is not None:
        statement = statement.where(DECISION.id > after)
    rows = (await session.execute(statement.order_by(DECISION.id).limit(limit))).mappings()
    return [_stored(row) for row in rows]


def _stored(row: sa.RowMapping) -> StoredDecision:
    parameters = tuple(value_of(ParameterRow, one) for one in row["parameters"])
    answer = StoredAnswer(value_of(AssessmentQuestion, row["inputs"]), parameters, row["result"])
    return StoredDecision(row["id"], row["policy_version"], row["engine_version"], answer)
