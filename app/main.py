"""create_app(): settings in; routers, problem handlers and lifespan wired; nothing else."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import __version__
from app.middleware import Edge, LastResort
from app.observability import Tracing, configure_logging
from app.openapi import DESCRIPTION, install_openapi
from app.problems import install_problem_handlers
from app.quick_assessment import ASSESSMENT
from app.quick_status_query import STATUS_QUERY
from app.quick_way import QuickWay
from app.readiness import Probe
from app.refusals import Refusals
from app.routers import operations
from app.routers.v1 import ROUTERS
from app.runtime import Runtime, open_runtime
from app.settings import Settings


def create_app(settings: Settings | None = None, *, runtime: Runtime | None = None) -> FastAPI:
    """The application. With ``runtime`` (tests) nothing is opened or closed; else the lifespan does both."""
    settings = settings or (runtime.settings if runtime else Settings())
    configure_logging(settings.log_level)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if runtime is not None:
            yield
            return
        async with open_runtime(settings) as opened:
            _attach(app, opened)
            gc.collect()
            gc.freeze()  # what the start has made stays for good: no collection need look at it again
            yield

    app = FastAPI(
        title="民政后端 minzheng",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        lifespan=lifespan,
    )
    if runtime is not None:
        _attach(app, runtime)
    app.include_router(operations.router)
    for router in ROUTERS:
        app.include_router(router)
    install_problem_handlers(app)
    install_openapi(app)
    app.add_middleware(QuickWay, answers=(ASSESSMENT, STATUS_QUERY))
    app.add_middleware(LastResort)
    app.add_middleware(
        Edge,
        max_body_bytes=settings.max_body_bytes,
        max_upload_bytes=settings.max_upload_bytes,
        max_in_flight=settings.max_requests_in_flight,
    )
    app.add_middleware(Tracing)
    return app


def _attach(app: FastAPI, runtime: Runtime) -> None:
    app.state.runtime = runtime
    app.state.refusals = Refusals(runtime)
    app.state.probe = Probe(runtime)
