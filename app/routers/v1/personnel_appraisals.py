"""People of stations: records of monthly meetings and quarterly checks (一月一例会、一季一检查), and each person's year."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from app.db.repositories.personnel import RecordFilter
from app.dependencies import ClockDep, PageDep, cursor_id, encode_cursor
from app.domain.appraisals import PersonOutcome, RecordEntry
from app.domain.appraisals.personnel import PersonKind, PersonRecord, PersonYear, RecordKind, RecordOutcome, Tally
from app.idempotency import IDEMPOTENT
from app.routers.models import ApiModel, LongText, Page
from app.routers.route import api_router
from app.routers.v1.appraisal_access import DeskDep, Recorder, StationYearReader
from app.routers.v1.appraisal_models import POINTS, SignedOut

router = api_router("年终考核", "/stations/{station_id}")

YearQuery = Annotated[int | None, Query(ge=2000, le=2100, description="年度，默认今年")]


class PersonOutcomeIn(ApiModel):
    """一个人的结果。"""

    person_id: UUID = Field(description="工作人员或信息监督员的编号")
    outcome: RecordOutcome = Field(description="例会：present 到会、excused 请假、absent 缺席；检查：passed 合格、failed 不合格")
    note: LongText | None = None


class RecordIn(ApiModel):
    """一次例会或检查，连同全部人员的结果。"""

    kind: RecordKind = Field(description="monthly_meeting 每月例会，quarterly_check 季度检查")
    held_on: date = Field(description="日期，不晚于今天")
    people: Annotated[list[PersonOutcomeIn], Field(min_length=1, max_length=500)]

    def entry(self) -> RecordEntry:
        people = tuple(PersonOutcome(one.person_id, one.outcome, one.note) for one in self.people)
        return RecordEntry(self.kind, self.held_on, people)


class RecordOut(ApiModel):
    """一个人一次例会或检查的结果。"""

    id: UUID
    area_code: str
    person_id: UUID
    person_kind: PersonKind
    person_name: str
    kind: RecordKind
    period: date = Field(description="所属月份或季度的第一天；同一期间以最后登记的为准")
    held_on: date
    outcome: RecordOutcome
    note: str | None
    recorded: SignedOut

    @classmethod
    def of(cls, record: PersonRecord) -> RecordOut:
        return cls(
            id=record.id,
            area_code=record.area_code,
            person_id=record.person_id,
            person_kind=record.person_kind,
            person_name=record.person_name,
            kind=record.kind,
            period=record.period,
            held_on=record.held_on,
            outcome=record.outcome,
            note=record.note,
            recorded=SignedOut.model_validate(record.signature),
        )


class RecordsOut(ApiModel):
    """登记的结果。"""

    items: list[RecordOut]


class PersonTallyOut(ApiModel):
    """一类记录的统计。"""

    due: int = Field(description="应参加的次数：已结束且全程在岗的月份或季度，以及已有记录的")
    good: int = Field(description="到会或合格")
    bad: int = Field(description="缺席或不合格")
    excused: int = Field(description="请假，不计入")
    unrecorded: int = Field(description="已结束但没有记录，不计入")

    @classmethod
    def of(cls, tally: Tally) -> PersonTallyOut:
        return cls.model_validate(tally)


class PersonYearOut(ApiModel):
    """一个人的年度考核。"""

    person_id: UUID
    person_kind: PersonKind
    name: str
    area_code: str
    since: date
    until: date | None
    year: int
    meetings: PersonTallyOut
    checks: PersonTallyOut
    score_points: int | None = Field(description=f"{POINTS}；没有可计的记录时为 null")
    grade: str | None = Field(description="excellent 优秀，qualified 合格，unqualified 不合格")

    @classmethod
    def of(cls, year: PersonYear) -> PersonYearOut:
        person = year.person
        return cls(
            person_id=person.id,
            person_kind=person.kind,
            name=person.name,
            area_code=person.area_code,
            since=person.since,
            until=person.until,
            year=year.year,
            meetings=PersonTallyOut.of(year.meetings),
            checks=PersonTallyOut.of(year.checks),
            score_points=year.points,
            grade=year.grade.value if year.grade else None,
        )


class PersonnelYearOut(ApiModel):
    """一个站全部人员的年度考核。"""

    items: list[PersonYearOut]
    next_cursor: None = Field(default=None, description="一次给出全部，恒为 null")


@router.get("/personnel-appraisals", summary="人员年度考核")
async def list_personnel_years(
    station_id: UUID,
    desk: DeskDep,
    clock: ClockDep,
    actor: StationYearReader,  # noqa: ARG001  (declares the duty)
    year: YearQuery = None,
) -> PersonnelYearOut:
    """民政助理员和信息监督员的例会、检查记录及由此计算的得分；本年度未公布的计算到今天。"""
    years = await desk.personnel.year(station_id, year or clock.today.year)
    return PersonnelYearOut(items=[PersonYearOut.of(one) for one in years])


@router.post("/personnel-records", status_code=201, summary="登记例会或检查", dependencies=[IDEMPOTENT])
async def add_records(
    station_id: UUID,
    body: RecordIn,
    desk: DeskDep,
    actor: Recorder,  # noqa: ARG001
) -> RecordsOut:
    """区民政局与街办联合考评；不能登记本人。同一人同一月（季）再次登记即更正，原记录留存。"""
    records = await desk.personnel.record(station_id, body.entry())
    return RecordsOut(items=[RecordOut.of(one) for one in records])


@router.get("/personnel-records", summary="例会和检查记录")
async def list_records(
    station_id: UUID,
    desk: DeskDep,
    actor: StationYearReader,
    page: PageDep,
    person_id: Annotated[UUID | None, Query(description="只看此人")] = None,
    kind: Annotated[RecordKind | None, Query(description="只看该类")] = None,
    year: YearQuery = None,
) -> Page[RecordOut]:
    """全部登记，最近的在前，含已被更正的。"""
    await desk.desk.stations.area_of(actor.scope, station_id)
    wanted = RecordFilter(person_id, kind, year)
    found = await desk.people.page_records(actor.scope, station_id, wanted, before=cursor_id(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[RecordOut.of(one) for one in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await desk.people.count_records(actor.scope, station_id, wanted) if page.count else None,
    )
