"""The published codes of casework with their Chinese text."""

from __future__ import annotations

from app.domain.casework.clocks import CLOCK_NAMES
from app.domain.casework.workflow import ACT_NAMES, STATE_NAMES

STATES: dict[str, str] = {state.value: name for state, name in STATE_NAMES.items()}
ACTS: dict[str, str] = {act.value: name for act, name in ACT_NAMES.items()} | {"create": "登记申请", "put-facts": "填报家庭事实"}
CLOCKS: dict[str, str] = {kind.value: name for kind, name in CLOCK_NAMES.items()}
DECISIONS: dict[str, str] = {
    "opinion": "初审意见",
    "confirmation": "确认",
    "refusal": "不予确认",
    "positive": "拟予保障",
    "negative": "拟不予保障",
    "confirmed": "予以确认",
    "refused": "不予确认",
}
ENTITLEMENT_STATES: dict[str, str] = {"active": "在保", "suspended": "暂停", "ended": "已终止"}
ERRORS: dict[str, str] = {
    "already_entitled": "该家庭已在保",
    "application_already_open": "该家庭已有同项目的申请正在办理",
    "application_not_found": "没有该申请，或不在您的辖区内",
    "assessment_changed": "决定日的测算结论与初审意见不同",
    "decision_not_found": "尚无决定",
    "entitlement_not_found": "没有该保障记录，或不在您的辖区内",
    "facts_differ_from_registry": "填报的成员与登记不一致",
    "household_changed": "家庭成员登记有变化",
    "member_already_enrolled": "有成员已在另一家庭享受同一项目",
    "needs_evidence": "还缺少作出结论所需的事实",
    "notice_already_open": "该申请正在公示",
    "notice_period_running": "公示期未满",
    "opinion_giver_may_not_decide": "提出初审意见的人不能再作确认决定",
    "wrong_state": "申请目前的状态不能办理此事项",
}
FIELD_ERRORS: dict[str, str] = {
    "differs_from_registry": "与登记不一致",
    "member_missing": "漏填家庭成员",
    "not_a_member": "不是该家庭的成员",
}
