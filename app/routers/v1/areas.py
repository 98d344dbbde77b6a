"""Administrative divisions within the caller's area."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Annotated

from fastapi import Path, Query, Response

from app.db.repositories import reference
from app.db.tables.reference import Area
from app.dependencies import ClockDep, PageDep, ScopeDep, SessionDep, StaffActor, encode_cursor
from app.domain.errors import NotFound
from app.routers.models import ApiModel, AreaCodeText, Page
from app.routers.route import api_router

router = api_router("区划", "/areas")


class AreaView(ApiModel):
    """一个区划，及其在所查日期的名称。"""

    area_code: str
    name: str
    level: str
    parent_code: str | None
    kind: str
    valid_from: date
    valid_until: date | None


class ResidentCountView(ApiModel):
    """某日的常住人口。"""

    as_of: date
    population: int
    source: str


class AreaDetail(AreaView):
    """区划详情。"""

    predecessors: list[str]
    successors: list[str]
    resident_counts: list[ResidentCountView]


def area_not_found(code: str) -> NotFound:
    return NotFound("area_not_found", f"没有区划 {code}，或不在您的辖区内，请核对区划代码。")


@router.get("", summary="本辖区区划列表")
async def list_areas(
    session: SessionDep,
    _actor: StaffActor,
    scope: ScopeDep,
    page: PageDep,
    clock: ClockDep,
    parent_code: Annotated[AreaCodeText | None, Query(description="只列该区划的下级")] = None,
    on: Annotated[date | None, Query(description="按该日有效的区划，默认业务日期")] = None,
) -> Page[AreaView]:
    """按代码排序；只含调用者辖区内的区划。"""
    day = on or clock.today
    after = str(page.after[0]) if page.after else None
    rows = await reference.list_areas(scope, session, day, parent=parent_code, after=after, limit=page.limit + 1)
    total = await reference.count_areas(scope, session, day, parent=parent_code) if page.count else None
    items = [_view(row) for row in rows[: page.limit]]
    cursor = encode_cursor(items[-1].area_code) if len(rows) > page.limit else None
    return Page(items=items, next_cursor=cursor, total=total)


@router.get("/{area_code}", summary="区划详情")
async def get_area(
    session: SessionDep,
    _actor: StaffActor,
    scope: ScopeDep,
    clock: ClockDep,
    response: Response,
    area_code: Annotated[AreaCodeText, Path()],
    on: Annotated[date | None, Query(description="按该日有效的区划，默认业务日期")] = None,
) -> AreaDetail:
    """名称、上级、前后继与历次常住人口。"""
    row = await reference.find_area(session, area_code, on or clock.today) if scope.covers(area_code) else None
    if row is None:
        raise area_not_found(area_code)
    predecessors, successors = await reference.list_successions(session, area_code)
    counts = await reference.list_resident_counts(scope, session, area_code)
    shown = AreaDetail(
        **_view(row).model_dump(),
        predecessors=predecessors,
        successors=successors,
        resident_counts=[ResidentCountView(as_of=c.as_of, population=c.population, source=c.source) for c in counts],
    )
    # Reference data has no version of its own: its content is its version.
    response.headers["ETag"] = f'"{hashlib.sha256(shown.model_dump_json().encode()).hexdigest()[:20]}"'
    return shown


def _view(row: Area) -> AreaView:
    return AreaView(
        area_code=row.code,
        name=row.name,
        level=row.level,
        parent_code=row.parent_code,
        kind=row.kind,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )
