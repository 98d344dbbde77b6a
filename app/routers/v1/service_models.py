"""What the routes of service items take and give."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from app.domain.service_items import (
    Citation,
    DayUnit,
    Item,
    ItemEntry,
    ItemList,
    ListEntry,
    ListLevel,
    Material,
    OnTime,
    Step,
    Tally,
    TimeLimit,
    Waiver,
)
from app.routers.models import ApiModel, LongText, ShortText

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,59}$"), Field(description="代码：小写字母、数字、下划线")]
Days = Annotated[int, Field(ge=1, le=366)]


class CitationModel(ApiModel):
    """办事依据。"""

    document: ShortText = Field(description="文件，如“社会救助法”")
    article: ShortText = Field(description="条款，如“第二十二条”")


class StepModel(ApiModel):
    """办事程序的一个环节。"""

    name: ShortText
    by: ShortText = Field(description="由谁办理")


class MaterialModel(ApiModel):
    """一项材料。"""

    code: Code
    name: ShortText
    required: bool = Field(default=True, description="是否必交")
    waivers: Annotated[list[Waiver], Field(max_length=2)] = Field(
        default_factory=list, description="可免交的方式：数据共享、告知承诺"
    )


class LimitModel(ApiModel):
    """办理时限。承诺时限与法定时限同一单位，且不长于法定时限。"""

    unit: DayUnit = Field(description="工作日或日历日")
    promised_days: int = Field(ge=0, le=366, description="承诺时限；0 为即办")
    legal_days: Days | None = Field(default=None, description="法定时限；法律未规定的不填")
    legal_article: ShortText | None = Field(default=None, description="法定时限的条文")
    pause_article: ShortText | None = Field(default=None, description="补正期间不计入时限所依据的条文；不填则照常计算")


class ItemModel(ApiModel):
    """一个事项：办事依据、程序、结果、管理规定四公开，缺一不可。"""

    code: Code
    name: ShortText
    basis: Annotated[list[CitationModel], Field(min_length=1, max_length=20, description="办事依据")]
    procedure: Annotated[list[StepModel], Field(min_length=1, max_length=20, description="办事程序")]
    result: LongText = Field(description="办事结果及其公开方式")
    rules: Annotated[list[ShortText], Field(min_length=1, max_length=20, description="管理规定")]
    materials: Annotated[list[MaterialModel], Field(max_length=50)] = Field(default_factory=list, description="材料清单")
    limit: LimitModel
    handled_by: ShortText = Field(description="承办单位或岗位")
    programme: Code | None = Field(default=None, description="对应的救助项目")

    def entry(self) -> ItemEntry:
        return ItemEntry(
            code=self.code,
            name=self.name,
            basis=tuple(Citation(one.document, one.article) for one in self.basis),
            procedure=tuple(Step(one.name, one.by) for one in self.procedure),
            result=self.result,
            rules=tuple(self.rules),
            materials=tuple(Material(one.code, one.name, one.required, frozenset(one.waivers)) for one in self.materials),
            limit=TimeLimit(**self.limit.model_dump()),
            handled_by=self.handled_by,
            programme=self.programme,
        )


class ServiceListIn(ApiModel):
    """要公布的一张清单，一经公布不能修改。"""

    level: ListLevel = Field(description="乡镇（街道）、村、社区")
    title: ShortText
    source: LongText = Field(description="所依据的清单文件")
    valid_from: date = Field(description="施行日期，不早于今天；上一版本自该日起失效")
    items: Annotated[list[ItemModel], Field(min_length=1, max_length=300)]

    def entry(self) -> ListEntry:
        items = tuple(one.entry() for one in self.items)
        return ListEntry(self.level, self.title, self.source, self.valid_from, items)


class ServiceItemOut(ItemModel):
    """清单中的一个事项。"""

    id: UUID
    list_id: UUID
    level: ListLevel
    by_application: bool = Field(description="按救助申请办理：受理即建立申请，时限以申请为准")
    fee_fen: Literal[0] = Field(default=0, description="收费：一律不收费")

    @classmethod
    def of(cls, item: Item) -> ServiceItemOut:
        entry = item.entry
        return cls(
            id=item.id,
            list_id=item.list_id,
            level=item.level,
            by_application=item.by_application,
            code=entry.code,
            name=entry.name,
            basis=[CitationModel.model_validate(one) for one in entry.basis],
            procedure=[StepModel.model_validate(one) for one in entry.procedure],
            result=entry.result,
            rules=list(entry.rules),
            materials=[
                MaterialModel(code=one.code, name=one.name, required=one.required, waivers=sorted(one.waivers))
                for one in entry.materials
            ],
            limit=LimitModel.model_validate(entry.limit),
            handled_by=entry.handled_by,
            programme=entry.programme,
        )


class ServiceListSummary(ApiModel):
    """清单的一个版本。"""

    id: UUID
    level: ListLevel
    number: int = Field(description="本级清单的第几版")
    title: str
    source: str
    valid_from: date
    valid_until: date | None = Field(description="下一版本的施行日期，当日起失效；null 为最新")
    published_by: str
    published_at: datetime

    @classmethod
    def of(cls, one: ItemList) -> ServiceListSummary:
        return cls(
            id=one.id,
            level=one.level,
            number=one.number,
            title=one.title,
            source=one.source,
            valid_from=one.valid_from,
            valid_until=one.valid_until,
            published_by=one.published.name,
            published_at=one.published.at,
        )


class ServiceListOut(ServiceListSummary):
    """清单的一个版本及其全部事项。"""

    items: list[ServiceItemOut]

    @classmethod
    def whole(cls, one: ItemList, items: list[Item]) -> ServiceListOut:
        return cls(**ServiceListSummary.of(one).model_dump(), items=[ServiceItemOut.of(item) for item in items])


class ServiceItemsOut(ApiModel):
    """某日生效的事项。"""

    items: list[ServiceItemOut]
    next_cursor: None = Field(default=None, description="一次给出全部，恒为 null")


class TallyOut(ApiModel):
    """按时办结情况。"""

    judged: int = Field(description="期间内应办结的件数：按时办结的，以及逾期的（不论是否已办结）")
    on_time: int = Field(description="其中按时办结的件数")
    percent: str | None = Field(description="按时办结率，百分数，截至两位小数；null 表示没有数据，并非 0")

    @classmethod
    def of(cls, tally: Tally) -> TallyOut:
        return cls(judged=tally.judged, on_time=tally.on_time, percent=tally.percent)


class ServiceRateOut(ApiModel):
    """一个工作站、一个事项的按时办结率；汇总时相应一项为 null。"""

    station_area: str | None = Field(description="工作站所在乡镇（街道）区划代码；村（社区）的办件计入所属工作站")
    item_code: str | None
    legal: TallyOut = Field(description="按法定时限；法律未规定时限的事项不计")
    promised: TallyOut = Field(description="按承诺时限")

    @classmethod
    def of(cls, station: str | None, item: str | None, rate: OnTime) -> ServiceRateOut:
        legal, promised = TallyOut.of(rate.legal), TallyOut.of(rate.promised)
        return cls(station_area=station, item_code=item, legal=legal, promised=promised)


class ServiceRatesOut(ApiModel):
    """期间内的按时办结率。"""

    period_from: date
    period_until: date = Field(description="不含当日")
    total: ServiceRateOut
    rows: list[ServiceRateOut]
