"""The published item lists, the items of a day, and how timely they are handled."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.db.service_rates import Rates, on_time_rates
from app.dependencies import AnyActor, ClockDep, PageDep, SessionDep, cursor_id, encode_cursor, set_etag
from app.domain.calendar import ONE_DAY
from app.domain.errors import FieldError, Malformed
from app.domain.service_items import ListLevel, OnTime
from app.domain.service_items.rates import Period
from app.idempotency import IDEMPOTENT
from app.ids import new_id
from app.routers.models import AreaCodeText, Page
from app.routers.route import api_router
from app.routers.v1.service_access import Publisher, Reader, ServiceDeskDep
from app.routers.v1.service_models import (
    ServiceItemOut,
    ServiceItemsOut,
    ServiceListIn,
    ServiceListOut,
    ServiceListSummary,
    ServiceRateOut,
    ServiceRatesOut,
)

router = api_router("民政事项清单")


class GroupBy(StrEnum):
    """按什么分组。"""

    STATION = "station"
    ITEM = "item"
    BOTH = "both"


# --- lists --------------------------------------------------------------------------------------------------------------


@router.post("/service-item-lists", status_code=201, summary="公布事项清单", dependencies=[IDEMPOTENT])
async def publish(
    body: ServiceListIn,
    desk: ServiceDeskDep,
    actor: Publisher,
    response: Response,
) -> ServiceListOut:
    """由区县公布乡镇（街道）、村、社区三张清单的新版本。已公布的版本不能修改；受理时生效的事项管到办结。"""
    published = await desk.publishing.publish(new_id(), body.entry())
    response.headers["Location"] = f"/api/v1/service-item-lists/{published.id}"
    set_etag(response, published.number)
    return ServiceListOut.whole(published, await desk.lists.list_items(actor.scope, [published.id]))


@router.get("/service-item-lists", summary="事项清单各版本")
async def list_lists(
    desk: ServiceDeskDep,
    actor: AnyActor,
    page: PageDep,
    level: Annotated[ListLevel | None, Query(description="只看该级")] = None,
) -> Page[ServiceListSummary]:
    """本区县公布的全部版本，新公布的在前；登录即可查看。"""
    found = await desk.lists.list_lists(actor.scope, level=level, before=cursor_id(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[ServiceListSummary.of(one) for one in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await desk.lists.count_lists(actor.scope, level=level) if page.count else None,
    )


@router.get("/service-item-lists/{list_id}", summary="事项清单：一个版本的全部事项")
async def get_list(list_id: UUID, desk: ServiceDeskDep, actor: AnyActor, response: Response) -> ServiceListOut:
    """依据、程序、结果、管理规定、材料、时限；登录即可查看。"""
    found = await desk.lists.get(actor.scope, list_id)
    set_etag(response, found.number)
    return ServiceListOut.whole(found, await desk.lists.list_items(actor.scope, [list_id]))


# --- items --------------------------------------------------------------------------------------------------------------


@router.get("/service-items", summary="生效的事项")
async def list_items(
    desk: ServiceDeskDep,
    clock: ClockDep,
    actor: AnyActor,
    level: Annotated[ListLevel | None, Query(description="只看该级，不填为三张清单")] = None,
    on: Annotated[date | None, Query(description="按该日，默认业务日期")] = None,
) -> ServiceItemsOut:
    """某日生效的清单中的事项，按清单顺序；登录即可查看。"""
    current = await desk.lists.list_in_force(actor.scope, on or clock.today)
    wanted = [one.id for one in current if level in (None, one.level)]
    return ServiceItemsOut(items=[ServiceItemOut.of(item) for item in await desk.lists.list_items(actor.scope, wanted)])


@router.get("/service-items/on-time-rates", summary="按时办结率")
async def list_rates(
    session: SessionDep,
    clock: ClockDep,
    actor: Reader,
    period_from: Annotated[date | None, Query(description="期间的起日，默认本年第一天")] = None,
    period_until: Annotated[date | None, Query(description="期间的止日，不含当日，默认到今天为止")] = None,
    area_code: Annotated[AreaCodeText | None, Query(description="只看该区划及其下级")] = None,
    item_code: Annotated[str | None, Query(max_length=60, description="只看该事项")] = None,
    by: Annotated[GroupBy, Query(description="按工作站、按事项，或两者")] = GroupBy.STATION,
) -> ServiceRatesOut:
    """法定时限和承诺时限分别计算。每件只判一次：按时办结的计入办结之日，逾期的计入届满次日，久拖不办也计为逾期。

    没有数据的不列出，也不计为 0。按救助申请办理的事项以申请的总时限计算。
    """
    period = _period(period_from, period_until, clock.today)
    rates = await on_time_rates(actor.scope, session, period, area_code=area_code, item_code=item_code)
    return ServiceRatesOut(
        period_from=period.first,
        period_until=period.until,
        total=ServiceRateOut.of(None, None, sum(rates.values(), OnTime())),
        rows=_grouped(rates, by),
    )


@router.get("/service-items/{item_id}", summary="事项详情")
async def get_item(item_id: UUID, desk: ServiceDeskDep, actor: AnyActor, response: Response) -> ServiceItemOut:
    """已公布的一个事项，包括已失效版本的；登录即可查看。"""
    item = await desk.lists.get_item(actor.scope, item_id)
    set_etag(response, 1)  # published once, never changed
    return ServiceItemOut.of(item)


def _period(first: date | None, until: date | None, today: date) -> Period:
    period = Period(first or today.replace(month=1, day=1), until or today + ONE_DAY, today)
    if period.first >= period.until:
        text = "期间的起日应早于止日，请核对。"
        raise Malformed("malformed_request", text, errors=[FieldError("/query/period_until", "period_order", text)])
    return period


def _grouped(rates: Rates, by: GroupBy) -> list[ServiceRateOut]:
    totals: dict[tuple[str | None, str | None], OnTime] = {}
    for (station, item), rate in sorted(rates.items()):
        key = (station if by is not GroupBy.ITEM else None, item if by is not GroupBy.STATION else None)
        totals[key] = totals.get(key, OnTime()) + rate
    return [ServiceRateOut.of(station, item, rate) for (station, item), rate in totals.items()]
