"""The published codes of the policy desk with their Chinese text."""

from __future__ import annotations

SET_STATUS: dict[str, str] = {"draft": "草案", "active": "现行", "superseded": "已被取代"}
BATCH_STATES: dict[str, str] = {"proposed": "待批准", "approved": "已批准", "cancelled": "已作废"}
ERRORS: dict[str, str] = {
    "adjustment_batch_not_found": "没有该提标批次，或不在您的辖区内",
    "adjustment_batch_open": "该参数集已有提标批次",
    "adjustment_batch_settled": "该提标批次已批准或作废",
    "amounts_changed_since": "提标编制之后有待遇金额变动",
    "batch_has_no_items": "没有需要调整的待遇",
    "changes_before_effective_date": "草案改动了施行日以前的取值",
    "effective_date_missing": "草案没有施行日",
    "no_active_set": "该区划没有现行参数集",
    "not_effective_yet": "未到施行日",
    "own_adjustment_batch": "不能批准自己编制的提标批次",
    "own_policy_set": "不能签批自己编制的参数集",
    "parameter_overlap": "同一参数的取值期间重叠",
    "set_changed_meanwhile": "测算过程中草案内容有变动",
    "set_not_active": "该参数集不是现行参数集",
    "set_not_draft": "只有草案可以改动",
    "set_not_found": "没有该参数集，或不在您的辖区内",
    "sign_off_missing": "尚未由他人签批",
    "simulation_incomplete": "测算范围不完整",
    "simulation_not_finished": "测算尚未完成",
    "simulation_not_found": "没有该测算，或不在您的辖区内",
    "simulation_of_other_content": "测算不是按草案现在的内容作出的",
    "simulation_outdated": "测算之后现行参数集已变更",
}
FIELD_ERRORS: dict[str, str] = {
    "before_effective_date": "早于参数集的施行日",
    "no_areas": "没有任何区划的参数",
}


def registry() -> dict[str, dict[str, str]]:
    return {"error": ERRORS, "field_error": FIELD_ERRORS, "policy_set_status": SET_STATUS, "adjustment_batch_state": BATCH_STATES}
