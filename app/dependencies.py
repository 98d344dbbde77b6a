"""The dependencies of every route, defined once: who calls, in which transaction, at what time, which page, which version."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, cast
from uuid import UUID

import orjson
from fastapi import Depends, Header, Query, Request, Response
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.audit import AuditTrail
from app.domain.access import Actor, AreaScope, Duty
from app.domain.calendar import SHANGHAI, iso_date
from app.domain.errors import (
    BadRequest,
    FieldError,
    Forbidden,
    Malformed,
    PreconditionFailed,
    PreconditionRequired,
    Unauthenticated,
)
from app.request_body import storable
from app.runtime import Runtime
from app.security.tokens import Claims

# --- the process -------------------------------------------------------------------------------------------------------


# Dependencies are coroutines even where they await nothing: FastAPI runs a plain function in a thread, a dozen to a request.


def get_runtime(request: Request) -> Runtime:
    return cast(Runtime, request.app.state.runtime)


async def _runtime(request: Request) -> Runtime:
    return get_runtime(request)


RuntimeDep = Annotated[Runtime, Depends(_runtime)]

# --- the clock ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment of a request, and the business date (Asia/Shanghai) that goes with it."""

    now: datetime

    @property
    def today(self) -> date:
        return self.now.astimezone(SHANGHAI).date()


async def get_clock(
    request: Request,
    demo_date: Annotated[
        str | None, Header(alias="X-Demo-Date", description="仅演示模式：把本次请求的业务日期设为该日（YYYY-MM-DD）。")
    ] = None,
) -> Clock:
    now = datetime.now(UTC)
    if demo_date is None:
        return Clock(now)
    if not get_runtime(request).settings.demo:
        raise BadRequest("demo_only", "X-Demo-Date 只能在演示模式下使用，请去掉该请求头。")
    day = iso_date(demo_date)
    if day is None:
        finding = FieldError("/header/X-Demo-Date", "invalid_date", "日期不正确，应为真实存在的日期，格式 YYYY-MM-DD。")
        raise Malformed("malformed_request", "X-Demo-Date 不是有效日期。", errors=[finding])
    local = now.astimezone(SHANGHAI)
    return Clock(local.replace(year=day.year, month=day.month, day=day.day).astimezone(UTC))


ClockDep = Annotated[Clock, Depends(get_clock)]

# --- the caller and the transaction ------------------------------------------------------------------------------------

bearer = OAuth2PasswordBearer(tokenUrl="/api/v1/auth/token", auto_error=False, description="短期访问令牌（ES256 JWT）")


async def get_claims(request: Request, token: Annotated[str | None, Depends(bearer)]) -> Claims:
    if token is None:
        raise Unauthenticated("token_missing", "请先登录：在 Authorization 请求头中携带 Bearer 访问令牌。")
    return get_runtime(request).tokens.verify_access_token(token)


ClaimsDep = Annotated[Claims, Depends(get_claims)]

CALLER = """
        SELECT district, username AS name, must_change_password FROM account
        WHERE id = :sub AND area_code = :area AND disabled_at IS NULL
          AND date_trunc('second', tokens_valid_from) <= to_timestamp(:iat)
        UNION ALL
        SELECT district, client_id, false FROM client
        WHERE id = :sub AND area_code = :area AND disabled_at IS NULL
          AND date_trunc('second', tokens_valid_from) <= to_timestamp(:iat)
"""
NOT_REVOKED = "NOT EXISTS (SELECT 1 FROM revoked_token WHERE jti IN (:jti, :session))"

# One round trip opens the transaction: it checks that the token still counts and puts up the walls. No row, no walls.
ENTER = text(
    f"""
    WITH caller AS ({CALLER})
    SELECT district, name, must_change_password, set_config('app.district', district, true), set_config('app.scope', :area, true)
    FROM caller WHERE {NOT_REVOKED}
    """
)


