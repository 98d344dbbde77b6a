"""`minzheng calendar load FILE.csv`: the announced days off and make-up working days of one year."""

from __future__ import annotations

import argparse
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.commands._reference_file import add_load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


log = logging.getLogger("minzheng.calendar")


def register(subparsers: Any) -> None:
    """Add ``calendar load``."""
    add_load(subparsers, "calendar", "工作日历", "一年的日历 CSV：date,kind(workday|holiday),name", _load)


async def _load(session: AsyncSession, text: str, args: argparse.Namespace, now: datetime) -> str:
    from app.calendar_seed import parse_calendar_year
    from app.db.calendar_change import recompute_provisional_everywhere
    from app.db.repositories.reference import get_calendar, load_calendar_year

    year = parse_calendar_year(text)
    days = [(day.date, day.kind, day.name) for day in year.days]
    changed = await load_calendar_year(session, year.year, days, source=args.file.name, now=now)
    if not changed:
        return f"{year.year} 年日历与已导入的相同，未作改动。"
    recomputed = await recompute_provisional_everywhere(session, await get_calendar(session), now)
    for change in recomputed:
        log.info("deadline recomputed", extra={"application": str(change.application_id), "due_on": str(change.after.date)})
    return f"已导入 {year.year} 年日历：{len(days)} 天；重新计算了 {len(recomputed)} 个暂定时限。"
