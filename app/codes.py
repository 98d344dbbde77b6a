"""The registry of published codes: kind → code → Chinese text. A test holds it complete."""

from __future__ import annotations

from app.domain.appraisals import codes as appraisals
from app.domain.eligibility import codes as eligibility
from app.domain.imports import codes as imports
from app.domain.imports import export_codes as exports
from app.domain.imports.kinds import codes as import_kinds
from app.domain.imports.kinds import people_codes as import_people
from app.domain.inspections import codes as inspections
from app.domain.leads import codes as leads
from app.domain.officials import codes as officials
from app.domain.payments import codes as payments
from app.domain.policy import codes as policy
from app.domain.registry import codes as registry
from app.domain.service_items import codes as service_items
from app.domain.sharing import codes as sharing
from app.domain.stations import codes as stations
from app.domain.stations import record_codes as station_records
from app.domain.trainings import codes as trainings

ERRORS: dict[str, str] = {
    "body_too_large": "提交内容超过上限",
    "conflicting_data": "与已有数据冲突",
    "demo_only": "只在演示模式可用",
    "duty_required": "不属您的职责",
    "idempotency_in_progress": "同一幂等键的请求正在办理",
    "idempotency_key_required": "涉及资金的操作必须携带幂等键",
    "idempotency_key_reused": "幂等键已用于另一内容的请求",
    "if_match_required": "修改须带 If-Match",
    "internal_error": "系统内部错误",
    "malformed_request": "填写内容有误",
    "method_not_allowed": "不支持该请求方法",
    "population_run_not_found": "没有这次全量测算，或不在您的辖区内",
    "repeated_parameter": "查询参数重复出现",
    "request_refused": "请求被拒绝",
    "route_not_found": "没有这个地址",
    "stale_version": "内容已被他人更新",
    "temporarily_unavailable": "服务暂时不可用，请重试",
    "token_missing": "未携带访问令牌",
    "token_revoked": "登录已失效",
    "unknown_parameter": "不认识的查询参数",
    "unsupported_media_type": "不支持的内容类型",
}
FIELD_ERRORS: dict[str, str] = {
    "duplicate_field": "字段重复出现",
    "extra": "多余内容",
    "invalid": "内容不正确",
    "invalid_characters": "含有无法保存的字符",
    "invalid_cursor": "游标无效",
    "invalid_date": "日期不正确",
    "invalid_encoding": "不是 UTF-8 编码",
    "invalid_json": "不是合法的 JSON",
    "not_a_boolean": "应为 true 或 false",
    "not_a_list": "应为数组",
    "not_a_number": "应为数值",
    "not_a_string": "应为文本",
    "not_an_id": "编号格式不正确",
    "not_an_integer": "应为整数",
    "not_an_object": "应为对象",
    "required": "必填",
    "too_deep": "嵌套过深",
    "too_few": "项数过少",
    "too_large": "数值过大",
    "too_long": "内容过长",
    "too_many": "项数过多",
    "too_precise": "小数位数过多",
    "too_short": "内容过短",
    "too_small": "数值过小",
    "unknown_field": "接口没有这个字段",
    "unknown_value": "取值不在允许范围内",
    "wrong_format": "格式不正确",
}
LOADER_ERRORS: dict[str, str] = {
    "area_above_district": "区划代码在县级以上",
    "area_code_malformed": "区划代码格式不正确",
    "areas_file_invalid": "区划文件有误",
    "calendar_file_invalid": "工作日历文件有误",
    "calendar_year_unknown": "没有该年的工作日历",
    "date_out_of_range": "日期超出可处理的范围",
    "policy_malformed": "政策文件有误",
}
LOADER_FIELD_ERRORS: dict[str, str] = {
    "column_missing": "缺少列",
    "column_repeated": "列名重复",
    "column_unknown": "不认识的列",
    "date_malformed": "日期格式不正确",
    "date_repeated": "日期重复",
    "file_empty": "文件没有内容",
    "holiday_missing": "缺少法定节假日",
    "kind_unknown": "不认识的类别",
    "year_mixed": "文件含有多个年份",
    "year_unbalanced": "休假与调休天数不平衡",
}
SECURITY_ERRORS: dict[str, str] = {
    "invalid_attestation": "在保证明的签名无效",
    "public_jwk_invalid": "客户端公钥不可用",
}
REGISTRY: dict[str, dict[str, str]] = {"error": ERRORS, "field_error": FIELD_ERRORS}


def publish(kind: str, entries: dict[str, str]) -> None:
    """Lets an area of the domain publish its codes; the same code keeps one text per kind."""
    known = REGISTRY.setdefault(kind, {})
    for code, text in entries.items():
        if known.setdefault(code, text) != text:
            raise ValueError(f"{kind} {code} is published twice with different texts")


publish("error", {"area_not_found": "没有该区划，或不在您的辖区内"})
publish("error", sharing.ERRORS)
publish("field_error", sharing.FIELD_ERRORS)
publish("error", registry.ERRORS)
publish("field_error", registry.FIELD_ERRORS)
for _kind, _entries in payments.registry().items():
    publish(_kind, _entries)
for _kind, _entries in eligibility.registry().items():
    publish(_kind, _entries)
publish("error", LOADER_ERRORS)
publish("field_error", LOADER_FIELD_ERRORS)
publish("error", SECURITY_ERRORS)
for _kind, _entries in policy.registry().items():
    publish(_kind, _entries)
for _kind, _entries in imports.registry().items():
    publish(_kind, _entries)
for _kind, _entries in (*exports.registry().items(), *import_kinds.registry().items(), *import_people.registry().items()):
    publish(_kind, _entries)
publish("error", station_records.ERRORS)
publish("field_error", station_records.FIELD_ERRORS)
for _kind, _entries in stations.registry().items():
    publish(_kind, _entries)
for _kind, _entries in inspections.registry().items():
    publish(_kind, _entries)
for _kind, _entries in leads.registry().items():
    publish(_kind, _entries)
for _kind, _entries in appraisals.registry().items():
    publish(_kind, _entries)
for _kind, _entries in officials.registry().items():
    publish(_kind, _entries)
for _kind, _entries in service_items.registry().items():
    publish(_kind, _entries)
for _kind, _entries in trainings.registry().items():
    publish(_kind, _entries)
