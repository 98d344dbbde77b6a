"""Evidence of an inspection: photographs and scans, kept under seal with the digest of their content."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath
from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Request, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.audit import AuditEntry
from app.dependencies import AuditDep, ClockDep, RuntimeDep, SessionDep
from app.domain.access import Actor, AreaScope
from app.domain.errors import FieldError, Malformed, NotFound
from app.files import FileStore
from app.files.multipart import Upload
from app.idempotency import IDEMPOTENT
from app.routers.models import ApiModel
from app.routers.route import api_router
from app.routers.upload_route import upload_of, upload_router
from app.routers.v1.inspection_access import AcceptanceDep, EvidenceReader, EvidenceSender
from app.runtime import Runtime

uploads = upload_router("站点验收")
router = api_router("站点验收")

MAX_BYTES = 10 << 20
#: What a file of each kind begins with: the content decides, whatever its name and the sender claim.
BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "application/pdf": (b"%PDF-",),
}
#: What names and senders call them; a name or a claim that says otherwise is a mix-up, or worse.
ENDINGS = {"image/jpeg": (".jpg", ".jpeg", ".jfif"), "image/png": (".png",), "application/pdf": (".pdf",)}
KINDS = {"image/jpeg": "JPEG 图片", "image/png": "PNG 图片", "application/pdf": "PDF"}
UNCLAIMED = {"", "application/octet-stream"}
ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "application/x-pdf": "application/pdf",
}
FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "additionalProperties": False,
    "properties": {"file": {"type": "string", "format": "binary", "description": "JPEG、PNG 图片或 PDF，至多 10 MB"}},
}
BODY = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM}}}}


class EvidenceOut(ApiModel):
    """一份证据。"""

    id: UUID
    name: str
    media_type: str
    size_bytes: int
    sha256: str = Field(description="内容的 SHA-256，可据以核对未被改动")


@uploads.post(
    "/inspections/{inspection_id}/evidence",
    status_code=201,
    summary="上传证据",
    dependencies=[IDEMPOTENT],
    openapi_extra=BODY,
)
async def upload_evidence(
    inspection_id: UUID,
    request: Request,
    session: SessionDep,
    runtime: RuntimeDep,
    desk: AcceptanceDep,
    trail: AuditDep,
    actor: EvidenceSender,
    clock: ClockDep,
    response: Response,
) -> EvidenceOut:
    """照片或扫描件加密保存，站点和检查组都能查看；填写自评、检查结论或整改结果时引用其编号。"""
    inspection = await desk.records.get_inspection(actor.scope, inspection_id)
    kept = await keep_evidence(upload_of(request), session, runtime, actor, inspection.area_code, clock.now)
    await trail.record(AuditEntry("inspection.evidence", "inspection", inspection.id, inspection.area_code))
    response.headers["Location"] = f"/api/v1/evidence-files/{kept.id}"
    return kept


async def keep_evidence(
    upload: Upload, session: AsyncSession, runtime: Runtime, actor: Actor, area_code: str, now: datetime
) -> EvidenceOut:
    """Keeps evidence about the station of a sub-district, whose own it becomes, so that both sides see it."""
    media_type = _checked(upload)
    kept = await FileStore(runtime.cipher).keep(
        AreaScope(actor.district, area_code),
        session,
        upload.spool,
        purpose="evidence",
        name=upload.file_name,
        media_type=media_type,
        by=actor.id,
        now=now,
    )
    return EvidenceOut(id=kept.id, name=kept.name, media_type=media_type, size_bytes=kept.size_bytes, sha256=kept.sha256)


def _checked(upload: Upload) -> str:
    """The media type that the content itself shows. Raises Malformed."""
    if upload.file_field != "file" or upload.fields:
        raise _refused("required", "请只提交一个名为 file 的文件。")
    if not upload.spool.size_bytes:
        raise _refused("file_empty", "文件没有内容，请核对是否选错了文件。")
    if upload.spool.size_bytes > MAX_BYTES:
        raise _refused("file_too_large", f"证据文件至多 {MAX_BYTES >> 20} MB，请压缩后重新上传。")
    found = next((kind for kind, beginnings in BEGINNINGS.items() if upload.spool.head.startswith(beginnings)), None)
    if found is None:
        raise _refused("file_type", "证据只接受 JPEG、PNG 图片或 PDF，请转换后重新上传。")
    ending = PurePath(upload.file_name).suffix.lower()
    claimed = ALIASES.get(upload.media_type, upload.media_type)
    if ending and ending not in ENDINGS[found]:
        raise _contradicts(found, ending)
    if claimed not in UNCLAIMED | {found}:
        raise _contradicts(found, claimed)
    return found


def _contradicts(found: str, said: str) -> Malformed:
    text = f"文件内容是 {KINDS[found]}，与名称或声明的类型“{said[:50]}”不符，请核对是否选错了文件。"
    return _refused("file_type_contradicts", text)


def _refused(code: str, message: str) -> Malformed:
    return Malformed("malformed_request", "上传内容有误，请按 errors 更正。", errors=[FieldError("/file", code, message)])


@router.get(
    "/evidence-files/{file_id}",
    summary="查看证据",
    response_class=Response,
    responses={200: {"description": "原文件", "content": {media_type: {} for media_type in BEGINNINGS}}},
)
async def get_evidence(
    file_id: UUID, session: SessionDep, runtime: RuntimeDep, trail: AuditDep, actor: EvidenceReader
) -> Response:
    """图片或 PDF 原件；查看记入审计。"""
    store = FileStore(runtime.cipher)
    kept = await store.get(actor.scope, session, file_id)
    if kept.purpose != "evidence":
        raise NotFound("file_missing", "该文件已不再保存，或不在您的辖区内。")
    content = b"".join([part async for part in store.read(actor.scope, session, file_id)])
    await trail.record(AuditEntry("inspection.evidence_read", "stored_file", file_id, actor.area))
    disposition = f"inline; filename*=UTF-8''{quote(kept.name)}"
    headers = {"Content-Disposition": disposition, "Cache-Control": "private, no-store"}
    return Response(content, media_type=kept.media_type, headers=headers)
