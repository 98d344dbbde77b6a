"""Group commit, for statements that lock the same row until they are committed.

Each would wait for the flush of the one before. Instead those of one turn that come while another is under way go together into
the next transaction, and none is answered before that is committed. A turn takes up one connection at a time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.db.statements import DATABASE_FAILURES, Call, Record, Statement

MOST_TOGETHER = 32


class Undone(Exception):
    """A transaction that surely wasn't committed; its cause is what went wrong."""


class Turns:
    """Who is being served, and who waits, by turn; nobody waits longer than ``patience_seconds``.

    ``alone`` runs and commits one statement, ``together`` several at once.
    """

    def __init__(
        self,
        alone: Callable[[Statement, Mapping[str, Any]], Awaitable[Sequence[Record]]],
        together: Callable[[Sequence[Call]], Awaitable[Sequence[Sequence[Record]]]],
        *,
        patience_seconds: float,
    ) -> None:
        self._alone = alone
        self._together = together
        self._patience_seconds = patience_seconds
        self._waiting: dict[Hashable, deque[Waiting]] = {}
        self._serving: set[asyncio.Task[None]] = set()

    async def write(self, statement: Statement, values: Mapping[str, Any], turn: Hashable) -> Sequence[Record]:
        waiting = self._waiting.get(turn)
        if waiting is not None:
            return await self._wait(waiting, (statement, values))
        self._waiting[turn] = deque()
        try:
            return await self._alone(statement, values)
        finally:
            task = asyncio.create_task(self._serve(turn))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    async def _wait(self, waiting: deque[Waiting], call: Call) -> Sequence[Record]:
        mine = Waiting(call, asyncio.get_running_loop().create_future())
        waiting.append(mine)
        async with asyncio.timeout(self._patience_seconds):
            return await mine.answer

    async def _serve(self, turn: Hashable) -> None:
        waiting = self._waiting[turn]
        try:
            while waiting:
                group = [waiting.popleft() for _ in range(min(len(waiting), MOST_TOGETHER))]
                await self._serve_group([one for one in group if not one.answer.done()])
        finally:
            del self._waiting[turn]

    async def _serve_group(self, group: Sequence[Waiting]) -> None:
        try:
            answers = await self._together([one.call for one in group])
        except Undone:
            for one in group:
                await self._serve_alone(one)
        except DATABASE_FAILURES as failed:  # at the commit itself: nobody knows whether they count
            for one in group:
                one.fail(failed)
        else:
            for one, rows in zip(group, answers, strict=True):
                one.succeed(rows)

    async def _serve_alone(self, one: Waiting) -> None:
        try:
            one.succeed(await self._alone(*one.call))
        except DATABASE_FAILURES as failed:
            one.fail(failed)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A statement whose turn has yet to come."""

    call: Call
    answer: asyncio.Future[Sequence[Record]]

    def succeed(self, rows: Sequence[Record]) -> None:
        if not self.answer.done():
            self.answer.set_result(rows)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
