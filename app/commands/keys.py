"""`minzheng keys`: make, rotate, retire and list the keys. Secrets are never printed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from app.security.keys import KeyFileRefused, KeyKind, KeyRing, Profile
from app.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

BACKUP = "请立即把密钥文件另行备份（与数据库备份分开存放）：丢失密钥，加密的数据无法恢复。"


def register(subparsers: Subparsers) -> None:
    """Add `keys init | rotate | retire | list`."""
    keys = subparsers.add_parser("keys", help="签名、数据和索引密钥").add_subparsers(required=True, metavar="动作")
    init = _action(keys, "init", "生成密钥文件（已存在则拒绝）", _init)
    init.add_argument("--profile", choices=get_args(Profile), help="算法：国际或国密（默认取设置 FIELD_CIPHER）")
    rotate = _action(keys, "rotate", "换用新密钥，旧密钥继续可读", _rotate)
    rotate.add_argument("kind", nargs="?", choices=get_args(KeyKind), default="signing", help="密钥种类（默认 signing）")
    rotate.add_argument("--profile", choices=get_args(Profile), help="同时换用的算法（仅 data、index）")
    retire = _action(keys, "retire", "永久删除一个已停用的旧密钥", _retire)
    retire.add_argument("kind", choices=get_args(KeyKind), help="密钥种类")
    retire.add_argument("name", help="签名密钥的 kid，或数据、索引密钥的版本号")
    retire.add_argument("--yes", action="store_true", help="确认数据已全部重新加密、索引已重建")
    _action(keys, "list", "列出密钥（不显示密钥内容）", _list)


def _action(keys: Subparsers, name: str, summary: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser = keys.add_parser(name, help=summary)
    parser.add_argument("--key-file", type=Path, help="密钥文件（默认取设置 KEY_FILE 或 DATA_DIR/keys.json）")
    parser.add_argument("--demo", action="store_true", help="演示密钥")
    parser.set_defaults(run=lambda args: _reporting(run, args))
    return parser


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
