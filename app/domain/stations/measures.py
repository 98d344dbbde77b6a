"""Measures: what can be read from the facts of a station. Each is pure, and says which facts it reads.

A standard names measures; a new standard needs no new code unless it measures something new. Leaders (站长, 副站长) hold their
post beside another office: they are left out of the counts unless the criterion says ``leaders_counted`` (the source leaves it
open, so it is a parameter of the criterion).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from fractions import Fraction
from operator import attrgetter

from app.domain.stations.facts import Facts, StaffFact
from app.domain.stations.model import Undecided
from app.domain.stations.operating import JUDGED
from app.domain.stations.readings import HUNDRED, Reading, between, number, pointer, unknown
from app.domain.stations.records import Establishment
from app.domain.stations.vocabulary import COLLEGE, RULES, SIGNAGE, schooling

LEADERS_COUNTED = "leaders_counted"
ESTABLISHED: tuple[Establishment, ...] = ("administrative", "institutional")


class MeasureKind(StrEnum):
    """What comes out of a measure, and so what it can be compared with."""

    NUMBER = "number"
    FLAG = "flag"
    CODES = "codes"
    KIND = "kind"
    EACH_COMMUNITY = "each_community"


Read = Callable[[Facts, date, bool], Reading]


@dataclass(frozen=True, slots=True)
class Measure:
    """``facts`` are the keys of the sheet that it reads; ``vocabulary`` the codes that can stand in it (None: any)."""

    name: str
    kind: MeasureKind
    facts: tuple[str, ...]
    read: Read
    unit: str | None = None
    takes_leaders: bool = False
    vocabulary: frozenset[str] | None = None
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Item:
    """One community of a measure over communities: what chooses its limit, and what it has."""

    ref: str
    by: Reading
    value: Reading


# --- plain facts -----------------------------------------------------------------------------------------------------------


def _number_of(path: str) -> Read:
    fact = attrgetter(path)

    def read(facts: Facts, _on: date, _leaders: bool) -> Reading:
        value = fact(facts)
        return unknown(path) if value is None else number(value)

    return read


def _flag_of(path: str) -> Read:
    fact = attrgetter(path)

    def read(facts: Facts, _on: date, _leaders: bool) -> Reading:
        value = fact(facts)
        return unknown(path) if value is None else Reading(flag=bool(value))

    return read


def _codes_of(path: str) -> Read:
    fact = attrgetter(path)

    def read(facts: Facts, _on: date, _leaders: bool) -> Reading:
        value = fact(facts)
        return unknown(path) if value is None else Reading(codes=frozenset(value))

    return read


def _share_of(part: str, total: str) -> Read:
    """Hundredths of a total; nothing to measure where the total is 0."""
    facts_of = attrgetter(part, total)

    def read(facts: Facts, _on: date, _leaders: bool) -> Reading:
        some, whole = facts_of(facts)
        lacking = [path for path, value in ((part, some), (total, whole)) if value is None]
        if lacking:
            return unknown(*lacking)
        if whole == 0:
            return Reading(reason=Undecided.NOTHING_TO_MEASURE)
        return number(Fraction(HUNDRED * some, whole))

    return read


def _rate_of(code: str) -> Read:
    """Hundredths of the cases that were to be handled (``operating.OPERATING``)."""
    share = _share_of(f"operations.{code}.part", f"operations.{code}.whole")
    fact_of = attrgetter(f"operations.{code}")

    def read(facts: Facts, on: date, leaders: bool) -> Reading:
        fact = fact_of(facts)
        if not fact.recorded:
            return Reading(reason=Undecided.NO_DATA)
        return Reading(reason=Undecided.NO_CASES) if fact.whole == 0 else share(facts, on, leaders)

    return read


def _digitised_share(facts: Facts, on: date, leaders: bool) -> Reading:
    """From the case files where there are any, else from the sheet of the archives: one of the two, never a mixture."""
    files, sheet = facts.operations.digital_case_files, facts.archives
    if not files.recorded or not files.whole or files.part is None:
        return _share_of("archives.digitised", "archives.total")(facts, on, leaders)
    stated = "" if sheet.total is None or sheet.digitised is None else f"；登记的档案为 {sheet.digitised}/{sheet.total} 份"
    note = f"按系统内在保对象的电子卷宗计算（{files.part}/{files.whole}{stated}）"
    return replace(number(Fraction(HUNDRED * files.part, files.whole)), note=note)


# --- staff -----------------------------------------------------------------------------------------------------------------


def _posts(facts: Facts, *, leaders: bool) -> Iterator[tuple[int, StaffFact]]:
    for place, post in enumerate(facts.staff or ()):
        if leaders or not post.leader:
            yield place, post


def _count(wanted: Callable[[StaffFact], bool | None], fact: str) -> Read:
    """How many posts are as wanted; those that can't be told (None) widen the count."""

    def read(facts: Facts, _on: date, leaders: bool) -> Reading:
        if facts.staff is None:
            return unknown("staff")
        answers = [(place, wanted(post)) for place, post in _posts(facts, leaders=leaders)]
        certain = sum(answer is True for _, answer in answers)
        return between(certain, [f"staff.{place}.{fact}" for place, answer in answers if answer is None])

    return read


