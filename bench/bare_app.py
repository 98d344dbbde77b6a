"""What the status query is measured against: a bare FastAPI route that selects one row by its key through asyncpg."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from pydantic import BaseModel


class Question(BaseModel):
    id_number: str


class Answer(BaseModel):
    programme: str
    enrolled: bool
    category: str
    since: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["BENCH_DSN"], min_size=10, max_size=10) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/status")
async def status(question: Question, request: Request) -> Answer:
    pool: Any = request.app.state.pool
    row = await pool.fetchrow("SELECT programme, category, since FROM bench_point WHERE number = $1", question.id_number)
    return Answer(programme=row["programme"], enrolled=True, category=row["category"], since=row["since"])
