"""Refusals the domain can utter.

Each refusal has a stable ``code`` (snake_case, listed by ``GET /api/v1/codes``) and a Chinese ``detail`` that says what to
do next. The domain knows nothing of HTTP: ``app/problems.py`` maps each class to its status in one table.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One malformed field: a JSON pointer (RFC 6901), a stable code and a Chinese message."""

    pointer: str
    code: str
    message: str


class DomainError(Exception):
    """Base of every refusal. ``audit`` says whether the refusal itself is put on record.

    ``consequence`` is what has to outlive the rollback of the refused transaction (a counter): it gets the session of the
    short transaction in which the refusal is put on record.
    """

    audit: bool = False
    consequence: Callable[[Any], Awaitable[None]] | None = None

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        retry_after_seconds: int | None = None,
        members: dict[str, object] | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after_seconds = retry_after_seconds
        self.members = members or {}


class BadRequest(DomainError):
    """The request as such is wrong (400): an unknown parameter, a missing Idempotency-Key."""


class Unauthenticated(DomainError):
    """No valid token (401)."""


class Forbidden(DomainError):
    """In the caller's area, but not the caller's duty (403)."""

    audit = True


class NotFound(DomainError):
    """Not there, or outside the caller's area: the caller can't tell which (404)."""


class Conflict(DomainError):
    """A rule of the business forbids it now (409)."""


class PreconditionFailed(DomainError):
    """``If-Match`` names a version that is no longer current (412)."""


class TooLarge(DomainError):
    """The body or the file is larger than the limit (413)."""


class UnsupportedMedia(DomainError):
    """The body comes as something this operation doesn't read (415)."""


class Malformed(DomainError):
    """The input is malformed; ``errors`` names each field (422)."""


class PreconditionRequired(DomainError):
    """``If-Match`` is required and missing (428)."""


class TooManyRequests(DomainError):
    """Over a limit; ``retry_after_seconds`` says when to come back (429)."""

    audit = True


class Unavailable(DomainError):
    """Something that we need does not answer; the caller may retry (503)."""
