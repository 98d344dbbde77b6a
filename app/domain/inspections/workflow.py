"""What may follow what: phases of a campaign, states of an inspection, acts on a rectification. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from app.domain.access import Signature
from app.domain.identity import names_match
from app.domain.inspections import refusals
from app.domain.inspections.model import (
    Campaign,
    Colleague,
    Escalation,
    Inspection,
    InspectionState,
    Inspector,
    Mark,
    Phase,
    Rectification,
    RectificationState,
    Schedule,
)

ORDER = (Phase.DRAFT, Phase.PREPARATION, Phase.IMPLEMENTATION, Phase.INSPECTION, Phase.CLOSED)
DISTRICT_AFTER_DAYS = 15  # overdue for longer than this is brought before the district; local, no regulation sets it


def check_schedule(schedule: Schedule, as_of: date) -> None:
    """Raises ``Malformed`` schedule_out_of_order; as_of_after_end: facts of a day that the campaign doesn't live to see."""
    days = (schedule.preparation_from, schedule.implementation_from, schedule.inspection_from, schedule.conclude_by)
    if list(days) != sorted(days):
        raise refusals.schedule_out_of_order()
    if as_of > schedule.conclude_by:
        raise refusals.as_of_after_end(schedule.conclude_by)


def require_phase(phase: Phase, *wanted: Phase) -> None:
    if phase not in wanted:
        raise refusals.wrong_phase(phase, wanted)


def advanced(campaign: Campaign, today: date) -> Campaign:
    """The campaign one phase further. ``Conflict`` phase_too_early before the day that the schedule gives."""
    require_phase(campaign.phase, *ORDER[:-1])
    following = ORDER[ORDER.index(campaign.phase) + 1]
    first = _first_day(campaign.schedule, following)
    if first is not None and today < first:
        raise refusals.too_early(following, first)
    return replace(campaign, phase=following)


def _first_day(schedule: Schedule, phase: Phase) -> date | None:
    starts = {
        Phase.PREPARATION: schedule.preparation_from,
        Phase.IMPLEMENTATION: schedule.implementation_from,
        Phase.INSPECTION: schedule.inspection_from,
    }
    return starts.get(phase)


def cancelled(campaign: Campaign) -> Campaign:
    require_phase(campaign.phase, *ORDER[:-1])
    return replace(campaign, phase=Phase.CANCELLED)


def published(campaign: Campaign, signature: Signature) -> Campaign:
    require_phase(campaign.phase, Phase.CLOSED)
    return replace(campaign, phase=Phase.PUBLISHED, published=signature)


def drawn(seed: int, station_area: str, communities: Sequence[str], size: int) -> tuple[str, ...]:
    """The communities looked at on the spot: the same seed and station always draw the same ones, whatever their order."""
    pool = sorted(communities)
    chosen = random.Random(f"{seed}/{station_area}").sample(pool, min(size, len(pool)))  # noqa: S311  (a reproducible draw)
    return tuple(sorted(chosen))


# --- inspections -----------------------------------------------------------------------------------------------------------


def require_independent(inspector: Inspector, station_area: str, staff: Iterable[Colleague]) -> None:
    """Nobody inspects a station where he works or ever held a post.

    Told by his account, by the area it works in, and by his name: accounts change, and a second one would hide a former post.
    A namesake is barred too; the district has other inspectors.
    """
    barred = inspector.area_code.startswith(station_area) or any(_is_same(inspector, colleague) for colleague in staff)
    if barred:
        raise refusals.inspector_worked_there(inspector.name)


def _is_same(inspector: Inspector, colleague: Colleague) -> bool:
    if colleague.account_id == inspector.account_id:
        return True
    return any(names_match(inspector.name, name) for name in (colleague.name, colleague.account_name) if name)


def require_editable(inspection: Inspection) -> None:
    if inspection.state is not InspectionState.PLANNED:
        raise refusals.wrong_state(inspection.state)


