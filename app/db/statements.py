"""A statement in both of its forms: as it is written, and as the driver takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy import TextClause
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import SQLAlchemyError

Record = Mapping[str, Any]

DATABASE_FAILURES = (TimeoutError, OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What the driver and the engine raise; ``app.problems`` says what each means to a caller."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as written, and as the driver takes it: numbered places, and which value belongs into each."""

    clause: TextClause
    sql: str
    places: tuple[str, ...]

    @classmethod
    def of(cls, clause: TextClause) -> Statement:
        compiled = clause.compile(dialect=PGDialect_asyncpg())  # type: ignore[no-untyped-call]
        return cls(clause, str(compiled), tuple(compiled.positiontup or ()))


Call = tuple[Statement, Mapping[str, Any]]
