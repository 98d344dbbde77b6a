"""The stations' dashboard as a workbook whose charts are the spreadsheet's own and can be edited."""

from __future__ import annotations

import io
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from app.codes import REGISTRY
from app.domain.stations.dashboard import Dashboard, StationFigures
from app.domain.stations.model import Dimension
from app.domain.stations.operating import JUDGED, OPERATING, OperatingReading, Shape
from app.workbook import OPTIONS

MET, FAILED, OPEN = "达标", "未达标", "不能判断"
WORDS = {True: MET, False: FAILED, None: OPEN}
COLOURS = {MET: "#C6EFCE", FAILED: "#FFC7CE", OPEN: "#EDEDED"}
POINTS = "0.00"
HUNDREDTHS = 100


def dashboard_workbook(found: Dashboard) -> bytes:
    """Six sheets: heat table, radar, trend, funnel, rates of the operating data, the counts behind them."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, OPTIONS) as book:
        bold = book.add_format({"bold": True, "text_wrap": True})
        number = book.add_format({"num_format": POINTS})
        _heat(book, found, bold, number)
        _radar(book, found, bold, number)
        _trend(book, found, bold, number)
        _funnel(book, found, bold)
        _rates(book, found, bold, number)
        _counts(book, found, bold, number)
    return content.getvalue()


def _dimension(code: str) -> str:
    return REGISTRY["station_dimension"].get(code, code)


def _heat(book: Any, found: Dashboard, bold: Any, number: Any) -> None:
    page = book.add_worksheet("热力表")
    page.write_row(0, 0, ["工作站", "得分", *(one.name for one in found.criteria)], bold)
    for row, station in enumerate(found.stations, start=1):
        page.write_string(row, 0, station.name)
        _write_points(page, row, 1, station.points, number)
        page.write_row(row, 2, [WORDS[cell] for cell in station.cells])
    last = len(found.stations), len(found.criteria) + 1
    for word, colour in COLOURS.items():
        shade = {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": book.add_format({"bg_color": colour})}
        page.conditional_format(1, 2, *last, shade)
    page.freeze_panes(1, 1)
    page.set_column(0, 0, 30)
    page.set_column(1, last[1], 12)


def _radar(book: Any, found: Dashboard, bold: Any, number: Any) -> None:
    page = book.add_worksheet("雷达图")
    dimensions = [dimension.value for dimension in Dimension]
    page.write_row(0, 0, ["工作站", *map(_dimension, dimensions)], bold)
    for row, station in enumerate(found.stations, start=1):
        page.write_string(row, 0, station.name)
        for column, dimension in enumerate(dimensions, start=1):
            _write_points(page, row, column, station.radar.get(dimension), number)
        chart = book.add_chart({"type": "radar", "subtype": "filled"})
        width = len(dimensions)
        chart.add_series(
            {
                "name": ["雷达图", row, 0],
                "categories": ["雷达图", 0, 1, 0, width],
                "values": ["雷达图", row, 1, row, width],
            }
        )
        chart.set_title({"name": station.name})
        chart.set_legend({"none": True})
        page.insert_chart(len(found.stations) + 2 + (row - 1) // 3 * 16, (row - 1) % 3 * 6, chart)
    page.set_column(0, 0, 30)


def _trend(book: Any, found: Dashboard, bold: Any, number: Any) -> None:
    page = book.add_worksheet("走势")
    dimensions = [dimension.value for dimension in Dimension]
    page.write_row(0, 0, ["日期", *map(_dimension, dimensions)], bold)
    chart = book.add_chart({"type": "line"})
    for row, point in enumerate(found.trend, start=1):
        page.write_string(row, 0, point.as_of.isoformat())
        for column, dimension in enumerate(dimensions, start=1):
            _write_points(page, row, column, point.points.get(dimension), number)
    last = len(found.trend)
    for column in range(1, len(dimensions) + 1):
        chart.add_series(
            {"name": ["走势", 0, column], "categories": ["走势", 1, 0, last, 0], "values": ["走势", 1, column, last, column]}
        )
    chart.set_title({"name": "各维度平均得分"})
    chart.set_y_axis({"min": 0, "max": 100})
    page.insert_chart(last + 2, 0, chart)
    page.set_column(0, 0, 14)


def _funnel(book: Any, found: Dashboard, bold: Any) -> None:
    page = book.add_worksheet("整改漏斗")
    funnel = found.rectifications
    page.write_row(0, 0, ["环节", "件数"], bold)
    steps = (("列出整改", funnel.found), ("待复查", funnel.submitted), ("已销号", funnel.closed), ("逾期未提交", funnel.overdue))
    for row, step in enumerate(steps, start=1):
        page.write_row(row, 0, step)
    chart = book.add_chart({"type": "bar"})
    chart.add_series(
        {"name": "整改", "categories": ["整改漏斗", 1, 0, len(steps), 0], "values": ["整改漏斗", 1, 1, len(steps), 1]}
    )
    chart.set_y_axis({"reverse": True})
    chart.set_legend({"none": True})
    page.insert_chart(len(steps) + 2, 0, chart)
    page.set_column(0, 0, 16)


def _rates(book: Any, found: Dashboard, bold: Any, number: Any) -> None:
    """Stations by measures, in percent; empty where there is no figure."""
    page = book.add_worksheet("运行指标")
    rows = found.operations.stations
    measures = [code for code in JUDGED if any(_reading(row, code).rate_bp is not None for row in rows)]
    period = found.operations.period
    page.write_row(0, 0, [f"{period.first} 至 {period.last}（%）", *(JUDGED[code].name for code in measures)], bold)
    chart = book.add_chart({"type": "column"})
    for row, station in enumerate(rows, start=1):
        page.write_string(row, 0, station.name)
        for column, code in enumerate(measures, start=1):
            _write_points(page, row, column, _reading(station, code).rate_bp, number)
    for column in range(1, len(measures) + 1):
        span = 1, len(rows)
        categories, values = ["运行指标", span[0], 0, span[1], 0], ["运行指标", span[0], column, span[1], column]
        chart.add_series({"name": ["运行指标", 0, column], "categories": categories, "values": values})
    chart.set_title({"name": "运行指标（%）"})
    chart.set_y_axis({"min": 0, "max": 100})
    if measures and rows:
        page.insert_chart(len(rows) + 2, 0, chart)
    page.set_column(0, 0, 30)
    page.set_column(1, len(measures) + 1, 14)


def _reading(station: StationFigures, code: str) -> OperatingReading:
    return next(reading for reading in station.readings if reading.measure == code)


def _counts(book: Any, found: Dashboard, bold: Any, number: Any) -> None:
    """One line for each station and measure: the counts, or why there are none."""
    page = book.add_worksheet("运行数据")
    page.write_row(0, 0, ["工作站", "指标", "达标（合计）", "总数", "比例（%）", "计数或比值", "单位", "说明"], bold)
    lines = [(station, reading) for station in found.operations.stations for reading in station.readings]
    for row, (station, reading) in enumerate(lines, start=1):
        measure = OPERATING[reading.measure]
        page.write_row(row, 0, [station.name, measure.name])
        if reading.count is not None:
            page.write_number(row, 5, reading.count)
        elif reading.tally is not None:
            page.write_row(row, 2, [reading.tally.good, reading.tally.cases])
            share = measure.shape is Shape.RATE
            in_unit = reading.rate_bp if share or reading.rate_bp is None else reading.rate_bp // HUNDREDTHS
            _write_points(page, row, 4 if share else 5, in_unit, number)
        reason = REGISTRY["station_reason"][reading.reason] if reading.reason else measure.definition
        page.write_row(row, 6, [measure.unit, reason])
    page.autofilter(0, 0, len(lines), 7)
    page.freeze_panes(1, 0)
    page.set_column(0, 1, 28)
    page.set_column(7, 7, 60)


def _write_points(page: Any, row: int, column: int, points: int | None, number: Any) -> None:
    """A cell stays empty where nothing can be said: a zero would be a verdict."""
    if points is not None:
        page.write_number(row, column, points / HUNDREDTHS, number)
