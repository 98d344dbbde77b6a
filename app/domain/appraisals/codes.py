"""Published codes of the year-end assessment."""

from __future__ import annotations

from app.domain.appraisals import refusals
from app.domain.appraisals.measures import DEDUCTIONS, MEASURES
from app.domain.appraisals.personnel import PersonGrade, PersonKind, RecordKind, RecordOutcome
from app.domain.appraisals.scheme import Direction, Kind, Line
from app.domain.appraisals.scoring import PARTS, ROUNDS, Standing

ERRORS = {
    "appraisal_not_found": "没有该年度考核，或不在您的辖区内",
    "station_appraisal_not_found": "没有该站点考核，或不在您的辖区内",
    "appraisal_scheme_not_found": "没有该考核细则",
    "indicator_unknown": "考核细则没有此项指标",
    "adjustment_rule_unknown": "考核细则没有该奖扣分或否决事项",
    "adjustment_not_found": "没有该奖扣分或否决记录",
    "appraisal_phase": "考核所处阶段不允许此操作",
    "appraisal_phase_too_early": "未到该阶段的开始日期",
    "publication_too_early": "信息上报尚未截止，不能公布",
    "appraisal_of_year_exists": "该年度考核已经开展",
    "station_in_other_year": "站点已在该年度的另一考核中",
    "no_scheme_in_force": "没有适用于该年度的考核细则",
    "no_stations_in_year": "没有纳入考核的站点",
    "targets_missing": "还有目标值未确定",
    "appraisal_incomplete": "还有内容未填报",
    "published_by_leader": "评分的领导不能公布结果",
    "indicator_measured": "指标由系统数据得出",
    "indicator_not_asked": "指标对本站不适用",
    "part_not_asked": "考核细则不含该部分",
    "own_station": "不能给本站评分",
    "nothing_overdue": "没有逾期未报的内容",
    "not_overdue_yet": "尚未到填报截止日",
    "adjustment_measured": "该扣分由系统计算",
    "adjustment_withdrawn": "该记录已撤销",
    "own_record": "不能登记本人的结果",
    "scheme_version_exists": "考核细则的该版本已存在",
}
FIELD_ERRORS = {
    "phase_missing": "缺少阶段",
    "schedule_out_of_order": "各阶段日期先后颠倒",
    "schedule_outside_year": "阶段日期超出考核年度",
    "note_required": "须写明原因",
    "next_step_required": "未完成的须说明下一步打算",
    "entered_twice": "重复填写",
    "sample_too_small": "样本数不足",
    "satisfied_over_sample": "满意人数多于样本数",
    "points_over_rule": "分值超过细则规定",
    "veto_without_points": "一票否决不计分值",
    "evidence_not_of_station": "证据文件不存在，或不是该站的",
    "person_unknown": "当日不在岗",
    "outcome_of_other_kind": "结果与记录类别不符",
    "held_in_future": "日期晚于今天",
    "weights_sum": "权重之和不正确",
    "business_line": "业务条线填写有误",
    "grades_order": "等次排列有误",
    "measure_unknown": "没有该测量项",
}
DIRECTIONS = {Direction.HIGHER: "越高越好", Direction.LOWER: "越低越好"}
LINES = {Line.COMMON: "共性指标", Line.BUSINESS: "业务指标"}
KINDS = {Kind.BONUS: "加分", Kind.DEDUCTION: "扣分", Kind.VETO: "一票否决"}
STANDINGS = {
    Standing.SCORED: "已计分",
    Standing.NO_DATA: "系统没有数据，不计入",
    Standing.NOT_REPORTED: "尚未填报",
    Standing.NOT_APPLICABLE: "不适用",
    Standing.OVERDUE: "逾期未报，计零分",
}
PEOPLE = {PersonKind.ASSISTANT: "民政助理员", PersonKind.INFORMANT: "信息监督员"}
RECORDS = {RecordKind.MONTHLY_MEETING: "每月例会", RecordKind.QUARTERLY_CHECK: "季度检查"}
OUTCOMES = {
    RecordOutcome.PRESENT: "到会",
    RecordOutcome.EXCUSED: "请假",
    RecordOutcome.ABSENT: "缺席",
    RecordOutcome.PASSED: "合格",
    RecordOutcome.FAILED: "不合格",
}
GRADES = {PersonGrade.EXCELLENT: "优秀", PersonGrade.QUALIFIED: "合格", PersonGrade.UNQUALIFIED: "不合格"}


def registry() -> dict[str, dict[str, str]]:
    """Kind → code → Chinese text."""
    return {
        "error": ERRORS,
        "field_error": FIELD_ERRORS,
        "appraisal_phase": {phase.value: text for phase, text in refusals.PHASES.items()},
        "appraisal_part": {part.value: text for part, text in PARTS.items()},
        "appraisal_round": {round_.value: text for round_, text in ROUNDS.items()},
        "appraisal_measure": {code: one.name for code, one in {**MEASURES, **DEDUCTIONS}.items()},
        "indicator_direction": {one.value: text for one, text in DIRECTIONS.items()},
        "indicator_line": {one.value: text for one, text in LINES.items()},
        "indicator_standing": {one.value: text for one, text in STANDINGS.items()},
        "adjustment_kind": {one.value: text for one, text in KINDS.items()},
        "person_kind": {one.value: text for one, text in PEOPLE.items()},
        "personnel_record": {one.value: text for one, text in RECORDS.items()},
        "personnel_outcome": {one.value: text for one, text in OUTCOMES.items()},
        "personnel_grade": {one.value: text for one, text in GRADES.items()},
    }
