"""`minzheng user add | disable | enable | reset-password` and `minzheng client add`: the first administrator, and emergencies.

Passwords come from a prompt or from standard input, never from the command line, which every process can read.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.domain.access import AreaScope, Duty
from app.domain.errors import DomainError, FieldError, Malformed, NotFound
from app.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.accounts.client_desk import ClientDesk
    from app.accounts.desk import AccountDesk
    from app.commands import Subparsers
    from app.db.tables.accounts import Account

BY = "minzheng"
STAFF_DUTIES = sorted(duty.value for duty in Duty if duty is not Duty.BUREAU)


def register(subparsers: Subparsers) -> None:
    """Add ``user`` and ``client``."""
    users = subparsers.add_parser("user", help="工作人员账号").add_subparsers(required=True, metavar="动作")
    add = _action(users, "add", "新建账号；口令在提示后输入，或从标准输入读一行", _add_user)
    add.add_argument("username", help="用户名：小写字母、数字、点、横线、下划线")
    add.add_argument("--name", required=True, help="姓名或称谓")
    add.add_argument("--area", required=True, help="辖区代码：6 位区县、9 位乡镇街道、12 位村（社区）")
    add.add_argument("--duty", required=True, action="append", choices=STAFF_DUTIES, help="岗位，可重复")
    _one_time(add)
    for name, summary, act in (
        ("disable", "停用账号，已有的登录立即失效", _disable_user),
        ("enable", "启用账号", _enable_user),
        ("reset-password", "重置口令，已有的登录立即失效", _reset_password),
    ):
        parser = _action(users, name, summary, act)
        parser.add_argument("username", help="用户名")
        if act is _reset_password:
            _one_time(parser)
    clients = subparsers.add_parser("client", help="部门客户端").add_subparsers(required=True, metavar="动作")
    client = _action(clients, "add", "新建部门客户端；密钥只显示这一次", _add_client)
    client.add_argument("client_id", help="客户端编号")
    client.add_argument("--name", required=True, help="部门或系统名称")
    client.add_argument("--area", required=True, help="所属区县代码，6 位")
    client.add_argument("--public-jwk", type=Path, help="对方 P-256 公钥（JWK 文件）；给出则用签名验证，不生成密钥")


Act = Callable[["AsyncSession", argparse.Namespace, Settings], Awaitable[str]]


def _action(parsers: Subparsers, name: str, summary: str, act: Act) -> argparse.ArgumentParser:
    parser = parsers.add_parser(name, help=summary)
    parser.add_argument("--data-dir", type=Path, help="内嵌数据库的数据目录（默认 .minzheng）")
    parser.set_defaults(run=lambda args: _run(act, args))
    return parser


def _one_time(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--one-time", action="store_true", help="生成一次性口令并显示，本人登录后须修改")


def _run(act: Act, args: argparse.Namespace) -> int:
    """0 when done; 1 when refused, with what to do on standard error."""
    from sqlalchemy.exc import DBAPIError

    from app.commands._database import opened_database
    from app.db.constraints import conflict_of

    try:
        if _asks(args):
            args.password = _ask_password()
        with opened_database(Settings(data_dir=args.data_dir) if args.data_dir else Settings()) as settings:
            print(asyncio.run(_in_transaction(act, args, settings)))
    except DomainError as refusal:
        return _refused(refusal.detail)
    except InputError as refusal:
        return _refused(str(refusal))
    except DBAPIError as error:
        conflict = conflict_of(error)
        return _refused(conflict.detail if conflict else "数据库无法办理，请先运行 minzheng db upgrade 并核对连接。")
    return 0


class InputError(Exception):
    """What was typed or read can't be used; the text (Chinese) says what to do."""


def _refused(detail: str) -> int:
    print(detail, file=sys.stderr)
    return 1


def _asks(args: argparse.Namespace) -> bool:
    return getattr(args, "one_time", None) is False


