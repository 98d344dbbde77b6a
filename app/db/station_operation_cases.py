"""The cases behind operating measures: one statement each. Tally and drill-down read the same statement, so they can't differ.

Every statement gives one row for each case: ``area_code``, ``row_id``, ``subject_id``, ``on_day``, ``good`` (1 as it should be, 0
not; of a ratio: how many), ``what``. Days are business dates as the acts left them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import sqlalchemy as sa

from app.db.base import columns
from app.db.repositories.stations import held
from app.db.scoping import within
from app.db.tables import casework
from app.db.tables.leads import Lead
from app.db.tables.payments import BenefitClaim, PaymentItem
from app.db.tables.service_items import ServiceRequest
from app.db.tables.station_files import StationMeeting, StationTraining
from app.db.tables.stations import Informant
from app.domain.access import AreaScope
from app.domain.casework.clocks import ClockKind
from app.domain.casework.workflow import Act
from app.domain.leads import LeadState
from app.domain.service_items import RequestState
from app.domain.stations.operating import Period

APPLICATION, EVENT = columns(casework.Application), columns(casework.ApplicationEvent)
DEADLINE, DECISION, NOTICE = columns(casework.ApplicationDeadline), columns(casework.Decision), columns(casework.PublicNotice)
ENTITLEMENT, AMOUNT = columns(casework.Entitlement), columns(casework.EntitlementAmount)
ITEM, CLAIM = columns(PaymentItem), columns(BenefitClaim)
LEAD, INFORMANT = columns(Lead), columns(Informant)
REQUEST = columns(ServiceRequest)
TRAINING, MEETING = columns(StationTraining), columns(StationMeeting)

Condition = sa.ColumnElement[bool]
Cases = Callable[[AreaScope, Period], sa.Select[Any]]

#: The clocks that a station answers for. 县级确认 is the district's (57号 第二十条), and no act on record hands over a refusal
#: (第二十一条): that clock would run for ever.
STATION_CLOCKS = (ClockKind.START_SURVEY.value, ClockKind.TOTAL.value)
PUT_FACTS = "put-facts"
SUBDISTRICT_DIGITS = 9


def _case(area: Any, row: Any, subject: Any, day: Any, good: Any, what: Any = None) -> tuple[sa.ColumnElement[Any], ...]:
    text = sa.cast(sa.null(), sa.Text) if what is None else what
    return (
        area.label("area_code"),
        row.label("row_id"),
        subject.label("subject_id"),
        day.label("on_day"),
        good.label("good"),
        text.label("what"),
    )


def _one_if(condition: Condition) -> sa.ColumnElement[int]:
    return sa.case((condition, 1), else_=0)


def _in(column: Any, period: Period) -> Condition:
    return sa.and_(column >= period.first, column < period.until)


def _same(table: Any, key: Any, other: Any, other_key: Any) -> Condition:
    """A join inside the district."""
    return sa.and_(table.district == other.district, key == other_key)


# --- casework ----------------------------------------------------------------------------------------------------------------


def time_limits(scope: AreaScope, period: Period) -> sa.Select[Any]:
    """Clocks that ran out in the period; one stopped in time by taking the application back was neither kept nor missed."""
    in_time = sa.and_(DEADLINE.met_on.is_not(None), DEADLINE.met_on <= DEADLINE.due_on)
    taken_back = sa.exists().where(
        _same(EVENT, EVENT.application_id, DEADLINE, DEADLINE.application_id),
        EVENT.act == Act.WITHDRAW.value,
        EVENT.business_date == DEADLINE.met_on,
    )
    case = _case(DEADLINE.area_code, DEADLINE.id, DEADLINE.application_id, DEADLINE.due_on, _one_if(in_time), DEADLINE.kind)
    return sa.select(*case).where(
        within(scope, DEADLINE),
        DEADLINE.kind.in_(STATION_CLOCKS),
        _in(DEADLINE.due_on, period),
        sa.not_(sa.and_(in_time, taken_back)),
    )


def surveys(scope: AreaScope, period: Period) -> sa.Select[Any]:
    """First opinions of the period, each with or without facts put since the acceptance."""
    opinions = (
        sa.select(
            EVENT.district,
            EVENT.area_code,
            EVENT.application_id,
            sa.func.min(EVENT.number).label("number"),
            sa.func.min(EVENT.business_date).label("on_day"),
        )
        .where(within(scope, EVENT), EVENT.act == Act.GIVE_OPINION.value)
        .group_by(EVENT.district, EVENT.area_code, EVENT.application_id)
        .having(_in(sa.func.min(EVENT.business_date), period))
        .subquery()
        .c
    )
    put: Any = sa.alias(casework.ApplicationEvent.__table__).c  # type: ignore[attr-defined]
    surveyed = sa.exists().where(
        _same(put, put.application_id, opinions, opinions.application_id),
        put.act == PUT_FACTS,
        put.from_state == "accepted",
        put.number < opinions.number,
    )
    return sa.select(
        *_case(opinions.area_code, opinions.application_id, opinions.application_id, opinions.on_day, _one_if(surveyed))
    )


def _done(scope: AreaScope, period: Period, *acts: Act) -> Condition:
    return sa.and_(within(scope, EVENT), EVENT.act.in_([act.value for act in acts]), _in(EVENT.business_date, period))


def _posted_in_full() -> Condition:
    """A notice that hung for its whole time before the act."""
    return sa.exists().where(
        _same(NOTICE, NOTICE.application_id, EVENT, EVENT.application_id),
        NOTICE.closed_on >= NOTICE.closable_from,
        NOTICE.closed_on <= EVENT.business_date,
    )


def _application(good: Condition, what: Any = None) -> tuple[sa.ColumnElement[Any], ...]:
    return _case(EVENT.area_code, EVENT.application_id, EVENT.application_id, EVENT.business_date, _one_if(good), what)


def notices(scope: AreaScope, period: Period) -> sa.Select[Any]:
    """Confirmations of the period."""
    return sa.select(*_application(_posted_in_full())).where(_done(scope, period, Act.CONFIRM))


def complete_files(scope: AreaScope, period: Period) -> sa.Select[Any]:
    """Applications decided in the period, each with or without all that belongs into its file."""
    granted = sa.exists().where(
        _same(ENTITLEMENT, ENTITLEMENT.application_id, APPLICATION, APPLICATION.id),
        _same(AMOUNT, AMOUNT.entitlement_id, ENTITLEMENT, ENTITLEMENT.id),
    )
    complete = sa.and_(
        APPLICATION.facts.is_not(None),
        APPLICATION.submitted_at.is_not(None),
        APPLICATION.accepted_on.is_not(None),
        _decided_by(APPLICATION.opinion_id),
        _decided_by(APPLICATION.decision_id),
        sa.or_(EVENT.act == Act.REFUSE.value, sa.and_(_posted_in_full(), granted)),
    )
    mine = _same(APPLICATION, APPLICATION.id, EVENT, EVENT.application_id)
    decided = _done(scope, period, Act.CONFIRM, Act.REFUSE)
    return sa.select(*_application(complete, EVENT.act)).join(casework.Application, mine).where(decided)


def _decided_by(decision_id: Any) -> Condition:
    return sa.exists().where(_same(DECISION, DECISION.id, APPLICATION, decision_id))


def _in_force(scope: AreaScope, on: date) -> Condition:
    """Entitlements of the month of a day."""
    ended = sa.and_(ENTITLEMENT.until_month.is_not(None), ENTITLEMENT.until_month <= on)
    return sa.and_(within(scope, ENTITLEMENT), ENTITLEMENT.since_month <= on, sa.not_(ended))


def digital_files(scope: AreaScope, period: Period) -> sa.Select[Any]:
    """Entitlements in force on the last day; one from an old roll has no file in the system."""
    own_file = _one_if(ENTITLEMENT.application_id.is_not(None))
    case = _case(ENTITLEMENT.area_code, ENTITLEMENT.id, ENTITLEMENT.id, ENTITLEMENT.since_month, own_file, ENTITLEMENT.origin)
    return sa.select(*case).where(_in_force(scope, period.last))


def overdue_reviews(scope: AreaScope, period: Period) -> sa.Select[Any]:
    """Entitlements in force on the last day whose review day on record had passed by then."""
    day = ENTITLEMENT.next_review_on
    case = _case(ENTITLEMENT.area_code, ENTITLEMENT.id, ENTITLEMENT.id, day, sa.literal(0), ENTITLEMENT.origin)
    return sa.select(*case).where(_in_force(scope, period.last), day < period.last)


# --- payments ----------------------------------------------------------------------------------------------------------------


def paid_to_accounts(scope: AreaScope, period: Period) -> sa.Select[Any]:
    """One row for each entitlement and month that the payment months of the period released or held.

    Released counts, however often it was held before; what is still being computed or was cancelled is neither. Read from the
    claims of the area itself: a station doesn't see the district's batches, and both must read the same.
    """
    held_back = ITEM.held_reason.is_not(None)
    paid = sa.and_(ITEM.held_reason.is_(None), CLAIM.released_at.is_not(None))
    claim = sa.and_(_same(CLAIM, CLAIM.id, ITEM, ITEM.claim_id), CLAIM.benefit_month == ITEM.benefit_month)
    case = _case(
        sa.func.max(ITEM.area_code),
        sa.cast(sa.func.min(sa.cast(ITEM.id, sa.Text)), sa.Uuid),
        ITEM.entitlement_id,
        ITEM.benefit_month,
        sa.func.max(_one_if(paid)),
        sa.func.max(ITEM.held_reason),
    )
    return (
        sa.select(*case)
        .select_from(PaymentItem)
        .join(BenefitClaim, claim)
        .where(within(scope, ITEM), _in(ITEM.pay_month, period), sa.or_(held_back, paid))
        .group_by(ITEM.entitlement_id, ITEM.benefit_month)
    )


# --- leads -------------------------------------------------------------------------------------------------------------------


def leads_settled(scope: AreaScope, period: Period) -> sa.Select[Any]:
    """Leads whose last day was in the period; one taken back was never late."""
    in_time = sa.and_(LEAD.settled_on.is_not(None), LEAD.settled_on <= LEAD.due_on)
    case = _case(LEAD.area_code, LEAD.id, LEAD.id, LEAD.due_on, _one_if(in_time), LEAD.kind)
    return sa.select(*case).where(within(scope, LEAD), LEAD.state != LeadState.WITHDRAWN.value, _in(LEAD.due_on, period))


def _reported(period: Period) -> Any:
    """How many leads of the period came from the informant."""
    mine = sa.select(sa.func.count()).where(
        _same(LEAD, LEAD.informant_id, INFORMANT, INFORMANT.id),
        LEAD.state != LeadState.WITHDRAWN.value,
        _in(LEAD.reported_on, period),
    )
    return mine.correlate(Informant).scalar_subquery()


def _informant(good: Any) -> tuple[sa.ColumnElement[Any], ...]:
    return _case(INFORMANT.area_code, INFORMANT.id, INFORMANT.id, INFORMANT.valid_from, good)


def _serving(scope: AreaScope, on: date) -> Condition:
    """On the day, where leads are put on record at all: before the first one nobody's silence says anything."""
    still = sa.or_(INFORMANT.valid_until.is_(None), INFORMANT.valid_until > on)
    station = sa.func.left(INFORMANT.area_code, SUBDISTRICT_DIGITS)
    in_use = sa.exists().where(
        LEAD.district == INFORMANT.district, sa.func.left(LEAD.area_code, SUBDISTRICT_DIGITS) == station, LEAD.reported_on <= on
    )
    return sa.and_(within(scope, INFORMANT), held(INFORMANT), INFORMANT.valid_from <= on, still, in_use)


