"""The published codes of assessments with their Chinese text: programmes, outcomes, reasons, components, steps, field errors.

A reason has a text for each answer: met, not met. A test holds the registry complete against the rules' source.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.eligibility.model import Outcome
from app.domain.eligibility.programmes import NATIONAL_CATALOGUE


@dataclass(frozen=True, slots=True)
class ReasonText:
    """How a checked rule reads when it is met and when it isn't; ``name`` is the rule itself."""

    name: str
    met: str
    unmet: str


OUTCOMES: dict[str, str] = {
    Outcome.ELIGIBLE: "符合",
    Outcome.INELIGIBLE: "不符合",
    Outcome.NEEDS_EVIDENCE: "需补充材料",
    Outcome.GRADUAL_EXIT: "渐退期",
    Outcome.URGENT_FIRST: "先行救助",
    Outcome.ESCALATE: "报县级审批",
    Outcome.SUSPENDED: "暂停发放",
    Outcome.NOT_APPLICABLE: "不适用",
}

PROGRAMMES: dict[str, str] = {spec.code: spec.name for spec in NATIONAL_CATALOGUE.specs}

REASONS: dict[str, ReasonText] = {
    "verification_authorised": ReasonText("核对授权", "已签署家庭经济状况核对授权", "未签署家庭经济状况核对授权"),
    "verification_refused": ReasonText("拒绝授权核对", "已拒绝授权核对", "拒绝授权核对家庭经济状况，终止审核确认程序"),
    "household_has_members": ReasonText("共同生活的家庭成员", "有共同生活的家庭成员", "没有计入的共同生活家庭成员"),
    "financial_assets_within_limit": ReasonText("金融资产限额", "金融资产未超过限额", "金融资产超过限额"),
    "vehicles_within_rule": ReasonText("车辆", "车辆符合规定", "拥有规定以外的车辆"),
    "real_estate_within_rule": ReasonText("不动产", "住房套数符合规定", "不动产超过规定套数"),
    "income_below_standard": ReasonText("人均收入低于低保标准", "家庭人均月收入低于低保标准", "家庭人均月收入不低于低保标准"),
    "income_below_edge_limit": ReasonText("人均收入低于边缘线", "家庭人均月收入低于低保边缘线", "家庭人均月收入不低于低保边缘线"),
    "income_below_disposable": ReasonText(
        "人均收入低于上年度人均可支配收入",
        "家庭人均年收入低于上年度当地居民人均可支配收入",
        "家庭人均年收入不低于上年度当地居民人均可支配收入",
    ),
    "own_income_below_standard": ReasonText("本人收入低于低保标准", "本人月收入低于低保标准", "本人月收入不低于低保标准"),
    "income_rose_by_employment": ReasonText("就业后收入增加", "因就业收入增加而超过标准，适用渐退", "收入增加不是因就业"),
    "job_offers_accepted": ReasonText("接受就业", "没有连续多次拒绝就业", "无正当理由连续多次拒绝就业，停发本人份额"),
    "not_in_tekun": ReasonText("未享受特困供养", "未享受特困人员救助供养", "已享受特困人员救助供养，不能重复享受"),
    "not_in_other_dibao": ReasonText("未在另一低保家庭", "未在另一低保家庭享受", "已在另一低保家庭享受，不能重复享受"),
    "not_in_orphan": ReasonText("未享受孤儿保障", "未享受孤儿基本生活保障", "已享受孤儿基本生活保障，不能重复享受"),
    "not_in_unsupported_child": ReasonText(
        "未享受事实无人抚养补贴", "未享受事实无人抚养儿童补贴", "已享受事实无人抚养儿童补贴，不能重复享受"
    ),
    "not_in_full_unsupported_child": ReasonText(
        "未全额领取事实无人抚养补贴", "未全额领取事实无人抚养儿童补贴", "已全额领取事实无人抚养儿童补贴，不享受生活补贴"
    ),
    "no_work_injury_care": ReasonText("未享受工伤护理费", "未享受工伤生活护理费", "已享受工伤生活护理费，不能重复享受"),
    "household_not_in_dibao": ReasonText("家庭未享受低保", "家庭未纳入低保", "家庭整户符合（享受）低保"),
    "household_not_in_edge": ReasonText("家庭未认定边缘", "家庭未认定为低保边缘家庭", "家庭已认定（符合）低保边缘家庭"),
    "household_in_dibao": ReasonText("低保家庭", "家庭享受低保", "家庭不享受低保"),
    "single_ground": ReasonText("单独申请的情形", "属于可以单独申请的人员", "不属于可以单独申请的人员"),
    "ground_edge_and_disability": ReasonText(
        "边缘家庭中的重残人员",
        "属边缘家庭中一、二级重残或三级智力、精神残疾人",
        "不属边缘家庭中一、二级重残或三级智力、精神残疾人",
    ),
    "ground_edge_and_serious_illness": ReasonText(
        "边缘家庭中的重病患者", "属边缘家庭中重特大疾病患者", "不属边缘家庭中重特大疾病患者"
    ),
    "ground_adult_severe_disability_without_work": ReasonText(
        "成年无业重度残疾人", "属成年无业重度残疾人", "不属成年无业重度残疾人"
    ),
    "ground_religious_three_years": ReasonText(
        "宗教教职人员", "属脱离家庭在宗教场所居住三年以上的教职人员", "不属脱离家庭在宗教场所居住三年以上的教职人员"
    ),
    "rigid_expense_above_ratio": ReasonText(
        "刚性支出占比", "刚性支出占家庭年收入的比例超过规定", "刚性支出占家庭年收入的比例未超过规定"
    ),
    "lives_in_household": ReasonText("在家庭中生活", "在家庭中生活", "不在家庭中生活（服刑、戒毒、失踪等）"),
    "without_capacity_for_work": ReasonText("无劳动能力", "无劳动能力", "不属于无劳动能力人员"),
    "incapacity_by_old_age": ReasonText("年满60周岁", "已满60周岁", "未满60周岁"),
    "incapacity_as_minor": ReasonText("未成年", "未满规定年龄的未成年人", "不属未满规定年龄的未成年人"),
    "incapacity_by_disability": ReasonText("列明的残疾等级", "属列明的残疾类别和等级", "不属列明的残疾类别和等级"),
    "continues_as_minor_or_pupil": ReasonText("继续供养", "在享人员未满18周岁或仍在就学，继续供养", "不符合继续供养情形"),
    "no_able_obligor": ReasonText("无义务人或义务人无能力", "无法定义务人或义务人无履行能力", "有具备履行能力的法定义务人"),
    "dibao_ends_for_member": ReasonText("低保衔接", "转为特困供养后，本人不再享受低保", "无须停止低保"),
    "age_below_18": ReasonText("未满18周岁", "未满18周岁（或在校续保）", "已满18周岁"),
    "continues_at_school": ReasonText("成年在校续保", "在享孤儿成年后仍在校就读，继续保障", "不符合在校续保情形"),
    "both_parents_dead_or_missing": ReasonText(
        "父母双方死亡或失踪", "父母双方均死亡、失踪或查找不到", "父母并非双方均死亡、失踪或查找不到"
    ),
    "not_both_parents_dead_or_missing": ReasonText("不属于孤儿", "不属于孤儿", "父母双方均死亡或失踪，应按孤儿保障"),
    "place_of_care_known": ReasonText("养育方式", "养育方式明确", "养育方式不明"),
    "no_parent_able_to_raise": ReasonText(
        "父母均不能抚养", "父母双方均不能履行抚养义务", "父母至少一方不属于不能履行抚养义务的情形"
    ),
    "drawn_below_standard": ReasonText("补差", "已享受的其他保障低于标准，予以补差", "已享受的其他保障不低于标准"),
    "disability_certificate": ReasonText("持有残疾人证", "持有残疾人证", "未持有残疾人证"),
    "grade_within_scope": ReasonText("残疾等级在补贴范围", "残疾等级在补贴范围内", "残疾等级不在补贴范围内"),
    "grade_severe_enough": ReasonText("重度残疾", "残疾等级达到护理补贴要求", "残疾等级未达到护理补贴要求"),
    "needs_long_term_care": ReasonText("需要长期照护", "需要长期照护", "不需要长期照护"),
    "member_of_low_income_household": ReasonText("困难家庭", "属低保（或当地扩面范围）家庭", "不属低保（或当地扩面范围）家庭"),
    "higher_allowance_held": ReasonText("同类津贴择高", "没有更高的同类津贴", "已享受不低于本项的同类津贴，择高只发一项"),
    "lower_allowance_gives_way": ReasonText("同类津贴择高", "本项高于已享受的同类津贴，原津贴停发", "不适用"),
    "hukou_local": ReasonText("本地户籍", "本地户籍", "非本地户籍"),
    "age_reached": ReasonText("达到年龄", "达到高龄津贴起始年龄", "未达到高龄津贴起始年龄"),
    "survival_confirmed": ReasonText("生存认证", "已按期完成生存认证", "未按期完成生存认证，暂停发放"),
    "recipient_category": ReasonText("医疗救助对象", "属医疗救助对象", "不属医疗救助对象"),
    "medical_costs_known": ReasonText("医疗费用", "医疗费用已提供", "医疗费用未提供"),
    "costs_above_threshold": ReasonText("超过起付标准", "合规自付费用超过起付标准", "合规自付费用未超过起付标准"),
    "annual_cap_left": ReasonText("年度限额", "年度救助限额尚有剩余", "年度救助限额已用完"),
    "emergency_occurred": ReasonText("遭遇急难", "已发生突发性、紧迫性、临时性困难", "困难情形尚未发生"),
    "amount_requested": ReasonText("申请金额", "已提出救助金额", "未提出救助金额"),
    "applied_where_it_happened": ReasonText("受理地", "在急难发生地（或户籍地）申请", "应向急难发生地申请"),
    "urgent_and_within_limit": ReasonText("先行救助", "情况紧急且金额在先行救助限额内", "不属情况紧急或超过先行救助限额"),
    "within_delegated_limit": ReasonText("委托审批限额", "金额在乡镇（街道）审批限额内", "金额超过乡镇（街道）审批限额"),
    "struck_by_disaster": ReasonText("因灾受损", "因自然灾害造成困难", "不属自然灾害"),
    "veteran_identity": ReasonText("优抚身份", "具有列明的优抚对象身份", "没有列明的优抚对象身份"),
    "veteran_confirmed_this_year": ReasonText("年度确认", "本年度已确认", "本年度未确认，暂停发放"),
    "veteran_not_suspended": ReasonText("无中止情形", "无中止情形", "有中止情形"),
    "no_policy_in_force": ReasonText("政策参数", "政策参数已生效", "当地在该日没有生效的政策参数"),
}

