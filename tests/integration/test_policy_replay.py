"""Replay of stored decisions: the same for ever, and a changed rule or parameter is noticed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app.commands import replay as command
from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.eligibility import NATIONAL_CATALOGUE, Drift, ParameterRow, StoredAnswer
from app.domain.eligibility import replay as replay_one
from app.replaying import replay_decisions
from app.runtime import Runtime
from tests.integration.casework_world import drafted
from tests.integration.registry_world import SignIn

pytestmark = pytest.mark.db


async def decided(sign_in: SignIn, runtime: Runtime) -> str:
    """The id of a confirmation."""
    case = await drafted(sign_in)
    await case.confirmed()
    async with transaction(runtime.engine, AreaScope("350702", "350702")) as session:
        statement = text("SELECT decision_id FROM application WHERE id = CAST(:id AS uuid)")
        return str((await session.execute(statement, {"id": case.id})).scalar_one())


@asynccontextmanager
async def tampering(runtime: Runtime, cluster: URL) -> AsyncIterator[AsyncConnection]:
    """The superuser, with every trigger asleep."""
    owner = create_async_engine(cluster.set(database=runtime.engine.url.database))
    try:
        async with owner.begin() as connection:
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
            yield connection
    finally:
        await owner.dispose()


async def test_every_decision_comes_out_as_it_was_made(sign_in: SignIn, runtime: Runtime) -> None:
    await decided(sign_in, runtime)
    report = await replay_decisions(runtime)
    assert report.replayed >= 2  # the opinion and the confirmation
    assert report.drifted == []


async def test_a_changed_parameter_is_noticed(sign_in: SignIn, runtime: Runtime, cluster: URL) -> None:
    decision = await decided(sign_in, runtime)
    change = text(
        "UPDATE policy_parameter SET value = to_jsonb(CAST(value AS text)::int + CAST(:by AS int))"
        " WHERE key = 'dibao.standard.urban' AND valid_from = '2016-01-01'"
    )
    async with tampering(runtime, cluster) as connection:
        await connection.execute(change, {"by": 1})
    try:
        report = await replay_decisions(runtime)
    finally:
        async with tampering(runtime, cluster) as connection:
            await connection.execute(change, {"by": -1})
    (drifted,) = [one for one in report.drifted if str(one.decision_id) == decision]
    assert [(one.what, one.stored) for one in drifted.drifts] == [("parameter", "350702/dibao.standard.urban/2016-01-01")]
    assert (await replay_decisions(runtime)).drifted == []


async def test_a_changed_rule_is_noticed(sign_in: SignIn, runtime: Runtime) -> None:
    decision = await decided(sign_in, runtime)
    honest = NATIONAL_CATALOGUE.get("dibao")

    def one_fen_more(case: Any) -> Any:
        return [replace(row, monthly_fen=row.monthly_fen and row.monthly_fen + 1) for row in honest.assess(case)]

    seeded = NATIONAL_CATALOGUE.with_programmes([replace(honest, assess=one_fen_more)])

    def replayed(stored: StoredAnswer, known: frozenset[ParameterRow]) -> list[Drift]:
        return replay_one(stored, known, seeded)

    report = await replay_decisions(runtime, replayed)
    (drifted,) = [one for one in report.drifted if str(one.decision_id) == decision]
    assert drifted.drifts == (Drift("monthly_fen", 75600, 75601),)


async def test_a_changed_stored_answer_is_noticed(sign_in: SignIn, runtime: Runtime, cluster: URL) -> None:
    decision = await decided(sign_in, runtime)
    change = text(
        "UPDATE assessment SET result = jsonb_set(result, '{outcome}', to_jsonb(CAST(:outcome AS text)))"
        " WHERE id = (SELECT assessment_id FROM decision WHERE id = CAST(:id AS uuid))"
    )
    async with tampering(runtime, cluster) as connection:
        await connection.execute(change, {"outcome": "ineligible", "id": decision})
    try:
        report = await replay_decisions(runtime)
    finally:
        async with tampering(runtime, cluster) as connection:
            await connection.execute(change, {"outcome": "eligible", "id": decision})
    (drifted,) = report.drifted
    assert (str(drifted.decision_id), drifted.drifts) == (decision, (Drift("outcome", "ineligible", "eligible"),))


async def test_the_command_says_so_with_its_exit_code(
    sign_in: SignIn, runtime: Runtime, cluster: URL, capsys: pytest.CaptureFixture[str]
) -> None:
    decision = await decided(sign_in, runtime)
    settings = runtime.settings
    assert isinstance(settings.database_url, SecretStr)
    assert await command._report(settings) == 0
    assert "全部一致" in capsys.readouterr().out
    change = text(
        "UPDATE assessment SET result = jsonb_set(result, '{monthly_fen}', to_jsonb(CAST(:fen AS int)))"
        " WHERE id = (SELECT assessment_id FROM decision WHERE id = CAST(:id AS uuid))"
    )
    async with tampering(runtime, cluster) as connection:
        await connection.execute(change, {"fen": 1, "id": decision})
    try:
        assert await command._report(settings) == 1
    finally:
        async with tampering(runtime, cluster) as connection:
            await connection.execute(change, {"fen": 75600, "id": decision})
    told = capsys.readouterr().err
    assert decision in told
    assert "monthly_fen: 1 → 75600" in told
