"""Reading casework: lists, timelines, decision files, tasks, notices on show. Nothing here writes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.applications import (
    APPLICATION,
    ASSESSMENT,
    DEADLINE,
    DECISION,
    NOTICE,
    assessment_of,
    notice_of,
    selected,
)
from app.db.repositories.entitlements import PERSON, within
from app.db.tables import casework as tables
from app.db.tables.registry import Person
from app.domain.access import AreaScope
from app.domain.casework.model import Decision, FrozenAssessment, PublicNotice, TimelineEntry
from app.domain.casework.tasks import WAITING, Task
from app.domain.casework.workflow import TRANSITIONS, State

EVENT = columns(tables.ApplicationEvent)
NO_DATE = date(9999, 12, 31)
"""Sorts what has no time limit behind all that has one."""

DECIDING = [state.value for state, act in WAITING.items() if TRANSITIONS[act].decides]


@dataclass(frozen=True, slots=True)
class ApplicationFilter:
    """What a list is narrowed to; ``area_code`` includes everything below it."""

    state: str | None = None
    programme: str | None = None
    area_code: str | None = None
    household_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ApplicationLine:
    """One line of a list; the name is None when the applicant has since left the caller's area."""

    id: UUID
    number: str
    programme: str
    state: str
    area_code: str
    household_id: UUID
    applicant_person_id: UUID
    applicant_name: str | None
    submitted_at: datetime | None
    accepted_on: date | None
    version: int
    created_at: datetime


def _chosen(scope: AreaScope, chosen: ApplicationFilter) -> list[sa.ColumnElement[bool]]:
    conditions = [APPLICATION.district == scope.district, within(APPLICATION.area_code, scope)]
    if chosen.area_code is not None:
        conditions.append(within(APPLICATION.area_code, AreaScope(scope.district, chosen.area_code)))
    exact = {"state": chosen.state, "programme": chosen.programme, "household_id": chosen.household_id}
    return conditions + [APPLICATION[name] == wanted for name, wanted in exact.items() if wanted is not None]


async def list_applications(
    scope: AreaScope, session: AsyncSession, chosen: ApplicationFilter, *, after: UUID | None, limit: int
) -> Sequence[ApplicationLine]:
    """Applications by id, that is, in the order of their making."""
    same_person = sa.and_(PERSON.district == APPLICATION.district, PERSON.id == APPLICATION.applicant_person_id)
    own = [APPLICATION[name] for name in ApplicationLine.__slots__ if name != "applicant_name"]
    statement = (
        sa.select(*own, PERSON.name.label("applicant_name"))
        .join_from(tables.Application, Person, same_person, isouter=True)
        .where(*_chosen(scope, chosen))
    )
    if after is not None:
        statement = statement.where(APPLICATION.id > after)
    rows = await session.execute(statement.order_by(APPLICATION.id).limit(limit))
    return [ApplicationLine(**row) for row in rows.mappings()]


async def count_applications(scope: AreaScope, session: AsyncSession, chosen: ApplicationFilter) -> int:
    statement = sa.select(sa.func.count()).select_from(tables.Application).where(*_chosen(scope, chosen))
    return int((await session.execute(statement)).scalar_one())


async def list_events(scope: AreaScope, session: AsyncSession, application_id: UUID) -> Sequence[TimelineEntry]:
    statement = (
        sa.select(*selected(TimelineEntry, EVENT))
        .where(EVENT.district == scope.district, EVENT.application_id == application_id)
        .order_by(EVENT.number)
    )
    return [TimelineEntry(**row) for row in (await session.execute(statement)).mappings()]


async def list_decisions(
    scope: AreaScope, session: AsyncSession, application_id: UUID
) -> Sequence[tuple[Decision, FrozenAssessment]]:
    """Opinions and the decision, each with the assessment it rests on, oldest first."""
    on_assessment = sa.and_(ASSESSMENT.district == DECISION.district, ASSESSMENT.id == DECISION.assessment_id)
    decision = [column.label(f"d_{column.name}") for column in selected(Decision, DECISION)]
    assessment = [column.label(f"a_{column.name}") for column in selected(FrozenAssessment, ASSESSMENT)]
    statement = (
        sa.select(*decision, *assessment)
        .join_from(tables.Decision, tables.Assessment, on_assessment)
        .where(DECISION.district == scope.district, DECISION.application_id == application_id)
        .order_by(DECISION.id)
    )
    rows = (await session.execute(statement)).mappings()
    return [(_decision(_part(row, "d_")), assessment_of(_part(row, "a_"))) for row in rows]


