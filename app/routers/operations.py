"""For operators and machines: liveness, readiness, metrics, keys, the offline documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from app.dependencies import RuntimeDep
from app.observability import metrics_page

STATIC = Path(__file__).resolve().parents[1] / "static"
router = APIRouter(tags=["运行"])


@router.get("/livez", summary="进程存活")
async def livez() -> dict[str, str]:
    """进程在运行即返回 200，不访问数据库。"""
    return {"status": "alive"}


@router.get("/readyz", summary="可以接受请求", responses={503: {"description": "尚不能接受请求，checks 说明原因"}})
async def readyz(request: Request) -> Response:
    """检查数据库、迁移版本、密钥、日历、分区与后台任务进程。warning 不影响就绪。结果最多保留一秒。"""
    report = await request.app.state.probe.look()
    return Response(orjson.dumps(report.as_json()), 200 if report.ready else 503, media_type="application/json")


@router.get("/metrics", summary="Prometheus 指标", response_class=Response)
async def metrics() -> Response:
    body, content_type = metrics_page()
    return Response(body, media_type=content_type)


@router.get("/.well-known/jwks.json", summary="令牌签名公钥（JWKS）")
async def jwks(runtime: RuntimeDep) -> dict[str, Any]:
    """供其他部门离线验证访问令牌与在保证明的签名。"""
    return dict(runtime.tokens.jwks())


@router.get("/docs", include_in_schema=False)
async def docs() -> FileResponse:
    return _page("swagger")


@router.get("/docs/assets/{name}", include_in_schema=False)
async def docs_asset(name: str) -> Response:
    return _asset("swagger", name)


@router.get("/console", include_in_schema=False)
async def console() -> FileResponse:
    """The built-in page for signed-in staff; it asks the interface like everybody else."""
    return _page("console")


@router.get("/console/assets/{name}", include_in_schema=False)
async def console_asset(name: str) -> Response:
    return _asset("console", name, caching="no-cache")  # its modules belong together: never one of yesterday with one of today


def _page(folder: str) -> FileResponse:
    return FileResponse(STATIC / folder / "index.html", media_type="text/html; charset=utf-8")


def _asset(folder: str, name: str, *, caching: str = "public, max-age=86400") -> Response:
    if name not in {path.name for path in (STATIC / folder).iterdir()}:
        return Response(status_code=404)
    return FileResponse(STATIC / folder / name, headers={"Cache-Control": caching})
