"""The published codes of the policy desk with their Chinese text."""

from __future__ import annotations

SET_STATUS: dict[str, str] = {"draft": "草案", "active": "现行", "superseded": "已被取代"}
BATCH_STATES: dict[str, str] = {"proposed": "待批准", "approved": "已批准", "cancelled": "已作废"}
DISCOVERY_KINDS: dict[str, str] = {
    "may_be_entitled": "疑似符合条件而未享受",
    "edge_member_disabled": "低保边缘家庭新增重度残疾人，疑似可单人纳入低保",
    "no_longer_entitled": "在享受，按已知情况疑似不再符合条件",
    "drawn_after_death": "已登记死亡，仍在享受",
    "drawn_after_coming_of_age": "已满 18 周岁，仍在享受儿童福利待遇",
    "drawn_twice": "疑似重复享受基本生活保障",
}
FINDING_STATES: dict[str, str] = {"open": "待处理", "taken_up": "核实中", "dismissed": "不采用", "resolved": "情况已不存在"}
ERRORS: dict[str, str] = {
    "adjustment_batch_not_found": "没有该提标批次，或不在您的辖区内",
    "adjustment_batch_open": "该参数集已有提标批次",
    "adjustment_batch_settled": "该提标批次已批准或作废",
    "amounts_changed_since": "提标编制之后有待遇金额变动",
    "batch_has_no_items": "没有需要调整的待遇",
    "changes_before_effective_date": "草案改动了施行日以前的取值",
    "discovery_run_not_found": "没有该次排查，或不在您的辖区内",
    "effective_date_missing": "草案没有施行日",
    "finding_not_found": "没有该线索，或不在您的辖区内",
    "finding_settled": "该线索已办结或情况已不存在",
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
    return {
        "error": ERRORS,
        "field_error": FIELD_ERRORS,
        "policy_set_status": SET_STATUS,
        "adjustment_batch_state": BATCH_STATES,
        "discovery_kind": DISCOVERY_KINDS,
        "discovery_finding_state": FINDING_STATES,
    }
