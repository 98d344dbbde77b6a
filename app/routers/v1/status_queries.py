"""Status queries by other bureaus: is this person enrolled, yes or no, counted and logged."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.bureau_session import IDEMPOTENCY_KEY, BureauCall, BureauCallDep
from app.db.repositories.sharing import StatusQueries
from app.dependencies import Clock, get_runtime
from app.domain.access import Actor
from app.domain.calendar import iso_date
from app.domain.errors import DomainError, FieldError, Malformed
from app.domain.identity import IdentityFault, normalise_id_number, normalise_name, parse_id_number
from app.domain.sharing import (
    ProgrammeStatus,
    QueryWithoutCase,
    StatusQuery,
    admit,
    answer_status_query,
    attested,
    in_force,
)
from app.idempotency import IdempotencyKey
from app.ids import new_id
from app.observability import trace_id
from app.routers.models import ApiModel, MonthText
from app.routers.route import ApiRoute, api_router
from app.runtime import Runtime
from app.security import fields
from app.validation_text import DATE_TEXT, field_error

alerts = logging.getLogger("minzheng.alerts")
ALARMING = frozenset({"outside_agreement", "quota_exceeded", "query_without_case"})
INDISPENSABLE = (("body", "case_no"), ("body", "purpose"))
ABSENT = frozenset({"missing", "string_type", "string_too_short"})
MAYBE_ID_NUMBER = re.compile(r"(?<![0-9])[0-9]{17}[0-9X](?![0-9])")


class StatusQueryRoute(ApiRoute):
    """Raises the alarm for what a well-behaved client doesn't do, and records questions without case or purpose."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestValidationError as error:
                refusal = _without_case(error)
                if refusal is None:
                    raise
                _alert(request, refusal)
                raise refusal from None
            except DomainError as error:
                _alert(request, error)
                raise

        return answer


def _without_case(error: RequestValidationError) -> QueryWithoutCase | None:
    findings = error.errors()
    if any(tuple(item["loc"]) in INDISPENSABLE and item["type"] in ABSENT for item in findings):
        return QueryWithoutCase([field_error(item) for item in findings])
    return None


def _alert(request: Request, error: DomainError) -> None:
    actor: Actor | None = getattr(request.state, "actor", None)
    if error.code in ALARMING:
        alerts.warning("status query refused", extra={"code": error.code, "client": actor.name if actor else None})


router = api_router("部门协查", "/status-queries")
router.route_class = StatusQueryRoute


def _date(value: object) -> date:
    """Only YYYY-MM-DD: a timestamp or an instant is not a date."""
    day = value if type(value) is date else iso_date(value) if isinstance(value, str) else None
    if day is None:
        raise PydanticCustomError(*DATE_TEXT)
    return day


def _free_of_id_numbers(text: str) -> str:
    """What is logged and signed holds no ID number, whatever a client writes into it."""
    for found in MAYBE_ID_NUMBER.finditer(normalise_id_number(text)):
        try:
            parse_id_number(found.group())
        except IdentityFault:
            continue
        raise PydanticCustomError("contains_id_number", "此处不得填写身份证号，请改填业务编号或文字说明。")
    return text


def _distinct(programmes: list[str]) -> list[str]:
    if len(set(programmes)) < len(programmes):
        raise PydanticCustomError("duplicate", "同一项目只需填写一次，请删除重复项。")
    return programmes


FreeOfIdNumbers = AfterValidator(_free_of_id_numbers)
Programme = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{1,39}$")]
Line = StringConstraints(min_length=1, max_length=100, strip_whitespace=True)


class StatusQueryBody(ApiModel):
    """查询一人是否在册。"""

    id_number: Annotated[str, Field(min_length=1, max_length=64, description="18 位身份证号，末位 x 大小写均可")]
    name: Annotated[str, Line, Field(description="姓名；间隔号写法不同（·、•、．）视为相同")]
    as_of: Annotated[date, BeforeValidator(_date), Field(description="查询基准日期：按该日所在月份是否在册回答")]
    programmes: Annotated[
        list[Programme],
        AfterValidator(_distinct),
        Field(min_length=1, max_length=20, description="要查的项目代码，须在协议范围内", json_schema_extra={"uniqueItems": True}),
    ]
    purpose: Annotated[str, Line, FreeOfIdNumbers, Field(description="用途，须为协议约定的用途之一")]
    legal_basis: Annotated[
        str,
        StringConstraints(min_length=1, max_length=500, strip_whitespace=True),
        FreeOfIdNumbers,
        Field(description="查询的法律依据（文件名称及条款）"),
    ]
    case_no: Annotated[str, Line, FreeOfIdNumbers, Field(description="贵单位的业务单号；无单查询一律拒绝并告警")]
    attest: Annotated[bool, Field(strict=True, description="是否附签名凭证，默认附")] = True


class Enrolled(BaseModel):
    """在册。"""

    programme: str
    enrolled: Literal[True]
    category: str | None = Field(description="类别；协议未约定此项时为 null")
    since: MonthText | None = Field(description="自哪个月起；协议未约定此项时为 null")
    valid_until: date | None = Field(description="有效期止；无期限或协议未约定此项时为 null")


