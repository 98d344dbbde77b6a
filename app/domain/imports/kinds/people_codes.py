"""The published codes of imports of people, rolls and payees with their Chinese text: what is wrong with a row."""

from __future__ import annotations

ROW_FAULTS: dict[str, str] = {
    "account_incomplete": "开户银行、账号、户名未一并填写",
    "address_masked": "住址是脱敏后的内容",
    "already_entitled": "已有在保待遇",
    "bank_account_checksum": "银行卡号校验不符",
    "bank_account_length": "银行卡号位数不对",
    "covered_differ": "保障人数与所列人员不符",
    "covered_unknown": "保障人员不是该户成员",
    "disability_certificate_category": "残疾人证号的类别与登记不一致",
    "disability_certificate_grade": "残疾人证号的等级与登记不一致",
    "disability_certificate_holder": "残疾人证号与身份证号不一致",
    "disability_incomplete": "残疾类别和等级未一并填写",
    "entitlement_in_use": "待遇已有发放或变更，不能由导入更新",
    "head_has_two_spouses": "户主有两名配偶",
    "holder_differs": "户名与领款人姓名不一致",
    "household_accounts_differ": "同一户填了两个账户",
    "household_areas_differ": "同一户编号出现在两个村（社区）",
    "household_has_head": "该家庭已有户主",
    "household_in_other_area": "户编号登记在其他村（社区）",
    "household_no_reserved": "户编号格式由系统生成，不能自填",
    "household_no_taken": "户编号已被使用",
    "household_unknown": "辖区内没有该户编号",
    "household_without_head": "家庭不能没有户主",
    "id_kind_differs": "证件类型与号码不符",
    "member_already_enrolled": "已在其他家庭享受同一项目",
    "month_in_future": "晚于本月",
    "not_older_than_head": "父母、祖父母的出生日期不早于户主",
    "not_younger_than_head": "子女、孙子女的出生日期不晚于户主",
    "one_head_required": "须有且只有一名户主",
    "person_already_registered": "该身份证号已在外地登记",
    "person_in_other_household": "此人已是另一家庭的成员",
    "person_required": "按人发放的项目须填身份证号",
    "uplift_exceeds_amount": "分类施保金额多于月保障金额",
}
ERRORS: dict[str, str] = {"import_raced": "他人正在登记同一人员或家庭，请重试"}
COMPONENTS: dict[str, str] = {"uplift": "分类施保（历史名册）"}


def registry() -> dict[str, dict[str, str]]:
    return {"error": ERRORS, "import_row_fault": ROW_FAULTS, "component": COMPONENTS}
