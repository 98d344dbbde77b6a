"""What the routes of requests (办件) take and give."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from app.db.tables.service_items import ServiceRequestEvent
from app.domain.service_items import ListLevel, Request, RequestEntry, RequestState, Supply
from app.domain.service_items.clocks import Clock
from app.domain.service_items.requests import (
    Ground,
    HandOverReason,
    Missing,
    MissingReason,
    Offer,
    RequestEscalation,
    escalation_of,
    overdue,
)
from app.routers.models import ApiModel, LongText, ShortText
from app.routers.v1.registry_models import PhoneText
from app.routers.v1.service_models import Code

Brought = Annotated[dict[Code, Supply], Field(max_length=50, description="材料代码 → 提交方式")]


class RequestIn(ApiModel):
    """在窗口受理的一件事。已登记的申请人填 person_id，未登记的填 applicant_name。"""

    item_code: Code = Field(description="本级生效清单中的事项代码")
    person_id: UUID | None = Field(default=None, description="已登记的申请人")
    applicant_name: ShortText | None = Field(default=None, description="未登记申请人的姓名，加密保存")
    phone: PhoneText | None = Field(default=None, description="联系电话，加密保存")
    application_id: UUID | None = Field(default=None, description="按救助申请办理的事项：所建立的申请")
    materials: Brought = Field(default_factory=dict)

    def entry(self) -> RequestEntry:
        return RequestEntry(self.item_code, self.person_id, self.applicant_name, self.phone, self.application_id, self.materials)


class HandOver(ApiModel):
    """移交给同窗口或所属工作站的另一位经办人，对方接收后才算移交。"""

    account_id: UUID
    reason: HandOverReason


class Because(ApiModel):
    """退回移交或直接接办的原因。"""

    reason: HandOverReason


class MissingModel(ApiModel):
    """一项应补的材料。"""

    code: Code
    reason: MissingReason = Field(description="未提交、不合要求、部门共享未能取得")


class MissingIn(ApiModel):
    """一次性告知的全部应补材料。"""

    materials: Annotated[list[MissingModel], Field(min_length=1, max_length=50)]

    def listed(self) -> list[Missing]:
        return [Missing(one.code, one.reason) for one in self.materials]


class SupplementIn(ApiModel):
    """群众补交的材料。"""

    materials: Annotated[Brought, Field(min_length=1)]


class NoteIn(ApiModel):
    """办理结果或撤回原因。"""

    note: LongText


class RefusalIn(ApiModel):
    """不予受理及其理由。"""

    ground: Ground
    note: LongText = Field(description="向申请人说明的理由")


class HandOverOut(ApiModel):
    """待接收的移交。"""

    to: str
    to_id: UUID
    reason: HandOverReason
    on: date

    @classmethod
    def of(cls, offer: Offer) -> HandOverOut:
        return cls(to=offer.to.name, to_id=offer.to.id, reason=offer.reason, on=offer.on)


class ClockOut(ApiModel):
    """一个时限。"""

    due_on: date | None = Field(description="届满之日；null 为补正期间暂停计算")
    days_left: int = Field(description="自 runs_from 次日起还有几日")
    runs_from: date
    provisional: bool = Field(description="跨入尚未公布日历的年度，待日历公布后为准")

    @classmethod
    def of(cls, clock: Clock | None) -> ClockOut | None:
        if clock is None:
            return None
        provisional = clock.due.provisional if clock.due else False
        return cls(due_on=clock.due_on, days_left=clock.days_left, runs_from=clock.runs_from, provisional=provisional)


class LinkedOut(ApiModel):
    """按救助申请办理的事项：申请及其总时限。"""

    id: UUID
    number: str
    accepted_on: date | None
    due_on: date | None = Field(description="申请的总时限，受理后起算")


class RequestOut(ApiModel):
    """一个办件。"""

    id: UUID
    area_code: str = Field(description="受理窗口所在区划")
    item_id: UUID = Field(description="受理之日生效的事项，管到办结")
    item_code: str
    item_name: str
    level: ListLevel
    person_id: UUID | None
    applicant_name: str | None
    phone: str | None
    state: RequestState
    first_received_by: str = Field(description="首问人")
    taken_on: date
    responsible: str = Field(description="现负责人：首问负责，移交被接收后由接收人负责")
    responsible_id: UUID
    handover: HandOverOut | None = Field(description="待接收的移交，接收前仍由现负责人负责")
    materials: dict[str, Supply] = Field(description="已收材料及提交方式")
    missing: list[MissingModel] = Field(description="一次性告知后尚待补交的材料")
    notified_on: date | None
    legal: ClockOut | None = Field(description="法定时限；法律未规定或按救助申请办理的为 null")
    promised: ClockOut | None = Field(description="承诺时限；按救助申请办理的为 null")
    paused: bool = Field(description="补正期间，时限暂停计算")
    overdue: bool
    escalation: RequestEscalation | None = Field(description="逾期提请谁督办：站长、区县")
    application: LinkedOut | None
    closed_on: date | None
    ground: Ground | None
    note: str | None = Field(description="办理结果、不予受理的理由或撤回原因")

    @classmethod
    def of(cls, request: Request, today: date, phone: str | None = None) -> RequestOut:
        """The phone masked, unless the plain one is given."""
        return cls(
            id=request.id,
            area_code=request.area_code,
            item_id=request.item.id,
            item_code=request.item.entry.code,
            item_name=request.item.entry.name,
            level=request.item.level,
            person_id=request.applicant.person_id,
            applicant_name=request.applicant.name,
            phone=phone or request.applicant.phone_masked,
            state=request.standing,
            first_received_by=request.taken_by.name,
            taken_on=request.taken_on,
            responsible=request.responsible.name,
            responsible_id=request.responsible.id,
            handover=HandOverOut.of(request.offer) if request.offer else None,
            materials=dict(request.materials),
            missing=[MissingModel(code=one.code, reason=one.reason) for one in request.missing],
            notified_on=request.notified_on,
            legal=ClockOut.of(request.legal),
            promised=ClockOut.of(request.promised),
            paused=request.paused,
            overdue=overdue(request, today),
            escalation=escalation_of(request, today),
            application=_linked(request),
            closed_on=request.ended_on,
            ground=request.ground,
            note=request.note,
        )


def _linked(request: Request) -> LinkedOut | None:
    linked = request.application
    if linked is None:
        return None
    due_on = linked.due.date if linked.due else None
    return LinkedOut(id=linked.id, number=linked.number, accepted_on=linked.accepted_on, due_on=due_on)


class EventOut(ApiModel):
    """对办件的一次操作，以及此后由谁负责。"""

    number: int
    act: str = Field(description="见代码表 service_act")
    on: date
    at: datetime
    by: str
    state: RequestState
    responsible: str
    handover_to: str | None
    details: dict[str, Any] = Field(description="所涉材料、原因的代码")

    @classmethod
    def of(cls, row: ServiceRequestEvent) -> EventOut:
        return cls(
            number=row.number,
            act=row.act,
            on=row.business_date,
            at=row.at,
            by=row.acted_by_name,
            state=RequestState(row.state),
            responsible=row.responsible_name,
            handover_to=row.offered_to_name,
            details=row.details,
        )


class EventsOut(ApiModel):
    """办件经过，先后为序。"""

    items: list[EventOut]
    next_cursor: None = Field(default=None, description="一次给出全部，恒为 null")
