"""The published codes of single kinds with their Chinese text: what is wrong with a row."""

from __future__ import annotations

ROW_FAULTS: dict[str, str] = {
    "before_birth": "早于出生日期",
    "conflicting_data": "与已有数据冲突",
    "date_in_future": "晚于今天",
    "filed_without_exam": "备案须在考试合格之后",
    "more_households_than_people": "户数多于人口数",
    "later_record_differs": "与发证日期之后的登记不一致",
    "name_differs": "姓名与登记的不一致",
    "period_reversed": "结束早于开始",
    "person_unknown": "辖区内没有登记此人",
    "station_unknown": "没有登记民政工作站",
}
#: Why the database refuses a row; the texts of the faults say more.
ERRORS: dict[str, str] = {
    "official_elsewhere": "此人已在其他辖区备案",
}
#: The same of single rows: a row is refused under the code of the constraint that refused it.
REFUSED_ROWS: dict[str, str] = ERRORS | {
    "informant_period_overlaps": "信息监督员任期重叠",
    "staff_period_overlaps": "任职期间重叠",
    "station_exists": "该乡镇（街道）已有工作站",
    "station_leader_taken": "站长或副站长已有人担任",
}


def registry() -> dict[str, dict[str, str]]:
    return {"error": ERRORS, "import_row_fault": ROW_FAULTS | REFUSED_ROWS}
