"""What waits for the caller today."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories import case_lists
from app.db.repositories.case_lists import NO_DATE, TaskQuery
from app.db.repositories.discovery import DiscoveryRepository, FindingFilter
from app.db.repositories.inspections import InspectionRepository, RectificationFilter
from app.db.repositories.leads import LeadFilter, LeadRepository
from app.db.repositories.service_requests import RequestFilter, ServiceRequestRepository
from app.dependencies import Clock, ClockDep, PageDep, RuntimeDep, SessionDep, StaffActor, bad_cursor, encode_cursor
from app.domain.access import Actor, Duty
from app.domain.calendar import business_date
from app.domain.casework.clocks import overdue
from app.domain.casework.tasks import TASK_NAMES, Task, awaited_states
from app.domain.casework.workflow import Act, State
from app.domain.inspections.model import Escalation as Before
from app.domain.service_items.requests import RequestEscalation
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
    overdue: int | None = Field(default=None, description="其中已逾期的件数；没有期限的清单为 null")
    href: str = Field(description="清单地址")


class Tasks(Page[TaskOut]):
    """待办，连同另有清单的工作。"""

    work_lists: list[WorkList]


@router.get("/tasks", summary="我的待办")
async def list_tasks(session: SessionDep, runtime: RuntimeDep, clock: ClockDep, actor: StaffActor, page: PageDep) -> Tasks:
    """辖区内等待本人岗位办理的申请，时限近的在前。公示未满的不列入；自己提出初审意见的不会等自己确认。

    `work_lists` 汇总另有清单的工作：政策找人的线索由村（社区）和工作站处理；
    上报的线索由工作站限时办结，结果由村（社区）反馈给信息监督员。
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
        late = await leads.count_leads(actor.scope, LeadFilter(overdue_on=clock.today))
        href = "/api/v1/leads?open_only=true"
        lists.append(WorkList(kind="lead", title="村（社区）上报线索", open=waiting, overdue=late, href=href))
    if actor.has(Duty.COMMUNITY_WORKER):
        leads = LeadRepository(session, runtime.cipher, clock.now)
        untold = await leads.count_leads(actor.scope, LeadFilter(to_feed_back=True))
        href = "/api/v1/leads?to_feed_back=true"
        lists.append(WorkList(kind="lead_feedback", title="待反馈信息监督员的线索结果", open=untold, href=href))
    if actor.has(Duty.STATION_CLERK, Duty.STATION_HEAD, Duty.INSPECTOR):
        counted = InspectionRepository(session).count_rectifications
        waiting = await counted(actor.scope, RectificationFilter(open_only=True))
        late = await counted(actor.scope, RectificationFilter(open_only=True, overdue_on=clock.today))
        href = "/api/v1/rectifications?open_only=true"
        lists.append(WorkList(kind="rectification", title="验收整改", open=waiting, overdue=late, href=href))
    for title, before in _before(actor):
        late = await InspectionRepository(session).count_rectifications(
            actor.scope, RectificationFilter(escalated=(before, clock.today))
        )
        href = f"/api/v1/rectifications?escalated_to={before.value}"
        lists.append(WorkList(kind="rectification_overdue", title=title, open=late, overdue=late, href=href))
    requests = ServiceRequestRepository(session, runtime.cipher, clock.now)
    for kind, title, wanted, query in _service_lists(actor, clock.today):
        waiting = await requests.count_requests(actor.scope, wanted)
        late = await requests.count_requests(actor.scope, replace(wanted, overdue_on=clock.today))
        href = f"/api/v1/service-requests?{query}"
        lists.append(WorkList(kind=kind, title=title, open=waiting, overdue=late, href=href))
    return lists


def _before(actor: Actor) -> Iterator[tuple[str, Before]]:
    """Overdue rectifications are brought before the station's head, later before the district (acceptance of stations)."""
    if actor.has(Duty.STATION_HEAD):
        yield "逾期整改（提请站长）", Before.STATION_HEAD
    if actor.has(Duty.REVIEWER, Duty.INSPECTOR):
        yield "逾期整改（提请区县）", Before.DISTRICT


def _service_lists(actor: Actor, today: date) -> Iterator[tuple[str, str, RequestFilter, str]]:
    """What one answers for oneself (首问负责), and what is overdue (限时办结)."""
    if actor.has(Duty.COMMUNITY_WORKER, Duty.STATION_CLERK, Duty.STATION_HEAD):
        mine = RequestFilter(responsible=actor.id, open_only=True)
        yield "service_request", "由我负责的办件", mine, "mine=true&open_only=true"
        offered = RequestFilter(offered_to=actor.id, open_only=True)
        yield "service_handover", "待我接收的办件", offered, "offered_to_me=true&open_only=true"
    if actor.has(Duty.STATION_HEAD):
        late = RequestFilter(escalated=(RequestEscalation.STATION_HEAD, today))
        yield "service_overdue", "逾期办件（提请站长）", late, "escalated_to=station_head"
    if actor.has(Duty.REVIEWER, Duty.INSPECTOR):
        late = RequestFilter(escalated=(RequestEscalation.DISTRICT, today))
        yield "service_overdue", "逾期办件（提请区县）", late, "escalated_to=district"


def _position(after: tuple[Any, ...] | None) -> tuple[date, UUID] | None:
    if after is None:
        return None
    try:
        due_on, application_id = after
        return date.fromisoformat(due_on), UUID(application_id)
    except ValueError as error:
        raise bad_cursor() from error
