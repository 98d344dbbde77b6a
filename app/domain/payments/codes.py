"""The published codes of payments with their Chinese text."""

from __future__ import annotations

from app.domain.payments.model import BatchAct, BatchState, Cause, HeldReason

STATES: dict[str, str] = {
    BatchState.DRAFT: "待计算",
    BatchState.COMPUTING: "计算中",
    BatchState.COMPUTED: "已计算",
    BatchState.SUBMITTED: "待审批",
    BatchState.APPROVED: "已审批",
    BatchState.WITH_TREASURY: "财政审核中",
    BatchState.TREASURY_ACCEPTED: "财政已通过",
    BatchState.TREASURY_RETURNED: "财政已退回",
    BatchState.RELEASED: "已发放",
    BatchState.REJECTED: "已驳回",
    BatchState.CANCELLED: "已作废",
}
ACTS: dict[str, str] = {
    BatchAct.COMPUTE: "计算",
    BatchAct.SUBMIT: "提交审批",
    BatchAct.APPROVE: "审批",
    BatchAct.REJECT: "驳回",
    BatchAct.SEND_TO_TREASURY: "送财政审核",
    BatchAct.TREASURY_ACCEPT: "通过财政审核",
    BatchAct.TREASURY_RETURN: "退回",
    BatchAct.RELEASE: "发放",
    BatchAct.CANCEL: "作废",
}
CAUSES: dict[str, str] = {Cause.REGULAR: "当期", Cause.ARREARS: "补发"}
HELD_REASONS: dict[str, str] = {
    HeldReason.ACCOUNT_MISSING: "未登记收款账户，请补登后在新批次中发放",
    HeldReason.ACCOUNT_INVALID: "收款账号未通过校验，请核对后在新批次中发放",
    HeldReason.ACCOUNT_UNREADABLE: "收款账号无法读取，请联系管理员",
    HeldReason.ACCOUNT_HOLDERS_DIFFER: "同一账号登记了不同户名，请核实户名后在新批次中发放",
    HeldReason.HOLDER_MISSING: "未登记户名，请补登后在新批次中发放",
    HeldReason.HOLDER_INVALID: "户名含有不能写入代发文件的字符，请更正后在新批次中发放",
}
ERRORS: dict[str, str] = {
    "account_holders_differ": "同一账户登记了不同户名",
    "account_nothing_to_pay": "账户合计不为正数",
    "bank_file_malformed": "代发文件有误",
    "bank_file_total_mismatch": "代发文件合计与审批总额不符",
    "bank_file_unwritable": "有内容不能写入代发文件",
    "bank_profile_unknown": "没有这种代发文件格式",
    "batch_empty": "批次没有可发放的明细",
    "batch_no_malformed": "批次号有误",
    "batch_not_found": "没有该发放批次",
    "batch_not_released": "批次尚未发放",
    "batch_number_taken": "批次号已被使用",
    "batch_wrong_state": "批次当前状态不能办理此操作",
    "item_repeated": "发放明细重复",
    "month_not_open": "该月份的账期尚未开通",
    "own_batch": "不能审批或发放自己编制的批次",
}
FIELD_ERRORS: dict[str, str] = {
    "account_malformed": "银行账号格式不对",
    "columns_wrong": "列数不对",
    "control_character": "含有不可见字符",
    "csv_malformed": "不是正确的 CSV",
    "encoding_wrong": "字符编码不对",
    "header_wrong": "首行不对",
    "holder_missing": "缺少户名",
    "amount_wrong": "金额不对",
    "month_wrong": "月份不对",
    "not_encodable": "不能用该字符集写出",
    "period_after_pay_month": "发放期间晚于发放月份",
    "period_reversed": "起止月份颠倒",
    "period_too_long": "发放期间过长",
    "programme_not_in_batch": "批次不含该项目",
    "sequence_wrong": "序号不对",
    "sum_mismatch": "合计不符",
}


def registry() -> dict[str, dict[str, str]]:
    """Kind → code → Chinese text, as ``GET /api/v1/codes`` publishes it."""
    return {
        "payment_batch_state": dict(STATES),
        "payment_batch_act": dict(ACTS),
        "payment_cause": dict(CAUSES),
        "payment_held_reason": dict(HELD_REASONS),
        "error": dict(ERRORS),
        "field_error": dict(FIELD_ERRORS),
    }
