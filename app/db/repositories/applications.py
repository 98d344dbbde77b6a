"""Applications with what hangs on them: events, clocks, frozen assessments and decisions, notices. Each write is audited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.constraints import register_constraint
from app.db.repositories.audit import AuditEntry, AuditTrail
from app.db.repositories.case_rows import (
    NEXT_NUMBER,
    Stamp,
    application_number,
    application_row,
    assessment_row,
    clock_row,
    decision_row,
    event_row,
    notice_row,
)
from app.db.tables import casework as tables
from app.domain.access import Actor, AreaScope
from app.domain.casework.clocks import Clock, ClockKind
from app.domain.casework.model import (
    Application,
    Decision,
    FrozenAssessment,
    Happening,
    NoticeContent,
    PublicNotice,
    RunningClock,
)
from app.domain.casework.workflow import State
from app.domain.errors import NotFound

APPLICATION = columns(tables.Application)
DEADLINE = columns(tables.ApplicationDeadline)
ASSESSMENT = columns(tables.Assessment)
DECISION = columns(tables.Decision)
NOTICE = columns(tables.PublicNotice)

register_constraint(
    "uq_application_one_open",
    "application_already_open",
    "该家庭已有一件同项目的申请正在办理，请在原申请上继续，或先撤回原申请。",
)
register_constraint("uq_public_notice_one_open", "notice_already_open", "该申请正在公示，请勿重复开始公示。")


def not_found() -> NotFound:
    return NotFound("application_not_found", "没有找到该申请，请核对申请编号；不在本辖区的申请请由其所在辖区办理。")


def selected(kind: type[Any], source: Any) -> list[sa.Column[Any]]:
    """The columns that carry the fields of a frozen value."""
    return [source[field.name] for field in fields(kind)]


def application_of(row: sa.RowMapping) -> Application:
    values = dict(row)
    values["state"] = State(row["state"])
    values["missing_items"] = tuple(row["missing_items"])
    return Application(**values)


def notice_of(row: sa.RowMapping) -> PublicNotice:
    return PublicNotice(**dict(row) | {"content": NoticeContent(**row["content"])})


def assessment_of(row: Mapping[Any, Any]) -> FrozenAssessment:
    return FrozenAssessment(**dict(row) | {"parameters": tuple(row["parameters"])})


class ApplicationRepository:
    """The applications of one transaction, written to in the name of one actor at one moment."""

    def __init__(self, session: AsyncSession, actor: Actor, now: datetime, today: date) -> None:
        self._session = session
        self._stamp = Stamp(actor, now, today)
        self._audit = AuditTrail(session, actor)

    # --- the application and its timeline ----------------------------------------------------------------------------

    async def add(self, scope: AreaScope, application: Application) -> Application:
        """Conflict application_already_open when the household has an open one for the programme."""
        running = (await self._session.execute(NEXT_NUMBER)).scalar_one()
        numbered = replace(application, number=application_number(self._stamp.today, running))
        await self._session.execute(sa.insert(tables.Application).values(**application_row(scope, numbered)))
        await self._happened(scope, numbered, None, Happening("create"))
        return numbered

    async def get_locked(self, scope: AreaScope, application_id: UUID) -> Application:
        return await self._get(scope, application_id, lock=True)

    async def get(self, scope: AreaScope, application_id: UUID) -> Application:
        """NotFound application_not_found."""
        return await self._get(scope, application_id, lock=False)

    async def _get(self, scope: AreaScope, application_id: UUID, *, lock: bool) -> Application:
        statement = sa.select(*selected(Application, APPLICATION)).where(
            APPLICATION.district == scope.district, APPLICATION.id == application_id
        )
        statement = statement.with_for_update() if lock else statement
        row = (await self._session.execute(statement)).mappings().one_or_none()
        if row is None:
            raise not_found()
        return application_of(row)

    async def save(self, scope: AreaScope, application: Application, came_from: State, happening: Happening) -> Application:
        saved = replace(application, version=application.version + 1)
        changing = ("facts", "residence", "missing_items", "submitted_at", "accepted_on", "opinion_id", "opinion_by")
        values = {name: getattr(saved, name) for name in (*changing, "decision_id", "closed_at", "version", "updated_at")}
        values |= {"state": saved.state.value, "missing_items": list(saved.missing_items)}
        statement = sa.update(tables.Application).where(
            APPLICATION.district == scope.district, APPLICATION.id == saved.id, APPLICATION.version == application.version
        )
        changed = await self._session.execute(statement.values(**values).returning(APPLICATION.id))
        changed.one()  # the row is locked: another version here would be a mistake of ours
        await self._happened(scope, saved, came_from, happening)
        return saved

    async def _happened(self, scope: AreaScope, application: Application, came_from: State | None, happening: Happening) -> None:
        row = event_row(scope, self._stamp, application, came_from, happening)
        await self._session.execute(sa.insert(tables.ApplicationEvent).values(**row))
        await self._audit.record(
            AuditEntry(
                action=f"application.{happening.act}",
                subject_kind="application",
                subject_id=application.id,
                area_code=application.area_code,
                fields=["facts"] if happening.act == "put-facts" else ["state"],
                details={"from": came_from and came_from.value, "to": application.state.value},
            )
        )

    # --- clocks -------------------------------------------------------------------------------------------------------

    async def start_clocks(self, scope: AreaScope, application: Application, clocks: Iterable[Clock]) -> None:
        identity = ("district", "application_id", "kind")
        for clock in clocks:
            row = clock_row(scope, application, clock, self._stamp.now)
            renewed = {name: value for name, value in row.items() if name not in (*identity, "id", "area_code")}
            statement = insert(tables.ApplicationDeadline).values(**row)
            await self._session.execute(statement.on_conflict_do_update(index_elements=identity, set_=renewed))

    async def stop_clocks(self, scope: AreaScope, application: Application, kinds: Iterable[ClockKind], on: date) -> None:
        statement = sa.update(tables.ApplicationDeadline).where(
            DEADLINE.district == scope.district,
            DEADLINE.application_id == application.id,
            DEADLINE.kind.in_([kind.value for kind in kinds]),
            DEADLINE.met_on.is_(None),
        )
        await self._session.execute(statement.values(met_on=on))

    async def list_clocks(self, scope: AreaScope, application_id: UUID) -> Sequence[RunningClock]:
        statement = (
            sa.select(*selected(RunningClock, DEADLINE))
            .where(DEADLINE.district == scope.district, DEADLINE.application_id == application_id)
            .order_by(DEADLINE.due_on, DEADLINE.kind)
        )
        return [RunningClock(**row) for row in (await self._session.execute(statement)).mappings()]

    # --- decisions ----------------------------------------------------------------------------------------------------

    async def add_decision(
        self, scope: AreaScope, application: Application, assessment: FrozenAssessment, decision: Decision
    ) -> None:
        frozen = assessment_row(scope, application, assessment, decision)
        await self._session.execute(sa.insert(tables.Assessment).values(**frozen))
        await self._session.execute(sa.insert(tables.Decision).values(**decision_row(scope, application, decision)))

    async def get_assessment_of(self, scope: AreaScope, decision_id: UUID) -> FrozenAssessment:
        """NotFound decision_not_found."""
        statement = (
            sa.select(*selected(FrozenAssessment, ASSESSMENT))
            .join(
                tables.Decision,
                sa.and_(DECISION.district == ASSESSMENT.district, DECISION.assessment_id == ASSESSMENT.id),
            )
            .where(DECISION.district == scope.district, DECISION.id == decision_id)
        )
        row = (await self._session.execute(statement)).mappings().one_or_none()
        if row is None:
            raise NotFound("decision_not_found", "没有找到该决定，请核对编号。")
        return assessment_of(row)

    # --- notices ------------------------------------------------------------------------------------------------------

    async def open_notice(self, scope: AreaScope, notice: PublicNotice) -> None:
        """Conflict notice_already_open."""
        await self._session.execute(sa.insert(tables.PublicNotice).values(**notice_row(scope, self._stamp, notice)))

    async def find_notice(self, scope: AreaScope, application_id: UUID) -> PublicNotice | None:
        statement = (
            sa.select(*selected(PublicNotice, NOTICE))
            .where(NOTICE.district == scope.district, NOTICE.application_id == application_id)
            .order_by(NOTICE.id.desc())
            .limit(1)
        )
        row = (await self._session.execute(statement)).mappings().one_or_none()
        return None if row is None else notice_of(row)

    async def close_notice(self, scope: AreaScope, notice: PublicNotice, on: date) -> None:
        statement = sa.update(tables.PublicNotice).where(NOTICE.district == scope.district, NOTICE.id == notice.id)
        await self._session.execute(statement.values(closed_on=on))
