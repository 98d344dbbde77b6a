"""The page: A4 by the measures of GB/T 9704 (天头 37 mm, 订口 28 mm, 版心 156 × 225 mm), numbered — 1 —."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reportlab.lib.colors import black
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, NextPageTemplate, PageTemplate

from app.documents.face import FACE, characters, printable

MEDIA_TYPE = "application/pdf"
SHANGHAI_OFFSET = "+08'00'"
PRODUCER = "minzheng"
NUMBER_SIZE = 14  # 4号
#: The library keeps what it knows of a face in one place for the process: one document at a time.
RENDERING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Margins:
    """Millimetres."""

    top: int
    left: int
    right: int
    bottom: int


OFFICIAL = Margins(top=37, left=28, right=26, bottom=35)  # GB/T 9704-2012 5.2
SHEET = Margins(top=20, left=20, right=20, bottom=24)  # tables need the width
CERTIFICATE = Margins(top=52, left=36, right=36, bottom=36)

Decoration = Callable[[Canvas], None]


@dataclass(frozen=True, slots=True)
class Imposition:
    """How the document stands on its pages. ``following`` takes over where the story says ``on_following_pages()``.

    ``decoration`` is drawn under the first kind of page only.
    """

    title: str
    issuer: str
    published_at: datetime
    first: Margins = OFFICIAL
    following: Margins = SHEET
    landscape: bool = False
    decoration: Decoration | None = None


def on_following_pages() -> Flowable:
    """From the next page on."""
    return NextPageTemplate("following")


def pdf(imposition: Imposition, story: Sequence[Flowable]) -> bytes:
    """The file: the same story gives the same bytes. Blocking; call it off the event loop."""
    with RENDERING:
        characters()
        content = io.BytesIO()
        document = BaseDocTemplate(content, **_properties(imposition))
        document.addPageTemplates(
            [
                PageTemplate("first", [_frame(document, imposition.first)], onPage=_first(imposition)),
                PageTemplate(
                    "following", [_frame(document, imposition.following)], onPage=_plain(imposition, imposition.following)
                ),
            ]
        )
        document.build(list(story))
        return content.getvalue()


def _properties(imposition: Imposition) -> dict[str, Any]:
    width, height = A4
    return {
        "pagesize": (height, width) if imposition.landscape else (width, height),
        "invariant": 1,
        "pageCompression": 1,
        "title": printable(imposition.title),
        "author": printable(imposition.issuer),
        "creator": PRODUCER,
        "producer": PRODUCER,
        "lang": "zh-CN",
    }


def _frame(document: BaseDocTemplate, margins: Margins) -> Frame:
    width, height = document.pagesize
    left, bottom = margins.left * mm, margins.bottom * mm
    return Frame(
        left,
        bottom,
        width - left - margins.right * mm,
        height - bottom - margins.top * mm,
        leftPadding=0,
        rightPadding=0,
        topPadding=0,
        bottomPadding=0,
    )


def _first(imposition: Imposition) -> Callable[[Canvas, BaseDocTemplate], None]:
    """A decorated page carries no number."""
    if imposition.decoration is None:
        return _plain(imposition, imposition.first)
    decoration = imposition.decoration

    def draw(canvas: Canvas, _document: BaseDocTemplate) -> None:
        _date(canvas, imposition.published_at)
        canvas.saveState()
        decoration(canvas)
        canvas.restoreState()

    return draw


def _plain(imposition: Imposition, margins: Margins) -> Callable[[Canvas, BaseDocTemplate], None]:
    def draw(canvas: Canvas, document: BaseDocTemplate) -> None:
        _date(canvas, imposition.published_at)
        _number(canvas, document.page, document.pagesize[0], margins)

    return draw


def _date(canvas: Canvas, moment: datetime) -> None:
    """The file was made when its content was published, whenever somebody asks for it."""
    canvas.setDateFormatter(lambda *_: f"D:{moment:%Y%m%d%H%M%S}{SHANGHAI_OFFSET}")


def _number(canvas: Canvas, number: int, width: float, margins: Margins) -> None:
    """7 mm under the type area, one character in from the outer edge: odd pages right, even pages left (GB/T 9704 7.5)."""
    canvas.saveState()
    canvas.setFillColor(black)
    canvas.setFont(FACE, NUMBER_SIZE)
    text, baseline = f"— {number} —", (margins.bottom - 7) * mm - NUMBER_SIZE * 0.86
    if number % 2:
        canvas.drawRightString(width - margins.right * mm - NUMBER_SIZE, baseline, text)
    else:
        canvas.drawString(margins.left * mm + NUMBER_SIZE, baseline, text)
    canvas.restoreState()
