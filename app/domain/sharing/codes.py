"""The codes that a status query can answer with."""

from __future__ import annotations

from typing import Final

ERRORS: Final[dict[str, str]] = {
    "outside_agreement": "超出数据共享协议的范围",
    "quota_exceeded": "超过协议约定的每日查询次数",
    "query_without_case": "查询未写明业务单号或用途",
}
FIELD_ERRORS: Final[dict[str, str]] = {
    "contains_id_number": "不得填写身份证号",
    "duplicate": "重复",
}