class NotEnrolled(BaseModel):
    """未查到在册记录：查无此人、姓名不符、不在册三种情形回答相同。"""

    programme: str
    enrolled: Literal[False]
    category: None
    since: None
    valid_until: None
    note: str


class StatusAnswerView(BaseModel):
    """查询结果，各项目按提问顺序排列。"""

    query_id: UUID = Field(description="查询编号，供双方对账")
    as_of: date
    results: list[Enrolled | NotEnrolled]
    attestation: str | None = Field(
        description="签名凭证（JWS，ES256，公钥见 /.well-known/jwks.json）；attest=false 时为 null。不含姓名和身份证号；"
        "否定结果只证明按所报姓名和身份证号未查到。"
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that the client's agreement covers."""

    query: StatusQuery
    call: BureauCall


async def read_query(request: Request, body: StatusQueryBody, call: BureauCallDep) -> Asked:
    """Refuses what the agreement doesn't cover before anything else: a stored answer, too, is given out only within it."""
    query = query_of(body, call, get_runtime(request))
    admit(in_force(call.agreement, query.today), query)
    return Asked(query, call)


def query_of(body: StatusQueryBody, call: BureauCall, runtime: Runtime) -> StatusQuery:
    """The question in the domain's terms. Raises ``Malformed`` for a number or name that is none."""
    number, name_key, query_id = _id_number(body, call.clock), _name_key(body), new_id()
    subject = runtime.keys.fingerprint("attestation-subject", f"{query_id}\n{number}\n{name_key}".encode())
    return StatusQuery(
        id=query_id,
        client=call.client,
        number_digests=runtime.blind_index.digest(fields.Field.ID_NUMBER, number),
        name_key=name_key,
        subject=base64.urlsafe_b64encode(subject).rstrip(b"=").decode(),
        as_of=body.as_of,
        programmes=tuple(body.programmes),
        purpose=body.purpose,
        legal_basis=body.legal_basis,
        case_no=body.case_no,
        attest=body.attest,
        asked_at=call.clock.now,
        today=call.clock.today,
        trace_id=trace_id(),
    )


def _id_number(body: StatusQueryBody, clock: Clock) -> str:
    try:
        return parse_id_number(body.id_number, as_of=clock.today).value
    except IdentityFault as fault:
        raise Malformed("malformed_request", fault.message, errors=[fault.at("/id_number")]) from None


def _name_key(body: StatusQueryBody) -> str:
    name_key = normalise_name(body.name)
    if not name_key:
        finding = FieldError("/name", "required", "必填，请补充。")
        raise Malformed("malformed_request", "请填写姓名。", errors=[finding])
    return name_key


KEYED = IdempotencyKey(money=False)


async def take_key(
    request: Request,
    asked: Annotated[Asked, Depends(read_query)],
    key: Annotated[
        str | None, Header(alias=IDEMPOTENCY_KEY, description="幂等键（建议用 UUID）：同键同内容只查一次、计一次。")
    ] = None,
) -> Asked:
    """Idempotency as everywhere, but in this path's own transaction."""
    if key is not None:
        await KEYED(request, request.state.session, asked.call.client, get_runtime(request), key)
    return asked


@router.post("", summary="查询一人是否在册")
async def ask(request: Request, asked: Annotated[Asked, Depends(take_key)]) -> StatusAnswerView:
    """供其他部门在数据共享协议范围内查询，每次查询都记录在案并计入每日次数。

    `as_of` 晚于当月时，按目前已确认的记录回答。协议之外（项目、用途、期限、区域）返回 403 `outside_agreement`；
    超过每日次数返回 429 `quota_exceeded`，`Retry-After` 为距次日零点（北京时间）的秒数；
    未写业务单号或用途返回 422 `query_without_case`。
    """
    return await answer_of(asked, get_runtime(request))


PATH, ROUTE = "/api/v1/status-queries", router.routes[-1]
"""Those of the status query; ``app.quick_status_query`` answers in the route's name."""


async def answer_of(asked: Asked, runtime: Runtime) -> StatusAnswerView:
    """Counts, logs, answers and signs. Raises ``TooManyRequests`` quota_exceeded before any of it."""
    query = asked.query
    answer = await answer_status_query(StatusQueries(asked.call.database), asked.call.agreement, query)
    payload = attested(answer, query, runtime.settings.issuer)
    return StatusAnswerView(
        query_id=answer.query_id,
        as_of=answer.as_of,
        results=[_view(status) for status in answer.results],
        attestation=runtime.tokens.sign_attestation(payload) if query.attest else None,
    )


def _view(status: ProgrammeStatus) -> Enrolled | NotEnrolled:
    if not status.enrolled:
        return NotEnrolled(
            programme=status.programme, enrolled=False, category=None, since=None, valid_until=None, note=status.note or ""
        )
    since = str(status.since) if status.since else None
    return Enrolled(
        programme=status.programme, enrolled=True, category=status.category, since=since, valid_until=status.valid_until
    )
