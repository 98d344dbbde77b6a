"""What the driver says of a connection that dies before its first statement reaches us unwrapped, and passes by itself too."""

from __future__ import annotations

import asyncpg
import pytest

from app.domain.errors import Unavailable
from app.problems import domain_error_of


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.AdminShutdownError("terminating connection"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_connection_lost_while_it_is_made_is_a_503(error: Exception) -> None:
    refused = domain_error_of(error)
    assert isinstance(refused, Unavailable)
    assert refused.retry_after_seconds == 2


@pytest.mark.parametrize("error", [asyncpg.UndefinedColumnError("no such column"), ValueError("a fault of ours")])
def test_a_fault_of_ours_stays_one(error: Exception) -> None:
    assert domain_error_of(error) is None
