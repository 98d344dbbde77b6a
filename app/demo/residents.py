"""The areas of the demo districts and how many people live in each community."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from app.domain.areas import AreaLevel, AreaRow, parse_areas

DEMO_DISTRICT = "350702"
SECOND_DISTRICT = "340882"

#: Both sides of, and exactly at, the 2,500 from which a community needs two informants (信息监督员).
FIXED_COUNTS = {"350702001002": 2499, "350702001003": 2500, "350702001004": 2501}

#: Total population per demo district.
TOTALS = {DEMO_DISTRICT: 504_000, SECOND_DISTRICT: 432_000}

_DATA = Path(__file__).resolve().parent.parent / "data"


def area_file(district: str) -> Path:
    """The CSV of a demo district's administrative divisions."""
    return _DATA / f"areas-{district}.csv"


@cache
def demo_areas(district: str) -> tuple[AreaRow, ...]:
    """Every area of a demo district, from the district down to its communities."""
    return tuple(parse_areas(area_file(district).read_text(encoding="utf-8")))


def communities(district: str) -> tuple[AreaRow, ...]:
    """The communities and villages of a demo district, in order of code."""
    return tuple(sorted((area for area in demo_areas(district) if area.level == AreaLevel.COMMUNITY), key=lambda area: area.code))


def sub_districts(district: str) -> tuple[AreaRow, ...]:
    """The streets and townships of a demo district, in order of code; each has a station."""
    return tuple(
        sorted((area for area in demo_areas(district) if area.level == AreaLevel.SUBDISTRICT), key=lambda area: area.code)
    )


def is_village(area: AreaRow) -> bool:
    return area.kind == "村委会"


def resident_counts(district: str = DEMO_DISTRICT) -> dict[str, int]:
    """Residents per community; they sum up to the district's total exactly."""
    rng = random.Random(f"residents {district}")
    wished = {
        area.code: rng.randint(300, 2700) if is_village(area) else rng.randint(1200, 3800) for area in communities(district)
    }
    fixed = {code: count for code, count in FIXED_COUNTS.items() if code in wished}
    free = [code for code in wished if code not in fixed]
    counts = apportion(TOTALS[district] - sum(fixed.values()), [wished[code] for code in free])
    return dict(sorted((dict(zip(free, counts, strict=True)) | fixed).items()))


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """``total`` split in proportion to ``weights`` in whole numbers that sum up to it (largest remainder)."""
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in by_remainder[: total - sum(shares)]:
        shares[place] += 1
    return shares
