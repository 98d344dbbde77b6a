"""What a bureau may ask, what it asks, and what it gets. Frozen; no plaintext of a person is held here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from app.domain.access import Actor
from app.domain.calendar import Month

#: What a positive answer may carry beside the yes; an agreement names those that its purpose needs (个人信息保护法 第十九条).
ANSWER_FIELDS: Final = ("category", "since", "valid_until")

#: The one answer to "not known", "another name" and "not enrolled": it must not tell them apart.
NOT_FOUND_NOTE: Final = "按所报姓名和身份证号未查到在册记录，请核对"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A data-sharing agreement in force; ``valid_from``/``valid_until`` half-open (政务数据共享条例 第二十条)."""

    id: UUID
    district: str
    area_code: str
    programmes: frozenset[str]
    purposes: tuple[str, ...]
    fields: frozenset[str]
    quota_per_day: int
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusQuery:
    """One question about one person.

    ``number_digests`` is the blind index of the ID number, index version → digest; ``subject`` a keyed digest of number and
    name bound to this query, which only we can recompute; ``today`` the business date of ``asked_at``.
    """

    id: UUID
    client: Actor
    number_digests: Mapping[int, bytes]
    name_key: str
    subject: str
    as_of: date
    programmes: tuple[str, ...]
    purpose: str
    legal_basis: str
    case_no: str
    attest: bool
    asked_at: datetime
    today: date
    trace_id: str

    @property
    def month(self) -> Month:
        return Month.of(self.as_of)


@dataclass(frozen=True, slots=True)
class EnrolmentFound:
    """An enrolment in force in the month asked about."""

    programme: str
    category: str
    since: Month
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class ProgrammeStatus:
    """The answer for one programme; ``note`` only on a negative one."""

    programme: str
    enrolled: bool
    category: str | None
    since: Month | None
    valid_until: date | None
    note: str | None


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """The answer to a query, one status per programme in the order asked."""

    query_id: UUID
    as_of: date
    results: tuple[ProgrammeStatus, ...]
