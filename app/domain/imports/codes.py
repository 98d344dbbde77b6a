"""The published codes of bulk imports with their Chinese text.

``ROW_FAULTS`` are the faults of single rows and cells, wherever they are found: readers, row models, writers add theirs here.
"""

from __future__ import annotations

STATUS: dict[str, str] = {
    "queued": "排队中",
    "running": "正在处理",
    "succeeded": "全部导入",
    "completed_with_errors": "部分行未导入",
    "failed": "整个文件未能导入",
    "undone": "已撤销",
}
PHASES: dict[str, str] = {"reading": "读取和检查", "applying": "写入", "undoing": "撤销中", "finished": "已结束"}
ERRORS: dict[str, str] = {
    "errors_too_many_for_xlsx": "未导入的行太多，不能做成工作簿",
    "file_missing": "已不再保存该文件",
    "import_cannot_be_undone": "导入之后已有业务以其为依据，不能撤销",
    "import_duty_required": "您的岗位不能导入此类数据",
    "import_is_dry_run": "试运行没有写入任何内容，无需撤销",
    "import_kind_unknown": "没有该类导入",
    "import_not_finished": "导入尚未结束",
    "import_not_found": "没有该次导入，或不在您的辖区内",
    "import_too_many_elsewhere": "导入的人员中在外地登记的过多，已停止",
    "import_undo_expired": "导入前的内容已不再保留，不能整批撤销",
    "import_undone": "该次导入已经撤销",
    "no_data_rows": "文件没有数据行",
    "nothing_to_undo": "该次导入没有写入任何内容",
}
FIELD_ERRORS: dict[str, str] = {
    "file_empty": "文件没有内容",
    "unknown_kind": "没有该类导入",
    "unknown_profile": "没有该对照方案",
}
#: About the file as a whole, not a reason to refuse it.
NOTICES: dict[str, str] = {
    "column_unknown": "不认识的列，未导入",
    "rows_skipped": "跳过了不是数据的行",
    "sheets_unread": "有工作表未读取",
    "totals_differ": "合计与各行之和不符",
}
ROW_FAULTS: dict[str, str] = {
    "already_there": "已有该记录，且选择了只新增",
    "area_outside_scope": "区划代码不在您的辖区内",
    "area_unknown": "没有这个区划",
    "duplicate_in_file": "同一文件中重复",
    "household_held_back": "同户有错，整户暂不导入",
    "required": "必填",
}
#: What single cells and rows are found wrong in while reading.
CELL_FAULTS: dict[str, str] = {
    "amount_decimals": "金额超过两位小数",
    "amount_format": "金额格式不正确",
    "amount_range": "金额超出范围",
    "area_code_malformed": "区划代码格式不正确",
    "bank_account_characters": "账号含有不允许的字符",
    "cell_became_date": "内容被表格软件改成了日期",
    "cell_broken": "公式错误或显示为 #",
    "cell_merged": "合并的格，数额归属不明",
    "cell_not_calculated": "公式没有计算结果",
    "choice_unknown": "不在可填的内容之内",
    "date_format": "日期格式不正确",
    "date_invalid": "没有这一天或这个月",
    "date_range": "年份过早或过晚",
    "date_short_year": "年份不是四位",
    "digits_lost": "号码被表格软件改成数值，末几位已丢失",
    "disability_certificate_characters": "残疾人证号含有星号",
    "disability_certificate_kind": "残疾人证号的类别或等级位不正确",
    "disability_certificate_length": "残疾人证号位数不对",
    "id_number_area": "身份证号的地址码不正确",
    "id_number_characters": "身份证号含有不允许的字符",
    "id_number_checksum": "身份证号校验位不符",
    "id_number_date": "身份证号的出生日期不正确",
    "id_number_length": "身份证号位数不对",
    "id_number_old": "15 位旧身份证号不能用于登记",
    "id_number_repeated": "同一格内身份证号重复",
    "month_format": "月份格式不正确",
    "name_wrong": "姓名为空白、含有星号或号码，或没有文字",
    "number_format": "不是数字或不是整数",
    "number_range": "数字超出范围",
    "phone_format": "电话格式不正确",
    "quotes_unbalanced": "引号不成对",
    "text_characters": "含有无法识别的字符",
    "text_too_long": "内容过长",
    "too_many_cells": "格数多于表头",
    "yes_no_unknown": "应填是或否",
}
#: Why a file can't be read as a whole.
FILE_FAULTS: dict[str, str] = {
    "encoding_broken": "文件中有损坏的字符",
    "encoding_unknown": "文件编码无法识别",
    "file_damaged": "工作簿已损坏",
    "file_empty": "文件没有内容",
    "file_encrypted": "文件设有密码",
    "file_has_nul": "文件含有空字节，不是文本",
    "file_is_web_page": "是改名的网页，不是表格",
    "file_old_format": "旧版表格格式",
    "file_too_large": "工作簿过大",
    "file_unsupported": "不是可导入的表格文件",
    "file_unzips_too_large": "工作簿解压后过大",
    "formulas_broken": "大量公式没有结果或出错",
    "header_columns_missing": "表头缺少必填列",
    "header_not_found": "没有找到表头",
    "header_repeated": "表头有重复的列",
    "line_too_long": "一行过长，不是表格",
    "several_sheets": "有几张工作表都可导入",
    "sheet_too_long": "工作表行数超过上限",
    "sheet_too_wide": "工作表列数过多",
}
#: What stands in the way of undoing an import.
BLOCKERS: dict[str, str] = {
    "applications": "已有申请",
    "dependent_records": "已有登记以其为依据",
    "discovery_findings": "已有处理过的政策找人线索",
    "entitlements": "已有待遇",
    "later_edits": "导入后有改动",
    "later_imports": "之后的导入又有更新",
    "leads": "已有线索",
    "payments": "已有发放",
    "service_requests": "已有办件",
}


def registry() -> dict[str, dict[str, str]]:
    return {
        "error": ERRORS | FILE_FAULTS,
        "field_error": FIELD_ERRORS,
        "import_status": STATUS,
        "import_phase": PHASES,
        "import_notice": NOTICES,
        "import_row_fault": ROW_FAULTS | CELL_FAULTS,
        "import_blocker": BLOCKERS,
    }
