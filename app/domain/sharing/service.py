"""The use case of a status query, told in order."""

from __future__ import annotations

from collections.abc import Iterable

from app.domain.sharing.agreements import admit, in_force, quota_exceeded
from app.domain.sharing.model import (
    NOT_FOUND_NOTE,
    Agreement,
    EnrolmentFound,
    ProgrammeStatus,
    StatusAnswer,
    StatusQuery,
)
from app.domain.sharing.ports import StatusRegister


async def answer_status_query(register: StatusRegister, offered: Agreement | None, query: StatusQuery) -> StatusAnswer:
    """Answers within the agreement, counted and logged; ``offered`` is the client's agreement of the day, if any.

    Raises `Forbidden` ``outside_agreement`` and `TooManyRequests` ``quota_exceeded``.
    """
    agreement = in_force(offered, query.today)
    scope = admit(agreement, query)
    found = await register.look_up(scope, query, agreement)
    if found is None:
        raise quota_exceeded(agreement.quota_per_day, query.asked_at)
    return StatusAnswer(query.id, query.as_of, tuple(_statuses(query, found, agreement)))


def _statuses(query: StatusQuery, found: Iterable[EnrolmentFound], agreement: Agreement) -> Iterable[ProgrammeStatus]:
    by_programme = {enrolment.programme: enrolment for enrolment in found}
    for programme in query.programmes:
        enrolment = by_programme.get(programme)
        yield _not_found(programme) if enrolment is None else _enrolled(enrolment, agreement.fields)


def _not_found(programme: str) -> ProgrammeStatus:
    return ProgrammeStatus(programme, enrolled=False, category=None, since=None, valid_until=None, note=NOT_FOUND_NOTE)


def _enrolled(enrolment: EnrolmentFound, fields: frozenset[str]) -> ProgrammeStatus:
    """A yes, with those fields only that the agreement names."""
    return ProgrammeStatus(
        enrolment.programme,
        enrolled=True,
        category=enrolment.category if "category" in fields else None,
        since=enrolment.since if "since" in fields else None,
        valid_until=enrolment.valid_until if "valid_until" in fields else None,
        note=None,
    )