def _holds(*establishments: str) -> Callable[[StaffFact], bool | None]:
    return lambda post: None if post.establishment is None else post.establishment in establishments


def _below_college(post: StaffFact) -> bool | None:
    level = None if post.education is None else schooling(post.education)
    return None if level is None else level < COLLEGE


def _budget_grown(facts: Facts, _on: date, _leaders: bool) -> Reading:
    """More than the year before (逐年增长)."""
    now, before = facts.budget.amount_fen, facts.budget.last_year_fen
    if now is None or before is None:
        pairs = (("budget.amount_fen", now), ("budget.last_year_fen", before))
        return unknown(*(path for path, value in pairs if value is None))
    return Reading(flag=now > before)


def _leaders(facts: Facts, _on: date, _leaders: bool) -> Reading:
    return unknown("staff") if facts.staff is None else number(sum(post.leader for post in facts.staff))


def _shortest_years(facts: Facts, on: date, leaders: bool) -> Reading:
    """Whole years in the post of whoever has been there for the shortest time."""
    if facts.staff is None:
        return unknown("staff")
    posts = list(_posts(facts, leaders=leaders))
    if not posts:
        return Reading(reason=Undecided.NOTHING_TO_MEASURE)
    known = [_years(post.since, on) for _, post in posts if post.since is not None]
    open_places = tuple(pointer(f"staff.{place}.since") for place, post in posts if post.since is None)
    if not open_places:
        return number(min(known))
    high = Fraction(min(known)) if known else None
    return Reading(low=Fraction(0), high=high, missing=open_places, reason=Undecided.FACT_MISSING)


def _years(since: date, on: date) -> int:
    return on.year - since.year - ((on.month, on.day) < (since.month, since.day))


# --- people and communities ------------------------------------------------------------------------------------------------


def _population(facts: Facts, _on: date, _leaders: bool) -> Reading:
    """As stated, else the sum of the communities when every one of them is known."""
    if facts.population is not None:
        return number(facts.population)
    counts = [community.population for community in facts.communities or ()]
    if not counts or None in counts:
        return unknown("population")
    return number(sum(count for count in counts if count is not None))


def _informants(facts: Facts, _on: date, _leaders: bool) -> Reading:
    """The whole; what each community has is read with ``items_of``."""
    if facts.communities is None:
        return unknown("communities")
    if not facts.communities:
        return Reading(reason=Undecided.NOTHING_TO_MEASURE)
    places = [f"communities.{place}.informants" for place, each in enumerate(facts.communities) if each.informants is None]
    return unknown(*places) if places else number(sum(each.informants or 0 for each in facts.communities))


