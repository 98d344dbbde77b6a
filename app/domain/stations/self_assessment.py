"""What a station says about itself, beside what is on file about it: the two are never mixed, and where they differ it is shown.

Acceptance by form is what the source documents complain about; a station may state its own view of a criterion, with a note, and
the answer that is derived from its files stands next to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.domain.errors import Conflict, FieldError, Forbidden
from app.domain.stations import refusals
from app.domain.stations.model import Assessment
from app.domain.stations.records import StationRecord


@dataclass(frozen=True, slots=True)
class Claim:
    """A station's own view of one criterion."""

    code: str
    met: bool
    note: str | None = None


@dataclass(frozen=True, slots=True)
class StoredAssessment:
    """An assessment as it was kept: facts and answer as published then, never computed again."""

    id: UUID
    station_id: UUID
    area_code: str
    standard: str
    standard_version: str
    as_of: date
    grade: str
    facts: Mapping[str, Any]
    answer: Mapping[str, Any]
    claims: tuple[Claim, ...]
    assessed_by_name: str
    assessed_at: datetime


def check_claims(claims: Sequence[Claim], assessment: Assessment, *, own_station: bool) -> None:
    """Raises ``Forbidden`` for claims by others than the station, ``Malformed`` for criteria that aren't there or come twice."""
    if claims and not own_station:
        raise Forbidden("duty_required", "自评意见由本站经办人或站长填报；检查员请不要填写 claims，检查情况另行记录。")
    known = {verdict.criterion.code for verdict in assessment.criteria}
    errors = []
    for place, claim in enumerate(claims):
        pointer = f"/claims/{place}/code"
        if claim.code not in known:
            errors.append(FieldError(pointer, "unknown_value", "该标准没有这一条款，请核对条款代码。"))
        elif any(claim.code == other.code for other in claims[:place]):
            errors.append(FieldError(pointer, "repeated", "同一条款填写了两次，请删除重复的一项。"))
    if errors:
        raise refusals.malformed(errors)


def check_day(station: StationRecord, as_of: date, today: date) -> None:
    """Raises ``Malformed`` for a day to come, ``Conflict`` station_not_open for one on which the station didn't stand."""
    errors = refusals.check_past(as_of, today, "/as_of")
    if errors:
        raise refusals.malformed(errors)
    if not station.open_on(as_of):
        period = f"{station.details.opened_on} 起" + (f"至 {station.closed_on} 前" if station.closed_on else "")
        raise Conflict("station_not_open", f"该工作站在 {as_of} 未设立或已撤站（{period}），请更正评估日期。")
