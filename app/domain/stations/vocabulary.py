"""The words of a fact sheet with their Chinese text, and how the free text of a schooling is read."""

from __future__ import annotations

from app.domain.stations.records import Provider

#: the eleven rules that a station keeps (S000, 五个一)
RULES: dict[str, str] = {
    "station_head_duties": "站长职责",
    "officer_duties": "干事职责",
    "service_objects": "民政对象服务制度",
    "finance": "财务管理制度",
    "visitor_reception": "来访接待制度",
    "study_training": "学习培训制度",
    "appraisal": "考核奖惩制度",
    "integrity": "勤政廉政制度",
    "convenience_measures": "便民措施",
    "service_pledge": "服务承诺",
    "emergency_plan": "应急方案",
}
SIGNAGE: dict[str, str] = {
    "station_plate": "民政工作站门牌",
    "social_affairs_office_plate": "社会事务科牌子",
    "community_service_centre_plate": "社区服务中心牌子",
    "rules_board": "工作制度牌",
    "duties_board": "工作职责牌",
    "process_board": "办事流程牌",
    "conduct_board": "行为规范牌",
    "informant_badge": "信息监督员工作胸牌",
}
#: 民政工作站门牌由区民政局统一制作；制度牌、职责牌、流程牌、行为规范牌、胸牌由各街办制作配备 (S001 三（二）)
MADE_BY_BUREAU = frozenset({"station_plate"})


def provider_of(sign: str) -> Provider:
    """Who provides a sign by the rules."""
    return "bureau" if sign in MADE_BY_BUREAU else "street"


EQUIPMENT: dict[str, str] = {
    "computer": "电脑",
    "telephone": "电话",
    "fax": "传真机",
    "printer": "打印机",
    "camera": "照相机",
    "vehicle": "交通工具",
}

BELOW_COLLEGE, COLLEGE = 0, 1
# Looked at in this order: 中等专科 and 专科 (college) share their characters, 高中 and 高职 their first.
_SCHOOLING: tuple[tuple[str, int], ...] = (
    *(
        (word, BELOW_COLLEGE)
        for word in ("中专", "中等", "中职", "中技", "技校", "职高", "职业高中", "高中", "初中", "小学", "文盲")
    ),
    *((word, COLLEGE) for word in ("大专", "专科", "高职", "大学", "本科", "学士", "研究生", "硕士", "博士")),
)


def schooling(text: str) -> int | None:
    """``COLLEGE`` for 大专 and above, ``BELOW_COLLEGE`` below, None when the text doesn't say."""
    for word, level in _SCHOOLING:
        if word in text:
            return level
    return None