def active_informants(scope: AreaScope, period: Period) -> sa.Select[Any]:
    """Who served all through the period: nobody is blamed for the time before he came."""
    throughout = INFORMANT.valid_from <= period.first
    return sa.select(*_informant(_one_if(_reported(period) > 0))).where(_serving(scope, period.last), throughout)


def leads_by_informant(scope: AreaScope, period: Period) -> sa.Select[Any]:
    """Everybody serving on the last day, with the leads that he reported."""
    return sa.select(*_informant(_reported(period))).where(_serving(scope, period.last))


# --- service items -----------------------------------------------------------------------------------------------------------


def requests_on_time(scope: AreaScope, period: Period) -> sa.Select[Any]:
    """Requests by their promised limit, judged as ``service_items.rates`` does: on the day they end in time, else the day after.

    One handled by application has that application's clocks and isn't counted twice; one whose clock stands still isn't judged.
    """
    due, ended = REQUEST.promised_due_on, REQUEST.closed_on
    in_time = sa.and_(ended.is_not(None), ended <= due)
    judged_on = sa.case((in_time, ended), else_=due + 1)
    case = _case(REQUEST.area_code, REQUEST.id, REQUEST.id, due, _one_if(in_time), REQUEST.state)
    return sa.select(*case).where(
        within(scope, REQUEST),
        REQUEST.application_id.is_(None),
        due.is_not(None),
        sa.not_(sa.and_(in_time, REQUEST.state == RequestState.WITHDRAWN.value)),
        _in(judged_on, period),
    )


# --- station files -----------------------------------------------------------------------------------------------------------


def trainings(audience: str) -> Cases:
    def cases(scope: AreaScope, period: Period) -> sa.Select[Any]:
        case = _case(TRAINING.area_code, TRAINING.id, TRAINING.station_id, TRAINING.held_on, sa.literal(1))
        return sa.select(*case).where(within(scope, TRAINING), TRAINING.audience == audience, _in(TRAINING.held_on, period))

    return cases


def meetings(kind: str, unit: str) -> Cases:
    """One row for each month or quarter with a meeting: two in one are one's."""

    def cases(scope: AreaScope, period: Period) -> sa.Select[Any]:
        span = sa.cast(sa.func.date_trunc(unit, MEETING.held_on), sa.Date)
        case = _case(MEETING.area_code, MEETING.station_id, MEETING.station_id, span, sa.literal(1))
        return sa.select(*case).distinct().where(within(scope, MEETING), MEETING.kind == kind, _in(MEETING.held_on, period))

    return cases
