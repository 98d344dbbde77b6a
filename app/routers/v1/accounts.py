"""Accounts of staff, kept by the district's administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field, StringConstraints, WithJsonSchema

from app.accounts.desk import NAME_PATTERN, AccountDesk, Particulars
from app.db.repositories import directory
from app.db.repositories.directory import AccountFilter
from app.db.tables.accounts import Account
from app.dependencies import (
    STAFF,
    AuditDep,
    ClockDep,
    CurrentActor,
    IfMatch,
    PageDep,
    RequiredIfMatch,
    RuntimeDep,
    ScopeDep,
    SessionDep,
    allow,
    encode_cursor,
    set_etag,
)
from app.domain.access import Actor, Duty, Level
from app.idempotency import IDEMPOTENT
from app.routers.models import ApiModel, AreaCodeText, Page, ShortText
from app.routers.route import api_router

router = api_router("账号", "/accounts")

AdminActor = Annotated[Actor, allow(Duty.ADMIN)]
Username = Annotated[
    str,
    StringConstraints(pattern=NAME_PATTERN),
    Field(description="3 至 50 位小写字母、数字、点、横线、下划线，以字母或数字开头"),
]
StaffDuty = Annotated[Duty, WithJsonSchema({"type": "string", "enum": sorted(STAFF)})]


class AccountChange(ApiModel):
    """账号中由管理员决定的内容。"""

    display_name: ShortText = Field(description="姓名或称谓")
    area_code: AreaCodeText = Field(description="辖区：决定账号的层级和可见范围")
    duties: list[StaffDuty] = Field(min_length=1, max_length=len(STAFF), description="岗位，须与层级相符；不相容岗位不得兼任")

    def particulars(self) -> Particulars:
        return Particulars(self.display_name, self.area_code, self.duties)


class NewAccount(AccountChange):
    """新账号。"""

    username: Username


class AccountView(ApiModel):
    """一个账号。"""

    id: UUID
    username: str
    display_name: str
    level: Level
    area_code: str
    duties: list[Duty]
    must_change_password: bool = Field(description="尚在使用一次性口令")
    disabled_at: datetime | None = Field(description="停用时间；为 null 表示在用")
    created_at: datetime
    created_by: str


class AccountWithPassword(AccountView):
    """账号及其一次性口令。"""

    one_time_password: str = Field(description="只显示这一次，请当面或密封交给本人；本人首次登录后须修改")


def get_desk(
    session: SessionDep, actor: CurrentActor, scope: ScopeDep, audit: AuditDep, runtime: RuntimeDep, clock: ClockDep
) -> AccountDesk:
    return AccountDesk(
        scope=scope,
        session=session,
        passwords=runtime.passwords,
        record=audit.record,
        by=actor.name,
        own=actor.id,
        today=clock.today,
    )


DeskDep = Annotated[AccountDesk, Depends(get_desk)]


@router.post("", status_code=201, summary="新建账号", dependencies=[IDEMPOTENT])
async def add_account(_actor: AdminActor, desk: DeskDep, response: Response, given: NewAccount) -> AccountWithPassword:
    """返回一次性口令，本人须先修改口令才能办理业务。同一账号不能既是财务又是审批人，系统管理员不得兼办业务或资金（409）。"""
    account, password = await desk.add(given.username, given.particulars())
    response.headers["Location"] = f"/api/v1/accounts/{account.id}"
    set_etag(response, account.version)
    return AccountWithPassword(**_fields(account), one_time_password=password)


@router.get("", summary="本辖区账号列表")
async def list_accounts(
    session: SessionDep,
    _actor: AdminActor,
    scope: ScopeDep,
    page: PageDep,
    area_code: Annotated[AreaCodeText | None, Query(description="只列该区划及其下级的账号")] = None,
    duty: Annotated[StaffDuty | None, Query(description="只列有该岗位的账号")] = None,
    disabled: Annotated[bool | None, Query(description="true 只列已停用的，false 只列在用的")] = None,
) -> Page[AccountView]:
    """按用户名排序。"""
    only = AccountFilter(area_code, duty, disabled)
    after = str(page.after[-1]) if page.after else None
    rows = await directory.list_accounts(scope, session, only, after=after, limit=page.limit + 1)
    total = await directory.count_accounts(scope, session, only) if page.count else None
    items = [_view(row) for row in rows[: page.limit]]
    cursor = encode_cursor(items[-1].username) if len(rows) > page.limit else None
    return Page(items=items, next_cursor=cursor, total=total)


@router.get("/{account_id}", summary="账号详情")
async def get_account(
    session: SessionDep, _actor: AdminActor, scope: ScopeDep, response: Response, account_id: UUID
) -> AccountView:
    account = await directory.get_account(scope, session, account_id)
    return _answer(response, account)


@router.put("/{account_id}", summary="修改账号：姓名、辖区、岗位")
async def change_account(
    _actor: AdminActor, desk: DeskDep, response: Response, account_id: UUID, version: RequiredIfMatch, given: AccountChange
) -> AccountView:
    """岗位或辖区有变时，该账号已有的登录立即失效。不能修改自己的岗位和辖区（409）。"""
    return _answer(response, await desk.change(account_id, version, given.particulars()))


@router.post("/{account_id}/disable", summary="停用账号", dependencies=[IDEMPOTENT])
async def disable_account(
    _actor: AdminActor, desk: DeskDep, response: Response, account_id: UUID, version: IfMatch
) -> AccountView:
    """已有的登录立即失效。不能停用自己（409）。"""
    return _answer(response, await desk.disable(account_id, version))


@router.post("/{account_id}/enable", summary="启用账号", dependencies=[IDEMPOTENT])
async def enable_account(
    _actor: AdminActor, desk: DeskDep, response: Response, account_id: UUID, version: IfMatch
) -> AccountView:
    """恢复登录（原口令仍有效），并解除登录失败锁定。"""
    return _answer(response, await desk.enable(account_id, version))


@router.post("/{account_id}/reset-password", summary="重置口令", dependencies=[IDEMPOTENT])
async def reset_password(
    _actor: AdminActor, desk: DeskDep, response: Response, account_id: UUID, version: IfMatch
) -> AccountWithPassword:
    """返回一次性口令；已有的登录立即失效，登录失败锁定解除。不能重置自己的口令（409），请用“修改本人口令”。"""
    account, password = await desk.reset_password(account_id, version)
    set_etag(response, account.version)
    return AccountWithPassword(**_fields(account), one_time_password=password)


def _answer(response: Response, account: Account) -> AccountView:
    set_etag(response, account.version)
    return _view(account)


def _view(account: Account) -> AccountView:
    return AccountView(**_fields(account))


def _fields(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in AccountView.model_fields}
