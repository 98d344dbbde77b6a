"""Request and response models of payments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.db.tables.payments import PaymentItem
from app.domain.access import Actor, Signature
from app.domain.calendar import Month
from app.domain.payments.model import PAYABLE_PROGRAMMES, Batch, BatchAct, BatchRequest, BatchState, Cause, HeldReason
from app.domain.payments.workflow import next_acts
from app.routers.models import ApiModel, AreaCodeText, LongText, MonthText

Programme = Literal[
    "dibao",
    "dibao_single",
    "tekun",
    "disability_living",
    "disability_care",
    "old_age",
    "orphan",
    "unsupported_child",
]


class BatchOpening(ApiModel):
    """新建发放批次。"""

    period_from: MonthText = Field(description="发放期间的首月（含），YYYY-MM")
    period_to: MonthText = Field(description="发放期间的末月（含），不能晚于发放月份；早于末月的部分按补发列示")
    pay_month: MonthText = Field(description="发放月份")
    programmes: Annotated[list[Programme], Field(min_length=1, max_length=len(PAYABLE_PROGRAMMES), description="发放项目")]
    area_code: AreaCodeText | None = Field(default=None, description="发放范围，默认为本人辖区")

    def request(self, own_area: str) -> BatchRequest:
        return BatchRequest(
            self.area_code or own_area,
            Month.parse(self.period_from),
            Month.parse(self.period_to),
            Month.parse(self.pay_month),
            tuple(code for code in PAYABLE_PROGRAMMES if code in self.programmes),
        )


class Nothing(ApiModel):
    """不需要内容，可提交 {} 或不提交。"""


class Reason(ApiModel):
    """办理理由。"""

    reason: LongText = Field(description="理由，对方可见；请勿写入个人信息")


class Withdrawal(ApiModel):
    """作废理由，可不填。"""

    reason: LongText | None = Field(default=None, description="理由；请勿写入个人信息")


class SignatureOut(ApiModel):
    """谁在何时办理。"""

    account_id: UUID
    name: str
    at: datetime

    @classmethod
    def of(cls, signature: Signature | None) -> SignatureOut | None:
        return None if signature is None else cls(account_id=signature.by, name=signature.name, at=signature.at)


class BatchOut(ApiModel):
    """发放批次。households、items、accounts、total_fen 只计可发放部分；挂起部分单列。"""

    id: UUID
    number: str = Field(description="批次号")
    state: BatchState = Field(description="状态，含义见代码表 payment_batch_state")
    area_code: str
    period_from: str
    period_to: str
    pay_month: str
    pay_by_on: date | None = Field(description="应在该日前发放到户；地方未规定时为 null")
    programmes: list[str]
    households: int = Field(description="可发放户数")
    items: int = Field(description="可发放明细数")
    accounts: int = Field(description="收款账户数，即代发文件的笔数")
    total_fen: int = Field(description="可发放总额（分），等于明细之和")
    programme_totals: dict[str, int] = Field(description="各项目可发放金额（分）")
    held_households: int = Field(description="挂起户数")
    held_fen: int = Field(description="挂起金额（分）")
    already_claimed: int = Field(description="已计入其他批次、本批次不再发放的项数")
    prepared: SignatureOut
    submitted: SignatureOut | None
    approved: SignatureOut | None
    treasury: SignatureOut | None
    released: SignatureOut | None
    closed: SignatureOut | None
    reason: str | None = Field(description="驳回、作废或财政退回的理由")
    job_id: UUID | None = Field(description="后台计算任务")
    file_sha256: str | None = Field(description="整批代发文件（generic）的 SHA-256，发放时确定")
    version: int
    next_acts: list[BatchAct] = Field(description="调用者此刻可以办理的操作")

    @classmethod
    def of(cls, batch: Batch, actor: Actor) -> BatchOut:
        request, totals = batch.request, batch.totals
        return cls(
            id=batch.id,
            number=batch.number,
            state=batch.state,
            area_code=request.area_code,
            period_from=str(request.period_from),
            period_to=str(request.period_to),
            pay_month=str(request.pay_month),
            pay_by_on=batch.pay_by_on,
            programmes=list(request.programmes),
            households=totals.households,
            items=totals.items,
            accounts=totals.accounts,
            total_fen=totals.total_fen,
            programme_totals=dict(totals.by_programme),
            held_households=totals.held_households,
            held_fen=totals.held_fen,
            already_claimed=totals.already_claimed,
            prepared=SignatureOut(account_id=batch.prepared.by, name=batch.prepared.name, at=batch.prepared.at),
            submitted=SignatureOut.of(batch.submitted),
            approved=SignatureOut.of(batch.approved),
            treasury=SignatureOut.of(batch.treasury),
            released=SignatureOut.of(batch.released),
            closed=SignatureOut.of(batch.closed),
            reason=batch.reason,
            job_id=batch.job_id,
            file_sha256=batch.file_sha256,
            version=batch.version,
            next_acts=list(next_acts(batch, actor)),
        )


class ItemOut(ApiModel):
    """一条发放明细：一户（人）一个月的一个组成部分。"""

    id: UUID
    claim_id: UUID
    area_code: str
    benefit_month: str
    programme: str
    component: str = Field(description="金额构成，含义见代码表 component")
    cause: Cause = Field(description="regular 当期，arrears 补发")
    amount_fen: int
    entitlement_id: UUID
    household_id: UUID
    person_id: UUID | None
    bank_name: str | None
    account_holder: str | None
    account_number: str | None = Field(description="收款账号，掩码")
    held_reason: HeldReason | None = Field(description="挂起原因；为 null 即可发放")

    @classmethod
    def of(cls, row: PaymentItem) -> ItemOut:
        return cls(
            id=row.id,
            claim_id=row.claim_id,
            area_code=row.area_code,
            benefit_month=f"{row.benefit_month:%Y-%m}",
            programme=row.programme,
            component=row.component,
            cause=Cause(row.cause),
            amount_fen=row.amount_fen,
            entitlement_id=row.entitlement_id,
            household_id=row.household_id,
            person_id=row.person_id,
            bank_name=row.bank_name,
            account_holder=row.account_holder,
            account_number=row.account_masked,
            held_reason=HeldReason(row.held_reason) if row.held_reason else None,
        )
