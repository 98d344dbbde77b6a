"""Policy parameters: what is in force, drafts and their values, sign-off and activation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, File, Form, Path, Query, Response, UploadFile

from app.db.repositories.audit import AuditEntry, AuditTrail
from app.db.repositories.policy import read_document
from app.db.repositories.policy_runs import SimulationRepository
from app.db.repositories.policy_sets import PolicySetRepository
from app.db.repositories.reference import find_area
from app.dependencies import (
    AuditDep,
    ClockDep,
    IfMatch,
    PageDep,
    RequiredIfMatch,
    RuntimeDep,
    SessionDep,
    StaffActor,
    allow,
    bad_cursor,
    cursor_id,
    encode_cursor,
    set_etag,
)
from app.domain.access import Actor, Duty
from app.domain.errors import TooLarge
from app.domain.policy import service
from app.domain.policy.model import PolicySet, SetStatus
from app.idempotency import IDEMPOTENT
from app.ids import new_id
from app.routers.models import AreaCodeText, Page, ShortText
from app.routers.route import api_router
from app.routers.v1.areas import area_not_found
from app.routers.v1.policy_models import (
    DifferenceOut,
    Differences,
    KeyText,
    ParameterInForce,
    ParameterOut,
    ParameterPut,
    PolicySetDraft,
    PolicySetOut,
    SignOffRequest,
)

router = api_router("政策参数")
MAX_FILE_BYTES = 1 << 20

Officer = Annotated[Actor, allow(Duty.POLICY_OFFICER)]
Signer = Annotated[Actor, allow(Duty.POLICY_OFFICER, Duty.REVIEWER)]
Reader = Annotated[Actor, allow(Duty.POLICY_OFFICER, Duty.REVIEWER, Duty.AUDITOR)]


@dataclass(frozen=True)
class PolicyDesk:
    """What every act on a set needs in its request."""

    sets: PolicySetRepository
    simulations: SimulationRepository
    trail: AuditTrail

    async def done(self, act: str, found: PolicySet, response: Response, **details: str) -> PolicySetOut:
        entry = AuditEntry(
            f"policy_set.{act}",
            "policy_set",
            found.id,
            found.area_code,
            details={"content_hash": found.content_hash, **details},
        )
        await self.trail.record(entry)
        return shown(found, response)


async def get_desk(session: SessionDep, trail: AuditDep) -> PolicyDesk:
    return PolicyDesk(PolicySetRepository(session), SimulationRepository(session), trail)


DeskDep = Annotated[PolicyDesk, Depends(get_desk)]


def shown(found: PolicySet, response: Response) -> PolicySetOut:
    set_etag(response, found.version)
    return PolicySetOut.of(found)


@router.get("/policy-parameters", summary="有效的政策参数")
async def list_parameters_in_force(
    session: SessionDep,
    runtime: RuntimeDep,
    clock: ClockDep,
    actor: StaffActor,
    page: PageDep,
    area_code: Annotated[AreaCodeText | None, Query(description="按该区划，默认本人辖区；可查任何已装载的区划")] = None,
    on: Annotated[date | None, Query(description="按该日有效的取值，默认业务日期")] = None,
    key: Annotated[str | None, Query(max_length=100, description="只看该参数，或以此开头的参数")] = None,
) -> Page[ParameterInForce]:
    """按参数排序；就近的区划优先，注明取值来自哪一级和出处。"""
    area, day = area_code or actor.area, on or clock.today
    if await find_area(session, area, day) is None:
        raise area_not_found(area)
    book = await runtime.parameter_books.current(session)
    keys = book.policy(area, day).keys_in_force(key or "")
    after = str(page.after[0]) if page.after else ""
    found = [row for name in keys if name > after and (row := book.find(area, name, day)) is not None]
    items = [ParameterInForce.of(row) for row in found[: page.limit]]
    cursor = encode_cursor(items[-1].key) if len(found) > page.limit else None
    return Page(items=items, next_cursor=cursor, total=len(keys) if page.count else None)


@router.get("/policy-sets", summary="参数集列表")
async def list_sets(
    desk: DeskDep,
    actor: Reader,
    page: PageDep,
    status: Annotated[SetStatus | None, Query(description="draft 草案，active 现行，superseded 已被取代")] = None,
) -> Page[PolicySetOut]:
    """本人辖区内各区划的参数集，新的在前。"""
    found = await desk.sets.list_page(actor.scope, status=status, before=cursor_id(page.after), limit=page.limit + 1)
    items = [PolicySetOut.of(one) for one in found[: page.limit]]
    cursor = encode_cursor(items[-1].id) if len(found) > page.limit else None
    return Page(items=items, next_cursor=cursor, total=await desk.sets.count(actor.scope, status=status) if page.count else None)


@router.post("/policy-sets", status_code=201, summary="新建草案", dependencies=[IDEMPOTENT])
async def create_set(
    body: PolicySetDraft, desk: DeskDep, session: SessionDep, actor: Officer, clock: ClockDep, response: Response
) -> PolicySetOut:
    """填写各参数取值，或不填 `parameters` 以复制现行参数集；编制人记录在案，不能签批自己的草案。"""
    draft = body.draft()
    if not actor.scope.covers(draft.area_code) or await find_area(session, draft.area_code, clock.today) is None:
        raise area_not_found(draft.area_code)
    found = await service.create(desk.sets, actor.scope, draft, new_id(), actor, clock.now)
    response.headers["Location"] = f"/api/v1/policy-sets/{found.id}"
    return await desk.done("create", found, response)


@router.post("/policy-sets/uploads", status_code=201, summary="上传政策文件", dependencies=[IDEMPOTENT])
async def upload_sets(
    desk: DeskDep,
    session: SessionDep,
    actor: Officer,
    clock: ClockDep,
    file: Annotated[UploadFile, File(description="政策参数 YAML，格式同 minzheng policy load")],
    title: Annotated[ShortText, Form(description="名称或文号")],
    effective_from: Annotated[date, Form(description="施行日")],
) -> Page[PolicySetOut]:
    """文件中的每个区划各成一份草案；有一处错误则整个文件都不保存。"""
    if (file.size or 0) > MAX_FILE_BYTES:
        raise TooLarge("body_too_large", "政策文件超过 1 MB，请核对是否传错文件。")
    found = []
    for draft in service.drafts_of(read_document(await file.read()), title, effective_from):
        if not actor.scope.covers(draft.area_code) or await find_area(session, draft.area_code, clock.today) is None:
            raise area_not_found(draft.area_code)
        created = await service.create(desk.sets, actor.scope, draft, new_id(), actor, clock.now)
        found.append(await desk.done("create", created, Response()))
    return Page(items=found)


@router.get("/policy-sets/{set_id}", summary="参数集详情")
async def get_set(set_id: UUID, desk: DeskDep, actor: Reader, response: Response) -> PolicySetOut:
    """修改参数时请带上这里返回的 ETag。"""
    return shown(await desk.sets.get(actor.scope, set_id), response)


@router.get("/policy-sets/{set_id}/parameters", summary="参数集的取值")
async def list_set_parameters(set_id: UUID, desk: DeskDep, actor: Reader, page: PageDep) -> Page[ParameterOut]:
    """按参数和施行日排序。"""
    rows = await desk.sets.rows(actor.scope, set_id)
    position = _position(page.after)
    found = [row for row in rows if position is None or (row.key, row.valid_from) > position]
    items = [ParameterOut.of(row) for row in found[: page.limit]]
    cursor = encode_cursor(items[-1].key, items[-1].valid_from) if len(found) > page.limit else None
    return Page(items=items, next_cursor=cursor, total=len(rows) if page.count else None)


def _position(after: tuple[str, ...] | None) -> tuple[str, date] | None:
    if after is None:
        return None
    try:
        key, day = after
        return key, date.fromisoformat(day)
    except ValueError as error:
        raise bad_cursor() from error


@router.put("/policy-sets/{set_id}/parameters/{key}", summary="修改草案的参数")
async def put_parameter(
    set_id: UUID,
    key: Annotated[KeyText, Path(description="参数，如 dibao.standard.urban")],
    body: ParameterPut,
    desk: DeskDep,
    actor: Officer,
    version: RequiredIfMatch,
    response: Response,
) -> PolicySetOut:
    """只能改草案；现行和已被取代的参数集已被决定引用，不能改动。内容一改，原签批即失效。"""
    versions = [one.document() for one in body.versions]
    found = await service.put_parameter(desk.sets, actor.scope, set_id, key, versions, version=version)
    return await desk.done("put_parameter", found, response, key=key)


@router.get("/policy-sets/{set_id}/differences", summary="与现行参数集的不同")
async def list_differences(set_id: UUID, desk: DeskDep, actor: Reader) -> Differences:
    """逐项逐期列出与该区划现行参数集取值不同之处。"""
    found = await service.list_differences(desk.sets, actor.scope, set_id)
    return Differences(items=[DifferenceOut.of(one) for one in found])


@router.post("/policy-sets/{set_id}/sign-off", summary="签批", dependencies=[IDEMPOTENT])
async def sign_off(
    set_id: UUID,
    body: SignOffRequest,
    desk: DeskDep,
    actor: Signer,
    clock: ClockDep,
    version: IfMatch,
    response: Response,
) -> PolicySetOut:
    """由编制人以外的政策管理员或审核员办理；须有按草案现在的内容、覆盖全部区域和项目的测算。"""
    found = await service.sign_off(
        desk.sets, desk.simulations, actor.scope, set_id, body.simulation_id, actor, version=version, now=clock.now
    )
    return await desk.done("sign_off", found, response, simulation_id=str(body.simulation_id))


@router.post("/policy-sets/{set_id}/activate", summary="启用", dependencies=[IDEMPOTENT])
async def activate(
    set_id: UUID, desk: DeskDep, actor: Officer, clock: ClockDep, version: IfMatch, response: Response
) -> PolicySetOut:
    """从施行日起办理，须已由他人签批；原现行参数集即被取代。提标请接着新建 `/adjustment-batches`。"""
    found = await service.activate(
        desk.sets, desk.simulations, actor.scope, set_id, actor, version=version, now=clock.now, today=clock.today
    )
    return await desk.done("activate", found, response)
