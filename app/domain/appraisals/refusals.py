"""Refusals of the year-end assessment, with their codes in one place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from app.domain.appraisals.model import Phase
from app.domain.appraisals.scheme import FULL_POINTS
from app.domain.errors import Conflict, FieldError, Forbidden, Malformed, NotFound, PreconditionFailed

SHOWN = 10


def malformed(pointer: str, code: str, text: str) -> Malformed:
    return Malformed("malformed_request", text, errors=[FieldError(pointer, code, text)])


def points_text(points: int) -> str:
    """Hundredths of a point as people write them: 93.5."""
    whole, rest = divmod(points, FULL_POINTS // 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".")


def listed(names: Sequence[str]) -> str:
    """Some of the names, and how many there are."""
    shown = "、".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown}等 {len(names)} 项"


# --- not there -------------------------------------------------------------------------------------------------------------


def appraisal_not_found() -> NotFound:
    return NotFound("appraisal_not_found", "没有该年度考核，或不在您的辖区内，请核对编号。")


def station_appraisal_not_found() -> NotFound:
    return NotFound("station_appraisal_not_found", "没有该站点考核，或不在您的辖区内，请核对编号。")


def scheme_not_found(code: str) -> NotFound:
    return NotFound("appraisal_scheme_not_found", f"没有考核细则“{code[:50]}”，请从细则列表中选择。")


def indicator_unknown(code: str) -> NotFound:
    return NotFound("indicator_unknown", f"本年度考核细则没有指标“{code[:50]}”，请按细则中的指标代码填写。")


def rule_unknown(code: str) -> NotFound:
    return NotFound("adjustment_rule_unknown", f"本年度考核细则没有该类奖扣分或否决事项“{code[:50]}”，请按细则中的代码填写。")


def adjustment_not_found() -> NotFound:
    return NotFound("adjustment_not_found", "没有该奖扣分或否决记录，请核对编号。")


# --- the year --------------------------------------------------------------------------------------------------------------

PHASES = {
    Phase.PREPARATION: "准备启动阶段",
    Phase.OPERATION: "工作运行阶段",
    Phase.MID_YEAR: "年中测评阶段",
    Phase.REPORTING: "信息上报阶段",
    Phase.REVIEW: "年度工作评议阶段",
    Phase.PUBLISHED: "已公布",
    Phase.CANCELLED: "已取消",
}


def wrong_phase(phase: Phase, wanted: Iterable[Phase]) -> Conflict:
    if phase is Phase.PUBLISHED:
        return Conflict("appraisal_phase", "该年度考核结果已公布，不能再修改；请查阅已公布的结果。")
    needed = "、".join(PHASES[one] for one in wanted)
    return Conflict("appraisal_phase", f"该年度考核处于“{PHASES[phase]}”，此操作须在“{needed}”进行。")


def too_early(phase: Phase, first: date) -> Conflict:
    return Conflict("appraisal_phase_too_early", f"{PHASES[phase]}从 {first} 开始，请到时再推进。")


def publication_too_early(last: date) -> Conflict:
    return Conflict("publication_too_early", f"信息上报到 {last} 截止，请在次日以后汇总公布。")


def schedule_incomplete() -> Malformed:
    return malformed("/schedule", "phase_missing", "请写明全部五个阶段的起止日期。")


def schedule_out_of_order(pointer: str) -> Malformed:
    text = "各阶段的截止日不得早于开始日，后一阶段不得早于前一阶段开始，请更正日期。"
    return malformed(pointer, "schedule_out_of_order", text)


def schedule_outside_year(year: int) -> Malformed:
    return malformed("/schedule", "schedule_outside_year", f"五个阶段应从 {year} 年内开始，最迟到 {year + 1} 年底结束。")


def year_exists(year: int) -> Conflict:
    return Conflict("appraisal_of_year_exists", f"{year} 年度考核已经开展，一个年度只有一次；如需重来，请先取消原考核。")


def no_scheme_in_force(code: str, year: int) -> Conflict:
    return Conflict("no_scheme_in_force", f"考核细则“{code}”没有适用于 {year} 年度的所选版本，请先下达该年度的细则。")


def no_stations() -> Conflict:
    return Conflict("no_stations_in_year", "没有纳入考核的站点，请先登记站点或在 stations 中选择。")


def targets_missing(names: Sequence[str]) -> Conflict:
    return Conflict("targets_missing", f"以下目标值尚未确定：{listed(names)}。请填写目标值，或注明不适用的原因。")


def results_incomplete(names: Sequence[str]) -> Conflict:
    text = f"还缺：{listed(names)}。请催报或补填；逾期未报的可登记逾期后再继续。"
    return Conflict("appraisal_incomplete", text)


def published_by_leader() -> Conflict:
    return Conflict("published_by_leader", "主要领导评分由您填写，结果请由另一位审核员公布。")


# --- entries ---------------------------------------------------------------------------------------------------------------


def target_note_required(pointer: str, why: str) -> Malformed:
    return malformed(pointer, "note_required", f"{why}，请在 note 中写明原因。")


def next_step_required(pointer: str, name: str) -> Malformed:
    return malformed(pointer, "next_step_required", f"指标“{name}”未达到目标，请在 next_step 中说明下一步打算。")


def entered_twice(pointer: str) -> Malformed:
    return malformed(pointer, "entered_twice", "同一指标在本次提交中出现了两次，请只保留一条。")


def indicator_measured(name: str) -> Conflict:
    return Conflict("indicator_measured", f"指标“{name}”由系统数据得出，不需填报；如有出入，请更正相应的业务记录。")


def indicator_not_asked(name: str) -> Conflict:
    return Conflict("indicator_not_asked", f"指标“{name}”对本站不适用，不需填报。")


def part_not_asked(name: str) -> Conflict:
    return Conflict("part_not_asked", f"本年度考核细则不含“{name}”，不需填报。")


def own_station() -> Forbidden:
    return Forbidden("own_station", "您本年度在该站任职，不能给本站评分，请由其他领导评分。")


def sample_too_small(least: int) -> Malformed:
    return malformed("/sample_size", "sample_too_small", f"有效样本不得少于 {least} 份，请扩大调查后再填报。")


def satisfied_over_sample(satisfied: int, sample_size: int) -> Malformed:
    text = f"满意人数 {satisfied} 多于样本数 {sample_size}，请核对。"
    return malformed("/satisfied", "satisfied_over_sample", text)


def nothing_overdue() -> Conflict:
    return Conflict("nothing_overdue", "该站没有逾期未报的自评或指标，不需登记逾期。")


def not_overdue_yet(last: date) -> Conflict:
    return Conflict("not_overdue_yet", f"填报到 {last} 截止，次日起才能登记逾期未报。")


def adjustment_measured(name: str) -> Conflict:
    return Conflict("adjustment_measured", f"“{name}”由系统按已公布的结果计算，不需登记。")


def points_over_rule(most: int) -> Malformed:
    text = f"细则规定每次至多 {points_text(most)} 分，且须大于 0，请更正分值。"
    return malformed("/score_points", "points_over_rule", text)


def veto_without_points() -> Malformed:
    return malformed("/score_points", "veto_without_points", "一票否决不计分值，请去掉 score_points。")


def already_withdrawn() -> Conflict:
    return Conflict("adjustment_withdrawn", "该记录已撤销，无需再次撤销。")


def evidence_not_of_station() -> Malformed:
    return malformed("/evidence", "evidence_not_of_station", "所列证据文件不存在，或不是该站的，请先上传到该站再引用。")


# --- people ----------------------------------------------------------------------------------------------------------------


def person_unknown(pointer: str) -> Malformed:
    text = "此人当日不是该站的工作人员或所辖村（社区）的信息监督员，请核对人员和日期。"
    return malformed(pointer, "person_unknown", text)


def outcome_of_other_kind(pointer: str, fitting: str) -> Malformed:
    return malformed(pointer, "outcome_of_other_kind", f"该类记录的结果只能是：{fitting}。")


def held_in_future() -> Malformed:
    return malformed("/held_on", "held_in_future", "日期不能晚于今天，请更正。")


def own_record() -> Forbidden:
    return Forbidden("own_record", "不能登记本人的例会或检查结果，请由他人登记。")


def year_published(year: int) -> Conflict:
    return Conflict("appraisal_phase", f"{year} 年度考核结果已公布，该年度的例会和检查记录不能再修改。")


# --- schemes ---------------------------------------------------------------------------------------------------------------


def scheme_malformed(errors: Sequence[FieldError]) -> Malformed:
    return Malformed("malformed_request", "考核细则有误，请按 errors 更正。", errors=errors)


def scheme_version_exists(version: str) -> Conflict:
    text = f"版本“{version}”已存在，细则下达后不能改写；请用新的版本号下达修订后的细则。"
    return Conflict("scheme_version_exists", text)


def check_version(expected: int | None, found: int) -> None:
    if expected is not None and expected != found:
        raise PreconditionFailed("stale_version", "内容已被他人更新，请重新读取后再提交。")
