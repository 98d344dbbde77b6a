"""What waits for the caller today."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories import case_lists
from app.db.repositories.case_lists import NO_DATE, TaskQuery
from app.db.repositories.discovery import DiscoveryRepository, FindingFilter
from app.db.repositories.inspections import InspectionRepository
from app.db.repositories.leads import LeadFilter, LeadRepository
from app.dependencies import Clock, ClockDep, PageDep, RuntimeDep, SessionDep, StaffActor, bad_cursor, encode_cursor
from app.domain.access import Actor, Duty
from app.domain.calendar import business_date
from app.domain.casework.clocks import overdue
from app.domain.casework.tasks import TASK_NAMES, Task, awaited_states
from app.domain.casework.workflow import Act, State
from app.routers.models import ApiModel, Page
from app.routers.route import api_router
from app.runtime import Runtime

router = api_router("待办")


class TaskOut(ApiModel):
    """一项待办。"""

    act: Act = Field(description="等待本人办理的事项，即 /applications/{id}/<act>")
    title: str
    application_id: UUID
    number: str
    programme: str
    state: State
    area_code: str
    household_id: UUID
    waiting_since: date = Field(description="进入当前状态的日期")
    deadline: str | None = Field(description="最近的时限，见代码表 deadline；没有法定时限的为 null")
    due_on: date | None
    provisional: bool
    overdue: bool = Field(description="逾期只提示，不妨碍办理")

    @classmethod
    def of(cls, task: Task, today: date) -> TaskOut:
        return cls(
            act=task.act,
            title=TASK_NAMES[task.act],
            application_id=task.application_id,
            number=task.number,
            programme=task.programme,
            state=task.state,
            area_code=task.area_code,
            household_id=task.household_id,
            waiting_since=business_date(task.waiting_since),
            deadline=task.clock,
            due_on=task.due_on,
            provisional=task.provisional,
            overdue=task.due_on is not None and overdue(task.due_on, None, today),
        )


class WorkList(ApiModel):
    """另有清单的待办，按件数汇总。"""

    kind: str
    title: str
    open: int = Field(description="辖区内未处理的件数")
    href: str = Field(description="清单地址")


class Tasks(Page[TaskOut]):
    """待办，连同另有清单的工作。"""

    work_lists: list[WorkList]


@router.get("/tasks", summary="我的待办")
async def list_tasks(session: SessionDep, runtime: RuntimeDep, clock: ClockDep, actor: StaffActor, page: PageDep) -> Tasks:
    """辖区内等待本人岗位办理的申请，时限近的在前。公示未满的不列入；自己提出初审意见的不会等自己确认。

    `work_lists` 汇总另有清单的工作：政策找人的线索由村（社区）和工作站处理。
    """
    policy = (await runtime.parameter_books.current(session)).policy(actor.area, clock.today)
    states = awaited_states(actor.duties, confirmation_delegated=policy.flag("dibao.confirmation_delegated"))
    query = TaskQuery(states, actor.id, clock.today)
    found = await case_lists.list_tasks(actor.scope, session, query, after=_position(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    last = items[-1] if items else None
    return Tasks(
        items=[TaskOut.of(task, clock.today) for task in items],
        work_lists=await _work_lists(session, runtime, actor, clock),
        next_cursor=encode_cursor(last.due_on or NO_DATE, last.application_id) if last and len(found) > page.limit else None,
        total=await case_lists.count_tasks(actor.scope, session, query) if page.count else None,
    )


async def _work_lists(session: AsyncSession, runtime: Runtime, actor: Actor, clock: Clock) -> list[WorkList]:
    """Each list for those whose duty it is to work through it."""
    lists = []
    if actor.has(Duty.COMMUNITY_WORKER, Duty.STATION_CLERK):
        waiting = await DiscoveryRepository(session).count_findings(actor.scope, FindingFilter())
        lists.append(WorkList(kind="discovery_finding", title="政策找人线索", open=waiting, href="/api/v1/discovery-findings"))
    if actor.has(Duty.STATION_CLERK, Duty.STATION_HEAD):
        leads = LeadRepository(session, runtime.cipher, clock.now)
        waiting = await leads.count_leads(actor.scope, LeadFilter(open_only=True))
        lists.append(WorkList(kind="lead", title="村（社区）上报线索", open=waiting, href="/api/v1/leads?open_only=true"))
    if actor.has(Duty.STATION_CLERK, Duty.STATION_HEAD, Duty.INSPECTOR):
        counted = InspectionRepository(session).count_rectifications
        waiting = await counted(actor.scope, open_only=True, overdue_on=None)
        lists.append(WorkList(kind="rectification", title="验收整改", open=waiting, href="/api/v1/rectifications?open_only=true"))
    return lists


def _position(after: tuple[Any, ...] | None) -> tuple[date, UUID] | None:
    if after is None:
        return None
    try:
        due_on, application_id = after
        return date.fromisoformat(due_on), UUID(application_id)
    except ValueError as error:
        raise bad_cursor() from error