COMPONENTS: dict[str, str] = {
    "base": "基本保障金",
    "uplift_elderly": "分类施保（老年人）",
    "uplift_minor": "分类施保（未成年人）",
    "uplift_severe_disability": "分类施保（重度残疾人）",
    "uplift_serious_illness": "分类施保（重病患者）",
    "job_refusal_cut": "拒绝就业停发本人份额",
    "gradual_exit": "渐退期保障金",
    "tekun_basic": "特困基本生活标准",
    "tekun_care_partial": "照料护理（部分丧失自理能力）",
    "tekun_care_full": "照料护理（完全丧失自理能力）",
    "tekun_care_none": "照料护理（具备自理能力）",
    "standard": "补贴（津贴）标准",
    "top_up_deduction": "扣除已享受的其他保障",
    "one_off": "一次性金额",
}

STEPS: dict[str, str] = {
    "member_left_out": "不计入的家庭成员",
    "household_size": "共同生活的家庭成员人数",
    "income_item_fen": "收入项目",
    "deductible_fen": "刚性支出扣减",
    "counted_income_fen": "可计月收入",
    "income_per_head_fen": "人均月收入",
    "standard_fen": "低保标准",
    "financial_assets_fen": "金融资产",
    "gap_fen": "补差金额",
    "tier": "分档",
    "minimum_fen": "最低发放额",
    "job_refusal_share_fen": "拒绝就业停发份额",
    "uplift_fen": "分类施保增发",
    "gradual_exit_months": "渐退期",
    "starts_month": "起发月份",
    "next_review_on": "下次核查",
    "edge_limit_fen": "低保边缘线",
    "single_amount_fen": "单人户金额",
    "expense_fen": "支出项目",
    "expenses_counted_fen": "刚性支出合计",
    "rigid_expense_limit_fen": "刚性支出比例线",
    "valid_until": "有效期",
    "age": "周岁",
    "obligor_incapable": "义务人履行能力",
    "tekun_basic_fen": "特困基本生活标准",
    "care_level": "自理能力",
    "parent_status": "父母情况",
    "orphan_month_fen": "孤儿基本生活费标准",
    "unsupported_child_month_fen": "事实无人抚养补贴标准",
    "top_up_fen": "补差",
    "passport": "凭以享受的资格",
    "standard_by_grade_fen": "按等级的标准",
    "higher_allowance_fen": "择高",
    "age_band": "年龄档",
    "suspended": "暂停",
    "temporary_cap_fen": "救助上限",
    "temporary_amount_fen": "救助金额",
    "recipient_category": "救助对象类别",
    "medical_base_fen": "救助基数",
    "medical_share_fen": "按比例计算",
    "medical_paid_fen": "本次救助",
    "one_off_fen": "一次性补贴",
    "disaster_fen": "受灾救助",
    "veteran_month_fen": "抚恤补助标准",
}

