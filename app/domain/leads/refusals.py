"""Refusals about leads."""

from __future__ import annotations

from datetime import date

from app.domain.errors import Conflict, FieldError, Malformed, NotFound

STATES = {"reported": "待接办", "taken": "办理中", "settled": "已办结", "withdrawn": "已撤回"}


def lead_not_found() -> NotFound:
    return NotFound("lead_not_found", "没有该线索，或不在您的辖区内，请核对编号。")


def wrong_state(state: str) -> Conflict:
    return Conflict("lead_state", f"该线索“{STATES[state]}”，不能进行此操作；请刷新后核对。")


def not_the_handler(name: str) -> Conflict:
    return Conflict("lead_not_yours", f"该线索由{name}首问负责，请由其办理，或由其移交给您。")


def not_the_reporter() -> Conflict:
    return Conflict("lead_not_yours", "只有上报人可以撤回，且须在接办之前。")


def same_handler() -> Conflict:
    return Conflict("lead_same_handler", "移交对象就是现任负责人，请选择其他经办人。")


def handler_unknown() -> Conflict:
    return Conflict("lead_handler_unknown", "移交对象不存在、已停用，或不是本站经办人，请重新选择。")


def nobody_to_tell() -> Conflict:
    return Conflict("lead_without_informant", "该线索不是信息监督员发现的，办结后上报人即可看到结果，无须另行反馈。")


def told_already(on: date) -> Conflict:
    return Conflict("lead_fed_back", f"结果已于 {on} 反馈给信息监督员，无须重复登记。")


def number_in_text(pointer: str) -> Malformed:
    text = "请勿在文字中填写身份证号、电话等号码；已登记的家庭请填 household_id。"
    return Malformed("malformed_request", text, errors=[FieldError(pointer, "number_in_text", text)])


def informant_elsewhere() -> Malformed:
    text = "该信息监督员不是本村（社区）的，或上报当日不在任，请核对。"
    return Malformed("malformed_request", text, errors=[FieldError("/informant_id", "informant_elsewhere", text)])


def household_elsewhere() -> Malformed:
    text = "该家庭不在本村（社区），请核对。"
    return Malformed("malformed_request", text, errors=[FieldError("/household_id", "household_elsewhere", text)])
