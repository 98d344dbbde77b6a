"""Entitlements: who is entitled to what, from which month on."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field

from app.db.repositories.entitlements import EntitlementFilter, EntitlementRepository
from app.dependencies import ClockDep, CurrentActor, PageDep, SessionDep, cursor_id, encode_cursor, set_etag
from app.domain.calendar import Month
from app.domain.casework.model import AmountPeriod, CoveredMember, Entitlement
from app.routers.models import ApiModel, AreaCodeText, Page
from app.routers.route import api_router
from app.routers.v1.casework_access import EntitlementReader
from app.routers.v1.casework_models import ProgrammeOfCasework

router = api_router("在保", "/entitlements")


def get_repository(session: SessionDep, actor: CurrentActor, clock: ClockDep) -> EntitlementRepository:
    return EntitlementRepository(session, actor, clock.now, clock.today)


Entitlements = Annotated[EntitlementRepository, Depends(get_repository)]
EntitlementState = Literal["active", "suspended", "ended"]


def _month(first_day: date | None) -> str | None:
    return None if first_day is None else str(Month.of(first_day))


class EntitlementLine(ApiModel):
    """一户（人）的在保情况。"""

    id: UUID
    number: str
    programme: str
    category: str = Field(description="urban 城市，rural 农村")
    state: EntitlementState
    area_code: str
    household_id: UUID
    person_id: UUID | None = Field(description="按人的项目为该人；按户的项目为 null")
    since_month: str
    until_month: str | None = Field(description="终止月份（不含）；为 null 表示持续")
    monthly_fen: int = Field(description="当月（尚未起保的为首月）保障金额合计")
    next_review_on: date | None
    version: int

    @classmethod
    def of(cls, entitlement: Entitlement, monthly_fen: int) -> EntitlementLine:
        return cls(**_fields(entitlement, cls), monthly_fen=monthly_fen, **_months(entitlement))


class AmountOut(ApiModel):
    """保障金额的一个组成部分及其适用的月份（左闭右开）。"""

    component: str
    person_id: UUID | None = Field(description="分类施保增发的对象；按户的为 null")
    from_month: str
    until_month: str | None
    amount_fen: int

    @classmethod
    def of(cls, amount: AmountPeriod) -> AmountOut:
        until = _month(amount.until_month)
        month = str(Month.of(amount.from_month))
        return cls(
            component=amount.component,
            person_id=amount.person_id,
            from_month=month,
            until_month=until,
            amount_fen=amount.amount_fen,
        )


class CoveredOut(ApiModel):
    """一名保障对象。"""

    person_id: UUID
    name: str | None = Field(description="此人已迁出本辖区时为 null")
    from_month: str
    until_month: str | None

    @classmethod
    def of(cls, member: CoveredMember) -> CoveredOut:
        months = {"from_month": str(Month.of(member.from_month)), "until_month": _month(member.until_month)}
        return cls(person_id=member.person_id, name=member.name, **months)


class EntitlementOut(EntitlementLine):
    """一份保障：按月金额构成、保障对象和所依据的决定。"""

    origin: str
    application_id: UUID | None
    decision_id: UUID | None
    created_at: datetime
    components: list[AmountOut]
    members: list[CoveredOut]


def _fields(entitlement: Entitlement, shape: type[ApiModel]) -> dict[str, object]:
    months = ("since_month", "until_month")
    return {name: getattr(entitlement, name) for name in shape.model_fields if hasattr(entitlement, name) and name not in months}


def _months(entitlement: Entitlement) -> dict[str, str | None]:
    return {"since_month": _month(entitlement.since_month), "until_month": _month(entitlement.until_month)}


@router.get("", summary="在保列表")
async def list_entitlements(
    repository: Entitlements,
    actor: EntitlementReader,
    page: PageDep,
    state: Annotated[EntitlementState | None, Query(description="状态")] = None,
    programme: Annotated[ProgrammeOfCasework | None, Query(description="项目")] = None,
    area_code: Annotated[AreaCodeText | None, Query(description="只看该区划及其下级")] = None,
    household_id: Annotated[UUID | None, Query(description="只看该家庭")] = None,
) -> Page[EntitlementLine]:
    """本人辖区内的保障记录，按确认先后。"""
    wanted = EntitlementFilter(state, programme, area_code, household_id)
    found = await repository.list_page(actor.scope, wanted, after=cursor_id(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[EntitlementLine.of(entitlement, monthly_fen) for entitlement, monthly_fen in items],
        next_cursor=encode_cursor(items[-1][0].id) if len(found) > page.limit else None,
        total=await repository.count(actor.scope, wanted) if page.count else None,
    )


@router.get("/{entitlement_id}", summary="在保详情")
async def get_entitlement(
    entitlement_id: UUID, repository: Entitlements, actor: EntitlementReader, response: Response
) -> EntitlementOut:
    """按月金额构成、保障对象、所依据的申请和决定。"""
    entitlement, monthly_fen = await repository.get(actor.scope, entitlement_id)
    amounts = await repository.list_amounts(actor.scope, entitlement_id)
    members = await repository.list_members(actor.scope, entitlement_id)
    set_etag(response, entitlement.version)
    return EntitlementOut(
        **_fields(entitlement, EntitlementOut),
        **_months(entitlement),
        monthly_fen=monthly_fen,
        components=[AmountOut.of(amount) for amount in amounts],
        members=[CoveredOut.of(member) for member in members],
    )
