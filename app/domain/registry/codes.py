"""The codes of the registry's answers, for the published registry."""

from __future__ import annotations

from typing import Final

ERRORS: Final = {
    "already_a_member": "已是本家庭成员",
    "former_head_relation_required": "须写明原户主与新户主的关系",
    "household_has_head": "该家庭已有户主",
    "household_no_taken": "户编号已被使用",
    "household_not_found": "没有该家庭，或不在您的辖区内",
    "household_partly_outside": "家庭当日有成员已迁出本辖区",
    "household_without_head": "家庭不能没有户主",
    "leave_before_join": "迁出早于迁入",
    "member_not_found": "此人现在不是该家庭的成员",
    "person_already_registered": "该身份证号已登记",
    "person_in_other_household": "此人已是另一家庭的成员",
    "person_not_found": "没有该人员，或不在您的辖区内",
    "too_many_duplicates": "多次登记已在外地登记的人员，暂停登记",
}
FIELD_ERRORS: Final = {
    "address_masked": "住址是脱敏后的内容",
    "area_code_malformed": "区划代码格式不正确",
    "bank_account_characters": "账号含有不允许的字符",
    "bank_account_checksum": "银行卡号校验不符",
    "bank_account_length": "银行卡号位数不对",
    "before_birth": "早于出生日期",
    "date_in_future": "晚于今天",
    "disability_certificate_category": "残疾人证号的类别与登记不一致",
    "disability_certificate_grade": "残疾人证号的等级与登记不一致",
    "disability_certificate_holder": "残疾人证号与身份证号不一致",
    "disability_certificate_kind": "残疾人证号的类别或等级位不正确",
    "disability_certificate_length": "残疾人证号位数不对",
    "household_no_reserved": "户编号格式由系统生成，不能自填",
    "id_number_area": "身份证号的地址码不正确",
    "id_number_characters": "身份证号含有不允许的字符",
    "id_number_checksum": "身份证号校验位不符",
    "id_number_date": "身份证号的出生日期不正确",
    "id_number_length": "身份证号位数不对",
    "id_number_old": "15 位旧身份证号不能用于登记",
    "name_wrong": "姓名为空白或含有星号",
    "one_head_required": "须有且只有一名户主",
    "phone_format": "电话格式不正确",
    "purpose_has_number": "用途中含有号码",
    "purpose_required": "查看明文须写明用途",
    "repeated": "重复填写",
    "search_needs_condition": "至少填写一个查询条件",
}
