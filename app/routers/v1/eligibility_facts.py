"""The request of an assessment: it mirrors the domain's frozen facts one to one."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from app.domain.calendar import iso_date
from app.domain.eligibility import AssessmentQuestion, facts
from app.domain.eligibility.codes import PROGRAMMES
from app.domain.eligibility.facts import (
    Absence,
    AssetKind,
    DisabilityCategory,
    EmergencyKind,
    Employment,
    ExpenseKind,
    Gender,
    IncomeKind,
    ParentStatus,
    Relation,
    Residence,
    Study,
)
from app.routers.models import MAX_FEN, AreaCodeText, Fen, MonthText, ShortText
from app.validation_text import DATE_TEXT


class FactModel(BaseModel):
    """Like ``ApiModel``, without its look at every single field: here each date is a ``Day``, and the reader of the body has
    found every text storable.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


def _only_iso_text(value: Any) -> date:
    """A day is written ``YYYY-MM-DD``; numbers and instants are refused instead of being read as one."""
    day = value if type(value) is date else iso_date(value) if isinstance(value, str) else None
    if day is None:
        raise PydanticCustomError(*DATE_TEXT)
    return day


Day = Annotated[date, BeforeValidator(_only_iso_text), Field(ge=date(1850, 1, 1), le=date(2100, 12, 31))]
BusinessDay = Annotated[
    date,
    BeforeValidator(_only_iso_text),
    Field(ge=date(1949, 10, 1), le=date(2100, 12, 31), description="业务日期：作出决定之日；残疾人两项补贴为递交申请之日"),
]
Flag = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0, le=1200)]
Ref = Annotated[str, Field(strict=True, min_length=1, max_length=50)]
SignedFen = Annotated[int, Field(strict=True, ge=-MAX_FEN, le=MAX_FEN, description="金额，单位：分")]

ProgrammeCode = StrEnum("ProgrammeCode", {code.upper(): code for code in PROGRAMMES})  # type: ignore[misc]
HeldCode = StrEnum(  # type: ignore[misc]
    "HeldCode",
    {code.upper(): code for code in (*PROGRAMMES, "elderly_care_allowance", "work_injury_care")},
)


class DisabilityFacts(FactModel):
    """残疾人证所载类别和等级（1 级最重）。"""

    category: DisabilityCategory
    grade: Annotated[int, Field(strict=True, ge=1, le=4)]
    needs_care: Flag | None = Field(default=None, description="是否需要长期照护")

    def to_domain(self) -> facts.Disability:
        return facts.Disability(self.category, self.grade, needs_care=bool(self.needs_care))


class IncomeFacts(FactModel):
    """一项月收入。只有经营净收入（business_net）可以为负，亏损按零计。"""

    kind: IncomeKind
    monthly_fen: SignedFen

    def to_domain(self) -> facts.Income:
        return facts.Income(self.kind, self.monthly_fen)


class MedicalClaimFacts(FactModel):
    """医保报销后的医疗费用。"""

    compliant_self_paid_fen: Fen
    paid_this_year_fen: Fen | None = Field(default=None, description="本年度已救助金额（分），不填视为 0")
    outside_catalogue_fen: Fen | None = Field(default=None, description="目录外费用（分），不予救助")

    def to_domain(self) -> facts.MedicalClaim:
        return facts.MedicalClaim(self.compliant_self_paid_fen, self.paid_this_year_fen or 0, self.outside_catalogue_fen or 0)


class MemberFacts(FactModel):
    """一名家庭成员。除 ref、relation、birth_date 外均可不填或填 null。"""

    ref: Ref = Field(description="成员编号，由调用方自定，在本次请求内唯一")
    relation: Relation
    birth_date: Day
    gender: Gender | None = None
    absence: Absence | None = None
    study: Study | None = None
    employment: Employment | None = None
    employable: Flag | None = Field(default=None, description="有劳动能力")
    job_offers_refused: Annotated[int, Field(strict=True, ge=0, le=100)] | None = Field(
        default=None, description="无正当理由连续拒绝就业次数"
    )
    disability: DisabilityFacts | None = None
    serious_illness: Flag | None = Field(default=None, description="患重特大疾病")
    self_care_failed_items: Annotated[int, Field(strict=True, ge=0, le=6)] | None = Field(
        default=None, description="六项自理能力中不达标的项数"
    )
    incomes: list[IncomeFacts] | None = Field(default=None, max_length=50)
    authorised_verification: Flag | None = None
    survival_confirmed_on: Day | None = None
    hukou_local: Flag | None = None
    institutional_care: Flag | None = None
    medical_claim: MedicalClaimFacts | None = None

    def to_domain(self) -> facts.Member:
        return facts.Member(
            ref=self.ref,
            relation=self.relation,
            birth_date=self.birth_date,
            gender=self.gender,
            absence=self.absence,
            study=self.study,
            employment=self.employment,
            employable=bool(self.employable),
            job_offers_refused=self.job_offers_refused or 0,
            disability=self.disability.to_domain() if self.disability else None,
            serious_illness=bool(self.serious_illness),
            self_care_failed_items=self.self_care_failed_items or 0,
            incomes=tuple(income.to_domain() for income in self.incomes or ()),
            authorised_verification=self.authorised_verification,
            survival_confirmed_on=self.survival_confirmed_on,
            hukou_local=self.hukou_local,
            institutional_care=self.institutional_care,
            medical_claim=self.medical_claim.to_domain() if self.medical_claim else None,
        )


