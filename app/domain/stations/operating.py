"""Measures of how a station works, read from what casework, payments and leads keep: never from a form.

A reading is made of counts, and a rate is worked out of them: no reading without the cases behind it. Where nobody keeps what a
measure asks for (home visits, complaints), the reading says so (``no_data``); where there was nothing to handle, it says that
(``no_cases``). Neither is a zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from app.domain.calendar import ONE_DAY, Month
from app.domain.errors import FieldError
from app.domain.stations import refusals
from app.domain.stations.model import Undecided

PER_TEN_THOUSAND = 10_000
DEFAULT_MONTHS = 12


class Work(StrEnum):
    """The areas of work that measures are read from; each has one interface in ``operating_ports``."""

    CASEWORK = "casework"
    PAYMENTS = "payments"
    LEADS = "leads"
    STATION_FILES = "station_files"
    SERVICE_ITEMS = "service_items"
    COMPLAINTS = "complaints"


class Shape(StrEnum):
    """What a reading says: a share of cases, so many to one, or how many."""

    RATE = "rate"
    RATIO = "ratio"
    COUNT = "count"


class CaseKind(StrEnum):
    """What the cases of a measure are; the drill-down links to them."""

    APPLICATION = "application"
    ENTITLEMENT = "entitlement"
    LEAD = "lead"
    INFORMANT = "informant"
    TRAINING = "training"
    MEETING = "meeting"
    SERVICE_REQUEST = "service_request"
    COMPLAINT = "complaint"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True)
class OperatingMeasure:
    """``definition``: what is counted, of what, in Chinese, for whoever reads the figure."""

    name: str
    work: Work
    shape: Shape
    unit: str
    case: CaseKind
    definition: str


def _rate(name: str, work: Work, case: CaseKind, definition: str) -> OperatingMeasure:
    return OperatingMeasure(name, work, Shape.RATE, "%", case, definition)


def _count(name: str, work: Work, case: CaseKind, unit: str, definition: str) -> OperatingMeasure:
    return OperatingMeasure(name, work, Shape.COUNT, unit, case, definition)


def _ratio(name: str, work: Work, case: CaseKind, unit: str, definition: str) -> OperatingMeasure:
    return OperatingMeasure(name, work, Shape.RATIO, unit, case, definition)


OPERATING: dict[str, OperatingMeasure] = {
    "home_visit_rate": _rate(
        "新申请入户率", Work.CASEWORK, CaseKind.APPLICATION, "期内首次提出初审意见的申请中，此前已入户调查的"
    ),
    "survey_rate": _rate(
        "初审前调查率",
        Work.CASEWORK,
        CaseKind.APPLICATION,
        "期内首次提出初审意见的申请中，受理后、初审前已填报调查所得家庭情况的",
    ),
    "on_time_rate": _rate(
        "限时办结率", Work.CASEWORK, CaseKind.APPLICATION, "期内届满的启动调查和受理至确认时限中，届满前办结的（提前撤回的不计）"
    ),
    "notice_rate": _rate("公示率", Work.CASEWORK, CaseKind.APPLICATION, "期内确认的申请中，确认前已公示期满的"),
    "review_rate": _rate("年度复核率", Work.CASEWORK, CaseKind.ENTITLEMENT, "期内到复核日的在保对象中，已按期复核的"),
    "complete_case_files": _rate(
        "卷宗齐全率",
        Work.CASEWORK,
        CaseKind.APPLICATION,
        "期内作出决定的申请中，家庭情况、受理、初审意见、公示、决定、保障金额俱全的",
    ),
    "digital_case_files": _rate(
        "一户一卷电子化率", Work.CASEWORK, CaseKind.ENTITLEMENT, "期末在保对象中，系统内有本户申请卷宗的（历史名册转入的没有）"
    ),
    "account_paid_rate": _rate(
        "社会化发放率", Work.PAYMENTS, CaseKind.ENTITLEMENT, "期内应发的每户每月保障金中，已发到账户的（因账户问题暂缓的未发）"
    ),
    "lead_on_time_rate": _rate("线索按时办结率", Work.LEADS, CaseKind.LEAD, "期内到期的线索中，到期前办结的（撤回的不计）"),
    "active_informants": _rate(
        "信息监督员履职率", Work.LEADS, CaseKind.INFORMANT, "整个期间在任的信息监督员中，期内反映过线索的"
    ),
    "service_on_time_rate": _rate(
        "服务事项按时办结率",
        Work.SERVICE_ITEMS,
        CaseKind.SERVICE_REQUEST,
        "期内应判定的办件（随申请办理的除外）中，承诺时限内办结的",
    ),
    "hotline_rate": _rate("热线24小时答复率", Work.COMPLAINTS, CaseKind.COMPLAINT, "期内热线来件中，24 小时内答复的"),
    "petition_rate": _rate("来信来访办结率", Work.COMPLAINTS, CaseKind.COMPLAINT, "期内来信来访中，已办结的"),
    "complaint_rate": _ratio("投诉率", Work.COMPLAINTS, CaseKind.COMPLAINT, "件/件", "期内投诉与期内办结事项之比"),
    "leads_per_informant": _ratio(
        "人均反映线索", Work.LEADS, CaseKind.INFORMANT, "条/人", "期内信息监督员反映的线索，与期末在任的信息监督员之比"
    ),
    "reviews_overdue": _count(
        "逾期未复核", Work.CASEWORK, CaseKind.ENTITLEMENT, "户（人）", "期末在保对象中，登记的复核日已过的"
    ),
    "returns_open": _count("未处理退汇", Work.PAYMENTS, CaseKind.PAYMENT, "笔", "期末银行退回、尚未重新发放的"),
    "returns_oldest_days": _count(
        "退汇最长未处理天数", Work.PAYMENTS, CaseKind.PAYMENT, "天", "期末最早一笔未处理退汇距今的天数"
    ),
    "trainings_of_assistants": _count(
        "期内民政助理员培训", Work.STATION_FILES, CaseKind.TRAINING, "次", "期内登记的民政助理员培训"
    ),
    "trainings_of_coordinators": _count(
        "期内村居协管员培训", Work.STATION_FILES, CaseKind.TRAINING, "次", "期内登记的村居协管员培训"
    ),
    "meeting_months": _count("开过例会的月份", Work.STATION_FILES, CaseKind.MEETING, "个月", "期内有例会记录的月份"),
    "check_quarters": _count("做过检查的季度", Work.STATION_FILES, CaseKind.MEETING, "个季度", "期内有季度检查记录的季度"),
}
#: What standards can ask about: shares only. Each is a fact of the same name (``facts.OperationsFact``).
JUDGED: dict[str, OperatingMeasure] = {code: one for code, one in OPERATING.items() if one.shape is Shape.RATE}


@dataclass(frozen=True, slots=True)
class Period:
    """Days from ``first`` up to, not including, ``until``."""

    first: date
    until: date

    @property
    def last(self) -> date:
        return self.until - ONE_DAY


@dataclass(frozen=True, slots=True)
class Tally:
    """The cases of one station: all of them, and those that are as they should be (of a ratio: what they come to together)."""

    good: int
    cases: int


NOTHING = Tally(0, 0)


@dataclass(frozen=True, slots=True)
class OperatingReading:
    """What a measure says about one station; ``tally`` None with ``no_data``: nobody keeps what it asks for."""

    measure: str
    tally: Tally | None

    @property
    def reason(self) -> Undecided | None:
        """Why there is no figure."""
        if self.tally is None:
            return Undecided.NO_DATA
        return Undecided.NO_CASES if self._divides and not self.tally.cases else None

    @property
    def rate_bp(self) -> int | None:
        """Of a rate or ratio: in ten-thousandths, truncated, never rounded up."""
        if self.tally is None or not self._divides or not self.tally.cases:
            return None
        return PER_TEN_THOUSAND * self.tally.good // self.tally.cases

    @property
    def count(self) -> int | None:
        """Of a count."""
        return None if self.tally is None or self._divides else self.tally.cases

    @property
    def _divides(self) -> bool:
        return OPERATING[self.measure].shape is not Shape.COUNT


@dataclass(frozen=True, slots=True)
class Miss:
    """A case that isn't as it should be. ``id`` is that of the row which missed, ``subject_id`` of the case to look at."""

    id: UUID
    subject_id: UUID
    area_code: str
    on: date
    what: str | None


def full_months(as_of: date, today: date, months: int = DEFAULT_MONTHS) -> Period:
    """The last full months up to a day; the month of ``today`` isn't full yet, whichever day it is."""
    until = min(Month.of(as_of + ONE_DAY), Month.of(today))
    return Period(until.shift(-months).first_day, until.first_day)


def period_of(first: date | None, last: date | None, as_of: date, today: date) -> Period:
    """The days asked for, both included, or the last twelve full months.

    Raises:
        Malformed: one end is missing, they are the wrong way round, or the last day isn't over: a time limit that ends today may
            still be kept.

    """
    if first is None and last is None:
        return full_months(as_of, today)
    errors = []
    if first is None or last is None:
        pointer = "/query/period_from" if first is None else "/query/period_to"
        raise refusals.malformed([FieldError(pointer, "required", "统计期间的起止日期应同时填写，或都不填。")])
    if last < first:
        errors.append(FieldError("/query/period_to", "days_reversed", "截止日期早于起始日期，请核对。"))
    if last >= today:
        errors.append(FieldError("/query/period_to", "period_not_over", "统计期间应在今天以前结束，请改为昨天或更早。"))
    if errors:
        raise refusals.malformed(errors)
    return Period(first, last + ONE_DAY)
