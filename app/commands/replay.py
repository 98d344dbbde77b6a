"""`minzheng decisions replay`: every stored decision computed again from its inputs and parameters; reports what drifts."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.commands import Subparsers
    from app.replaying import DriftedDecision
    from app.settings import Settings

SHOWN = 100


def register(subparsers: Subparsers) -> None:
    """Add `decisions replay`."""
    actions = subparsers.add_parser("decisions", help="已作出的决定").add_subparsers(required=True, metavar="动作")
    replay = actions.add_parser("replay", help="按原事实和原参数重算全部决定，报告不一致（宜每晚运行）；一致为 0，不一致为 1")
    replay.add_argument("--data-dir", type=Path, help="数据目录（默认 .minzheng）")
    replay.set_defaults(run=_replay)


def _replay(args: argparse.Namespace) -> int:
    from app.commands._database import opened_database
    from app.settings import Settings

    with opened_database(Settings(data_dir=args.data_dir) if args.data_dir else Settings()) as settings:
        return asyncio.run(_report(settings))


async def _report(settings: Settings) -> int:
    from app.replaying import replay_decisions
    from app.runtime import open_runtime

    async with open_runtime(settings) as runtime:
        report = await replay_decisions(runtime)
    for drifted in report.drifted[:SHOWN]:
        print(_line(drifted), file=sys.stderr)
    if not report.drifted:
        print(f"已重算 {report.replayed} 件决定，全部一致。")
        return 0
    print(
        f"已重算 {report.replayed} 件决定，{len(report.drifted)} 件不一致。请核对规则和参数的改动，未查清前勿作新的决定。",
        file=sys.stderr,
    )
    return 1


def _line(drifted: DriftedDecision) -> str:
    found = "；".join(f"{one.what}: {one.stored} → {one.replayed}" for one in drifted.drifts)
    return f"{drifted.district} {drifted.decision_id}（参数 {drifted.policy_version}，引擎 {drifted.engine_version}）{found}"
