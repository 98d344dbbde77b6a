"""Trainings of informants, and the certificates issued for them."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field

from app.db.repositories.audit import AuditEntry
from app.db.repositories.trainings import TrainingRepository
from app.db.tables.trainings import TrainingCertificate
from app.db.training_desk import open_training_desk
from app.dependencies import (
    AuditDep,
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
from app.documents import certificate_pdf
from app.documents.certificate import read_certificate
from app.domain.access import Actor, AreaScope, Duty
from app.domain.calendar import SHANGHAI
from app.domain.trainings import Attendee, Training, TrainingDesk, TrainingEntry, refusals
from app.idempotency import IDEMPOTENT
from app.ids import new_id
from app.routers.models import ApiModel, Page, ShortText
from app.routers.printed import RESPONSES, KnownTag, is_known, not_modified, printed
from app.routers.route import api_router
from app.routers.v1.station_access import DeskDep, InformantReader, Keeper, Reader

router = api_router("民政工作站")

Issuer = Annotated[Actor, allow(Duty.STATION_HEAD)]
MAX_HOURS, MAX_ATTENDEES = 200, 500


async def get_training_desk(session: SessionDep, actor: CurrentActor, clock: ClockDep) -> TrainingDesk:
    return open_training_desk(session, actor, new_id, today=clock.today, now=clock.now)


async def get_trainings(session: SessionDep, clock: ClockDep) -> TrainingRepository:
    return TrainingRepository(session, clock.now)


TrainingDeskDep = Annotated[TrainingDesk, Depends(get_training_desk)]
TrainingsDep = Annotated[TrainingRepository, Depends(get_trainings)]


class AttendeeModel(ApiModel):
    """一名参加人员。"""

    informant_id: UUID = Field(description="信息监督员编号，须属本站且培训当日在聘")
    exam_passed: bool | None = Field(default=None, description="考试是否合格；没有考试的不填")


class InformantTrainingIn(ApiModel):
    """一次信息监督员培训。"""

    held_on: date = Field(description="举办日期")
    subject: ShortText = Field(description="培训内容")
    class_hours: int = Field(ge=1, le=MAX_HOURS, description="学时")
    exam: bool = Field(description="是否考试；有考试的，每人须填是否合格")
    attendees: Annotated[list[AttendeeModel], Field(min_length=1, max_length=MAX_ATTENDEES, description="参加人员")]

    def entry(self) -> TrainingEntry:
        attendees = tuple(Attendee(one.informant_id, one.exam_passed) for one in self.attendees)
        return TrainingEntry(self.held_on, self.subject, self.class_hours, self.exam, attendees)


class InformantTrainingOut(ApiModel):
    """一次信息监督员培训。"""

    id: UUID
    station_id: UUID
    area_code: str
    held_on: date
    subject: str
    class_hours: int
    exam: bool
    attendees: list[AttendeeModel]
    issued_by: str | None = Field(description="发证人；尚未发证为 null")
    issued_at: datetime | None = Field(description="发证时间；发证后记录不再修改")
    version: int

    @classmethod
    def of(cls, training: Training) -> InformantTrainingOut:
        entry, issued = training.entry, training.issued
        return cls(
            id=training.id,
            station_id=training.station_id,
            area_code=training.area_code,
            held_on=entry.held_on,
            subject=entry.subject,
            class_hours=entry.class_hours,
            exam=entry.exam,
            attendees=[AttendeeModel.model_validate(one) for one in entry.attendees],
            issued_by=issued.name if issued else None,
            issued_at=issued.at if issued else None,
            version=training.version,
        )


class TrainingCertificateOut(ApiModel):
    """一份培训证书：发证后不再改变。"""

    id: UUID
    number: str = Field(description="证书编号：工作站区划代码-年度-序号")
    training_id: UUID
    informant_id: UUID
    area_code: str
    content: dict[str, Any] = Field(description="证书所载：姓名、村（社区）、内容、日期、学时、发证单位")
    content_hash: str = Field(description="content 的 SHA-256，可据以核对")
    issued_at: datetime

    @classmethod
    def of(cls, row: TrainingCertificate) -> TrainingCertificateOut:
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


def _shown(training: Training, response: Response) -> InformantTrainingOut:
    set_etag(response, training.version)
    return InformantTrainingOut.of(training)


@router.get("/stations/{station_id}/informant-trainings", summary="信息监督员培训")
async def list_informant_trainings(
    station_id: UUID, desk: DeskDep, trainings: TrainingsDep, actor: Reader, page: PageDep
) -> Page[InformantTrainingOut]:
    """本站举办的信息监督员培训，按登记先后。"""
    await desk.stations.get(actor.scope, station_id)
    found = await trainings.list_trainings(actor.scope, station_id, after=cursor_id(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[InformantTrainingOut.of(one) for one in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await trainings.count_trainings(actor.scope, station_id) if page.count else None,
    )


@router.post(
    "/stations/{station_id}/informant-trainings", status_code=201, summary="登记信息监督员培训", dependencies=[IDEMPOTENT]
)
async def record_informant_training(
    station_id: UUID, body: InformantTrainingIn, desk: TrainingDeskDep, _actor: Keeper, response: Response
) -> InformantTrainingOut:
    """已举办的培训：日期、内容、学时、参加人员和考试结果；同日、同内容的只登记一次。"""
    training = await desk.record(station_id, body.entry())
    response.headers["Location"] = f"/api/v1/stations/{station_id}/informant-trainings/{training.id}"
    return _shown(training, response)


@router.get("/stations/{station_id}/informant-trainings/{training_id}", summary="信息监督员培训详情")
async def get_informant_training(
    station_id: UUID, training_id: UUID, desk: DeskDep, trainings: TrainingsDep, actor: Reader, response: Response
) -> InformantTrainingOut:
    """一次培训的记录。"""
    await desk.stations.get(actor.scope, station_id)
    return _shown(await trainings.get(actor.scope, station_id, training_id), response)


@router.put("/stations/{station_id}/informant-trainings/{training_id}", summary="更正信息监督员培训")
async def change_informant_training(
    station_id: UUID,
    training_id: UUID,
    body: InformantTrainingIn,
    desk: TrainingDeskDep,
    _actor: Keeper,
    version: RequiredIfMatch,
    response: Response,
) -> InformantTrainingOut:
    """整条更正；发证后不能再更正。"""
    return _shown(await desk.change(station_id, training_id, body.entry(), version), response)


@router.post("/stations/{station_id}/informant-trainings/{training_id}/issue", summary="发放培训证书", dependencies=[IDEMPOTENT])
async def issue_certificates(
    station_id: UUID, training_id: UUID, desk: TrainingDeskDep, _actor: Issuer, version: IfMatch, response: Response
) -> InformantTrainingOut:
    """由站长发证：考试合格的（没有考试的为全部参加人员）每人一份，统一编号，此后记录和证书都不再改变。"""
    return _shown(await desk.issue(station_id, training_id, version), response)


@router.get("/informants/{informant_id}/trainings", summary="信息监督员的培训证书")
async def list_training_certificates(
    informant_id: UUID, desk: DeskDep, trainings: TrainingsDep, actor: InformantReader, page: PageDep
) -> Page[TrainingCertificateOut]:
    """该信息监督员取得的证书，按发证先后。"""
    await desk.informants.get(actor.scope, informant_id)
    found = await trainings.list_certificates(actor.scope, informant_id, after=cursor_id(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[TrainingCertificateOut.of(one) for one in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await trainings.count_of_informant(actor.scope, informant_id) if page.count else None,
    )


@router.get(
    "/informants/{informant_id}/trainings/{training_id}/certificate.pdf",
    summary="下载培训证书（PDF）",
    response_class=Response,
    responses=RESPONSES,
)
async def get_certificate(
    informant_id: UUID,
    training_id: UUID,
    desk: DeskDep,
    trainings: TrainingsDep,
    trail: AuditDep,
    actor: InformantReader,
    known: KnownTag = None,
) -> Response:
    """按发证时固定的内容生成，每次相同。尚未发证或考试不合格的返回 409。"""
    await desk.informants.get(actor.scope, informant_id)
    row = await trainings.find_certificate(actor.scope, informant_id, training_id)
    if row is None:
        raise await _why_not(trainings, actor.scope, informant_id, training_id)
    certificate = read_certificate(row.content, content_hash=row.content_hash, issued_at=row.issued_at.astimezone(SHANGHAI))
    content = await asyncio.to_thread(certificate_pdf, certificate)
    if is_known(content, known):
        return not_modified(content)
    await trail.record(AuditEntry("training_certificate.download", "training_certificate", row.id, row.area_code))
    return printed(content, f"{certificate.name}培训合格证书")


async def _why_not(trainings: TrainingRepository, scope: AreaScope, informant_id: UUID, training_id: UUID) -> Exception:
    """Why there is no certificate, as far as the caller sees the training."""
    training = await trainings.find(scope, training_id)
    if training is None or training.find_attendee(informant_id) is None:
        return refusals.certificate_not_found()
    return refusals.not_issued() if training.issued is None else refusals.exam_not_passed()
