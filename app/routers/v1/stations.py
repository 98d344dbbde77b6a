"""Stations, their staff and their informants."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.db.repositories.informants import InformantFilter
from app.db.station_desk import StationDesk
from app.dependencies import ClockDep, IfMatch, PageDep, PageRequest, RequiredIfMatch, cursor_id, encode_cursor, set_etag
from app.domain.access import Actor
from app.domain.registry.entry import check_purpose
from app.domain.stations.records import InformantRecord, StaffRecord, StationRecord
from app.idempotency import IDEMPOTENT
from app.routers.models import AreaCodeText, Page
from app.routers.route import api_router
from app.routers.v1.registry_access import PurposeText, RevealText, mark_revealed, wanted_fields
from app.routers.v1.station_access import AsOf, DeskDep, InformantReader, Keeper, Reader
from app.routers.v1.station_models import (
    Ending,
    InformantIn,
    InformantOut,
    InformantUpdate,
    StaffIn,
    StaffOut,
    StaffUpdate,
    StationIn,
    StationOut,
    StationUpdate,
)

router = api_router("民政工作站")

AREA = Query(description="只看该区划及其下级")


async def _shown(desk: StationDesk, actor: Actor, station: StationRecord, on: date, response: Response) -> StationOut:
    leaders = await desk.stations.leaders(actor.scope, [station.id], on)
    set_etag(response, station.version)
    return StationOut.of(station, leaders.get(station.id, {}))


@router.get("/stations", summary="工作站列表")
async def list_stations(
    desk: DeskDep,
    clock: ClockDep,
    actor: Reader,
    page: PageDep,
    as_of: AsOf = None,
    area_code: Annotated[AreaCodeText | None, AREA] = None,
) -> Page[StationOut]:
    """本人辖区内的工作站，站长、副站长为 `as_of`（不填为今天）当日的。"""
    found = await desk.stations.list_stations(
        actor.scope, area_code=area_code, on=as_of, after=cursor_id(page.after), limit=page.limit + 1
    )
    items = found[: page.limit]
    leaders = await desk.stations.leaders(actor.scope, [station.id for station in items], as_of or clock.today)
    return Page(
        items=[StationOut.of(station, leaders.get(station.id, {})) for station in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await desk.stations.count_stations(actor.scope, area_code=area_code, on=as_of) if page.count else None,
    )


@router.post("/stations", status_code=201, summary="设立工作站", dependencies=[IDEMPOTENT])
async def open_station(body: StationIn, desk: DeskDep, clock: ClockDep, actor: Keeper, response: Response) -> StationOut:
    """每个乡镇（街道）同一时期设一个民政工作站，由本乡镇（街道）登记。"""
    station = await desk.files.open_station(body.area_code, body.details(clock.today))
    response.headers["Location"] = f"/api/v1/stations/{station.id}"
    return await _shown(desk, actor, station, clock.today, response)


@router.get("/stations/{station_id}", summary="工作站详情")
async def get_station(
    station_id: UUID,
    desk: DeskDep,
    clock: ClockDep,
    actor: Reader,
    response: Response,
    as_of: Annotated[date | None, Query(description="站长、副站长按该日显示；不填为今天")] = None,
) -> StationOut:
    """名称、地址、电话与站长、副站长。"""
    station = await desk.stations.get(actor.scope, station_id)
    return await _shown(desk, actor, station, as_of or clock.today, response)


@router.put("/stations/{station_id}", summary="修改工作站信息")
async def change_station(
    station_id: UUID,
    body: StationUpdate,
    desk: DeskDep,
    clock: ClockDep,
    actor: Keeper,
    version: RequiredIfMatch,
    response: Response,
) -> StationOut:
    """未提交的字段保持不变。"""
    station = await desk.files.change_station(station_id, body.change(), version)
    return await _shown(desk, actor, station, clock.today, response)


@router.post("/stations/{station_id}/close", summary="撤销工作站", dependencies=[IDEMPOTENT])
async def close_station(
    station_id: UUID,
    body: Ending,
    desk: DeskDep,
    clock: ClockDep,
    actor: Keeper,
    version: IfMatch,
    response: Response,
) -> StationOut:
    """自 `on` 日起撤站；此后不能再填报，已填内容保留。"""
    station = await desk.files.close_station(station_id, body.on or clock.today, version)
    return await _shown(desk, actor, station, clock.today, response)


# --- staff ---------------------------------------------------------------------------------------------------------------


def _staff(staff: StaffRecord, response: Response) -> StaffOut:
    set_etag(response, staff.version)
    return StaffOut.of(staff)


@router.get("/stations/{station_id}/staff", summary="工作人员")
async def list_staff(station_id: UUID, desk: DeskDep, actor: Reader, page: PageDep, as_of: AsOf = None) -> Page[StaffOut]:
    """按登记先后；`as_of` 当日在任的，不填含已离任的。"""
    await desk.stations.get(actor.scope, station_id)
    found = await desk.stations.list_staff(actor.scope, station_id, on=as_of, after=cursor_id(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[StaffOut.of(staff) for staff in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await desk.stations.count_staff(actor.scope, station_id, as_of) if page.count else None,
    )


@router.post("/stations/{station_id}/staff", status_code=201, summary="登记任职", dependencies=[IDEMPOTENT])
async def add_staff(
    station_id: UUID, body: StaffIn, desk: DeskDep, clock: ClockDep, _actor: Keeper, response: Response
) -> StaffOut:
    """同一人任职期间不能重叠；站长、副站长同一时期各一名。备案须在考试合格之后。"""
    staff = await desk.files.add_staff(station_id, body.details(clock.today))
    response.headers["Location"] = f"/api/v1/stations/{station_id}/staff/{staff.id}"
    return _staff(staff, response)


@router.get("/stations/{station_id}/staff/{staff_id}", summary="任职详情")
async def get_staff(station_id: UUID, staff_id: UUID, desk: DeskDep, actor: Reader, response: Response) -> StaffOut:
    """一名工作人员的任职。"""
    await desk.stations.get(actor.scope, station_id)
    return _staff(await desk.stations.get_staff(actor.scope, station_id, staff_id), response)


@router.put("/stations/{station_id}/staff/{staff_id}", summary="修改任职记录")
async def change_staff(
    station_id: UUID,
    staff_id: UUID,
    body: StaffUpdate,
    desk: DeskDep,
    _actor: Keeper,
    version: RequiredIfMatch,
    response: Response,
) -> StaffOut:
    """更正记录；离任请用“终止任职”，调岗请终止后重新登记，以保留经过。"""
    return _staff(await desk.files.change_staff(station_id, staff_id, body.change(), version), response)


@router.post("/stations/{station_id}/staff/{staff_id}/end", summary="终止任职", dependencies=[IDEMPOTENT])
async def end_staff(
    station_id: UUID,
    staff_id: UUID,
    body: Ending,
    desk: DeskDep,
    clock: ClockDep,
    _actor: Keeper,
    version: IfMatch,
    response: Response,
) -> StaffOut:
    """自 `on` 日起不再任职。"""
    return _staff(await desk.files.end_staff(station_id, staff_id, body.on or clock.today, version), response)


# --- informants ----------------------------------------------------------------------------------------------------------


def _informant(record: InformantRecord, on: date, response: Response) -> InformantOut:
    set_etag(response, record.version)
    return InformantOut.of(record, on)


async def _informants(
    desk: StationDesk, actor: Actor, page: PageRequest, wanted: InformantFilter, today: date
) -> Page[InformantOut]:
    found = await desk.informants.list_informants(actor.scope, wanted, after=cursor_id(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[InformantOut.of(record, wanted.on or today) for record in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await desk.informants.count_informants(actor.scope, wanted) if page.count else None,
    )


@router.get("/informants", summary="信息监督员列表")
async def list_all_informants(
    desk: DeskDep,
    clock: ClockDep,
    actor: InformantReader,
    page: PageDep,
    as_of: AsOf = None,
    area_code: Annotated[AreaCodeText | None, AREA] = None,
) -> Page[InformantOut]:
    """本人辖区内各村（社区）的民政信息监督员；村（社区）专干看本村（社区）的。"""
    return await _informants(desk, actor, page, InformantFilter(area_code, as_of), clock.today)


@router.get("/informants/{informant_id}", summary="信息监督员详情")
async def get_informant(
    informant_id: UUID,
    desk: DeskDep,
    clock: ClockDep,
    actor: InformantReader,
    response: Response,
    reveal: RevealText = None,
    purpose: PurposeText = None,
) -> InformantOut:
    """`?reveal=phone&purpose=…` 查看电话明文，限获准的岗位，每次记入审计。"""
    fields = wanted_fields(reveal, ("phone",), actor)
    reason = check_purpose(purpose) if fields else None
    record = await desk.informants.get(actor.scope, informant_id)
    if not fields:
        return _informant(record, clock.today, response)
    mark_revealed(response)
    set_etag(response, record.version, "r")
    await desk.trail.note("informant.reveal", "informant", informant_id, record.area_code, fields, reason)
    return InformantOut.of(record, clock.today, await desk.informants.reveal_phone(actor.scope, informant_id))


@router.get("/stations/{station_id}/informants", summary="本站的信息监督员")
async def list_informants(
    station_id: UUID, desk: DeskDep, clock: ClockDep, actor: Reader, page: PageDep, as_of: AsOf = None
) -> Page[InformantOut]:
    """本站各村（社区）的民政信息监督员，按登记先后。"""
    station = await desk.stations.get(actor.scope, station_id)
    return await _informants(desk, actor, page, InformantFilter(station.area_code, as_of), clock.today)


@router.post("/stations/{station_id}/informants", status_code=201, summary="聘任信息监督员", dependencies=[IDEMPOTENT])
async def add_informant(
    station_id: UUID, body: InformantIn, desk: DeskDep, clock: ClockDep, _actor: Keeper, response: Response
) -> InformantOut:
    """每个村（社区）原则上 1 名，2500 人以上的 2 名；同一人聘期不能重叠。"""
    record = await desk.files.add_informant(station_id, body.details(clock.today))
    response.headers["Location"] = f"/api/v1/informants/{record.id}"
    return _informant(record, clock.today, response)


@router.put("/stations/{station_id}/informants/{informant_id}", summary="修改信息监督员")
async def change_informant(
    station_id: UUID,
    informant_id: UUID,
    body: InformantUpdate,
    desk: DeskDep,
    clock: ClockDep,
    _actor: Keeper,
    version: RequiredIfMatch,
    response: Response,
) -> InformantOut:
    """更正记录；不再聘任请用“终止聘任”。"""
    record = await desk.files.change_informant(station_id, informant_id, body.change(), version)
    return _informant(record, clock.today, response)


@router.post("/stations/{station_id}/informants/{informant_id}/end", summary="终止聘任", dependencies=[IDEMPOTENT])
async def end_informant(
    station_id: UUID,
    informant_id: UUID,
    body: Ending,
    desk: DeskDep,
    clock: ClockDep,
    _actor: Keeper,
    version: IfMatch,
    response: Response,
) -> InformantOut:
    """自 `on` 日起不再聘任。"""
    record = await desk.files.end_informant(station_id, informant_id, body.on or clock.today, version)
    return _informant(record, clock.today, response)
