"""The lists that come with the application: complete, citing their articles, and publishable as they are."""

from __future__ import annotations

import pytest

from app.db.service_desk import BY_APPLICATION, PROGRAMMES
from app.demo.service_items_load import published_lists
from app.domain.service_items import DayUnit, ListEntry, ListLevel
from app.domain.service_items.publishing import check_list

LISTS = {one.level: one.entry() for one in published_lists()}


@pytest.mark.parametrize("entry", LISTS.values(), ids=LISTS)
def test_it_may_be_published(entry: ListEntry) -> None:
    check_list(entry, entry.valid_from, programmes=PROGRAMMES, by_application=BY_APPLICATION)


def test_there_is_one_for_each_level() -> None:
    assert set(LISTS) == set(ListLevel)


@pytest.mark.parametrize("entry", LISTS.values(), ids=LISTS)
def test_every_item_has_the_four_publics(entry: ListEntry) -> None:
    for item in entry.items:
        assert item.basis
        assert item.procedure
        assert item.result
        assert item.rules


@pytest.mark.parametrize(
    ("code", "days", "article"),
    [
        ("dibao", 30, "民发〔2021〕57号 第二十二条"),
        ("tekun", 30, "民发〔2021〕43号 第十三条"),
        ("tekun_care_review", 10, "民发〔2021〕43号 第二十三条"),
        ("rigid_expense", 30, "刚性支出困难家庭认定办法 第八条"),
        ("unsupported_child", 30, "民发〔2019〕62号"),
        ("data_correction", 10, "政务数据共享条例 第二十六条"),
    ],
)
def test_the_legal_limits_are_the_articles(code: str, days: int, article: str) -> None:
    limits = {item.code: item.limit for item in LISTS[ListLevel.SUBDISTRICT].items}
    assert (limits[code].legal_days, limits[code].unit) == (days, DayUnit.WORKING)
    assert (limits[code].legal_article or "").startswith(article)
    assert sum(limit.legal_days is not None for limit in limits.values()) == 6  # and nowhere else
