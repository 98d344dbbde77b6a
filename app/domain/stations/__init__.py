"""Stations (民政工作站): what is on file about them, and how they measure up to the standards (三有四全 and others)."""

from app.domain.stations.assessing import assess
from app.domain.stations.facts import Facts
from app.domain.stations.model import (
    WITHOUT_VERDICT,
    Assessment,
    Criterion,
    Grade,
    Standard,
    Standards,
    Undecided,
    Verdict,
)

__all__ = [
    "WITHOUT_VERDICT",
    "Assessment",
    "Criterion",
    "Facts",
    "Grade",
    "Standard",
    "Standards",
    "Undecided",
    "Verdict",
    "assess",
]
