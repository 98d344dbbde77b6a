"""The published registry of every code an answer can carry."""

from __future__ import annotations

from pydantic import BaseModel, Field

from app.codes import REGISTRY
from app.routers.route import api_router

router = api_router("代码表")


class Code(BaseModel):
    """一个代码及其中文说明。"""

    kind: str
    code: str
    text: str


class Codes(BaseModel):
    """全部代码。"""

    items: list[Code]
    next_cursor: None = Field(default=None, description="一次给出全部，恒为 null")


@router.get("/codes", summary="代码表：错误、结论、理由、金额构成、步骤")
async def list_codes() -> Codes:
    """公开，无需登录。代码含义不会改变，只会增加。"""
    return Codes(
        items=[Code(kind=kind, code=code, text=text) for kind, entries in REGISTRY.items() for code, text in entries.items()]
    )
