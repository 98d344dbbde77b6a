"""A station's sheet: a certificate for those that passed, a notice of what to put right for those that failed.

Behind it every criterion with its three sources side by side: the operating data, the station's own word, what inspectors found.
"""

from __future__ import annotations

from dataclasses import replace

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, PageBreak, Spacer

from app.documents.page import CERTIFICATE, OFFICIAL, Imposition, on_following_pages, pdf
from app.documents.parts import (
    NOTE,
    PLAIN,
    RED,
    Column,
    Rule,
    closing,
    day,
    heading,
    on_the_left,
    paragraph,
    points,
    table,
)
from app.documents.published import PublishedStation
from app.documents.text import Align, Style
from app.domain.inspections.judging import final
from app.domain.inspections.model import Row
from app.domain.stations.codes import DIMENSIONS, UNDECIDED

CENTRED_NOTE = replace(NOTE, align=Align.CENTRE)
ADDRESSED = Style(18, 36, heavy=True)
GOLD = HexColor("#B08D3C")
MET = {True: "达标", False: "不达标", None: "—"}
FEN_TO_A_YUAN = 100
CRITERIA = (
    Column("序号", 10),
    Column("方面", 17),
    on_the_left("指标", 32),
    Column("性质", 11),
    Column("权重", 10),
    Column("标准要求", 18),
    Column("系统数据", 31),
    Column("自评", 12),
    Column("检查", 13),
    Column("结论", 16),
)
TO_DO = (
    Column("序号", 12),
    on_the_left("未达标指标", 40),
    Column("性质", 14),
    on_the_left("整改要求", 56),
    Column("整改期限", 34),
)


def station_sheet_pdf(one: PublishedStation) -> bytes:
    """What was published about one station."""
    title = "民政工作站验收合格证书" if one.passed else "民政工作站验收整改告知书"
    imposition = Imposition(
        title=f"{title}（{one.name}）",
        issuer=one.issuer,
        published_at=one.published_at,
        first=CERTIFICATE if one.passed else OFFICIAL,
        decoration=_frame if one.passed else None,
    )
    first = _certificate(one) if one.passed else _notice(one)
    return pdf(imposition, [*first, on_following_pages(), PageBreak(), *_sheet(one)])


def _frame(canvas: Canvas) -> None:
    """Two lines around the page."""
    width, height = A4
    canvas.setStrokeColor(GOLD)
    for inset, weight in ((14 * mm, 2.4), (16.2 * mm, 0.7)):
        canvas.setLineWidth(weight)
        canvas.rect(inset, inset, width - 2 * inset, height - 2 * inset)


def _certificate(one: PublishedStation) -> list[Flowable]:
    return [
        heading("验收合格证书", 42, colour=RED, after=2),
        paragraph(f"编号：{_number(one)}", CENTRED_NOTE),
        Spacer(1, 18 * mm),
        paragraph(f"{one.name}：", ADDRESSED),
        paragraph(
            f"经检查验收组于{day(one.conclude_by)}前对照“{one.standard_name}”标准，从办公场所、工作人员、办公设施、工作制度、"
            f"档案资料、队伍建设六个方面检查，你站在“{one.title}”中必达指标全部达标，得分{points(one.score_points)}分，"
            f"位列第{one.rank}名，验收合格，予以通报表扬。"
        ),
        Spacer(1, 4 * mm),
        paragraph("特发此证。"),
        KeepTogether([Spacer(1, 42 * mm), *closing(one.issuer, one.published_at.date())]),
    ]


