"""Printed documents: every character there is a shape for, the same bytes each time, tables that hold whatever comes."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from reportlab.pdfbase.pdfmetrics import getFont, stringWidth

from app.documents import bulletin_pdf, certificate_pdf, station_sheet_pdf
from app.documents.certificate import Certificate
from app.documents.face import FACE, FILE, Song, characters, printable
from app.documents.published import PublishedStation, read_published
from app.documents.text import AT_MOST_SQUEEZED, NO_BEGINNING, Align, Style, broken
from app.domain.calendar import SHANGHAI
from app.domain.errors import Conflict
from app.domain.inspections.imprint import Failing
from app.domain.inspections.model import Row

ROOT = Path(__file__).parents[2]
PUBLISHED_AT = datetime(2026, 10, 23, 12, 0, tzinfo=SHANGHAI)
LONG = "某某某某自治县某某某街道办事处暨经济技术开发区管理委员会民政工作站"


def national_list() -> str:
    return (FILE.parent / "tongyong-guifan-hanzi.txt").read_text("utf-8").replace("\n", "")


def criterion(place: int, *, found: bool = True, name: str = "办公场所独立使用") -> Row:
    return Row(
        criterion=f"criterion_{place}",
        name=f"{name}{place}",
        dimension="premises",
        mandatory=place % 2 == 0,
        weight=3,
        unit="人",
        required="5-7",
        measured="4",
        derived=False,
        derived_reason=None,
        self_met=True,
        found=found,
        rectified=False,
        disagrees=True,
    )


def station(number: int = 1, *, passed: bool = True, criteria: tuple[Row, ...] = (), name: str = "") -> PublishedStation:
    rows = criteria or (criterion(0), criterion(1, found=passed))
    failing = tuple(
        Failing(one.criterion, "请配齐人员并报备案", date(2026, 11, 12), closed=False) for one in rows if not one.found
    )
    return PublishedStation(
        station_id=UUID(int=number),
        area_code=f"350702{number:03d}",
        name=name or f"第{number}街道办事处民政工作站",
        passed=passed,
        score_points=10000 if passed else 9200,
        rank=1 if passed else 16,
        notice="commendation" if passed else "criticism",
        points_off=0 if passed else 150,
        points_source="区县规定",
        standard="sanyou_siquan",
        standard_name="三有四全",
        standard_version="2022-05-29/31b08751aec2",
        as_of=date(2026, 9, 30),
        title="三有四全检查验收",
        issuer="延平区民政局",
        conclude_by=date(2026, 10, 20),
        published_at=PUBLISHED_AT,
        inspectors=("李建国",),
        station_head="张志强",
        criteria=rows,
        failing=failing,
        content_hash=hashlib.sha256(str(number).encode()).hexdigest(),
    )


CERTIFICATE = Certificate(
    number="350702001-2026-0001",
    name="欧阳娜",
    community="梅山街道南门社区",
    subject="民政信息报送",
    held_on=date(2026, 5, 6),
    class_hours=8,
    examined=True,
    issuer="梅山街道办事处民政工作站",
    issued_at=PUBLISHED_AT,
    content_hash="ab" * 32,
)


def pages(content: bytes) -> list[str]:
    return [page.extract_text().replace("\n", "").replace(" ", "") for page in PdfReader(io.BytesIO(content)).pages]


def text_of(content: bytes) -> str:
    return "".join(pages(content))


# --- the face --------------------------------------------------------------------------------------------------------------


def test_every_character_of_the_national_list_has_a_shape() -> None:
    listed = national_list()
    assert len(listed) == len(set(listed)) == 8105
    assert set(map(ord, listed)) <= characters()
    face = cast(Song, getFont(FACE)).face
    shapes = {one: face.glyphPos[face.charToGlyph[ord(one)] + 1] - face.glyphPos[face.charToGlyph[ord(one)]] for one in listed}
    assert [one for one, length in shapes.items() if length <= 0] == []


def test_every_character_of_the_national_list_reaches_the_page() -> None:
    listed = national_list()
    content = certificate_pdf(replace(CERTIFICATE, subject=listed))
    assert set(listed) - set(text_of(content)) == set()


def test_the_names_of_divisions_are_covered() -> None:
    for path in sorted((ROOT / "app" / "data").glob("areas-*.csv")):
        text = path.read_text("utf-8").replace("\n", "").replace("\r", "").removeprefix("\ufeff")
        assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("欧阳𠮷", "欧阳〔U+20BB7〕"),  # not in the national list
        ("𠙶毌", "𠙶毌"),  # in it, beyond the basic plane
        ("朗\ufa29", "朗〔U+FA29〕"),
        ("\uf907", "〔U+9F9C〕"),  # a compatibility form of 龜
        ("①㎡", "①m2"),
        ("张\u0000三\u200b\u202e", "张三"),
        ("一\n二\t三", "一 二 三"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
        ("é", "é"),
    ],
)
def test_what_cannot_be_printed_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_markup_in_a_name_is_only_text() -> None:
    content = certificate_pdf(replace(CERTIFICATE, name='<img src="/etc/passwd"/>&#65;<b>'))
    assert '<imgsrc="/etc/passwd"/>&#65;<b>' in text_of(content)


# --- lines -----------------------------------------------------------------------------------------------------------------

ALPHABET = "民政工作站验收，。、；：？！（）《》“”—…·1290ab.%- 　"


@given(st.text(ALPHABET, max_size=120), st.integers(30, 400), st.sampled_from([Align.FLUSH, Align.LEFT]))
def test_lines_keep_the_text_and_their_width(text: str, width: int, align: Align) -> None:
    characters()
    style = Style(12, 18, align, indent=24 if width > 60 else 0)
    lines = broken(text, width, style)
    joined = "".join(line.text for line in lines)
    assert joined.replace(" ", "").replace("　", "") == text.replace(" ", "").replace("　", "")
    spare = AT_MOST_SQUEEZED * style.size if align is Align.FLUSH else 0
    for line in lines:
        assert len(line.text) <= 1 or stringWidth(line.text, FACE, style.size) <= width - line.indent + spare + 0.01


def test_punctuation_and_numbers_stand_where_they_should() -> None:
    characters()
    text = "根据“三有四全”标准（2022年5月29日起施行的版本），对21个工作站进行了验收，得分12,345.67分；" * 8
    for width in range(130, 400, 7):
        lines = broken(text, width, Style(16, 29, Align.FLUSH, indent=32))
        for line in lines:
            assert line.text[0] not in NO_BEGINNING
            assert line.text[-1] not in "（“"
        for number in ("12,345.67", "2022", "29", "21"):
            assert sum(line.text.count(number) for line in lines) == text.count(number), f"{number} torn at {width}"


# --- the same each time ----------------------------------------------------------------------------------------------------


def test_a_document_is_dated_by_its_publication_and_says_what_it_is() -> None:
    reader = PdfReader(io.BytesIO(bulletin_pdf([station()])))
    assert reader.metadata is not None
    assert reader.metadata.creation_date == PUBLISHED_AT
    assert (reader.metadata.title, reader.metadata.author) == ("关于“三有四全检查验收”结果的通报", "延平区民政局")
    width, height = (float(one) / 72 * 25.4 for one in reader.pages[0].mediabox.upper_right)
    assert (round(width), round(height)) == (210, 297)


ONCE_MORE = """
from tests.unit.test_documents import *
print(hashlib.sha256(bulletin_pdf([station(), station(2, passed=False)]) + certificate_pdf(CERTIFICATE)).hexdigest())
"""


def test_another_process_elsewhere_makes_the_same_bytes() -> None:
    stranger = {"TZ": "America/New_York", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    made = subprocess.run(
        [sys.executable, "-c", ONCE_MORE], env=os.environ | stranger, cwd=ROOT, capture_output=True, text=True, check=True
    )
    here = hashlib.sha256(bulletin_pdf([station(2, passed=False), station()]) + certificate_pdf(CERTIFICATE)).hexdigest()
    assert made.stdout.strip() == here


def test_threads_do_not_meet_in_a_document() -> None:
    wanted = {number: station_sheet_pdf(station(number)) for number in range(1, 5)}
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: (number, station_sheet_pdf(station(number))), [1, 2, 3, 4] * 4))
    assert all(content == wanted[number] for number, content in made)


def test_a_certificate_takes_no_time() -> None:
    certificate_pdf(CERTIFICATE)
    started = time.perf_counter()
    for _ in range(5):
        certificate_pdf(CERTIFICATE)
    assert (time.perf_counter() - started) / 5 < 0.3


# --- what the documents say ------------------------------------------------------------------------------------------------


def test_the_bulletin_commends_criticises_and_ranks() -> None:
    stations = [station(number, passed=number < 16) for number in range(1, 22)]
    content = bulletin_pdf(list(reversed(stations)))
    said = text_of(content)
    assert "参加验收的民政工作站21个，合格15个，不合格6个，合格率71.42%" in said
    assert "等15个民政工作站验收合格，予以通报表扬" in said
    assert "第21街道办事处民政工作站扣1.50分" in said
    assert "2022年5月29日起施行的版本" in said
    assert "2026年10月23日" in said
    assert [page.count("名次民政工作站得分") for page in pages(content)].count(1) == 1
    assert said.index("— 1 —".replace(" ", "")) < said.index("—2—")


def test_a_certificate_for_who_passed_a_notice_for_who_failed() -> None:
    passed, failed = text_of(station_sheet_pdf(station())), text_of(station_sheet_pdf(station(2, passed=False)))
    assert "验收合格证书" in passed
    assert "整改" not in passed.partition("验收指标明细表")[0]
    assert "验收整改告知书" in failed
    assert "你站有1项指标未达标" in failed
    assert "请配齐人员并报备案2026年11月12日" in failed
    for said in (passed, failed):
        assert "标准要求系统数据自评检查结论" in said
        assert "5-7人不达标（4人）达标※" in said
        assert "检查人员：李建国" in said


def test_money_is_shown_in_yuan_and_the_unasked_as_such() -> None:
    money = replace(criterion(0), unit="分", required="1-250000", measured="7440000", derived=True)
    unasked = replace(criterion(1), derived=None, derived_reason="not_defined", found=None, required=None, disagrees=False)
    said = text_of(station_sheet_pdf(station(criteria=(money, unasked))))
    assert "0.01-2,500元达标（74,400元）" in said
    assert "—该标准未规定达标——" in said


def test_forty_criteria_with_long_names_run_over_pages_under_their_heading() -> None:
    rows = tuple(criterion(place, found=place % 2 == 0, name=LONG * 2) for place in range(40))
    one = station(passed=False, criteria=rows, name=LONG)
    content = station_sheet_pdf(replace(one, failing=tuple(replace(each, requirement="整改" * 700) for each in one.failing[:3])))
    said = pages(content)
    assert len(said) > 10
    table = [page for page in said if "标准要求" in page]
    assert len(table) >= 3
    assert all(LONG in page for page in table)
    assert text_of(content).count("整改要求整改期限") >= 5
    within_the_paper(content)


def test_a_bulletin_of_long_names_and_many_failures_stays_on_the_paper() -> None:
    rows = tuple(criterion(place, found=False, name=LONG) for place in range(12))
    stations = [station(number, passed=False, criteria=rows, name=f"{LONG}{number}") for number in range(1, 8)]
    content = bulletin_pdf([replace(one, issuer=LONG, title=LONG * 3) for one in stations])
    assert sum("整改要求整改期限" in page for page in pages(content)) > 3
    within_the_paper(content)


def within_the_paper(content: bytes) -> None:
    """No text begins outside the page's box."""
    outside: list[str] = []

    def look(text: str, cm: list[float], tm: list[float], *_: object) -> None:
        across, up = (tm[4] * cm[place] + tm[5] * cm[place + 2] + cm[place + 4] for place in (0, 1))
        if text.strip() and not (36 <= across <= 560 and 24 <= up <= 806):
            outside.append(f"{text} at {across}, {up}")

    for page in PdfReader(io.BytesIO(content)).pages:
        page.extract_text(visitor_text=look)
    assert outside == []


def test_the_certificate_is_one_page() -> None:
    for name in ("欧阳娜", LONG):
        said = pages(certificate_pdf(replace(CERTIFICATE, name=name, community=LONG, subject="民政信息报送与急难发现" * 4)))
        assert len(said) == 1
    said = pages(certificate_pdf(CERTIFICATE))
    assert "于2026年5月6日参加“民政信息报送”培训，共8学时，经考试合格，特发此证。" in said[0]


def test_results_published_before_documents_were_frozen_are_refused() -> None:
    with pytest.raises(Conflict, match="document_not_frozen"):
        read_published({"result": {}}, rank=1, content_hash="", published_at=PUBLISHED_AT)