def items_of(facts: Facts) -> tuple[Item, ...]:
    """Every community with its population and its informants."""
    return tuple(
        Item(
            each.area_code or str(place + 1),
            _or_unknown(each.population, f"communities.{place}.population"),
            _or_unknown(each.informants, f"communities.{place}.informants"),
        )
        for place, each in enumerate(facts.communities or ())
    )


def _or_unknown(value: int | None, path: str) -> Reading:
    return unknown(path) if value is None else number(value)


def _office_kind(facts: Facts, _on: date, _leaders: bool) -> Reading:
    kind = facts.community_office.kind
    return unknown("community_office.kind") if kind is None else Reading(kind=kind)


def _rooms(ending: str) -> Read:
    """Different rooms whose code ends so: ``…_room`` 室, ``…_station`` 站, ``…_hall`` 厅, ``…_ground`` 场所."""

    def read(facts: Facts, _on: date, _leaders: bool) -> Reading:
        rooms = facts.community_office.rooms
        return unknown("community_office.rooms") if rooms is None else number(sum(room.endswith(ending) for room in rooms))

    return read


# --- the list --------------------------------------------------------------------------------------------------------------


def _numbers(unit: str, named: Mapping[str, tuple[str, str]]) -> dict[str, Measure]:
    return {code: Measure(name, MeasureKind.NUMBER, (path,), _number_of(path), unit=unit) for code, (name, path) in named.items()}


def _flags(named: Mapping[str, tuple[str, str]]) -> dict[str, Measure]:
    return {code: Measure(name, MeasureKind.FLAG, (path,), _flag_of(path)) for code, (name, path) in named.items()}


def _staff(name: str, read: Read, *facts: str, unit: str = "人") -> Measure:
    return Measure(name, MeasureKind.NUMBER, ("staff", "staff.leader", *facts), read, unit=unit, takes_leaders=True)


def _room_count(name: str, ending: str) -> Measure:
    return Measure(name, MeasureKind.NUMBER, ("community_office.rooms",), _rooms(ending), unit="个")


def _tally(code: str) -> tuple[str, ...]:
    return tuple(f"operations.{code}.{name}" for name in ("part", "whole", "recorded"))