class AssetFacts(FactModel):
    """一项财产；exempt_fen 为生产生活必需而豁免的部分。"""

    kind: AssetKind
    value_fen: Fen
    exempt_fen: Fen | None = None

    def to_domain(self) -> facts.Asset:
        return facts.Asset(self.kind, self.value_fen, self.exempt_fen or 0)


class ExpenseFacts(FactModel):
    """一笔刚性支出；教育支出按 public_tuition_fen（同类公办学校收费）认定。"""

    kind: ExpenseKind
    amount_fen: Fen
    reimbursed_fen: Fen | None = None
    public_tuition_fen: Fen | None = None
    paid_on: Day | None = None

    def to_domain(self) -> facts.Expense:
        return facts.Expense(self.kind, self.amount_fen, self.reimbursed_fen or 0, self.public_tuition_fen, self.paid_on)


class HouseholdFacts(FactModel):
    """家庭情况。assets、expenses、authorised_verification 不填表示未知，空列表表示没有。"""

    members: list[MemberFacts] = Field(min_length=1, max_length=50)
    assets: list[AssetFacts] | None = Field(default=None, max_length=200)
    expenses: list[ExpenseFacts] | None = Field(default=None, max_length=500)
    deductible_monthly_fen: Fen | None = Field(default=None, description="残疾、重病等可扣减的月刚性支出（分）")
    authorised_verification: Flag | None = Field(default=None, description="是否授权核对家庭经济状况")

    def to_domain(self) -> facts.Household:
        return facts.Household(
            members=tuple(member.to_domain() for member in self.members),
            assets=None if self.assets is None else tuple(asset.to_domain() for asset in self.assets),
            expenses=None if self.expenses is None else tuple(expense.to_domain() for expense in self.expenses),
            deductible_monthly_fen=self.deductible_monthly_fen or 0,
            authorised_verification=self.authorised_verification,
        )


class CurrentEntitlementFacts(FactModel):
    """家庭当前在享的保障。"""

    programme: ProgrammeCode
    monthly_fen: Fen | None = None
    since: MonthText | None = None
    ended_by_employment: Flag | None = Field(default=None, description="收入超标是否因就业")

    def to_domain(self) -> facts.CurrentEntitlement:
        return facts.CurrentEntitlement(
            str(self.programme.value), self.monthly_fen, self.since, ended_by_employment=bool(self.ended_by_employment)
        )


class HoldingFacts(FactModel):
    """成员已享受的其他待遇。"""

    member: Ref
    programme: HeldCode
    monthly_fen: Fen | None = None

    def to_domain(self) -> facts.Holding:
        return facts.Holding(self.member, str(self.programme.value), self.monthly_fen)


class ParentFacts(FactModel):
    """父母一方的情况；child 指明是哪名儿童的父母，不填指全部未成年人。"""

    status: ParentStatus
    months: Count | None = Field(default=None, description="持续月数（失联、服刑、强戒、限制人身自由）")
    disability: DisabilityFacts | None = None
    child: Ref | None = None

    def to_domain(self) -> facts.ParentFact:
        return facts.ParentFact(self.status, self.months, self.disability.to_domain() if self.disability else None, self.child)