def _notice(one: PublishedStation) -> list[Flowable]:
    rows = [_to_do(place, criterion, one) for place, criterion in enumerate(one.failed_criteria, start=1)]
    return [
        heading("验收整改告知书", 32, colour=RED, after=2),
        Rule(weight=1.6, colour=RED, after=3),
        paragraph(f"编号：{_number(one)}", NOTE),
        Spacer(1, 5 * mm),
        paragraph(f"{one.name}：", PLAIN),
        paragraph(
            f"在“{one.title}”中，对照“{one.standard_name}”标准检查，你站有{len(rows)}项指标未达标，得分"
            f"{points(one.score_points)}分，位列第{one.rank}名，验收不合格，予以通报批评，在年终目标考评中扣"
            f"{points(one.points_off)}分。请按下表整改，在期限前提交整改情况和证据，由原检查组复查销号。"
        ),
        Spacer(1, 4 * mm),
        table(TO_DO, rows, size=12, padding=4),
        KeepTogether([Spacer(1, 20 * mm), *closing(one.issuer, one.published_at.date())]),
    ]


def _to_do(place: int, criterion: Row, one: PublishedStation) -> tuple[str, ...]:
    failing = one.failing_of(criterion.criterion)
    return (
        str(place),
        criterion.name,
        "必达" if criterion.mandatory else "计分",
        (failing.requirement if failing else None) or "按标准整改",
        day(failing.rectify_by) if failing and failing.rectify_by else "—",
    )


def _number(one: PublishedStation) -> str:
    """Station, day and what the content hashes to: whoever has the paper can find the record."""
    return f"{one.area_code}-{one.published_at:%Y%m%d}-{one.content_hash[:8].upper()}"


def _sheet(one: PublishedStation) -> list[Flowable]:
    rows = [_row(place, criterion) for place, criterion in enumerate(one.criteria, start=1)]
    inspectors, version = "、".join(one.inspectors) or "—", f"{one.standard_name}（版本 {one.standard_version}）"
    return [
        heading("验收指标明细表", 20, after=1),
        paragraph(f"工作站：{one.name}　　验收活动：{one.title}", NOTE),
        paragraph(f"标准：{version}　　以{day(one.as_of)}的情况为准", NOTE),
        paragraph(f"检查人员：{inspectors}　　站长：{one.station_head or '—'}", NOTE),
        Spacer(1, 2 * mm),
        table(CRITERIA, rows, size=9, padding=1.9),
        Spacer(1, 2 * mm),
        paragraph(
            "系统数据、自评、检查三个来源并列，互不代替；结论以检查为准，整改后经复查合格的记为“整改达标”。"
            "标“※”的为自评与系统数据不一致。标准对本站未作规定的指标不计分。",
            NOTE,
        ),
        paragraph(f"结果校验码（SHA-256）：{one.content_hash}", NOTE),
    ]


def _row(place: int, criterion: Row) -> tuple[str, ...]:
    return (
        str(place),
        DIMENSIONS.get(criterion.dimension, criterion.dimension),
        criterion.name,
        "必达" if criterion.mandatory else "计分",
        str(criterion.weight),
        _measure(criterion.required, criterion.unit),
        _derived(criterion),
        MET[criterion.self_met] + ("※" if criterion.disagrees else ""),
        MET[criterion.found],
        "整改达标" if criterion.rectified else MET[final(criterion)],
    )


def _measure(text: str | None, unit: str | None) -> str:
    """With its unit; money in yuan, as people read it. A range stays a range."""
    if text is None:
        return "—"
    if unit == "分":
        return "-".join(_yuan(part) for part in text.split("-")) + "元"
    counted = (unit or "").partition("（")[0]  # 台（部、辆）
    return f"{text}{counted}" if text[-1:].isdigit() else text


def _yuan(fen: str) -> str:
    amount, rest = divmod(int(fen), FEN_TO_A_YUAN)
    return f"{amount:,}.{rest:02d}" if rest else f"{amount:,}"


def _derived(criterion: Row) -> str:
    if criterion.derived_reason is not None and criterion.derived is None:
        return UNDECIDED.get(criterion.derived_reason, criterion.derived_reason)
    measured = _measure(criterion.measured, criterion.unit)
    return f"{MET[criterion.derived]}（{measured}）" if criterion.measured is not None else MET[criterion.derived]
