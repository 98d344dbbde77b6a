"""Refusals of the station files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from app.domain.errors import Conflict, FieldError, Malformed, NotFound, PreconditionFailed


def malformed(errors: Sequence[FieldError]) -> Malformed:
    """All findings about one entry."""
    return Malformed("malformed_request", f"有 {len(errors)} 处填写有误，请按 errors 中的提示逐项更正后重新提交。", errors=errors)


def contradictory(errors: Sequence[FieldError]) -> Malformed:
    """A sheet whose figures don't agree with one another; each finding shows the sum."""
    shown = "".join(error.message for error in errors)
    return Malformed("contradictory_facts", f"填报内容自相矛盾：{shown}请核对后重新填报。", errors=errors)


def station_not_found() -> NotFound:
    return NotFound("station_not_found", "没有找到该民政工作站，请核对编号；只能办理本人辖区内的工作站。")


def staff_not_found() -> NotFound:
    return NotFound("staff_not_found", "该工作站没有这名工作人员，请核对是否选错了人或工作站。")


def informant_not_found() -> NotFound:
    return NotFound("informant_not_found", "没有找到该信息监督员，请先读取信息监督员名单；只能查看本人辖区内的。")


def event_not_found() -> NotFound:
    return NotFound("station_event_not_found", "该工作站没有这条培训或会议记录，请先读取列表。")


def sheet_not_found() -> NotFound:
    return NotFound("station_sheet_not_found", "该工作站没有这次填报，或已经更正、撤回，请先读取列表。")


def area_not_found(what: str) -> NotFound:
    return NotFound("area_not_found", f"没有找到该{what}，请核对区划代码；只能办理本人辖区内的。")


def account_not_found() -> Malformed:
    text = "没有找到该账号，请核对；只能关联本站辖区内的账号。"
    return malformed([FieldError("/account_id", "account_unknown", text)])


def station_exists(name: str, opened_on: date) -> Conflict:
    detail = f"该乡镇（街道）已有工作站“{name}”（{opened_on} 起），同一时期只设一个；请修改原站，或先办理撤站。"
    return Conflict("station_exists", detail)


def station_closed(on: date) -> Conflict:
    return Conflict("station_closed", f"该工作站已于 {on} 撤站，不能再填报；请核对日期或向新设的工作站填报。")


def staff_overlaps(name: str, since: date) -> Conflict:
    detail = f"{name}已有自 {since} 起的任职记录，与所填期间重叠；请先终止原任职，或更正日期。"
    return Conflict("staff_period_overlaps", detail)


def leader_taken(name: str, since: date) -> Conflict:
    detail = f"该期间已由{name}（{since} 起）担任同一职务，站长、副站长同一时期各一名；请先终止其任职，或更正日期。"
    return Conflict("station_leader_taken", detail)


def informant_overlaps(name: str, since: date) -> Conflict:
    detail = f"{name}已是该村（社区）自 {since} 起的信息监督员，与所填期间重叠；请先终止原记录，或更正日期。"
    return Conflict("informant_period_overlaps", detail)


def event_repeated(held_on: date) -> Conflict:
    return Conflict("station_event_repeated", f"{held_on} 的同一培训或会议已有记录，请修改原记录，不要重复填报。")


def already_ended(on: date) -> Conflict:
    return Conflict("already_ended", f"已自 {on} 起终止，无需重复办理；日期有误请修改原记录。")


def ends_before_start(since: date) -> Conflict:
    return Conflict("end_before_start", f"终止日期早于开始日期（{since}），请核对；与开始日期同日表示该记录作废。")


def check_version(expected: int | None, actual: int) -> None:
    """Raises ``PreconditionFailed`` when the caller had read an older version; None asks for no check."""
    if expected is not None and expected != actual:
        raise PreconditionFailed("stale_version", "内容已被他人更新，请重新读取后再提交。")


def check_past(day: date | None, today: date, pointer: str) -> list[FieldError]:
    """What is put on file has happened: no day to come."""
    if day is not None and day > today:
        return [FieldError(pointer, "date_in_future", "日期不能晚于今天，请填写实际发生的日期。")]
    return []
