"""Sharing with other bureaus: agreements, status queries, attestations.

``answer_status_query(register, agreement, query)`` is the one entry point;
``attested(answer, query, issuer)`` is what gets signed.
"""

from __future__ import annotations

from app.domain.sharing.agreements import QueryWithoutCase, admit, in_force
from app.domain.sharing.attestations import attested
from app.domain.sharing.model import ANSWER_FIELDS, NOT_FOUND_NOTE, Agreement, ProgrammeStatus, StatusAnswer, StatusQuery
from app.domain.sharing.service import answer_status_query

__all__ = [
    "ANSWER_FIELDS",
    "NOT_FOUND_NOTE",
    "Agreement",
    "ProgrammeStatus",
    "QueryWithoutCase",
    "StatusAnswer",
    "StatusQuery",
    "admit",
    "answer_status_query",
    "attested",
    "in_force",
]
