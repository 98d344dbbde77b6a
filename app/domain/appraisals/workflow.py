"""What may be entered when: the five phases and their days (S003 L255-L301). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from itertools import pairwise
from uuid import UUID

from app.domain.access import Signature
from app.domain.appraisals import refusals
from app.domain.appraisals.model import FIVE, Adjustment, Appraisal, Phase, Report, Schedule, Target
from app.domain.appraisals.scheme import AdjustmentRule, Direction, Indicator, Kind, Round
from app.domain.identity import names_match

#: In which phases the entries of a round are made.
REPORTS_IN = {Round.MID_YEAR: (Phase.MID_YEAR,), Round.YEAR_END: (Phase.REPORTING, Phase.REVIEW)}
SCORES_IN = {Round.MID_YEAR: (Phase.MID_YEAR,), Round.YEAR_END: (Phase.REVIEW,)}
ADJUSTMENTS_IN = FIVE[1:]


def check_schedule(schedule: Schedule, year: int) -> None:
    """Phases begin one after the other; they may overlap, as they do in the source (reports run on while the review begins)."""
    if set(schedule) != set(FIVE):
        raise refusals.schedule_incomplete()
    for phase in FIVE:
        if schedule[phase].last < schedule[phase].first:
            raise refusals.schedule_out_of_order(f"/schedule/{phase.value}")
    for former, following in pairwise(FIVE):
        if schedule[following].first < schedule[former].first:
            raise refusals.schedule_out_of_order(f"/schedule/{following.value}")
    if schedule[FIVE[0]].first.year != year or max(span.last for span in schedule.values()).year > year + 1:
        raise refusals.schedule_outside_year(year)


def require_phase(phase: Phase, *wanted: Phase) -> None:
    if phase not in wanted:
        raise refusals.wrong_phase(phase, wanted)


def advanced(appraisal: Appraisal, today: date) -> Appraisal:
    """One phase further; not before its first day."""
    require_phase(appraisal.phase, *FIVE[:-1])
    following = FIVE[FIVE.index(appraisal.phase) + 1]
    first = appraisal.schedule[following].first
    if today < first:
        raise refusals.too_early(following, first)
    return replace(appraisal, phase=following)


def cancelled(appraisal: Appraisal) -> Appraisal:
    require_phase(appraisal.phase, *FIVE)
    return replace(appraisal, phase=Phase.CANCELLED)


def published(appraisal: Appraisal, signature: Signature, today: date) -> Appraisal:
    """From the review on, and not while stations may still report."""
    require_phase(appraisal.phase, Phase.REVIEW)
    last = appraisal.schedule[Phase.REPORTING].last
    if today <= last:
        raise refusals.publication_too_early(last)
    return replace(appraisal, phase=Phase.PUBLISHED, published=signature)


def last_day(schedule: Schedule, round_: Round) -> date:
    """Until when a station hands in what it owes to a round."""
    return schedule[Phase.MID_YEAR if round_ is Round.MID_YEAR else Phase.REPORTING].last


def require_independent(actor: UUID, name: str, staff: Iterable[tuple[UUID | None, str]]) -> None:
    """Nobody scores as leader a station where he holds a post in the year: told by account, or by name where staff have none."""
    for account, colleague in staff:
        if account == actor or (account is None and names_match(name, colleague)):
            raise refusals.own_station()


# --- entries ---------------------------------------------------------------------------------------------------------------


def check_target(phase: Phase, target: Target, pointer: str) -> None:
    """Set in the beginning, adjusted in the middle of the year with a reason (下半年工作任务调整, S003 L275)."""
    require_phase(phase, Phase.PREPARATION, Phase.MID_YEAR)
    if target.note is None and target.target is None:
        raise refusals.target_note_required(f"{pointer}/note", "不考核该指标的")
    if target.note is None and phase is Phase.MID_YEAR:
        raise refusals.target_note_required(f"{pointer}/note", "年中调整目标值的")


def reached(direction: Direction, target: int, actual: int) -> bool:
    return actual >= target if direction is Direction.HIGHER else actual <= target


def check_report(indicator: Indicator, target: Target | None, report: Report, pointer: str) -> None:
    """What falls short says what comes next (对未完成的条目及下一步打算分别进行说明, S003 L277)."""
    if indicator.measure is not None:
        raise refusals.indicator_measured(indicator.name)
    if target is not None and target.target is None:
        raise refusals.indicator_not_asked(indicator.name)
    if target is None or target.target is None or report.actual is None:
        return
    if report.next_step is None and not reached(indicator.direction, target.target, report.actual):
        raise refusals.next_step_required(f"{pointer}/next_step", indicator.name)


def check_survey(sample_size: int, satisfied: int, least: int) -> None:
    if sample_size < max(least, 1):
        raise refusals.sample_too_small(max(least, 1))
    if satisfied > sample_size:
        raise refusals.satisfied_over_sample(satisfied, sample_size)


def check_adjustment(rule: AdjustmentRule, points: int) -> None:
    if rule.measure is not None:
        raise refusals.adjustment_measured(rule.name)
    if rule.kind is Kind.VETO:
        if points:
            raise refusals.veto_without_points()
        return
    if not 0 < points <= rule.most:
        raise refusals.points_over_rule(rule.most)


def withdrawn(adjustment: Adjustment, reason: str, signature: Signature) -> Adjustment:
    if adjustment.withdrawn is not None:
        raise refusals.already_withdrawn()
    return replace(adjustment, withdrawn=signature, withdrawn_reason=reason)


def owed_reports(
    indicators: Iterable[Indicator], targets: Mapping[str, Target], reports: Mapping[tuple[Round, str], Report]
) -> list[Indicator]:
    """Indicators that the station has to report at the end of the year and hasn't."""
    asked = [one for one in indicators if one.measure is None]
    return [one for one in asked if _is_asked(targets.get(one.code)) and (Round.YEAR_END, one.code) not in reports]


def _is_asked(target: Target | None) -> bool:
    return target is None or target.target is not None