async def open_session(request: Request, claims: ClaimsDep) -> AsyncIterator[AsyncSession]:
    """The request's one transaction: committed before the answer is sent, rolled back by any raised error."""
    engine = get_runtime(request).engine
    async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
        must_change_password = await _enter(request, session, claims)
        if must_change_password and request.scope["route"].path_format not in OPEN_WITH_ONE_TIME_PASSWORD:
            raise Forbidden(
                "password_change_required", "您使用的是一次性口令，请先修改口令（POST /api/v1/me/password）再办理业务。"
            )
        request.state.session = session
        yield session


# What a one-time password, which the administrator knows too, is good for: setting one's own.
OPEN_WITH_ONE_TIME_PASSWORD = ("/api/v1/me", "/api/v1/me/password", "/api/v1/auth/logout")


async def _enter(request: Request, session: AsyncSession, claims: Claims) -> bool:
    """Puts up the walls and notes the actor; answers whether he has yet to set a password of his own."""
    values = {
        "sub": claims.subject,
        "area": claims.area,
        "iat": float(claims.issued_at),
        "jti": str(claims.jti),
        "session": str(claims.session or claims.jti),
    }
    row = (await session.execute(ENTER, values)).one_or_none()
    if row is None:
        raise Unauthenticated("token_revoked", "登录已失效（已退出、停用或重置密码），请重新登录。")
    request.state.actor = Actor(claims.subject, row.name, claims.level, claims.area, row.district, claims.duties)
    return bool(row.must_change_password)


SessionDep = Annotated[AsyncSession, Depends(open_session, scope="function")]


async def open_public_session(request: Request) -> AsyncIterator[AsyncSession]:
    """A transaction with no walls set: it sees accounts, clients and reference data only."""
    async with AsyncSession(get_runtime(request).engine, expire_on_commit=False) as session, session.begin():
        yield session


PublicSessionDep = Annotated[AsyncSession, Depends(open_public_session, scope="function")]


async def get_actor(request: Request, _session: SessionDep) -> Actor:
    return cast(Actor, request.state.actor)


CurrentActor = Annotated[Actor, Depends(get_actor)]


async def get_scope(actor: CurrentActor) -> AreaScope:
    return actor.scope


ScopeDep = Annotated[AreaScope, Depends(get_scope)]


class DutyGuard:
    """Lets only holders of one of ``duties`` through; published as ``x-duties`` in the OpenAPI document."""

    def __init__(self, *duties: Duty) -> None:
        self.duties = frozenset(duties)

    async def __call__(self, actor: CurrentActor) -> Actor:
        self.check(actor)
        return actor

    def check(self, actor: Actor) -> None:
        if not actor.has(*self.duties):
            needed = "、".join(sorted(DUTY_NAMES[duty] for duty in self.duties))
            raise Forbidden("duty_required", f"您的岗位不能办理此事项，需要：{needed}。请转交相应岗位办理。")


DUTY_NAMES: dict[Duty, str] = {
    Duty.COMMUNITY_WORKER: "村（社区）民政专干",
    Duty.STATION_CLERK: "民政工作站经办人",
    Duty.STATION_HEAD: "民政工作站站长",
    Duty.REVIEWER: "区民政局审核员",
    Duty.FINANCE: "区民政局财务",
    Duty.APPROVER: "区民政局审批人",
    Duty.TREASURY: "财政",
    Duty.DISABILITY_FEDERATION: "残联",
    Duty.INSPECTOR: "区民政局检查员",
    Duty.POLICY_OFFICER: "区民政局政策管理员",
    Duty.AUDITOR: "审计员",
    Duty.ADMIN: "系统管理员",
    Duty.BUREAU: "协查部门",
}
STAFF = tuple(duty for duty in Duty if duty is not Duty.BUREAU)


def allow(*duties: Duty) -> Any:
    """Declares who may call a route: the annotation of its ``Actor`` argument."""
    return Depends(DutyGuard(*duties))


