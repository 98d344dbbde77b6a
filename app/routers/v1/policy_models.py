"""What the policy routes take and answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from app.domain.eligibility import ParameterRow
from app.domain.policy.model import Difference, PolicySet, SetStatus
from app.domain.policy.service import Draft
from app.routers.models import ApiModel, AreaCodeText, ShortText

KEY_PATTERN = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$"
KeyText = Annotated[str, StringConstraints(pattern=KEY_PATTERN, max_length=100)]


class ParameterVersion(ApiModel):
    """参数的一个取值。"""

    effective_from: date = Field(description="施行日（含）")
    effective_to: date | None = Field(default=None, description="最后有效日（含）；不填为直到下一取值")
    value: Any = Field(description='金额为整数分；比例为加引号的小数，如 "0.10"')
    source: ShortText | None = Field(default=None, description="文号或出处")

    def document(self) -> dict[str, Any]:
        return {
            "effective_from": self.effective_from,
            "effective_to": self.effective_to,
            "value": self.value,
            "source": self.source,
        }


class PolicySetDraft(ApiModel):
    """新建草案。"""

    area_code: AreaCodeText
    title: ShortText = Field(description="名称或文号")
    effective_from: date = Field(description="施行日：草案只能改动从该日起的取值，也只能从该日起启用")
    parameters: dict[KeyText, Annotated[list[ParameterVersion], Field(max_length=100)]] | None = Field(
        default=None, max_length=500, description="各参数的取值；不填则复制该区划现行参数集"
    )

    def draft(self) -> Draft:
        given = self.parameters
        parameters = None if given is None else {key: [one.document() for one in found] for key, found in given.items()}
        return Draft(self.area_code, self.title, self.effective_from, parameters)


class ParameterPut(ApiModel):
    """一个参数的全部取值。"""

    versions: Annotated[list[ParameterVersion], Field(max_length=100)] = Field(description="空数组表示从草案中去掉该参数")


class SignOffRequest(ApiModel):
    """签批。"""

    simulation_id: UUID = Field(description="按草案现在的内容作出、已完成的测算")


class SignOffOut(ApiModel):
    """由他人签批。"""

    by: str
    at: datetime
    simulation_id: UUID


class PolicySetOut(ApiModel):
    """一套政策参数。"""

    id: UUID
    area_code: str
    status: SetStatus
    title: str | None
    effective_from: date | None
    author: str
    copied_from: UUID | None
    content_hash: str = Field(description="全部取值的摘要；测算和签批都对应这一内容")
    demo: bool = Field(description="演示参数")
    version: int
    created_at: datetime
    sign_off: SignOffOut | None
    activated_at: datetime | None
    activated_by: str | None

    @classmethod
    def of(cls, found: PolicySet) -> PolicySetOut:
        signed = found.sign_off
        return cls(
            id=found.id,
            area_code=found.area_code,
            status=found.status,
            title=found.title,
            effective_from=found.effective_from,
            author=found.author_name,
            copied_from=found.copied_from,
            content_hash=found.content_hash,
            demo=found.demo,
            version=found.version,
            created_at=found.created_at,
            sign_off=SignOffOut(by=signed.signature.name, at=signed.signature.at, simulation_id=signed.simulation_id)
            if signed
            else None,
            activated_at=found.activated_at,
            activated_by=found.activated_by,
        )


class ParameterOut(ApiModel):
    """参数取值；期间前闭后开。"""

    key: str
    valid_from: date
    valid_until: date | None = Field(description="从该日起不再有效；null 为长期")
    value: Any
    source: str | None

    @classmethod
    def of(cls, row: ParameterRow) -> ParameterOut:
        return cls(key=row.key, valid_from=row.valid_from, valid_until=row.valid_until, value=row.value, source=row.source)


class ParameterInForce(ParameterOut):
    """某区划某日有效的参数取值。"""

    source_area_code: str = Field(description="取值来自哪一级区划（就近优先；00 为全国）")

    @classmethod
    def of(cls, row: ParameterRow) -> ParameterInForce:
        return cls(
            key=row.key,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            value=row.value,
            source=row.source,
            source_area_code=row.area_code,
        )


class DifferenceOut(ApiModel):
    """与现行参数集的一处不同。"""

    key: str
    valid_from: date
    valid_until: date | None
    before: Any = Field(description="现行取值；null 为没有")
    after: Any = Field(description="本参数集的取值；null 为没有")

    @classmethod
    def of(cls, found: Difference) -> DifferenceOut:
        return cls.model_validate(found)


class Differences(ApiModel):
    """全部不同之处。"""

    items: list[DifferenceOut]