class ObligorFacts(FactModel):
    """家庭以外的法定赡养、抚养、扶养义务人。"""

    relation: ShortText | None = None
    birth_date: Day | None = None
    programme: Literal["dibao", "tekun"] | None = None
    annual_income_fen: Fen | None = None
    assets_comply: Flag | None = Field(default=None, description="财产是否符合规定")
    disability: DisabilityFacts | None = None
    absence: Absence | None = None
    civil_incapacity: Flag | None = Field(default=None, description="无民事行为能力")

    def to_domain(self) -> facts.Obligor:
        return facts.Obligor(
            relation=self.relation,
            birth_date=self.birth_date,
            programme=self.programme,
            annual_income_fen=self.annual_income_fen,
            assets_comply=self.assets_comply,
            disability=self.disability.to_domain() if self.disability else None,
            absence=self.absence,
            civil_incapacity=bool(self.civil_incapacity),
        )


class EmergencyFacts(FactModel):
    """遭遇的急难；special 为特别困难（适用较高的上限）。"""

    kind: EmergencyKind
    urgent: Flag | None = None
    requested_fen: Fen | None = None
    occurred_on: Day | None = None
    occurred_area: AreaCodeText | None = None
    special: Flag | None = None

    def to_domain(self) -> facts.Emergency:
        return facts.Emergency(
            kind=self.kind,
            urgent=bool(self.urgent),
            requested_fen=self.requested_fen,
            occurred_on=self.occurred_on,
            occurred_area=self.occurred_area,
            special=bool(self.special),
        )


class VeteranFacts(FactModel):
    """优抚对象身份及年度确认。"""

    member: Ref
    category: ShortText
    confirmed_on: Day | None = None
    suspended: Flag | None = None

    def to_domain(self) -> facts.VeteranStatus:
        return facts.VeteranStatus(self.member, self.category, self.confirmed_on, suspended=bool(self.suspended))


class OverrideFacts(FactModel):
    """不按公式推算时的核定金额，须说明理由。"""

    rule: Literal["imputed_income", "support_payment"]
    monthly_fen: Fen
    reason: ShortText
    member: Ref | None = None
    obligor: Annotated[int, Field(strict=True, ge=0, le=50)] | None = None

    def to_domain(self) -> facts.Override:
        return facts.Override(self.rule, self.monthly_fen, self.reason, self.member, self.obligor)


class ContextFacts(FactModel):
    """部分项目才需要的情况；不填表示未知，空列表表示没有。"""

    current_entitlement: CurrentEntitlementFacts | None = None
    holds: list[HoldingFacts] | None = Field(default=None, max_length=200)
    parents: list[ParentFacts] | None = Field(default=None, max_length=40)
    obligors: list[ObligorFacts] | None = Field(default=None, max_length=50)
    emergency: EmergencyFacts | None = None
    medical_claim: MedicalClaimFacts | None = None
    hukou_local: Flag | None = None
    survival_confirmed_on: Day | None = None
    institutional_care: Flag | None = None
    veterans: list[VeteranFacts] | None = Field(default=None, max_length=50)
    overrides: list[OverrideFacts] | None = Field(default=None, max_length=50)

    def to_domain(self) -> facts.Context:
        return facts.Context(
            current_entitlement=self.current_entitlement.to_domain() if self.current_entitlement else None,
            holds=None if self.holds is None else tuple(fact.to_domain() for fact in self.holds),
            parents=None if self.parents is None else tuple(fact.to_domain() for fact in self.parents),
            obligors=None if self.obligors is None else tuple(fact.to_domain() for fact in self.obligors),
            emergency=self.emergency.to_domain() if self.emergency else None,
            medical_claim=self.medical_claim.to_domain() if self.medical_claim else None,
            hukou_local=self.hukou_local,
            survival_confirmed_on=self.survival_confirmed_on,
            institutional_care=self.institutional_care,
            veterans=None if self.veterans is None else tuple(fact.to_domain() for fact in self.veterans),
            overrides=tuple(fact.to_domain() for fact in self.overrides or ()),
        )


class AssessmentRequest(FactModel):
    """一次测算所需的全部事实。"""

    business_date: BusinessDay
    area_code: AreaCodeText
    residence: Residence = Field(description="城市（urban）或农村（rural）标准")
    programmes: list[ProgrammeCode] | None = Field(
        default=None, min_length=1, max_length=50, description="要测算的项目；不填则测算全部项目"
    )
    household: HouseholdFacts
    context: ContextFacts | None = None

    def to_domain(self) -> AssessmentQuestion:
        programmes = self.programmes
        return AssessmentQuestion(
            business_date=self.business_date,
            area_code=self.area_code,
            residence=self.residence,
            household=self.household.to_domain(),
            programmes=None if programmes is None else tuple(str(code.value) for code in programmes),
            context=self.context.to_domain() if self.context else facts.Context(),
        )
