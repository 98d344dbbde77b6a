"""What is on file about a station: its sheets, its trainings and meetings, and its communities' offices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Path, Query, Response

from app.db.repositories.stations import Position
from app.db.station_desk import StationDesk
from app.dependencies import ClockDep, IfMatch, PageDep, PageRequest, RequiredIfMatch, encode_cursor, set_etag
from app.domain.access import Actor
from app.domain.stations.records import (
    Archives,
    Budget,
    C,
    CommunityOffice,
    E,
    Equipment,
    Event,
    Meeting,
    Premises,
    Rules,
    Sheet,
    StationContent,
    Training,
    Volunteers,
)
from app.domain.stations.refusals import area_not_found
from app.idempotency import IDEMPOTENT
from app.routers.models import CommunityCode, Page
from app.routers.route import api_router
from app.routers.v1.station_access import AsOf, DeskDep, Keeper, Reader, position_of
from app.routers.v1.station_sheet_models import (
    ArchivesIn,
    ArchivesOut,
    BudgetIn,
    BudgetOut,
    EquipmentIn,
    EquipmentOut,
    MeetingIn,
    MeetingOut,
    OfficeIn,
    OfficeOut,
    PremisesIn,
    PremisesOut,
    RulesIn,
    RulesOut,
    TrainingIn,
    TrainingOut,
    VolunteersIn,
    VolunteersOut,
    Withdrawing,
)

router = api_router("民政工作站", "/stations/{station_id}")

SHEETS: Mapping[str, type[StationContent | CommunityOffice]] = {
    "premises": Premises,
    "budget": Budget,
    "equipment": Equipment,
    "rules": Rules,
    "archives": Archives,
    "volunteers": Volunteers,
    "community-offices": CommunityOffice,
}
SheetKind = StrEnum("SheetKind", {kind.upper().replace("-", "_"): kind for kind in SHEETS})  # type: ignore[misc]

Kept = TypeVar("Kept")
Shown = TypeVar("Shown")


def _page(
    found: Sequence[Kept], page: PageRequest, show: Callable[[Kept], Shown], place: Callable[[Kept], Position], total: int | None
) -> Page[Shown]:
    """``found`` holds one more than the page when there is more."""
    items = found[: page.limit]
    cursor = None
    if len(found) > page.limit:
        last = place(items[-1])
        cursor = encode_cursor(last.day, last.id)
    return Page(items=[show(item) for item in items], next_cursor=cursor, total=total)


async def _sheets(
    desk: StationDesk,
    actor: Actor,
    subject: UUID | str,
    kind: type[C],
    page: PageRequest,
    on: date | None,
    show: Callable[[Sheet[C]], Shown],
) -> Page[Shown]:
    """Sheets of a station, or of a community, the latest first."""
    after, limit = position_of(page), page.limit + 1
    found = await desk.sheets.list_sheets(actor.scope, subject, kind, on=on, after=after, limit=limit)
    total = await desk.sheets.count_sheets(actor.scope, subject, kind, on) if page.count else None
    return _page(found, page, show, lambda sheet: Position(sheet.valid_from, sheet.id), total)


async def _events(
    desk: StationDesk, actor: Actor, station_id: UUID, kind: type[E], page: PageRequest, show: Callable[[Event[E]], Shown]
) -> Page[Shown]:
    await desk.stations.get(actor.scope, station_id)
    after, limit = position_of(page), page.limit + 1
    found = await desk.stations.list_events(actor.scope, station_id, kind, after=after, limit=limit)
    total = await desk.stations.count_events(actor.scope, station_id, kind) if page.count else None
    return _page(found, page, show, lambda event: Position(event.content.held_on, event.id), total)


# --- premises ------------------------------------------------------------------------------------------------------------


@router.get("/premises", summary="办公场所")
async def list_premises(station_id: UUID, desk: DeskDep, actor: Reader, page: PageDep, as_of: AsOf = None) -> Page[PremisesOut]:
    """历次填报，最近的在前；`as_of` 只看该日有效的一次。"""
    await desk.stations.get(actor.scope, station_id)
    return await _sheets(desk, actor, station_id, Premises, page, as_of, PremisesOut.of)


@router.post("/premises", status_code=201, summary="填报办公场所", dependencies=[IDEMPOTENT])
async def put_premises(station_id: UUID, body: PremisesIn, desk: DeskDep, clock: ClockDep, _actor: Keeper) -> PremisesOut:
    """自 `valid_from` 起如此，此前的情况保留；同日再报即更正。"""
    return PremisesOut.of(await desk.files.put_sheet(station_id, body.content(), body.valid_from or clock.today))


# --- budget --------------------------------------------------------------------------------------------------------------


@router.get("/budget", summary="工作经费")
async def list_budgets(station_id: UUID, desk: DeskDep, actor: Reader, page: PageDep, as_of: AsOf = None) -> Page[BudgetOut]:
    """各年度经费，最近的在前；`as_of` 只看该日所在年度的。"""
    await desk.stations.get(actor.scope, station_id)
    return await _sheets(desk, actor, station_id, Budget, page, as_of, BudgetOut.of)


@router.post("/budget", status_code=201, summary="填报工作经费", dependencies=[IDEMPOTENT])
async def put_budget(station_id: UUID, body: BudgetIn, desk: DeskDep, clock: ClockDep, _actor: Keeper) -> BudgetOut:
    """一个年度一份，每月拨付后连同以前各月重新填报；各月合计不能多于全年预算。年度由 `year` 决定，不填 `valid_from`。"""
    return BudgetOut.of(await desk.files.put_sheet(station_id, body.content(clock.today), clock.today))


# --- equipment -----------------------------------------------------------------------------------------------------------


@router.get("/equipment", summary="办公设施")
async def list_equipment(station_id: UUID, desk: DeskDep, actor: Reader, page: PageDep, as_of: AsOf = None) -> Page[EquipmentOut]:
    """历次填报，最近的在前；`as_of` 只看该日有效的一次。"""
    await desk.stations.get(actor.scope, station_id)
    return await _sheets(desk, actor, station_id, Equipment, page, as_of, EquipmentOut.of)


@router.post("/equipment", status_code=201, summary="填报办公设施", dependencies=[IDEMPOTENT])
async def put_equipment(station_id: UUID, body: EquipmentIn, desk: DeskDep, clock: ClockDep, _actor: Keeper) -> EquipmentOut:
    """能正常使用的件数。自 `valid_from` 起如此，此前的情况保留；同日再报即更正。"""
    return EquipmentOut.of(await desk.files.put_sheet(station_id, body.content(), body.valid_from or clock.today))


# --- rules and signage ---------------------------------------------------------------------------------------------------


@router.get("/rules", summary="规章制度和标识")
async def list_rules(station_id: UUID, desk: DeskDep, actor: Reader, page: PageDep, as_of: AsOf = None) -> Page[RulesOut]:
    """历次填报，最近的在前；`as_of` 只看该日有效的一次。"""
    await desk.stations.get(actor.scope, station_id)
    return await _sheets(desk, actor, station_id, Rules, page, as_of, RulesOut.of)


@router.post("/rules", status_code=201, summary="填报规章制度和标识", dependencies=[IDEMPOTENT])
async def put_rules(station_id: UUID, body: RulesIn, desk: DeskDep, clock: ClockDep, _actor: Keeper) -> RulesOut:
    """门牌由区民政局统一制作，制度牌、职责牌、流程牌、行为规范牌和监督员胸牌由街道（乡镇）制作；如实填写由谁配备。"""
    return RulesOut.of(await desk.files.put_sheet(station_id, body.content(), body.valid_from or clock.today))


# --- archives ------------------------------------------------------------------------------------------------------------


@router.get("/archives", summary="文档资料")
async def list_archives(station_id: UUID, desk: DeskDep, actor: Reader, page: PageDep, as_of: AsOf = None) -> Page[ArchivesOut]:
    """历次清点，最近的在前；`as_of` 只看该日有效的一次。"""
    await desk.stations.get(actor.scope, station_id)
    return await _sheets(desk, actor, station_id, Archives, page, as_of, ArchivesOut.of)


@router.post("/archives", status_code=201, summary="填报文档资料", dependencies=[IDEMPOTENT])
async def put_archives(station_id: UUID, body: ArchivesIn, desk: DeskDep, clock: ClockDep, _actor: Keeper) -> ArchivesOut:
    """按 `valid_from` 当日清点；已装订、已数字化的份数不能多于总数。"""
    return ArchivesOut.of(await desk.files.put_sheet(station_id, body.content(), body.valid_from or clock.today))


# --- volunteers ----------------------------------------------------------------------------------------------------------


@router.get("/volunteers", summary="志愿者队伍和应急预案")
async def list_volunteers(
    station_id: UUID, desk: DeskDep, actor: Reader, page: PageDep, as_of: AsOf = None
) -> Page[VolunteersOut]:
    """历次填报，最近的在前；`as_of` 只看该日有效的一次。"""
    await desk.stations.get(actor.scope, station_id)
    return await _sheets(desk, actor, station_id, Volunteers, page, as_of, VolunteersOut.of)


@router.post("/volunteers", status_code=201, summary="填报志愿者队伍和应急预案", dependencies=[IDEMPOTENT])
async def put_volunteers(station_id: UUID, body: VolunteersIn, desk: DeskDep, clock: ClockDep, _actor: Keeper) -> VolunteersOut:
    """自 `valid_from` 起如此，此前的情况保留；同日再报即更正。"""
    return VolunteersOut.of(await desk.files.put_sheet(station_id, body.content(), body.valid_from or clock.today))


# --- community offices ---------------------------------------------------------------------------------------------------


@router.get("/community-offices", summary="村（社区）办公场所")
async def list_offices(
    station_id: UUID,
    desk: DeskDep,
    actor: Reader,
    page: PageDep,
    area_code: Annotated[CommunityCode | None, Query(description="只看该村（社区），12 位，须属本站")] = None,
    as_of: AsOf = None,
) -> Page[OfficeOut]:
    """本站各村（社区）的历次填报，最近的在前；`as_of` 只看该日有效的。"""
    station = await desk.stations.get(actor.scope, station_id)
    subject = area_code or station.area_code
    if not subject.startswith(station.area_code):
        raise area_not_found("村（社区）")
    return await _sheets(desk, actor, subject, CommunityOffice, page, as_of, OfficeOut.of)


@router.post("/community-offices", status_code=201, summary="填报村（社区）办公场所", dependencies=[IDEMPOTENT])
async def put_office(station_id: UUID, body: OfficeIn, desk: DeskDep, clock: ClockDep, _actor: Keeper) -> OfficeOut:
    """自 `valid_from` 起如此，此前的情况保留；同日再报即更正。"""
    valid_from = body.valid_from or clock.today
    return OfficeOut.of(await desk.files.put_office(station_id, body.area_code, body.content(), valid_from))


# --- trainings -----------------------------------------------------------------------------------------------------------


def _training(event: Event[Training], response: Response) -> TrainingOut:
    set_etag(response, event.version)
    return TrainingOut.of(event)


@router.get("/trainings", summary="培训")
async def list_trainings(station_id: UUID, desk: DeskDep, actor: Reader, page: PageDep) -> Page[TrainingOut]:
    """最近的在前。民政助理员每年不少于 2 次，村（居）协管员每年不少于 3 次。"""
    return await _events(desk, actor, station_id, Training, page, TrainingOut.of)


@router.post("/trainings", status_code=201, summary="登记培训", dependencies=[IDEMPOTENT])
async def add_training(station_id: UUID, body: TrainingIn, desk: DeskDep, _actor: Keeper, response: Response) -> TrainingOut:
    """已举办的培训；同日、同对象、同内容的只登记一次。"""
    event = await desk.files.add_event(station_id, body.content())
    response.headers["Location"] = f"/api/v1/stations/{station_id}/trainings/{event.id}"
    return _training(event, response)


@router.get("/trainings/{training_id}", summary="培训详情")
async def get_training(station_id: UUID, training_id: UUID, desk: DeskDep, actor: Reader, response: Response) -> TrainingOut:
    """一次培训。"""
    await desk.stations.get(actor.scope, station_id)
    return _training(await desk.stations.get_event(actor.scope, station_id, Training, training_id), response)


@router.put("/trainings/{training_id}", summary="更正培训记录")
async def change_training(
    station_id: UUID,
    training_id: UUID,
    body: TrainingIn,
    desk: DeskDep,
    _actor: Keeper,
    version: RequiredIfMatch,
    response: Response,
) -> TrainingOut:
    """整条更正。"""
    event = await desk.files.change_event(station_id, Training, training_id, body.content(), version)
    return _training(event, response)


@router.post("/trainings/{training_id}/withdraw", status_code=204, summary="撤回培训记录", dependencies=[IDEMPOTENT])
async def withdraw_training(
    station_id: UUID, training_id: UUID, body: Withdrawing, desk: DeskDep, _actor: Keeper, version: IfMatch
) -> None:
    """填报有误、并未举办的：不再计入培训次数。办理记录保留在审计中，已公布的结果不变。"""
    await desk.files.withdraw_event(station_id, Training, training_id, body.reason, version)


# --- meetings ------------------------------------------------------------------------------------------------------------


def _meeting(event: Event[Meeting], response: Response) -> MeetingOut:
    set_etag(response, event.version)
    return MeetingOut.of(event)


@router.get("/meetings", summary="例会和检查")
async def list_meetings(station_id: UUID, desk: DeskDep, actor: Reader, page: PageDep) -> Page[MeetingOut]:
    """最近的在前。协管员一月一例会、一季一检查。"""
    return await _events(desk, actor, station_id, Meeting, page, MeetingOut.of)


@router.post("/meetings", status_code=201, summary="登记例会或检查", dependencies=[IDEMPOTENT])
async def add_meeting(station_id: UUID, body: MeetingIn, desk: DeskDep, _actor: Keeper, response: Response) -> MeetingOut:
    """已举行的例会或检查；同日同类的只登记一次，实到人数不能多于应到人数。"""
    event = await desk.files.add_event(station_id, body.content())
    response.headers["Location"] = f"/api/v1/stations/{station_id}/meetings/{event.id}"
    return _meeting(event, response)


@router.get("/meetings/{meeting_id}", summary="例会或检查详情")
async def get_meeting(station_id: UUID, meeting_id: UUID, desk: DeskDep, actor: Reader, response: Response) -> MeetingOut:
    """一次例会或检查。"""
    await desk.stations.get(actor.scope, station_id)
    return _meeting(await desk.stations.get_event(actor.scope, station_id, Meeting, meeting_id), response)


@router.put("/meetings/{meeting_id}", summary="更正例会或检查记录")
async def change_meeting(
    station_id: UUID,
    meeting_id: UUID,
    body: MeetingIn,
    desk: DeskDep,
    _actor: Keeper,
    version: RequiredIfMatch,
    response: Response,
) -> MeetingOut:
    """整条更正。"""
    event = await desk.files.change_event(station_id, Meeting, meeting_id, body.content(), version)
    return _meeting(event, response)


@router.post("/meetings/{meeting_id}/withdraw", status_code=204, summary="撤回例会或检查记录", dependencies=[IDEMPOTENT])
async def withdraw_meeting(
    station_id: UUID, meeting_id: UUID, body: Withdrawing, desk: DeskDep, _actor: Keeper, version: IfMatch
) -> None:
    """填报有误、并未举行的：不再计入次数。办理记录保留在审计中，已公布的结果不变。"""
    await desk.files.withdraw_event(station_id, Meeting, meeting_id, body.reason, version)


# --- what was put on file in error ----------------------------------------------------------------------------------------


@router.post("/{sheet_kind}/{sheet_id}/withdraw", status_code=204, summary="撤回一次填报", dependencies=[IDEMPOTENT])
async def withdraw_sheet(
    station_id: UUID,
    sheet_kind: Annotated[SheetKind, Path(description="填报的种类")],
    sheet_id: UUID,
    body: Withdrawing,
    desk: DeskDep,
    _actor: Keeper,
) -> None:
    """填错日期或填错对象的：撤回后恢复为此前的情况。同日填错的直接重新填报即可。"""
    await desk.files.withdraw_sheet(station_id, SHEETS[sheet_kind.value], sheet_id, body.reason)
