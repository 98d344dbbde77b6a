"""What was published about stations, as a report."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from app.dependencies import PageDep, bad_cursor, encode_cursor
from app.routers.models import Page
from app.routers.route import api_router
from app.routers.v1.inspection_access import AcceptanceDep, InspectionReader
from app.routers.v1.inspection_models import PublishedOut

router = api_router("站点验收", "/reports")


@router.get("/stations", summary="站点验收通报")
async def report_stations(
    desk: AcceptanceDep,
    actor: InspectionReader,
    page: PageDep,
    campaign_id: Annotated[UUID | None, Query(description="检查验收活动；不填为最近一次公布的")] = None,
) -> Page[PublishedOut]:
    """已公布的结果，按名次；只含本人辖区内的站点。"""
    chosen = campaign_id or await desk.records.find_latest_published(actor.scope)
    every = [] if chosen is None else await desk.records.list_results(actor.scope, chosen)
    after = _position(page.after)
    following = [one for one in every if after is None or (one.rank, one.area_code) > after]
    items = following[: page.limit]
    return Page(
        items=[PublishedOut.of(one) for one in items],
        next_cursor=encode_cursor(items[-1].rank, items[-1].area_code) if len(following) > page.limit else None,
        total=len(every) if page.count else None,
    )


def _position(after: tuple[Any, ...] | None) -> tuple[int, str] | None:
    if after is None:
        return None
    try:
        rank, area_code = after
        return int(rank), area_code
    except ValueError as error:
        raise bad_cursor() from error
