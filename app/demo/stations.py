"""The demo's stations: what is on file about each of them, made from seeded dice.

Most are in order; each of the others lacks something else, so that assessments have all kinds of answers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.demo.identities import PHONE_PREFIX
from app.demo.names import full_name, surname
from app.demo.residents import demo_areas, resident_counts
from app.domain.areas import AreaLevel, AreaRow
from app.domain.stations.records import (
    DEPUTY_POST,
    HEAD_POST,
    MONTHS,
    Archives,
    Audience,
    Budget,
    CommunityOffice,
    Equipment,
    Establishment,
    InformantDetails,
    LeadsAs,
    Meeting,
    Premises,
    Rules,
    StaffDetails,
    StationContent,
    StationDetails,
    Training,
    Volunteers,
)
from app.domain.stations.vocabulary import RULES, SIGNAGE

OPENED_ON: Final = date(2022, 7, 1)
VILLAGE: Final = "村委会"
#: 五室、二站、一厅、一场所
ROOMS: Final = (
    "office_room",
    "police_room",
    "mediation_room",
    "reading_room",
    "activity_room",
    "health_station",
    "convenience_station",
    "service_hall",
    "sports_ground",
)
TWO_INFORMANTS_FROM: Final = 2_500
SCHOOLS: Final = ("大专", "大专", "本科", "本科", "本科", "研究生")
AUDIENCES: Final[tuple[Audience, ...]] = ("assistants", "coordinators", "assistants", "coordinators", "coordinators")
TOPICS: Final = ("低保政策与入户调查", "临时救助办理流程", "档案整理与系统操作", "残疾人两项补贴", "儿童福利与未成年人保护")


class Shortfall(StrEnum):
    """What a demo station lacks."""

    NOTHING = "nothing"
    STAFF = "staff"  # four on the establishment
    CIVIL_SERVANT = "civil_servant"  # nobody on an administrative post
    PREMISES = "premises"  # shared rooms
    BUDGET = "budget"  # two months without a payment
    FAX = "fax"
    RULES = "rules"  # two of the rules aren't written
    ARCHIVES = "archives"  # files not bound
    UNCOUNTED = "uncounted"  # archives never counted: nothing on file
    INFORMANTS = "informants"  # one where two are needed, none in some
    MEETINGS = "meetings"  # half of the monthly meetings


#: By the order of the sub-districts, round and round; the first one, the tutorial's, is in order.
SHORTFALLS: Final = (
    Shortfall.NOTHING,
    Shortfall.INFORMANTS,
    Shortfall.NOTHING,
    Shortfall.STAFF,
    Shortfall.NOTHING,
    Shortfall.PREMISES,
    Shortfall.UNCOUNTED,
    Shortfall.NOTHING,
    Shortfall.CIVIL_SERVANT,
    Shortfall.BUDGET,
    Shortfall.NOTHING,
    Shortfall.FAX,
    Shortfall.RULES,
    Shortfall.ARCHIVES,
    Shortfall.NOTHING,
    Shortfall.MEETINGS,
)


@dataclass(frozen=True, slots=True)
class DemoStaff:
    """A post; ``until`` where it has ended."""

    details: StaffDetails
    until: date | None = None


@dataclass(frozen=True, slots=True)
class DemoStation:
    """Everything on file about one station on the day the demo is loaded."""

    area_code: str
    shortfall: Shortfall
    details: StationDetails
    staff: tuple[DemoStaff, ...]
    informants: tuple[InformantDetails, ...]
    sheets: tuple[tuple[date, StationContent], ...]
    offices: tuple[tuple[str, CommunityOffice], ...]
    events: tuple[Training | Meeting, ...]


def demo_stations(district: str, today: date) -> list[DemoStation]:
    """A station for every sub-district of a demo district.

    The people don't depend on ``today``; trainings, meetings and payments go up to it.
    """
    areas = sorted(demo_areas(district), key=lambda area: area.code)
    townships = [area for area in areas if area.level == AreaLevel.SUBDISTRICT]
    counts = resident_counts(district)
    phones = iter(f"{PHONE_PREFIX}{number:05d}" for number in range(1, 10_000))  # the people's begin behind them
    made = []
    for place, township in enumerate(townships):
        own = [area for area in areas if area.parent_code == township.code]
        communities = {area.code: counts[area.code] for area in own}
        station = _station(township, communities, SHORTFALLS[place % len(SHORTFALLS)], today, phones)
        made.append(replace(station, offices=tuple((area.code, _office(area)) for area in own)))
    return made


def _station(township: AreaRow, counts: dict[str, int], lacks: Shortfall, today: date, phones: Iterator[str]) -> DemoStation:
    people, life = random.Random(f"people of {township.code}"), random.Random(f"life of {township.code}")
    office = f"{township.name}办事处" if township.kind == "街道" else f"{township.name}人民政府"
    details = StationDetails(
        f"{office}民政工作站",
        OPENED_ON,
        address=f"{township.name}便民服务中心一楼",
        phone=f"0599-88{int(township.code[-3:]):05d}",
    )
    return DemoStation(
        area_code=township.code,
        shortfall=lacks,
        details=details,
        staff=tuple(_staff(people, lacks)),
        informants=tuple(_informants(people, counts, lacks, phones)),
        sheets=tuple(_sheets(life, lacks, today)),
        offices=(),
        events=(*_trainings(life, today), *_meetings(life, len(counts), lacks, today)),
    )


def _name(rng: random.Random, taken: set[str]) -> str:
    while (name := full_name(rng, surname(rng), rng.choice(("male", "female")))) in taken:
        pass
    taken.add(name)
    return name


def _staff(rng: random.Random, lacks: Shortfall) -> Iterator[DemoStaff]:
    """Two leaders, who hold their posts beside their offices, and those on the establishment; one who has left."""
    taken: set[str] = set()
    yield DemoStaff(_leader(rng, taken, "head", HEAD_POST))
    yield DemoStaff(_leader(rng, taken, "deputy", DEPUTY_POST))
    count = 4 if lacks is Shortfall.STAFF else rng.randint(5, 7)
    for place in range(count):
        official = place == 0 and lacks is not Shortfall.CIVIL_SERVANT
        since = OPENED_ON + timedelta(days=30 * rng.randrange(40))
        post = _post(rng, taken, "administrative" if official else "institutional", since)
        known = replace(post, exam_passed=True, filed_on=since + timedelta(days=20), consulted_on=since - timedelta(days=12))
        yield DemoStaff(known)
    yield DemoStaff(_post(rng, taken, "institutional", OPENED_ON), until=OPENED_ON + timedelta(days=400))


def _post(rng: random.Random, taken: set[str], establishment: Establishment, since: date) -> StaffDetails:
    return StaffDetails(_name(rng, taken), establishment, True, "民政助理员", since, education=rng.choice(SCHOOLS))


def _leader(rng: random.Random, taken: set[str], role: LeadsAs, office: str) -> StaffDetails:
    post = _post(rng, taken, "administrative", OPENED_ON)
    consulted_on = OPENED_ON - timedelta(days=20)
    return replace(post, leads_as=role, full_time=False, position=f"{office}兼", other_posts=office, consulted_on=consulted_on)


def _office(community: AreaRow) -> CommunityOffice:
    """Most are large enough (五有一创: 300 m² in a township, 500 in a town); every fifth isn't."""
    rng = random.Random(f"office of {community.code}")
    urban, small = community.kind != VILLAGE, rng.randrange(5) == 0
    least = 500 if urban else 300
    space = Decimal(rng.randint(least // 2, least - 1) if small else rng.randint(least, 2 * least))
    rooms = (*ROOMS, "home_care_station") if urban else ROOMS
    return CommunityOffice("urban" if urban else "township", space, rooms[: -2 if small else None])


def _sheets(rng: random.Random, lacks: Shortfall, today: date) -> Iterator[tuple[date, StationContent]]:
    own = lacks is not Shortfall.PREMISES
    space = Decimal(rng.randint(56, 160) if own else 38)
    yield OPENED_ON, Premises(space, own, accessible=True, service_window=True, archive_room=own)
    yield OPENED_ON, Equipment(2, 1, 1, 1, 0, 0)
    pieces = 0 if lacks is Shortfall.FAX else 1
    yield date(2024, 1, 1), Equipment(rng.randint(3, 8), rng.randint(1, 3), pieces, rng.randint(1, 3), 1, 1)
    rules = tuple(RULES)[: -2 if lacks is Shortfall.RULES else None]
    yield OPENED_ON, Rules(rules, tuple(SIGNAGE), ("station_plate",))
    if lacks is not Shortfall.UNCOUNTED:
        total = rng.randint(180, 900)
        bound = total * 6 // 10 if lacks is Shortfall.ARCHIVES else total
        yield date(today.year - 1, 12, 20), Archives(total, bound, total, confidential=True)
    yield OPENED_ON, Volunteers(rng.randint(8, 60), emergency_plan=True, emergency_plan_on=date(2023, 4, 20))
    for year in (today.year - 1, today.year):
        yield date(year, 1, 1), _budget(rng, year, lacks, today)


def _budget(rng: random.Random, year: int, lacks: Shortfall, today: date) -> Budget:
    """Paid out in twelfths at the end of each month, but for two months where money is short."""
    share = rng.randint(30, 90) * 10_000
    passed = MONTHS if year < today.year else today.month - 1
    missed = {2, 5} if lacks is Shortfall.BUDGET else set()
    months = tuple(share if month < passed and month not in missed else None for month in range(MONTHS))
    return Budget(year, in_fiscal_budget=True, amount_fen=share * MONTHS, disbursed_fen=months)


def _trainings(rng: random.Random, today: date) -> Iterator[Training]:
    """Two a year for assistants, three for coordinators (S002)."""
    for year in (today.year - 1, today.year):
        for place, audience in enumerate(AUDIENCES):
            held_on = date(year, 1 + 2 * place, rng.randint(8, 26))
            if held_on <= today:
                yield Training(audience, held_on, TOPICS[place], rng.randint(4, 30))


def _meetings(rng: random.Random, communities: int, lacks: Shortfall, today: date) -> Iterator[Meeting]:
    """On the fifth of each month of the last thirteen, so that twelve lie within a year of any day; checks after each quarter."""
    invited = max(communities, 1)
    for back in range(13, -1, -1):
        month = today.year * MONTHS + today.month - 1 - back
        held_on = date(month // MONTHS, month % MONTHS + 1, 5)
        if held_on > today:
            continue
        came = invited - rng.randrange(min(3, invited))
        if lacks is not Shortfall.MEETINGS or held_on.month % 2:
            yield Meeting("monthly_meeting", held_on, invited, came)
        if held_on.month % 3 == 1:
            yield Meeting("quarterly_check", held_on, invited, came, "低保在册户抽查")


def _informants(
    rng: random.Random, counts: dict[str, int], lacks: Shortfall, phones: Iterator[str]
) -> Iterator[InformantDetails]:
    """One for a community, two from 2,500 people on; where they are short, one at most and none in every fourth."""
    for place, (code, people) in enumerate(sorted(counts.items())):
        taken: set[str] = set()
        needed = 2 if people >= TWO_INFORMANTS_FROM else 1
        if lacks is Shortfall.INFORMANTS:
            needed = 0 if place % 4 == 3 else 1
        for number in range(needed):
            since = OPENED_ON + timedelta(days=rng.randrange(600))
            yield InformantDetails(code, _name(rng, taken), since, next(phones), f"{code[6:]}-{number + 1}")
