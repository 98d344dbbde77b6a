"""What is signed: the answer, to whom and for which case it was given, and nothing that names the person.

A negative answer attests exactly its note: that nothing was found under the name and number reported.
"""

from __future__ import annotations

from typing import Any

from app.domain.sharing.model import ProgrammeStatus, StatusAnswer, StatusQuery


def attested(answer: StatusAnswer, query: StatusQuery, issuer: str) -> dict[str, Any]:
    """The payload of the attestation, ready for JSON.

    ``subject`` lets us, and nobody else, confirm later whom it is about; it differs from query to query, so that bureaus can't
    join their answers by it (政务数据共享条例 第二十五条). ``iat`` is Unix seconds: a later month is answered as known then.
    """
    return {
        "iss": issuer,
        "iat": int(query.asked_at.timestamp()),
        "query_id": str(answer.query_id),
        "client": query.client.name,
        "purpose": query.purpose,
        "case_no": query.case_no,
        "as_of": answer.as_of.isoformat(),
        "subject": query.subject,
        "results": [_result(status) for status in answer.results],
    }


def _result(status: ProgrammeStatus) -> dict[str, Any]:
    result: dict[str, Any] = {
        "programme": status.programme,
        "enrolled": status.enrolled,
        "category": status.category,
        "since": str(status.since) if status.since else None,
        "valid_until": status.valid_until.isoformat() if status.valid_until else None,
    }
    return result if status.note is None else result | {"note": status.note}
