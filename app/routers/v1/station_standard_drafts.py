"""Standards that a district lays down itself: drafted, signed by somebody else, in force from their first day on."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from app.db.registry_desk import RegistryTrail
from app.db.repositories.audit import AuditTrail
from app.db.repositories.station_standards import StandardDraftRepository
from app.dependencies import (
    ClockDep,
    CurrentActor,
    IfMatch,
    PageDep,
    RequiredIfMatch,
    SessionDep,
    allow,
    cursor_id,
    encode_cursor,
    set_etag,
)
from app.domain.access import Actor, Duty
from app.domain.stations.local_standards import DraftState, StandardDraft
from app.domain.stations.standard_desk import StandardDesk
from app.idempotency import IDEMPOTENT
from app.ids import new_id
from app.routers.models import Page
from app.routers.route import api_router
from app.routers.v1.station_standard_models import StandardDraftOut, StandardIn
from app.station_standards import standards

router = api_router("民政工作站评估", "/station-standard-drafts")

Officer = Annotated[Actor, allow(Duty.POLICY_OFFICER)]
Signer = Annotated[Actor, allow(Duty.POLICY_OFFICER, Duty.REVIEWER)]
Reader = Annotated[Actor, allow(Duty.POLICY_OFFICER, Duty.REVIEWER, Duty.INSPECTOR, Duty.AUDITOR)]


async def get_desk(session: SessionDep, actor: CurrentActor, clock: ClockDep) -> StandardDesk:
    drafts, trail = StandardDraftRepository(session), RegistryTrail(AuditTrail(session, actor))
    return StandardDesk(actor, clock.today, clock.now, standards(), drafts, trail)


DeskDep = Annotated[StandardDesk, Depends(get_desk)]


def _shown(draft: StandardDraft, response: Response) -> StandardDraftOut:
    set_etag(response, draft.version)
    return StandardDraftOut.of(draft)


@router.get("", summary="本区自订的标准")
async def list_drafts(
    session: SessionDep,
    actor: Reader,
    page: PageDep,
    state: Annotated[DraftState | None, Query(description="只看该状态")] = None,
) -> Page[StandardDraftOut]:
    """草案和已签批的，按起草先后。"""
    drafts = StandardDraftRepository(session)
    found = await drafts.list_drafts(actor.scope, state=state, after=cursor_id(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[StandardDraftOut.of(draft) for draft in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await drafts.count_drafts(actor.scope, state) if page.count else None,
    )


@router.post("", status_code=201, summary="起草标准", dependencies=[IDEMPOTENT])
async def draft_standard(body: StandardIn, desk: DeskDep, _actor: Officer, response: Response) -> StandardDraftOut:
    """新标准，或已有标准的新版本。指标、比较方式、分档等与系统自带的标准同样校验；签批之前不用于评估。"""
    draft = await desk.draft(new_id(), body.document())
    response.headers["Location"] = f"/api/v1/station-standard-drafts/{draft.id}"
    return _shown(draft, response)


@router.get("/{draft_id}", summary="标准草案详情")
async def get_draft(draft_id: UUID, session: SessionDep, actor: Reader, response: Response) -> StandardDraftOut:
    """一个标准版本的全部条款。"""
    return _shown(await StandardDraftRepository(session).get(actor.scope, draft_id), response)


@router.put("/{draft_id}", summary="修改标准草案")
async def change_draft(
    draft_id: UUID, body: StandardIn, desk: DeskDep, _actor: Officer, version: RequiredIfMatch, response: Response
) -> StandardDraftOut:
    """整份替换；只能修改草案。修改人即为起草人，不能自己签批。"""
    return _shown(await desk.change(draft_id, body.document(), version), response)


@router.post("/{draft_id}/sign-off", summary="签批标准", dependencies=[IDEMPOTENT])
async def sign_off(draft_id: UUID, desk: DeskDep, _actor: Signer, version: IfMatch, response: Response) -> StandardDraftOut:
    """由起草人以外的人签批，自施行日起用于评估，此后不能再改。已有标准的新版本不能早于签批日施行。"""
    return _shown(await desk.sign_off(draft_id, version), response)


@router.post("/{draft_id}/withdraw", summary="撤回标准草案", dependencies=[IDEMPOTENT])
async def withdraw(draft_id: UUID, desk: DeskDep, _actor: Officer, version: IfMatch, response: Response) -> StandardDraftOut:
    """不再采用的草案。"""
    return _shown(await desk.withdraw(draft_id, version), response)
