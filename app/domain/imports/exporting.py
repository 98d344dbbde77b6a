"""Exports: who may take which rows out, what the file says about itself, and how values are written so that they read back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, Protocol
from uuid import UUID

from app.domain.access import Actor, AreaScope
from app.domain.calendar import SHANGHAI
from app.domain.errors import FieldError, Forbidden, Malformed, NotFound
from app.domain.imports.formulas import kept_text
from app.domain.imports.model import Cell, Kind
from app.domain.imports.profiles import Profile

Format = Literal["csv", "xlsx"]
Status = Literal["queued", "succeeded", "failed"]
Mask = Callable[[str, str], str]
"""Column name and text → what somebody may see who hasn't asked for plain values."""

#: The second sheet of our templates, which nobody has to be told was not read.
INSTRUCTIONS: Final = "填写说明"
_NOTES: Final = 2  # rows above the header
_TAKEN: Final = re.compile(r"导出人：.*；导出编号：[0-9a-f-]{36}$", re.DOTALL)
_NUMBER_LIKE: Final = re.compile(r"[0-9０-９Xx*]{7,}")


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What somebody wants: the rows of a kind in an area, as they stand on a day. ``plain``: with whole numbers."""

    kind: str
    format: Format
    area_code: str
    as_of: date
    purpose: str
    plain: bool
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class ExportRun:
    """An export on record."""

    id: UUID
    order: ExportOrder
    status: Status
    rows: int
    file_id: UUID | None
    size_bytes: int | None
    sha256: str | None
    problem: Mapping[str, Any] | None
    requested_by: UUID
    requested_by_name: str
    requested_at: datetime
    finished_at: datetime | None


class Exports(Protocol):
    """The exports on record of one transaction."""

    async def add(self, scope: AreaScope, run: ExportRun, job_id: UUID) -> None: ...

    async def get(self, scope: AreaScope, export_id: UUID) -> ExportRun: ...


def check_order(
    order: ExportOrder, kinds: Mapping[str, Kind], profiles: Mapping[str, Profile], actor: Actor, today: date
) -> Kind:
    """The kind that is wanted, when this caller may have it.

    ``Malformed`` names what isn't known; ``Forbidden`` export_duty_required; ``NotFound`` area_not_found outside his area.
    """
    kind = kinds.get(order.kind)
    if kind is None:
        known = "、".join(f"{one.code}（{one.title}）" for one in kinds.values())
        raise _malformed("/kind", "unknown_kind", f"没有该类数据，可用：{known}。")
    require_exporter(kind, actor)
    _check_profile(order, kind, profiles)
    _check_purpose(order.purpose)
    if order.as_of > today:
        raise _malformed("/as_of", "date_in_future", "截至日期不能晚于今天，请更正；导出当前数据的不必填写。")
    if not actor.scope.covers(order.area_code):
        raise NotFound("area_not_found", "没有该区划，或不在您的辖区内，请核对区划代码。")
    return kind


def require_exporter(kind: Kind, actor: Actor) -> None:
    """``Forbidden`` export_duty_required."""
    if not actor.has(*kind.exporters):
        raise Forbidden("export_duty_required", f"您的岗位不能导出“{kind.title}”，请转交负责此项工作的岗位办理。")


def _check_profile(order: ExportOrder, kind: Kind, profiles: Mapping[str, Profile]) -> None:
    if order.profile is None:
        return
    profile = profiles.get(order.profile)
    if profile is None or profile.kind != kind.code or "export" not in profile.directions:
        usable = [one.code for one in profiles.values() if one.kind == kind.code and "export" in one.directions]
        raise _malformed("/profile", "unknown_profile", f"没有该对照方案，此类可用：{'、'.join(usable) or '无'}。")


def _check_purpose(purpose: str) -> None:
    """It stands in the file and in the audit trail, so it must not repeat what it is about."""
    if not purpose.strip():
        raise _malformed("/purpose", "purpose_required", "导出须写明用途，例如“季度核对”。")
    if _NUMBER_LIKE.search(purpose):
        raise _malformed("/purpose", "purpose_has_number", "用途中请勿填写身份证号、电话等号码，请只写事由。")


def _malformed(pointer: str, code: str, message: str) -> Malformed:
    return Malformed("malformed_request", "填写内容有误，请按 errors 更正。", errors=[FieldError(pointer, code, message)])


def require_own(run: ExportRun, kind: Kind, actor: Actor) -> None:
    """A file is for whoever asked for it and said what for, as long as it is his work.

    ``Forbidden`` export_of_another, export_duty_required.
    """
    require_exporter(kind, actor)
    if run.requested_by != actor.id:
        raise Forbidden("export_of_another", "这是他人导出的文件，请自行导出并写明用途。")


# -- the file ------------------------------------------------------------------------------------------------------------------


def watermark(run: ExportRun, title: str) -> tuple[str, ...]:
    """The rows above the header: what it is, who took it when and what for, and the number it is on record under."""
    taken = run.requested_at.astimezone(SHANGHAI)
    content = "含完整号码，请妥善保管，用毕删除" if run.order.plain else "号码已脱敏"
    return (
        f"{title}（截至 {run.order.as_of.isoformat()}，区划 {run.order.area_code}，{content}）",
        f"导出人：{run.requested_by_name}；导出时间：{taken:%Y-%m-%d %H:%M}；用途：{run.order.purpose}；导出编号：{run.id}",
    )


def is_export(first_rows: Iterable[tuple[int, Sequence[Cell]]]) -> bool:
    """Whether a table begins as our exports do: such a file may well have no rows below its header."""
    return any(cells and isinstance(cells[0], str) and _TAKEN.match(cells[0]) for number, cells in first_rows if number == _NOTES)


def file_name(run: ExportRun) -> str:
    return f"{run.order.profile or run.order.kind}-{run.order.area_code}-{run.order.as_of:%Y%m%d}.{run.order.format}"


class RowWriting:
    """Rows of a kind as cells of the file: written by the kind's own columns, masked, renamed by a profile, and in a file of
    plain text kept from becoming formulas.
    """

    def __init__(self, kind: Kind, profile: Profile | None, mask: Mask | None, file_format: Format) -> None:
        self._columns = kind.columns
        self._kept = kept_text if file_format == "csv" else str
        self._profile = profile
        self._mask = mask

    def header(self) -> list[str]:
        """The titles that an import knows again."""
        return self._profile.write_header() if self._profile else [column.title for column in self._columns]

    def cells(self, row: Mapping[str, Any]) -> list[str]:
        """One row."""
        texts = {column.name: self._text(column, row.get(column.name)) for column in self._columns}
        return [self._kept(text) for text in (self._profile.write(texts) if self._profile else texts.values())]

    def _text(self, column: Any, value: Any) -> str:
        if value is None:
            return ""
        text: str = column.cell.write(value)
        return self._mask(column.name, text) if column.sensitive and self._mask is not None else text
