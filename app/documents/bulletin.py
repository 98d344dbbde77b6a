"""The bulletin (通报) of an acceptance campaign, in the form of an official document (GB/T 9704).

区对基层民政组织意见 三（三）: who passed is commended, who failed is criticised and loses points of the year-end target.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, PageBreak, Spacer

from app.documents.page import Imposition, on_following_pages, pdf
from app.documents.parts import (
    LEADING,
    NOTE,
    PLAIN,
    RED,
    SIZE,
    Column,
    Rule,
    closing,
    day,
    heading,
    on_the_left,
    paragraph,
    points,
    section,
    table,
)
from app.documents.published import PublishedStation, by_rank
from app.documents.text import Align, Style

TITLE_SIZE = 22  # 2号
NUMBER = Style(16, 29, Align.CENTRE)
ANNEX = Style(16, 26, heavy=True)
SECOND_ANNEX = Style(SIZE, LEADING, left=5 * SIZE)
RANKING = (
    Column("名次", 14),
    on_the_left("民政工作站", 62),
    Column("得分", 20),
    Column("结论", 18),
    Column("未达标", 20),
    Column("处理", 20),
    Column("扣分", 16),
)
FAILURES = (
    on_the_left("民政工作站", 51),
    on_the_left("未达标指标", 34),
    Column("性质", 13),
    on_the_left("整改要求", 41),
    Column("整改期限", 31),
)


def bulletin_pdf(published: Sequence[PublishedStation]) -> bytes:
    """All stations of one published campaign; at least one."""
    stations = by_rank(published)
    one = stations[0]
    imposition = Imposition(title=_title(one), issuer=one.issuer, published_at=one.published_at)
    story = [*_head(one), *_findings(stations), *_consequences(stations), *_ending(one), *_annexes(stations)]
    return pdf(imposition, story)


def _title(one: PublishedStation) -> str:
    return f"关于“{one.title}”结果的通报"


def _head(one: PublishedStation) -> list[Flowable]:
    """发文机关标志 over the red rule, the year of a number that the issuing body fills in, the title."""
    name = f"{one.issuer}文件"
    return [
        heading(name, min(44.0, 150 * mm / len(name)), colour=RED, before=6, after=6),
        paragraph(f"〔{one.published_at.year}〕　　号", NUMBER),
        Rule(weight=1.6, colour=RED, after=12),
        heading(_title(one), TITLE_SIZE, after=8),
        paragraph("各乡镇人民政府、街道办事处，各民政工作站：", PLAIN),
    ]


def _findings(stations: Sequence[PublishedStation]) -> list[Flowable]:
    one, count = stations[0], len(stations)
    passed = [station for station in stations if station.passed]
    scores = [station.score_points for station in stations]
    return [
        paragraph(
            f"根据“{one.standard_name}”标准（{_version(one)}），对{count}个民政工作站进行了检查验收，验收以"
            f"{day(one.as_of)}的情况为准，于{day(one.conclude_by)}前完成。验收从办公场所、工作人员、办公设施、工作制度、"
            "档案资料、队伍建设六个方面进行，必达指标全部达标的为合格。现将结果通报如下："
        ),
        *section("一、总体情况"),
        paragraph(
            f"参加验收的民政工作站{count}个，合格{len(passed)}个，不合格{count - len(passed)}个，合格率"
            f"{points(len(passed) * 10_000 // count)}%。最高{points(max(scores))}分，最低{points(min(scores))}分，"
            f"平均{points(sum(scores) // count)}分。各站得分和名次见附件1，未达标指标和整改要求见附件2。"
        ),
    ]


def _version(one: PublishedStation) -> str:
    """``2022-05-29/31b0…``: the day from which it is in force, and what names its content."""
    first, _, _ = one.standard_version.partition("/")
    try:
        return f"{day(date.fromisoformat(first))}起施行的版本"
    except ValueError:
        return f"版本{one.standard_version}"


def _consequences(stations: Sequence[PublishedStation]) -> list[Flowable]:
    commended = [one.name for one in stations if one.notice == "commendation"]
    criticised = [one for one in stations if one.notice != "commendation"]
    return [
        *section("二、通报表扬"),
        paragraph(_listed(commended, "验收合格，予以通报表扬。") if commended else "本次没有予以通报表扬的民政工作站。"),
        *section("三、通报批评"),
        *_criticism(criticised),
        *section("四、整改要求"),
        paragraph(
            "验收中有未达标指标的民政工作站，要确定整改责任人，在期限内完成整改并提交整改情况和证据，由原检查组复查销号；"
            "逾期未整改的，提请所在乡镇（街道）和区民政局督办。验收合格的民政工作站，要巩固成果，不断提升服务水平。"
        ),
    ]


def _criticism(criticised: Sequence[PublishedStation]) -> list[Flowable]:
    if not criticised:
        return [paragraph("本次没有予以通报批评的民政工作站。")]
    deducted = "，".join(f"{one.name}扣{points(one.points_off)}分" for one in criticised)
    return [
        paragraph(_listed([one.name for one in criticised], "验收不合格，予以通报批评。")),
        paragraph(f"按照验收扣分规定，在年终目标考评中扣分如下：{deducted}。扣分依据：{criticised[0].points_source}。"),
    ]


def _listed(names: Sequence[str], verdict: str) -> str:
    return f"{'、'.join(names)}等{len(names)}个民政工作站{verdict}" if len(names) > 1 else f"{names[0]}{verdict}"


def _ending(one: PublishedStation) -> list[Flowable]:
    annexes = [paragraph("附件：1．各民政工作站验收得分和名次"), paragraph("2．未达标指标和整改要求", SECOND_ANNEX)]
    issued = closing(one.issuer, one.published_at.date())
    return [Spacer(1, 29), *annexes, KeepTogether([Spacer(1, 58), *issued])]


def _annexes(stations: Sequence[PublishedStation]) -> list[Flowable]:
    ranking = [
        (
            str(one.rank),
            one.name,
            points(one.score_points),
            "合格" if one.passed else "不合格",
            str(len(one.failed_criteria)),
            "通报表扬" if one.notice == "commendation" else "通报批评",
            points(one.points_off),
        )
        for one in stations
    ]
    return [
        on_following_pages(),
        *_annex("附件1", "各民政工作站验收得分和名次"),
        table(RANKING, ranking),
        Spacer(1, 4 * mm),
        paragraph(f"名次：合格的在前，再按得分；得分相同的名次并列。满分{points(10_000)}分，扣分为年终目标考评扣分。", NOTE),
        *_annex("附件2", "未达标指标和整改要求"),
        *_failures(stations),
        *_footing(stations),
    ]


def _annex(number: str, title: str) -> list[Flowable]:
    return [PageBreak(), paragraph(number, ANNEX), heading(title, 18, after=3)]


def _failures(stations: Sequence[PublishedStation]) -> list[Flowable]:
    rows = [row for station in stations for row in _failure_rows(station)]
    return [table(FAILURES, rows)] if rows else [paragraph("各民政工作站没有未达标指标。", PLAIN)]


def _failure_rows(station: PublishedStation) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for criterion in station.failed_criteria:
        failing = station.failing_of(criterion.criterion)
        rows.append(
            (
                station.name,
                criterion.name,
                "必达" if criterion.mandatory else "计分",
                (failing.requirement if failing else None) or "按标准整改",
                day(failing.rectify_by) if failing and failing.rectify_by else "—",
            )
        )
    return rows


def _footing(stations: Sequence[PublishedStation]) -> list[Flowable]:
    one, joined = stations[0], "".join(station.content_hash for station in stations)
    text = (
        f"本通报由公布时固定的验收结果生成。所用标准：{one.standard_name}（{one.standard_version}）。"
        f"校验码（各站结果校验码按附件1次序相连后的SHA-256）：{hashlib.sha256(joined.encode()).hexdigest()}"
    )
    return [Spacer(1, 6 * mm), paragraph(text, NOTE)]
