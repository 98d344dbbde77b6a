"""The year-end assessment (年终考核) of stations and of their people."""

from app.domain.appraisals.desk import AppraisalDesk
from app.domain.appraisals.entering import AdjustmentEntry, ReportEntry, StationYears, SurveyEntry, TargetEntry
from app.domain.appraisals.model import Appraisal, Phase, Span, StationYear
from app.domain.appraisals.recording import Personnel, PersonOutcome, RecordEntry
from app.domain.appraisals.scheme import Scheme, Shelf
from app.domain.appraisals.scheme_document import scheme_of
from app.domain.appraisals.scoring import StationResult
from app.domain.appraisals.service import YearEntry, Years

__all__ = [
    "AdjustmentEntry",
    "Appraisal",
    "AppraisalDesk",
    "PersonOutcome",
    "Personnel",
    "Phase",
    "RecordEntry",
    "ReportEntry",
    "Scheme",
    "Shelf",
    "Span",
    "StationResult",
    "StationYear",
    "StationYears",
    "SurveyEntry",
    "TargetEntry",
    "YearEntry",
    "Years",
    "scheme_of",
]