StaffActor = Annotated[Actor, allow(*STAFF)]
AnyActor = Annotated[Actor, allow(*Duty)]


async def get_audit(session: SessionDep, actor: CurrentActor) -> AuditTrail:
    return AuditTrail(session, actor)


AuditDep = Annotated[AuditTrail, Depends(get_audit)]

# --- pages -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page of a list: how many, after which position (the sort keys of the last row seen), and whether to count."""

    limit: int
    after: tuple[Any, ...] | None
    count: bool


async def get_page(
    limit: Annotated[int, Query(ge=1, le=200, description="每页条数，默认 50，最多 200。")] = 50,
    cursor: Annotated[str | None, Query(max_length=500, description="上一页返回的 next_cursor，原样传回。")] = None,
    count: Annotated[bool, Query(description="为 true 时同时给出总数 total。")] = False,
) -> PageRequest:
    return PageRequest(limit, decode_cursor(cursor) if cursor else None, count)


PageDep = Annotated[PageRequest, Depends(get_page)]


def encode_cursor(*position: object) -> str:
    """Opaque to callers; holds the sort keys of the last row."""
    return base64.urlsafe_b64encode(orjson.dumps([str(part) for part in position])).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> tuple[str, ...]:
    try:
        position = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        position = None
    if not isinstance(position, list) or not position or not all(isinstance(part, str) and storable(part) for part in position):
        raise bad_cursor()
    return tuple(position)


def bad_cursor() -> Malformed:
    finding = FieldError("/query/cursor", "invalid_cursor", "游标无效，请从第一页重新查询。")
    return Malformed("malformed_request", "游标无效，请从第一页重新查询。", errors=[finding])


def cursor_id(after: tuple[Any, ...] | None) -> UUID | None:
    """The position of a list sorted by id."""
    if after is None:
        return None
    try:
        return UUID(after[-1])
    except ValueError as error:
        raise bad_cursor() from error


# --- versions ----------------------------------------------------------------------------------------------------------

# An ETag as we give it, or as a proxy that compresses has weakened it; people often forget the quotes.
ENTITY_TAG = re.compile(r'(?:W/)?("?)([0-9]{1,9})(?:\.[a-z]+)?\1', re.ASCII)


async def get_if_match(
    if_match: Annotated[str | None, Header(description="读取该资源时得到的 ETag；不一致时返回 412。")] = None,
) -> int | None:
    """The version named by If-Match; None when it is left out or ``*`` (whatever it is now)."""
    if if_match is None or if_match.strip() == "*":
        return None
    tags = [tag.strip() for tag in if_match.split(",")]
    versions = {int(found.group(2)) for tag in tags if (found := ENTITY_TAG.fullmatch(tag))}
    if len(versions) > 1:
        finding = FieldError("/header/If-Match", "too_many", "只能带一个 ETag：最近一次读取该资源时得到的。")
        raise Malformed("malformed_request", "If-Match 只能带一个 ETag。", errors=[finding])
    if not versions:
        raise PreconditionFailed("stale_version", "If-Match 与当前版本不符，请重新读取后再提交。")
    return versions.pop()


async def require_if_match(version: Annotated[int | None, Depends(get_if_match)], request: Request) -> int | None:
    if "if-match" not in request.headers:
        raise PreconditionRequired("if_match_required", "修改前请先读取最新内容，并在 If-Match 请求头中带上其 ETag。")
    return version


IfMatch = Annotated[int | None, Depends(get_if_match)]
RequiredIfMatch = Annotated[int | None, Depends(require_if_match)]


def check_version(expected: int | None, actual: int) -> None:
    """Raises ``stale_version`` (412) when the caller read an older version."""
    if expected is not None and expected != actual:
        raise PreconditionFailed("stale_version", "内容已被他人更新，请重新读取后再提交。")


def set_etag(response: Response, version: int, representation: str = "m") -> None:
    """ETag = row version + representation (m masked, r revealed)."""
    response.headers["ETag"] = f'"{version}.{representation}"'
