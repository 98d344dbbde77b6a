"""An import must not become a way to ask who is registered elsewhere: so many such people may one account come upon in a day.

The desk allows ten in an hour (`app.domain.registry.refusals`). A file is sent by the thousand, and some of its people have moved
without anybody knowing; how many that may honestly be depends on how large an area the sender answers for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from app.domain.access import AREA_DIGITS, Level
from app.domain.errors import Conflict, TooManyRequests
from app.domain.imports.model import Verdicts

CODE: Final = "person_already_registered"
WINDOW: Final = timedelta(hours=24)
MOST: Final[Mapping[int, int]] = {
    AREA_DIGITS[Level.COMMUNITY]: 20,
    AREA_DIGITS[Level.SUBDISTRICT]: 200,
    AREA_DIGITS[Level.DISTRICT]: 2_000,
}


def rows_elsewhere(refused: Verdicts) -> set[int]:
    """The rows that were refused because their people stand elsewhere."""
    return {number for number, faults in refused.items() if any(fault.code == CODE for fault in faults)}


STOPPED: Final = "import_too_many_elsewhere"


def require_not_stopped(*, stopped: bool) -> None:
    """``TooManyRequests`` for the rest of the window: whether an import stops would answer for one more number each time."""
    if stopped:
        raise TooManyRequests(
            STOPPED,
            "24 小时内导入的人员中，在本辖区以外登记的过多，人员导入已暂停。"
            "请先核对已列出的人员，其余次日再导入，或把名单交上级民政部门核实。",
            retry_after_seconds=int(WINDOW.total_seconds()),
        )


def require_no_asking(area_code: str, found: int) -> None:
    """``Conflict`` when the imports of an account of this area have found more than they may within the window."""
    most = MOST[len(area_code)]
    if found > most:
        raise Conflict(
            STOPPED,
            f"24 小时内导入的人员中，在本辖区以外登记的已超过 {most} 人，本次导入已停止；停止前写入的部分保留，可以整批撤销。"
            "请先核对错误清单中已列出的人员，其余请次日再导入，或把名单交上级民政部门核实。",
        )
