"""Refusals about trainings of informants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from app.domain.errors import Conflict, FieldError, Malformed, NotFound, PreconditionFailed


def training_not_found() -> NotFound:
    return NotFound("training_not_found", "没有该次信息监督员培训，或不在您的辖区内，请先读取列表。")


def certificate_not_found() -> NotFound:
    return NotFound("certificate_not_found", "该信息监督员没有这次培训的证书，请先读取其证书列表。")


def station_closed(on: date) -> Conflict:
    return Conflict("station_closed", f"该工作站已于 {on} 撤站，不能登记此后的培训；请核对日期。")


def already_issued() -> Conflict:
    text = "该次培训已发证，记录不能再修改；补考或重新培训的，请另行登记一次培训。"
    return Conflict("training_issued", text)


def not_issued() -> Conflict:
    text = (
        "该次培训尚未发证，请由站长核对名单和考试结果后发证"
        "（POST /api/v1/stations/{station_id}/informant-trainings/{training_id}/issue），再下载证书。"
    )
    return Conflict("training_not_issued", text)


def exam_not_passed() -> Conflict:
    return Conflict("exam_not_passed", "该信息监督员本次考试不合格，没有证书；补考合格后请另行登记一次培训并发证。")


def nobody_to_certify() -> Conflict:
    return Conflict("nobody_to_certify", "本次培训没有考试合格的人员，无证可发；请核对考试结果后更正记录。")


def check_version(expected: int | None, found: int) -> None:
    if expected is not None and expected != found:
        raise PreconditionFailed("stale_version", "内容已被他人更新，请重新读取后再提交。")


def malformed(faults: Sequence[FieldError]) -> Malformed:
    return Malformed("malformed_request", f"有 {len(faults)} 处填写有误，请按 errors 逐项更正后重新提交。", errors=faults)


def in_future() -> FieldError:
    return FieldError("/held_on", "date_in_future", "培训日期不能晚于今天，请在举办后登记。")


def repeated(pointer: str) -> FieldError:
    return FieldError(f"{pointer}/informant_id", "attendee_repeated", "该信息监督员重复列入名单，请只保留一条。")


def elsewhere(pointer: str) -> FieldError:
    text = "该信息监督员不属本站各村（社区），或培训当日不在聘期内，请核对名单。"
    return FieldError(f"{pointer}/informant_id", "attendee_elsewhere", text)


def exam_result(pointer: str, *, exam: bool) -> FieldError:
    if exam:
        return FieldError(f"{pointer}/exam_passed", "exam_result_missing", "本次培训有考试，请填写该员是否合格。")
    text = "本次培训没有考试（exam 为 false），请不要填写考试结果，或把 exam 改为 true。"
    return FieldError(f"{pointer}/exam_passed", "exam_result_without_exam", text)
