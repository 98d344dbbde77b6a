"""Bulk imports: sending a file, following it, taking it back."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.db.repositories.audit import AuditEntry
from app.db.repositories.identity import was_stopped
from app.db.repositories.imports import ImportRepository
from app.dependencies import (
    AuditDep,
    ClockDep,
    IfMatch,
    PageDep,
    RuntimeDep,
    SessionDep,
    check_version,
    cursor_id,
    encode_cursor,
    set_etag,
)
from app.domain.errors import FieldError, Malformed
from app.domain.imports import service
from app.domain.imports.elsewhere import WINDOW, require_not_stopped
from app.domain.imports.kinds.people import PEOPLE
from app.domain.imports.model import ImportStatus, Kind
from app.domain.imports.ports import ImportFilter, ImportOrder, ImportRun
from app.domain.imports.registry import KINDS, kind_of
from app.files import FileStore
from app.files.multipart import Upload
from app.idempotency import IDEMPOTENT
from app.ids import new_id
from app.import_profiles import find_profile, profiles
from app.jobs.imports import ImportQueue, require_nothing_built_on, take_back
from app.routers.models import Page
from app.routers.route import api_router
from app.routers.upload_route import upload_of, upload_router
from app.routers.v1.import_access import Importer, Reader, visible_run
from app.routers.v1.import_models import UPLOAD_FORM, ImportForm, ImportKindOut, ImportKinds, ImportOut
from app.settings import Settings

uploads = upload_router("批量导入", "/imports")
router = api_router("批量导入")

BODY = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": UPLOAD_FORM}}}}


@uploads.post("", status_code=202, summary="导入文件", dependencies=[IDEMPOTENT], openapi_extra=BODY)
async def start_import(
    request: Request,
    session: SessionDep,
    runtime: RuntimeDep,
    trail: AuditDep,
    actor: Importer,
    clock: ClockDep,
    response: Response,
) -> ImportOut:
    """上传后在后台读取、逐行检查并写入，请按 Location 查询进度。同一文件导入两次，第二次不会改变任何内容。"""
    upload = upload_of(request)
    form = _form_of(upload)
    kind = service.kind_named(KINDS, form.kind)
    service.require_importer(kind, actor)
    _check_profile(form, kind)
    if kind.code == PEOPLE.code:
        require_not_stopped(stopped=await was_stopped(session, actor.id, clock.now - WINDOW))
    media_type = upload.media_type or "application/octet-stream"
    kept = await FileStore(runtime.cipher).keep(
        actor.scope,
        session,
        upload.spool,
        purpose="import",
        name=upload.file_name,
        media_type=media_type,
        by=actor.id,
        now=clock.now,
    )
    order = ImportOrder(kind.code, form.mode, form.dry_run, form.profile, kept.id)
    imports, jobs = ImportRepository(session), ImportQueue(session)
    run = await service.start(imports, jobs, actor.scope, new_id(), order, actor, clock.now, clock.today)
    details = {"kind": kind.code, "mode": form.mode, "dry_run": form.dry_run, "sha256": kept.sha256, "bytes": kept.size_bytes}
    await trail.record(AuditEntry("import.start", "import", run.id, run.area_code, details=details))
    response.headers["Location"] = f"/api/v1/imports/{run.id}"
    return _shown(run, response)


def _form_of(upload: Upload) -> ImportForm:
    """Everything that is wrong with the form, in the words of every other form."""
    findings: list[Any] = []
    form = None
    try:
        form = ImportForm.model_validate(upload.fields)
    except ValidationError as error:
        findings += [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
    if upload.file_field != "file" or not upload.file_name:
        findings.append({"type": "missing", "loc": ("body", "file"), "msg": ""})
    if upload.file_field not in (None, "file"):
        findings.append({"type": "extra_forbidden", "loc": ("body", upload.file_field), "msg": ""})
    if findings or form is None:
        raise RequestValidationError(findings)
    if not upload.spool.size_bytes:
        raise _malformed("/file", "file_empty", "文件没有内容，请核对是否选错了文件。")
    return form


def _check_profile(form: ImportForm, kind: Kind) -> None:
    if form.profile is None:
        return
    profile = find_profile(form.profile)
    if profile is None or profile.kind != kind.code or "import" not in profile.directions:
        usable = [one.code for one in profiles().values() if one.kind == kind.code and "import" in one.directions]
        raise _malformed("/profile", "unknown_profile", f"没有该对照方案，此类可用：{'、'.join(usable) or '无'}。")


def _malformed(pointer: str, code: str, message: str) -> Malformed:
    return Malformed("malformed_request", "填写内容有误，请按 errors 更正。", errors=[FieldError(pointer, code, message)])


def _shown(run: ImportRun, response: Response) -> ImportOut:
    set_etag(response, run.version)
    return ImportOut.of(run)


@router.get("/imports", summary="导入列表")
async def list_imports(
    session: SessionDep,
    actor: Reader,
    page: PageDep,
    kind: Annotated[str | None, Query(max_length=50, description="只看该类")] = None,
    status: Annotated[ImportStatus | None, Query(description="只看该状态")] = None,
) -> Page[ImportOut]:
    """本人辖区内发起的导入，新的在前。"""
    imports, chosen = ImportRepository(session), ImportFilter(kind, status)
    found = await imports.list_page(actor.scope, chosen, before=cursor_id(page.after), limit=page.limit + 1)
    items = [ImportOut.of(one) for one in found[: page.limit]]
    cursor = encode_cursor(items[-1].id) if len(found) > page.limit else None
    return Page(items=items, next_cursor=cursor, total=await imports.count(actor.scope, chosen) if page.count else None)


@router.get("/imports/{import_id}", summary="导入进度和结果")
async def get_import(import_id: UUID, session: SessionDep, actor: Reader, response: Response) -> ImportOut:
    """可反复查询，或改用 `/events` 持续接收。"""
    return _shown(await visible_run(session, actor, import_id), response)


@router.post("/imports/{import_id}/undo", summary="撤销导入", dependencies=[IDEMPOTENT])
async def undo_import(
    import_id: UUID,
    session: SessionDep,
    runtime: RuntimeDep,
    trail: AuditDep,
    actor: Importer,
    clock: ClockDep,
    version: IfMatch,
    response: Response,
) -> ImportOut:
    """整批撤销：新增的删除，修改的还原。已有业务以其为依据的不能撤销（409，`built_on` 列出），结束满一年的不能撤销
    （409 `import_undo_expired`）。

    行数多的在后台办理：`phase` 为 undoing，办结后 `status` 为 undone。
    """
    run = await visible_run(session, actor, import_id, lock=True)
    kind = kind_of(run.order.kind)
    service.require_importer(kind, actor)
    check_version(version, run.version)
    service.require_undoable(run, clock.now, timedelta(days=runtime.settings.import_undo_days))
    imports = ImportRepository(session)
    if writes_much(run, runtime.settings):
        await require_nothing_built_on(runtime, session, actor.scope, run, clock.now, clock.today)
        run = await service.undo_later(imports, ImportQueue(session), actor.scope, run, actor, clock.now, clock.today)
    else:
        await take_back(runtime, session, actor.scope, run, clock.now, clock.today)
        run = await service.undone(imports, actor.scope, run.id, actor.id, clock.now)
    await trail.record(AuditEntry("import.undo", "import", run.id, run.area_code, details={"phase": run.phase}))
    return _shown(run, response)


def writes_much(run: ImportRun, settings: Settings) -> bool:
    """Whether taking an import back is more than a request should wait for."""
    return run.counts.created + run.counts.updated > settings.import_undo_inline_rows


@router.get("/import-kinds", summary="可以导入的各类数据")
async def list_kinds(actor: Reader) -> ImportKinds:
    """各类的列、必填项、填写说明，以及与其他系统文件的列名对照方案。"""
    known = profiles()
    return ImportKinds(items=[ImportKindOut.of(kind, known, allowed=actor.has(*kind.importers)) for kind in KINDS.values()])
