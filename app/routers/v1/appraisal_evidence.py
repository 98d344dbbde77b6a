"""Evidence for what is entered about a station in a year; kept and shown as that of inspections."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request, Response

from app.db.repositories.audit import AuditEntry
from app.dependencies import AuditDep, ClockDep, RuntimeDep, SessionDep
from app.idempotency import IDEMPOTENT
from app.routers.upload_route import upload_of, upload_router
from app.routers.v1.appraisal_access import DeskDep, Recorder
from app.routers.v1.evidence import BODY, EvidenceOut, keep_evidence

uploads = upload_router("年终考核")


@uploads.post(
    "/station-appraisals/{station_appraisal_id}/evidence",
    status_code=201,
    summary="上传考核证据",
    dependencies=[IDEMPOTENT],
    openapi_extra=BODY,
)
async def upload_evidence(
    station_appraisal_id: UUID,
    request: Request,
    session: SessionDep,
    runtime: RuntimeDep,
    desk: DeskDep,
    trail: AuditDep,
    actor: Recorder,
    clock: ClockDep,
    response: Response,
) -> EvidenceOut:
    """照片或扫描件加密保存，站点和区民政局都能查看；填报、调查结果和奖扣分引用其编号。"""
    station = await desk.records.get_station(actor.scope, station_appraisal_id)
    kept = await keep_evidence(upload_of(request), session, runtime, actor, station.area_code, clock.now)
    await trail.record(AuditEntry("station_appraisal.evidence", "station_appraisal", station.id, station.area_code))
    response.headers["Location"] = f"/api/v1/evidence-files/{kept.id}"
    return kept