FIELD_ERRORS: dict[str, str] = {
    "unknown_programme": "没有这个项目",
    "head_missing": "缺少户主",
    "two_heads": "户主多于一名",
    "two_spouses": "户主配偶多于一名",
    "duplicate_ref": "成员编号重复",
    "birth_date_in_future": "出生日期晚于业务日期",
    "out_of_range": "超出取值范围",
    "negative": "不能为负",
    "negative_amount": "金额不能为负",
    "unknown_member": "没有这名成员",
    "unknown_area": "没有这个区划",
    "duplicate_parameter": "参数重复",
    "not_a_date": "不是日期",
    "not_an_area": "不是区划参数",
    "inexact_value": "小数未写成文本",
    "not_yaml": "不是合法的 YAML",
    "period_empty": "期间为空",
    "value_of_another_kind": "参数取值类型不符",
    "value_missing": "缺少取值",
}

ERRORS: dict[str, str] = {
    "no_policy_in_force": "业务日期没有生效的政策参数",
    "malformed_facts": "测算事实有误",
    "malformed_policy": "政策文件有误",
}


def registry() -> dict[str, dict[str, str]]:
    """Kind → code → Chinese text, as ``GET /api/v1/codes`` publishes it."""
    return {
        "programme": dict(PROGRAMMES),
        "outcome": dict(OUTCOMES),
        "reason": {code: text.name for code, text in REASONS.items()},
        "component": dict(COMPONENTS),
        "step": dict(STEPS),
        "field_error": dict(FIELD_ERRORS),
        "error": dict(ERRORS),
    }
