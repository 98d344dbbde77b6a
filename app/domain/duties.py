"""Which duties an account may hold: those of its level, and none that check one another (不相容岗位分离)."""

from __future__ import annotations

from collections.abc import Collection

from app.domain.access import AREA_DIGITS, LEVEL_OF_DUTY, Duty, Level
from app.domain.errors import Conflict, FieldError, Malformed

CASEWORK_AND_MONEY = frozenset(
    {
        Duty.COMMUNITY_WORKER,
        Duty.STATION_CLERK,
        Duty.STATION_HEAD,
        Duty.REVIEWER,
        Duty.FINANCE,
        Duty.APPROVER,
        Duty.TREASURY,
        Duty.DISABILITY_FEDERATION,
    }
)


def level_of_area(area_code: str) -> Level:
    """The level at which an account of this area works. ``Malformed`` unless the code has 6, 9 or 12 digits."""
    for level, digits in AREA_DIGITS.items():
        if len(area_code) == digits:
            return level
    text = "账号的区划代码应为 6 位（区县）、9 位（乡镇街道）或 12 位（村、社区）。"
    raise Malformed("malformed_request", text, errors=[FieldError("/area_code", "wrong_format", text)])


def check_duties(level: Level, duties: Collection[Duty]) -> None:
    """Whether one account of this level may hold all of ``duties``.

    Raises ``Malformed`` for none at all and for duties of another level, ``Conflict`` ``incompatible_duties`` for two that
    check one another.
    """
    if not duties:
        raise _refused("required", "至少给一个岗位。")
    if Duty.BUREAU in duties:
        raise _refused("unknown_value", "协查部门岗位只属于部门客户端，不能授予工作人员账号。")
    if any(LEVEL_OF_DUTY[duty] is not level for duty in duties):
        raise _refused("duty_not_at_level", "岗位与区划层级不符：村（社区）、乡镇（街道）、区县的岗位各自只能授予本级账号。")
    _check_separation(frozenset(duties))


def _check_separation(duties: frozenset[Duty]) -> None:
    """Who prepares a payment doesn't approve it; who hands out the accounts neither decides, pays nor reads cases."""
    if {Duty.FINANCE, Duty.APPROVER} <= duties:
        raise Conflict("incompatible_duties", "同一账号不能既是财务又是审批人，请分别授予两个账号。")
    if Duty.ADMIN in duties and duties & (CASEWORK_AND_MONEY | {Duty.AUDITOR}):
        raise Conflict("incompatible_duties", "系统管理员不得兼办救助业务、资金或审计岗位，请另设账号。")


def _refused(code: str, message: str) -> Malformed:
    return Malformed("malformed_request", message, errors=[FieldError("/duties", code, message)])
