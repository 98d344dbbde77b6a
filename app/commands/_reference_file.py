"""What the commands that load a reference file share: reading it, one transaction on the database, refusals row by row."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.domain.errors import DomainError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


#: Loads the file's text within the transaction and says in Chinese what it did.
Load = Callable[["AsyncSession", str, argparse.Namespace, datetime], Awaitable[str]]

ERRORS_SHOWN = 50


def add_load(subparsers: Any, name: str, summary: str, file_summary: str, load: Load) -> argparse.ArgumentParser:
    """Add ``NAME load FILE``; returns its parser for further options."""
    actions = subparsers.add_parser(name, help=summary).add_subparsers(required=True, metavar="动作")
    parser: argparse.ArgumentParser = actions.add_parser("load", help=f"导入{file_summary}；同一文件重复导入不会改变任何内容")
    parser.add_argument("file", type=Path, help=f"{file_summary}（UTF-8 或 GB18030）")
    parser.add_argument("--data-dir", type=Path, help="内嵌数据库的数据目录（默认 .minzheng）")
    parser.set_defaults(run=lambda args: run_load(load, args))
    return parser


def run_load(load: Load, args: argparse.Namespace) -> int:
    """0 when loaded; 1 when the file or the database refused, with the reasons on standard error."""
    try:
        told = _load_file(load, args)
    except DomainError as refusal:
        print(refusal.detail, file=sys.stderr)
        for error in refusal.errors[:ERRORS_SHOWN]:
            print(f"  {error.message}", file=sys.stderr)
        if len(refusal.errors) > ERRORS_SHOWN:
            print(f"  ……另有 {len(refusal.errors) - ERRORS_SHOWN} 处", file=sys.stderr)
        return 1
    except FileTextError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(told)
    return 0


class FileTextError(Exception):
    """The file can't be read as text; the message is Chinese and says what to do."""


def read_text(path: Path) -> str:
    """The text of a file: with a byte order mark or not, UTF-8 before GB18030, never with replaced characters."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileTextError(f"读不到文件 {path}：{error.strerror}，请核对路径和权限。") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("gb18030")
    except UnicodeDecodeError as error:
        raise FileTextError(
            f"文件 {path} 既不是 UTF-8 也不是 GB18030（第 {error.start + 1} 个字节），请另存后再导入。"
        ) from error


def _load_file(load: Load, args: argparse.Namespace) -> str:
    from app.commands._database import opened_database
    from app.settings import Settings

    text = read_text(args.file)
    with opened_database(Settings(data_dir=args.data_dir) if args.data_dir else Settings()) as settings:
        return asyncio.run(_in_transaction(load, text, args, settings))


async def _in_transaction(load: Load, text: str, args: argparse.Namespace, settings: Any) -> str:
    from app.db.engine import application_url, create_engine
    from app.db.session import transaction

    engine = create_engine(application_url(settings), settings, pool_size=1, name="minzheng-load")
    try:
        async with transaction(engine) as session:
            return await load(session, text, args, datetime.now(UTC))
    finally:
        await engine.dispose()
