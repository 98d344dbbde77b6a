"""Names to search like real ones that nobody bears: each has 示, 例 or 样 as its first given character."""

from __future__ import annotations

import random
from typing import Final

from app.domain.identity import Gender

SURNAMES: Final = (
    "陈林黄张李王吴刘蔡杨许郑谢郭洪邱曾廖赖徐周叶苏庄江吕何罗高潘简朱钟游詹胡施沈余赵卢梁颜柯翁魏孙戴范方宋邓杜傅侯曹薛丁卓马董温唐蓝石"
    "蒋田康邹白涂尤巫韩龚严袁钱倪姜阮邵姚汪任夏金俞葛雷章饶"
)
MARKERS: Final = "示例样"
_MALE: Final = "强伟军明华杰勇斌辉磊涛鹏宇浩然志文武建国庆平安福生根旺兴荣贵林森海波峰山川龙虎东南北健康"
_FEMALE: Final = "芳丽敏静燕霞秀英兰梅玲娟红艳萍珍琴云莲雪月娥凤香菊桂花春秋冬琳颖婷慧雅欣怡佳晴蓉薇妹"
#: Characters that a bank's GBK can't write, so that rare names meet every list, search and file.
_RARE: Final = "䶮㛃𬭎𠅤"

#: One in so many names carries a rare character.
_RARE_ONE_IN = 400
_DOTTED: Final[dict[Gender, tuple[str, ...]]] = {"male": ("买买提", "艾力"), "female": ("阿依古丽", "古丽娜")}
_DOTTED_FAMILY: Final = ("示例江", "例明江", "样山江")


def surname(rng: random.Random) -> str:
    """A surname, the common ones of the region more often."""
    return SURNAMES[min(rng.randrange(len(SURNAMES)), rng.randrange(len(SURNAMES)))]


def full_name(rng: random.Random, family: str, gender: Gender) -> str:
    """``family`` + marker + one character."""
    last = rng.choice(_MALE if gender == "male" else _FEMALE)
    if rng.randrange(_RARE_ONE_IN) == 0:
        last = rng.choice(_RARE)
    return f"{family}{rng.choice(MARKERS)}{last}"


def dotted_name(rng: random.Random, gender: Gender) -> str:
    """A name written with a middle dot, as those of several minorities are."""
    return f"{rng.choice(_DOTTED[gender])}·{rng.choice(_DOTTED_FAMILY)}"


def is_demo_name(name: str) -> bool:
    """Whether a name carries the marker of the demo data."""
    given = name.partition("·")[2] or name[1:]
    return given[:1] in set(MARKERS)
