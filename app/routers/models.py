"""What every request and response model shares."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from types import UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from app.domain.calendar import iso_date
from app.request_body import storable
from app.validation_text import DATE_TEXT

T = TypeVar("T")


class ApiModel(BaseModel):
    """Unknown fields are refused; values don't change after parsing."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)

    @field_validator("*", mode="before")
    @classmethod
    def _as_published(cls, value: Any, info: ValidationInfo) -> Any:
        """Text that can be stored, and dates as YYYY-MM-DD: pydantic alone would read 20260815 as a Unix time in 1970."""
        if isinstance(value, str) and not storable(value):
            raise PydanticCustomError("invalid_characters", "含有无法保存的字符（空字符或不成对的代理字符），请删除后重试。")
        if info.field_name in _dates_of(cls) and not _is_day(value):
            raise PydanticCustomError(*DATE_TEXT)
        return value


@cache
def _dates_of(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, field in model.model_fields.items() if is_date(field.annotation))


def is_date(annotation: Any) -> bool:
    """Whether a field or parameter is a date, or may be left out."""
    return date in _alternatives(annotation)


def is_list(annotation: Any) -> bool:
    """Whether a parameter may come more than once."""
    return any(get_origin(part) in (list, set, frozenset, tuple) for part in _alternatives(annotation))


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _is_day(value: Any) -> bool:
    return value is None or type(value) is date or (isinstance(value, str) and iso_date(value) is not None)


class Page(BaseModel, Generic[T]):
    """A list answer; ``total`` only with ``?count=true``."""

    items: list[T]
    next_cursor: str | None = Field(default=None, description="下一页游标；为 null 表示没有更多。")
    total: int | None = Field(
        default=None, exclude_if=lambda total: total is None, description="符合条件的总数，仅在 count=true 时给出。"
    )


LINE_BREAKS = re.compile(r"[\t\r\n\v\f\u0085\u2028\u2029]+")


def on_one_line(text: str) -> str:
    """What is printed in one cell of a table: a line break inside becomes a blank, as it does when a file is imported."""
    return LINE_BREAKS.sub(" ", text)


MAX_FEN = 10**12
Fen = Annotated[int, Field(strict=True, ge=0, le=MAX_FEN, description="金额，单位：分")]
AreaCodeText = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{6}([0-9]{3}){0,2}$"), Field(description="区划代码：6、9 或 12 位")
]
CommunityCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$"), Field(description="村（社区）区划代码，12 位")]
MonthText = Annotated[str, StringConstraints(pattern=r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$"), Field(description="月份 YYYY-MM")]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True), AfterValidator(on_one_line)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
