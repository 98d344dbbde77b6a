"""The published codes of station assessments with their Chinese text."""

from __future__ import annotations

from app.domain.stations.local_standards import STATES
from app.domain.stations.measures import MEASURES
from app.domain.stations.model import Caution, Comparator, Dimension, Grade, Undecided
from app.domain.stations.operating import OPERATING
from app.domain.stations.vocabulary import EQUIPMENT, RULES, SIGNAGE

DIMENSIONS: dict[str, str] = {
    Dimension.PREMISES: "办公场所",
    Dimension.STAFF: "工作人员",
    Dimension.FACILITIES: "办公设施",
    Dimension.RULES: "工作制度",
    Dimension.ARCHIVES: "档案资料",
    Dimension.TEAM: "队伍建设",
}
GRADES: dict[str, str] = {
    Grade.QUALIFIED: "合格",
    Grade.UNQUALIFIED: "不合格",
    Grade.UNDETERMINED: "尚不能评定",
}
UNDECIDED: dict[str, str] = {
    Undecided.FACT_MISSING: "缺少事实，请补充",
    Undecided.NOT_DEFINED: "该标准未规定",
    Undecided.NOTHING_TO_MEASURE: "没有可以衡量的对象",
    Undecided.NO_DATA: "系统尚未记录此类数据，不按零分计",
    Undecided.NO_CASES: "期内没有发生此类事项，不计入",
    Undecided.NOTHING_MANDATORY: "该方面没有必达条款，不影响总评",
}
CAUTIONS: dict[str, str] = {
    Caution.ABOVE_UPPER_END: "超过标准上限，请核对",
}
COMPARATORS: dict[str, str] = {
    Comparator.AT_LEAST: "不少于",
    Comparator.AT_MOST: "不多于",
    Comparator.WITHIN: "在区间内",
    Comparator.IS_TRUE: "应为是",
    Comparator.INCLUDES: "应包含",
}
ERRORS: dict[str, str] = {
    "contradictory_facts": "填报内容自相矛盾",
    "malformed_standard": "标准文件有误",
    "measure_not_found": "没有这个运行指标",
    "measure_without_data": "系统尚未记录该指标所需的数据",
    "no_standard_in_force": "该日没有生效的标准版本",
    "own_standard": "不能签批自己起草的标准",
    "standard_draft_not_found": "没有该标准草案",
    "standard_not_draft": "标准已签批或已撤回",
    "standard_not_found": "没有这个标准",
    "standard_retroactive": "新版本的施行日早于签批日",
    "standard_version_precedes": "标准已有更晚生效的版本",
}
FIELD_ERRORS: dict[str, str] = {
    "after_as_of": "日期晚于评估日期",
    "bands_overlap": "分档重叠",
    "bounds_reversed": "上下限颠倒",
    "comparator_unfit": "指标不能用这种比较方式",
    "days_reversed": "统计期间起止颠倒",
    "duplicate_criterion": "条款代码重复",
    "duplicate_standard": "标准代码重复",
    "limit_by_unfit": "指标不能按此分档",
    "limit_twice": "limit 和 limits 重复",
    "more_than_total": "部分多于总数",
    "name_differs": "与已有标准的名称不同",
    "outside_version": "条款期间超出所属版本",
    "period_not_over": "统计期间尚未结束",
    "periods_overlap": "版本期间重叠",
    "repeated_community": "村（社区）重复填写",
    "sum_differs": "总数与各项之和不符",
}


def registry() -> dict[str, dict[str, str]]:
    """Kind → code → Chinese text, as ``GET /api/v1/codes`` publishes it."""
    return {
        "station_dimension": dict(DIMENSIONS),
        "station_grade": dict(GRADES),
        "station_standard_state": dict(STATES),
        "station_reason": dict(UNDECIDED),
        "station_warning": dict(CAUTIONS),
        "station_comparator": dict(COMPARATORS),
        "station_measure": {code: measure.name for code, measure in MEASURES.items()},
        "station_operating_measure": {code: measure.name for code, measure in OPERATING.items()},
        "station_rule": dict(RULES),
        "station_signage": dict(SIGNAGE),
        "station_equipment": dict(EQUIPMENT),
        "error": dict(ERRORS),
        "field_error": dict(FIELD_ERRORS),
    }
