"""The standards that stations are measured by, with every version and the sentence behind each criterion."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import Field

from app.dependencies import ClockDep, PageDep, StaffActor, encode_cursor
from app.domain.stations.measures import LEADERS_COUNTED, MEASURES
from app.domain.stations.model import Comparator, Criterion, Dimension, Limit, Standard, StandardVersion
from app.routers.models import ApiModel, Page
from app.routers.route import api_router
from app.routers.v1.station_access import StandardsDep

router = api_router("民政工作站评估", "/station-standards")

CodePath = Annotated[str, Path(min_length=1, max_length=60, description="标准代码")]


class StandardSummary(ApiModel):
    """一个标准及其在所查日期生效的版本。"""

    code: str
    name: str
    description: str
    version: str | None = Field(description="该日生效的版本；null 表示该日没有")
    versions: list[str]


class LimitView(ApiModel):
    """要求；分档时 band_from 含本数，band_until 不含。"""

    lower: int | None
    upper: int | None
    codes: list[str]
    band_from: int | None
    band_until: int | None
    kind: str | None
    assumption: str | None = Field(description="原文未明确之处的处理")

    @classmethod
    def of(cls, limit: Limit) -> LimitView:
        return cls(
            lower=limit.lower,
            upper=limit.upper,
            codes=sorted(limit.codes),
            band_from=limit.band_from,
            band_until=limit.band_until,
            kind=limit.kind,
            assumption=limit.assumption,
        )


class CriterionView(ApiModel):
    """一项条款。"""

    code: str
    name: str
    dimension: Dimension
    measure: str = Field(description="指标代码，见代码表 station_measure")
    unit: str | None
    comparator: Comparator
    limit_by: str | None = Field(description="分档依据；没有对应档次的为“未规定”")
    limits: list[LimitView]
    leaders_counted: bool = Field(description="站长、副站长是否计入人数")
    article: str
    sentence: str = Field(description="来源原文")
    evidence: list[str]
    weight: int = Field(description="分值，当地参数")
    mandatory: bool
    valid_from: date
    valid_until: date | None

    @classmethod
    def of(cls, criterion: Criterion) -> CriterionView:
        return cls(
            code=criterion.code,
            name=criterion.name,
            dimension=criterion.dimension,
            measure=criterion.measure,
            unit=MEASURES[criterion.measure].unit,
            comparator=criterion.comparator,
            limit_by=criterion.limit_by,
            limits=[LimitView.of(limit) for limit in criterion.limits],
            leaders_counted=criterion.arguments.get(LEADERS_COUNTED, False),
            article=criterion.article,
            sentence=criterion.sentence,
            evidence=list(criterion.evidence),
            weight=criterion.weight,
            mandatory=criterion.mandatory,
            valid_from=criterion.valid_from,
            valid_until=criterion.valid_until,
        )


class VersionView(ApiModel):
    """标准的一个版本。"""

    version: str
    source: str
    valid_from: date
    valid_until: date | None
    criteria: list[CriterionView]

    @classmethod
    def of(cls, version: StandardVersion) -> VersionView:
        return cls(
            version=version.version,
            source=version.source,
            valid_from=version.valid_from,
            valid_until=version.valid_until,
            criteria=[CriterionView.of(criterion) for criterion in version.criteria],
        )


class StandardDetail(ApiModel):
    """一个标准的全部版本，旧的在前。"""

    code: str
    name: str
    description: str
    versions: list[VersionView]


@router.get("", summary="工作站标准列表")
async def list_standards(
    _actor: StaffActor,
    clock: ClockDep,
    known: StandardsDep,
    page: PageDep,
    on: Annotated[date | None, Query(description="按该日，默认业务日期")] = None,
) -> Page[StandardSummary]:
    """系统自带和本区自订的全部标准及其版本，按代码。各地的定编口径分别为独立的标准，不合并。"""
    day = on or clock.today
    after = page.after[0] if page.after else ""
    following = [known.get(code) for code in sorted(known.codes) if code > after]
    items = following[: page.limit]
    return Page(
        items=[_summary(standard, day) for standard in items],
        next_cursor=encode_cursor(items[-1].code) if len(following) > page.limit else None,
        total=len(known.codes) if page.count else None,
    )


@router.get("/{standard_code}", summary="工作站标准：各版本和全部条款")
async def get_standard(standard_code: CodePath, _actor: StaffActor, known: StandardsDep, response: Response) -> StandardDetail:
    """每条附指标、要求、来源原文、应备材料、分值和生效期间。"""
    standard = known.get(standard_code)
    shown = StandardDetail(
        code=standard.code,
        name=standard.name,
        description=standard.description,
        versions=[VersionView.of(version) for version in standard.versions],
    )
    # A standard has no version of its own: its content is its version.
    response.headers["ETag"] = f'"{hashlib.sha256(shown.model_dump_json().encode()).hexdigest()[:20]}"'
    return shown


def _summary(standard: Standard, day: date) -> StandardSummary:
    current = next((version.version for version in standard.versions if version.in_force_on(day)), None)
    return StandardSummary(
        code=standard.code,
        name=standard.name,
        description=standard.description,
        version=current,
        versions=[version.version for version in standard.versions],
    )
