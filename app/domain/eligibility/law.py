"""The law itself is dated: which article an answer cites is chosen by the business date.

Before 2026-07-01 the 社会救助暂行办法 is cited, from then on the 社会救助法; the ministry's implementing documents have dates of
their own. Each topic lists what was in force from when, oldest first.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from functools import lru_cache

_ALWAYS = date.min
_M649 = date(2014, 5, 1)  # 社会救助暂行办法
_T178 = date(2016, 10, 10)  # 民发〔2016〕178号 特困人员认定办法
_D57 = date(2021, 7, 1)  # 民发〔2021〕57号 最低生活保障审核确认办法; 43号 特困人员认定办法
_D83 = date(2022, 10, 20)  # 民发〔2022〕83号
_SAA = date(2026, 7, 1)  # 社会救助法

_BEFORE_M649 = (_ALWAYS, "民发〔2012〕220号")

Citation = tuple[date, str]

TOPICS: dict[str, tuple[Citation, ...]] = {
    "dibao_target": (_BEFORE_M649, (_M649, "社会救助暂行办法 第九条"), (_SAA, "社会救助法 第十八条")),
    "dibao_standard": (_BEFORE_M649, (_M649, "社会救助暂行办法 第十条"), (_SAA, "社会救助法 第十九条")),
    "dibao_amount": (_BEFORE_M649, (_M649, "社会救助暂行办法 第十二条"), (_SAA, "社会救助法 第十八条第二款")),
    "dibao_tiers": (_BEFORE_M649, (_D57, "民发〔2021〕57号 第二十三条")),
    "dibao_uplift": (_BEFORE_M649, (_M649, "社会救助暂行办法 第十二条第二款"), (_SAA, "社会救助法 第二十条")),
    "household_members": (_BEFORE_M649, (_D57, "民发〔2021〕57号 第七条")),
    "income": (_BEFORE_M649, (_D57, "民发〔2021〕57号 第十三条")),
    "assets": (_BEFORE_M649, (_D57, "民发〔2021〕57号 第十四条")),
    "verification": (
        _BEFORE_M649,
        (_M649, "社会救助暂行办法 第五十八条"),
        (_D57, "民发〔2021〕57号 第二十九条"),
        (_SAA, "社会救助法 第四十条、民发〔2021〕57号 第二十九条"),
    ),
    "no_double": (_BEFORE_M649, (_D57, "民发〔2021〕57号"), (_D83, "民发〔2022〕83号 一(三)、三(一)")),
    "dibao_start": (_BEFORE_M649, (_D57, "民发〔2021〕57号 第二十一条")),
    "dibao_review": (
        _BEFORE_M649,
        (_M649, "社会救助暂行办法 第十三条"),
        (_D57, "民发〔2021〕57号 第三十一条"),
        (_SAA, "社会救助法 第四十七条、民发〔2021〕57号 第三十一条"),
    ),
    "gradual_exit": (
        _BEFORE_M649,
        (_D57, "民发〔2021〕57号 第三十三条"),
        (_D83, "民发〔2021〕57号 第三十三条、民发〔2022〕83号 一(三)"),
        (_SAA, "社会救助法 第二十七条第二款、民发〔2022〕83号 一(三)"),
    ),
    "job_refusal": (_BEFORE_M649, (_M649, "社会救助暂行办法 第四十五条"), (_D57, "民发〔2021〕57号 第三十四条")),
    "single": (_BEFORE_M649, (_D57, "民发〔2021〕57号 第八条"), (_D83, "民发〔2021〕57号 第八条、民发〔2022〕83号 一(一)")),
    "edge": (
        _BEFORE_M649,
        (_D57, "民发〔2021〕57号 第八条"),
        (_D83, "民发〔2021〕57号 第八条、民发〔2022〕83号 一(四)"),
        (_SAA, "社会救助法 第二十一条"),
    ),
    "rigid_target": (
        (_ALWAYS, "刚性支出困难家庭认定办法 第四条"),
        (_SAA, "社会救助法 第二十二条、刚性支出困难家庭认定办法 第四条"),
    ),
    "rigid_expenses": ((_ALWAYS, "刚性支出困难家庭认定办法 第五条"),),
    "rigid_validity": ((_ALWAYS, "刚性支出困难家庭认定办法 第十条"),),
    "tekun_target": (
        _BEFORE_M649,
        (_M649, "社会救助暂行办法 第十四条"),
        (_D57, "民发〔2021〕43号 第四条"),
        (_SAA, "社会救助法 第十六条"),
    ),
    "tekun_incapacity": (
        _BEFORE_M649,
        (_M649, "社会救助暂行办法 第十四条"),
        (_T178, "民发〔2016〕178号"),
        (_D57, "民发〔2021〕43号 第五条"),
    ),
    "tekun_minor": (
        _BEFORE_M649,
        (_M649, "社会救助暂行办法 第十四条"),
        (_D57, "民发〔2021〕43号 第二十四条"),
        (_SAA, "社会救助法 第十六条"),
    ),
    "tekun_income": (
        _BEFORE_M649,
        (_M649, "社会救助暂行办法 第十四条"),
        (_T178, "民发〔2016〕178号"),
        (_D57, "民发〔2021〕43号 第六条"),
    ),
    "tekun_obligors": (
        _BEFORE_M649,
        (_M649, "社会救助暂行办法 第十四条"),
        (_T178, "民发〔2016〕178号"),
        (_D57, "民发〔2021〕43号 第八条"),
    ),
    "tekun_choice": (_BEFORE_M649, (_M649, "社会救助暂行办法 第十四条"), (_D57, "民发〔2021〕43号 第九条")),
    "tekun_start": (_BEFORE_M649, (_M649, "社会救助暂行办法 第十六条"), (_D57, "民发〔2021〕43号 第十七条")),
    "tekun_care": (_BEFORE_M649, (_M649, "社会救助暂行办法 第十五条"), (_D57, "民发〔2021〕43号 第二十一条、第二十二条")),
    "tekun_amount": (_BEFORE_M649, (_M649, "社会救助暂行办法 第十五条"), (_SAA, "社会救助法 第十七条")),
    "temporary_target": (_BEFORE_M649, (_M649, "社会救助暂行办法 第四十七条"), (_SAA, "社会救助法 第二十九条")),
    "temporary_place": (_BEFORE_M649, (_M649, "社会救助暂行办法 第四十八条"), (_SAA, "社会救助法 第三十七条第二款")),
    "temporary_urgent": (_BEFORE_M649, (_M649, "社会救助暂行办法 第四十八条"), (_SAA, "社会救助法 第五十条")),
    "temporary_amount": (_BEFORE_M649, (_M649, "社会救助暂行办法 第四十九条"), (_SAA, "社会救助法 第二十九条")),
    "medical": (_BEFORE_M649, (_M649, "社会救助暂行办法 第二十八条"), (date(2021, 10, 28), "国办发〔2021〕42号")),
    "disability_subsidy": ((_ALWAYS, "国发〔2015〕52号"), (date(2021, 10, 1), "国发〔2015〕52号、民发〔2021〕70号")),
    "old_age": ((_ALWAYS, "老年人权益保障法 第三十三条第二款"),),
    "orphan": ((_ALWAYS, "国办发〔2010〕54号 一、二(一)"),),
    "orphan_in_school": ((_ALWAYS, "国办发〔2010〕54号 二(三)"),),
    "unsupported_target": ((_ALWAYS, "民发〔2019〕62号 一"),),
    "unsupported_amount": ((_ALWAYS, "民发〔2019〕62号 三(一)"),),
    "unsupported_start": ((_ALWAYS, "民发〔2019〕62号 二"),),
    "disaster": ((_ALWAYS, "自然灾害救助条例 第二十条、第二十一条"),),
    "veteran": ((_ALWAYS, "军人抚恤优待条例"), (date(2024, 10, 1), "军人抚恤优待条例（国务院、中央军委令第788号）第八条")),
    "one_off": ((_ALWAYS, "当地一次性生活补贴文件"),),
    "local_policy": ((_ALWAYS, "当地政策参数"),),
}

_CHANGES = tuple(sorted({start for versions in TOPICS.values() for start, _ in versions if start != _ALWAYS}))


@lru_cache(maxsize=10_000)
def cite(topic: str, on: date) -> str:
    """The article that governs a topic on a business date."""
    versions = TOPICS[topic]
    index = bisect_right(versions, on, key=lambda version: version[0]) - 1
    return versions[index][1]


def latest_change(on: date) -> date:
    """The day of the last change of any cited source on or before ``on``."""
    index = bisect_right(_CHANGES, on) - 1
    return _CHANGES[index] if index >= 0 else date.min
