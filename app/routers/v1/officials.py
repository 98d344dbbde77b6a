"""近亲属备案: officials and the near relatives they have declared."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.registry_desk import RegistryTrail
from app.db.repositories.audit import AuditTrail
from app.db.repositories.officials import OfficialRepository
from app.db.repositories.reference import find_area
from app.dependencies import (
    ClockDep,
    CurrentActor,
    IfMatch,
    PageDep,
    RequiredIfMatch,
    RuntimeDep,
    SessionDep,
    allow,
    cursor_id,
    encode_cursor,
    set_etag,
)
from app.domain.access import Actor, AreaScope, Duty
from app.domain.officials.model import OfficialRecord, Post, Relation, RelativeEntry, RelativeRecord
from app.domain.officials.service import OfficialRegister
from app.domain.registry.entry import check_purpose
from app.idempotency import IDEMPOTENT
from app.routers.models import ApiModel, AreaCodeText, Page, ShortText
from app.routers.route import api_router
from app.routers.v1.registry_access import PurposeText, RevealText, mark_revealed, wanted_fields
from app.routers.v1.registry_models import IdNumberText

router = api_router("近亲属备案", "/officials")

Keeper = Annotated[Actor, allow(Duty.STATION_CLERK, Duty.REVIEWER)]
Reader = Annotated[Actor, allow(Duty.STATION_CLERK, Duty.STATION_HEAD, Duty.REVIEWER, Duty.AUDITOR)]

MAX_RELATIVES = 50


class OfficialAreas:
    """Divisions as the register needs them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def is_area(self, scope: AreaScope, code: str, on: date) -> bool:
        """Whether it is a division in force on the day, within the scope."""
        area = await find_area(self._session, code, on) if scope.covers(code) else None
        return area is not None and area.district == scope.district


def _repository(session: SessionDep, runtime: RuntimeDep) -> OfficialRepository:
    return OfficialRepository(session, runtime.cipher, runtime.blind_index)


async def get_repository(session: SessionDep, runtime: RuntimeDep) -> OfficialRepository:
    return _repository(session, runtime)


async def get_register(session: SessionDep, actor: CurrentActor, clock: ClockDep, runtime: RuntimeDep) -> OfficialRegister:
    trail = RegistryTrail(AuditTrail(session, actor))
    return OfficialRegister(
        actor.scope, actor.id, clock.today, clock.now, _repository(session, runtime), OfficialAreas(session), trail
    )


RepositoryDep = Annotated[OfficialRepository, Depends(get_repository)]
RegisterDep = Annotated[OfficialRegister, Depends(get_register)]


class RelativeIn(ApiModel):
    """一名近亲属。"""

    relation: Relation = Field(description="与备案对象的关系")
    name: ShortText
    id_number: IdNumberText

    def entry(self) -> RelativeEntry:
        return RelativeEntry(self.relation, self.name, self.id_number)


class OfficialIn(ApiModel):
    """登记一名备案对象：社会救助经办人员、村（社区）干部。"""

    name: ShortText
    id_number: IdNumberText
    organisation: ShortText = Field(description="工作单位")
    position: ShortText = Field(description="职务")
    area_code: AreaCodeText = Field(description="任职地区划代码，须在本人辖区内")
    relatives: list[RelativeIn] = Field(default_factory=list, max_length=MAX_RELATIVES, description="申报的近亲属")

    def post(self) -> Post:
        return Post(self.name, self.organisation, self.position, self.area_code)


