"""What a year's assessment can take from the operating data, through the port ``Measurements``: one query for all stations.

A measure without data says so; it is never a zero.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """``article``: what is measured comes from there."""

    name: str
    unit: str
    article: str


#: Indicators may be measured by these. Values in hundredths of the unit, of the year up to the day.
MEASURES = {
    "assistant_trainings": Measure("民政助理员培训次数", "次", "种子 002 第 32 行：每年不少于 2 次"),
    "coordinator_trainings": Measure("村（居）民政协管员培训次数", "次", "种子 002 第 32 行：每年不少于 3 次"),
    "monthly_meetings": Measure("开过例会的月数", "个月", "种子 002 第 32 行：一月一例会"),
    "quarterly_checks": Measure("做过检查的季度数", "个季度", "种子 002 第 32 行：一季一检查"),
    "acceptance_score": Measure("最近一次公布的验收得分", "分", "种子 001 第 57 行：检查验收"),
    "rectification_rate": Measure("到期整改事项的销号率", "百分比", "种子 001 第 57 行：检查验收后的整改"),
    "survey_rate": Measure("初审前调查率", "百分比", "种子 003 第 37 行：核查申请户的家庭基本状况"),
    "home_visit_rate": Measure("新申请入户率", "百分比", "种子 003 第 37 行：入户率要达到 100%"),
    "notice_rate": Measure("公示率", "百分比", "种子 003 第 67 行：张榜公布"),
    "on_time_rate": Measure("限时办结率", "百分比", "种子 004 第 28 行：限时办结制"),
    "complete_case_files": Measure("卷宗齐全率", "百分比", "种子 004 第 30 行：归档合理、资料齐备"),
    "digital_case_files": Measure("一户一卷电子化率", "百分比", "种子 003 第 171 行：一人一卷、电子档案"),
    "account_paid_rate": Measure("社会化发放率", "百分比", "种子 003 第 323 行：全部实行社会化发放"),
    "service_on_time_rate": Measure("服务事项按时办结率", "百分比", "种子 004 第 28 行：事项清单、限时办结制"),
    "lead_on_time_rate": Measure("线索按期办结率", "百分比", "种子 004 第 28 行：限时办结"),
    "personnel_points": Measure("民政助理员、信息监督员考核平均分", "分", "种子 001 第 65 行：考评纳入街办民政工作责任考核序列"),
}

#: Those that are rates of the stations' operating data, under the same code there.
RATES = (
    "survey_rate",
    "home_visit_rate",
    "notice_rate",
    "on_time_rate",
    "complete_case_files",
    "digital_case_files",
    "account_paid_rate",
    "service_on_time_rate",
    "lead_on_time_rate",
)

#: Deductions may be measured by these, in hundredths of a point.
DEDUCTIONS = {
    "acceptance_points_off": Measure("最近一次公布的验收结果的扣分", "分", "种子 001 第 57 行：在年终目标考评中酌情扣分"),
}