def check_finding(mark: Mark, derived: bool | None, today: date) -> None:
    """A failure names its deadline; whatever speaks against the station, or against the data, brings its evidence."""
    if not mark.met and (mark.rectify_by is None or mark.rectify_by <= today):
        raise refusals.rectify_by_required()
    if not mark.evidence and not mark.met:
        raise refusals.evidence_missing("结论为不合格")
    if not mark.evidence and derived is not None and derived != mark.met:
        raise refusals.evidence_missing("结论与系统数据不一致")


def signed(inspection: Inspection, signature: Signature, unmarked: Sequence[str]) -> Inspection:
    """An inspector signs; with the last of the team the findings are closed to changes.

    ``Forbidden`` not_on_the_team; ``Conflict`` findings_missing, already_signed.
    """
    require_editable(inspection)
    if signature.by not in inspection.inspectors:
        raise refusals.not_on_the_team()
    if unmarked:
        raise refusals.findings_missing(unmarked)
    if any(one.by == signature.by for one in inspection.signatures):
        raise refusals.already_signed()
    signatures = (*inspection.signatures, signature)
    complete = {one.by for one in signatures} >= set(inspection.inspectors)
    state = InspectionState.SIGNED if complete else inspection.state
    return replace(inspection, signatures=signatures, state=state)


def countersigned(inspection: Inspection, signature: Signature) -> Inspection:
    """The station's head has seen the findings: they are final, failures become rectifications."""
    if inspection.state is not InspectionState.SIGNED:
        raise refusals.wrong_state(inspection.state)
    return replace(inspection, countersigned=signature, state=InspectionState.CONFIRMED)


# --- rectifications --------------------------------------------------------------------------------------------------------


def submitted(found: Rectification, note: str, evidence: Sequence[UUID], signature: Signature) -> Rectification:
    """The station reports that it is put right, with evidence."""
    if found.state is not RectificationState.OPEN:
        raise refusals.wrong_rectification_state(found.state)
    if not evidence:
        raise refusals.evidence_missing("整改完成")
    entry = {
        "note": note,
        "evidence": [str(one) for one in evidence],
        "by": str(signature.by),
        "name": signature.name,
        "at": signature.at.isoformat(),
    }
    return replace(found, state=RectificationState.SUBMITTED, submissions=(*found.submissions, entry))


def reinspected(
    found: Rectification, *, passed: bool, note: str, due_on: date | None, signature: Signature, today: date
) -> Rectification:
    """The inspectors looked again: passed closes it, failed opens it anew until another day."""
    if found.state is not RectificationState.SUBMITTED:
        raise refusals.wrong_rectification_state(found.state)
    looked = {"passed": passed, "note": note, "by": str(signature.by), "name": signature.name, "at": signature.at.isoformat()}
    submissions = (*found.submissions[:-1], {**found.submissions[-1], "reinspection": looked})
    if passed:
        return replace(found, state=RectificationState.CLOSED, submissions=submissions, closed=signature)
    if due_on is None or due_on <= today:
        raise refusals.due_date_past()
    return replace(found, state=RectificationState.OPEN, submissions=submissions, due_on=due_on)


def escalation_of(found: Rectification, today: date) -> Escalation | None:
    """Overdue ones are brought before the station's head, later before the district. What waits for us is not overdue."""
    late = (today - found.due_on).days
    if found.state is not RectificationState.OPEN or late <= 0:
        return None
    return Escalation.DISTRICT if late > DISTRICT_AFTER_DAYS else Escalation.STATION_HEAD


def overdue_since(escalation: Escalation, today: date) -> tuple[date | None, date]:
    """The deadlines of what is before somebody today: from the first (None: whenever) to the last."""
    edge = today - timedelta(days=DISTRICT_AFTER_DAYS)
    if escalation is Escalation.DISTRICT:
        return None, edge - timedelta(days=1)
    return edge, today - timedelta(days=1)
