"""Signing in and out (contract §3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Form, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.accounts import codes
from app.accounts.client_signin import ASSERTION_TYPE, ClientSignIn, client_of_basic, invalid_client
from app.accounts.own import sign_out
from app.accounts.sessions import Grant
from app.accounts.signin import SignIn
from app.codes import publish
from app.dependencies import AnyActor, AuditDep, ClaimsDep, RuntimeDep, SessionDep
from app.domain.errors import BadRequest, FieldError, Malformed
from app.routers.models import ApiModel
from app.routers.route import api_router
from app.runtime import Runtime

router = api_router("登录", "/auth")
publish("error", codes.ERRORS)
publish("field_error", codes.FIELD_ERRORS)

MAX_TOKEN_CHARACTERS = 4096


def _one_of_the_grants(schema: dict[str, Any]) -> None:
    """Published per grant, so that a generated caller sends what belongs together; checked below, with texts of our own."""
    required = {
        "password": ["username", "password"],
        "refresh_token": ["refresh_token"],
        "client_credentials": [],
    }
    schema["properties"]["grant_type"]["enum"] = list(required)
    schema["anyOf"] = [
        {"properties": {"grant_type": {"const": grant}}, "required": ["grant_type", *fields]}
        for grant, fields in required.items()
    ]


class TokenForm(ApiModel):
    """登录表单（OAuth 2.0，application/x-www-form-urlencoded）。"""

    model_config = ConfigDict(json_schema_extra=_one_of_the_grants)

    grant_type: str = Field(max_length=50, description="password、refresh_token 或 client_credentials")
    username: str | None = Field(default=None, max_length=200, description="工作人员用户名（不分大小写）")
    password: str | None = Field(default=None, max_length=1000, description="口令", json_schema_extra={"format": "password"})
    refresh_token: str | None = Field(default=None, max_length=MAX_TOKEN_CHARACTERS, description="上次得到的刷新令牌，只能用一次")
    client_id: str | None = Field(default=None, max_length=200, description="部门客户端编号")
    client_secret: str | None = Field(default=None, max_length=1000, description="部门客户端密钥；也可用 HTTP Basic 传送")
    client_assertion_type: str | None = Field(default=None, max_length=200, description=f"用签名验证时为 {ASSERTION_TYPE}")
    client_assertion: str | None = Field(default=None, max_length=MAX_TOKEN_CHARACTERS, description="客户端签名（RFC 7523）")
    scope: str | None = Field(default=None, max_length=1000, description="不使用；权限由岗位和辖区决定")


class TokenAnswer(BaseModel):
    """登录结果。"""

    access_token: str = Field(description="访问令牌，放在 Authorization: Bearer 请求头中")
    refresh_token: str | None = Field(default=None, description="刷新令牌，只能用一次；部门客户端没有")
    token_type: str = "bearer"  # noqa: S105  (the word of the standard)
    expires_in: int = Field(description="访问令牌的有效秒数")


@router.post("/token", summary="登录：换取访问令牌", response_model_exclude_none=True)
async def issue_token(
    request: Request, response: Response, runtime: RuntimeDep, form: Annotated[TokenForm, Form()]
) -> TokenAnswer:
    """公开。三种方式：

    - `password`：工作人员用户名和口令。连续失败达到上限后暂时锁定（429，`Retry-After`），用户名是否存在都一样。
    - `refresh_token`：用刷新令牌换新的一对令牌。**每个刷新令牌只能用一次**，没有宽限：再次使用（包括同时发出的两次）
      视为被盗用，该次登录的全部令牌立即失效，须重新登录。续期不延长登录总时长。
    - `client_credentials`：部门客户端，用 `client_secret`（表单或 HTTP Basic）或 `private_key_jwt`（ES256，`aud` 为本地址，
      有效期不超过 5 分钟，`jti` 只能用一次）。不返回 `refresh_token`。
    """
    grant = GRANTS.get(form.grant_type)
    if grant is None:
        text = "不支持该 grant_type，请用 password、refresh_token 或 client_credentials。"
        raise BadRequest("unsupported_grant_type", text)
    granted = await grant(runtime, form, request)
    response.headers["Cache-Control"] = "no-store"
    return TokenAnswer(access_token=granted.access_token, refresh_token=granted.refresh_token, expires_in=granted.expires_in)


@router.post("/logout", status_code=204, summary="退出登录")
async def logout(session: SessionDep, actor: AnyActor, claims: ClaimsDep, audit: AuditDep) -> None:
    """本次登录的访问令牌和刷新令牌立即全部失效。"""
    await sign_out(session, actor, claims, audit)


async def _by_password(runtime: Runtime, form: TokenForm, _request: Request) -> Grant:
    username, password = _required(form, "username", "password")
    return await SignIn(runtime).with_password(username, password)


async def _by_refresh_token(runtime: Runtime, form: TokenForm, _request: Request) -> Grant:
    (token,) = _required(form, "refresh_token")
    return await SignIn(runtime).with_refresh_token(token)


async def _by_client(runtime: Runtime, form: TokenForm, request: Request) -> Grant:
    basic = client_of_basic(request.headers.get("authorization"))
    ways = (form.client_assertion is not None, form.client_secret is not None, basic is not None)
    if sum(ways) > 1:
        text = "一次请求只能用一种客户端验证方式：密钥（表单或 HTTP Basic）或签名，请去掉多余的。"
        raise BadRequest("several_client_credentials", text)
    if form.client_assertion is not None:
        _check_assertion_type(form)
        return await ClientSignIn(runtime).with_assertion(form.client_assertion, form.client_id)
    if basic is not None and form.client_id not in (None, basic[0]):
        raise invalid_client()
    client_id, secret = basic or _required(form, "client_id", "client_secret")
    return await ClientSignIn(runtime).with_secret(client_id, secret)


def _check_assertion_type(form: TokenForm) -> None:
    if form.client_assertion_type != ASSERTION_TYPE:
        text = f"client_assertion_type 应为 {ASSERTION_TYPE}。"
        raise Malformed("malformed_request", text, errors=[FieldError("/client_assertion_type", "unknown_value", text)])


def _required(form: TokenForm, *names: str) -> tuple[str, ...]:
    """The values of fields that this grant can't do without."""
    missing = [FieldError(f"/{name}", "required", "必填，请补充。") for name in names if getattr(form, name) is None]
    if missing:
        text = f"{form.grant_type} 方式须填 {'、'.join(names)}，请以 application/x-www-form-urlencoded 表单提交。"
        raise Malformed("malformed_request", text, errors=missing)
    return tuple(getattr(form, name) for name in names)


GRANTS: dict[str, Callable[[Runtime, TokenForm, Request], Awaitable[Grant]]] = {
    "password": _by_password,
    "refresh_token": _by_refresh_token,
    "client_credentials": _by_client,
}
