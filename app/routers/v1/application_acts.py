"""The named acts by which an application moves. Each answers the new state, the time limits and what the caller may do next."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from app.dependencies import IfMatch, set_etag
from app.domain.casework import service
from app.domain.casework.desk import Desk, Standing
from app.idempotency import IDEMPOTENT
from app.routers.route import api_router
from app.routers.v1.casework_access import ApplicantsSide, CaseDeskDep, Decider, StationClerk, StationHead
from app.routers.v1.casework_models import ActAnswer, ActNote, RefusalNote, SupplementNotice

router = api_router("申请审核", "/applications/{application_id}")


class Counter:
    """One act at the counter: on which application, at which desk, over which version."""

    def __init__(self, application_id: UUID, desk: CaseDeskDep, if_match: IfMatch, response: Response) -> None:
        self.application_id = application_id
        self.desk: Desk = desk
        self.expected = if_match
        self._response = response

    def answer(self, standing: Standing) -> ActAnswer:
        set_etag(self._response, standing.application.version)
        return ActAnswer.of(standing, self.desk.today)


CounterDep = Annotated[Counter, Depends(Counter)]


def _note(body: ActNote | None) -> str | None:
    return body.note if body else None


@router.post("/submit", summary="提交", dependencies=[IDEMPOTENT])
async def submit(counter: CounterDep, _actor: ApplicantsSide, body: ActNote | None = None) -> ActAnswer:
    """把草稿或补正后的申请提交给民政工作站。"""
    return counter.answer(await service.submit(counter.desk, counter.application_id, counter.expected, _note(body)))


@router.post("/accept", summary="受理", dependencies=[IDEMPOTENT])
async def accept(counter: CounterDep, _actor: StationClerk, body: ActNote | None = None) -> ActAnswer:
    """受理之日起计算时限：3 个工作日内启动调查，30 个工作日内（下放的 20 个）办结；补正后再次受理不重新起算。"""
    return counter.answer(await service.accept(counter.desk, counter.application_id, counter.expected, _note(body)))


@router.post("/return-for-supplement", summary="退回补正（一次性告知）", dependencies=[IDEMPOTENT])
async def return_for_supplement(counter: CounterDep, _actor: StationClerk, body: SupplementNotice) -> ActAnswer:
    """一次告知全部所缺材料。初审之后退回的，原初审意见失效。"""
    at = (counter.desk, counter.application_id, counter.expected)
    return counter.answer(await service.return_for_supplement(*at, body.missing_items, body.note))


@router.post("/give-opinion", summary="提出初审意见", dependencies=[IDEMPOTENT])
async def give_opinion(counter: CounterDep, _actor: StationHead, body: ActNote | None = None) -> ActAnswer:
    """按办理当日生效的政策对已填报的事实正式测算并存档：符合的拟予保障（待公示），不符合的拟不予保障并附理由；
    事实不足时返回 409 `needs_evidence` 并列出所缺。测算结论已变化的可以重新提出。
    """
    return counter.answer(await service.give_opinion(counter.desk, counter.application_id, counter.expected, _note(body)))


@router.post("/open-notice", summary="开始公示", dependencies=[IDEMPOTENT])
async def open_notice(counter: CounterDep, _actor: ApplicantsSide, body: ActNote | None = None) -> ActAnswer:
    """在所在村（社区）公示七天（张贴当日不计）；只公布申请人姓名、家庭成员数量、拟保障金额和村（社区）。"""
    return counter.answer(await service.open_notice(counter.desk, counter.application_id, counter.expected, _note(body)))


@router.post("/close-notice", summary="结束公示", dependencies=[IDEMPOTENT])
async def close_notice(counter: CounterDep, _actor: ApplicantsSide, body: ActNote | None = None) -> ActAnswer:
    """公示期满后结束公示，报送确认；未满时返回 409 `notice_period_running` 和最早可办日期。"""
    return counter.answer(await service.close_notice(counter.desk, counter.application_id, counter.expected, _note(body)))


@router.post("/confirm", summary="确认", dependencies=[IDEMPOTENT])
async def confirm(counter: CounterDep, _actor: Decider, body: ActNote | None = None) -> ActAnswer:
    """由提出初审意见者以外的人办理。按决定日重新测算，与初审意见不同时返回 409 `assessment_changed`；
    确认之日下月起保障。确认权已下放的，由站长办理。
    """
    return counter.answer(await service.confirm(counter.desk, counter.application_id, counter.expected, _note(body)))


@router.post("/refuse", summary="不予确认", dependencies=[IDEMPOTENT])
async def refuse(counter: CounterDep, _actor: Decider, body: RefusalNote | None = None) -> ActAnswer:
    """初审拟不予保障的以测算理由为准，不公示；初审拟予保障的须写明理由。自决定之日起 3 个工作日内书面告知申请人。"""
    return counter.answer(
        await service.refuse(counter.desk, counter.application_id, counter.expected, body.reason if body else None)
    )


@router.post("/withdraw", summary="撤回", dependencies=[IDEMPOTENT])
async def withdraw(counter: CounterDep, _actor: ApplicantsSide, body: ActNote | None = None) -> ActAnswer:
    """申请人在决定作出以前撤回申请；正在公示的同时撤下公示。"""
    return counter.answer(await service.withdraw(counter.desk, counter.application_id, counter.expected, _note(body)))
