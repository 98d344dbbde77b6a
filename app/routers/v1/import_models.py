"""What imports look like from outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.domain.imports.codes import STATUS
from app.domain.imports.model import Column, ImportStatus, Kind, Mode
from app.domain.imports.ports import ImportRun
from app.domain.imports.profiles import Profile
from app.routers.models import ApiModel

STATUS_TEXT = "，".join(f"{code} {text}" for code, text in STATUS.items())
READING_SHARE = 0.4  # of the whole: reading and checking take about that much of the time

#: The form of the upload, for the published document: the route reads it as it comes.
UPLOAD_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["kind", "file"],
    "properties": {
        "kind": {"type": "string", "description": "导入类别，见 GET /api/v1/import-kinds"},
        "file": {"type": "string", "format": "binary", "description": "CSV（UTF-8、GB18030）或 XLSX，至多 256 MB"},
        "dry_run": {"type": "boolean", "default": False, "description": "试运行：只检查并给出每行结论，不写入"},
        "mode": {
            "type": "string",
            "enum": ["upsert", "insert"],
            "default": "upsert",
            "description": "upsert 新增或更新，insert 只新增",
        },
        "profile": {"type": "string", "description": "列名对照方案，见 GET /api/v1/import-kinds；不填则按模板的列名"},
    },
}


class ImportForm(ApiModel):
    """The text fields of an upload."""

    kind: str = Field(max_length=50)
    dry_run: bool = False
    mode: Mode = "upsert"
    profile: str | None = Field(default=None, max_length=50)


class Problem(BaseModel):
    """整个文件未能导入的原因。"""

    code: str
    detail: str = Field(description="中文说明，含下一步怎么办")


class Notice(BaseModel):
    """关于整个文件的提示，不影响导入。"""

    code: str
    message: str


class FileFacts(BaseModel):
    """上传的文件。"""

    name: str
    size_bytes: int
    facts: dict[str, Any] | None = Field(default=None, description="识别出的格式、编码、工作表等；读取之后给出")


class ImportOut(BaseModel):
    """一次导入。"""

    id: UUID
    area_code: str = Field(description="发起人的辖区：每一行都须在此范围内")
    kind: str
    status: ImportStatus = Field(description=STATUS_TEXT)
    phase: str = Field(description="reading 读取和检查，applying 写入，undoing 撤销中，finished 已结束")
    dry_run: bool
    mode: Mode
    profile: str | None
    file: FileFacts
    rows_total: int = Field(description="数据行数；读取过程中为已读行数")
    rows_ok: int = Field(description="已导入（试运行：可以导入）的行数")
    rows_rejected: int = Field(description="未导入的行数，逐行原因见 errors")
    rows_created: int
    rows_updated: int
    rows_unchanged: int
    progress: float = Field(ge=0, le=1, description="进度，0 至 1")
    notices: list[Notice]
    problem: Problem | None = Field(description="status 为 failed，或撤销未成时的原因")
    requested_by_name: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    undone_at: datetime | None

    @classmethod
    def of(cls, run: ImportRun) -> ImportOut:
        counts = run.counts
        return cls(
            id=run.id,
            area_code=run.area_code,
            kind=run.order.kind,
            status=run.status,
            phase=run.phase,
            dry_run=run.order.dry_run,
            mode=run.order.mode,
            profile=run.order.profile,
            file=FileFacts(name=run.file_name, size_bytes=run.file_bytes, facts=(run.layout or {}).get("file")),
            rows_total=run.rows_total,
            rows_ok=counts.ok,
            rows_rejected=counts.rejected,
            rows_created=counts.created,
            rows_updated=counts.updated,
            rows_unchanged=counts.unchanged,
            progress=progress_of(run),
            notices=[Notice(code=one["code"], message=one["message"]) for one in run.notices],
            problem=Problem(**run.problem) if run.problem else None,
            requested_by_name=run.requested_by_name,
            requested_at=run.requested_at,
            started_at=run.started_at,
            finished_at=run.finished_at,
            undone_at=run.undone_at,
        )


def progress_of(run: ImportRun) -> float:
    if run.is_finished:
        return 1.0
    if run.phase == "reading":
        read = run.bytes_read / run.file_bytes if run.file_bytes else 0.0
        return round(READING_SHARE * min(read, 1.0), 4)
    return round(READING_SHARE + (1 - READING_SHARE) * run.parts_done / max(run.parts, 1), 4)


class FaultOut(BaseModel):
    """一处错误。"""

    column: str | None = Field(description="出错的列；为 null 时是整行的问题")
    code: str
    message: str = Field(description="中文说明，含怎样更正")


class RejectedRowOut(BaseModel):
    """一行未导入的数据；敏感内容已遮盖，原样见 errors.csv。"""

    row: int = Field(description="行号，与电子表格中显示的一致；CSV 按记录计")
    cells: dict[str, str | None] = Field(description="列名 → 所填内容")
    faults: list[FaultOut]


class ColumnOut(BaseModel):
    """模板的一列。"""

    name: str
    title: str
    required: bool
    sensitive: bool
    note: str
    example: str
    aliases: list[str]

    @classmethod
    def of(cls, column: Column) -> ColumnOut:
        return cls(
            name=column.name,
            title=column.title,
            required=column.required,
            sensitive=column.sensitive,
            note=column.note,
            example="" if column.sensitive else column.example,  # a whole number, even nobody's, stands in templates only
            aliases=list(column.aliases),
        )


class ProfileOut(BaseModel):
    """与其他系统文件的列名对照。"""

    code: str
    title: str
    directions: list[Literal["import", "export"]]
    description: str


class ImportKindOut(BaseModel):
    """一类导入。"""

    code: str
    title: str
    description: str
    importers: list[str] = Field(description="可以导入的岗位")
    allowed: bool = Field(description="您是否可以导入")
    key: list[str] = Field(description="认定同一对象的列")
    columns: list[ColumnOut]
    profiles: list[ProfileOut]

    @classmethod
    def of(cls, kind: Kind, profiles: Mapping[str, Profile], *, allowed: bool) -> ImportKindOut:
        mine = [profile for profile in profiles.values() if profile.kind == kind.code]
        return cls(
            code=kind.code,
            title=kind.title,
            description=kind.description,
            importers=sorted(kind.importers),
            allowed=allowed,
            key=[kind.column(name).title for name in kind.key],
            columns=[ColumnOut.of(column) for column in kind.columns],
            profiles=[
                ProfileOut(code=one.code, title=one.title, directions=sorted(one.directions), description=one.description)
                for one in mine
            ],
        )


class ImportKinds(BaseModel):
    """各类导入。"""

    items: list[ImportKindOut]
    next_cursor: None = Field(default=None, description="一次给出全部，恒为 null")
