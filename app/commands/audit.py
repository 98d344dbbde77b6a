"""`minzheng audit verify`: checks the seal chain of the audit trail."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any

from app.settings import Settings


def register(subparsers: Any) -> None:
    """Add `audit verify`."""
    actions = subparsers.add_parser("audit", help="审计记录").add_subparsers(required=True, metavar="动作")
    verify = actions.add_parser("verify", help="核验审计封存链，指出第一条被改动的记录")
    verify.set_defaults(run=_verify)


def _verify(_args: argparse.Namespace) -> int:
    from app.runtime import open_runtime
    from app.sealing import verify

    async def check() -> int:
        async with open_runtime(Settings()) as runtime:
            outcome = await verify(runtime)
        if outcome.finding is None:
            print(f"审计链完整：{outcome.links} 环。")
            return 0
        print(f"审计链不完整（{outcome.finding.code}）：{outcome.finding.text}。请立即保全现场并报告。", file=sys.stderr)
        return 1

    return asyncio.run(check())