def _part(row: sa.RowMapping, prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}


def _decision(values: dict[str, Any]) -> Decision:
    return Decision(**values | {"reasons": tuple(values["reasons"])})


async def list_open_notices(scope: AreaScope, session: AsyncSession, *, after: UUID | None, limit: int) -> Sequence[PublicNotice]:
    """The notices on show in the scope."""
    statement = sa.select(*selected(PublicNotice, NOTICE)).where(*_on_show(scope))
    if after is not None:
        statement = statement.where(NOTICE.id > after)
    rows = await session.execute(statement.order_by(NOTICE.id).limit(limit))
    return [notice_of(row) for row in rows.mappings()]


async def count_open_notices(scope: AreaScope, session: AsyncSession) -> int:
    statement = sa.select(sa.func.count()).select_from(tables.PublicNotice).where(*_on_show(scope))
    return int((await session.execute(statement)).scalar_one())


def _on_show(scope: AreaScope) -> tuple[sa.ColumnElement[bool], ...]:
    return NOTICE.district == scope.district, within(NOTICE.area_code, scope), NOTICE.closed_on.is_(None)


# --- tasks --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """Whose tasks: those in ``states``, but for deciding on one's own opinion; a notice waits from its first closable day."""

    states: Collection[State]
    actor_id: UUID
    today: date


def _waiting(scope: AreaScope, query: TaskQuery) -> list[sa.ColumnElement[bool]]:
    closable = sa.exists().where(
        NOTICE.district == APPLICATION.district,
        NOTICE.application_id == APPLICATION.id,
        NOTICE.closed_on.is_(None),
        NOTICE.closable_from <= query.today,
    )
    own_opinion = sa.and_(APPLICATION.state.in_(DECIDING), APPLICATION.opinion_by == query.actor_id)
    return [
        APPLICATION.district == scope.district,
        within(APPLICATION.area_code, scope),
        APPLICATION.closed_at.is_(None),
        APPLICATION.state.in_([state.value for state in query.states]),
        sa.or_(APPLICATION.state != State.NOTICE_OPEN.value, closable),
        sa.or_(APPLICATION.opinion_by.is_(None), sa.not_(own_opinion)),
    ]


async def list_tasks(
    scope: AreaScope, session: AsyncSession, query: TaskQuery, *, after: tuple[date, UUID] | None, limit: int
) -> Sequence[Task]:
    """What waits, the most urgent first: by due day (none comes last), then by id."""
    nearest = (
        sa.select(DEADLINE.kind, DEADLINE.due_on, DEADLINE.provisional)
        .where(
            DEADLINE.district == APPLICATION.district,
            DEADLINE.application_id == APPLICATION.id,
            DEADLINE.met_on.is_(None),
        )
        .order_by(DEADLINE.due_on, DEADLINE.kind)
        .limit(1)
        .lateral("nearest")
    )
    due = sa.func.coalesce(nearest.c.due_on, NO_DATE)
    statement = (
        sa.select(*APPLICATION, nearest.c.kind, nearest.c.due_on, nearest.c.provisional)
        .join_from(tables.Application, nearest, sa.true(), isouter=True)
        .where(*_waiting(scope, query))
    )
    if after is not None:
        statement = statement.where(sa.tuple_(due, APPLICATION.id) > sa.tuple_(*after))
    rows = await session.execute(statement.order_by(due, APPLICATION.id).limit(limit))
    return [_task(row) for row in rows.mappings()]


def _task(row: sa.RowMapping) -> Task:
    state = State(row["state"])
    return Task(
        act=WAITING[state],
        application_id=row["id"],
        number=row["number"],
        programme=row["programme"],
        state=state,
        area_code=row["area_code"],
        household_id=row["household_id"],
        waiting_since=row["updated_at"],
        clock=row["kind"],
        due_on=row["due_on"],
        provisional=bool(row["provisional"]),
    )


async def count_tasks(scope: AreaScope, session: AsyncSession, query: TaskQuery) -> int:
    statement = sa.select(sa.func.count()).select_from(tables.Application).where(*_waiting(scope, query))
    return int((await session.execute(statement)).scalar_one())
