"""Published codes of service items."""

from __future__ import annotations

from app.domain.service_items import refusals

ERRORS = {
    "service_list_not_found": "没有该事项清单，或不属于本区县",
    "service_item_not_found": "没有该事项，或不属于本区县",
    "service_list_backdated": "清单的施行日期早于公布之日",
    "service_request_not_found": "没有该办件，或不在您的辖区内",
    "no_service_list": "本级事项清单尚未公布或尚未生效",
    "service_item_not_listed": "生效的本级事项清单中没有该事项",
    "service_request_state": "办件所处状态不允许此操作",
    "service_request_not_yours": "办件不由您负责",
    "service_request_in_hands": "办件负责人仍在岗，不能直接接办",
    "handover_pending": "已有待接收的移交",
    "no_handover": "没有待接收的移交",
    "handover_not_yours": "移交的对象不是您",
    "handover_to_oneself": "移交对象就是本人",
    "handover_colleague_unknown": "接收人不是本窗口或所属工作站的经办人",
    "notified_already": "已一次性告知，不得再要求其他材料",
    "material_is_shared": "可共享取得的材料不得要求群众提供",
    "materials_incomplete": "必交材料尚缺",
    "nothing_asked_for": "尚未一次性告知应补材料",
    "request_is_application": "该事项按救助申请办理",
}
FIELD_ERRORS = {
    "item_repeated": "事项代码重复",
    "material_repeated": "材料重复",
    "promise_longer_than_law": "承诺时限长于法定时限",
    "article_missing": "法定时限与其条文须同时填写",
    "programme_unknown": "没有该项目代码",
    "programme_elsewhere": "该项目只能列入乡镇（街道）清单",
    "programme_repeated": "同一项目在一张清单中重复",
    "one_applicant": "申请人应且只应以一种方式填写",
    "person_elsewhere": "该人未在辖区登记",
    "phone_format": "电话格式不正确",
    "number_in_text": "文字中含有号码",
    "application_required": "须填写申请编号",
    "application_unexpected": "不应填写申请编号",
    "application_elsewhere": "申请编号不符",
    "material_unknown": "材料清单中没有该材料",
    "waiver_not_allowed": "该材料不能以此方式免交",
    "missing_reason": "待补原因与收件情况不符",
    "material_not_missing": "该材料不在待补之列",
    "period_order": "期间的起日应早于止日",
}


def registry() -> dict[str, dict[str, str]]:
    """Kind → code → Chinese text."""
    return {
        "error": ERRORS,
        "field_error": FIELD_ERRORS,
        "service_list_level": {"subdistrict": "乡镇（街道）", "village": "村", "community": "社区"},
        "service_day_unit": {"working_day": "工作日", "calendar_day": "日历日"},
        "material_waiver": {"data_sharing": "数据共享", "commitment": "告知承诺"},
        "material_supply": {"original": "提交原件或复印件", "data_sharing": "数据共享取得", "commitment": "以告知承诺代替"},
        "service_request_state": refusals.STATES,
        "missing_reason": {
            "absent": "未提交",
            "defective": "不合要求",
            "sharing_unavailable": "部门共享未能取得",
        },
        "handover_reason": {
            "other_duty": "不属本岗位职责",
            "absence": "请假外出",
            "reassignment": "岗位调整",
            "workload": "任务调配",
        },
        "refusal_ground": {
            "not_our_business": "不属受理范围",
            "conditions_not_met": "不符合办理条件",
            "not_supplemented": "逾期未补正",
            "duplicate": "重复申请",
        },
        "service_act": {
            "take": "受理（首问）",
            "hand-over": "提出移交",
            "accept-handover": "接收移交",
            "decline-handover": "退回移交",
            "recall-handover": "撤回移交",
            "take-over": "直接接办",
            "notify-missing": "一次性告知",
            "record-supplement": "收到补正",
            "finish": "办结",
            "refuse": "不予受理",
            "withdraw": "撤回",
        },
    }
