"""The codes of the answers about station files, for the published registry."""

from __future__ import annotations

from typing import Final

ERRORS: Final = {
    "already_ended": "已经终止",
    "contradictory_facts": "填报内容自相矛盾",
    "end_before_start": "终止日期早于开始日期",
    "informant_not_found": "没有该信息监督员，或不在您的辖区内",
    "informant_period_overlaps": "信息监督员任期重叠",
    "staff_not_found": "该工作站没有这名工作人员",
    "staff_period_overlaps": "任职期间重叠",
    "station_assessment_not_found": "没有这次评估",
    "station_closed": "工作站已撤站",
    "station_event_not_found": "没有该培训或会议记录",
    "station_event_repeated": "培训或会议重复填报",
    "station_exists": "该乡镇（街道）已有工作站",
    "station_leader_taken": "站长或副站长已有人担任",
    "station_not_open": "评估日期该工作站未设立或已撤站",
    "station_not_found": "没有该民政工作站，或不在您的辖区内",
    "station_sheet_not_found": "没有这次填报，或已撤回",
}
FIELD_ERRORS: Final = {
    "account_unknown": "没有该账号",
    "consulted_too_late": "征求意见日期晚于任职日期",
    "filed_without_exam": "未填考试合格却有备案日期",
    "leader_differs": "leader 与 leads_as 不一致",
    "month_outside_year": "月份不在预算年度内",
    "more_than_budget": "拨付合计多于预算",
    "more_than_invited": "到会人数多于应到人数",
    "more_than_total": "部分多于总数",
    "plan_without_plan": "没有应急预案却有预案日期",
}
