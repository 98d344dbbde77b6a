"""Published codes of leads."""

from __future__ import annotations

from app.domain.leads import refusals

ERRORS = {
    "lead_not_found": "没有该线索，或不在您的辖区内",
    "lead_state": "线索所处状态不允许此操作",
    "lead_not_yours": "线索不由您负责",
    "lead_fed_back": "线索结果已反馈",
    "lead_same_handler": "移交对象就是现任负责人",
    "lead_without_informant": "线索不是信息监督员发现的",
    "lead_handler_unknown": "移交对象不是本站经办人",
}
FIELD_ERRORS = {
    "number_in_text": "文字中含有号码",
    "informant_elsewhere": "信息监督员不是本村（社区）的",
    "household_elsewhere": "家庭不在本村（社区）",
}


def registry() -> dict[str, dict[str, str]]:
    """Kind → code → Chinese text."""
    return {
        "error": ERRORS,
        "field_error": FIELD_ERRORS,
        "lead_kind": {
            "hardship": "家庭遇困",
            "emergency": "突发急难",
            "death": "死亡",
            "move": "迁移",
            "other": "其他",
        },
        "lead_state": refusals.STATES,
        "lead_outcome": {
            "application": "已启动申请",
            "record_changed": "已变更登记",
            "visited": "已走访，无须办理",
            "passed_on": "已转交有关部门",
            "unfounded": "情况不属实",
        },
    }
