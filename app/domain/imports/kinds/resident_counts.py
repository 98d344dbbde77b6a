"""常住人口: how many people live in a community on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from app.domain.imports.cells import Whole
from app.domain.imports.kinds.shared import CLERKS, area_code, day, not_in_future, text
from app.domain.imports.model import Column, Kind, RowFault
from app.domain.imports.registry import register_kind

SOURCE = "辖区上报"


def _check(row: Mapping[str, Any], today: date) -> Iterable[RowFault]:
    yield from not_in_future(row, today, as_of="统计日期")
    if row["households"] is not None and row["households"] > row["population"]:
        yield RowFault("户数", "more_households_than_people", "户数多于人口数，请核对是否填反。")


RESIDENT_COUNTS = Kind(
    code="resident_counts",
    title="村（社区）人口数",
    columns=(
        area_code(12, note="村（社区）的 12 位代码"),
        day("as_of", "统计日期", "截止日期", "统计时间"),
        Column(
            "population",
            "人口数",
            Whole(0, 10_000_000),
            required=True,
            aliases=("常住人口", "常住人口数", "人口", "人数", "人口总数"),
            example="1853",
        ),
        Column("households", "户数", Whole(0, 10_000_000), aliases=("常住户数", "总户数"), example="620"),
        text("source", "来源", "数据来源", note=f"不填为“{SOURCE}”", example="第七次全国人口普查"),
    ),
    key=("area_code", "as_of"),
    importers=CLERKS,
    exporters=CLERKS,
    check_row=_check,
    totals=("population", "households"),
    description="各村（社区）在某一天的人口数和户数，同一村（社区）同一天只留一份。用于人均指标和站所配备标准。",
)
register_kind(RESIDENT_COUNTS)
