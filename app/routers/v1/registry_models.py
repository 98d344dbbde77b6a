"""Requests and answers of the registry."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from app.domain.identity import AccountKind, Gender
from app.domain.registry.entry import (
    AccountEntry,
    DisabilityEntry,
    HouseholdChange,
    HouseholdDetails,
    HouseholdEntry,
    MemberEntry,
    PersonChange,
    PersonDetails,
)
from app.domain.registry.model import (
    DisabilityCategory,
    Employment,
    HouseholdRecord,
    MaritalStatus,
    MemberRecord,
    PayeeAccount,
    PersonRecord,
    Relation,
    Residence,
    Study,
)
from app.routers.models import ApiModel, AreaCodeText, CommunityCode, ShortText, on_one_line

IdNumberText = Annotated[str, StringConstraints(max_length=60), Field(description="公民身份号码，18 位")]
AddressText = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(on_one_line)]
PhoneText = Annotated[str, StringConstraints(min_length=1, max_length=30)]
HouseholdNo = Annotated[str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True, pattern=r"^[0-9A-Za-z_\-]+$")]
CertificateText = Annotated[str, StringConstraints(min_length=1, max_length=40)]

# --- what comes in -----------------------------------------------------------------------------------------------------


class DisabilityIn(ApiModel):
    """残疾情况（GB/T 26341）。"""

    category: DisabilityCategory = Field(description="残疾类别")
    grade: int = Field(ge=1, le=4, description="残疾等级 1–4，1 级最重")
    needs_care: bool = Field(default=False, description="是否需要长期照护")
    certificate_no: CertificateText | None = Field(default=None, description="残疾人证号，20 位；须与身份证号、类别、等级一致")

    def entry(self) -> DisabilityEntry:
        return DisabilityEntry(self.category, self.grade, self.needs_care, self.certificate_no)


class PersonOptions(ApiModel):
    """登记时可填、以后可改的内容。"""

    hukou_area_code: AreaCodeText | None = Field(default=None, description="户籍所在区划代码")
    phone: PhoneText | None = Field(default=None, description="手机号，或带区号的固定电话")
    address: AddressText | None = Field(default=None, description="现住址")
    ethnicity: ShortText | None = Field(default=None, description="民族")
    marital_status: MaritalStatus | None = Field(default=None, description="婚姻状况")
    disability: DisabilityIn | None = Field(default=None, description="残疾情况；没有残疾为 null")
    employment: Employment | None = Field(default=None, description="就业状况")
    study: Study | None = Field(default=None, description="就读阶段；不在学为 null")
    serious_illness: bool = Field(default=False, description="是否患重病")
    survival_confirmed_on: date | None = Field(default=None, description="最近一次生存认证日期（高龄津贴），不能晚于今天")
    valid_from: date | None = Field(default=None, description="残疾、就业、就读、重病情况和认证自何日起如此；不填为今天")

    def details_of(self, name: str, residence: Residence) -> PersonDetails:
        return PersonDetails(
            name=name,
            residence=residence,
            hukou_area_code=self.hukou_area_code,
            phone=self.phone,
            address=self.address,
            ethnicity=self.ethnicity,
            marital_status=self.marital_status,
            disability=self.disability.entry() if self.disability else None,
            employment=self.employment,
            study=self.study,
            serious_illness=self.serious_illness,
            survival_confirmed_on=self.survival_confirmed_on,
        )


class PersonRegistration(PersonOptions):
    """登记一人。出生日期和性别取自身份证号。"""

    name: ShortText = Field(description="姓名，与证件一致")
    id_number: IdNumberText
    area_code: CommunityCode = Field(description="现居住的村（社区），12 位，须在本人辖区内")
    residence: Residence = Field(description="urban 城镇，rural 农村")

    def details(self) -> PersonDetails:
        return self.details_of(self.name, self.residence)


class PersonUpdate(PersonOptions):
    """修改人员信息：未提交的字段保持不变，提交 null 表示清除。"""

    name: ShortText | None = Field(default=None, description="姓名，不能清除")
    residence: Residence | None = Field(default=None, description="urban 城镇，rural 农村，不能清除")

    def change(self, today: date) -> PersonChange:
        """Fields that must have a value and were sent as null count as not given."""
        given = self.model_fields_set - {"valid_from"}
        given -= {field for field in ("name", "residence") if getattr(self, field) is None}
        details = self.details_of(self.name or "-", self.residence or "urban")
        return PersonChange(frozenset(given), details, self.valid_from or today)


class PersonSearch(ApiModel):
    """查询条件：身份证号（精确）、姓名（精确，忽略空格和间隔号写法），至少一项。"""

    id_number: IdNumberText | None = None
    name: ShortText | None = None
    limit: int = Field(default=50, ge=1, le=200, description="最多返回条数")


class AccountIn(ApiModel):
    """领款账户。"""

    bank_name: ShortText = Field(description="开户银行")
    account_number: Annotated[str, StringConstraints(min_length=1, max_length=60)] = Field(description="账号；银行卡按校验位核对")
    account_holder: ShortText = Field(description="户名")
    account_kind: AccountKind = Field(default=AccountKind.CARD, description="账户类型")

    def entry(self) -> AccountEntry:
        return AccountEntry(self.bank_name, self.account_number, self.account_holder, self.account_kind)


class MemberIn(ApiModel):
    """一名家庭成员。"""

    person_id: UUID
    relation: Relation = Field(
        description="与户主关系。每户至多一名配偶；子女、孙子女须晚于户主出生，父母、祖父母须早于户主出生，特殊情形填 other"
    )
    since: date | None = Field(default=None, description="自何日起是本家庭成员；不填为今天")
    move: bool = Field(default=False, description="为 true 时同日迁出其现在的家庭，一次办结")

    def entry(self, today: date) -> MemberEntry:
        return MemberEntry(self.person_id, self.relation, self.since or today, self.move)


class HouseholdOpening(ApiModel):
    """登记一户。"""

    household_no: HouseholdNo | None = Field(default=None, description="户编号，本区内唯一；不填由系统按村（社区）编号")
    area_code: CommunityCode = Field(description="所在村（社区），12 位，须在本人辖区内")
    residence: Residence = Field(description="urban 城镇，rural 农村")
    address: AddressText | None = Field(default=None, description="住址")
    account: AccountIn | None = Field(default=None, description="领款账户")
    members: list[MemberIn] = Field(min_length=1, max_length=50, description="成员，其中有且只有一名户主")

    def entry(self, today: date) -> HouseholdEntry:
        details = HouseholdDetails(self.residence, self.address, self.account.entry() if self.account else None)
        return HouseholdEntry(self.household_no, self.area_code, details, tuple(member.entry(today) for member in self.members))


class HouseholdUpdate(ApiModel):
    """修改家庭信息：未提交的字段保持不变，提交 null 表示清除。"""

    residence: Residence | None = Field(default=None, description="urban 城镇，rural 农村，不能清除")
    address: AddressText | None = Field(default=None, description="住址")
    account: AccountIn | None = Field(default=None, description="领款账户，整体替换")

    def change(self) -> HouseholdChange:
        given = self.model_fields_set - ({"residence"} if self.residence is None else set())
        details = HouseholdDetails(self.residence or "urban", self.address, self.account.entry() if self.account else None)
        return HouseholdChange(frozenset(given), details)


class Leaving(ApiModel):
    """迁出：自 on 日起不再是本家庭成员；on 等于加入日期表示该次加入登记有误，作废。"""

    on: date | None = Field(default=None, description="不填为今天")


class RelationIn(ApiModel):
    """某成员与新户主的关系。"""

    person_id: UUID
    relation: Relation


class HeadChange(ApiModel):
    """变更户主。"""

    person_id: UUID = Field(description="新户主，须为现成员")
    on: date | None = Field(default=None, description="自何日起；不填为今天")
    relations: list[RelationIn] = Field(
        default_factory=list, max_length=50, description="其他成员与新户主的关系；原户主必填，其他成员不填则不变"
    )

    @field_validator("relations")
    @classmethod
    def _once_each(cls, relations: list[RelationIn]) -> list[RelationIn]:
        if len({item.person_id for item in relations}) < len(relations):
            raise PydanticCustomError("repeated", "同一人填写了两次，请删除重复的一行。")
        return relations


# --- what goes out -----------------------------------------------------------------------------------------------------


class DisabilityOut(BaseModel):
    """残疾情况；残疾人证号脱敏。"""

    category: DisabilityCategory
    grade: int
    needs_care: bool
    certificate_no: str | None


class PersonOut(BaseModel):
    """一名登记人员；身份证号、电话、住址、残疾人证号脱敏，获准并写明用途后可查看前三项明文。"""

    id: UUID
    area_code: str
    name: str
    id_number: str
    birth_date: date
    gender: Gender
    residence: Residence
    hukou_area_code: str | None
    phone: str | None
    address: str | None
    ethnicity: str | None
    marital_status: MaritalStatus | None
    disability: DisabilityOut | None
    employment: Employment | None
    study: Study | None
    serious_illness: bool
    survival_confirmed_on: date | None
    synthetic: bool = Field(description="是否为合成的演示数据")

    @classmethod
    def of(cls, person: PersonRecord, plain: dict[str, str | None] | None = None) -> PersonOut:
        """Masked, but for the values in ``plain``."""
        facts, shown = person.attributes, {"id_number": person.id_number_masked, "phone": person.phone_masked}
        shown |= {"address": person.address_masked, **(plain or {})}
        found = facts.disability
        return cls(
            id=person.id,
            area_code=person.area_code,
            name=person.name,
            id_number=shown["id_number"] or "",
            birth_date=person.birth_date,
            gender=person.gender,
            residence=person.residence,
            hukou_area_code=person.hukou_area_code,
            phone=shown["phone"],
            address=shown["address"],
            ethnicity=person.ethnicity,
            marital_status=person.marital_status,
            disability=DisabilityOut(
                category=found.category,
                grade=found.grade,
                needs_care=found.needs_care,
                certificate_no=found.certificate_no_masked,
            )
            if found
            else None,
            employment=facts.employment,
            study=facts.study,
            serious_illness=facts.serious_illness,
            survival_confirmed_on=facts.survival_confirmed_on,
            synthetic=person.synthetic,
        )


class People(BaseModel):
    """查询结果；total 为符合条件的总数。"""

    items: list[PersonOut]
    next_cursor: None = Field(default=None, description="不分页，恒为 null；超过 limit 时请补充条件")
    total: int


class MemberOut(BaseModel):
    """一名成员；此人后来迁出本辖区的，姓名为 null。"""

    person_id: UUID
    name: str | None
    relation: Relation
    since: date
    until: date | None = Field(description="自该日起不再是成员；仍是成员为 null")

    @classmethod
    def of(cls, member: MemberRecord) -> MemberOut:
        return cls(
            person_id=member.person_id,
            name=member.name,
            relation=member.relation,
            since=member.valid_from,
            until=member.valid_until,
        )


class AccountOut(BaseModel):
    """领款账户；账号脱敏。"""

    bank_name: str
    account_number: str
    account_holder: str
    account_kind: AccountKind

    @classmethod
    def of(cls, payee: PayeeAccount, number: str | None) -> AccountOut:
        return cls(
            bank_name=payee.bank_name,
            account_number=number or payee.number_masked,
            account_holder=payee.account_holder,
            account_kind=payee.account_kind,
        )


class HouseholdOut(BaseModel):
    """一户及其当日成员，户主在前；住址、账号脱敏。"""

    id: UUID
    household_no: str
    area_code: str
    residence: Residence
    address: str | None
    account: AccountOut | None
    members: list[MemberOut]
    synthetic: bool = Field(description="是否为合成的演示数据")

    @classmethod
    def of(cls, household: HouseholdRecord, plain: dict[str, str | None] | None = None) -> HouseholdOut:
        """Masked, but for the values in ``plain``."""
        plain = plain or {}
        return cls(
            id=household.id,
            household_no=household.household_no,
            area_code=household.area_code,
            residence=household.residence,
            address=plain.get("address") or household.address_masked,
            account=AccountOut.of(household.payee, plain.get("account_number")) if household.payee else None,
            members=[MemberOut.of(member) for member in household.members],
            synthetic=household.synthetic,
        )


PersonField = Literal["id_number", "phone", "address"]
HouseholdField = Literal["account_number", "address"]
