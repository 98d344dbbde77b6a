"""`minzheng policy load FILE.yaml`: a set of effective-dated policy parameters per area."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.commands._reference_file import add_load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

_STATUS_TEXT = {
    "unchanged": "与已有的参数集相同，未作改动",
    "draft": "已存为草案，经测算比对并由他人签批后方可启用",
    "active": "已启用",
}


def register(subparsers: Any) -> None:
    """Add ``policy load``."""
    parser = add_load(subparsers, "policy", "政策参数", "政策参数 YAML", _load)
    parser.add_argument("--demo", action="store_true", help="演示参数：立即启用，测算结论注明“演示参数”")


async def _load(session: AsyncSession, text: str, args: argparse.Namespace, now: datetime) -> str:
    from app.db.repositories.policy import load_policy_document

    sets = await load_policy_document(session, text, demo=args.demo, loaded_by="minzheng policy load", now=now)
    return "\n".join(f"{loaded.area_code}：{loaded.parameters} 项参数，{_STATUS_TEXT[loaded.status]}。" for loaded in sets)
