"""What the use cases of sharing need from storage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.domain.access import AreaScope
from app.domain.sharing.model import Agreement, EnrolmentFound, StatusQuery


class StatusRegister(Protocol):
    """The read model of the status queries, its quota and its log."""

    async def look_up(self, scope: AreaScope, query: StatusQuery, agreement: Agreement) -> Sequence[EnrolmentFound] | None:
        """Counts the query against the day's quota, finds what is in force and logs the question with its answer, at once.

        At most one row per programme, none for a person not known, another name or nobody enrolled; the same work is done in
        each case. None when the quota is used up: then nothing was counted, looked up or logged.
        """
        ...
