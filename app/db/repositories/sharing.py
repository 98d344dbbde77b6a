"""The status-query path under its own role: one statement lets a client in, one counts, answers and logs; and agreements.

Raw statements: this is the hottest path of the system, and what it may touch should be readable in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.kept_connections import Fetches
from app.db.statements import Record, Statement
from app.domain.access import AreaScope
from app.domain.calendar import Month
from app.domain.sharing.model import Agreement, EnrolmentFound, StatusQuery
from app.security.tokens import Claims

# The same conditions as for everybody (app/dependencies.py), on the columns that this role sees, and the agreement with it.
ENTER = Statement.of(
    text(
        """
    SELECT c.district, c.client_id AS name, a.id, a.area_code, a.programmes, a.purposes, a.fields,
           a.quota_per_day, a.valid_from, a.valid_until
    FROM client c
    LEFT JOIN sharing_agreement a
      ON a.district = c.district AND a.client_id = c.id
     AND a.valid_from <= :today AND (a.valid_until IS NULL OR a.valid_until > :today)
    WHERE c.id = :sub AND c.area_code = :area AND c.disabled_at IS NULL
      AND date_trunc('second', c.tokens_valid_from) <= to_timestamp(:iat)
      AND NOT EXISTS (SELECT 1 FROM revoked_token WHERE jti IN (:jti, :session))
    """
    )
)

# The quota row is the only one locked, so queries of one client follow one another and can't deadlock; over the quota nothing
# is updated, so ``counted`` is empty, nothing is logged and no row comes back. For a number that nobody has, the nil id is looked
# up and the log's index filled all the same: how long an answer takes doesn't tell a stranger from somebody known.
LOOK_UP = Statement.of(
    text(
        """
    WITH counted AS (
        INSERT INTO status_quota AS quota (district, client_id, day, used)
        SELECT :district, :client, :today, 1 WHERE :allowed > 0
        ON CONFLICT (district, client_id, day) DO UPDATE SET used = quota.used + 1 WHERE quota.used < :allowed
        RETURNING used
    ), person AS (
        SELECT k.person_uid FROM unnest(:versions, :digests) AS asked (index_version, bidx)
        JOIN identity_key k USING (index_version, bidx)
        ORDER BY k.index_version DESC LIMIT 1
    ), found AS (
        SELECT DISTINCT ON (e.programme) e.programme, e.category, e.since_month, e.valid_until
        FROM enrolment e
        WHERE e.person_uid = coalesce((SELECT person_uid FROM person), '00000000-0000-0000-0000-000000000000')
          AND e.programme = ANY (:programmes) AND e.name_key = :name_key
          AND e.since_month <= :month AND (e.until_month IS NULL OR e.until_month > :month)
          AND e.district = :district AND e.area_code >= :scope AND e.area_code < :scope || '~'
        ORDER BY e.programme, e.since_month DESC, e.id DESC
    ), logged AS (
        INSERT INTO status_query_log (district, id, area_code, at, client_id, agreement_id, person_uid, programmes, enrolled,
                                      purpose, legal_basis, case_no, as_of, attested, trace_id)
        SELECT :district, :id, :scope, :at, :client, :agreement, (SELECT person_uid FROM person), :programmes,
               ARRAY (SELECT programme FROM found), :purpose, :legal_basis, :case_no, :as_of, :attest, :trace_id
        FROM counted
    )
    SELECT found.* FROM counted LEFT JOIN found ON true
    """
    ).bindparams(
        bindparam("district", type_=sa.Text()),
        bindparam("scope", type_=sa.Text()),
        bindparam("client", type_=sa.Uuid()),
        bindparam("agreement", type_=sa.Uuid()),
        bindparam("id", type_=sa.Uuid()),
        bindparam("today", type_=sa.Date()),
        bindparam("month", type_=sa.Date()),
        bindparam("as_of", type_=sa.Date()),
        bindparam("at", type_=sa.DateTime(timezone=True)),
        bindparam("allowed", type_=sa.Integer()),
        bindparam("versions", type_=ARRAY(sa.Integer())),
        bindparam("digests", type_=ARRAY(sa.LargeBinary())),
        bindparam("programmes", type_=ARRAY(sa.Text())),
        bindparam("attest", type_=sa.Boolean()),
    )
)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A client whose token counts, with its agreement of the day if it has one."""

    name: str
    district: str
    agreement: Agreement | None


async def find_client(database: Fetches, claims: Claims, today: date) -> Admitted | None:
    """The client of a verified token; None when it was disabled, moved, or its token revoked."""
    values = {
        "sub": claims.subject,
        "area": claims.area,
        "iat": float(claims.issued_at),
        "jti": str(claims.jti),
        "session": str(claims.session or claims.jti),
        "today": today,
    }
    rows = await database.fetch(ENTER, values)
    return Admitted(rows[0]["name"], rows[0]["district"], _agreement(rows[0])) if rows else None


def _agreement(row: Record) -> Agreement | None:
    if row["id"] is None:
        return None
    return Agreement(
        id=row["id"],
        district=row["district"],
        area_code=row["area_code"],
        programmes=frozenset(row["programmes"]),
        purposes=tuple(row["purposes"]),
        fields=frozenset(row["fields"]),
        quota_per_day=row["quota_per_day"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
    )


class StatusQueries:
    """The register behind ``app.domain.sharing.ports.StatusRegister``, under the status-query role."""

    def __init__(self, database: Fetches) -> None:
        self._database = database

    async def look_up(self, scope: AreaScope, query: StatusQuery, agreement: Agreement) -> Sequence[EnrolmentFound] | None:
        """One round trip: see the port. The index finds the person by every live version of the index key."""
        turn = query.client.id, query.today
        rows = await self._database.write(LOOK_UP, _values(scope, query, agreement), turn)
        if not rows:
            return None
        return [
            EnrolmentFound(row["programme"], row["category"], Month.of(row["since_month"]), row["valid_until"])
            for row in rows
            if row["programme"] is not None
        ]


def _values(scope: AreaScope, query: StatusQuery, agreement: Agreement) -> dict[str, Any]:
    return {
        "district": scope.district,
        "scope": scope.prefix,
        "client": query.client.id,
        "agreement": agreement.id,
        "allowed": agreement.quota_per_day,
        "today": query.today,
        "versions": list(query.number_digests),
        "digests": list(query.number_digests.values()),
        "name_key": query.name_key,
        "programmes": list(query.programmes),
        "month": query.month.first_day,
        "id": query.id,
        "at": query.asked_at,
        "as_of": query.as_of,
        "purpose": query.purpose,
        "legal_basis": query.legal_basis,
        "case_no": query.case_no,
        "attest": query.attest,
        "trace_id": query.trace_id,
    }
