"""`minzheng keys`: make, rotate, retire and list the keys. Secrets are never printed."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from app.security.keys import KeyFileRefused, KeyKind, KeyRing, Profile
from app.settings import Settings

if TYPE_CHECKING:
    from app.runtime import Runtime

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

BACKUP = "请立即把密钥文件另行备份（与数据库备份分开存放）：丢失密钥，加密的数据无法恢复。"


def register(subparsers: Subparsers) -> None:
    """Add `keys init | rotate | reindex | reencrypt | status | retire | list`."""
    keys = subparsers.add_parser("keys", help="签名、数据和索引密钥").add_subparsers(required=True, metavar="动作")
    init = _action(keys, "init", "生成密钥文件（已存在则拒绝）", _init)
    init.add_argument("--profile", choices=get_args(Profile), help="算法：国际或国密（默认取设置 FIELD_CIPHER）")
    rotate = _action(keys, "rotate", "换用新密钥，旧密钥继续可读", _rotate)
    rotate.add_argument("kind", nargs="?", choices=get_args(KeyKind), default="signing", help="密钥种类（默认 signing）")
    rotate.add_argument("--profile", choices=get_args(Profile), help="同时换用的算法（仅 data、index）")
    retire = _action(keys, "retire", "永久删除一个已停用的旧密钥", _retire)
    retire.add_argument("kind", choices=get_args(KeyKind), help="密钥种类")
    retire.add_argument("name", help="签名密钥的 kid，或数据、索引密钥的版本号")
    retire.add_argument("--yes", action="store_true", help="确认删除（数据和索引密钥：还会先在数据库中核对无人使用）")
    retire.add_argument("--data-dir", type=Path, help="数据目录（默认 .minzheng）")
    _database_action(keys, "reindex", "换用索引密钥后，为所有人补建当前版本的索引（可随时中断、重复运行）", _reindex)
    _database_action(keys, "reencrypt", "换用数据密钥后，用当前密钥重新加密（可随时中断、重复运行）", _reencrypt)
    _database_action(keys, "status", "按密钥版本统计加密数据和索引的条数", _status)
    _action(keys, "list", "列出密钥（不显示密钥内容）", _list)


def _action(keys: Subparsers, name: str, summary: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser = keys.add_parser(name, help=summary)
    parser.add_argument("--key-file", type=Path, help="密钥文件（默认取设置 KEY_FILE 或 DATA_DIR/keys.json）")
    parser.add_argument("--demo", action="store_true", help="演示密钥")
    parser.set_defaults(run=lambda args: _reporting(run, args))
    return parser


def _database_action(keys: Subparsers, name: str, summary: str, run: Callable[[Runtime], Awaitable[int]]) -> None:
    """An action on the database, beside the running service or without it."""
    parser = _action(keys, name, summary, lambda args: _with_database(args, run))
    parser.add_argument("--data-dir", type=Path, help="数据目录（默认 .minzheng）")


def _with_database(args: argparse.Namespace, run: Callable[[Runtime], Awaitable[int]]) -> int:
    from app.commands._database import opened_database

    given = {"data_dir": args.data_dir, "key_file": args.key_file, "demo": args.demo or None}
    with opened_database(Settings(**{name: value for name, value in given.items() if value is not None})) as settings:
        return asyncio.run(_in_runtime(settings, run))


async def _in_runtime(settings: Settings, run: Callable[[Runtime], Awaitable[int]]) -> int:
    from app.runtime import open_runtime

    async with open_runtime(settings) as runtime:
        return await run(runtime)


def _reporting(run: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    try:
        return run(args)
    except KeyFileRefused as refusal:
        print(refusal, file=sys.stderr)
        return 1


def _path(args: argparse.Namespace) -> Path:
    chosen: Path | None = args.key_file
    return chosen or Settings().keys_path


def _loaded(args: argparse.Namespace) -> KeyRing:
    return KeyRing.load(_path(args), demo=args.demo or Settings().demo)


def _init(args: argparse.Namespace) -> int:
    ring = KeyRing.create(_path(args), args.profile or Settings().field_cipher, demo=args.demo)
    print(f"已生成密钥文件 {ring.path}（{ring.profile}）。{BACKUP}")
    return 0


def _rotate(args: argparse.Namespace) -> int:
    name = _loaded(args).rotate(args.kind, profile=args.profile)
    print(f"新的 {args.kind} 密钥 {name} 已启用，运行中的服务数秒内自动换用。{BACKUP}")
    return 0


def _retire(args: argparse.Namespace) -> int:
    if not args.yes:
        print("删除后不可恢复，仍用该密钥加密的数据将无法读取；确认已重新加密或重建索引后，加 --yes 再运行。", file=sys.stderr)
        return 1
    if args.kind != "signing" and _with_database(args, lambda runtime: _refuse_in_use(runtime, args.kind, args.name)):
        return 1
    _loaded(args).retire(args.kind, args.name)
    print(f"{args.kind} 密钥 {args.name} 已删除。")
    return 0


def _list(args: argparse.Namespace) -> int:
    ring = _loaded(args)
    for signing in ring.signing_keys():
        print("signing", signing.kid, "ES256", signing.created_at.isoformat(), "停用" if signing.retired_at else "在用")
    for kind, keys in (("data", ring.data_keys()), ("index", ring.index_keys())):
        for key in keys:
            print(kind, key.version, key.profile, key.created_at.isoformat(), "停用" if key.retired_at else "在用")
    return 0


async def _reindex(runtime: Runtime) -> int:
    from app import rekeying

    done = await rekeying.reindex(runtime, _tell)
    found = await rekeying.status(runtime)
    print(f"已补建 {done} 人的索引（版本 {found.index_version}）。")
    return _nothing_left({"仍只能用旧索引查到的人": found.unindexed} if found.unindexed else {})


async def _reencrypt(runtime: Runtime) -> int:
    from app import rekeying
    from app.db.repositories.rekeying import FROZEN

    done = await rekeying.reencrypt(runtime, _tell)
    found = await rekeying.status(runtime)
    print(f"已重新加密 {done} 条（密钥版本 {found.data_version}）。")
    left = found.not_under(found.data_version)
    for name in sorted(FROZEN & left.keys()):
        print(f"{name} 有 {left.pop(name)} 条为不可更改的记录，保留原密钥：请勿删除旧数据密钥。")
    return _nothing_left(left)


def _tell(progress: str) -> None:
    print(progress, flush=True)


def _nothing_left(left: dict[str, int]) -> int:
    for name, count in left.items():
        print(f"{name}：还有 {count} 条，请稍后再运行一次。", file=sys.stderr)
    return 1 if left else 0


async def _status(runtime: Runtime) -> int:
    from app import rekeying

    found = await rekeying.status(runtime)
    print(f"当前版本：data {found.data_version}，index {found.index_version}")
    for name, counts in {**found.sealed, "identity_key": found.index}.items():
        print(name, *(f"v{version}={counts[version]}" for version in sorted(counts)))
    print(f"仍只能用旧索引查到的人：{found.unindexed}")
    return 0


async def _refuse_in_use(runtime: Runtime, kind: KeyKind, name: str) -> int:
    """1 when values still need this key."""
    from app import rekeying

    found = await rekeying.status(runtime)
    if kind == "index":
        left = {"identity_key": found.unindexed} if found.unindexed else {}
    else:
        left = found.under(int(name)) if name.isdecimal() else {}
    for column, count in left.items():
        print(
            f"{column} 还有 {count} 条使用 {kind} 密钥 {name}，不能删除；请先运行 minzheng keys {_NEXT[kind]}。", file=sys.stderr
        )
    return 1 if left else 0


_NEXT = {"index": "reindex", "data": "reencrypt"}
