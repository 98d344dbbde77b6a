"""The published codes of exports with their Chinese text."""

from __future__ import annotations

STATUS: dict[str, str] = {"queued": "正在导出", "succeeded": "已完成", "failed": "未能导出"}
ERRORS: dict[str, str] = {
    "export_duty_required": "您的岗位不能导出此类数据",
    "export_expired": "导出的文件已过保存期",
    "export_not_finished": "导出尚未完成",
    "export_not_found": "没有该次导出，或不在您的辖区内",
    "export_of_another": "他人导出的文件",
    "export_too_many_rows": "行数超过 XLSX 的上限",
    "import_failed": "整个文件未能导入",
    "reconciliation_too_large": "文件过大，不能对账",
}
FIELD_ERRORS: dict[str, str] = {"unknown_kind": "没有该类导入", "unknown_profile": "没有该对照方案"}


def registry() -> dict[str, dict[str, str]]:
    return {"error": ERRORS, "field_error": FIELD_ERRORS, "export_status": STATUS}
