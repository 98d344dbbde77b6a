"""What other bureaus have reported about people: deaths, detentions, warnings. They come in by import."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from app.db.import_writers.target import number_digest
from app.db.repositories.audit import AuditEntry
from app.db.repositories.bureau_notices import BureauNoticeRepository, NoticeFilter
from app.db.tables.bureau_notices import BureauNotice
from app.dependencies import AuditDep, ClockDep, PageDep, RuntimeDep, SessionDep, allow, cursor_id, encode_cursor
from app.domain.access import Actor, Duty
from app.domain.imports.kinds.bureau_notices import MEASURES
from app.routers.models import AreaCodeText, Page
from app.routers.route import api_router
from app.routers.v1.registry_access import DeskDep

router = api_router("部门通报")

Reader = Annotated[
    Actor, allow(Duty.COMMUNITY_WORKER, Duty.STATION_CLERK, Duty.STATION_HEAD, Duty.REVIEWER, Duty.FINANCE, Duty.AUDITOR)
]
NoticeKind = Literal["death", "detention", "warning"]
KIND_TEXT = "death 死亡，detention 羁押服刑，warning 监测预警"


class BureauNoticeOut(BaseModel):
    """一条通报。"""

    id: UUID
    area_code: str
    kind: NoticeKind = Field(description=KIND_TEXT)
    person_id: UUID | None = Field(description="收到时已登记的人员；未登记的为 null")
    name: str
    id_number_masked: str
    occurred_on: date
    ended_on: date | None = Field(description="羁押解除日期")
    category: str | None = Field(description="羁押措施，或预警类型")
    source: str
    document_no: str | None
    detail: str | None
    received_on: date

    @classmethod
    def of(cls, notice: BureauNotice) -> BureauNoticeOut:
        category = MEASURES[notice.category][0] if notice.kind == "detention" else notice.category or None
        shared = {name: getattr(notice, name) for name in cls.model_fields if name != "category"}
        return cls(**shared, category=category)


class BureauNotices(BaseModel):
    """一人的各条通报。"""

    items: list[BureauNoticeOut]
    next_cursor: None = Field(default=None, description="一次给出全部，恒为 null")


@router.get("/bureau-notices", summary="部门通报列表")
async def list_notices(
    session: SessionDep,
    actor: Reader,
    page: PageDep,
    kind: Annotated[NoticeKind | None, Query(description=KIND_TEXT)] = None,
    area_code: Annotated[AreaCodeText | None, Query(description="只看该区划及其下级")] = None,
    registered: Annotated[bool | None, Query(description="true 只看已登记人员的，false 只看未登记的")] = None,
) -> Page[BureauNoticeOut]:
    """本人辖区内的死亡、羁押、预警通报，新收到的在前；号码已脱敏。"""
    notices, wanted = BureauNoticeRepository(session), NoticeFilter(kind, area_code, registered)
    found = await notices.list_page(actor.scope, wanted, before=cursor_id(page.after), limit=page.limit + 1)
    items = [BureauNoticeOut.of(one) for one in found[: page.limit]]
    cursor = encode_cursor(items[-1].id) if len(found) > page.limit else None
    return Page(items=items, next_cursor=cursor, total=await notices.count(actor.scope, wanted) if page.count else None)


@router.get("/persons/{person_id}/bureau-notices", summary="某人的部门通报")
async def list_notices_of_person(
    person_id: UUID, session: SessionDep, runtime: RuntimeDep, desk: DeskDep, trail: AuditDep, actor: Reader, clock: ClockDep
) -> BureauNotices:
    """包括登记之前收到的：按身份证号对上，不论当时是否已登记。"""
    number = await desk.people.id_number(actor.scope, person_id)
    digest = number_digest(runtime.keys, "number_digest", number)
    found = await BureauNoticeRepository(session).list_of_person(actor.scope, person_id, digest, clock.today)
    await trail.record(AuditEntry("person.bureau_notices", "person", person_id))
    return BureauNotices(items=[BureauNoticeOut.of(one) for one in found])