MEASURES: dict[str, Measure] = {
    "staff_members": _staff("工作人员", _count(lambda _post: True, "name")),
    "established_staff": _staff("在编工作人员", _count(_holds(*ESTABLISHED), "establishment"), "staff.establishment"),
    "administrative_staff": _staff("行政编制人员", _count(_holds("administrative"), "establishment"), "staff.establishment"),
    "staff_outside_establishment": _staff("编外人员", _count(_holds("other"), "establishment"), "staff.establishment"),
    "staff_not_institutional": _staff(
        "非事业编制人员", _count(_holds("administrative", "other"), "establishment"), "staff.establishment"
    ),
    "part_time_staff": _staff(
        "兼职人员", _count(lambda post: None if post.full_time is None else not post.full_time, "full_time"), "staff.full_time"
    ),
    "staff_below_college": _staff("大专以下学历人员", _count(_below_college, "education"), "staff.education"),
    "staff_not_filed": _staff(
        "未经考试合格备案的人员", _count(lambda post: None if post.filed is None else not post.filed, "filed"), "staff.filed"
    ),
    "staff_not_consulted": _staff(
        "任职前未征求区民政局意见的人员",
        _count(lambda post: None if post.consulted is None else not post.consulted, "consulted"),
        "staff.consulted",
    ),
    "shortest_years_in_post": _staff("任职最短者的任职年数", _shortest_years, "staff.since", unit="年"),
    "leaders": Measure("站长、副站长", MeasureKind.NUMBER, ("staff", "staff.leader"), _leaders, unit="人"),
    **_numbers("㎡", {"premises_area_m2": ("办公场所面积", "premises.area_m2")}),
    **_flags(
        {
            "premises_independent": ("办公场所独立使用", "premises.independent"),
            "premises_accessible": ("办公场所方便群众办事", "premises.accessible"),
            "service_window": ("设有服务窗口", "premises.service_window"),
            "archive_room": ("设有档案室", "premises.archive_room"),
            "in_fiscal_budget": ("工作经费纳入财政预算", "budget.in_fiscal_budget"),
            "monthly_disbursed": ("工作经费按月拨付", "budget.monthly_disbursed"),
            "archives_confidential": ("档案符合保密要求", "archives.confidential"),
            "emergency_plan": ("有应急措施", "emergency_plan"),
        }
    ),
    "budget_grown": Measure("工作经费逐年增长", MeasureKind.FLAG, ("budget.amount_fen", "budget.last_year_fen"), _budget_grown),
    **_numbers("分", {"budget_fen": ("年度工作经费", "budget.amount_fen")}),
    **_numbers(
        "台（部、辆）",
        {
            "computers": ("电脑", "equipment.computer"),
            "telephones": ("电话", "equipment.telephone"),
            "fax_machines": ("传真机", "equipment.fax"),
            "printers": ("打印机", "equipment.printer"),
            "cameras": ("照相机", "equipment.camera"),
            "vehicles": ("交通工具", "equipment.vehicle"),
        },
    ),
    "rules": Measure("规章制度", MeasureKind.CODES, ("rules",), _codes_of("rules"), unit="项", vocabulary=frozenset(RULES)),
    "signage": Measure(
        "标识标牌", MeasureKind.CODES, ("signage",), _codes_of("signage"), unit="项", vocabulary=frozenset(SIGNAGE)
    ),
    **_numbers("份", {"archives_total": ("档案总数", "archives.total")}),
    "archives_bound_share": Measure(
        "档案装订成册的比例",
        MeasureKind.NUMBER,
        ("archives.bound", "archives.total"),
        _share_of("archives.bound", "archives.total"),
        unit="%",
    ),
    "archives_digitised_share": Measure(
        "档案微机管理的比例",
        MeasureKind.NUMBER,
        ("archives.digitised", "archives.total", *_tally("digital_case_files")),
        _digitised_share,
        unit="%",
    ),
    "informants_per_community": Measure(
        "各村（社区）信息监督员",
        MeasureKind.EACH_COMMUNITY,
        ("communities", "communities.informants"),
        _informants,
        unit="人",
    ),
    **_numbers(
        "次",
        {
            "assistant_trainings": ("本年民政助理员培训", "trainings.assistants_this_year"),
            "coordinator_trainings": ("本年村居协管员培训", "trainings.coordinators_this_year"),
            "monthly_meetings": ("近12个月例会", "meetings.monthly_held_12m"),
            "quarterly_checks": ("近12个月季度检查", "meetings.quarterly_checks_12m"),
        },
    ),
    **_numbers("人", {"volunteers": ("志愿者", "volunteers")}),
    **_numbers("㎡", {"community_office_area_m2": ("社区办公场所面积", "community_office.area_m2")}),
    "community_rooms": _room_count("社区功能室", "_room"),
    "community_stations": _room_count("社区服务站点", "_station"),
    "community_halls": _room_count("社区服务厅", "_hall"),
    "community_grounds": _room_count("社区活动场所", "_ground"),
    "community_facilities": Measure(
        "社区服务设施", MeasureKind.CODES, ("community_office.rooms",), _codes_of("community_office.rooms"), unit="项"
    ),
    **{code: Measure(one.name, MeasureKind.NUMBER, _tally(code), _rate_of(code), unit=one.unit) for code, one in JUDGED.items()},
}

#: What chooses among the limits of a criterion; that of a community is read with ``items_of``.
LIMIT_BY: dict[str, Measure] = {
    "population": Measure(
        "辖区人口", MeasureKind.NUMBER, ("population", "communities", "communities.population"), _population, unit="人"
    ),
    "community_population": Measure(
        "村（社区）人口", MeasureKind.EACH_COMMUNITY, ("communities.population",), _informants, unit="人"
    ),
    "community_office_kind": Measure(
        "社区类型", MeasureKind.KIND, ("community_office.kind",), _office_kind, kinds=frozenset({"urban", "township"})
    ),
}
