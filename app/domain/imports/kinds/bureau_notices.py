"""What other bureaus report: deaths, detentions, warnings. A report stands whether or not its person is registered here yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from app.domain.imports.cells import Choice
from app.domain.imports.kinds.shared import CLERKS, area_code, day, id_number, in_order, name, not_in_future, text
from app.domain.imports.model import Column, Kind, RowFault
from app.domain.imports.registry import register_kind

MEASURES = {
    "custody": ("刑事拘留", "拘留"),
    "arrest": ("逮捕",),
    "prison": ("服刑", "收监", "监狱服刑"),
    "drug_rehabilitation": ("强制隔离戒毒", "强戒"),
    "other": ("其他",),
}
AREA = area_code(
    6, 9, 12, required=False, note="不填时按其登记所在地，未登记的归导入人所在辖区", aliases=("户籍区划代码", "所属区划代码")
)
RECEIVED = day("received_on", "收到日期", "通报日期", "接收日期", required=False, note="不填为导入当天")
DOCUMENT = text("document_no", "文号", "证明编号", "编号", "预警编号", length=100)
DETAIL = text("detail", "备注", "说明", length=500)


def _born_before(row: Mapping[str, Any], title: str) -> Iterable[RowFault]:
    """The ID number carries the day of birth."""
    if row["occurred_on"].strftime("%Y%m%d") < row["id_number"][6:14]:
        yield RowFault(title, "before_birth", "日期早于该身份证号的出生日期，请核对。")


def _check_death(row: Mapping[str, Any], today: date) -> Iterable[RowFault]:
    yield from not_in_future(row, today, occurred_on="死亡日期", received_on="收到日期")
    yield from _born_before(row, "死亡日期")


def _check_detention(row: Mapping[str, Any], today: date) -> Iterable[RowFault]:
    yield from not_in_future(row, today, occurred_on="羁押日期", received_on="收到日期")
    yield from _born_before(row, "羁押日期")
    yield from in_order(row, "occurred_on", "ended_on", "释放日期")


def _check_warning(row: Mapping[str, Any], today: date) -> Iterable[RowFault]:
    return not_in_future(row, today, occurred_on="预警日期", received_on="收到日期")


DEATH_NOTICES = Kind(
    code="death_notices",
    title="死亡信息",
    columns=(
        name("姓名", "死者姓名"),
        id_number(),
        day("occurred_on", "死亡日期", "死亡时间", "去世日期"),
        text("source", "来源", "来源单位", "数据来源", required=True, length=100, example="公安户籍注销"),
        DOCUMENT,
        DETAIL,
        RECEIVED,
        AREA,
    ),
    key=("id_number", "occurred_on", "area_code"),
    importers=CLERKS,
    exporters=CLERKS,
    check_row=_check_death,
    description="公安、卫健、殡葬等部门通报的死亡信息，用于核对在保人员。人员未登记的也可导入，登记后自动对上。",
)

DETENTION_NOTICES = Kind(
    code="detention_notices",
    title="羁押服刑信息",
    columns=(
        name(),
        id_number(),
        day("occurred_on", "羁押日期", "收监日期", "入所日期", "开始日期"),
        Column("category", "措施", Choice(MEASURES), required=True, aliases=("羁押类型", "类别"), example="服刑"),
        day("ended_on", "释放日期", "解除日期", "刑满日期", required=False),
        text("source", "来源", "来源单位", "数据来源", required=True, length=100, example="司法局"),
        DOCUMENT,
        DETAIL,
        RECEIVED,
        AREA,
    ),
    key=("id_number", "occurred_on", "category", "area_code"),
    importers=CLERKS,
    exporters=CLERKS,
    check_row=_check_detention,
    description="公安、司法部门通报的羁押、服刑、强制隔离戒毒信息，用于核对在保人员。",
)

WARNINGS = Kind(
    code="warnings",
    title="监测预警信息",
    columns=(
        name(),
        id_number(),
        text("category", "预警类型", "类型", required=True, length=50, example="新购车辆"),
        day("occurred_on", "预警日期", "预警时间", "发现日期"),
        text("detail", "预警内容", "内容", "备注", required=True, length=500),
        text("source", "来源", "来源单位", "数据来源", required=True, length=100, example="省低收入人口监测平台"),
        DOCUMENT,
        RECEIVED,
        AREA,
    ),
    key=("id_number", "occurred_on", "category", "area_code"),
    importers=CLERKS,
    exporters=CLERKS,
    check_row=_check_warning,
    description="低收入人口动态监测等平台下发的预警，供逐条核实处置。",
)

for _kind in (DEATH_NOTICES, DETENTION_NOTICES, WARNINGS):
    register_kind(_kind)
