"""Refusals of the register of officials."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.domain.errors import Conflict, FieldError, Malformed, NotFound, PreconditionFailed


def malformed(errors: Sequence[FieldError]) -> Malformed:
    """All findings about one entry."""
    return Malformed("malformed_request", f"有 {len(errors)} 处填写有误，请按 errors 中的提示逐项更正后重新提交。", errors=errors)


def official_not_found() -> NotFound:
    return NotFound("official_not_found", "没有找到该备案对象，请核对编号；只能查看本人辖区内的。")


def relative_not_found() -> NotFound:
    return NotFound("relative_not_found", "该备案对象没有申报这名近亲属，请先读取最新名单。")


def area_not_found() -> NotFound:
    return NotFound("area_not_found", "没有找到该区划，请核对任职地的区划代码；只能登记本人辖区内的。")


def official_registered(official_id: UUID, name: str) -> Conflict:
    detail = f"该身份证号已备案（{name}），请在原记录上修改，不要重复登记。"
    return Conflict("official_registered", detail, members={"official_id": str(official_id)})


def relative_declared(name: str) -> Conflict:
    return Conflict("relative_declared", f"该身份证号已作为近亲属（{name}）申报过，请核对名单。")


def check_version(expected: int | None, actual: int) -> None:
    """Raises ``PreconditionFailed`` when the caller had read an older version; None asks for no check."""
    if expected is not None and expected != actual:
        raise PreconditionFailed("stale_version", "内容已被他人更新，请重新读取后再提交。")
