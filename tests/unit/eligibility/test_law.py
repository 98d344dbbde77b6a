"""What is cited: declared documents only, each only while it was in force, and the articles of the reference."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import chain

import pytest

from app.domain.eligibility.law import SOURCES, TOPICS, Source, cite, latest_change

BY_NAME = {source.name: source for source in SOURCES}
CITED = [(topic, start, text) for topic, versions in TOPICS.items() for start, text in versions]
ARTICLE = re.compile(r"第[一二三四五六七八九十百]+条(第[一二三四]款)?|[一二三](\([一二三四]\))?")


def documents(text: str) -> list[tuple[Source, str]]:
    """The documents that a citation names, and the places in each; a part without a name belongs to the one before."""
    found: list[tuple[Source, str]] = []
    for part in re.split("、(?![^（]*）)", text):
        named = max((source for source in SOURCES if part.startswith(source.name)), key=lambda one: len(one.name), default=None)
        if named is None:
            source, place = found[-1][0], part
        else:
            source, place = named, part.removeprefix(named.name)
        found.append((source, re.sub("（[^）]*）", "", place).strip()))
    return found


@pytest.mark.parametrize(("topic", "start", "text"), CITED, ids=[f"{topic}-{start}" for topic, start, _ in CITED])
def test_only_declared_documents_in_force_are_cited(topic: str, start: date, text: str) -> None:
    later = [since for since, _ in TOPICS[topic] if since > start]
    for source, place in documents(text):
        assert source.since <= start, source
        if source.until is not None:
            assert later, f"{source.name} is cited for ever"
            assert later[0] <= source.until, f"{source.name} is cited until {later[0]}"
        assert not place or ARTICLE.fullmatch(place), place


def test_every_declared_document_is_cited() -> None:
    assert {source.name for source, _ in chain.from_iterable(documents(text) for *_, text in CITED)} == set(BY_NAME)
    assert len(BY_NAME) == len(SOURCES)
    assert all(source.title for source in SOURCES)


@pytest.mark.parametrize(
    ("topic", "on", "text"),
    [
        ("dibao_target", date(2026, 6, 30), "社会救助暂行办法 第九条"),
        ("dibao_target", date(2026, 7, 1), "社会救助法 第十八条"),
        ("dibao_standard", date(2026, 6, 30), "社会救助暂行办法 第十条"),
        ("dibao_standard", date(2026, 7, 1), "社会救助法 第十九条"),
        ("dibao_amount", date(2014, 4, 30), "民发〔2012〕220号 第二十七条"),
        ("dibao_amount", date(2014, 5, 1), "社会救助暂行办法 第十二条"),
        ("dibao_amount", date(2026, 7, 1), "社会救助法 第十八条第二款"),
        ("dibao_uplift", date(2026, 7, 1), "社会救助法 第二十条"),
        ("household_members", date(2021, 6, 30), "民发〔2012〕220号 第五条"),
        ("household_members", date(2021, 7, 1), "民发〔2021〕57号 第七条"),
        ("household_members", date(2012, 12, 11), "此前的国家规定"),
        ("dibao_review", date(2026, 7, 1), "社会救助法 第四十六条第二款、民发〔2021〕57号 第三十一条"),
        ("edge", date(2026, 7, 1), "社会救助法 第二十一条"),
        ("rigid_target", date(2024, 12, 31), "当地政策参数"),
        ("rigid_target", date(2025, 1, 1), "刚性支出困难家庭认定办法 第四条"),
        ("tekun_incapacity", date(2021, 6, 30), "特困人员认定办法（2016年）"),
        ("tekun_incapacity", date(2021, 7, 1), "民发〔2021〕43号 第五条"),
        ("temporary_urgent", date(2026, 6, 30), "社会救助暂行办法 第四十八条"),
        ("temporary_urgent", date(2026, 7, 1), "社会救助法 第五十条"),
        ("temporary_place", date(2026, 7, 1), "社会救助法 第三十七条第二款"),
        ("old_age", date(2026, 7, 1), "老年人权益保障法 第三十三条第二款"),
        ("orphan", date(2026, 7, 1), "国办发〔2010〕54号 一、二(一)"),
        ("unsupported_amount", date(2026, 7, 1), "民发〔2019〕62号 三(一)"),
    ],
)
def test_the_article_of_the_day(topic: str, on: date, text: str) -> None:
    assert cite(topic, on) == text


def test_a_change_of_law_shows_in_the_policy_version() -> None:
    for start in {start for _, start, _ in CITED if start != date.min}:
        assert latest_change(start) == start
        assert latest_change(start - timedelta(days=1)) < start
