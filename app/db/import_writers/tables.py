"""The kinds that are a table and nothing more: where their rows go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

import app.db.repositories.informants
import app.db.repositories.stations  # noqa: F401  (both name what the tables' constraints mean)
from app.db.base import columns
from app.db.import_writers import register_writer
from app.db.import_writers.table import TableWriter
from app.db.import_writers.target import Dependent, Reference, Sealed, Target
from app.db.scoping import within
from app.db.tables.appraisals import AppraisalStation, PersonnelRecord
from app.db.tables.inspections import Inspection
from app.db.tables.leads import Lead
from app.db.tables.reference import ResidentCount
from app.db.tables.station_files import (
    StationArchive,
    StationAssessment,
    StationBudget,
    StationEquipment,
    StationMeeting,
    StationPremises,
    StationRule,
    StationTraining,
    StationVolunteers,
)
from app.db.tables.stations import Informant, Station, StationStaff
from app.db.tables.trainings import InformantTraining, TrainingCertificate
from app.domain.access import AreaScope
from app.domain.imports.kinds.resident_counts import RESIDENT_COUNTS, SOURCE
from app.domain.imports.kinds.stations import INFORMANTS, STAFF, STATIONS
from app.domain.stations.records import DEPUTY_POST, HEAD_POST
from app.security.fields import Field

STATION = columns(Station)
ON_RECORD_ABOUT_STATIONS = (
    AppraisalStation,
    InformantTraining,
    Inspection,
    PersonnelRecord,
    StationArchive,
    StationAssessment,
    StationBudget,
    StationEquipment,
    StationMeeting,
    StationPremises,
    StationRule,
    StationStaff,
    StationTraining,
    StationVolunteers,
)


async def open_stations(scope: AreaScope, session: AsyncSession, codes: Sequence[Any]) -> Mapping[Any, UUID]:
    """Area code → the station that is open there."""
    statement = sa.select(STATION.area_code, STATION.id).where(
        within(scope, STATION), STATION.area_code.in_(codes), STATION.closed_on.is_(None)
    )
    return {row.area_code: row.id for row in await session.execute(statement)}


def _same(*names: str) -> dict[str, str]:
    """Fields that bear the name of their column."""
    return {name: name for name in names}


RESIDENT_COUNT_TARGET = Target(
    table=ResidentCount,
    key=("area_code", "as_of"),
    values=_same("area_code", "as_of", "population", "households", "source"),
    defaults={"source": SOURCE},
)
STATION_TARGET = Target(
    table=Station,
    key=("area_code",),
    values=_same("area_code", "name", "opened_on", "head_post", "deputy_post", "address", "phone"),
    defaults={"head_post": HEAD_POST, "deputy_post": DEPUTY_POST},
    current=lambda station: station.closed_on.is_(None),
    dependents=tuple(Dependent(table, "station_id") for table in ON_RECORD_ABOUT_STATIONS),
)
STAFF_TARGET = Target(
    table=StationStaff,
    key=("station_id", "name", "valid_from"),
    values=_same(
        "area_code",
        "name",
        "establishment",
        "full_time",
        "position",
        "leads_as",
        "education",
        "exam_passed",
        "filed_on",
        "other_posts",
        "consulted_on",
        "valid_from",
        "valid_until",
    ),
    references=(
        Reference(
            "area_code",
            "station_id",
            open_stations,
            "station_unknown",
            "该乡镇（街道）还没有登记民政工作站，请先导入或登记工作站。",
        ),
    ),
    defaults={"exam_passed": False},
)
INFORMANT_TARGET = Target(
    table=Informant,
    key=("area_code", "name", "valid_from"),
    values=_same("area_code", "name", "badge_no", "valid_from", "valid_until"),
    sealed={"phone": Sealed("phone_sealed", Field.PHONE, "phone_masked")},
    dependents=(Dependent(Lead, "informant_id"), Dependent(TrainingCertificate, "informant_id")),
)

TARGETS = {
    RESIDENT_COUNTS.code: RESIDENT_COUNT_TARGET,
    STATIONS.code: STATION_TARGET,
    STAFF.code: STAFF_TARGET,
    INFORMANTS.code: INFORMANT_TARGET,
}
for _code, _target in TARGETS.items():
    register_writer(_code, TableWriter(_target))
