"""Requests and answers about a station's sheets, trainings and meetings."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from app.domain.errors import FieldError
from app.domain.stations.records import (
    MONTHS,
    Archives,
    Audience,
    Budget,
    CommunityOffice,
    E,
    Equipment,
    Event,
    Meeting,
    MeetingKind,
    OfficeKind,
    Premises,
    Provider,
    Rules,
    Sheet,
    Training,
    Volunteers,
)
from app.domain.stations.refusals import malformed
from app.domain.stations.vocabulary import provider_of
from app.routers.models import ApiModel, CommunityCode, Fen, LongText, MonthText, ShortText
from app.routers.v1.station_assessment_models import MAX_COUNT, Count, Flag, RoomCode, RuleCode, SignageCode

MAX_ITEMS = 50

SquareMetres = Annotated[Decimal, Field(ge=0, le=MAX_COUNT, max_digits=10, decimal_places=2, description="面积，平方米")]


def without_null(schema: dict[str, Any]) -> None:
    """A field that may be left out, and says so by its default alone: published as it was when it was required."""
    (kept,) = (part for part in schema.pop("anyOf") if part.get("type") != "null")
    schema.update(kept)


class Withdrawing(ApiModel):
    """撤回填报有误的记录。"""

    reason: ShortText = Field(description="撤回原因，记入审计；请勿写入个人信息")


Year = Annotated[int, Field(strict=True, ge=2000, le=2100)]


class SheetIn(ApiModel):
    """自 valid_from 起的情况；同日再报即更正，旧情况保留。"""

    valid_from: date | None = Field(default=None, description="自何日起如此；不填为今天")


class SheetOut(BaseModel):
    """自 valid_from 起（含）至 valid_until 止（不含）的情况。"""

    id: UUID
    area_code: str
    valid_from: date
    valid_until: date | None = Field(description="下一次填报的起始日；最新的一次为 null")


def dated(sheet: Sheet[Any]) -> dict[str, Any]:
    """What every sheet shows, and the fields that it shares by name with its record."""
    shown = {"id": sheet.id, "area_code": sheet.area_code, "valid_from": sheet.valid_from, "valid_until": sheet.valid_until}
    return {**shown, **asdict(sheet.content)}


# --- premises, equipment, archives, volunteers ---------------------------------------------------------------------------


class PremisesIn(SheetIn):
    """办公场所。"""

    area_m2: SquareMetres
    independent: Flag = Field(description="独立使用")
    accessible: Flag = Field(description="方便群众办事（无障碍）")
    service_window: Flag = Field(description="设有服务窗口")
    archive_room: Flag = Field(description="设有档案室")

    def content(self) -> Premises:
        return Premises(**self.model_dump(exclude={"valid_from"}))


class PremisesOut(SheetOut):
    """办公场所。"""

    area_m2: float
    independent: bool
    accessible: bool
    service_window: bool
    archive_room: bool

    @classmethod
    def of(cls, sheet: Sheet[Premises]) -> PremisesOut:
        return cls(**dated(sheet))


class EquipmentIn(SheetIn):
    """办公设施，能正常使用的件数。"""

    computer: Count = Field(description="电脑")
    telephone: Count = Field(description="电话")
    fax: Count = Field(description="传真机")
    printer: Count = Field(description="打印机")
    camera: Count = Field(description="照相机")
    vehicle: Count = Field(description="交通工具")

    def content(self) -> Equipment:
        return Equipment(**self.model_dump(exclude={"valid_from"}))


class EquipmentOut(SheetOut):
    """办公设施，能正常使用的件数。"""

    computer: int
    telephone: int
    fax: int
    printer: int
    camera: int
    vehicle: int

    @classmethod
    def of(cls, sheet: Sheet[Equipment]) -> EquipmentOut:
        return cls(**dated(sheet))


class ArchivesIn(SheetIn):
    """文档资料，按 valid_from 当日清点。"""

    total: Count = Field(description="档案总数")
    bound: Count = Field(description="其中已装订成册")
    digitised: Count = Field(description="其中已数字化（微机管理）")
    confidential: Flag = Field(description="符合档案管理的保密要求")

    def content(self) -> Archives:
        return Archives(**self.model_dump(exclude={"valid_from"}))


class ArchivesOut(SheetOut):
    """文档资料。"""

    total: int
    bound: int
    digitised: int
    confidential: bool

    @classmethod
    def of(cls, sheet: Sheet[Archives]) -> ArchivesOut:
        return cls(**dated(sheet))


class VolunteersIn(SheetIn):
    """志愿者队伍和应急预案。"""

    volunteers: Count = Field(description="志愿者人数")
    emergency_plan: Flag = Field(description="有应急预案")
    emergency_plan_on: date | None = Field(default=None, description="应急预案制定（修订）日期")

    def content(self) -> Volunteers:
        return Volunteers(**self.model_dump(exclude={"valid_from"}))


class VolunteersOut(SheetOut):
    """志愿者队伍和应急预案。"""

    volunteers: int
    emergency_plan: bool
    emergency_plan_on: date | None

    @classmethod
    def of(cls, sheet: Sheet[Volunteers]) -> VolunteersOut:
        return cls(**dated(sheet))


# --- budget --------------------------------------------------------------------------------------------------------------


class Disbursement(ApiModel):
    """一个月的拨付。"""

    month: MonthText
    amount_fen: Fen


class BudgetIn(ApiModel):
    """一个年度的工作经费；同一年度再报即更正。"""

    year: Year | None = Field(default=None, description="年度；不填为今年", json_schema_extra=without_null)
    in_fiscal_budget: Flag = Field(description="列入本级财政预算")
    amount_fen: Fen
    disbursements: list[Disbursement] = Field(default_factory=list, max_length=MONTHS, description="各月实际拨付")

    def content(self, today: date) -> Budget:
        """Raises ``Malformed`` for two rows of one month and for months of another year."""
        year = self.year or today.year
        rows = enumerate(self.disbursements)
        faults = [fault for place, row in rows if (fault := self._fault(place, row, year)) is not None]
        if faults:
            raise malformed(faults)
        paid = {int(row.month[5:]): row.amount_fen for row in self.disbursements}
        months = tuple(paid.get(month) for month in range(1, MONTHS + 1))
        return Budget(year, self.in_fiscal_budget, self.amount_fen, months)

    def _fault(self, place: int, row: Disbursement, year: int) -> FieldError | None:
        pointer = f"/disbursements/{place}/month"
        if int(row.month[:4]) != year:
            return FieldError(pointer, "month_outside_year", f"{row.month} 不在 {year} 年度内，请更正月份或年度。")
        if any(row.month == other.month for other in self.disbursements[:place]):
            return FieldError(pointer, "repeated", f"{row.month} 填写了两次，请合并为一行。")
        return None


class BudgetOut(SheetOut):
    """一个年度的工作经费和各月拨付。"""

    year: int
    in_fiscal_budget: bool
    amount_fen: int
    disbursed_fen: int = Field(description="已拨付合计，单位：分")
    disbursements: list[Disbursement]

    @classmethod
    def of(cls, sheet: Sheet[Budget]) -> BudgetOut:
        budget = sheet.content
        paid = [
            Disbursement(month=f"{budget.year}-{month:02d}", amount_fen=amount)
            for month, amount in enumerate(budget.disbursed_fen, start=1)
            if amount is not None
        ]
        total = sum(row.amount_fen for row in paid)
        return cls(**dated(sheet) | {"disbursed_fen": total, "disbursements": paid})


# --- rules and signage ---------------------------------------------------------------------------------------------------


class SignIn(ApiModel):
    """一块标识牌，由谁制作配备；也可只写代码。"""

    code: SignageCode
    provided_by: Provider | None = Field(
        default=None,
        description="bureau 区民政局统一制作，street 街道（乡镇）制作；不填按规定：门牌由区民政局，其余由街道",
        json_schema_extra=without_null,
    )

    @model_validator(mode="before")
    @classmethod
    def _code_alone(cls, value: Any) -> Any:
        return {"code": value} if isinstance(value, str) else value

    @property
    def sign(self) -> str:
        return str(self.code.value)

    @property
    def by_bureau(self) -> bool:
        return (self.provided_by or provider_of(self.sign)) == "bureau"


class SignOut(ApiModel):
    """一块标识牌，由谁制作配备。"""

    code: SignageCode
    provided_by: Provider = Field(description="bureau 区民政局统一制作，street 街道（乡镇）制作")


class RulesIn(SheetIn):
    """规章制度和上墙标识。"""

    rules: list[RuleCode] = Field(max_length=MAX_ITEMS, description="已建立的制度，见代码表 station_rule")
    signage: list[SignIn] = Field(max_length=MAX_ITEMS, description="已悬挂的标识")

    def content(self) -> Rules:
        signs = tuple(sign.sign for sign in self.signage)
        by_bureau = tuple(sign.sign for sign in self.signage if sign.by_bureau)
        return Rules(tuple(str(rule.value) for rule in self.rules), signs, by_bureau)


class RulesOut(SheetOut):
    """规章制度和上墙标识。"""

    rules: list[str]
    signage: list[SignOut]

    @classmethod
    def of(cls, sheet: Sheet[Rules]) -> RulesOut:
        rules = sheet.content
        signs = [SignOut(code=code, provided_by="bureau" if code in rules.made_by_bureau else "street") for code in rules.signage]
        values = {name: value for name, value in dated(sheet).items() if name != "made_by_bureau"}
        return cls(**values | {"rules": list(rules.rules), "signage": signs})


# --- community offices ---------------------------------------------------------------------------------------------------


class OfficeIn(SheetIn):
    """一个村（社区）的办公场所（五有一创）。"""

    area_code: CommunityCode
    kind: OfficeKind = Field(description="urban 城市社区，township 乡镇社区")
    area_m2: SquareMetres
    rooms: list[RoomCode] = Field(default_factory=list, max_length=MAX_ITEMS, description="设置的室、站、厅、场所")

    def content(self) -> CommunityOffice:
        return CommunityOffice(self.kind, self.area_m2, tuple(self.rooms))


class OfficeOut(SheetOut):
    """一个村（社区）的办公场所。"""

    kind: OfficeKind
    area_m2: float
    rooms: list[str]

    @classmethod
    def of(cls, sheet: Sheet[CommunityOffice]) -> OfficeOut:
        return cls(**dated(sheet))


# --- trainings and meetings ----------------------------------------------------------------------------------------------


class EventOut(BaseModel):
    """一次培训或会议。"""

    id: UUID
    station_id: UUID
    area_code: str
    version: int


def told(event: Event[E]) -> dict[str, Any]:
    """What every event shows, and the fields that it shares by name with its record."""
    shown = {"id": event.id, "station_id": event.station_id, "area_code": event.area_code, "version": event.version}
    return {**shown, **asdict(event.content)}


class TrainingIn(ApiModel):
    """一次培训。"""

    audience: Audience = Field(description="assistants 民政助理员，coordinators 村（居）协管员")
    held_on: date = Field(description="举办日期")
    topic: ShortText = Field(description="内容")
    attended: Count = Field(description="参加人数")

    def content(self) -> Training:
        return Training(**self.model_dump())


class TrainingOut(EventOut):
    """一次培训。"""

    audience: Audience
    held_on: date
    topic: str
    attended: int

    @classmethod
    def of(cls, event: Event[Training]) -> TrainingOut:
        return cls(**told(event))


class MeetingIn(ApiModel):
    """一次月例会或季度检查。"""

    kind: MeetingKind = Field(description="monthly_meeting 月例会，quarterly_check 季度检查")
    held_on: date = Field(description="日期")
    invited: Count = Field(description="应到人数")
    attended: Count = Field(description="实到人数")
    note: LongText | None = Field(default=None, description="内容或检查情况")

    def content(self) -> Meeting:
        return Meeting(**self.model_dump())


class MeetingOut(EventOut):
    """一次月例会或季度检查。"""

    kind: MeetingKind
    held_on: date
    invited: int
    attended: int
    note: str | None

    @classmethod
    def of(cls, event: Event[Meeting]) -> MeetingOut:
        return cls(**told(event))
