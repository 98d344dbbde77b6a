"""民政工作站, their staff, and the informants (信息监督员) of the communities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from app.domain.identity import IdentityFault, parse_phone
from app.domain.imports.cells import Choice, Phone, YesNo
from app.domain.imports.kinds.shared import CLERKS, area_code, day, in_order, name, not_in_future, text
from app.domain.imports.model import Column, Kind, RowFault
from app.domain.imports.registry import register_kind

ESTABLISHMENTS = {
    "administrative": ("行政编制", "行政", "公务员"),
    "institutional": ("事业编制", "事业"),
    "other": ("其他", "编外", "聘用", "合同制", "公益性岗位"),
}
LEADERS = {"head": ("站长",), "deputy": ("副站长",)}
STATION_AREA = area_code(9, note="乡镇（街道）的 9 位代码", example="350702001")


def _check_station(row: Mapping[str, Any], today: date) -> Iterable[RowFault]:
    yield from not_in_future(row, today, opened_on="成立日期")
    if row["phone"] is not None:
        try:
            parse_phone(row["phone"])  # kept as it is written: people read it
        except IdentityFault as fault:
            yield RowFault("联系电话", fault.code, fault.message)


def _check_staff(row: Mapping[str, Any], today: date) -> Iterable[RowFault]:
    yield from not_in_future(row, today, valid_from="任职日期", filed_on="备案日期", consulted_on="征求意见日期")
    yield from in_order(row, "valid_from", "valid_until", "离任日期")
    if row["filed_on"] is not None and not row["exam_passed"]:
        yield RowFault("备案日期", "filed_without_exam", "填了备案日期，但未填考试合格；备案须在考试合格之后，请核对。")
    if row["consulted_on"] is not None and row["valid_from"] is not None and row["consulted_on"] > row["valid_from"]:
        yield RowFault("征求意见日期", "consulted_too_late", "征求意见日期晚于任职日期；人员调整须事先征求区民政局意见，请核对。")


def _check_informant(row: Mapping[str, Any], today: date) -> Iterable[RowFault]:
    yield from not_in_future(row, today, valid_from="聘任日期")
    yield from in_order(row, "valid_from", "valid_until", "解聘日期")


STATIONS = Kind(
    code="stations",
    title="民政工作站",
    columns=(
        STATION_AREA,
        text("name", "工作站名称", "站名", "名称", required=True, length=100, example="某某街道民政工作站"),
        day("opened_on", "成立日期", "设立日期", "挂牌日期"),
        text("head_post", "站长由谁担任", "站长职务", length=100, note="职务，不填为“分管领导”", example="分管领导"),
        text("deputy_post", "副站长由谁担任", "副站长职务", length=100, note="职务，不填为“社会事务科科长”"),
        text("address", "地址", "办公地址"),
        text("phone", "联系电话", "电话", length=30),
    ),
    key=("area_code",),
    importers=CLERKS,
    exporters=CLERKS,
    check_row=_check_station,
    description="各乡镇（街道）现有的民政工作站，一地一站。已撤销的站不在其中，撤站请在系统中办理。",
)

STAFF = Kind(
    code="staff",
    title="工作站人员",
    columns=(
        STATION_AREA,
        name(),
        Column("establishment", "编制", Choice(ESTABLISHMENTS), required=True, aliases=("编制性质", "身份"), example="事业编制"),
        Column("full_time", "是否专职", YesNo(), required=True, aliases=("专职",), example="是"),
        text("position", "岗位", "职务", required=True, length=100, example="民政助理员"),
        Column("leads_as", "担任站长或副站长", Choice(LEADERS), aliases=("站内职务",), note="站长、副站长，不是的留空"),
        text("education", "学历", "文化程度", length=100),
        Column("exam_passed", "考试是否合格", YesNo(), aliases=("考试合格",), note="不填为否"),
        day("filed_on", "备案日期", required=False, note="考试合格后在区（县）民政局备案的日期"),
        text("other_posts", "兼任", "兼任职务", length=100),
        day("consulted_on", "征求意见日期", required=False, note="任职前征求区（县）民政局意见的日期"),
        day("valid_from", "任职日期", "到岗日期", "开始日期"),
        day("valid_until", "离任日期", "离岗日期", required=False, note="自该日起不再任职；在岗的留空"),
    ),
    key=("area_code", "name", "valid_from"),
    importers=CLERKS,
    exporters=CLERKS,
    check_row=_check_staff,
    description="工作站人员的任职情况。同一人在同一站的任职期间不能重叠，同一时间只有一名站长、一名副站长。",
)

INFORMANTS = Kind(
    code="informants",
    title="民政信息监督员",
    columns=(
        area_code(12, note="村（社区）的 12 位代码"),
        name(),
        Column("phone", "手机号", Phone(), aliases=("电话", "联系电话", "手机"), example="13800000000", sensitive=True),
        text("badge_no", "证号", "监督员证号", "工作证号", length=100),
        day("valid_from", "聘任日期", "开始日期"),
        day("valid_until", "解聘日期", "离任日期", required=False, note="自该日起不再担任；在任的留空"),
    ),
    key=("area_code", "name", "valid_from"),
    importers=CLERKS,
    exporters=CLERKS,
    check_row=_check_informant,
    description="各村（社区）的民政信息监督员。",
)

for _kind in (STATIONS, STAFF, INFORMANTS):
    register_kind(_kind)
