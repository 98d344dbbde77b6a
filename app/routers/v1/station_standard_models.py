"""A district's own standard as it is sent: the words of the files that come with the application."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from app.domain.stations.document_reader import CODE
from app.domain.stations.limit_document import MOST
from app.domain.stations.local_standards import DraftState, StandardDraft
from app.domain.stations.model import Comparator, Dimension
from app.domain.stations.standard_document import MAX_WEIGHT
from app.routers.models import ApiModel, LongText, ShortText
from app.routers.v1.station_assessment_models import Flag

MAX_CRITERIA = 200

CodeText = Annotated[str, StringConstraints(pattern=f"^{CODE.pattern}$")]
Bound = Annotated[int, Field(strict=True, ge=0, le=MOST)]


class LimitIn(ApiModel):
    """要求；分档时 band_from 含本数，band_until 不含。"""

    lower: Bound | None = None
    upper: Bound | None = None
    codes: list[ShortText] | None = Field(default=None, max_length=100)
    band_from: Bound | None = None
    band_until: Bound | None = None
    kind: CodeText | None = None
    assumption: LongText | None = Field(default=None, description="原文未明确之处的处理")


class ArgumentsIn(ApiModel):
    """指标的参数。"""

    leaders_counted: Flag | None = Field(default=None, description="站长、副站长是否计入人数；默认不计")


class CriterionIn(ApiModel):
    """一项条款：由哪个指标衡量，要求多少，出自哪句原文。"""

    code: CodeText
    name: ShortText
    dimension: Dimension = Field(description="验收六方面之一")
    measure: CodeText = Field(description="指标代码，见代码表 station_measure")
    arguments: ArgumentsIn | None = None
    comparator: Comparator
    limit: LimitIn | None = Field(default=None, description="不分档的要求；分档的写 limits 和 limit_by")
    limits: list[LimitIn] | None = Field(default=None, max_length=50)
    limit_by: CodeText | None = Field(default=None, description="分档依据，如 population、community_population")
    article: ShortText = Field(description="出处")
    sentence: LongText = Field(description="原文")
    evidence: list[ShortText] = Field(max_length=50, description="应备的佐证材料")
    weight: Annotated[int, Field(strict=True, ge=1, le=MAX_WEIGHT)] = Field(description="分值")
    mandatory: Flag = Field(description="必达条款；为 false 时只计分")
    effective_from: date | None = Field(default=None, description="晚于所属版本生效的条款填写")
    effective_to: date | None = Field(default=None, description="最后有效日（含）")


class StandardIn(ApiModel):
    """一个标准的一个版本。代码已有的，是该标准的新版本，名称须与原来相同。"""

    code: CodeText
    name: ShortText
    description: LongText
    source: ShortText = Field(description="发布的文件")
    effective_from: date = Field(description="施行日")
    effective_to: date | None = Field(default=None, description="最后有效日（含）；长期有效的不填")
    criteria: list[CriterionIn] = Field(min_length=1, max_length=MAX_CRITERIA)

    def document(self) -> dict[str, Any]:
        """As ``app.domain.stations.standard_document`` reads it: only what was sent."""
        given = self.model_dump(mode="json", exclude_none=True)
        whole = {key: given.pop(key) for key in ("code", "name", "description")}
        return whole | {"versions": [given]}


class StandardDraftOut(StandardIn):
    """本区自订的一个标准版本：草案，或已签批。"""

    id: UUID
    state: DraftState
    standard_version: str = Field(description="版本：施行日/内容摘要；评估结果记的就是它")
    drafted_by: str
    drafted_at: datetime
    signed_by: str | None
    signed_at: datetime | None
    version: int

    @classmethod
    def of(cls, draft: StandardDraft) -> StandardDraftOut:
        text = dict(draft.document)
        (only,) = text.pop("versions")
        return cls.model_validate(
            {
                **text,
                **only,
                "id": draft.id,
                "state": draft.state,
                "standard_version": draft.standard.versions[0].version,
                "drafted_by": draft.drafted.name,
                "drafted_at": draft.drafted.at,
                "signed_by": None if draft.signed is None else draft.signed.name,
                "signed_at": None if draft.signed is None else draft.signed.at,
                "version": draft.version,
            }
        )
