"""The law itself is dated: which article an answer cites is chosen by the business date.

Before 2026-07-01 the 社会救助暂行办法 is cited, from then on the 社会救助法; the ministry's implementing documents have dates of
their own. Each topic lists what was in force from when, oldest first. An article is named only where its text was read; elsewhere
the document is cited as a whole.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

_ALWAYS = date.min
_S220 = date(2012, 12, 12)
_M649 = date(2014, 5, 1)
_D52 = date(2016, 1, 1)
_T2016 = date(2016, 10, 10)
_D57 = date(2021, 7, 1)
_D83 = date(2022, 10, 20)
_RIGID = date(2025, 1, 1)
_SAA = date(2026, 7, 1)

Citation = tuple[date, str]


@dataclass(frozen=True, slots=True)
class Source:
    """A document that answers cite: its name in citations, its title, and when it is cited (``until`` exclusive; None: open)."""

    name: str
    title: str
    since: date = _ALWAYS
    until: date | None = None


SOURCES: tuple[Source, ...] = (
    Source("社会救助法", "中华人民共和国社会救助法", _SAA),
    Source("社会救助暂行办法", "社会救助暂行办法（国务院令第649号）", _M649, _SAA),
    Source("民发〔2012〕220号", "最低生活保障审核审批办法（试行）", _S220, _D57),
    Source("民发〔2021〕57号", "最低生活保障审核确认办法", _D57),
    Source("民发〔2021〕43号", "特困人员认定办法", _D57),
    Source("特困人员认定办法（2016年）", "特困人员认定办法（2016年10月10日民政部印发）", _T2016, _D57),
    Source("民发〔2022〕83号", "关于进一步做好最低生活保障等社会救助兜底工作的通知", _D83),
    Source("刚性支出困难家庭认定办法", "刚性支出困难家庭认定办法", _RIGID),
    Source("国办发〔2021〕42号", "国务院办公厅关于健全重特大疾病医疗保险和救助制度的意见", date(2021, 10, 28)),
    Source("国发〔2015〕52号", "国务院关于全面建立困难残疾人生活补贴和重度残疾人护理补贴制度的意见", _D52),
    Source(
        "民发〔2021〕70号", "关于残疾人两项补贴的文件（民发〔2021〕70号）", date(2022, 1, 1)
    ),  # of 2021; its day isn't known here
    Source("老年人权益保障法", "中华人民共和国老年人权益保障法"),
    Source("国办发〔2010〕54号", "国务院办公厅关于加强孤儿保障工作的意见", date(2010, 11, 1)),
    Source("民发〔2019〕62号", "关于进一步加强事实无人抚养儿童保障工作的意见", date(2020, 1, 1)),
    Source("自然灾害救助条例", "自然灾害救助条例", date(2010, 9, 1)),
    Source("军人抚恤优待条例", "军人抚恤优待条例"),
    Source("当地政策参数", "当地政府公布的标准和参数，见结果所列参数的来源"),
    Source("当地一次性生活补贴文件", "当地政府发放一次性生活补贴的文件"),
    Source("此前的国家规定", "本系统未收录条文的更早的国家规定"),
)

_LOCAL = (_ALWAYS, "当地政策参数")
_EARLIER = (_ALWAYS, "此前的国家规定")

TOPICS: dict[str, tuple[Citation, ...]] = {
    "dibao_target": (
        _EARLIER,
        (_S220, "民发〔2012〕220号 第四条"),
        (_M649, "社会救助暂行办法 第九条"),
        (_SAA, "社会救助法 第十八条"),
    ),
    "dibao_standard": (_EARLIER, (_M649, "社会救助暂行办法 第十条"), (_SAA, "社会救助法 第十九条")),
    "dibao_amount": (
        _EARLIER,
        (_S220, "民发〔2012〕220号 第二十七条"),
        (_M649, "社会救助暂行办法 第十二条"),
        (_SAA, "社会救助法 第十八条第二款"),
    ),
    "dibao_tiers": (_LOCAL, (_D57, "民发〔2021〕57号 第二十三条")),
    "dibao_uplift": (
        _EARLIER,
        (_S220, "民发〔2012〕220号 第二十八条"),
        (_M649, "社会救助暂行办法 第十二条第二款"),
        (_SAA, "社会救助法 第二十条"),
    ),
    "household_members": (_EARLIER, (_S220, "民发〔2012〕220号 第五条"), (_D57, "民发〔2021〕57号 第七条")),
    "income": (_EARLIER, (_S220, "民发〔2012〕220号 第十六条"), (_D57, "民发〔2021〕57号 第十三条")),
    "assets": (_EARLIER, (_S220, "民发〔2012〕220号 第十七条"), (_D57, "民发〔2021〕57号 第十四条")),
    "verification": (
        _EARLIER,
        (_S220, "民发〔2012〕220号 第十二条"),
        (_M649, "社会救助暂行办法 第五十八条"),
        (_D57, "民发〔2021〕57号 第二十九条"),
        (_SAA, "社会救助法 第四十条、民发〔2021〕57号 第二十九条"),
    ),
    "no_double": (_EARLIER, (_D57, "民发〔2021〕57号"), (_D83, "民发〔2022〕83号 三(一)")),
    "dibao_start": (_EARLIER, (_S220, "民发〔2012〕220号 第二十九条"), (_D57, "民发〔2021〕57号 第二十一条")),
    "dibao_review": (
        _EARLIER,
        (_S220, "民发〔2012〕220号 第三十三条"),
        (_D57, "民发〔2021〕57号 第三十一条"),
        (_SAA, "社会救助法 第四十六条第二款、民发〔2021〕57号 第三十一条"),
    ),
    "gradual_exit": (
        _LOCAL,
        (_D57, "民发〔2021〕57号 第三十三条"),
        (_D83, "民发〔2021〕57号 第三十三条、民发〔2022〕83号 一(三)"),
        (_SAA, "社会救助法 第二十七条第二款、民发〔2021〕57号 第三十三条、民发〔2022〕83号 一(三)"),
    ),
    "job_refusal": (_LOCAL, (_M649, "社会救助暂行办法 第四十五条"), (_D57, "民发〔2021〕57号 第三十四条")),
    "single": (
        _EARLIER,
        (_S220, "民发〔2012〕220号 第十条"),
        (_D57, "民发〔2021〕57号 第八条"),
        (_D83, "民发〔2021〕57号 第八条、民发〔2022〕83号 一(一)"),
        (_SAA, "社会救助法 第二十一条第二款、民发〔2021〕57号 第八条、民发〔2022〕83号 一(一)"),
    ),
    "edge": (
        _LOCAL,
        (_D57, "民发〔2021〕57号 第八条"),
        (_D83, "民发〔2021〕57号 第八条、民发〔2022〕83号 一(四)"),
        (_SAA, "社会救助法 第二十一条"),
    ),
    "rigid_target": (
        _LOCAL,
        (_RIGID, "刚性支出困难家庭认定办法 第四条"),
        (_SAA, "社会救助法 第二十二条、刚性支出困难家庭认定办法 第四条"),
    ),
    "rigid_expenses": (_LOCAL, (_RIGID, "刚性支出困难家庭认定办法 第五条")),
    "rigid_validity": (_LOCAL, (_RIGID, "刚性支出困难家庭认定办法 第十条")),
    "tekun_target": (
        _EARLIER,
        (_M649, "社会救助暂行办法 第十四条"),
        (_D57, "民发〔2021〕43号 第四条"),
        (_SAA, "社会救助法 第十六条"),
    ),
    "tekun_incapacity": (
        _EARLIER,
        (_M649, "社会救助暂行办法 第十四条"),
        (_T2016, "特困人员认定办法（2016年）"),
        (_D57, "民发〔2021〕43号 第五条"),
    ),
    "tekun_minor": (
        _EARLIER,
        (_M649, "社会救助暂行办法"),
        (_T2016, "特困人员认定办法（2016年）"),
        (_D57, "民发〔2021〕43号 第二十四条"),
        (_SAA, "社会救助法 第十六条"),
    ),
    "tekun_income": (
        _EARLIER,
        (_M649, "社会救助暂行办法 第十四条"),
        (_T2016, "特困人员认定办法（2016年）"),
        (_D57, "民发〔2021〕43号 第六条"),
    ),
    "tekun_obligors": (
        _EARLIER,
        (_M649, "社会救助暂行办法 第十四条"),
        (_T2016, "特困人员认定办法（2016年）"),
        (_D57, "民发〔2021〕43号 第八条"),
    ),
    "tekun_choice": (_EARLIER, (_M649, "社会救助暂行办法 第十五条第三款"), (_D57, "民发〔2021〕43号 第九条")),
    "tekun_start": (
        _EARLIER,
        (_M649, "社会救助暂行办法"),
        (_T2016, "特困人员认定办法（2016年）"),
        (_D57, "民发〔2021〕43号 第十七条"),
    ),
    "tekun_care": (_EARLIER, (_M649, "社会救助暂行办法 第十五条"), (_D57, "民发〔2021〕43号 第二十一条、第二十二条")),
    "tekun_amount": (_EARLIER, (_M649, "社会救助暂行办法 第十五条第二款"), (_SAA, "社会救助法 第十七条")),
    "temporary_target": (_EARLIER, (_M649, "社会救助暂行办法 第四十七条"), (_SAA, "社会救助法 第二十九条")),
    "temporary_place": (_EARLIER, (_M649, "社会救助暂行办法 第四十八条"), (_SAA, "社会救助法 第三十七条第二款")),
    "temporary_urgent": (_EARLIER, (_M649, "社会救助暂行办法 第四十八条"), (_SAA, "社会救助法 第五十条")),
    "temporary_amount": (_EARLIER, (_M649, "社会救助暂行办法 第四十九条"), (_SAA, "社会救助法 第二十九条")),
    "medical": (
        _EARLIER,
        (_M649, "社会救助暂行办法 第二十八条、第二十九条"),
        (date(2021, 10, 28), "国办发〔2021〕42号"),
        (_SAA, "社会救助法 第二十四条、国办发〔2021〕42号"),
    ),
    "disability_subsidy": (_LOCAL, (_D52, "国发〔2015〕52号"), (date(2022, 1, 1), "国发〔2015〕52号、民发〔2021〕70号")),
    "old_age": ((_ALWAYS, "老年人权益保障法 第三十三条第二款"),),
    "orphan": (_EARLIER, (date(2010, 11, 1), "国办发〔2010〕54号 一、二(一)")),
    "orphan_in_school": (_EARLIER, (date(2010, 11, 1), "国办发〔2010〕54号 二(三)")),
    "unsupported_target": (_LOCAL, (date(2020, 1, 1), "民发〔2019〕62号 一")),
    "unsupported_amount": (_LOCAL, (date(2020, 1, 1), "民发〔2019〕62号 三(一)")),
    "unsupported_start": (_LOCAL, (date(2020, 1, 1), "民发〔2019〕62号 二")),
    "disaster": (
        _EARLIER,
        (date(2010, 9, 1), "自然灾害救助条例 第二十条、第二十一条"),
        (_SAA, "社会救助法 第二十八条、自然灾害救助条例 第二十条、第二十一条"),
    ),
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
