"""Published codes of trainings of informants."""

from __future__ import annotations

ERRORS = {
    "training_not_found": "没有该次信息监督员培训，或不在您的辖区内",
    "certificate_not_found": "没有这份培训证书",
    "training_issued": "已发证的培训不能再修改",
    "training_not_issued": "该次培训尚未发证",
    "training_repeated": "同日、同内容的培训已登记",
    "exam_not_passed": "考试不合格，没有证书",
    "nobody_to_certify": "没有可以发证的人员",
}
FIELD_ERRORS = {
    "attendee_repeated": "人员重复列入名单",
    "attendee_elsewhere": "人员不属本站或当日不在聘期内",
    "exam_result_missing": "缺少考试结果",
    "exam_result_without_exam": "没有考试却填了结果",
}


def registry() -> dict[str, dict[str, str]]:
    """Kind → code → Chinese text."""
    return {"error": ERRORS, "field_error": FIELD_ERRORS}