def _ask_password() -> str:
    """Asked for twice at a terminal; else the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first, second = getpass.getpass("口令："), getpass.getpass("再输入一次：")
    if first != second:
        raise InputError("两次输入的口令不同，请重新运行。")
    return first


async def _in_transaction(act: Act, args: argparse.Namespace, settings: Settings) -> str:
    from app.db.engine import application_url, create_engine
    from app.db.session import transaction

    engine = create_engine(application_url(settings), settings, pool_size=1, name="minzheng-accounts")
    try:
        async with transaction(engine) as session:
            return await act(session, args, settings)
    finally:
        await engine.dispose()


# --- acts ----------------------------------------------------------------------------------------------------------------


async def _add_user(session: AsyncSession, args: argparse.Namespace, settings: Settings) -> str:
    from app.accounts.desk import Particulars

    desk = _desk(session, await _scope_of(session, args.area), settings)
    given = Particulars(args.name, args.area, [Duty(duty) for duty in args.duty])
    account, password = await desk.add(args.username, given, None if args.one_time else args.password)
    return f"已新建账号 {account.username}（{args.area}）。" + _shown(args, password)


async def _disable_user(session: AsyncSession, args: argparse.Namespace, settings: Settings) -> str:
    account = await _account(session, args.username)
    await _desk(session, _scope(account), settings).disable(account.id)
    return f"账号 {account.username} 已停用，其登录立即失效。"


async def _enable_user(session: AsyncSession, args: argparse.Namespace, settings: Settings) -> str:
    account = await _account(session, args.username)
    await _desk(session, _scope(account), settings).enable(account.id)
    return f"账号 {account.username} 已启用。"


async def _reset_password(session: AsyncSession, args: argparse.Namespace, settings: Settings) -> str:
    account = await _account(session, args.username)
    desk = _desk(session, _scope(account), settings)
    _, password = await desk.reset_password(account.id, password=None if args.one_time else args.password)
    return f"账号 {account.username} 的口令已重置，其登录立即失效。" + _shown(args, password)


async def _add_client(session: AsyncSession, args: argparse.Namespace, settings: Settings) -> str:
    scope = await _scope_of(session, args.area)
    if args.area != scope.prefix:
        raise _no_such_area(args.area)
    key = _read_key(args.public_jwk) if args.public_jwk else None
    client, secret = await _client_desk(session, scope, settings).add(args.client_id, args.name, key)
    told = f"密钥（只显示这一次）：{secret}" if secret else "用对方公钥验证签名。"
    return f"已新建部门客户端 {client.client_id}（{args.area}）。{told}"


def _shown(args: argparse.Namespace, password: str) -> str:
    return f"一次性口令（只显示这一次）：{password}" if args.one_time else ""


def _read_key(path: Path) -> dict[str, Any]:
    try:
        key = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"读不了公钥文件 {path}，应为一个 JWK（JSON）。") from error
    if not isinstance(key, dict):
        raise InputError(f"公钥文件 {path} 应为一个 JWK（JSON 对象）。")
    return key


# --- desks ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Record:
    session: AsyncSession
    district: str

    async def __call__(self, entry: Any) -> None:
        from app.db.repositories.audit import write_audit

        await write_audit(self.session, [entry], None, actor_name=BY, district=self.district)


def _desk(session: AsyncSession, scope: AreaScope, settings: Settings) -> AccountDesk:
    from app.accounts.desk import AccountDesk
    from app.domain.calendar import business_date
    from app.security.passwords import Passwords

    return AccountDesk(
        scope=scope,
        session=session,
        passwords=Passwords(demo=settings.demo),
        record=_Record(session, scope.district),
        by=BY,
        own=None,
        today=business_date(datetime.now(UTC)),
    )


def _client_desk(session: AsyncSession, scope: AreaScope, settings: Settings) -> ClientDesk:
    from app.accounts.client_desk import ClientDesk
    from app.security.passwords import Passwords

    record = _Record(session, scope.district)
    return ClientDesk(scope=scope, session=session, passwords=Passwords(demo=settings.demo), record=record, by=BY)


async def _scope_of(session: AsyncSession, area_code: str) -> AreaScope:
    """The district that an area lies in, by its frozen key."""
    from app.db.repositories.reference import find_area
    from app.domain.calendar import business_date

    area = await find_area(session, area_code, business_date(datetime.now(UTC)))
    if area is None or area.district is None:
        raise _no_such_area(area_code)
    return AreaScope(area.district, area_code[:6])


def _scope(account: Account) -> AreaScope:
    return AreaScope(account.district, account.area_code)


def _no_such_area(area_code: str) -> Malformed:
    text = f"没有可设账号的区划 {area_code}，请核对代码；区划用 minzheng areas load 导入。"
    return Malformed("malformed_request", text, errors=[FieldError("/area_code", "area_not_in_force", text)])


async def _account(session: AsyncSession, username: str) -> Account:
    from app.db.repositories.accounts import find_account

    account = await find_account(session, username)
    if account is None:
        raise NotFound("account_not_found", f"没有账号 {username}，请核对用户名。")
    return account
