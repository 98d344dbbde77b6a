"""A synthetic file of people for the import benchmark: the same rows every time, as an office would send them.

About 2.8 people a household, every published column in the header; number, phone and address on every row, the account on the
head's, work or school on every row, income on two in three, a disability on one in sixteen. No relation contradicts the head.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from app.domain.identity import checksum_character, passes_luhn
from app.domain.imports.kinds.people import COLUMNS

HEADER = [column.title for column in COLUMNS]
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国春梅志红文林"
SIZES = (1, 2, 2, 3, 3, 3, 4, 4)
OTHERS = ("配偶", "子", "女", "母亲")
WORK = ("务农", "务工", "灵活就业", "失业", "退休", "无业")
SCHOOLS = ("小学", "初中", "高中", "本科")
BANKS = ("中国农业银行", "农村信用社", "邮政储蓄银行")


def write_people(path: Path, rows: int, communities: list[str], *, seed: int = 1) -> None:
    """A CSV of so many rows."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(_rows(rows, communities, random.Random(seed)))  # noqa: S311  (a file, no secret)


def spoil_one(path: Path, spoilt: Path) -> None:
    """The same file with one ID number a digit short, in the middle."""
    lines = path.read_bytes().decode("utf-8-sig").split("\r\n")
    cells = lines[len(lines) // 2].split(",")
    place = HEADER.index("身份证号")
    cells[place] = cells[place][:-1]
    lines[len(lines) // 2] = ",".join(cells)
    spoilt.write_bytes("\r\n".join(lines).encode("utf-8-sig"))


def _rows(rows: int, communities: list[str], rng: random.Random) -> Iterator[list[str]]:
    written = household = 0
    while written < rows:
        household += 1
        size = min(rng.choice(SIZES), rows - written)
        community = rng.choice(communities)
        street = f"{rng.randrange(1, 400)}号{rng.randrange(1, 30)}室"
        for place in range(size):
            yield _row(written, f"H{household:08d}", community, street, place, rng)
            written += 1


def _row(n: int, household_no: str, community: str, street: str, place: int, rng: random.Random) -> list[str]:
    number = id_number(n)
    adult = int(number[6:10]) < 2008
    name = rng.choice(SURNAMES) + rng.choice(GIVEN) + rng.choice(GIVEN)
    cells = {
        "户编号": household_no,
        "姓名": name,
        "证件类型": "居民身份证",
        "身份证号": number,
        "与户主关系": _relation(n, place),
        "户口性质": "农村" if n % 3 else "城镇",
        "区划代码": community,
        "户籍区划代码": "350702",
        "住址": f"南平市延平区测试路{street}",
        "手机号": f"1{30 + n % 60}{n * 7919 % 100_000_000:08d}",
        "民族": "汉族",
        "婚姻状况": "已婚" if adult and n % 4 else "未婚",
        "是否重病": "是" if n % 33 == 0 else "否",
        "就业状况": rng.choice(WORK) if adult else "",
        "学业状况": "" if adult else rng.choice(SCHOOLS),
        "月收入(元)": f"{rng.randrange(200, 3000)}.00" if n % 3 else "",
    }
    if n % 16 == 0:
        grade = n // 16 % 4
        cells |= {"残疾类别": "肢体", "残疾等级": "一二三四"[grade] + "级", "残疾人证号": f"{number}4{grade + 1}"}
    if place == 0:
        cells |= {"开户银行": BANKS[n % 3], "银行账号": card(n), "户名": name, "账户类型": "银行卡"}
    return [cells.get(title, "") for title in HEADER]


def _relation(n: int, place: int) -> str:
    """Of the n-th row to the head, ``place`` rows before it; 其他 where the births, as they come, don't fit."""
    if place == 0:
        return "户主"
    word, later = OTHERS[(place - 1) % len(OTHERS)], born(n) > born(n - place)
    return word if word == "配偶" or later == (word != "母亲") else "其他"


def born(n: int) -> date:
    """From 1940 to 2025."""
    return date(1940, 1, 1) + timedelta(days=n * 131 % 31_000)


def id_number(n: int) -> str:
    """The n-th valid number."""
    digits = f"{350702 + n // 900:06d}{born(n):%Y%m%d}{n % 900 + 100:03d}"
    return digits + checksum_character(digits)


def card(n: int) -> str:
    """A card number whose check digit is right."""
    digits = f"622848{n:012d}"
    return next(number for last in "0123456789" if passes_luhn(number := digits + last))
