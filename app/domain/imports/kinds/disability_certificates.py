"""残疾人证: what the federation's list says about people who are registered here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from app.domain.access import Duty
from app.domain.identity import DISABILITY_CATEGORIES, IdentityFault, parse_disability_certificate
from app.domain.imports.cells import Certificate, Choice, YesNo
from app.domain.imports.kinds.shared import day, id_number, name, not_in_future
from app.domain.imports.model import Column, Kind, RowFault
from app.domain.imports.registry import register_kind

CATEGORIES = {
    "vision": ("视力", "视力残疾"),
    "hearing": ("听力", "听力残疾"),
    "speech": ("言语", "言语残疾"),
    "physical": ("肢体", "肢体残疾"),
    "intellectual": ("智力", "智力残疾"),
    "mental": ("精神", "精神残疾"),
    "multiple": ("多重", "多重残疾"),
}
GRADES = {
    "1": ("一级", "1级", "Ⅰ级", "一"),
    "2": ("二级", "2级", "Ⅱ级", "二"),
    "3": ("三级", "3级", "三"),
    "4": ("四级", "4级", "四"),
}
KEEPERS = frozenset({Duty.DISABILITY_FEDERATION, Duty.REVIEWER})
TITLES = {
    "disability_certificate_holder": "残疾人证号",
    "disability_certificate_category": "残疾类别",
    "disability_certificate_grade": "残疾等级",
}


def _check(row: Mapping[str, Any], today: date) -> Iterable[RowFault]:
    yield from not_in_future(row, today, issued_on="发证日期")
    numbers = {code: number for number, code in DISABILITY_CATEGORIES.items()}
    category = None if row["category"] is None else numbers[row["category"]]
    grade = None if row["grade"] is None else int(row["grade"])
    try:
        parse_disability_certificate(row["certificate_no"], id_number=row["id_number"], category=category, grade=grade)
    except IdentityFault as fault:
        yield RowFault(TITLES.get(fault.code, "残疾人证号"), fault.code, fault.message)


DISABILITY_CERTIFICATES = Kind(
    code="disability_certificates",
    title="残疾人证",
    columns=(
        name(),
        id_number(),
        Column(
            "certificate_no",
            "残疾人证号",
            Certificate(),
            required=True,
            aliases=("残疾证号", "残疾人证号码"),
            note="20 位，补发的另加 B 和次数；请把该列设为文本。",
            example="11010519491231002X43",
            sensitive=True,
        ),
        Column("category", "残疾类别", Choice(CATEGORIES), aliases=("残疾类型",), note="可不填；填了须与证号一致"),
        Column("grade", "残疾等级", Choice(GRADES), aliases=("等级",), note="可不填；填了须与证号一致"),
        Column("needs_care", "是否需要长期照护", YesNo(), aliases=("需要护理", "长期照护"), note="不填则保持原登记"),
        day("issued_on", "发证日期", "办证日期", "生效日期"),
    ),
    key=("id_number",),
    importers=KEEPERS,
    exporters=KEEPERS,
    area_field=None,
    check_row=_check,
    description="残联核发的残疾人证，自发证日期起作为该人的残疾登记。只对已登记的人员有效，未登记的请先登记人员。",
)
register_kind(DISABILITY_CERTIFICATES)
