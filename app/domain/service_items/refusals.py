"""Refusals about service items and requests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from app.domain.errors import Conflict, FieldError, Malformed, NotFound

STATES = {
    "in_hand": "办理中",
    "awaiting_supplement": "待补正",
    "done": "已办结",
    "not_accepted": "不予受理",
    "withdrawn": "已撤回",
}

# --- lists --------------------------------------------------------------------------------------------------------------


def list_not_found() -> NotFound:
    return NotFound("service_list_not_found", "没有该事项清单，或不属于本区县，请核对编号。")


def item_not_found() -> NotFound:
    return NotFound("service_item_not_found", "没有该事项，或不属于本区县，请核对编号。")


def list_backdated() -> Conflict:
    detail = "清单须先公布后施行，施行日期不能早于今天；已公布的版本不能修改，请另定施行日期公布新版本。"
    return Conflict("service_list_backdated", detail)


def list_malformed(findings: Sequence[FieldError]) -> Malformed:
    return Malformed("malformed_request", "清单内容有误，请按 errors 更正后重新公布。", errors=findings)


# --- taking in ----------------------------------------------------------------------------------------------------------


def request_not_found() -> NotFound:
    return NotFound("service_request_not_found", "没有该办件，或不在您的辖区内，请核对编号。")


def no_list(on: date) -> Conflict:
    return Conflict("no_service_list", f"{on} 尚无生效的本级事项清单，请联系区民政局公布清单后再受理。")


def item_not_listed(code: str) -> Conflict:
    detail = f"今日生效的本级事项清单中没有事项 {code}，请按 GET /service-items 核对，或引导群众到有该事项的窗口办理。"
    return Conflict("service_item_not_listed", detail)


def applicant_wrong() -> Malformed:
    text = "申请人已登记的填 person_id，未登记的填 applicant_name，两者填一项。"
    return _field("/person_id", "one_applicant", text)


def person_unknown() -> Malformed:
    return _field("/person_id", "person_elsewhere", "该人未在您的辖区登记，请核对，或改填 applicant_name。")


def phone_malformed(text: str) -> Malformed:
    return _field("/phone", "phone_format", text)


def number_in_text(pointer: str) -> Malformed:
    return _field(pointer, "number_in_text", "请勿在文字中填写身份证号、电话等号码。")


def application_required() -> Malformed:
    text = "该事项按救助申请办理：请先建立申请（POST /applications），再填写 application_id。"
    return _field("/application_id", "application_required", text)


def application_unexpected() -> Malformed:
    return _field("/application_id", "application_unexpected", "该事项不按救助申请办理，请勿填写 application_id。")


def application_elsewhere() -> Malformed:
    text = "没有该申请、项目不符、已经结束或已登记办件，请核对申请编号。"
    return _field("/application_id", "application_elsewhere", text)


# --- who answers for it -------------------------------------------------------------------------------------------------


def wrong_state(state: str) -> Conflict:
    return Conflict("service_request_state", f"该办件“{STATES[state]}”，不能进行此操作；请刷新后核对。")


def not_responsible(name: str) -> Conflict:
    return Conflict("service_request_not_yours", f"该办件由{name}首问负责，请由其办理，或由其移交给您。")


def offer_pending(name: str) -> Conflict:
    return Conflict("handover_pending", f"已提出移交，正等待{name}接收；改交他人请先撤回移交。")


def no_offer() -> Conflict:
    return Conflict("no_handover", "该办件没有待接收的移交，请刷新后核对。")


def not_offered_to_you(name: str) -> Conflict:
    return Conflict("handover_not_yours", f"该办件移交给{name}，只能由其接收或退回。")


def same_person() -> Conflict:
    return Conflict("handover_to_oneself", "该办件已由您负责，请选择其他经办人。")


def colleague_unknown() -> Conflict:
    return Conflict("handover_colleague_unknown", "接收人不存在、已停用，或不是本窗口或所属工作站的经办人，请重新选择。")


def not_orphaned(name: str) -> Conflict:
    detail = f"该办件由{name}负责且其仍在岗，须由其移交；只有负责人已离岗，或由站长出面，才能直接接办。"
    return Conflict("service_request_in_hands", detail)


# --- materials ----------------------------------------------------------------------------------------------------------


def material_unknown(code: str) -> Malformed:
    return _field("/materials", "material_unknown", f"该事项的材料清单中没有 {code}，请按事项清单填写。")


def material_repeated() -> Malformed:
    return _field("/materials", "material_repeated", "同一材料只填一次。")


def waiver_not_allowed(name: str) -> Malformed:
    text = f"“{name}”不能以此方式免交，请收取原件，或选用清单列明的方式。"
    return _field("/materials", "waiver_not_allowed", text)


def notified_already(on: date, name: str) -> Conflict:
    detail = f"已于 {on} 一次性告知应补材料，不得再要求“{name}”；只能就其后新补交的材料指出不合要求之处。"
    return Conflict("notified_already", detail)


def reason_does_not_fit(name: str) -> Malformed:
    text = f"“{name}”已收到的原因填 defective（不合要求），未收到的填 absent 或 sharing_unavailable。"
    return _field("/materials", "missing_reason", text)


def shared_material(name: str) -> Conflict:
    detail = f"“{name}”可由部门共享取得，不得要求群众提供（社会救助法 第六十二条）；确实查不到的，原因填 sharing_unavailable。"
    return Conflict("material_is_shared", detail)


def not_asked_for(name: str) -> Malformed:
    return _field("/materials", "material_not_missing", f"“{name}”不在待补材料中，请按待补材料填写。")


def materials_incomplete(names: Sequence[str]) -> Conflict:
    detail = f"必交材料尚缺：{'、'.join(names)}；请补收（可共享或告知承诺的按清单），或一次性告知后待补正。"
    return Conflict("materials_incomplete", detail)


def nothing_asked_for() -> Conflict:
    return Conflict("nothing_asked_for", "尚未一次性告知应补材料，不能以逾期未补正为由不予受理；请先告知。")


def ask_the_application(number: str) -> Conflict:
    detail = f"该事项按救助申请办理，请在申请 {number} 中补正、决定或撤回，办件随申请办结。"
    return Conflict("request_is_application", detail)


def _field(pointer: str, code: str, text: str) -> Malformed:
    return Malformed("malformed_request", text, errors=[FieldError(pointer, code, text)])
