"""Acceptance of stations: campaigns, inspections, rectifications, published results."""

from app.domain.inspections.judging import final, ranked, result_of
from app.domain.inspections.marking import MarkEntry
from app.domain.inspections.model import Campaign, Inspection, Mark, Phase, Rectification, Result, Schedule, Source
from app.domain.inspections.service import Acceptance, CampaignEntry

__all__ = [
    "Acceptance",
    "Campaign",
    "CampaignEntry",
    "Inspection",
    "Mark",
    "MarkEntry",
    "Phase",
    "Rectification",
    "Result",
    "Schedule",
    "Source",
    "final",
    "ranked",
    "result_of",
]
