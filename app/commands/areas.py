"""`minzheng areas load FILE.csv`: administrative divisions."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.commands._reference_file import add_load
from app.domain.areas import named_parents, parse_areas
from app.domain.calendar import business_date

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


def register(subparsers: Any) -> None:
    """Add ``areas load``."""
    parser = add_load(subparsers, "areas", "行政区划", "区划 CSV：code,name,level,parent_code,kind", _load)
    parser.add_argument("--district", help="所属县（市、区）的租户代码；默认取各行代码的前六位")


async def _load(session: AsyncSession, text: str, args: argparse.Namespace, now: datetime) -> str:
    from app.db.repositories.reference import known_area_codes, load_areas

    known = await known_area_codes(session, named_parents(text), business_date(now))
    rows = parse_areas(text, known)
    changed = await load_areas(session, rows, now=now, district=args.district)
    return f"已导入 {args.file}：{len(rows)} 个区划，其中 {changed} 个新增或有变化。"
