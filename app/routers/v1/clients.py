"""Clients: the systems of other bureaus, kept by the district's administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Body, Depends, Response
from pydantic import Field

from app.accounts.client_desk import ClientDesk
from app.db.repositories import directory
from app.db.tables.accounts import Client
from app.dependencies import (
    AuditDep,
    CurrentActor,
    IfMatch,
    PageDep,
    RuntimeDep,
    ScopeDep,
    SessionDep,
    encode_cursor,
    set_etag,
)
from app.idempotency import IDEMPOTENT
from app.routers.models import ApiModel, Page, ShortText
from app.routers.route import api_router
from app.routers.v1.accounts import AdminActor, Username

router = api_router("账号", "/clients")


class PublicJwk(ApiModel):
    """P-256 公钥（JWK，RFC 7517）。不得含私钥参数 d。"""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")
    y: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")


class Credentials(ApiModel):
    """客户端的验证方式。"""

    public_jwk: PublicJwk | None = Field(default=None, description="给出公钥则用 private_key_jwt；不给则生成密钥")

    def key(self) -> dict[str, str] | None:
        return None if self.public_jwk is None else self.public_jwk.model_dump()


class NewClient(Credentials):
    """新的部门客户端。"""

    client_id: Username
    name: ShortText = Field(description="部门或系统名称")


class ClientView(ApiModel):
    """一个部门客户端。"""

    id: UUID
    client_id: str
    name: str
    area_code: str
    authentication: Literal["client_secret", "private_key_jwt"]
    disabled_at: datetime | None = Field(description="停用时间；为 null 表示在用")
    created_at: datetime
    created_by: str


class ClientWithSecret(ClientView):
    """客户端及其密钥。"""

    client_secret: str | None = Field(description="只显示这一次，请经安全渠道交给对方；用公钥的客户端为 null")


def get_desk(session: SessionDep, actor: CurrentActor, scope: ScopeDep, audit: AuditDep, runtime: RuntimeDep) -> ClientDesk:
    return ClientDesk(scope=scope, session=session, passwords=runtime.passwords, record=audit.record, by=actor.name)


DeskDep = Annotated[ClientDesk, Depends(get_desk)]


@router.post("", status_code=201, summary="新建部门客户端", dependencies=[IDEMPOTENT])
async def add_client(_actor: AdminActor, desk: DeskDep, response: Response, given: NewClient) -> ClientWithSecret:
    """客户端属于本区县；能查询什么由数据共享协议另行规定。"""
    client, secret = await desk.add(given.client_id, given.name, given.key())
    response.headers["Location"] = f"/api/v1/clients/{client.id}"
    return _with_secret(response, client, secret)


@router.get("", summary="本区县部门客户端列表")
async def list_clients(session: SessionDep, _actor: AdminActor, scope: ScopeDep, page: PageDep) -> Page[ClientView]:
    """按客户端编号排序。"""
    after = str(page.after[-1]) if page.after else None
    rows = await directory.list_clients(scope, session, after=after, limit=page.limit + 1)
    total = await directory.count_clients(scope, session) if page.count else None
    items = [_view(row) for row in rows[: page.limit]]
    cursor = encode_cursor(items[-1].client_id) if len(rows) > page.limit else None
    return Page(items=items, next_cursor=cursor, total=total)


@router.get("/{client_uid}", summary="部门客户端详情")
async def get_client(
    session: SessionDep, _actor: AdminActor, scope: ScopeDep, response: Response, client_uid: UUID
) -> ClientView:
    return _answer(response, await directory.get_client(scope, session, client_uid))


@router.post("/{client_uid}/disable", summary="停用部门客户端", dependencies=[IDEMPOTENT])
async def disable_client(_actor: AdminActor, desk: DeskDep, response: Response, client_uid: UUID, version: IfMatch) -> ClientView:
    """已有的令牌立即失效。"""
    return _answer(response, await desk.disable(client_uid, version))


@router.post("/{client_uid}/enable", summary="启用部门客户端", dependencies=[IDEMPOTENT])
async def enable_client(_actor: AdminActor, desk: DeskDep, response: Response, client_uid: UUID, version: IfMatch) -> ClientView:
    """恢复登录，原有密钥或公钥仍有效。"""
    return _answer(response, await desk.enable(client_uid, version))


@router.post("/{client_uid}/rotate-secret", summary="更换密钥或公钥", dependencies=[IDEMPOTENT])
async def rotate_secret(
    _actor: AdminActor,
    desk: DeskDep,
    response: Response,
    client_uid: UUID,
    version: IfMatch,
    given: Annotated[Credentials | None, Body()] = None,
) -> ClientWithSecret:
    """原密钥、公钥和已有的令牌立即失效。请求体给出 public_jwk 则改用公钥，否则生成新密钥。"""
    client, secret = await desk.rotate(client_uid, version, given.key() if given else None)
    return _with_secret(response, client, secret)


def _with_secret(response: Response, client: Client, secret: str | None) -> ClientWithSecret:
    return ClientWithSecret(**_answer(response, client).model_dump(), client_secret=secret)


def _answer(response: Response, client: Client) -> ClientView:
    set_etag(response, client.version)
    return _view(client)


def _view(client: Client) -> ClientView:
    return ClientView(
        id=client.id,
        client_id=client.client_id,
        name=client.name,
        area_code=client.area_code,
        authentication="client_secret" if client.public_jwk is None else "private_key_jwt",
        disabled_at=client.disabled_at,
        created_at=client.created_at,
        created_by=client.created_by,
    )
