"""Rows of the acceptance tables, and the records that they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.tables.inspections import Inspection as InspectionTable
from app.db.tables.inspections import InspectionCampaign, InspectionMark
from app.db.tables.inspections import Rectification as RectificationTable
from app.domain.access import Signature
from app.domain.inspections.model import (
    Campaign,
    Inspection,
    InspectionState,
    Mark,
    Phase,
    Rectification,
    RectificationState,
    Schedule,
    Source,
)


def campaign_values(campaign: Campaign) -> dict[str, Any]:
    published = campaign.published
    return {
        "title": campaign.title,
        "standard": campaign.standard,
        "standard_version": campaign.standard_version,
        "as_of": campaign.as_of,
        **asdict(campaign.schedule),
        "seed": campaign.seed,
        "sample_size": campaign.sample_size,
        "phase": campaign.phase.value,
        "opened_by": campaign.opened.by,
        "opened_by_name": campaign.opened.name,
        "opened_at": campaign.opened.at,
        "published_by": published.by if published else None,
        "published_by_name": published.name if published else None,
        "published_at": published.at if published else None,
    }


def campaign_of(row: InspectionCampaign) -> Campaign:
    published = None
    if row.published_by is not None and row.published_by_name is not None and row.published_at is not None:
        published = Signature(row.published_by, row.published_by_name, row.published_at)
    return Campaign(
        id=row.id,
        area_code=row.area_code,
        title=row.title,
        standard=row.standard,
        standard_version=row.standard_version,
        as_of=row.as_of,
        schedule=Schedule(row.preparation_from, row.implementation_from, row.inspection_from, row.conclude_by),
        seed=row.seed,
        sample_size=row.sample_size,
        phase=Phase(row.phase),
        opened=Signature(row.opened_by, row.opened_by_name, row.opened_at),
        published=published,
        version=row.version,
    )


def inspection_values(inspection: Inspection) -> dict[str, Any]:
    countersigned = inspection.countersigned
    return {
        "inspectors": list(inspection.inspectors),
        "state": inspection.state.value,
        "signatures": [_written(one) for one in inspection.signatures],
        "countersigned": None if countersigned is None else _written(countersigned),
    }


def inspection_of(row: InspectionTable) -> Inspection:
    return Inspection(
        id=row.id,
        campaign_id=row.campaign_id,
        title=row.title,
        standard=row.standard,
        standard_version=row.standard_version,
        as_of=row.as_of,
        phase=Phase(row.phase),
        station_id=row.station_id,
        area_code=row.area_code,
        station_name=row.station_name,
        inspectors=tuple(row.inspectors),
        sample=tuple(row.sample),
        state=InspectionState(row.state),
        signatures=tuple(_read(one) for one in row.signatures),
        countersigned=None if row.countersigned is None else _read(row.countersigned),
        version=row.version,
    )


def mark_of(row: InspectionMark) -> Mark:
    return Mark(
        criterion=row.criterion,
        source=Source(row.source),
        met=row.met,
        note=row.note,
        evidence=tuple(row.evidence),
        rectify_by=row.rectify_by,
        signature=Signature(row.marked_by, row.marked_by_name, row.marked_at),
    )


def mark_values(mark: Mark) -> dict[str, Any]:
    return {
        "criterion": mark.criterion,
        "source": mark.source.value,
        "met": mark.met,
        "note": mark.note,
        "evidence": list(mark.evidence),
        "rectify_by": mark.rectify_by,
        "marked_by": mark.signature.by,
        "marked_by_name": mark.signature.name,
        "marked_at": mark.signature.at,
    }


def rectification_values(found: Rectification) -> dict[str, Any]:
    closed = found.closed
    return {
        "due_on": found.due_on,
        "owner": found.owner,
        "state": found.state.value,
        "submissions": [dict(one) for one in found.submissions],
        "closed_by": closed.by if closed else None,
        "closed_by_name": closed.name if closed else None,
        "closed_at": closed.at if closed else None,
    }


def rectification_of(row: RectificationTable) -> Rectification:
    closed = None
    if row.closed_by is not None and row.closed_by_name is not None and row.closed_at is not None:
        closed = Signature(row.closed_by, row.closed_by_name, row.closed_at)
    return Rectification(
        id=row.id,
        inspection_id=row.inspection_id,
        station_id=row.station_id,
        area_code=row.area_code,
        criterion=row.criterion,
        requirement=row.requirement,
        due_on=row.due_on,
        owner=row.owner,
        state=RectificationState(row.state),
        submissions=tuple(row.submissions),
        closed=closed,
        version=row.version,
    )


def _written(signature: Signature) -> dict[str, str]:
    return {"by": str(signature.by), "name": signature.name, "at": signature.at.isoformat()}


def _read(written: Mapping[str, str]) -> Signature:
    return Signature(UUID(written["by"]), written["name"], datetime.fromisoformat(written["at"]))
