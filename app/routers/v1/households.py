"""Households and who belongs to them."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.db.repositories.registry import HouseholdFilter
from app.dependencies import ClockDep, IfMatch, PageDep, RequiredIfMatch, cursor_id, encode_cursor, set_etag
from app.domain.registry.entry import check_purpose
from app.domain.registry.model import HouseholdRecord, Residence
from app.idempotency import IDEMPOTENT
from app.routers.models import AreaCodeText, Page
from app.routers.route import api_router
from app.routers.v1.registry_access import (
    HOUSEHOLD_FIELDS,
    DeskDep,
    PurposeText,
    Reader,
    Registrar,
    RevealText,
    mark_revealed,
    wanted_fields,
)
from app.routers.v1.registry_models import (
    HeadChange,
    HouseholdNo,
    HouseholdOpening,
    HouseholdOut,
    HouseholdUpdate,
    Leaving,
    MemberIn,
    MemberOut,
)

router = api_router("家庭登记", "/households")

AsOf = Annotated[date | None, Query(description="查看该日的成员；不填为今天")]


def _shown(household: HouseholdRecord, response: Response) -> HouseholdOut:
    set_etag(response, household.version)
    return HouseholdOut.of(household)


@router.post("", status_code=201, summary="登记家庭", dependencies=[IDEMPOTENT])
async def open_household(
    body: HouseholdOpening, desk: DeskDep, clock: ClockDep, _actor: Registrar, response: Response
) -> HouseholdOut:
    """成员须已登记，其中有且只有一名户主；现属其他家庭的成员以 `move: true` 同日迁入。"""
    household = await desk.registry.open_household(body.entry(clock.today))
    response.headers["Location"] = f"/api/v1/households/{household.id}"
    return _shown(household, response)


@router.get("", summary="家庭列表")
async def list_households(
    desk: DeskDep,
    clock: ClockDep,
    actor: Reader,
    page: PageDep,
    area_code: Annotated[AreaCodeText | None, Query(description="只看该区划及其下级")] = None,
    household_no: Annotated[HouseholdNo | None, Query(description="户编号")] = None,
    residence: Annotated[Residence | None, Query(description="urban 城镇，rural 农村")] = None,
) -> Page[HouseholdOut]:
    """本人辖区内的家庭及其现成员，按登记先后。"""
    wanted = HouseholdFilter(area_code, household_no, residence)
    found = await desk.households.list_households(
        actor.scope, wanted, on=clock.today, after=cursor_id(page.after), limit=page.limit + 1
    )
    items = found[: page.limit]
    return Page(
        items=[HouseholdOut.of(household) for household in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await desk.households.count_households(actor.scope, wanted) if page.count else None,
    )


@router.get("/{household_id}", summary="家庭详情")
async def get_household(
    household_id: UUID,
    desk: DeskDep,
    clock: ClockDep,
    actor: Reader,
    response: Response,
    as_of: AsOf = None,
    reveal: RevealText = None,
    purpose: PurposeText = None,
) -> HouseholdOut:
    """成员为 `as_of` 当日的成员。`?reveal=account_number,address&purpose=…` 查看明文，限获准的岗位，每次记入审计。"""
    fields = wanted_fields(reveal, HOUSEHOLD_FIELDS, actor)
    reason = check_purpose(purpose) if fields else None
    household = await desk.households.get(actor.scope, household_id, as_of or clock.today)
    if not fields:
        return _shown(household, response)
    mark_revealed(response)
    set_etag(response, household.version, "r")
    await desk.trail.note("household.reveal", "household", household_id, household.area_code, fields, reason)
    return HouseholdOut.of(household, await desk.households.reveal(actor.scope, household_id, fields))


@router.put("/{household_id}", summary="修改家庭信息")
async def change_household(
    household_id: UUID, body: HouseholdUpdate, desk: DeskDep, _actor: Registrar, version: RequiredIfMatch, response: Response
) -> HouseholdOut:
    """未提交的字段保持不变；领款账户整体替换。"""
    return _shown(await desk.registry.change_household(household_id, body.change(), version), response)


@router.get("/{household_id}/members", summary="家庭成员")
async def list_members(household_id: UUID, desk: DeskDep, clock: ClockDep, actor: Reader, as_of: AsOf = None) -> Page[MemberOut]:
    """`as_of` 当日的成员，一次给出全部。"""
    household = await desk.households.get(actor.scope, household_id, as_of or clock.today)
    return Page(items=[MemberOut.of(member) for member in household.members])


@router.post("/{household_id}/members", status_code=201, summary="成员迁入", dependencies=[IDEMPOTENT])
async def admit_member(
    household_id: UUID,
    body: MemberIn,
    desk: DeskDep,
    clock: ClockDep,
    _actor: Registrar,
    version: IfMatch,
    response: Response,
) -> HouseholdOut:
    """一人同时只属于一户：现属其他家庭的返回 409 `person_in_other_household`，以 `move: true` 同日迁出原家庭，一次办结。"""
    return _shown(await desk.registry.admit_member(household_id, body.entry(clock.today), version), response)


@router.post("/{household_id}/members/{person_id}/leave", summary="成员迁出", dependencies=[IDEMPOTENT])
async def release_member(
    household_id: UUID,
    person_id: UUID,
    body: Leaving,
    desk: DeskDep,
    clock: ClockDep,
    _actor: Registrar,
    version: IfMatch,
    response: Response,
) -> HouseholdOut:
    """自 `on` 日起不再是成员。户主在家庭还有其他成员时不能迁出，请先变更户主。"""
    household = await desk.registry.release_member(household_id, person_id, body.on or clock.today, version)
    return _shown(household, response)


@router.post("/{household_id}/change-head", summary="变更户主", dependencies=[IDEMPOTENT])
async def change_head(
    household_id: UUID,
    body: HeadChange,
    desk: DeskDep,
    clock: ClockDep,
    _actor: Registrar,
    version: IfMatch,
    response: Response,
) -> HouseholdOut:
    """由另一名现成员任户主，并写明原户主与新户主的关系；其他成员的关系与新户主不符的，须一并写明。"""
    relations = {item.person_id: item.relation for item in body.relations}
    on = body.on or clock.today
    household = await desk.registry.change_head(household_id, body.person_id, relations, on, version)
    return _shown(household, response)
