"""The certificate of an informant who attended a training and passed its examination."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepInFrame, Spacer

from app.documents.page import Imposition, Margins, pdf
from app.documents.parts import GREY, RED, closing, day, heading, paragraph
from app.documents.text import Align, Style

FRAME = HexColor("#B08D3C")
MARGINS = Margins(top=36, left=42, right=42, bottom=30)
TEXT = Style(20, 40, Align.FLUSH, indent=40)
ADDRESSED = Style(20, 40, heavy=True)
NUMBER = Style(10.5, 15, Align.CENTRE, colour=GREY)


@dataclass(frozen=True, slots=True)
class Certificate:
    """As it was issued. ``issued_at`` in Shanghai's time."""

    number: str
    name: str
    community: str
    subject: str
    held_on: date
    class_hours: int
    examined: bool
    issuer: str
    issued_at: datetime
    content_hash: str


def read_certificate(content: Mapping[str, Any], *, content_hash: str, issued_at: datetime) -> Certificate:
    """``content`` as it was frozen."""
    return Certificate(
        number=content["number"],
        name=content["name"],
        community=content["community"],
        subject=content["subject"],
        held_on=date.fromisoformat(content["held_on"]),
        class_hours=content["class_hours"],
        examined=content["examined"],
        issuer=content["issuer"],
        issued_at=issued_at,
        content_hash=content_hash,
    )


def certificate_pdf(one: Certificate) -> bytes:
    """One page, landscape."""
    imposition = Imposition(
        title=f"民政信息监督员培训合格证书（{one.name}）",
        issuer=one.issuer,
        published_at=one.issued_at,
        first=MARGINS,
        landscape=True,
        decoration=_frame,
    )
    return pdf(imposition, [KeepInFrame(0, 0, _content(one), mode="shrink")])


def _content(one: Certificate) -> list[Flowable]:
    outcome = "经考试合格" if one.examined else "完成全部学时"
    return [
        heading("培训合格证书", 42, colour=RED, after=1),
        paragraph(f"编号：{one.number}", NUMBER),
        Spacer(1, 8 * mm),
        paragraph(f"{one.name}　同志：", ADDRESSED),
        paragraph(
            f"你作为{one.community}民政信息监督员，于{day(one.held_on)}参加“{one.subject}”培训，共{one.class_hours}学时，"
            f"{outcome}，特发此证。",
            TEXT,
        ),
        Spacer(1, 12 * mm),
        *closing(one.issuer, one.issued_at.date(), size=18, left=110),
        Spacer(1, 10 * mm),
        paragraph(f"校验码（SHA-256，可与系统核对）：{one.content_hash}", NUMBER),
    ]


def _frame(canvas: Canvas) -> None:
    height, width = A4
    canvas.setStrokeColor(FRAME)
    for inset, weight in ((12 * mm, 2.4), (14.2 * mm, 0.7)):
        canvas.setLineWidth(weight)
        canvas.rect(inset, inset, width - 2 * inset, height - 2 * inset)
