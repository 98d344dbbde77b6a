"""The facts on file, and assessments of them with what the station says itself."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, PlainSerializer

from app.domain.stations.facts import Facts
from app.domain.stations.model import Grade
from app.domain.stations.self_assessment import Claim, StoredAssessment
from app.routers.models import ApiModel, CommunityCode, LongText
from app.routers.v1.station_assessment_models import (
    CommunityOfficeFacts,
    CriterionVerdictView,
    DimensionVerdictView,
    PremisesFacts,
    StandardText,
    StationFacts,
)

MAX_CLAIMS = 200
Metres = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


class PremisesShown(PremisesFacts):
    """办公场所。"""

    area_m2: Metres | None = None


class CommunityOfficeShown(CommunityOfficeFacts):
    """社区办公场所。"""

    area_m2: Metres | None = None


class StationFactsShown(StationFacts):
    """系统内登记的事实。null 表示从未登记，可原样用于 POST /stations/assessments 的 facts。"""

    premises: PremisesShown | None = None
    community_office: CommunityOfficeShown | None = None

    @classmethod
    def of(cls, facts: Facts) -> StationFactsShown:
        return cls.model_validate(_in_order(asdict(facts)))


def _in_order(value: Any) -> Any:
    """Sets as sorted lists, so that the same facts always look the same."""
    if isinstance(value, dict):
        return {name: _in_order(part) for name, part in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    return [_in_order(part) for part in value] if isinstance(value, tuple) else value


class FactsOut(BaseModel):
    """一个工作站某日的事实。"""

    station_id: UUID
    as_of: date
    facts: StationFactsShown


class ClaimIn(ApiModel):
    """本站对一条的自评意见。"""

    code: str = Field(min_length=1, max_length=60, description="条款代码")
    met: bool = Field(strict=True, description="自评是否达标")
    note: LongText | None = Field(default=None, description="依据或说明")

    def claim(self) -> Claim:
        return Claim(self.code, self.met, self.note)


class StationAssessmentOrder(ApiModel):
    """按登记的事实评估一次。"""

    standard: StandardText
    as_of: date | None = Field(default=None, description="评估日期；不填为今天")
    community: CommunityCode | None = Field(default=None, description="社区达标（五有一创）时，评估哪个村（社区）的办公场所")
    claims: list[ClaimIn] = Field(default_factory=list, max_length=MAX_CLAIMS, description="本站自评意见，可不填")


class CriterionResult(CriterionVerdictView):
    """一项条款：按登记事实的结论，与本站自评并列，互不替代。"""

    claimed: bool | None = Field(description="本站自评；未自评为 null")
    claim_note: str | None
    disagrees: bool = Field(description="自评与登记事实得出的结论不一致")


class StoredAssessmentOut(BaseModel):
    """一次保存的评估；保存后不再重算。"""

    id: UUID
    station_id: UUID
    area_code: str
    standard: str
    version: str
    as_of: date
    grade: Grade
    criteria: list[CriterionResult]
    dimensions: list[DimensionVerdictView]
    disagreements: int = Field(description="自评与登记事实不一致的条数")
    facts: StationFactsShown
    assessed_by: str
    assessed_at: datetime

    @classmethod
    def of(cls, kept: StoredAssessment) -> StoredAssessmentOut:
        claims = {claim.code: claim for claim in kept.claims}
        criteria = [_result(verdict, claims.get(verdict["code"])) for verdict in kept.answer["criteria"]]
        return cls(
            id=kept.id,
            station_id=kept.station_id,
            area_code=kept.area_code,
            standard=kept.standard,
            version=kept.standard_version,
            as_of=kept.as_of,
            grade=Grade(kept.grade),
            criteria=criteria,
            dimensions=[DimensionVerdictView.model_validate(dimension) for dimension in kept.answer["dimensions"]],
            disagreements=sum(criterion.disagrees for criterion in criteria),
            facts=StationFactsShown.model_validate(kept.facts),
            assessed_by=kept.assessed_by_name,
            assessed_at=kept.assessed_at,
        )


def _result(verdict: dict[str, Any], claim: Claim | None) -> CriterionResult:
    """A claim disagrees with a decided answer that is another; an open one contradicts nobody."""
    disagrees = claim is not None and verdict["met"] is not None and verdict["met"] is not claim.met
    own = {"claimed": claim.met if claim else None, "claim_note": claim.note if claim else None, "disagrees": disagrees}
    return CriterionResult.model_validate({**verdict, **own})
