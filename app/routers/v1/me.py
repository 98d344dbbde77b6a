"""The caller's own account."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from app.accounts.lockout import Lockout
from app.accounts.own import change_own_password
from app.db.repositories.directory import get_account, get_client
from app.db.repositories.reference import area_name
from app.dependencies import AnyActor, AuditDep, ClaimsDep, RuntimeDep, SessionDep, StaffActor
from app.domain.access import Duty, Level
from app.idempotency import IDEMPOTENT
from app.routers.models import ApiModel
from app.routers.route import api_router

router = api_router("登录", "/me")


class Me(ApiModel):
    """当前登录的账号或部门客户端。"""

    id: UUID
    kind: Literal["account", "client"]
    username: str = Field(description="用户名；客户端为其编号")
    display_name: str
    level: Level
    area_code: str = Field(description="辖区的区划代码，看得到的一切都在其内")
    area_name: str
    duties: list[Duty]
    must_change_password: bool = Field(description="为 true 时须先修改口令，其他业务暂不能办理")


class PasswordChange(ApiModel):
    """修改本人口令。"""

    old_password: str = Field(min_length=1, max_length=1000, json_schema_extra={"format": "password"})
    new_password: str = Field(min_length=1, max_length=1000, json_schema_extra={"format": "password"})


@router.get("", summary="当前账号：身份、辖区、岗位")
async def get_me(session: SessionDep, actor: AnyActor) -> Me:
    """工作人员和部门客户端都可查询。"""
    account = None if actor.has(Duty.BUREAU) else await get_account(actor.scope, session, actor.id)
    name = account.display_name if account else (await get_client(actor.scope, session, actor.id)).name
    return Me(
        id=actor.id,
        kind="account" if account else "client",
        username=actor.name,
        display_name=name,
        level=actor.level,
        area_code=actor.area,
        area_name=await area_name(session, actor.area),
        duties=sorted(actor.duties),
        must_change_password=account is not None and account.must_change_password,
    )


@router.post("/password", status_code=204, summary="修改本人口令", dependencies=[IDEMPOTENT])
async def change_password(
    session: SessionDep, _actor: StaffActor, claims: ClaimsDep, audit: AuditDep, runtime: RuntimeDep, given: PasswordChange
) -> None:
    """须给出原口令。新口令至少 10 个字符，含大写字母、小写字母、数字、符号中的三类。

    本人的其他登录随即全部失效，本次登录不受影响。
    """
    settings = runtime.settings
    await change_own_password(
        session,
        claims,
        audit,
        old=given.old_password,
        new=given.new_password,
        passwords=runtime.passwords,
        lockout=Lockout(settings.lockout_failures, settings.lockout_seconds),
    )
