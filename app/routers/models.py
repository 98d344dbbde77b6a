"""What every request and response model shares."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

T = TypeVar("T")


class ApiModel(BaseModel):
    """Unknown fields are refused; values don't change after parsing."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unstorable_text(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for value in data.values():
                if isinstance(value, str) and not storable(value):
                    raise PydanticCustomError(
                        "invalid_characters", "含有无法保存的字符（空字符或不成对的代理字符），请删除后重试。"
                    )
        return data


def storable(text: str) -> bool:
    """Postgres text holds neither NUL nor lone surrogates."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


class Page(BaseModel, Generic[T]):
    """A list answer; ``total`` only with ``?count=true``."""

    items: list[T]
    next_cursor: str | None = Field(default=None, description="下一页游标；为 null 表示没有更多。")
    total: int | None = Field(default=None, description="符合条件的总数，仅在 count=true 时给出。")


MAX_FEN = 10**12
Fen = Annotated[int, Field(strict=True, ge=0, le=MAX_FEN, description="金额，单位：分")]
AreaCodeText = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{6}([0-9]{3}){0,2}$"), Field(description="区划代码：6、9 或 12 位")
]
CommunityCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$"), Field(description="村（社区）区划代码，12 位")]
MonthText = Annotated[str, StringConstraints(pattern=r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$"), Field(description="月份 YYYY-MM")]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
