"""Published codes of the acceptance."""

from __future__ import annotations

from app.domain.inspections import refusals

ERRORS = {
    "campaign_not_found": "没有该验收活动，或不在您的辖区内",
    "inspection_not_found": "没有该站点验收，或不在您的辖区内",
    "rectification_not_found": "没有该整改事项，或不在您的辖区内",
    "criterion_unknown": "所用标准没有此项指标",
    "campaign_phase": "活动所处阶段不允许此操作",
    "phase_too_early": "未到该阶段的开始日期",
    "no_stations": "没有纳入验收的站点",
    "station_not_standing": "所选站点在该日未设立或已撤销",
    "station_in_other_campaign": "站点正在另一验收活动中",
    "standard_version_gone": "所用标准的版本已不在系统中",
    "no_points_table": "没有生效的验收扣分表",
    "inspector_worked_there": "检查人员曾在该站任职，须回避",
    "not_an_inspector": "所选账号不是检查人员",
    "not_on_the_team": "不是该站的检查组成员",
    "team_missing": "尚未指定检查组",
    "inspection_state": "站点验收所处状态不允许此操作",
    "findings_missing": "还有指标没有检查结论",
    "already_signed": "已签字",
    "inspections_unfinished": "还有站点未完成验收",
    "results_undecided": "还有站点的结果未定，不能公布",
    "rectification_state": "整改事项所处状态不允许此操作",
    "results_not_published": "验收结果尚未公布",
    "document_not_frozen": "结果由较早版本公布，没有可供生成文件的固定内容",
}
FIELD_ERRORS = {
    "schedule_out_of_order": "各阶段日期先后颠倒",
    "as_of_after_end": "核实情况的日期晚于活动的结束日期",
    "rectify_by_required": "不合格的指标须写明整改期限",
    "evidence_missing": "须附证据",
    "evidence_unknown": "证据文件不存在，或不是该站的",
    "criterion_unknown": "所用标准没有此项指标",
    "criterion_repeated": "指标重复出现",
    "file_type_contradicts": "文件名或声明的类型与内容不符",
    "file_too_large": "文件过大",
    "file_type": "文件类型不符",
    "due_date_past": "整改期限须晚于今天",
}


def registry() -> dict[str, dict[str, str]]:
    """Kind → code → Chinese text."""
    return {
        "error": ERRORS,
        "field_error": FIELD_ERRORS,
        "campaign_phase": {phase.value: text for phase, text in refusals.PHASES.items()},
        "inspection_state": {state.value: text for state, text in refusals.STATES.items()},
        "rectification_state": {state.value: text for state, text in refusals.RECTIFICATION_STATES.items()},
        "acceptance_notice": {"commendation": "通报表扬", "criticism": "通报批评"},
        "escalation": {"station_head": "提请站长", "district": "提请区县"},
    }
