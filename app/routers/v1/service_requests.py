"""Requests at the counters: taken in, handed over, supplemented, ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from app.db.repositories.service_requests import RequestFilter
from app.dependencies import ClockDep, IfMatch, PageDep, cursor_id, encode_cursor, set_etag
from app.domain.registry.entry import check_purpose
from app.domain.service_items import Request, RequestDesk, RequestState
from app.domain.service_items.requests import RequestEscalation
from app.idempotency import IDEMPOTENT
from app.ids import new_id
from app.routers.models import AreaCodeText, Page
from app.routers.route import api_router
from app.routers.v1.registry_access import PurposeText, RevealText, mark_revealed, wanted_fields
from app.routers.v1.service_access import Handler, Reader, ServiceDeskDep
from app.routers.v1.service_request_models import (
    Because,
    EventOut,
    EventsOut,
    HandOver,
    MissingIn,
    NoteIn,
    RefusalIn,
    RequestIn,
    RequestOut,
    SupplementIn,
)

router = api_router("办件", "/service-requests")


@dataclass(frozen=True)
class Counter:
    """What every act at a counter needs: the desk, the version that the caller read, the answer to be shaped."""

    desk: RequestDesk
    version: int | None
    today: date
    response: Response

    def shown(self, request: Request) -> RequestOut:
        return _shown(request, self.today, self.response)


async def get_counter(
    desk: ServiceDeskDep,
    clock: ClockDep,
    actor: Handler,  # noqa: ARG001  (declares the duty)
    version: IfMatch,
    response: Response,
) -> Counter:
    return Counter(desk.acts, version, clock.today, response)


CounterDep = Annotated[Counter, Depends(get_counter)]


def _shown(request: Request, today: date, response: Response) -> RequestOut:
    set_etag(response, request.version)
    return RequestOut.of(request, today)


@router.post("", status_code=201, summary="受理办件（首问负责）", dependencies=[IDEMPOTENT])
async def take(
    body: RequestIn,
    desk: ServiceDeskDep,
    clock: ClockDep,
    actor: Handler,  # noqa: ARG001  (declares the duty)
    response: Response,
) -> RequestOut:
    """在本人窗口受理：工作站按乡镇（街道）清单，村（社区）按村或社区清单。受理人即首问负责人，时限按今日生效的事项起算。"""
    request = await desk.acts.take(new_id(), body.entry())
    response.headers["Location"] = f"/api/v1/service-requests/{request.id}"
    return _shown(request, clock.today, response)


@router.get("", summary="办件列表")
async def list_requests(
    desk: ServiceDeskDep,
    clock: ClockDep,
    actor: Reader,
    page: PageDep,
    area_code: Annotated[AreaCodeText | None, Query(description="只看该区划及其下级")] = None,
    item_code: Annotated[str | None, Query(max_length=60, description="只看该事项")] = None,
    state: Annotated[RequestState | None, Query(description="只看该状态")] = None,
    mine: Annotated[bool, Query(description="只看由我负责的")] = False,
    offered_to_me: Annotated[bool, Query(description="只看移交给我、待我接收的")] = False,
    open_only: Annotated[bool, Query(description="只看未办结的")] = False,
    overdue_only: Annotated[bool, Query(description="只看已逾期未办结的")] = False,
    escalated_to: Annotated[RequestEscalation | None, Query(description="只看提请站长或区县督办的")] = None,
) -> Page[RequestOut]:
    """本人辖区内的办件，新受理的在前。"""
    wanted = RequestFilter(
        area_code=area_code,
        item_code=item_code,
        state=state,
        responsible=actor.id if mine else None,
        offered_to=actor.id if offered_to_me else None,
        open_only=open_only,
        overdue_on=clock.today if overdue_only else None,
        escalated=(escalated_to, clock.today) if escalated_to else None,
    )
    found = await desk.requests.list_requests(actor.scope, wanted, before=cursor_id(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[RequestOut.of(one, clock.today) for one in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await desk.requests.count_requests(actor.scope, wanted) if page.count else None,
    )


@router.get("/{request_id}", summary="办件详情")
async def get_request(
    request_id: UUID,
    desk: ServiceDeskDep,
    clock: ClockDep,
    actor: Reader,
    response: Response,
    reveal: RevealText = None,
    purpose: PurposeText = None,
) -> RequestOut:
    """负责人、材料、时限和结果。`?reveal=phone&purpose=…` 查看电话明文，限获准的岗位，每次记入审计。"""
    fields = wanted_fields(reveal, ("phone",), actor)
    reason = check_purpose(purpose) if fields else None
    request = await desk.requests.get(actor.scope, request_id)
    if not fields:
        return _shown(request, clock.today, response)
    mark_revealed(response)
    set_etag(response, request.version, "r")
    await desk.trail.note("service_request.reveal", "service_request", request_id, request.area_code, fields, reason)
    return RequestOut.of(request, clock.today, await desk.requests.reveal_phone(actor.scope, request_id))


@router.get("/{request_id}/events", summary="办件经过")
async def list_events(request_id: UUID, desk: ServiceDeskDep, actor: Reader) -> EventsOut:
    """谁在何时做了什么，此后由谁负责；只增不改。"""
    await desk.requests.get(actor.scope, request_id)
    return EventsOut(items=[EventOut.of(row) for row in await desk.requests.list_events(actor.scope, request_id)])


# --- who answers for it -------------------------------------------------------------------------------------------------


@router.post("/{request_id}/hand-over", summary="提出移交", dependencies=[IDEMPOTENT])
async def hand_over(request_id: UUID, body: HandOver, counter: CounterDep) -> RequestOut:
    """由现负责人向同窗口或所属工作站的经办人提出；对方接收之前仍由现负责人负责，时限不重新起算。"""
    return counter.shown(await counter.desk.hand_over(request_id, body.account_id, body.reason, counter.version))


@router.post("/{request_id}/accept-handover", summary="接收移交", dependencies=[IDEMPOTENT])
async def accept_handover(request_id: UUID, counter: CounterDep) -> RequestOut:
    """只能由移交的对象接收，接收后由其负责。"""
    return counter.shown(await counter.desk.accept(request_id, counter.version))


@router.post("/{request_id}/decline-handover", summary="退回移交", dependencies=[IDEMPOTENT])
async def decline_handover(request_id: UUID, body: Because, counter: CounterDep) -> RequestOut:
    """移交的对象说明原因后退回，仍由原负责人负责。"""
    return counter.shown(await counter.desk.decline(request_id, body.reason, counter.version))


@router.post("/{request_id}/recall-handover", summary="撤回移交", dependencies=[IDEMPOTENT])
async def recall_handover(request_id: UUID, counter: CounterDep) -> RequestOut:
    """对方接收之前，现负责人可以撤回。"""
    return counter.shown(await counter.desk.recall(request_id, counter.version))


@router.post("/{request_id}/take-over", summary="直接接办", dependencies=[IDEMPOTENT])
async def take_over(request_id: UUID, body: Because, counter: CounterDep) -> RequestOut:
    """负责人已停用或调离、无人可移交时，由同事接办；在岗的只能由站长接办。"""
    return counter.shown(await counter.desk.take_over(request_id, body.reason, counter.version))


# --- materials ----------------------------------------------------------------------------------------------------------


@router.post("/{request_id}/notify-missing", summary="一次性告知应补材料", dependencies=[IDEMPOTENT])
async def notify_missing(request_id: UUID, body: MissingIn, counter: CounterDep) -> RequestOut:
    """一次列全。此后只能就新补交的材料指出不合要求之处；部门可共享的不得要求群众提供。法律规定的，补正期间不计入时限。"""
    return counter.shown(await counter.desk.notify_missing(request_id, body.listed(), counter.version))


@router.post("/{request_id}/record-supplement", summary="登记补正材料", dependencies=[IDEMPOTENT])
async def record_supplement(request_id: UUID, body: SupplementIn, counter: CounterDep) -> RequestOut:
    """可分次补交；补齐之日起时限继续计算，次日为第一日。"""
    return counter.shown(await counter.desk.supplement(request_id, body.materials, counter.version))


# --- how it ends --------------------------------------------------------------------------------------------------------


@router.post("/{request_id}/finish", summary="办结", dependencies=[IDEMPOTENT])
async def finish(request_id: UUID, body: NoteIn, counter: CounterDep) -> RequestOut:
    """由负责人在必交材料齐备后办结，写明结果。"""
    return counter.shown(await counter.desk.finish(request_id, body.note, counter.version))


@router.post("/{request_id}/refuse", summary="不予受理", dependencies=[IDEMPOTENT])
async def refuse(request_id: UUID, body: RefusalIn, counter: CounterDep) -> RequestOut:
    """由负责人写明理由；以逾期未补正为由的，须已一次性告知。"""
    return counter.shown(await counter.desk.refuse(request_id, body.ground, body.note, counter.version))


@router.post("/{request_id}/withdraw", summary="申请人撤回", dependencies=[IDEMPOTENT])
async def withdraw(request_id: UUID, body: NoteIn, counter: CounterDep) -> RequestOut:
    """由负责人登记申请人的撤回。"""
    return counter.shown(await counter.desk.withdraw(request_id, body.note, counter.version))
