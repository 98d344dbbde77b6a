"""Whether an agreement covers a question, and whom it may be about.

Sharing is bound to the purpose, scope and period applied for (政务数据共享条例 第二十条、第二十五条); a question without case
number or purpose isn't answered at all (社会救助法 第七十条第六项).
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from app.domain.access import AreaScope
from app.domain.calendar import SHANGHAI
from app.domain.errors import FieldError, Forbidden, Malformed, TooManyRequests
from app.domain.sharing.model import Agreement, StatusQuery


class QueryWithoutCase(Malformed):
    """A question without case number or purpose: refused, put on record, and an alarm (社会救助法 第七十条第六项)."""

    audit = True

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(
            "query_without_case", "查询必须写明业务单号（case_no）和用途（purpose），请补齐后重新提交。", errors=errors
        )


def in_force(agreement: Agreement | None, today: date) -> Agreement:
    """The agreement itself. Raises `Forbidden` ``outside_agreement`` when there is none on the day."""
    if (
        agreement is not None
        and agreement.valid_from <= today
        and (agreement.valid_until is None or today < agreement.valid_until)
    ):
        return agreement
    raise _outside("贵单位当前没有有效的数据共享协议（尚未生效、已到期或未签订），请联系民政部门办理。")


def admit(agreement: Agreement, query: StatusQuery) -> AreaScope:
    """The area the question may be about. Raises `Forbidden` ``outside_agreement``, saying in which respect."""
    if not any(_covers(agreed, query.purpose) for agreed in agreement.purposes):
        agreed = "、".join(agreement.purposes)
        raise _outside(f"所报用途不在数据共享协议约定之内。协议约定的用途：{agreed}。请按实际用途填写，或先变更协议。")
    beyond = sorted(set(query.programmes) - agreement.programmes)
    if beyond:
        raise _outside(f"项目 {'、'.join(beyond)} 不在数据共享协议约定之内，请删除这些项目，或先变更协议。")
    return AreaScope(agreement.district, _common_area(agreement.area_code, query))


def _covers(agreed: str, purpose: str) -> bool:
    """Word for word, unless the agreement itself leaves a part open with ``*``: "公租房*" covers "公租房年度复核"."""
    if "*" not in agreed:
        return purpose == agreed
    pattern = ".*".join(re.escape(part) for part in agreed.split("*"))
    return re.fullmatch(pattern, purpose, re.DOTALL | re.IGNORECASE) is not None


def _common_area(agreed: str, query: StatusQuery) -> str:
    """The narrower of the agreement's area and the client's own."""
    own = query.client.area
    if agreed.startswith(own):
        return agreed
    if own.startswith(agreed):
        return own
    raise _outside("贵单位的辖区不在数据共享协议约定的区域之内，请联系民政部门核对协议。")


def _outside(detail: str) -> Forbidden:
    return Forbidden("outside_agreement", detail)


def quota_exceeded(quota_per_day: int, now: datetime) -> TooManyRequests:
    """Over the day's quota; it begins anew at midnight in Asia/Shanghai."""
    return TooManyRequests(
        "quota_exceeded",
        f"今天的查询次数已达协议约定的 {quota_per_day} 次，请于次日再查，或先变更协议。",
        retry_after_seconds=seconds_to_midnight(now),
    )


def seconds_to_midnight(now: datetime) -> int:
    """Whole seconds, rounded up, until the next day begins in Asia/Shanghai."""
    local = now.astimezone(SHANGHAI)
    midnight = datetime.combine(local.date() + timedelta(days=1), time(), SHANGHAI)
    return -((local - midnight) // timedelta(seconds=1))
