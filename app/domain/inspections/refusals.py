"""Refusals of the acceptance, with their codes in one place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from app.domain.errors import Conflict, FieldError, Forbidden, Malformed, NotFound, PreconditionFailed
from app.domain.inspections.model import InspectionState, Phase, RectificationState


def campaign_not_found() -> NotFound:
    return NotFound("campaign_not_found", "没有该验收活动，或不在您的辖区内，请核对编号。")


def inspection_not_found() -> NotFound:
    return NotFound("inspection_not_found", "没有该站点验收，或不在您的辖区内，请核对编号。")


def rectification_not_found() -> NotFound:
    return NotFound("rectification_not_found", "没有该整改事项，或不在您的辖区内，请核对编号。")


def criterion_unknown(code: str) -> NotFound:
    return NotFound("criterion_unknown", f"本次验收所用标准没有指标“{code[:50]}”，请按标准中的指标代码填写。")


def criterion_fault(pointer: str, code: str, *, repeated: bool) -> FieldError:
    if repeated:
        return FieldError(pointer, "criterion_repeated", f"指标“{code[:50]}”重复出现，请只保留一条。")
    return FieldError(pointer, "criterion_unknown", f"本次验收所用标准没有指标“{code[:50]}”，请按标准中的指标代码填写。")


def sheet_refused(faults: Sequence[FieldError]) -> Malformed:
    return Malformed(
        "malformed_request", f"检查表有 {len(faults)} 处须更正，请按 errors 逐条修改后重新提交。", errors=list(faults)
    )


def undecided(names: Iterable[str]) -> Conflict:
    listed = "、".join(names)
    text = f"以下站点还有指标没有检查结论，不能公布：{listed}。站点事实在签字后有变，请取消本次活动后重新检查。"
    return Conflict("results_undecided", text)


PHASES = {
    Phase.DRAFT: "草稿",
    Phase.PREPARATION: "准备阶段",
    Phase.IMPLEMENTATION: "实施阶段",
    Phase.INSPECTION: "检查验收阶段",
    Phase.CLOSED: "已结束",
    Phase.PUBLISHED: "已公布",
    Phase.CANCELLED: "已取消",
}


def wrong_phase(phase: Phase, wanted: Iterable[Phase]) -> Conflict:
    needed = "、".join(PHASES[one] for one in wanted)
    return Conflict("campaign_phase", f"该验收活动处于“{PHASES[phase]}”，此操作须在“{needed}”时进行。")


def not_published(phase: Phase) -> Conflict:
    if phase is Phase.CANCELLED:
        return Conflict("results_not_published", "该验收活动已取消，没有公布的结果，也就没有通报和结果单。")
    text = (
        f"该验收活动处于“{PHASES[phase]}”，结果尚未公布。待全部站点确认、活动结束，由区民政局审核员公布"
        "（POST /api/v1/inspection-campaigns/{campaign_id}/publish）后再下载。"
    )
    return Conflict("results_not_published", text)


def too_early(phase: Phase, first: date) -> Conflict:
    return Conflict("phase_too_early", f"{PHASES[phase]}从 {first} 开始，请到时再推进。")


def schedule_out_of_order() -> Malformed:
    text = "各阶段日期须依次为：准备、实施、检查验收、结束，后一阶段不得早于前一阶段。"
    return Malformed("malformed_request", text, errors=[FieldError("/schedule", "schedule_out_of_order", text)])


def as_of_after_end(conclude_by: date) -> Malformed:
    text = f"as_of 是核实情况的日期，不得晚于活动的结束日期 {conclude_by}，请更正。"
    return Malformed("malformed_request", text, errors=[FieldError("/as_of", "as_of_after_end", text)])


def no_stations() -> Conflict:
    return Conflict("no_stations", "没有纳入验收的站点，请先登记站点或在 stations 中选择。")


def station_in_other_campaign(names: Iterable[str]) -> Conflict:
    listed = "、".join(names)
    return Conflict("station_in_other_campaign", f"以下站点正在另一验收活动中，请先结束或取消该活动：{listed}。")


def inspector_worked_there(name: str) -> Conflict:
    return Conflict("inspector_worked_there", f"{name}曾在该站任职，须回避，请换派其他检查人员。")


def not_an_inspector() -> Conflict:
    return Conflict("not_an_inspector", "所选账号不存在、已停用或没有检查验收职责，请重新选择。")


def not_on_the_team() -> Forbidden:
    return Forbidden("not_on_the_team", "您不是该站的检查组成员，不能填写检查结论或签字。")


def team_missing() -> Conflict:
    return Conflict("team_missing", "尚未指定检查组，请先指定检查人员。")


STATES = {
    InspectionState.PLANNED: "待检查",
    InspectionState.SIGNED: "检查组已签字",
    InspectionState.CONFIRMED: "已确认",
}


def wrong_state(state: InspectionState) -> Conflict:
    return Conflict("inspection_state", f"该站点验收“{STATES[state]}”，不能再修改；如确有错误，请通过整改复查更正。")


def findings_missing(names: Iterable[str]) -> Conflict:
    return Conflict("findings_missing", f"以下指标还没有检查结论，请补填后再签字：{'、'.join(names)}。")


def rectify_by_required() -> Malformed:
    text = "结论为不合格时须写明整改期限 rectify_by，且晚于今天。"
    return Malformed("malformed_request", text, errors=[FieldError("/rectify_by", "rectify_by_required", text)])


def evidence_missing(why: str) -> Malformed:
    text = f"{why}，须附至少一份证据（照片或扫描件）。"
    return Malformed("malformed_request", text, errors=[FieldError("/evidence", "evidence_missing", text)])


def evidence_unknown() -> Malformed:
    text = "所列证据文件不存在或不在您的辖区内，请先上传再引用。"
    return Malformed("malformed_request", text, errors=[FieldError("/evidence", "evidence_unknown", text)])


def already_signed() -> Conflict:
    return Conflict("already_signed", "您已签字，无需重复签字。")


def unfinished(names: Iterable[str]) -> Conflict:
    return Conflict("inspections_unfinished", f"以下站点尚未完成验收确认：{'、'.join(names)}。请完成后再结束。")


RECTIFICATION_STATES = {
    RectificationState.OPEN: "整改中",
    RectificationState.SUBMITTED: "待复查",
    RectificationState.CLOSED: "已销号",
}


def wrong_rectification_state(state: RectificationState) -> Conflict:
    return Conflict("rectification_state", f"该整改事项“{RECTIFICATION_STATES[state]}”，不能进行此操作。")


def due_date_past() -> Malformed:
    text = "整改期限须晚于今天，请重新填写。"
    return Malformed("malformed_request", text, errors=[FieldError("/due_on", "due_date_past", text)])


def check_version(expected: int | None, found: int) -> None:
    if expected is not None and expected != found:
        raise PreconditionFailed("stale_version", "内容已被他人更新，请重新读取后再提交。")