class OfficialUpdate(ApiModel):
    """修改备案对象：未提交的字段保持不变。身份证号不能修改，有误的请撤销后重新登记。"""

    name: ShortText | None = None
    organisation: ShortText | None = Field(default=None, description="工作单位")
    position: ShortText | None = Field(default=None, description="职务")
    area_code: AreaCodeText | None = Field(default=None, description="任职地区划代码")

    def change(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class RelativeOut(BaseModel):
    """一名近亲属；身份证号脱敏。"""

    id: UUID
    relation: Relation
    name: str
    id_number: str
    declared_at: datetime

    @classmethod
    def of(cls, relative: RelativeRecord, number: str | None) -> RelativeOut:
        return cls(
            id=relative.id,
            relation=relative.relation,
            name=relative.name,
            id_number=number or relative.id_number_masked,
            declared_at=relative.declared_at,
        )


class OfficialOut(BaseModel):
    """一名备案对象；身份证号脱敏，获准并写明用途后可查看明文。"""

    id: UUID
    area_code: str
    name: str
    id_number: str
    organisation: str
    position: str
    version: int

    @classmethod
    def fields_of(cls, official: OfficialRecord, number: str | None) -> dict[str, Any]:
        post = official.post
        shown = {"name": post.name, "organisation": post.organisation, "position": post.position, "area_code": post.area_code}
        return {"id": official.id, "id_number": number or official.id_number_masked, "version": official.version, **shown}

    @classmethod
    def of(cls, official: OfficialRecord) -> OfficialOut:
        return cls(**cls.fields_of(official, None))


class OfficialDetail(OfficialOut):
    """一名备案对象及其申报的近亲属。"""

    relatives: list[RelativeOut]

    @classmethod
    def shown(cls, official: OfficialRecord, numbers: list[str] | None = None) -> OfficialDetail:
        """``numbers``: the plain ones, his own first."""
        plain: list[str | None] = [*numbers] if numbers else [None] * (1 + len(official.relatives))
        pairs = zip(official.relatives, plain[1:], strict=True)
        relatives = [RelativeOut.of(relative, number) for relative, number in pairs]
        return cls(**cls.fields_of(official, plain[0]), relatives=relatives)


def _shown(official: OfficialRecord, response: Response) -> OfficialDetail:
    set_etag(response, official.version)
    return OfficialDetail.shown(official)


@router.get("", summary="备案对象列表")
async def list_officials(
    officials: RepositoryDep,
    actor: Reader,
    page: PageDep,
    area_code: Annotated[AreaCodeText | None, Query(description="只看该区划及其下级")] = None,
) -> Page[OfficialOut]:
    """本人辖区内的备案对象，按登记先后；近亲属在详情中。"""
    found = await officials.list_officials(actor.scope, area_code=area_code, after=cursor_id(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[OfficialOut.of(official) for official in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await officials.count_officials(actor.scope, area_code) if page.count else None,
    )


@router.post("", status_code=201, summary="登记备案对象", dependencies=[IDEMPOTENT])
async def register_official(body: OfficialIn, register: RegisterDep, _actor: Keeper, response: Response) -> OfficialDetail:
    """同一身份证号只备案一次；近亲属指配偶、父母、子女、兄弟姐妹、祖父母（外祖父母）、孙子女（外孙子女）。"""
    relatives = [relative.entry() for relative in body.relatives]
    official = await register.register(body.post(), body.id_number, relatives)
    response.headers["Location"] = f"/api/v1/officials/{official.id}"
    return _shown(official, response)


@router.get("/{official_id}", summary="备案对象详情")
async def get_official(
    official_id: UUID,
    officials: RepositoryDep,
    register: RegisterDep,
    actor: Reader,
    response: Response,
    reveal: RevealText = None,
    purpose: PurposeText = None,
) -> OfficialDetail:
    """含申报的近亲属。`?reveal=id_number&purpose=…` 查看本人和近亲属身份证号明文，限获准的岗位，每次记入审计。"""
    fields = wanted_fields(reveal, ("id_number",), actor)
    reason = check_purpose(purpose) if fields else None
    official = await officials.get(actor.scope, official_id)
    if not fields:
        return _shown(official, response)
    mark_revealed(response)
    set_etag(response, official.version, "r")
    await register.trail.note("official.reveal", "official", official_id, official.post.area_code, fields, reason)
    return OfficialDetail.shown(official, list(await officials.numbers_of(actor.scope, official_id)))


@router.put("/{official_id}", summary="修改备案对象")
async def change_official(
    official_id: UUID,
    body: OfficialUpdate,
    register: RegisterDep,
    _actor: Keeper,
    version: RequiredIfMatch,
    response: Response,
) -> OfficialDetail:
    """未提交的字段保持不变。"""
    return _shown(await register.change(official_id, body.change(), version), response)


@router.post("/{official_id}/withdraw", status_code=204, summary="撤销备案", dependencies=[IDEMPOTENT])
async def withdraw_official(official_id: UUID, register: RegisterDep, _actor: Keeper, version: IfMatch) -> None:
    """登记有误，或已不再任职。本人和所申报近亲属的资料一并删除，办理记录保留在审计中。"""
    await register.withdraw(official_id, version)


@router.post("/{official_id}/relatives", status_code=201, summary="申报近亲属", dependencies=[IDEMPOTENT])
async def declare_relative(
    official_id: UUID, body: RelativeIn, register: RegisterDep, _actor: Keeper, version: IfMatch, response: Response
) -> OfficialDetail:
    """补充一名近亲属。"""
    return _shown(await register.declare_relative(official_id, body.entry(), version), response)


@router.post("/{official_id}/relatives/{relative_id}/withdraw", summary="撤销近亲属申报", dependencies=[IDEMPOTENT])
async def withdraw_relative(
    official_id: UUID, relative_id: UUID, register: RegisterDep, _actor: Keeper, version: IfMatch, response: Response
) -> OfficialDetail:
    """申报有误，或关系已经解除。"""
    return _shown(await register.withdraw_relative(official_id, relative_id, version), response)
