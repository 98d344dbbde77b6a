"""People: registering, looking up, changing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response

from app.db.repositories.people import PersonFilter
from app.dependencies import ClockDep, PageDep, PageRequest, RequiredIfMatch, bad_cursor, cursor_id, encode_cursor, set_etag
from app.domain.errors import FieldError
from app.domain.registry.entry import check_number, check_purpose, check_registration, malformed
from app.idempotency import IDEMPOTENT
from app.routers.models import AreaCodeText, Page, ShortText
from app.routers.route import api_router
from app.routers.v1.registry_access import (
    PERSON_FIELDS,
    DeskDep,
    PurposeText,
    Reader,
    Registrar,
    RevealText,
    mark_revealed,
    wanted_fields,
)
from app.routers.v1.registry_models import People, PersonOut, PersonRegistration, PersonSearch, PersonUpdate
from app.throttle import THROTTLED

router = api_router("人员登记", "/persons")

BIRTH_DATE_KEYS = 2
NOBODY = UUID(int=0)  # stands for the owner of a number never seen, so that the search takes the same way


@router.post("", status_code=201, summary="登记人员", dependencies=[THROTTLED, IDEMPOTENT])
async def register_person(
    body: PersonRegistration, desk: DeskDep, clock: ClockDep, _actor: Registrar, response: Response
) -> PersonOut:
    """身份证号逐项检查（位数、字符、日期、校验位），同一号码只能登记一次。

    已登记的返回 409 `person_already_registered`：在本人辖区内的，说明所在村（社区）并给出 `person_id`；在辖区以外的，
    只提示联系上级民政部门办理迁转。一小时内多次登记已在外地登记的号码，暂停登记（429）。
    """
    valid_from = body.valid_from or clock.today
    registration = check_registration(body.id_number, body.area_code, body.details(), valid_from=valid_from, today=clock.today)
    person = await desk.registry.register(registration, clock=datetime.now(UTC))
    response.headers["Location"] = f"/api/v1/persons/{person.id}"
    set_etag(response, person.version)
    return PersonOut.of(person)


@router.get("", summary="人员列表")
async def list_people(
    desk: DeskDep,
    clock: ClockDep,
    actor: Reader,
    page: PageDep,
    area_code: Annotated[AreaCodeText | None, Query(description="只看该区划及其下级")] = None,
    name: Annotated[ShortText | None, Query(description="姓名开头")] = None,
    sort: Annotated[Literal["id", "birth_date"], Query(description="id 按登记先后，birth_date 按出生先后")] = "id",
) -> Page[PersonOut]:
    """本人辖区内的登记人员，敏感字段脱敏。"""
    wanted = PersonFilter(area_code=area_code, name_begins=name)
    found = await desk.people.list_people(
        actor.scope, wanted, on=clock.today, sort=sort, after=_position(page, sort), limit=page.limit + 1
    )
    items, more = found[: page.limit], len(found) > page.limit
    last = items[-1] if items else None
    position = () if last is None else (last.id,) if sort == "id" else (last.birth_date, last.id)
    return Page(
        items=[PersonOut.of(person) for person in items],
        next_cursor=encode_cursor(*position) if more else None,
        total=await desk.people.count_people(actor.scope, wanted) if page.count else None,
    )


def _position(page: PageRequest, sort: str) -> tuple[Any, ...] | None:
    last = cursor_id(page.after)
    if page.after is None or sort == "id":
        return None if last is None else (last,)
    if len(page.after) != BIRTH_DATE_KEYS:
        raise bad_cursor()
    try:
        return (date.fromisoformat(page.after[0]), last)
    except ValueError as error:
        raise bad_cursor() from error


@router.post("/search", summary="按身份证号或姓名查询人员")
async def search_people(body: PersonSearch, desk: DeskDep, clock: ClockDep, actor: Reader) -> People:
    """只查本人辖区；查不到不说明此人是否在别处登记。身份证号须完整，不出现在网址中。查询留痕。"""
    if body.id_number is None and body.name is None:
        raise malformed([FieldError("", "search_needs_condition", "请至少填写身份证号或姓名中的一项。")])
    wanted = PersonFilter(name=body.name)
    if body.id_number is not None:
        number = check_number(body.id_number, today=clock.today)
        wanted = PersonFilter(name=body.name, person_uid=await desk.identities.find_uid(number.value) or NOBODY)
    found = await desk.people.list_people(actor.scope, wanted, on=clock.today, sort="id", after=None, limit=body.limit)
    if body.id_number is not None:
        hit = found[0].id if found else None
        await desk.trail.note("person.search", "person", hit, found[0].area_code if found else None, ("id_number",))
    return People(items=[PersonOut.of(person) for person in found], total=await desk.people.count_people(actor.scope, wanted))


@router.get("/{person_id}", summary="人员详情")
async def get_person(
    person_id: UUID,
    desk: DeskDep,
    clock: ClockDep,
    actor: Reader,
    response: Response,
    reveal: RevealText = None,
    purpose: PurposeText = None,
) -> PersonOut:
    """敏感字段脱敏；`?reveal=id_number,phone,address&purpose=…` 查看明文，限获准的岗位，每次记入审计。"""
    fields = wanted_fields(reveal, PERSON_FIELDS, actor)
    reason = check_purpose(purpose) if fields else None
    person = await desk.people.get(actor.scope, person_id, clock.today)
    set_etag(response, person.version, "r" if fields else "m")
    if not fields:
        return PersonOut.of(person)
    mark_revealed(response)
    await desk.trail.note("person.reveal", "person", person_id, person.area_code, fields, reason)
    return PersonOut.of(person, await desk.people.reveal(actor.scope, person_id, fields))


@router.put("/{person_id}", summary="修改人员信息")
async def change_person(
    person_id: UUID,
    body: PersonUpdate,
    desk: DeskDep,
    clock: ClockDep,
    _actor: Registrar,
    version: RequiredIfMatch,
    response: Response,
) -> PersonOut:
    """未提交的字段保持不变。残疾、就业、就读、重病情况自 `valid_from` 起改变，此前的情况保留；同日的更正取代原记录。"""
    person = await desk.registry.change_person(person_id, body.change(clock.today), version)
    set_etag(response, person.version)
    return PersonOut.of(person)
