"""Requests and answers about stations, their staff and their informants."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from app.domain.stations.entry import leads_as_of
from app.domain.stations.records import (
    DEPUTY_POST,
    HEAD_POST,
    Establishment,
    InformantDetails,
    InformantRecord,
    LeadsAs,
    StaffDetails,
    StaffRecord,
    StationDetails,
    StationRecord,
)
from app.routers.models import ApiModel, CommunityCode, ShortText
from app.routers.v1.station_assessment_models import Flag

SubdistrictCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$"), Field(description="乡镇（街道）区划代码，9 位")]
PhoneText = Annotated[str, StringConstraints(min_length=1, max_length=30)]
AddressText = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class Changing(ApiModel):
    """未提交的字段保持不变。"""

    def change(self) -> dict[str, Any]:
        """The fields that were sent; null in one that must have a value counts as not sent."""
        return {
            name: value
            for name in sorted(self.model_fields_set)
            if (value := getattr(self, name)) is not None or name in self.clearable()
        }

    @classmethod
    def clearable(cls) -> frozenset[str]:
        """What null clears."""
        return frozenset()


# --- stations ------------------------------------------------------------------------------------------------------------


class StationIn(ApiModel):
    """设立民政工作站。"""

    area_code: SubdistrictCode
    name: ShortText = Field(description="站名，如“××街道办事处民政工作站”")
    opened_on: date | None = Field(default=None, description="设立日期；不填为今天")
    head_post: ShortText = Field(default=HEAD_POST, description="按规定兼任站长的职务")
    deputy_post: ShortText = Field(default=DEPUTY_POST, description="按规定兼任副站长的职务")
    address: AddressText | None = Field(default=None, description="办公地址")
    phone: PhoneText | None = Field(default=None, description="办公电话（对外公开）")

    def details(self, today: date) -> StationDetails:
        values = self.model_dump(exclude={"area_code", "opened_on"})
        return StationDetails(opened_on=self.opened_on or today, **values)


class StationUpdate(Changing):
    """修改工作站信息：未提交的字段保持不变，地址、电话提交 null 表示清除，撤站日期提交 null 表示恢复。"""

    name: ShortText | None = Field(default=None, description="站名")
    opened_on: date | None = Field(default=None, description="设立日期")
    closed_on: date | None = Field(default=None, description="自该日起撤站")
    head_post: ShortText | None = Field(default=None, description="按规定兼任站长的职务")
    deputy_post: ShortText | None = Field(default=None, description="按规定兼任副站长的职务")
    address: AddressText | None = Field(default=None, description="办公地址")
    phone: PhoneText | None = Field(default=None, description="办公电话（对外公开）")

    @classmethod
    def clearable(cls) -> frozenset[str]:
        return frozenset({"address", "phone", "closed_on"})


class Ending(ApiModel):
    """终止：自 on 日起不再有效；与开始日期同日表示该记录有误，作废。"""

    on: date | None = Field(default=None, description="不填为今天")


class StationOut(BaseModel):
    """一个民政工作站。"""

    id: UUID
    area_code: str
    name: str
    head_post: str = Field(description="按规定兼任站长的职务")
    deputy_post: str = Field(description="按规定兼任副站长的职务")
    head: str | None = Field(description="站长姓名；未登记为 null")
    deputy: str | None = Field(description="副站长姓名；未登记为 null")
    address: str | None
    phone: str | None
    opened_on: date
    closed_on: date | None = Field(description="自该日起撤站；在用为 null")
    version: int

    @classmethod
    def of(cls, station: StationRecord, leaders: dict[str, str]) -> StationOut:
        """``leaders``: head, deputy → name, on the day that is shown."""
        details = station.details
        return cls(
            id=station.id,
            area_code=station.area_code,
            name=details.name,
            head_post=details.head_post,
            deputy_post=details.deputy_post,
            head=leaders.get("head"),
            deputy=leaders.get("deputy"),
            address=details.address,
            phone=details.phone,
            opened_on=details.opened_on,
            closed_on=station.closed_on,
            version=station.version,
        )


# --- staff ---------------------------------------------------------------------------------------------------------------


class StaffIn(ApiModel):
    """一名工作人员的任职。"""

    name: ShortText = Field(description="姓名")
    establishment: Establishment = Field(description="编制：administrative 行政，institutional 事业，other 其他")
    full_time: Flag = Field(description="是否专职")
    position: ShortText = Field(description="岗位，如民政助理员")
    since: date | None = Field(default=None, description="任职起始日；不填为今天")
    leads_as: LeadsAs | None = Field(default=None, description="head 站长，deputy 副站长；同一时期各一名")
    leader: Flag | None = Field(default=None, description="站长或副站长；可代替 leads_as，按岗位中的“站长”“副站长”认定")
    education: ShortText | None = Field(default=None, description="学历")
    exam_passed: Flag = Field(default=False, description="统一培训后考试合格")
    filed_on: date | None = Field(default=None, description="考试合格后报区民政局备案的日期")
    other_posts: ShortText | None = Field(default=None, description="兼任的其他工作；没有为 null")
    consulted_on: date | None = Field(default=None, description="任职前征求区民政局意见的日期，不晚于 since")
    account_id: UUID | None = Field(default=None, description="本人的系统账号")

    def details(self, today: date) -> StaffDetails:
        values = self.model_dump(exclude={"since", "leader", "leads_as"})
        leads_as = leads_as_of(self.leads_as, self.leader, self.position)
        return StaffDetails(since=self.since or today, leads_as=leads_as, **values)


class StaffUpdate(Changing):
    """修改任职记录：未提交的字段保持不变，可为空的字段提交 null 表示清除。"""

    name: ShortText | None = Field(default=None, description="姓名")
    establishment: Establishment | None = Field(default=None, description="编制")
    full_time: Flag | None = Field(default=None, description="是否专职")
    position: ShortText | None = Field(default=None, description="岗位")
    since: date | None = Field(default=None, description="任职起始日")
    until: date | None = Field(default=None, description="自该日起不再任职；null 表示撤销终止")
    leads_as: LeadsAs | None = Field(default=None, description="head 站长，deputy 副站长")
    education: ShortText | None = Field(default=None, description="学历")
    exam_passed: Flag | None = Field(default=None, description="考试合格")
    filed_on: date | None = Field(default=None, description="备案日期")
    other_posts: ShortText | None = Field(default=None, description="兼任的其他工作")
    consulted_on: date | None = Field(default=None, description="任职前征求区民政局意见的日期")
    account_id: UUID | None = Field(default=None, description="本人的系统账号")

    @classmethod
    def clearable(cls) -> frozenset[str]:
        return frozenset({"until", "leads_as", "education", "filed_on", "other_posts", "consulted_on", "account_id"})


class StaffOut(BaseModel):
    """一名工作人员的任职。"""

    id: UUID
    station_id: UUID
    area_code: str
    name: str
    establishment: Establishment
    full_time: bool
    position: str
    leads_as: LeadsAs | None
    leader: bool = Field(description="站长或副站长，按参数不计入在编人数")
    since: date
    until: date | None = Field(description="自该日起不再任职；在任为 null")
    education: str | None
    exam_passed: bool
    filed_on: date | None
    other_posts: str | None
    consulted_on: date | None = Field(description="任职前征求区民政局意见的日期")
    account_id: UUID | None
    version: int

    @classmethod
    def of(cls, staff: StaffRecord) -> StaffOut:
        details = staff.details
        return cls(
            id=staff.id,
            station_id=staff.station_id,
            area_code=staff.area_code,
            name=details.name,
            establishment=details.establishment,
            full_time=details.full_time,
            position=details.position,
            leads_as=details.leads_as,
            leader=details.leads_as is not None,
            since=details.since,
            until=staff.until,
            education=details.education,
            exam_passed=details.exam_passed,
            filed_on=details.filed_on,
            other_posts=details.other_posts,
            consulted_on=details.consulted_on,
            account_id=details.account_id,
            version=staff.version,
        )


# --- informants ----------------------------------------------------------------------------------------------------------


class InformantIn(ApiModel):
    """聘任民政信息监督员。"""

    area_code: CommunityCode = Field(description="所在村（社区），12 位，须属本站")
    name: ShortText = Field(description="姓名")
    phone: PhoneText | None = Field(default=None, description="手机号，或带区号的固定电话；加密保存")
    badge_no: ShortText | None = Field(default=None, description="工作胸牌编号")
    since: date | None = Field(default=None, description="聘任起始日；不填为今天")

    def details(self, today: date) -> InformantDetails:
        return InformantDetails(self.area_code, self.name, self.since or today, self.phone, self.badge_no)


class InformantUpdate(Changing):
    """修改信息监督员：未提交的字段保持不变，可为空的字段提交 null 表示清除。"""

    name: ShortText | None = Field(default=None, description="姓名")
    phone: PhoneText | None = Field(default=None, description="电话")
    badge_no: ShortText | None = Field(default=None, description="工作胸牌编号")
    since: date | None = Field(default=None, description="聘任起始日")
    until: date | None = Field(default=None, description="自该日起不再聘任；null 表示撤销终止")

    @classmethod
    def clearable(cls) -> frozenset[str]:
        return frozenset({"phone", "badge_no", "until"})


class InformantOut(BaseModel):
    """一名民政信息监督员；电话脱敏，获准并写明用途后可查看明文。"""

    id: UUID
    area_code: str
    name: str
    phone: str | None
    badge_no: str | None
    since: date
    until: date | None = Field(description="自该日起不再聘任；在聘为 null")
    active: bool = Field(description="查看的那一天是否在聘")
    version: int

    @classmethod
    def of(cls, record: InformantRecord, on: date, phone: str | None = None) -> InformantOut:
        """Masked, unless the plain phone is given."""
        return cls(
            id=record.id,
            area_code=record.area_code,
            name=record.name,
            phone=phone or record.phone_masked,
            badge_no=record.badge_no,
            since=record.since,
            until=record.until,
            active=record.holds_on(on),
            version=record.version,
        )
