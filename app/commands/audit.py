"""`minzheng audit verify`: checks the seal chain of the audit trail."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.commands import Subparsers
    from app.settings import Settings


def register(subparsers: Subparsers) -> None:
    """Add `audit verify`."""
    actions = subparsers.add_parser("audit", help="审计记录").add_subparsers(required=True, metavar="动作")
    verify = actions.add_parser("verify", help="核验审计封存链，指出第一条被改动的记录")
    verify.add_argument("--data-dir", type=Path, help="数据目录（默认 .minzheng）")
    verify.set_defaults(run=_verify)


def _verify(args: argparse.Namespace) -> int:
    from app.commands._database import opened_database
    from app.settings import Settings

    with opened_database(Settings(data_dir=args.data_dir) if args.data_dir else Settings()) as settings:
        return asyncio.run(_check(settings))


async def _check(settings: Settings) -> int:
    from app.runtime import open_runtime
    from app.sealing import verify

    async with open_runtime(settings) as runtime:
        outcome = await verify(runtime)
    if outcome.finding is None:
        print(f"审计链完整：{outcome.links} 环。")
        return 0
    print(f"审计链不完整（{outcome.finding.code}）：{outcome.finding.text}。请立即保全现场并报告。", file=sys.stderr)
    return 1
